"""The recovery model: honest in discrimination, calibrated, repeatable, and fed with placement-time facts only."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from weituo.core.recovery import features, model, validation
from weituo.core.recovery.model import ModelError, RecoveryModel
from weituo.core.twin import book, history

Rows = tuple[pl.DataFrame, np.ndarray]


def _cohort(seed: int, accounts: int) -> Rows:
    past = history.generate(accounts=accounts, seed=seed, placed_on=date(2025, 6, 2))
    return past.select(features.NAMES), past["paid_fraction"].to_numpy()


@pytest.fixture(scope="module")
def train() -> Rows:
    return _cohort(7, 12_000)


@pytest.fixture(scope="module")
def held_back() -> Rows:
    return _cohort(8, 8_000)


@pytest.fixture(scope="module")
def fitted(train: Rows) -> RecoveryModel:
    return RecoveryModel().fit(frame=train[0], paid_fraction=train[1])


@pytest.fixture(scope="module")
def verdict(fitted: RecoveryModel, held_back: Rows) -> validation.Evaluation:
    return validation.evaluate(model=fitted, frame=held_back[0], paid_fraction=held_back[1])


def test_discrimination_is_what_reality_shows_not_better(verdict: validation.Evaluation) -> None:
    assert verdict.auc is not None
    assert 0.70 <= verdict.auc <= 0.76
    assert verdict.r2 is not None
    assert 0.0 < verdict.r2 < 0.43
    assert verdict.brier < verdict.brier_baseline


def test_probabilities_and_money_are_calibrated_on_another_cohort(verdict: validation.Evaluation) -> None:
    assert verdict.calibration_slope is not None
    assert 0.9 <= verdict.calibration_slope <= 1.1
    assert abs(verdict.calibration_intercept or 0) < 0.1
    assert verdict.money_ratio is not None
    assert 0.9 < verdict.money_ratio < 1.1
    table = verdict.reliability
    assert table["n"].sum() == verdict.n == 8_000
    inside = (table["mean_predicted"] >= table["low"]) & (table["mean_predicted"] <= table["high"])
    assert inside.sum() >= 7
    assert verdict.money["expected_minor"].sum() == verdict.expected_minor
    assert verdict.money["actual_minor"].sum() == verdict.actual_minor


def test_scores_equal_the_reference_implementation(
    fitted: RecoveryModel, held_back: Rows, verdict: validation.Evaluation
) -> None:
    p, paid = fitted.predict(frame=held_back[0])["p_pay"].to_numpy(), held_back[1] > 0
    assert verdict.auc == pytest.approx(roc_auc_score(paid, p))
    assert verdict.brier == pytest.approx(brier_score_loss(paid, p))
    assert verdict.log_loss == pytest.approx(log_loss(paid, p))


def test_same_rows_and_seed_give_the_same_model(train: Rows, fitted: RecoveryModel, held_back: Rows) -> None:
    again = RecoveryModel().fit(frame=train[0], paid_fraction=train[1])
    assert again.inputs_digest_ == fitted.inputs_digest_
    assert again.predict(frame=held_back[0]).equals(fitted.predict(frame=held_back[0]))


def test_predictions_are_shares_and_agree_with_each_other(fitted: RecoveryModel, held_back: Rows) -> None:
    frame = held_back[0]
    out = fitted.predict(frame=frame)
    assert out.height == frame.height
    for column in ("p_pay", "fraction_if_paid", "expected_fraction"):
        assert out[column].is_between(0, 1).all()
    assert np.allclose(out["p_pay"] * out["fraction_if_paid"], out["expected_fraction"])
    assert (out["expected_minor"] <= frame["balance_minor"]).all()
    some = frame.sample(200, seed=1)
    assert fitted.predict(frame=some).equals(
        out[frame.with_row_index().sample(200, seed=1)["index"].to_list()]
    )
    assert fitted.predict(frame=frame.clear()).schema == out.schema


def test_an_artefact_survives_the_trip_and_a_changed_one_is_not_opened(
    fitted: RecoveryModel, held_back: Rows
) -> None:
    artefact = fitted.to_bytes()
    digest = model.artefact_digest(artefact=artefact)
    back = model.from_bytes(artefact=artefact, expected_digest=digest)
    assert back.predict(frame=held_back[0]).equals(fitted.predict(frame=held_back[0]))
    assert model.read_header(artefact=artefact)["inputs_digest"] == fitted.inputs_digest_
    with pytest.raises(ModelError, match="digest"):
        model.from_bytes(artefact=artefact[:-1] + b"x", expected_digest=digest)
    with pytest.raises(ModelError, match="format"):
        model.from_bytes(artefact=b"x", expected_digest=model.artefact_digest(artefact=b"x"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda f: f.with_columns(promises=pl.lit(1)),
        lambda f: f.drop("months_late"),
        lambda f: f.with_columns(pl.col("months_late").cast(pl.Float64)),
        lambda f: f.with_columns(months_late=pl.lit(None, dtype=pl.Int64)),
    ],
    ids=["fact after placement", "missing", "type", "null"],
)
def test_frames_other_than_the_registry_are_refused(
    spoil: object, fitted: RecoveryModel, held_back: Rows
) -> None:
    with pytest.raises(features.FeatureError):
        fitted.predict(frame=spoil(held_back[0]))  # type: ignore[operator]


def test_training_data_without_sense_is_refused(train: Rows) -> None:
    frame, y = train[0].head(1_000), train[1][:1_000]
    for outcomes in (y + 0.5, y[:-1], np.where(y > 0, np.nan, y), np.zeros(1_000)):
        with pytest.raises(ModelError):
            RecoveryModel().fit(frame=frame, paid_fraction=outcomes)
    with pytest.raises(ModelError):
        RecoveryModel().fit(frame=frame.head(100), paid_fraction=y[:100])
    with pytest.raises(ModelError):
        RecoveryModel().predict(frame=frame)
    with pytest.raises(ModelError):
        RecoveryModel().to_bytes()


def test_evaluating_on_the_training_rows_is_refused(train: Rows, fitted: RecoveryModel) -> None:
    with pytest.raises(ModelError, match="training rows"):
        validation.evaluate(model=fitted, frame=train[0], paid_fraction=train[1])


def test_a_small_cohort_is_calibrated_by_a_sigmoid(train: Rows) -> None:
    small = RecoveryModel().fit(frame=train[0].head(2_000), paid_fraction=train[1][:2_000])
    assert small.calibration_ == "sigmoid"


def test_unknown_products_and_provinces_are_predicted(fitted: RecoveryModel, held_back: Rows) -> None:
    odd = held_back[0].head(5).with_columns(product=pl.lit("LEASE"), province_code=pl.lit("??"))
    assert fitted.predict(frame=odd)["p_pay"].is_between(0, 1).all()


def test_calibration_line_finds_known_distortions() -> None:
    rng = np.random.default_rng(1)
    z = rng.normal(size=200_000)
    paid = rng.random(z.size) < 1 / (1 + np.exp(-(0.3 + 0.5 * z)))
    line = validation.calibration_line(p=1 / (1 + np.exp(-z)), paid=paid)
    assert line == pytest.approx((0.3, 0.5), abs=0.03)
    assert validation.calibration_line(p=np.full(3, 0.5), paid=np.array([True, False, True])) is None
    assert validation.auc(score=z, paid=np.ones(z.size, dtype=bool)) is None


def test_features_of_a_book_are_computed_from_its_rows() -> None:
    made = book.generate(accounts=300, seed=4, as_of=date(2026, 3, 31))
    known = features.from_book(accounts=made.accounts, history=made.history, at=date(2026, 3, 31))
    for i in (0, 7, 299):
        account = made.accounts.row(i, named=True)
        past = made.history.filter(pl.col("account_external_id") == account["external_id"])
        row = known.row(i, named=True)
        assert row["paid_months_6"] == (past["paid_minor"] > 0).sum()
        assert row["paid_minor_6"] == past["paid_minor"].sum()
        assert row["worst_months_late_6"] == past["months_late"].max()
        same = made.accounts.filter(pl.col("borrower_external_id") == account["borrower_external_id"])
        assert row["accounts_held"] == same.height
        assert row["months_on_book"] == (date(2026, 3, 31) - account["opened_on"]).days * 12 // 365
    blank = features.from_book(accounts=made.accounts, history=made.history.clear(), at=date(2026, 3, 31))
    assert blank["paid_months_6"].sum() == 0
