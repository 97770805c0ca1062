"""`weituo model train | promote | list | show`."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli.words import worded

HORIZON_WEEKS_MAX = 260


def add_verbs(verbs: Any) -> None:
    """Add `model`."""
    model = verbs.add_parser("model", help="models of expected recovery").add_subparsers(
        dest="what", required=True
    )
    train = cli.common(model.add_parser("train", help="train on a cohort of placed accounts with outcomes"))
    train.add_argument("cohort", type=Path, nargs="?", help="CSV or Parquet: registry columns, paid_fraction")
    train.add_argument("--invented", type=int, metavar="N", help="train on N invented accounts instead")
    train.add_argument(
        "--from-placements",
        action="store_true",
        help="train on this book's own placements and the money booked since",
    )
    train.add_argument(
        "--horizon-weeks",
        type=int,
        default=26,
        metavar="N",
        help="weeks after placement within which money counts",
    )
    train.add_argument("--seed", type=int, default=7)
    train.set_defaults(run=_train)
    promote = cli.common(model.add_parser("promote", help="put a version in use"))
    promote.add_argument("model", help="version or id")
    promote.set_defaults(run=_promote)
    cli.common(model.add_parser("list", help="list models")).set_defaults(run=_models)
    card = cli.common(model.add_parser("show", help="show a model's card: metrics and calibration"))
    card.add_argument("model", help="version or id")
    card.set_defaults(run=_model)


def _model_id(actor: Any, named: str) -> UUID:
    from weituo.domain.placement import errors, queries

    for row in queries.models(actor):
        if named.removeprefix("v") == str(row["version"]) or named == str(row["id"]):
            return UUID(str(row["id"]))
    raise errors.ModelNotFound(what="model", where=named)


def _cohort(arguments: argparse.Namespace, *, at: datetime) -> tuple[Any, str]:
    """Give the cohort and where it comes from: the book's own placements, a file, or invention."""
    from weituo.domain.evaluation import queries as evaluation
    from weituo.domain.placement import cohorts
    from weituo.foundation.errors import BadInput

    given = (arguments.cohort is not None, arguments.invented is not None, arguments.from_placements)
    if sum(given) != 1:
        raise BadInput(
            problem=worded("name a cohort file, or give --from-placements or --invented N"), where="cohort"
        )
    if not 1 <= arguments.horizon_weeks <= HORIZON_WEEKS_MAX:
        raise BadInput(
            problem=worded("a horizon has 1 to %(most)s weeks", most=HORIZON_WEEKS_MAX),
            where="--horizon-weeks",
        )
    if arguments.from_placements:
        weeks = arguments.horizon_weeks
        return evaluation.cohort_frame(cli.actor_of(arguments), at=at, horizon_weeks=weeks), "PLACEMENTS"
    if arguments.invented is not None:
        return _invented(arguments, at=at), "INVENTED"
    return cohorts.read(arguments.cohort), "FILE"


def _invented(arguments: argparse.Namespace, *, at: datetime) -> Any:
    from weituo.core.twin import history
    from weituo.core.twin.book import MAX_ACCOUNTS
    from weituo.foundation import days
    from weituo.foundation.errors import BadInput

    try:
        return history.generate(
            accounts=arguments.invented, seed=arguments.seed, placed_on=days.day_of(at) - timedelta(weeks=27)
        )
    except ValueError as wrong:
        raise BadInput(
            problem=worded("1 to %(most)s accounts can be invented", most=f"{MAX_ACCOUNTS:,}"),
            where="--invented",
        ) from wrong


def _train(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    at = clock.now()
    cohort, source = _cohort(arguments, at=at)
    trained = services.train_model(
        actor=cli.actor_of(arguments), cohort=cohort, seed=arguments.seed, at=at, source=source,
        horizon_weeks=arguments.horizon_weeks,
    )  # fmt: skip
    body = {"model": trained.model_id, "version": trained.version, "metrics": trained.metrics}
    cli.show(
        arguments,
        body,
        worded(
            "version %(version)s: %(metrics)s",
            version=trained.version,
            metrics=_metrics_text(trained.metrics),
        ),
    )
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
    cli.show(
        arguments,
        {"model": model_id, "state": "PROMOTED"},
        worded("model %(model)s is in use", model=arguments.model),
    )
    return 0


def _models(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import queries

    rows = queries.models(cli.actor_of(arguments))
    text = "\n".join(
        f"v{row['version']:<4} {row['state']:<9} {row['trained_at']:%Y-%m-%d} {_metrics_text(row['metrics'])}"
        for row in rows
    )
    cli.show(
        arguments, {"models": rows}, text or worded("no models yet: train one with `weituo model train`")
    )
    return 0


def _model(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import queries

    actor = cli.actor_of(arguments)
    found = queries.model(actor, model_id=_model_id(actor, arguments.model))
    lines = [f"v{found['version']} {found['state']}: {_metrics_text(found['metrics'])}"]
    lines += [
        worded(
            "predicted %(mean_predicted)s observed %(observed)s [%(low)s, %(high)s] n %(n)s",
            mean_predicted=f"{row['mean_predicted']:.3f}",
            observed=f"{row['observed']:.3f}",
            low=f"{row['low']:.3f}",
            high=f"{row['high']:.3f}",
            n=f"{row['n']:,}",
        )
        for row in found["calibration"].get("reliability", [])
    ]
    cli.show(arguments, {"model": found}, "\n".join(lines))
    return 0
