"""Fair comparison: right on known truth, silent where nothing can be said, the same whatever the order of rows."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from weituo.core import comparison
from weituo.core.comparison import Verdict, compare, estimate
from weituo.core.comparison.estimate import FOLDS, LEVERAGE_LEFT_MIN, RIDGE
from weituo.core.recovery.buckets import bucket_of_months
from weituo.core.twin import history

ARMS = ("A", "B", "C", "D")


@cache
def cohort() -> pl.DataFrame:
    """Placed accounts of the simulation with what was recovered in 26 weeks."""
    made = history.generate(accounts=6_000, seed=11, placed_on=date(2026, 3, 1))
    return made.with_columns(
        bucket=pl.col("months_late").map_elements(bucket_of_months, return_dtype=pl.String),
        expected=0.05 + 0.02 * pl.col("paid_months_6"),
    )


def placed(*, seed: int, lift: dict[str, float] | None = None, confounded: bool = True) -> pl.DataFrame:
    """Give the simulated accounts out to four agencies with known chances; `lift` multiplies an agency's recoveries.

    When confounded, each agency gets mostly accounts of certain buckets: raw liquidation then compares books, not agencies.
    """
    rng = np.random.default_rng(seed)
    accounts = cohort()
    n, k = accounts.height, len(ARMS)
    chances = np.full((n, k), 1 / k)
    if confounded:
        late = accounts["months_late"].to_numpy() % k
        chances = np.full((n, k), 0.1)
        chances[np.arange(n), late] = 1 - 0.1 * (k - 1)
    drawn = (rng.random(n)[:, None] > chances.cumsum(axis=1)).sum(axis=1).clip(0, k - 1)
    factor = np.array([(lift or {}).get(arm, 1.0) for arm in ARMS])[drawn]
    return pl.DataFrame(
        {
            "unit": accounts["case_reference"],
            "arm": np.array(ARMS)[drawn],
            "outcome": 0.8 * accounts["paid_fraction"].to_numpy() * factor,
            "weight": accounts["balance_minor"].cast(pl.Float64),
            "probability": chances[np.arange(n), drawn],
            "bucket": accounts["bucket"],
            "expected": accounts["expected"],
            "months": np.full(n, 6.0),
        }
    )


def verdicts(frame: pl.DataFrame) -> dict[str, Verdict]:
    return {arm.arm: arm.verdict for arm in compare(frame).arms}


class TestOnTheSimulation:
    def test_equal_agencies_are_nearly_never_told_apart(self) -> None:
        wrong = sum(
            set(verdicts(placed(seed=seed)).values()) != {Verdict.CANNOT_BE_TOLD_APART} for seed in range(30)
        )
        assert wrong <= 4

    def test_a_much_better_agency_is_found_among_unlike_books(self) -> None:
        found = [verdicts(placed(seed=seed, lift={"C": 2.0})) for seed in range(8)]
        assert sum(one["C"] is Verdict.BETTER for one in found) >= 7
        assert not any(one["C"] is Verdict.WORSE for one in found)

    def test_a_much_worse_agency_is_found(self) -> None:
        found = [verdicts(placed(seed=seed, lift={"B": 0.3})) for seed in range(8)]
        assert sum(one["B"] is Verdict.WORSE for one in found) >= 7

    def test_raw_shares_would_have_been_wrong(self) -> None:
        arms = {arm.arm: arm for arm in compare(placed(seed=1)).arms}
        raw = [arm.raw for arm in arms.values()]
        fair = [arm.value for arm in arms.values()]
        assert max(raw) - min(raw) > 2 * (max(fair) - min(fair))

    def test_the_best_agency_ranks_first_and_equals_share_their_ranks(self) -> None:
        arms = {arm.arm: arm for arm in compare(placed(seed=2, lift={"D": 2.0})).arms}
        assert (arms["D"].rank_low, arms["D"].rank_high) == (1, 1)
        assert {(arms[arm].rank_low, arms[arm].rank_high) for arm in "ABC"} == {(2, 4)}


class TestOnKnownTruth:
    def test_intervals_cover_the_truth_as_often_as_they_say(self) -> None:
        covered, raw_covered, runs = np.zeros(3), np.zeros(3), 150
        for seed in range(runs):
            frame, truth = world(seed)
            found = estimate(frame)
            half = 1.96 * np.sqrt(np.diag(found.covariance))
            covered += np.abs(found.values - truth) <= half
            raw_covered += np.abs(found.raw - truth) <= half
        assert (covered / runs >= 0.89).all(), covered / runs
        assert (raw_covered / runs).min() < 0.5

    def test_it_equals_a_plain_reckoning(self) -> None:
        frame, _ = world(5, n=40)
        found = estimate(frame)
        values, covariance = plainly(frame)
        np.testing.assert_allclose(found.values, values, rtol=1e-10)
        np.testing.assert_allclose(found.covariance, covariance, rtol=1e-9)

    def test_the_order_of_rows_changes_nothing(self) -> None:
        frame = placed(seed=3, lift={"A": 1.3})
        assert compare(frame.sample(fraction=1.0, shuffle=True, seed=9)) == compare(frame)

    def test_the_unit_of_weights_changes_nothing(self) -> None:
        frame, _ = world(6)
        scaled = frame.with_columns(pl.col("weight") * 1_000)
        np.testing.assert_allclose(estimate(scaled).values, estimate(frame).values, rtol=1e-9)


def world(seed: int, *, n: int = 1_500) -> tuple[pl.DataFrame, NDArray[np.float64]]:
    """Make accounts whose outcome under every agency is known: good books go to the agency that is not the best."""
    rng = np.random.default_rng([seed, 77])
    k, good = 3, rng.random(n) < 0.5
    chances = np.where(good[:, None], [0.7, 0.2, 0.1], [0.1, 0.2, 0.7])
    arm = (rng.random(n)[:, None] > chances.cumsum(axis=1)).sum(axis=1).clip(0, k - 1)
    noise = rng.random(n)
    weight = rng.uniform(1, 3, n)
    under = np.stack([(noise < np.where(good, 0.3, 0.1) + step) * 0.5 for step in (0.0, 0.02, 0.06)], axis=1)
    truth = 0.5 * np.array([0.2, 0.22, 0.26])
    frame = pl.DataFrame(
        {
            "unit": [f"{number:06d}" for number in rng.permutation(n)],
            "arm": np.array(["A", "B", "C"])[arm],
            "outcome": under[np.arange(n), arm],
            "weight": weight,
            "probability": chances[np.arange(n), arm],
            "bucket": np.where(good, "M1", "M6"),
            "expected": np.where(good, 0.2, 0.1) + rng.normal(0, 0.02, n),
            "months": np.full(n, 3.0),
        }
    )
    return frame, truth


def plainly(frame: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Reckon values and covariance row by row, from the formula in the module's docstring."""
    rows = sorted(frame.to_dicts(), key=lambda row: row["unit"])
    arms = sorted({row["arm"] for row in rows})
    n, mean_weight = len(rows), sum(row["weight"] for row in rows) / len(rows)
    buckets = sorted({row["bucket"] for row in rows})[1:]
    raw = np.array([[float(row["bucket"] == b) for b in buckets] + [row["expected"]] for row in rows])
    x = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    fitted = np.zeros((n, len(arms)))
    for i in range(n):
        others = [h for h in range(n) if h % FOLDS != i % FOLDS]
        centre = sum(rows[h]["weight"] * rows[h]["outcome"] for h in others) / sum(
            rows[h]["weight"] for h in others
        )
        size = x.shape[1] + len(arms)
        left, right = RIDGE * np.eye(size), np.zeros(size)
        for h in others:
            z = np.concatenate([x[h], [float(rows[h]["arm"] == arm) for arm in arms]])
            w = rows[h]["weight"] / mean_weight
            left += w * np.outer(z, z)
            right += w * z * (rows[h]["outcome"] - centre)
        solved = np.linalg.solve(left, right)
        for j in range(len(arms)):
            fitted[i, j] = centre + x[i] @ solved[: x.shape[1]] + solved[x.shape[1] + j]
    values, influence = np.zeros(len(arms)), np.zeros((n, len(arms)))
    total = sum(row["weight"] for row in rows)
    for j, arm in enumerate(arms):
        own = [i for i in range(n) if rows[i]["arm"] == arm]
        scale = sum(rows[i]["weight"] / rows[i]["probability"] for i in own)
        model = sum(rows[i]["weight"] * fitted[i, j] for i in range(n)) / total
        bias = (
            sum(rows[i]["weight"] / rows[i]["probability"] * (rows[i]["outcome"] - fitted[i, j]) for i in own)
            / scale
        )
        values[j] = model + bias
        for i in range(n):
            influence[i, j] = rows[i]["weight"] / mean_weight * (fitted[i, j] - model)
            if rows[i]["arm"] == arm:
                share = rows[i]["weight"] / rows[i]["probability"] / scale
                leverage_left = max(1 - share, LEVERAGE_LEFT_MIN)
                influence[i, j] += n * share * (rows[i]["outcome"] - fitted[i, j] - bias) / leverage_left
    return values, influence.T @ influence / n**2


def equals(rng: np.random.Generator, *, n: int = 3_000, k: int = 6) -> pl.DataFrame:
    """Make agencies that are all alike, balances that differ a hundredfold, and a plan with three tenths left to chance."""
    weight = np.exp(rng.normal(0, 1.2, n))
    expected = np.clip(rng.beta(1, 6, n) * weight**-0.15, 0, 0.9)
    planned = rng.integers(0, k, n)
    arm = np.where(rng.random(n) < 0.3, rng.integers(0, k, n), planned)
    paid = np.where(rng.random(n) < 1.2 * expected, rng.uniform(0.3, 1, n), 0.0)
    return pl.DataFrame(
        {
            "unit": [f"{number:06d}" for number in rng.permutation(n)],
            "arm": np.array(list("ABCDEF"))[arm],
            "outcome": 0.7 * paid,
            "weight": weight,
            "probability": np.where(arm == planned, 0.75, 0.05),
            "bucket": np.array(["M1", "M2", "M3"])[rng.integers(0, 3, n)],
            "expected": expected,
            "months": np.full(n, 3.0),
        }
    )


def test_equal_agencies_are_seldom_judged_whatever_their_balances() -> None:
    """At most one comparison in twenty may accuse or praise anybody; 120 of them leave room for luck up to eleven."""
    rng, claims, spoke = np.random.default_rng(20_261_125), 0, 0
    for _ in range(120):
        found = verdicts(equals(rng))
        claims += bool({Verdict.BETTER, Verdict.WORSE} & set(found.values()))
        spoke += any(verdict is not Verdict.TOO_EARLY for verdict in found.values())
    assert spoke >= 60, "a rule that never speaks proves nothing"
    assert claims <= 11, claims


class TestSilence:
    def test_few_placements_few_months_and_thin_weights_are_too_early(self) -> None:
        frame, _ = world(1)
        few = frame.filter((pl.col("arm") != "A") | (pl.col("unit") < "000200"))
        assert verdicts(few)["A"] is Verdict.TOO_EARLY
        young = frame.with_columns(months=pl.when(pl.col("arm") == "B").then(0.5).otherwise(3.0))
        assert verdicts(young)["B"] is Verdict.TOO_EARLY
        arms = {arm.arm: arm for arm in compare(young).arms}
        assert (arms["B"].rank_low, arms["B"].rank_high, arms["B"].difference) == (1, 3, None)
        thin = frame.with_columns(
            probability=pl.when((pl.col("arm") == "C") & (pl.col("unit") == pl.col("unit").filter(pl.col("arm") == "C").min()))
            .then(1e-6).otherwise(pl.col("probability"))
        )  # fmt: skip
        assert verdicts(thin)["C"] is Verdict.TOO_EARLY

    def test_one_agency_alone_cannot_be_told_apart_from_anybody(self) -> None:
        frame, _ = world(1)
        [arm] = compare(frame.filter(pl.col("arm") == "A")).arms
        assert (arm.verdict, arm.rank_low, arm.rank_high) == (Verdict.CANNOT_BE_TOLD_APART, 1, 1)

    def test_outcomes_without_any_spread_give_no_claim(self) -> None:
        frame, _ = world(1)
        assert set(verdicts(frame.with_columns(outcome=pl.lit(0.0))).values()) == {
            Verdict.CANNOT_BE_TOLD_APART
        }

    def test_stricter_rules_claim_less(self) -> None:
        frame = placed(seed=4, lift={"A": 1.5})
        usual = {arm.arm: arm for arm in compare(frame).arms}["A"]
        strict = {arm.arm: arm for arm in compare(frame, rules=comparison.Rules(alpha=0.0005)).arms}["A"]
        assert usual.difference_low is not None and strict.difference_low is not None
        assert strict.difference_low < usual.difference_low


class TestBadInput:
    @pytest.mark.parametrize(
        "change",
        [
            {"probability": pl.lit(0.0)},
            {"probability": pl.lit(1.5)},
            {"weight": pl.lit(-1.0)},
            {"outcome": pl.lit(None, dtype=pl.Float64)},
            {"outcome": pl.lit(float("inf"))},
            {"unit": pl.lit("same")},
        ],
    )
    def test_numbers_that_cannot_be_are_refused(self, change: dict[str, pl.Expr]) -> None:
        frame, _ = world(1, n=60)
        with pytest.raises(comparison.ComparisonError):
            estimate(frame.with_columns(**change))

    def test_missing_columns_and_empty_frames_are_refused(self) -> None:
        frame, _ = world(1, n=60)
        with pytest.raises(comparison.ComparisonError, match="expected"):
            estimate(frame.drop("expected"))
        with pytest.raises(comparison.ComparisonError, match="no placement"):
            estimate(frame.head(0))
