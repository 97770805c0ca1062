"""`weituo care list | show | decide | stop | code`."""

from __future__ import annotations

import argparse
from typing import Any
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli.words import worded


def add_verbs(verbs: Any) -> None:
    """Add `care`."""
    what = verbs.add_parser("care", help="disputes, hardship and complaints").add_subparsers(
        dest="what", required=True
    )
    cases = cli.common(what.add_parser("list", help="cases by clock, the one due first on top"))
    cases.add_argument("--state", choices=("OPEN", "DECIDED"), default="OPEN")
    cases.add_argument("--kind", choices=("DISPUTE", "HARDSHIP", "COMPLAINT"), default="")
    cases.set_defaults(run=_list)
    show = cli.common(what.add_parser("show", help="one case, with the borrower's words for who may read them"))  # fmt: skip
    show.add_argument("case", help="number or id")
    show.set_defaults(run=_show)
    decide = cli.common(what.add_parser("decide", help="answer a case"))
    decide.add_argument("case", help="number or id")
    decide.add_argument("verdict", choices=("upheld", "refused"))
    decide.add_argument("--answer", required=True, help="what the borrower reads")
    decide.set_defaults(run=_decide)
    stop = cli.common(what.add_parser("stop", help="stop every contact with the borrower of a case"))
    stop.add_argument("case", help="number or id")
    stop.add_argument("--reason", required=True)
    stop.set_defaults(run=_stop)
    code = cli.common(what.add_parser("code", help="make the code for a borrower's letter; it is shown this once"))  # fmt: skip
    code.add_argument("customer", help="the lender's account or customer number")
    code.set_defaults(run=_code)


def _found(arguments: argparse.Namespace) -> dict[str, Any]:
    """Give the case that was named by number or id."""
    from weituo.domain.care import queries
    from weituo.foundation.errors import NotFound

    viewer = cli.actor_of(arguments)
    case_id = queries.case_id(viewer, named=arguments.case)
    found = queries.case(viewer, case_id=case_id) if case_id else None
    if found is None:
        raise NotFound(what=worded("case"), where=arguments.case)
    return found


def _list(arguments: argparse.Namespace) -> int:
    from weituo.domain.care import queries

    rows = queries.cases(cli.actor_of(arguments), state=arguments.state, kind=arguments.kind)
    lines = [
        worded(
            "%(number)s %(kind)s %(reason)s %(state)s due %(due_at)sZ %(id)s",
            number=f"{row['number']:<12}",
            kind=f"{row['kind']:<10}",
            reason=f"{row['reason']:<18}",
            state=f"{row['state']:<8}",
            due_at=f"{row['due_at']:%Y-%m-%d %H:%M}",
            id=row["id"],
        )
        for row in rows
    ]
    cli.show(arguments, {"cases": rows}, "\n".join(lines) or worded("no case passes this filter"))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    row = _found(arguments)
    body = {key: value for key, value in row.items() if key not in {"subject_id", "text_position"}}
    lines = [f"{row['number']} {row['kind']} {row['reason']} ({row['source']}), {row['state']}", worded("  opened %(opened_at)sZ, due %(due_at)sZ", opened_at=f"{row['opened_at']:%Y-%m-%d %H:%M}", due_at=f"{row['due_at']:%Y-%m-%d %H:%M}")]  # fmt: skip
    if row["text"]:
        lines.append(f"  “{row['text']}”")
    if row["answer"]:
        lines.append(
            worded(
                "  answer (%(upheld)s): %(answer)s",
                upheld=worded("upheld") if row["upheld"] else worded("refused"),
                answer=row["answer"],
            )
        )
    cli.show(arguments, body, "\n".join(lines))
    return 0


def _decide(arguments: argparse.Namespace) -> int:
    from weituo.domain.care import services
    from weituo.foundation import clock

    case, upheld = _found(arguments), arguments.verdict == "upheld"
    services.decide_case(
        actor=cli.actor_of(arguments),
        case_id=case["id"],
        upheld=upheld,
        answer=arguments.answer,
        at=clock.now(),
    )
    cli.show(
        arguments,
        {"case": case["number"], "upheld": upheld},
        worded("%(number)s is answered", number=case["number"]),
    )
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from weituo.domain.care import services
    from weituo.foundation import clock

    case = _found(arguments)
    stopped = services.stop_everywhere(
        actor=cli.actor_of(arguments),
        borrower_id=case["borrower_id"],
        reason=arguments.reason,
        at=clock.now(),
    )
    text = worded(
        "stopped: accounts %(accounts)s, placements %(placements)s, permits %(permits)s",
        accounts=stopped.accounts,
        placements=stopped.placements,
        permits=stopped.permits,
    )
    cli.show(arguments, {"case": case["number"], **asdict(stopped)}, text)
    return 0


def _code(arguments: argparse.Namespace) -> int:
    from weituo.domain.book import queries as book
    from weituo.domain.care import services
    from weituo.foundation import clock, days
    from weituo.foundation.errors import NotFound

    actor = cli.actor_of(arguments)
    on = days.day_of(clock.now())
    rows = book.accounts_page(actor, on=on, filters={"number": arguments.customer})["rows"]
    borrowers: set[UUID] = {row["borrower_id"] for row in rows}
    if len(borrowers) != 1:
        raise NotFound(what=worded("account or customer"), where=arguments.customer)
    code = services.issue_code(actor=actor, borrower_id=borrowers.pop(), at=clock.now())
    cli.show(arguments, {"customer": arguments.customer, "code": code}, code)
    return 0
