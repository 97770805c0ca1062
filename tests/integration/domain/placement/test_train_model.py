"""Training a model, keeping it, putting it in use."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from django.utils import translation

from weituo.domain.placement import errors, queries, services
from weituo.foundation.audit import journal
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors
from tests.builders import placement as build


def audited(act: str) -> list[dict[str, object]]:
    """The audit entries of an act."""
    auditor = actors.staff(Role.AUDITOR, name="auditor")
    return journal.entries(auditor, act=act)


def test_a_model_is_judged_on_accounts_that_it_has_not_seen(db: str) -> None:
    wu = actors.staff(Role.ANALYST, name="wu")
    trained = services.train_model(actor=wu, cohort=build.cohort(), seed=7, at=build.AT)
    assert trained.version == 1
    assert trained.metrics["n"] + trained.metrics["trained_rows"] == build.cohort().height
    assert 0.6 < trained.metrics["auc"] < 0.85
    card = queries.model(wu, model_id=trained.model_id)
    assert card["state"] == "CANDIDATE"
    assert sum(row["n"] for row in card["calibration"]["reliability"]) == trained.metrics["n"]
    assert [row["decile"] for row in card["calibration"]["money"]] == list(range(1, 11))
    assert {row["name"] for row in card["calibration"]["profile"]} >= {"balance_minor", "product"}
    assert (build.models_folder() / card["artefact"]).stat().st_size > 1_000


def test_the_same_cohort_and_seed_is_not_trained_twice(db: str) -> None:
    wu = actors.staff(Role.ANALYST, name="wu")
    first = services.train_model(actor=wu, cohort=build.cohort(), seed=7, at=build.AT)
    assert services.train_model(actor=wu, cohort=build.cohort(), seed=7, at=build.AT) == first
    other = services.train_model(actor=wu, cohort=build.cohort(), seed=8, at=build.AT)
    assert other.version == 2 and other.metrics["auc"] != first.metrics["auc"]
    assert [row["version"] for row in queries.models(wu)] == [2, 1]


SPOILT: list[tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = [
    (lambda frame: frame.drop("months_late"), "months_late"),
    (lambda frame: frame.drop("paid_fraction"), "paid_fraction"),
    (lambda frame: frame.head(50), "50 rows"),
    (lambda frame: frame.with_columns(paid_fraction=pl.lit(1.5)), "between 0 and 1"),
    (lambda frame: frame.with_columns(paid_fraction=pl.lit(None, dtype=pl.Float64)), "between 0 and 1"),
    (lambda frame: frame.with_columns(product=pl.lit(None, dtype=pl.String)), "empty fields"),
    (lambda frame: frame.with_columns(days_past_due=pl.lit("late")), "conversion"),
    (lambda frame: frame.with_columns(paid_fraction=pl.lit(0.0)), "that paid"),
]


def test_a_bad_cohort_is_refused(db: str) -> None:
    for spoil, said in SPOILT:
        with pytest.raises(errors.CohortRefused) as caught:
            services.train_model(
                actor=actors.staff(Role.ANALYST), cohort=spoil(build.cohort()), seed=7, at=build.AT
            )
        with translation.override("en"):
            assert said in caught.value.facts["problem"]
    assert queries.models(actors.staff()) == []


def test_a_person_puts_one_model_in_use_and_the_other_retires(db: str) -> None:
    wu = actors.staff(Role.ANALYST, name="wu")
    first = services.train_model(actor=wu, cohort=build.cohort(), seed=7, at=build.AT)
    second = services.train_model(actor=wu, cohort=build.cohort(), seed=8, at=build.AT)
    services.promote_model(actor=wu, model_id=first.model_id, at=build.AT)
    services.promote_model(actor=wu, model_id=second.model_id, at=build.AT)
    assert [(row["version"], row["state"]) for row in queries.models(wu)] == [(2, "PROMOTED"), (1, "RETIRED")]
    with pytest.raises(errors.ModelPromoted):
        services.promote_model(actor=wu, model_id=second.model_id, at=build.AT)
    with pytest.raises(errors.ModelNotFound):
        services.promote_model(actor=wu, model_id=new_id(), at=build.AT)
    assert len(audited("placement.promote_model")) == 2


def test_who_may_not_train_is_refused(db: str) -> None:
    with pytest.raises(NotAllowed):
        services.train_model(actor=actors.staff(Role.CARE), cohort=build.cohort(), seed=7, at=build.AT)
    with pytest.raises(errors.ModelNotFound):
        queries.model(actors.staff(), model_id=new_id())
