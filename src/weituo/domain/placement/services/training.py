"""Training a model of expected recovery, and putting one in use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import numpy as np
import polars as pl

from weituo.core.recovery import drift, features, model, validation
from weituo.domain.placement import telling
from weituo.domain.placement.errors import CohortRefused, ModelNotFound, ModelPromoted
from weituo.domain.placement.models import RecoveryModelVersion
from weituo.foundation import locks
from weituo.foundation.acts import act, note
from weituo.foundation.files.places import place
from weituo.foundation.ids import new_id
from weituo.foundation.jobs import progress
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

#: share of the cohort that the model never sees and is judged on
HELD_OUT: Final = 0.25
ROWS_MIN: Final = 300
#: weeks after placement within which money counts as recovered
HORIZON_WEEKS: Final = 26
#: placements of this book with booked money, a file of the lender's, or invented accounts
SOURCES: Final = ("PLACEMENTS", "FILE", "INVENTED")
#: parts of the work, as a waiting person is told
STEPS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A trained version; metrics on held-out accounts as in `queries.model`."""

    model_id: UUID
    version: int
    metrics: dict[str, Any]


@act("placement.train_model", permission="placement.train")
def train_model(
    *, actor: Actor, cohort: pl.DataFrame, seed: int, at: datetime, source: str = "FILE", horizon_weeks: int = HORIZON_WEEKS
) -> TrainedModel:  # fmt: skip
    """Learn from a cohort of placed accounts with known outcomes, and judge the model on a quarter it has not seen.

    cohort: the columns of `core.recovery.features.FEATURES` and paid_fraction (recovered / balance at placement, 0 to 1);
    other columns are left alone. source (`SOURCES`) and horizon_weeks say where the outcomes come from. Same cohort and seed: the version that stands already is given, nothing is trained
    twice. Raises `CohortRefused`.
    """
    if source not in SOURCES:
        raise CohortRefused(problem=worded("unknown source %(name)s", name=source), where="source")
    known, outcome = _checked(cohort)
    order = np.random.default_rng(seed).permutation(known.height)
    held, learned = (
        np.sort(order[: int(known.height * HELD_OUT)]),
        np.sort(order[int(known.height * HELD_OUT) :]),
    )
    inputs = model.inputs_digest(frame=known, paid_fraction=outcome)
    locks.lock(keys=["placement:models"])
    versions = model.versions()
    for stood in RecoveryModelVersion.objects.filter(inputs_digest=inputs, seed=seed):
        if stood.metrics.get("versions") == versions and place("models", stood.artefact).exists():
            return TrainedModel(model_id=stood.id, version=stood.version, metrics=stood.metrics)
    try:
        progress.tell(0, STEPS, worded("The model learns"))
        fitted = model.RecoveryModel(seed=seed, horizon_weeks=horizon_weeks).fit(
            frame=known[learned], paid_fraction=outcome[learned]
        )
        progress.tell(1, STEPS, worded("The model is judged on accounts it has not seen"))
        judged = validation.evaluate(model=fitted, frame=known[held], paid_fraction=outcome[held])
    except model.ModelError as wrong:
        raise CohortRefused(problem=telling.fault(wrong)) from wrong
    artefact = fitted.to_bytes()
    digest = model.artefact_digest(artefact=artefact)
    name = f"recovery-{digest[:16]}.model"
    _keep(name, artefact)
    metrics = _metrics(judged) | {
        "trained_rows": len(learned),
        "cohort_rows": known.height,
        "versions": versions,
    }
    version = 1 + (
        RecoveryModelVersion.objects.order_by("-version").values_list("version", flat=True).first() or 0
    )
    stored = RecoveryModelVersion.objects.create(
        id=new_id(), version=version, trained_at=at, trained_by=actor.id, artefact=name, artefact_digest=digest,
        inputs_digest=inputs, seed=seed, metrics=metrics, calibration=_calibration(judged) | {"profile": drift.profile(frame=known[learned])},
        parameters={"horizon_weeks": fitted.horizon_weeks, "calibration": fitted.calibration_, "held_out": HELD_OUT, "source": source},
    )  # fmt: skip
    note(
        what="model", ref=stored.id, version=version, rows=known.height, artefact_digest=digest,
        inputs_digest=inputs, auc=metrics["auc"], brier=metrics["brier"],
    )  # fmt: skip
    return TrainedModel(model_id=stored.id, version=version, metrics=metrics)


@act("placement.promote_model", permission="placement.train")
def promote_model(*, actor: Actor, model_id: UUID, at: datetime) -> None:
    """Put a version in use; the one before retires. Raises `ModelNotFound`, `ModelPromoted`."""
    locks.lock(keys=["placement:models"])
    found = RecoveryModelVersion.objects.select_for_update().filter(id=model_id).first()
    if found is None:
        raise ModelNotFound(what="model")
    state = RecoveryModelVersion.State
    if found.state == state.PROMOTED:
        raise ModelPromoted()
    RecoveryModelVersion.objects.filter(state=state.PROMOTED).update(state=state.RETIRED)
    RecoveryModelVersion.objects.filter(id=model_id).update(state=state.PROMOTED)
    note(what="model", ref=model_id, version=found.version, artefact_digest=found.artefact_digest)


def _checked(cohort: pl.DataFrame) -> tuple[pl.DataFrame, np.ndarray[Any, np.dtype[np.float64]]]:
    missing = [name for name in (*features.NAMES, "paid_fraction") if name not in cohort.columns]
    if missing:
        raise CohortRefused(
            problem=worded("columns are missing: %(names)s", names=", ".join(missing)), where=missing[0]
        )
    if cohort.height < ROWS_MIN:
        raise CohortRefused(
            problem=worded("%(rows)s rows, at least %(least)s are needed", rows=cohort.height, least=ROWS_MIN)
        )
    try:
        typed = cohort.select(*(pl.col(feature.name).cast(feature.dtype) for feature in features.FEATURES))
        known = features.check(frame=typed)
        outcome = cohort["paid_fraction"].cast(pl.Float64).to_numpy()
    except features.FeatureError as wrong:
        raise CohortRefused(problem=telling.fault(wrong)) from wrong
    except pl.exceptions.PolarsError as wrong:
        raise CohortRefused(
            problem=worded("it is no table: %(fault)s", fault=str(wrong).split("\n")[0])
        ) from wrong
    if (
        cohort["paid_fraction"].null_count()
        or not (np.isfinite(outcome) & (outcome >= 0) & (outcome <= 1)).all()
    ):
        raise CohortRefused(
            problem=worded("paid_fraction lies between 0 and 1 in every row"), where="paid_fraction"
        )
    return known, outcome


def _keep(name: str, artefact: bytes) -> None:
    """Write the file whole or not at all; its name comes from its content, so a repeat writes the same bytes."""
    path = place("models", name)
    draft = path.with_suffix(".new")
    draft.write_bytes(artefact)
    draft.replace(path)


def _metrics(judged: validation.Evaluation) -> dict[str, Any]:
    names = (
        "n", "base_rate", "auc", "brier", "brier_baseline", "log_loss", "calibration_slope", "calibration_intercept",
        "r2", "expected_minor", "actual_minor", "money_ratio",
    )  # fmt: skip
    figures = {name: getattr(judged, name) for name in names}
    return {
        name: round(value, 6) if isinstance(value, float) and math.isfinite(value) else value
        for name, value in figures.items()
    }


def _calibration(judged: validation.Evaluation) -> dict[str, Any]:
    return {"reliability": judged.reliability.to_dicts(), "money": judged.money.to_dicts()}
