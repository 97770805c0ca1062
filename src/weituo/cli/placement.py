"""`weituo placement run | propose | approve | reject | list | show | replay | recall | explain` and `weituo model …`."""

from __future__ import annotations

import argparse
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli.reading import money_text, read_settings


def add_verbs(verbs: Any) -> None:
    """Add `placement` and `model`."""
    placement = verbs.add_parser(
        "placement", help="decide which account goes to which agency; recall accounts"
    ).add_subparsers(dest="what", required=True)
    run = cli.common(placement.add_parser("run", help="solve a run: assignment, proof, comparison"))
    run.add_argument("--seed", type=int, default=7, help="seed of the draw (default: 7)")
    run.add_argument("--exploration", type=float, default=0.05, help="share placed by chance (default: 0.05)")
    run.add_argument("--as-of", type=date.fromisoformat, help="day of the run (default: today)")
    run.add_argument("--limits", type=Path, metavar="FILE", help="limits and prices, TOML or JSON")
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
    recall = cli.common(placement.add_parser("recall", help="take placements back"))
    recall.add_argument("cases", nargs="+", metavar="CASE", help="case references or placement ids")
    recall.add_argument("--reason", required=True, help="coded reason; an unknown one lists those that exist")
    recall.set_defaults(run=_recall)
    expire = cli.common(placement.add_parser("expire", help="end placements whose term is over"))
    expire.set_defaults(run=_expire)

    model = verbs.add_parser("model", help="models of expected recovery").add_subparsers(
        dest="what", required=True
    )
    train = cli.common(model.add_parser("train", help="train on a cohort of placed accounts with outcomes"))
    train.add_argument("cohort", type=Path, nargs="?", help="CSV or Parquet: registry columns, paid_fraction")
    train.add_argument("--invented", type=int, metavar="N", help="train on N invented accounts instead")
    train.add_argument("--seed", type=int, default=7)
    train.set_defaults(run=_train)
    promote = cli.common(model.add_parser("promote", help="put a version in use"))
    promote.add_argument("model", help="version or id")
    promote.set_defaults(run=_promote)
    cli.common(model.add_parser("list", help="list models")).set_defaults(run=_models)
    card = cli.common(model.add_parser("show", help="show a model's card: metrics and calibration"))
    card.add_argument("model", help="version or id")
    card.set_defaults(run=_model)


def _on_run(placement: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    verb = cli.common(placement.add_parser(name, help=text))
    verb.add_argument("number", metavar="RUN", help="number or id of the run")
    verb.set_defaults(run=run)
    return verb


def _run_id(actor: Any, named: str) -> UUID:
    from weituo.domain.placement import errors, queries

    for row in queries.runs(actor):
        if named in {str(row["number"]), str(row["id"])}:
            return UUID(str(row["id"]))
    raise errors.RunNotFound(what="run", where=named)


def _model_id(actor: Any, named: str) -> UUID:
    from weituo.domain.placement import errors, queries

    for row in queries.models(actor):
        if named.removeprefix("v") == str(row["version"]) or named == str(row["id"]):
            return UUID(str(row["id"]))
    raise errors.ModelNotFound(what="model", where=named)


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
    )
    found = queries.run(actor, run_id=run_id)
    cli.show(arguments, {"run": found}, _run_text(found))
    return 0


def _run_text(run: dict[str, Any]) -> str:
    net, bound, currency = run["expected_net_minor"], run["bound_minor"], run["currency"]
    lines = [
        f"run {run['number']} {run['state']}: {run['accounts']:,} accounts, {money_text(run['balance_minor'], currency)}",
        f"expected net {money_text(net, currency)}, at most possible {money_text(bound, currency)}, gap {(1 - net / bound if bound else 0):.3%}",
        f"all kept in-house {money_text(run['proof'].get('all_in_house_minor', 0), currency)}; drawn by chance {run['proof'].get('explored', 0):,}",
    ]
    lines += [
        f"{name:<12} {money_text(rival['expected_net_minor'], currency)}, limits broken {len(rival['broken'])}"
        for name, rival in sorted(run["rivals"].items())
    ]
    lines += [
        f"{row['code'] or 'in-house':<12} {row['accounts']:>7,} accounts {money_text(row['balance_minor'], currency):>22} net "
        f"{money_text(row['expected_net_minor'], currency):>20} {' '.join(row['binding'])}"
        for row in run.get("by_agency", [])
    ]
    lines += [f"left out: {reason} {count:,}" for reason, count in sorted(run["exclusions"].items())]
    return "\n".join(lines)


def _propose(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    run_id = _run_id(actor, arguments.number)
    services.propose_run(actor=actor, run_id=run_id, at=clock.now())
    cli.show(
        arguments, {"run": run_id, "state": "PROPOSED"}, f"run {arguments.number} waits for a second person"
    )
    return 0


def _approve(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    run_id = _run_id(actor, arguments.number)
    placed = services.decide_run(
        actor=actor,
        run_id=run_id,
        approved=True,
        reason=arguments.reason,
        at=clock.now(),
        term_months=arguments.months,
    )
    cli.show(
        arguments, {"run": run_id, "state": "APPROVED", "placements": placed}, f"{placed:,} accounts placed"
    )
    return 0


def _reject(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    run_id = _run_id(actor, arguments.number)
    services.decide_run(actor=actor, run_id=run_id, approved=False, reason=arguments.reason, at=clock.now())
    cli.show(arguments, {"run": run_id, "state": "REJECTED"}, f"run {arguments.number} is rejected")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import queries

    rows = queries.runs(cli.actor_of(arguments))
    text = "\n".join(
        f"{row['number']:>4} {row['state']:<9} {row['as_of']} {row['accounts']:>9,} accounts, expected net "
        f"{money_text(row['expected_net_minor'], row['currency'])}, placed {row['placements']:,}"
        for row in rows
    )
    cli.show(arguments, {"runs": rows}, text or "no runs yet: solve one with `weituo placement run`")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import queries

    actor = cli.actor_of(arguments)
    found = queries.run(actor, run_id=_run_id(actor, arguments.number))
    cli.show(arguments, {"run": found}, _run_text(found))
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import queries

    actor = cli.actor_of(arguments)
    told = queries.replay(actor, run_id=_run_id(actor, arguments.number))
    words = [
        f"{name.removesuffix('_same')} {'same' if told[name] else 'DIFFERENT'}"
        for name in sorted(told)
        if name.endswith("_same")
    ]
    cli.show(arguments, told, f"{', '.join(words)}: {told['replayed_digest']}")
    return 0 if told["same"] else 1


def _explain(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import queries

    actor = cli.actor_of(arguments)
    told = queries.explain(actor, run_id=_run_id(actor, arguments.number), account_id=arguments.account)
    currency = told["currency"]
    lines = [
        f"{told['chosen'] or 'in-house'}{' by chance' if told['explored'] else ''}, probability {told['probability']:.4f}; "
        f"in-house is worth {money_text(told['in_house_minor'], currency)}"
    ]
    lines += [
        f"{choice['code']:<12} {choice['why_not'] or 'eligible':<14} recovery {money_text(choice['expected_minor'], currency)} commission "
        f"{money_text(choice['commission_minor'], currency)} net {money_text(choice['net_minor'], currency)} above in-house "
        f"{money_text(choice['value_minor'], currency)} limits {money_text(choice['limits_minor'], currency)} margin {money_text(choice['margin_minor'], currency)}"
        for choice in told["choices"]
    ]
    cli.show(arguments, told, "\n".join(lines))
    return 0


def _recall(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import errors, queries, services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    if arguments.reason not in services.RECALL_REASONS:
        cli.say(f"reasons: {' '.join(services.RECALL_REASONS)}")
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
    cli.show(arguments, {"recalled": ended}, f"{ended:,} placements recalled")
    return 0


def _expire(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    ended = services.expire_placements(actor=cli.actor_of(arguments), at=clock.now())
    cli.show(arguments, {"expired": ended}, f"{ended:,} placements ended")
    return 0


def _cohort(arguments: argparse.Namespace, *, at: datetime) -> Any:
    """Read the cohort file, or invent one."""
    import polars as pl

    from weituo.core.recovery.features import FEATURES
    from weituo.core.twin import history
    from weituo.core.twin.book import MAX_ACCOUNTS
    from weituo.foundation import days
    from weituo.foundation.errors import BadInput
    from weituo.foundation.texts import worded

    if (arguments.cohort is None) == (arguments.invented is None):
        raise BadInput(problem=worded("name a cohort file or give --invented N"), where="cohort")
    if arguments.cohort is None:
        try:
            return history.generate(
                accounts=arguments.invented,
                seed=arguments.seed,
                placed_on=days.day_of(at) - timedelta(weeks=27),
            )
        except ValueError as wrong:
            raise BadInput(
                problem=worded("1 to %(most)s accounts can be invented", most=f"{MAX_ACCOUNTS:,}"),
                where="--invented",
            ) from wrong
    types = {feature.name: feature.dtype for feature in FEATURES} | {"paid_fraction": pl.Float64()}
    try:
        if arguments.cohort.suffix == ".parquet":
            return pl.read_parquet(arguments.cohort)
        return pl.read_csv(arguments.cohort, schema_overrides=types)
    except (OSError, pl.exceptions.PolarsError) as wrong:
        raise BadInput(
            problem=worded("it is no table: %(fault)s", fault=str(wrong).split("\n")[0]),
            where=str(arguments.cohort),
        ) from wrong


def _train(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    at = clock.now()
    trained = services.train_model(
        actor=cli.actor_of(arguments), cohort=_cohort(arguments, at=at), seed=arguments.seed, at=at
    )
    body = {"model": trained.model_id, "version": trained.version, "metrics": trained.metrics}
    cli.show(arguments, body, f"version {trained.version}: {_metrics_text(trained.metrics)}")
    return 0


def _metrics_text(metrics: dict[str, Any]) -> str:
    names = ("n", "base_rate", "auc", "brier", "brier_baseline", "calibration_slope", "money_ratio", "r2")
    return ", ".join(f"{name} {metrics[name]:,.4g}" for name in names if metrics.get(name) is not None)


def _promote(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    model_id = _model_id(actor, arguments.model)
    services.promote_model(actor=actor, model_id=model_id, at=clock.now())
    cli.show(arguments, {"model": model_id, "state": "PROMOTED"}, f"model {arguments.model} is in use")
    return 0


def _models(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import queries

    rows = queries.models(cli.actor_of(arguments))
    text = "\n".join(
        f"v{row['version']:<4} {row['state']:<9} {row['trained_at']:%Y-%m-%d} {_metrics_text(row['metrics'])}"
        for row in rows
    )
    cli.show(arguments, {"models": rows}, text or "no models yet: train one with `weituo model train`")
    return 0


def _model(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import queries

    actor = cli.actor_of(arguments)
    found = queries.model(actor, model_id=_model_id(actor, arguments.model))
    lines = [f"v{found['version']} {found['state']}: {_metrics_text(found['metrics'])}"]
    lines += [
        f"predicted {row['mean_predicted']:.3f} observed {row['observed']:.3f} [{row['low']:.3f}, {row['high']:.3f}] n {row['n']:,}"
        for row in found["calibration"].get("reliability", [])
    ]
    cli.show(arguments, {"model": found}, "\n".join(lines))
    return 0
