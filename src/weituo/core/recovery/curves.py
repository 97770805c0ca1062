"""Liquidation curves 批次回收曲线: cumulative recovered / placed by months since placement, per agency.

Censoring by age: the point at month k rests only on accounts placed at least k whole months before the date of the
figures, in numerator and denominator alike, so that a young batch never pulls the tail down.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import polars as pl

from weituo.core.recovery.intervals import bootstrap_ratio

#: most months of a curve
MOST_MONTHS: Final = 60


def months_between_expr(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Build whole calendar months from start to end (Int64); the same day of the next month makes one month."""
    months = (
        (end.dt.year() - start.dt.year()) * 12
        + end.dt.month().cast(pl.Int32)
        - start.dt.month().cast(pl.Int32)
    )
    return (months - (end.dt.day() < start.dt.day()).cast(pl.Int32)).cast(pl.Int64)


def liquidation_curve(
    *,
    placements: pl.DataFrame,
    payments: pl.DataFrame,
    at: date,
    months: int = 12,
    seed: int = 7,
    resamples: int = 200,
) -> pl.DataFrame:
    """Compute the curve of each agency at the ends of months 1 ... `months` since placement.

    placements: placement_id, agency_id (any type), placed_on Date, placed_minor Int64 > 0, one row a placement.
    payments: placement_id, paid_on Date, amount_minor Int64 (reversals negative); those before placement or after
    `at` are left out. resamples = 0 leaves the interval out (null).
    Returns agency_id, month Int64, n Int64 (placements old enough), placed_minor, recovered_minor Int64, liquidation,
    low, high Float64 (95 %, bootstrap over placements). A month without an old enough placement has no row.
    Raises ValueError for months outside 1 ... MOST_MONTHS.
    """
    if not 1 <= months <= MOST_MONTHS:
        raise ValueError(f"months must be 1 to {MOST_MONTHS}")
    aged = placements.with_columns(age=months_between_expr(pl.col("placed_on"), pl.lit(at)))
    paid = (
        payments.join(aged.select("placement_id", "placed_on"), on="placement_id")
        .filter((pl.col("paid_on") >= pl.col("placed_on")) & (pl.col("paid_on") <= at))
        .with_columns(month=months_between_expr(pl.col("placed_on"), pl.col("paid_on")) + 1)
    )
    rng = np.random.default_rng(seed)
    points: list[dict[str, object]] = []
    for month in range(1, months + 1):
        old = aged.filter(pl.col("age") >= month)
        so_far = paid.filter(pl.col("month") <= month).group_by("placement_id").agg(
            recovered_minor=pl.col("amount_minor").sum()
        )  # fmt: skip
        both = old.join(so_far, on="placement_id", how="left", maintain_order="left").with_columns(
            pl.col("recovered_minor").fill_null(0)
        )
        for (agency_id,), group in both.sort("agency_id", "placement_id").group_by(
            "agency_id", maintain_order=True
        ):
            points.append({"agency_id": agency_id, "month": month} | _point(group, rng, resamples))
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "agency_id": placements.schema["agency_id"], "month": pl.Int64, "n": pl.Int64, "placed_minor": pl.Int64,
        "recovered_minor": pl.Int64, "liquidation": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(points, schema=schema).sort("agency_id", "month")


def _point(group: pl.DataFrame, rng: np.random.Generator, resamples: int) -> dict[str, object]:
    placed, recovered = int(group["placed_minor"].sum()), int(group["recovered_minor"].sum())
    point: dict[str, object] = {
        "n": group.height, "placed_minor": placed, "recovered_minor": recovered,
        "liquidation": recovered / placed if placed else None, "low": None, "high": None,
    }  # fmt: skip
    if resamples:
        interval = bootstrap_ratio(
            numerator=group["recovered_minor"].to_numpy().astype(np.float64),
            denominator=group["placed_minor"].to_numpy().astype(np.float64),
            rng=rng,
            resamples=resamples,
        )
        point |= {"low": interval.low, "high": interval.high}
    return point
