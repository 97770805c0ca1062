"""`weituo ledger open | book | balance | check` and `weituo settle draw | approve | list`."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli.reading import money_text
from weituo.cli.words import worded


def add_verbs(verbs: Any) -> None:
    """Add `ledger` and `settle`."""
    ledger = verbs.add_parser(
        "ledger", help="open the book, book payments, show balances, check everything"
    ).add_subparsers(dest="what", required=True)
    cli.common(ledger.add_parser("open", help="book opening balances of imported accounts")).set_defaults(
        run=_open
    )
    cli.common(ledger.add_parser("book", help="book remittances whose bank lines have arrived")).set_defaults(
        run=_book
    )
    balance = cli.common(ledger.add_parser("balance", help="trial balance"))
    balance.add_argument("--until", type=date.fromisoformat, help="value days before this day")
    balance.set_defaults(run=_balance)
    cli.common(
        ledger.add_parser("check", help="recompute everything from entries; name differences")
    ).set_defaults(run=_check)

    settle = verbs.add_parser("settle", help="settlement statements").add_subparsers(
        dest="what", required=True
    )
    draw = cli.common(settle.add_parser("draw", help="draw up an agency's statement for a period"))
    draw.add_argument("agency", help="agency code")
    draw.add_argument("--from", dest="period_from", type=date.fromisoformat, required=True)
    draw.add_argument(
        "--to", dest="period_to", type=date.fromisoformat, required=True, help="first day after the period"
    )
    draw.set_defaults(run=_draw)
    approve = cli.common(settle.add_parser("approve", help="approve an agreed statement as a second person"))
    approve.add_argument("statement", type=UUID)
    approve.set_defaults(run=_approve)
    cli.common(settle.add_parser("list", help="list statements")).set_defaults(run=_list)


def _open(arguments: argparse.Namespace) -> int:
    from weituo.domain.ledger import services
    from weituo.foundation import clock

    opened = services.open_book(actor=cli.actor_of(arguments), at=clock.now())
    cli.show(arguments, {"opened": opened}, worded("%(opened)s accounts opened", opened=opened))
    return 0


def _book(arguments: argparse.Namespace) -> int:
    from weituo.domain.ledger import services
    from weituo.foundation import clock

    booked = services.book_remittances(actor=cli.actor_of(arguments), at=clock.now())
    cli.show(arguments, {"payments": booked}, worded("%(booked)s payments booked", booked=booked))
    return 0


def _balance(arguments: argparse.Namespace) -> int:
    from weituo.domain.ledger import queries

    rows = queries.trial_balance(cli.actor_of(arguments), until=arguments.until)
    totals: dict[str, int] = {}
    for row in rows:
        totals[row.currency] = totals.get(row.currency, 0) + row.balance_minor
    lines = [
        f"{row.kind:<20} {row.component:<10} {money_text(row.balance_minor, row.currency):>24}"
        for row in rows
    ]
    lines += [
        f"{worded('total'):<31} {money_text(total, currency):>24}" for currency, total in totals.items()
    ]
    body = [
        {
            "kind": row.kind,
            "component": row.component,
            "agency_id": row.agency_id,
            "currency": row.currency,
            "balance_minor": row.balance_minor,
        }
        for row in rows
    ]
    cli.show(arguments, {"accounts": body, "total_minor": totals}, "\n".join(lines))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from weituo.domain.ledger import queries

    differences = queries.check(cli.actor_of(arguments))
    text = (
        worded("the ledger agrees with itself and with the book")
        if not differences
        else worded("first difference: %(differences)s", differences=differences[0])
    )
    cli.show(arguments, {"differences": differences}, text)
    return 1 if differences else 0


def _draw(arguments: argparse.Namespace) -> int:
    from weituo.domain.ledger import services
    from weituo.domain.partners import queries as partners
    from weituo.foundation import clock
    from weituo.foundation.errors import NotFound

    actor = cli.actor_of(arguments)
    agency = next((row for row in partners.agencies(actor) if row.code == arguments.agency), None)
    if agency is None:
        raise NotFound(what=worded("agency"), where=arguments.agency)
    statement = services.draw_statement(
        actor=actor,
        agency_id=agency.id,
        period_from=arguments.period_from,
        period_to=arguments.period_to,
        at=clock.now(),
    )
    cli.show(arguments, {"statement": statement}, worded("statement %(statement)s", statement=statement))
    return 0


def _approve(arguments: argparse.Namespace) -> int:
    from weituo.domain.ledger import services
    from weituo.foundation import clock

    services.approve_statement(
        actor=cli.actor_of(arguments), statement_id=arguments.statement, at=clock.now()
    )
    cli.show(
        arguments,
        {"statement": arguments.statement, "state": "PAID"},
        worded("statement %(statement)s is approved and paid", statement=arguments.statement),
    )
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from weituo.domain.ledger import queries

    rows = queries.statements(cli.actor_of(arguments))
    text = "\n".join(
        f"{row['period_from']} {row['state']:<9} {row['payments']:>6} {money_text(row['commission_minor'], row['currency']):>18} {row['id']}"
        for row in rows
    )
    cli.show(
        arguments,
        {"statements": rows},
        text or worded("no statements yet: draw one with `weituo settle draw`"),
    )
    return 0
