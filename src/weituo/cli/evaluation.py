"""`weituo evaluation run | list | show | replay | decide | decisions | business-case`."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli.reading import money_text


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
    lines = [f"{found['period_from']} – {found['period_to']}, evaluation {found['id']}"]
    for card in found["scorecards"]:
        figures = card["figures"]
        fair = figures["fair_net"]
        lines.append(
            f"{card['agency_code']:<10} {card['verdict']:<21} rank {card['rank_low']}–{card['rank_high']}  "
            f"net {_percent(fair['value'])} [{_percent(fair['low'])}, {_percent(fair['high'])}] on {figures['placements']:,} placements  "
            f"recovered {money_text(figures['recovered_minor'], figures['currency'])}  commission {money_text(figures['commission_minor'], figures['currency'])}  "
            f"complaints per 1,000: {_plain(figures['complaints_per_1000']['value'])}"
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
        f"{row['period_from']} – {row['period_to']}: {row['better']} better, {row['worse']} worse, {row['undecided']} cannot be told apart, "
        f"{row['too_early']} too early {row['id']}"
        for row in rows
    )
    cli.show(
        arguments, {"evaluations": rows}, text or "no evaluation yet: make one with `weituo evaluation run`"
    )
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from weituo.domain.evaluation import queries

    found = queries.replay(cli.actor_of(arguments), evaluation_id=arguments.evaluation)
    text = (
        "the same rows give the same verdicts"
        if found["same_inputs"] and found["same_verdicts"]
        else f"inputs {'as before' if found['same_inputs'] else 'have changed'}; verdicts that differ: {len(found['differences'])}"
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
        arguments, {"decision": made, "kind": arguments.decision}, f"decided: {arguments.decision} {made}"
    )
    return 0


def _decisions(arguments: argparse.Namespace) -> int:
    from weituo.domain.evaluation import queries

    rows = queries.decisions(cli.actor_of(arguments))
    text = "\n".join(
        f"{row['decided_at']:%Y-%m-%d} {row['agency_code']:<10} {row['decision']:<9} on {row['verdict']}: {row['reason']}"
        for row in rows
    )
    cli.show(arguments, {"decisions": rows}, text or "nothing was decided yet")
    return 0


def _business_case(arguments: argparse.Namespace) -> int:
    from weituo.domain.evaluation import queries

    found = queries.business_case(
        cli.actor_of(arguments), period_from=arguments.period_from, period_to=arguments.period_to
    )
    lines = [
        f"{row['currency']}: {row['accounts']:,} overdue accounts, {money_text(row['balance_minor'], row['currency'])}; over 90 days {money_text(row['npl_balance_minor'], row['currency'])} ({_percent(row['npl_share'])})"
        for row in found["book"]
    ]
    lines += [
        f"{row.get('bucket', 'all'):<8} {row['way']:<9} {row['n']:>7,} accounts  recovered {money_text(row['recovered_minor'], row['currency']):>20}  cost {money_text(row['cost_minor'], row['currency']):>18}  "
        f"cost to collect {_percent(row['cost_to_collect']):>8}  net {money_text(row['net_minor'], row['currency']):>20}"
        for row in [*found["by_bucket"], *found["total"]]
    ]
    cli.show(arguments, found, "\n".join(lines) or "no account yet: import a book first")
    return 0
