"""Laws of recovery figures: curves never count a young placement, rolls lose no move, intervals hold their estimate."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from weituo.core.recovery import curves, intervals, rolls, validation

AT = date(2026, 6, 30)
STATUSES = st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=1, max_size=20)
PLACED = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 10**6), st.sampled_from("PQ")), min_size=1, max_size=20
)
PAID = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 300), st.integers(1, 10**5)), max_size=40)


@given(statuses=STATUSES)
def test_rolls_equal_a_plain_count(statuses: list[list[int]]) -> None:
    rows = [
        (f"a{i}", date(2025, 11 + m, 1) if m < 2 else date(2026, m - 1, 1), status)
        for i, months in enumerate(statuses)
        for m, status in enumerate(months)
    ]
    frame = pl.DataFrame(rows, schema=["account_external_id", "month", "months_late"], orient="row")
    plain = np.zeros((8, 8), dtype=np.int64)
    for months in statuses:
        for a, b in itertools.pairwise(months):
            plain[min(a, 7), min(b, 7)] += 1
    out = rolls.roll_rates(history=frame.sample(fraction=1.0, shuffle=True, seed=1))
    assert (out.counts == plain).all()
    assert np.allclose(out.rates[out.n > 0].sum(axis=1), 1)


@given(placed=PLACED, paid=PAID)
def test_curve_equals_a_plain_sum_and_ignores_row_order(
    placed: list[tuple[int, int, str]], paid: list[tuple[int, int, int]]
) -> None:
    placements = pl.DataFrame(
        {
            "placement_id": list(range(len(placed))), "agency_id": [a for _, _, a in placed],
            "placed_on": [AT - timedelta(days=d) for d, _, _ in placed], "placed_minor": [m for _, m, _ in placed],
        }
    )  # fmt: skip
    payments = pl.DataFrame(
        {
            "placement_id": [i % len(placed) for i, _, _ in paid],
            "paid_on": [AT - timedelta(days=d) for _, d, _ in paid], "amount_minor": [m for _, _, m in paid],
        },
        schema={"placement_id": pl.Int64, "paid_on": pl.Date, "amount_minor": pl.Int64},
    )  # fmt: skip
    out = curves.liquidation_curve(placements=placements, payments=payments, at=AT, months=4, resamples=0)
    mixed = placements.sample(fraction=1.0, shuffle=True, seed=2)
    assert out.equals(
        curves.liquidation_curve(placements=mixed, payments=payments, at=AT, months=4, resamples=0)
    )
    for agency, month, n, total, recovered in out.select(
        "agency_id", "month", "n", "placed_minor", "recovered_minor"
    ).iter_rows():
        old = [
            r
            for r in placements.iter_rows(named=True)
            if r["agency_id"] == agency and _age(r["placed_on"], AT) >= month
        ]
        assert (n, total) == (len(old), sum(r["placed_minor"] for r in old))
        ids = {r["placement_id"]: r["placed_on"] for r in old}
        assert recovered == sum(
            m for i, on, m in payments.iter_rows() if i in ids and on >= ids[i] and _age(ids[i], on) < month
        )


def _age(start: date, end: date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)


@given(n=st.integers(1, 10**6), share=st.floats(0, 1))
def test_wilson_holds_its_estimate_and_widens_with_the_level(n: int, share: float) -> None:
    k = round(share * n)
    narrow, wide = (intervals.wilson(successes=k, n=n, level=level) for level in (0.8, 0.99))
    assert 0 <= wide.low <= narrow.low <= k / n <= narrow.high <= wide.high <= 1


@given(
    st.lists(st.tuples(st.floats(0.001, 0.999), st.booleans()), min_size=1, max_size=60), st.integers(1, 12)
)
def test_reliability_bins_hold_every_account_once(rows: list[tuple[float, bool]], bins: int) -> None:
    p, paid = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    table = validation.reliability_table(p=p, paid=paid, bins=bins)
    assert table["n"].sum() == p.size
    assert table["paid"].sum() == paid.sum()
    assert table["n"].min() >= 1
    assert table["mean_predicted"].round(9).is_sorted()
    assert ((table["low"] <= table["observed"]) & (table["observed"] <= table["high"])).all()
