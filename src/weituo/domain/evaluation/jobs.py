"""Long work of evaluation: comparing all agencies of a period, and learning from what came of placements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from django.conf import settings

from weituo.core.twin import history
from weituo.domain.evaluation import queries, services
from weituo.domain.placement import cohorts
from weituo.domain.placement import services as placement
from weituo.domain.placement.errors import CohortRefused
from weituo.foundation import days
from weituo.foundation.files import uploads
from weituo.foundation.jobs import kinds
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

EVALUATE = "evaluation.evaluate"
#: stands here because the outcomes that a model learns from are known here
TRAIN = "evaluation.train"
HORIZON_WEEKS_MAX = 104
INVENTED_MAX = 50_000


def _evaluate(actor: Actor, at: datetime, arguments: Mapping[str, Any]) -> str:
    made = services.evaluate(
        actor=actor,
        period_from=date.fromisoformat(arguments["period_from"]),
        period_to=date.fromisoformat(arguments["period_to"]),
        at=at,
    )
    return str(made)


def _train(actor: Actor, at: datetime, arguments: Mapping[str, Any]) -> str:
    trained = placement.train_model(
        actor=actor,
        cohort=_cohort(actor, at, arguments),
        seed=arguments["seed"],
        at=at,
        source=arguments["source"],
        horizon_weeks=arguments["horizon_weeks"],
    )
    return str(trained.model_id)


def _cohort(actor: Actor, at: datetime, arguments: Mapping[str, Any]) -> pl.DataFrame:
    """Give what is learnt from: the book's own placements, a file that was sent, or in the demonstration invention."""
    weeks = arguments["horizon_weeks"]
    if not 1 <= weeks <= HORIZON_WEEKS_MAX:
        raise CohortRefused(
            problem=worded("a horizon has 1 to %(most)s weeks", most=HORIZON_WEEKS_MAX), where="horizon_weeks"
        )
    if arguments["source"] == "PLACEMENTS":
        return queries.cohort_frame(actor, at=at, horizon_weeks=weeks)
    if arguments["source"] == "FILE":
        return cohorts.read(uploads.path_of(arguments["file"]))
    if not settings.WEITUO_DEMO or not 0 < arguments["invented"] <= INVENTED_MAX:
        raise CohortRefused(
            problem=worded(
                "a model learns from invented accounts in the demonstration only, from at most %(most)s",
                most=f"{INVENTED_MAX:,}",
            ),
            where="invented",
        )
    # placed so long ago that every outcome is known
    placed_on = days.day_of(at) - timedelta(weeks=weeks + 1)
    return history.generate(accounts=arguments["invented"], seed=arguments["seed"], placed_on=placed_on)


def _tidy(arguments: Mapping[str, Any]) -> None:
    if arguments.get("file"):
        uploads.remove(arguments["file"])


kinds.declare(
    kinds.Kind(
        name=EVALUATE,
        permission="evaluation.evaluate",
        act="evaluation.evaluate",
        what="evaluation",
        work=_evaluate,
    )
)
kinds.declare(
    kinds.Kind(
        name=TRAIN,
        permission="placement.train",
        act="placement.train_model",
        what="model",
        work=_train,
        tidy=_tidy,
    )
)
