"""Delinquency buckets: boundaries, and the column form equal to the scalar one."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weituo.core.recovery import buckets


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (0, "CURRENT"), (1, "M1"), (30, "M1"), (31, "M2"), (60, "M2"), (61, "M3"), (91, "M4"), (121, "M5"),
        (151, "M6"), (180, "M6"), (181, "M7+"), (3_650, "M7+"),
    ],
)  # fmt: skip
def test_bucket_boundaries(days: int, bucket: str) -> None:
    assert buckets.bucket_of(days) == bucket


@given(st.lists(st.one_of(st.none(), st.integers(0, 5_000)), min_size=1, max_size=60))
def test_columns_equal_scalars(days: list[int | None]) -> None:
    frame = pl.DataFrame({"days": pl.Series(days, dtype=pl.Int64)}).select(
        bucket=buckets.bucket_expr(pl.col("days")), late=buckets.months_late_expr(pl.col("days"))
    )
    assert frame["bucket"].to_list() == [None if d is None else buckets.bucket_of(d) for d in days]
    assert frame["late"].to_list() == [None if d is None else buckets.months_late_of(d) for d in days]


def test_negative_days_are_refused_and_give_null_in_columns() -> None:
    with pytest.raises(ValueError, match="negative"):
        buckets.bucket_of(-1)
    with pytest.raises(ValueError, match="negative"):
        buckets.bucket_of_months(-1)
    assert pl.DataFrame({"m": [-1]}).select(buckets.bucket_from_months_expr(pl.col("m"))).item() is None
