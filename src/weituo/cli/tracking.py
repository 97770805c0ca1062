"""`weituo tracking curves | coverage | promises | decide-promises | alerts | review`."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli.words import worded


def add_verbs(verbs: Any) -> None:
    """Add `tracking`."""
    tracking = verbs.add_parser(
        "tracking", help="liquidation against plan, coverage, promises, alerts, reviews"
    ).add_subparsers(dest="what", required=True)
    curves = cli.common(tracking.add_parser("curves", help="liquidation by months since placement"))
    curves.add_argument("--agency", default="", help="agency code (default: all)")
    curves.add_argument("--bucket", default=None, help="bucket at placement")
    curves.add_argument("--on", type=date.fromisoformat, help="day of the figures (default: last booked day)")
    curves.set_defaults(run=_curves)
    cli.common(tracking.add_parser("coverage", help="cases tried, spoken to, resting")).set_defaults(
        run=_coverage
    )
    cli.common(
        tracking.add_parser("promises", help="promises by state and the share kept, with its interval")
    ).set_defaults(run=_promises)
    cli.common(
        tracking.add_parser("decide-promises", help="decide open promises from booked money")
    ).set_defaults(run=_decide)
    alerts = cli.common(tracking.add_parser("alerts", help="open alerts; raise new ones; close one"))
    which = alerts.add_mutually_exclusive_group()
    which.add_argument("--raise", dest="raises", action="store_true", help="look at the figures now")
    which.add_argument("--close", type=UUID, metavar="ALERT", help="close with --action")
    which.add_argument("--all", action="store_true", help="closed ones too")
    alerts.add_argument("--action", default="", help="what was done")
    alerts.set_defaults(run=_alerts)
    review = cli.common(tracking.add_parser("review", help="list reviews, or hold one of an agency"))
    review.add_argument("agency", nargs="?", default="", help="agency code; without it reviews are listed")
    review.add_argument("--from", dest="period_from", type=date.fromisoformat)
    review.add_argument("--to", dest="period_to", type=date.fromisoformat, help="first day after the period")
    review.add_argument("--findings", default="")
    review.add_argument("--actions", default="")
    review.add_argument("--alert", type=UUID, help="the alert that this review answers")
    review.set_defaults(run=_review)


def _agency(actor: Any, code: str) -> Any:
    from weituo.domain.partners import queries as partners
    from weituo.foundation.errors import NotFound

    found = next((row for row in partners.agencies(actor) if row.code == code), None)
    if found is None:
        raise NotFound(what=worded("agency"), where=code)
    return found


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}%"


def _curves(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import queries as partners
    from weituo.domain.tracking import queries

    viewer = cli.actor_of(arguments)
    codes = {str(row.id): row.code for row in partners.agencies(viewer)}
    agency_id = _agency(viewer, arguments.agency).id if arguments.agency else None
    frame = queries.curves(viewer, agency_id=agency_id, bucket=arguments.bucket, on=arguments.on)
    rows = [row | {"agency": codes.get(row["agency_id"], "")} for row in frame.iter_rows(named=True)]
    text = "\n".join(
        worded(
            "%(agency)s month %(month)s n %(n)s %(liquidation)s (%(low)s – %(high)s) plan %(plan)s",
            agency=f"{row['agency']:<10}",
            month=f"{row['month']:>2}",
            n=f"{row['n']:>6}",
            liquidation=f"{_percent(row['liquidation']):>7}",
            low=_percent(row["low"]),
            high=_percent(row["high"]),
            plan=_percent(row["plan"]),
        )
        + (worded(" too early to say") if row["n"] < queries.SAMPLE_MIN else "")
        for row in rows
    )
    cli.show(
        arguments,
        {"curves": rows},
        text or worded("too early to say: no placement of this choice is a month old"),
    )
    return 0


def _coverage(arguments: argparse.Namespace) -> int:
    from weituo.domain.tracking import queries

    rows = queries.coverage(cli.actor_of(arguments))
    text = "\n".join(
        worded(
            "%(code)s active %(active)s tried %(tried)s (%(tried_share)s) spoken to %(spoken)s resting %(quiet_days)s days %(resting)s",
            code=f"{row['code']:<10}",
            active=f"{row['active']:>6}",
            tried=f"{row['tried']:>6}",
            tried_share=_percent(row["tried_share"]),
            spoken=f"{row['spoken']:>6}",
            quiet_days=queries.QUIET_DAYS,
            resting=f"{row['resting']:>6}",
        )
        for row in rows
    )
    cli.show(arguments, {"coverage": rows}, text or worded("no case is active"))
    return 0


def _promises(arguments: argparse.Namespace) -> int:
    from weituo.domain.tracking import queries

    rows = queries.promises(cli.actor_of(arguments))
    text = "\n".join(
        worded(
            "%(code)s made %(made)s open %(open)s kept %(kept)s broken %(broken)s kept share %(kept_share)s (%(kept_low)s – %(kept_high)s)",
            code=f"{row['code']:<10}",
            made=f"{row['made']:>6}",
            open=f"{row['open']:>6}",
            kept=f"{row['kept']:>6}",
            broken=f"{row['broken']:>6}",
            kept_share=_percent(row["kept_share"]),
            kept_low=_percent(row["kept_low"]),
            kept_high=_percent(row["kept_high"]),
        )
        for row in rows
    )
    cli.show(arguments, {"promises": rows}, text or worded("no promise was reported"))
    return 0


def _decide(arguments: argparse.Namespace) -> int:
    from weituo.domain.tracking import services
    from weituo.foundation import clock

    counts = services.decide_promises(actor=cli.actor_of(arguments), at=clock.now())
    cli.show(
        arguments,
        {"kept": counts["KEPT"], "broken": counts["BROKEN"]},
        worded(
            "decided by booked money: %(kept)s kept, %(broken)s broken",
            kept=counts["KEPT"],
            broken=counts["BROKEN"],
        ),
    )
    return 0


def _alerts(arguments: argparse.Namespace) -> int:
    from weituo.domain.tracking import queries, services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    raised: list[UUID] = []
    if arguments.raises:
        raised = services.raise_alerts(actor=actor, at=clock.now())
    if arguments.close:
        services.close_alert(actor=actor, alert_id=arguments.close, action=arguments.action, at=clock.now())
    rows = queries.alerts(actor, open_only=not arguments.all)
    text = "\n".join(
        f"{row['raised_at']:%Y-%m-%d} {row['agency_code'] or '':<10} {row['code']:<16} "
        f"{worded('closed: ') + row['action'] if row['closed_at'] else worded('open')} {row['detail']} {row['id']}"
        for row in rows
    )
    head = worded("%(raised)s new alerts", raised=len(raised)) + "\n" if arguments.raises else ""
    cli.show(arguments, {"raised": raised, "alerts": rows}, head + (text or worded("no alert is open")))
    return 0


def _review(arguments: argparse.Namespace) -> int:
    from weituo.domain.tracking import queries, services
    from weituo.foundation import clock
    from weituo.foundation.errors import BadInput

    actor = cli.actor_of(arguments)
    if not arguments.agency:
        rows = queries.reviews(actor)
        text = "\n".join(
            f"{row['held_at']:%Y-%m-%d} {row['agency_code']:<10} {row['period_from']} – {row['period_to']} {row['findings']}"
            for row in rows
        )
        cli.show(arguments, {"reviews": rows}, text or worded("no review was held"))
        return 0
    if arguments.period_from is None or arguments.period_to is None:
        raise BadInput(problem=worded("a review has a period: --from and --to"), where="--from")
    review = services.hold_review(
        actor=actor,
        agency_id=_agency(actor, arguments.agency).id,
        period_from=arguments.period_from,
        period_to=arguments.period_to,
        findings=arguments.findings,
        actions=arguments.actions,
        alert_id=arguments.alert,
        at=clock.now(),
    )
    cli.show(
        arguments,
        {"review": review},
        worded("review %(review)s is held; its figures are frozen", review=review),
    )
    return 0
