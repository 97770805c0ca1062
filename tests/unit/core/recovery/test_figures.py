"""Roll rates, liquidation curves, intervals and the metrics dictionary, by worked numbers."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

from weituo.core.recovery import buckets, curves, intervals, metrics, rolls


def _history(*rows: tuple[str, date, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["account_external_id", "month", "months_late"], orient="row")


def test_rolls_count_consecutive_months_only() -> None:
    out = rolls.roll_rates(
        history=_history(
            ("a", date(2026, 3, 1), 2), ("a", date(2026, 1, 1), 0), ("a", date(2026, 2, 1), 1),
            ("b", date(2026, 1, 1), 1), ("b", date(2026, 3, 1), 0),
            ("c", date(2025, 12, 1), 1), ("c", date(2026, 1, 1), 0),
            ("d", date(2026, 1, 1), 7), ("d", date(2026, 2, 1), 9),
        )
    )  # fmt: skip
    expected = np.zeros((8, 8), dtype=np.int64)
    expected[0, 1] = expected[1, 2] = expected[1, 0] = expected[7, 7] = 1
    assert (out.counts == expected).all()
    assert out.rates[1].tolist() == [0.5, 0, 0.5, 0, 0, 0, 0, 0]
    assert np.isnan(out.rates[3]).all()
    rows = out.frame()
    assert rows.height == 64
    assert rows.filter((pl.col("from_bucket") == "M1") & (pl.col("to_bucket") == "M2"))["rate"].item() == 0.5
    assert rows.filter(pl.col("from_bucket") == "M3")["rate"].null_count() == 8


@pytest.mark.parametrize(
    "history",
    [
        _history(("a", date(2026, 1, 1), 1), ("a", date(2026, 1, 1), 2)),
        _history(("a", date(2026, 1, 1), -1)),
        _history(("a", date(2026, 1, 1), 1)).with_columns(months_late=pl.lit(None, dtype=pl.Int64)),
    ],
    ids=["two statuses", "negative", "missing"],
)
def test_histories_without_sense_are_refused(history: pl.DataFrame) -> None:
    with pytest.raises(ValueError, match="must not|two statuses"):
        rolls.roll_rates(history=history)


def test_an_empty_history_rolls_nowhere() -> None:
    assert rolls.roll_rates(history=_history(("a", date(2026, 1, 1), 1)).clear()).counts.sum() == 0


PLACEMENTS = pl.DataFrame(
    {
        "placement_id": ["p1", "p2", "p3", "q1"],
        "agency_id": ["P", "P", "P", "Q"],
        "placed_on": [date(2026, 1, 10), date(2026, 1, 10), date(2026, 3, 10), date(2026, 1, 31)],
        "placed_minor": [1_000, 3_000, 6_000, 500],
    }
)
PAYMENTS = pl.DataFrame(
    [
        ("p1", date(2026, 2, 9), 100),  # last day of month 1
        ("p1", date(2026, 2, 10), 200),  # first day of month 2
        ("p1", date(2026, 2, 11), -50),  # a reversal
        ("p2", date(2026, 1, 9), 999),  # before placement
        ("p2", date(2026, 4, 11), 999),  # after the date of the figures
        ("p3", date(2026, 3, 11), 600),
    ],
    schema=["placement_id", "paid_on", "amount_minor"],
    orient="row",
)


def test_curve_counts_only_placements_old_enough() -> None:
    out = curves.liquidation_curve(
        placements=PLACEMENTS, payments=PAYMENTS, at=date(2026, 4, 10), months=6, resamples=0
    )
    rows = out.select("agency_id", "month", "n", "placed_minor", "recovered_minor").rows()
    assert rows == [
        ("P", 1, 3, 10_000, 700),  # p3 is exactly one month old
        ("P", 2, 2, 4_000, 250),
        ("P", 3, 2, 4_000, 250),
        ("Q", 1, 1, 500, 0),
        ("Q", 2, 1, 500, 0),
    ]
    assert out["liquidation"].to_list() == [0.07, 0.0625, 0.0625, 0.0, 0.0]
    assert out["low"].null_count() == out.height


def test_curve_intervals_hold_the_estimate_and_repeat() -> None:
    one, two = (
        curves.liquidation_curve(placements=PLACEMENTS, payments=PAYMENTS, at=date(2026, 4, 10), months=2)
        for _ in range(2)
    )
    assert one.equals(two)
    assert ((one["low"] <= one["liquidation"]) & (one["liquidation"] <= one["high"])).all()


def test_a_curve_of_nothing_is_empty_and_too_long_a_curve_is_refused() -> None:
    none = curves.liquidation_curve(
        placements=PLACEMENTS.clear(), payments=PAYMENTS.clear(), at=date(2026, 4, 10)
    )
    assert none.height == 0
    with pytest.raises(ValueError, match="months"):
        curves.liquidation_curve(placements=PLACEMENTS, payments=PAYMENTS, at=date(2026, 4, 10), months=0)


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), 0), (date(2026, 1, 31), date(2026, 3, 1), 1),
        (date(2025, 12, 15), date(2026, 1, 15), 1), (date(2026, 1, 15), date(2026, 1, 14), -1),
        (date(2024, 2, 29), date(2025, 2, 28), 11),
    ],
)  # fmt: skip
def test_whole_months_between(start: date, end: date, months: int) -> None:
    frame = pl.DataFrame({"a": [start], "b": [end]})
    assert frame.select(curves.months_between_expr(pl.col("a"), pl.col("b"))).item() == months


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (10, 10), (3, 7), (120, 1_000), (1, 1)])
def test_wilson_equals_the_reference(successes: int, n: int) -> None:
    ours = intervals.wilson(successes=successes, n=n)
    theirs = binomtest(successes, n).proportion_ci(method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.low <= ours.value <= ours.high
    assert ours.n == n


def test_wilson_of_nothing_is_no_number_and_nonsense_is_refused() -> None:
    assert math.isnan(intervals.wilson(successes=0, n=0).low)
    for wrong in (
        {"successes": 2, "n": 1},
        {"successes": -1, "n": 1},
        {"successes": 1, "n": 1, "level": 1.0},
    ):
        with pytest.raises(ValueError, match="need"):
            intervals.wilson(**wrong)  # type: ignore[arg-type]


def test_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(200):
        placed = rng.uniform(1, 3, size=150)
        recovered = placed * (rng.random(150) < 0.3) * rng.random(150)
        found = intervals.bootstrap_ratio(numerator=recovered, denominator=placed, rng=rng, resamples=200)
        inside += found.low <= 0.15 <= found.high
    assert 0.88 <= inside / 200 <= 0.99


def test_the_closed_form_covers_as_often_and_agrees_with_the_bootstrap() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(200):
        placed = rng.uniform(1, 3, size=150)
        recovered = placed * (rng.random(150) < 0.3) * rng.random(150)
        found = intervals.linear_ratio(numerator=recovered, denominator=placed)
        assert found.value == pytest.approx(recovered.sum() / placed.sum())
        inside += found.low <= 0.15 <= found.high
    assert 0.88 <= inside / 200 <= 0.99
    drawn = intervals.bootstrap_ratio(numerator=recovered, denominator=placed, rng=rng, resamples=4_000)
    assert (found.low, found.high) == pytest.approx((drawn.low, drawn.high), rel=0.06)


def test_the_closed_form_says_nothing_it_cannot_know() -> None:
    one = intervals.linear_ratio(numerator=np.array([1.0]), denominator=np.array([2.0]))
    assert (one.value, one.n) == (0.5, 1)
    assert math.isnan(one.low)
    assert math.isnan(intervals.linear_ratio(numerator=np.zeros(2), denominator=np.zeros(2)).value)
    rare = intervals.linear_ratio(numerator=np.array([1.0, 0.0, 0.0]), denominator=np.ones(3))
    assert rare.low == 0.0
    with pytest.raises(ValueError, match="shapes"):
        intervals.linear_ratio(numerator=np.zeros(2), denominator=np.zeros(3))


def test_bootstrap_of_nothing_is_no_number() -> None:
    rng = np.random.default_rng(0)
    none = intervals.bootstrap_ratio(numerator=np.zeros(0), denominator=np.zeros(0), rng=rng)
    assert math.isnan(none.value)
    assert none.n == 0
    with pytest.raises(ValueError, match="shapes"):
        intervals.bootstrap_ratio(numerator=np.zeros(2), denominator=np.zeros(3), rng=rng)


def test_metrics_have_both_names_and_compute_by_their_formula() -> None:
    for code, metric in metrics.METRICS.items():
        assert metric.code == code
        assert metric.name_zh
        assert metric.name_en
        assert metric.better in {"high", "low"}
        assert metric.value(numerator=1, denominator=0) is None
        assert metric.value(numerator=3, denominator=4) == pytest.approx(0.75 * metric.scale)
    assert metrics.METRICS["complaints_per_1000"].value(numerator=3, denominator=1_500) == pytest.approx(2.0)
    assert metrics.METRICS["complaints_per_1000"].formula == "complaints / accounts_placed * 1000"


def test_bucket_codes_are_in_order_of_lateness() -> None:
    assert [buckets.bucket_of_months(m) for m in range(8)] == list(buckets.BUCKETS)
