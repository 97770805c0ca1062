"""`weituo placement run | propose | approve | reject | list | show | replay | recall | explain | left-out | held-out`."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from weituo.cli import answers, left_out, models
from weituo.cli import face as cli
from weituo.cli.reading import id_of_run, money_text, read_settings
from weituo.cli.words import worded


def add_verbs(verbs: Any) -> None:
    """Add `placement`, and `model` after it."""
    placement = verbs.add_parser(
        "placement", help="decide which account goes to which agency; recall accounts"
    ).add_subparsers(dest="what", required=True)
    run = cli.common(placement.add_parser("run", help="solve a run: assignment, proof, comparison"))
    run.add_argument("--seed", type=int, default=7, help="seed of the draw (default: 7)")
    run.add_argument("--exploration", type=float, default=0.05, help="share placed by chance (default: 0.05)")
    run.add_argument("--as-of", type=date.fromisoformat, help="day of the run (default: today)")
    run.add_argument("--limits", type=Path, metavar="FILE", help="limits and prices, TOML or JSON")
    run.add_argument("--hold-out", type=float, default=0.0, help="share of each bucket that goes to no agency (default: 0)")  # fmt: skip
    run.add_argument(
        "--least-chance", type=float, default=0.05,
        help="of every agency open to an account that is left to chance (default: 0.05)",
    )  # fmt: skip
    run.add_argument("--hold-out-kind", default="IN_HOUSE", help="IN_HOUSE or LEFT_ALONE (default: IN_HOUSE)")
    run.add_argument("--hold-out-months", type=int, default=6, help="for how long (default: 6)")
    run.set_defaults(run=_run)
    _on_run(placement, "propose", "ask a second person to decide a run", _propose)
    approve = _on_run(placement, "approve", "approve a proposed run: its accounts are placed", _approve)
    approve.add_argument("--reason", default="", help="note for the record")
    approve.add_argument("--months", type=int, default=6, help="term of the placements (default: 6)")
    _on_run(placement, "reject", "reject a proposed run", _reject).add_argument("--reason", required=True)
    cli.common(placement.add_parser("list", help="list runs")).set_defaults(run=_list)
    _on_run(placement, "show", "show a run: money, bound, limits, agencies", _show)
    _on_run(placement, "replay", "solve a run again from what was kept and compare", _replay)
    explain = _on_run(placement, "explain", "say why an account goes where it goes", _explain)
    explain.add_argument("account", type=UUID, help="account id")
    left_out.add_verbs(placement, run_id=id_of_run)
    recall = cli.common(placement.add_parser("recall", help="take placements back at once"))
    recall.add_argument("cases", nargs="+", metavar="CASE", help="case references or placement ids")
    recall.add_argument("--reason", required=True, help="coded reason; an unknown one lists those that exist")
    recall.set_defaults(run=_recall)
    expire = cli.common(placement.add_parser("expire", help="end placements whose term is over"))
    expire.set_defaults(run=_expire)
    answers.add_verbs(placement)
    models.add_verbs(verbs)


def _on_run(placement: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    verb = cli.common(placement.add_parser(name, help=text))
    verb.add_argument("number", metavar="RUN", help="number or id of the run")
    verb.set_defaults(run=run)
    return verb


def _run(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import queries, services
    from weituo.foundation import clock, days

    actor, at = cli.actor_of(arguments), clock.now()
    run_id = services.solve_run(
        actor=actor,
        seed=arguments.seed,
        at=at,
        as_of=arguments.as_of or days.day_of(at),
        exploration=arguments.exploration,
        limits=read_settings(arguments.limits) if arguments.limits else {},
        hold_out=arguments.hold_out,
        hold_out_kind=arguments.hold_out_kind,
        least_chance=arguments.least_chance,
        hold_out_months=arguments.hold_out_months,
    )
    found = queries.run(actor, run_id=run_id)
    cli.show(arguments, {"run": found}, _run_text(found))
    return 0


def _run_text(run: dict[str, Any]) -> str:
    net, bound, currency = run["expected_net_minor"], run["bound_minor"], run["currency"]
    lines = [
        worded(
            "run %(number)s %(state)s: %(accounts)s accounts, %(balance)s",
            number=run["number"],
            state=run["state"],
            accounts=f"{run['accounts']:,}",
            balance=money_text(run["balance_minor"], currency),
        ),
        worded(
            "expected net %(net)s, at most possible %(bound)s, gap %(gap)s",
            net=money_text(net, currency),
            bound=money_text(bound, currency),
            gap=f"{1 - net / bound if bound else 0:.3%}",
        ),
        worded(
            "all kept in-house %(kept)s; drawn by chance %(drawn)s",
            kept=money_text(run["proof"].get("all_in_house_minor", 0), currency),
            drawn=f"{run['proof'].get('explored', 0):,}",
        ),
    ]
    lines += [
        worded(
            "%(name)s %(expected_net)s, limits broken %(broken)s",
            name=f"{name:<12}",
            expected_net=money_text(rival["expected_net_minor"], currency),
            broken=len(rival["broken"]),
        )
        for name, rival in sorted(run["rivals"].items())
    ]
    lines += [
        worded(
            "%(code)s %(accounts)s accounts %(balance)s net %(expected_net)s %(binding)s",
            code=f"{row['code'] or worded('in-house'):<12}",
            accounts=f"{row['accounts']:>7,}",
            balance=f"{money_text(row['balance_minor'], currency):>22}",
            expected_net=f"{money_text(row['expected_net_minor'], currency):>20}",
            binding=" ".join(row["binding"]),
        )
        for row in run.get("by_agency", [])
    ]
    lines += [
        worded("left out: %(reason)s %(count)s", reason=reason, count=f"{count:,}")
        for reason, count in sorted(run["exclusions"].items())
    ]
    told = run["proof"].get("hold_out") or {}
    if told.get("share"):
        lines.append(
            worded(
                "held out: %(accounts)s accounts (%(kind)s, %(share)s of each bucket), at the price of %(cost)s",
                accounts=f"{told['accounts']:,}",
                kind=told["kind"],
                share=f"{told['share']:.2%}",
                cost=money_text(told["cost_minor"], currency),
            )
        )
    lines += [
        worded(
            "kept from %(code)s: %(accounts)s accounts (%(why)s)",
            code=row["code"],
            accounts=f"{row['accounts']:,}",
            why=row["why"],
        )
        for row in run["proof"].get("barred", [])
    ]
    return "\n".join(lines)


def _propose(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    run_id = id_of_run(actor, arguments.number)
    services.propose_run(actor=actor, run_id=run_id, at=clock.now())
    cli.show(
        arguments,
        {"run": run_id, "state": "PROPOSED"},
        worded("run %(number)s waits for a second person", number=arguments.number),
    )
    return 0


def _approve(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    run_id = id_of_run(actor, arguments.number)
    placed = services.decide_run(
        actor=actor,
        run_id=run_id,
        approved=True,
        reason=arguments.reason,
        at=clock.now(),
        term_months=arguments.months,
    )
    cli.show(
        arguments,
        {"run": run_id, "state": "APPROVED", "placements": placed},
        worded("%(placed)s accounts placed", placed=f"{placed:,}"),
    )
    return 0


def _reject(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    run_id = id_of_run(actor, arguments.number)
    services.decide_run(actor=actor, run_id=run_id, approved=False, reason=arguments.reason, at=clock.now())
    cli.show(
        arguments,
        {"run": run_id, "state": "REJECTED"},
        worded("run %(number)s is rejected", number=arguments.number),
    )
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import queries

    rows = queries.runs(cli.actor_of(arguments))
    text = "\n".join(
        worded(
            "%(number)s %(state)s %(as_of)s %(accounts)s accounts, expected net %(expected_net)s, placed %(placements)s",
            number=f"{row['number']:>4}",
            state=f"{row['state']:<9}",
            as_of=row["as_of"],
            accounts=f"{row['accounts']:>9,}",
            expected_net=money_text(row["expected_net_minor"], row["currency"]),
            placements=f"{row['placements']:,}",
        )
        for row in rows
    )
    cli.show(arguments, {"runs": rows}, text or worded("no runs yet: solve one with `weituo placement run`"))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import queries

    actor = cli.actor_of(arguments)
    found = queries.run(actor, run_id=id_of_run(actor, arguments.number))
    cli.show(arguments, {"run": found}, _run_text(found))
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import queries

    actor = cli.actor_of(arguments)
    told = queries.replay(actor, run_id=id_of_run(actor, arguments.number))
    words = [
        f"{name.removesuffix('_same')} {worded('same') if told[name] else worded('DIFFERENT')}"
        for name in sorted(told)
        if name.endswith("_same")
    ]
    cli.show(arguments, told, f"{', '.join(words)}: {told['replayed_digest']}")
    return 0 if told["same"] else 1


def _explain(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import queries

    actor = cli.actor_of(arguments)
    told = queries.explain(actor, run_id=id_of_run(actor, arguments.number), account_id=arguments.account)
    currency = told["currency"]
    lines = [
        worded(
            "%(chosen)s%(explored)s, probability %(probability)s; in-house is worth %(in_house)s",
            chosen=told["chosen"] or worded("in-house"),
            explored=worded(" by chance") if told["explored"] else "",
            probability=f"{told['probability']:.4f}",
            in_house=money_text(told["in_house_minor"], currency),
        )
    ]
    lines += [
        worded(
            "%(code)s %(why_not)s recovery %(expected)s commission %(commission)s net %(net)s above in-house %(value)s limits %(limits)s margin %(margin)s",
            code=f"{choice['code']:<12}",
            why_not=f"{choice['why_not'] or worded('eligible'):<14}",
            expected=money_text(choice["expected_minor"], currency),
            commission=money_text(choice["commission_minor"], currency),
            net=money_text(choice["net_minor"], currency),
            value=money_text(choice["value_minor"], currency),
            limits=money_text(choice["limits_minor"], currency),
            margin=money_text(choice["margin_minor"], currency),
        )
        for choice in told["choices"]
    ]
    cli.show(arguments, told, "\n".join(lines))
    return 0


def _recall(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import errors, queries, services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    if arguments.reason not in services.RECALL_REASONS:
        cli.say(worded("reasons: %(recall_reasons)s", recall_reasons=" ".join(services.RECALL_REASONS)))
    placed = queries.placements_frame(actor).select("placement_id", "case_ref").to_dicts()
    known = {row["case_ref"]: row["placement_id"] for row in placed} | {
        row["placement_id"]: row["placement_id"] for row in placed
    }
    missing = next((case for case in arguments.cases if case not in known), None)
    if missing is not None:
        raise errors.PlacementNotFound(what="placement", where=missing)
    ended = services.recall(
        actor=actor,
        placement_ids=[UUID(known[case]) for case in arguments.cases],
        reason=arguments.reason,
        at=clock.now(),
    )
    cli.show(arguments, {"recalled": ended}, worded("%(ended)s placements recalled", ended=f"{ended:,}"))
    return 0


def _expire(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    ended = services.expire_placements(actor=cli.actor_of(arguments), at=clock.now())
    cli.show(arguments, {"expired": ended}, worded("%(ended)s placements ended", ended=f"{ended:,}"))
    return 0
