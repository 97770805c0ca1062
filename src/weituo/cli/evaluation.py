"""`weituo evaluation run | list | show | replay | decide | decisions | business-case`."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli.reading import money_text
from weituo.cli.words import worded


def add_verbs(verbs: Any) -> None:
    """Add `evaluation`."""
    evaluation = verbs.add_parser(
        "evaluation", help="compare agencies, decide, show the business case"
    ).add_subparsers(dest="what", required=True)
    run = cli.common(evaluation.add_parser("run", help="compare all agencies on the placements of a period"))
    run.add_argument("--from", dest="period_from", type=date.fromisoformat, required=True)
    run.add_argument(
        "--to", dest="period_to", type=date.fromisoformat, required=True, help="first day after the period"
    )
    run.set_defaults(run=_run)
    cli.common(evaluation.add_parser("list", help="list evaluations")).set_defaults(run=_list)
    show = cli.common(evaluation.add_parser("show", help="show an evaluation with its scorecards"))
    show.add_argument("evaluation", type=UUID)
    show.set_defaults(run=_show)
    replay = cli.common(evaluation.add_parser("replay", help="make an evaluation again and compare"))
    replay.add_argument("evaluation", type=UUID)
    replay.set_defaults(run=_replay)
    decide = cli.common(evaluation.add_parser("decide", help="draw a consequence from a scorecard"))
    decide.add_argument("scorecard", type=UUID)
    decide.add_argument("decision", choices=("TIER", "CAPACITY", "IMPROVE", "RENEW", "EXIT"))
    decide.add_argument("--reason", required=True)
    decide.add_argument("--tier", type=int)
    decide.add_argument("--capacity", type=int, help="accounts that the agency may hold")
    decide.set_defaults(run=_decide)
    cli.common(evaluation.add_parser("decisions", help="list what was decided")).set_defaults(run=_decisions)
    case = cli.common(
        evaluation.add_parser("business-case", help="in-house beside agencies, from booked money")
    )
    case.add_argument("--from", dest="period_from", type=date.fromisoformat)
    case.add_argument("--to", dest="period_to", type=date.fromisoformat, help="first day after the period")
    case.set_defaults(run=_business_case)


def _run(arguments: argparse.Namespace) -> int:
    from weituo.domain.evaluation import queries, services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    made = services.evaluate(
        actor=actor, period_from=arguments.period_from, period_to=arguments.period_to, at=clock.now()
    )
    found = queries.evaluation(actor, evaluation_id=made)
    cli.show(arguments, found, _text(found))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from weituo.domain.evaluation import queries

    found = queries.evaluation(cli.actor_of(arguments), evaluation_id=arguments.evaluation)
    cli.show(arguments, found, _text(found))
    return 0


def _text(found: dict[str, Any]) -> str:
    lines = [
        worded(
            "%(period_from)s – %(period_to)s, evaluation %(id)s",
            period_from=found["period_from"],
            period_to=found["period_to"],
            id=found["id"],
        )
    ]
    for card in found["scorecards"]:
        figures = card["figures"]
        fair = figures["fair_net"]
        lines.append(
            worded(
                "%(agency_code)s %(verdict)s rank %(rank_low)s–%(rank_high)s  net %(value)s [%(low)s, %(high)s] on %(placements)s placements  recovered %(recovered)s  commission %(commission)s  complaints per 1,000: %(complaints)s",
                agency_code=f"{card['agency_code']:<10}",
                verdict=f"{card['verdict']:<21}",
                rank_low=card["rank_low"],
                rank_high=card["rank_high"],
                value=_percent(fair["value"]),
                low=_percent(fair["low"]),
                high=_percent(fair["high"]),
                placements=f"{figures['placements']:,}",
                recovered=money_text(figures["recovered_minor"], figures["currency"]),
                commission=money_text(figures["commission_minor"], figures["currency"]),
                complaints=_plain(figures["complaints_per_1000"]["value"]),
            )
        )
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _list(arguments: argparse.Namespace) -> int:
    from weituo.domain.evaluation import queries

    rows = queries.evaluations(cli.actor_of(arguments))
    text = "\n".join(
        worded(
            "%(period_from)s – %(period_to)s: %(better)s better, %(worse)s worse, %(undecided)s cannot be told apart, %(too_early)s too early %(id)s",
            period_from=row["period_from"],
            period_to=row["period_to"],
            better=row["better"],
            worse=row["worse"],
            undecided=row["undecided"],
            too_early=row["too_early"],
            id=row["id"],
        )
        for row in rows
    )
    cli.show(
        arguments,
        {"evaluations": rows},
        text or worded("no evaluation yet: make one with `weituo evaluation run`"),
    )
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from weituo.domain.evaluation import queries

    found = queries.replay(cli.actor_of(arguments), evaluation_id=arguments.evaluation)
    text = (
        worded("the same rows give the same verdicts")
        if found["same_inputs"] and found["same_verdicts"]
        else worded(
            "inputs %(same_inputs)s; verdicts that differ: %(differences)s",
            same_inputs=worded("as before") if found["same_inputs"] else worded("have changed"),
            differences=len(found["differences"]),
        )
    )
    cli.show(arguments, found, text)
    return 0


def _decide(arguments: argparse.Namespace) -> int:
    from weituo.domain.evaluation import services
    from weituo.foundation import clock

    made = services.decide(
        actor=cli.actor_of(arguments),
        scorecard_id=arguments.scorecard,
        decision=arguments.decision,
        reason=arguments.reason,
        tier=arguments.tier,
        capacity=arguments.capacity,
        at=clock.now(),
    )
    cli.show(
        arguments,
        {"decision": made, "kind": arguments.decision},
        worded("decided: %(decision)s %(made)s", decision=arguments.decision, made=made),
    )
    return 0


def _decisions(arguments: argparse.Namespace) -> int:
    from weituo.domain.evaluation import queries

    rows = queries.decisions(cli.actor_of(arguments))
    text = "\n".join(
        f"{row['decided_at']:%Y-%m-%d} {row['agency_code']:<10} {row['decision']:<9} on {row['verdict']}: {row['reason']}"
        for row in rows
    )
    cli.show(arguments, {"decisions": rows}, text or worded("nothing was decided yet"))
    return 0


def _business_case(arguments: argparse.Namespace) -> int:
    from weituo.domain.evaluation import queries
    from weituo.foundation import clock, days

    found = queries.business_case(
        cli.actor_of(arguments),
        on=days.day_of(clock.now()),
        period_from=arguments.period_from,
        period_to=arguments.period_to,
    )
    lines = [
        worded(
            "%(currency)s: %(accounts)s overdue accounts, %(balance)s; over 90 days on %(day)s %(npl_balance)s (%(npl_share)s)",
            currency=row["currency"],
            accounts=f"{row['accounts']:,}",
            balance=money_text(row["balance_minor"], row["currency"]),
            npl_balance=money_text(row["npl_balance_minor"], row["currency"]),
            day=found["on"],
            npl_share=_percent(row["npl_share"]),
        )
        for row in found["book"]
    ]
    lines += [
        worded(
            "%(value)s %(way)s %(n)s accounts  recovered %(recovered)s  cost %(cost)s  cost to collect %(cost_to_collect)s  net %(net)s",
            value=f"{row.get('bucket') or worded('all'):<8}",
            way=f"{row['way']:<9}",
            n=f"{row['n']:>7,}",
            recovered=f"{money_text(row['recovered_minor'], row['currency']):>20}",
            cost=f"{money_text(row['cost_minor'], row['currency']):>18}",
            cost_to_collect=f"{_percent(row['cost_to_collect']):>8}",
            net=f"{money_text(row['net_minor'], row['currency']):>20}",
        )
        for row in [*found["by_bucket"], *found["total"]]
    ]
    cli.show(arguments, found, "\n".join(lines) or worded("no account yet: import a book first"))
    return 0
