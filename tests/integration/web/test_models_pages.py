"""Models in the console: cards with figures computed another way, calibration, drift, and a person's decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from weituo.core.recovery import drift, features, intervals
from weituo.domain.placement import queries, services
from weituo.foundation import clock
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors, pages
from tests.builders import placement as build

WU = actors.staff(Role.ANALYST, name="wu")


@pytest.fixture
def desk(databases: Any, story_template: Callable[..., str], clone_of: Callable[[str], str]) -> None:
    """A lender with 40 candidates, two agencies, and a model in use."""
    clone_of(story_template("pages_desk", lambda: build.desk(count=40, capacity=15)))


def in_use() -> UUID:
    return next(row["id"] for row in queries.models(WU) if row["state"] == "PROMOTED")


def second(seed: int = 8) -> UUID:
    return services.train_model(actor=WU, cohort=build.cohort(), seed=seed, at=build.AT).model_id


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_without_a_model_the_page_says_how_to_get_one(db: str, language: str) -> None:
    response = pages.browser(language=language).get("/models/")
    assert response.status_code == 200
    assert "weituo model train" in pages.words(response)
    assert response.context["state"]["tone"] == "bad"


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_card_shows_the_held_out_figures_with_their_baselines(desk: None, language: str) -> None:
    model = queries.model(WU, model_id=in_use())
    with clock.at_instant(build.AT):
        response = pages.browser(language=language).get(f"/models/{model['id']}/")
    words, metrics = pages.words(response), model["metrics"]
    assert metrics["n"] == int(build.cohort().height * 0.25)
    for figure in (
        f"{metrics['auc']:.3f}",
        f"{metrics['brier']:.4f}",
        f"{metrics['brier_baseline']:.4f}",
        f"{metrics['calibration_slope']:.2f}",
    ):
        assert figure in words
    assert metrics["brier_baseline"] == pytest.approx(
        metrics["base_rate"] * (1 - metrics["base_rate"]), abs=1e-6
    )
    assert model["artefact_digest"] in words


def test_the_calibration_plot_is_the_table_of_held_out_accounts(desk: None) -> None:
    model = queries.model(WU, model_id=in_use())
    with clock.at_instant(build.AT):
        chart = pages.browser().get(f"/models/{model['id']}/").context["reliability"]
    observed, diagonal = chart["series"]
    rows = model["calibration"]["reliability"]
    assert sum(row["n"] for row in rows) == model["metrics"]["n"]
    assert observed["values"] == [row["paid"] / row["n"] for row in rows]
    assert diagonal["values"] == [row["mean_predicted"] for row in rows]
    low, high = intervals.wilson_columns(
        successes=np.array([row["paid"] for row in rows]), n=np.array([row["n"] for row in rows])
    )
    assert observed["low"] == pytest.approx(low.tolist())
    assert observed["high"] == pytest.approx(high.tolist())
    assert all(
        a <= p <= b for a, p, b in zip(observed["low"], observed["values"], observed["high"], strict=True)
    )


def test_money_by_decile_adds_up_to_the_card(desk: None) -> None:
    model = queries.model(WU, model_id=in_use())
    with clock.at_instant(build.AT):
        chart = pages.browser().get(f"/models/{model['id']}/").context["money"]
    expected, actual = (series["values"] for series in chart["series"])
    assert sum(expected) == model["metrics"]["expected_minor"]
    assert sum(actual) == model["metrics"]["actual_minor"]


def test_drift_is_measured_between_the_training_rows_and_the_open_book(desk: None) -> None:
    model = queries.model(WU, model_id=in_use())
    with clock.at_instant(build.AT):
        rows = pages.browser().get(f"/models/{model['id']}/").context["drift"]
    assert {row["feature"] for row in rows} == set(features.NAMES)
    # the same by hand: every account of this book is in M2, which in training was one status of many
    entry = next(one for one in model["calibration"]["profile"] if one["name"] == "months_late")
    edges = np.array(entry["edges"])
    actual = np.zeros(len(entry["shares"]))
    actual[int((edges < 2).sum())] = 1.0
    e, a = (np.maximum(side, drift.LEAST_SHARE) for side in (np.array(entry["shares"]), actual))
    shown = next(row for row in rows if row["feature"] == "months_late")
    assert shown["psi"] == pytest.approx(float(((a - e) * np.log(a / e)).sum()))
    assert (shown["n_now"], shown["tone"]) == (40, "bad")
    assert shown["n_trained"] == model["metrics"]["trained_rows"]


def test_a_person_promotes_with_the_numbers_and_the_one_before_retires(desk: None) -> None:
    old, new = in_use(), second()
    analyst = pages.browser(Role.ANALYST, name="wu")
    with clock.at_instant(build.AT):
        page = analyst.get(f"/models/{new}/")
        assert page.context["may_promote"]
        assert {row["label"]: row["used"] for row in page.context["comparison"]}[
            "AUC"
        ] == f"{queries.model(WU, model_id=old)['metrics']['auc']:.3f}"
        assert analyst.get("/models/").context["state"]["tone"] == "watch"
        done = analyst.post(f"/models/{new}/promote/", follow=True)
        again = analyst.post(f"/models/{new}/promote/", follow=True)
    assert done.status_code == 200
    assert "This model is in use already." in pages.words(again)
    states = {row["id"]: row["state"] for row in queries.models(WU)}
    assert states == {old: "RETIRED", new: "PROMOTED"}
    with clock.at_instant(build.AT):
        assert analyst.get(f"/models/{old}/").context["may_promote"], "going back is possible"


def test_who_may_not_train_may_look_but_not_promote(desk: None) -> None:
    new = second()
    auditor = pages.browser(Role.AUDITOR, name="au")
    with clock.at_instant(build.AT):
        assert not auditor.get(f"/models/{new}/").context["may_promote"]
    assert auditor.post(f"/models/{new}/promote/").status_code == 403
    assert auditor.get(f"/models/{new_id()}/").status_code == 404


def test_the_number_of_statements_does_not_grow_with_models(desk: None) -> None:
    client = pages.browser()
    client.get("/models/")
    few = pages.statements(client, "/models/")
    for seed in (8, 9):
        second(seed)
    assert pages.statements(client, "/models/") == few
    assert len(queries.models(WU)) == 3
