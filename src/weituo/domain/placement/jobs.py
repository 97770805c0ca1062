"""Long work of placement: solving a run, training a model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings

from weituo.core.twin import history
from weituo.domain.placement import cohorts, services
from weituo.domain.placement.errors import CohortRefused
from weituo.foundation import days
from weituo.foundation.files import uploads
from weituo.foundation.jobs import kinds
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

SOLVE = "placement.solve"
TRAIN = "placement.train"
#: weeks after placement by which the outcome of an invented past is known
PAST_WEEKS = 27
INVENTED_MAX = 50_000


def _solve(actor: Actor, at: datetime, arguments: Mapping[str, Any]) -> str:
    run_id = services.solve_run(
        actor=actor,
        seed=arguments["seed"],
        at=at,
        as_of=date.fromisoformat(arguments["as_of"]),
        exploration=arguments["exploration"],
        limits=arguments["limits"],
    )
    return str(run_id)


def _train(actor: Actor, at: datetime, arguments: Mapping[str, Any]) -> str:
    if arguments.get("file"):
        cohort = cohorts.read(uploads.path_of(arguments["file"]))
    elif settings.WEITUO_DEMO and 0 < arguments.get("invented", 0) <= INVENTED_MAX:
        cohort = history.generate(
            accounts=arguments["invented"],
            seed=arguments["seed"],
            placed_on=days.day_of(at) - timedelta(weeks=PAST_WEEKS),
        )
    else:
        raise CohortRefused(problem=worded("a model learns from invented accounts in the demonstration only"))
    trained = services.train_model(actor=actor, cohort=cohort, seed=arguments["seed"], at=at)
    return str(trained.model_id)


def _tidy(arguments: Mapping[str, Any]) -> None:
    if arguments.get("file"):
        uploads.remove(arguments["file"])


kinds.declare(
    kinds.Kind(name=SOLVE, permission="placement.solve", act="placement.solve_run", what="run", work=_solve)
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
