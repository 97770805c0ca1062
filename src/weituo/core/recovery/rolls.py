"""Roll rates 迁徙率: how accounts move between delinquency statuses from one month to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from weituo.core.recovery.buckets import BUCKETS, LAST_BUCKET


@dataclass(frozen=True, slots=True, kw_only=True)
class RollRates:
    """Counts and rates from bucket (row) to bucket (column) in BUCKETS order.

    counts: int64 (8, 8), account-months. rates: float64 (8, 8), rows sum to one; nan where a row has no account.
    """

    counts: npt.NDArray[np.int64]
    rates: npt.NDArray[np.float64]

    @property
    def n(self) -> npt.NDArray[np.int64]:
        """Account-months observed in each from-bucket, shape (8,)."""
        return self.counts.sum(axis=1)

    def frame(self) -> pl.DataFrame:
        """Lay out as rows: from_bucket, to_bucket String, accounts, n Int64, rate Float64 (null without accounts)."""
        size = len(BUCKETS)
        return pl.DataFrame(
            {
                "from_bucket": np.repeat(BUCKETS, size), "to_bucket": np.tile(BUCKETS, size),
                "accounts": self.counts.ravel(), "n": np.repeat(self.n, size), "rate": self.rates.ravel(),
            }
        ).with_columns(pl.col("rate").fill_nan(None))  # fmt: skip


#: most months between two statuses that still count as one step: a gap is not a roll
STEP_MONTHS: Final = 1


def roll_rates(*, history: pl.DataFrame) -> RollRates:
    """Count month-to-month moves.

    history: account_external_id, month Date (first of the month), months_late Int64 >= 0; one row an account and
    month, any order. Only consecutive calendar months make a move. Raises ValueError for two rows of one account in
    one month, or a negative or missing status.
    """
    rows = history.select("account_external_id", "month", "months_late")
    if rows.select("account_external_id", "month").is_duplicated().any():
        raise ValueError("an account has two statuses in one month")
    if rows["months_late"].null_count() or (rows["months_late"] < 0).any():
        raise ValueError("months_late must not be missing or negative")
    counts = np.zeros((len(BUCKETS), len(BUCKETS)), dtype=np.int64)
    moves = (
        rows.with_columns(
            now=pl.col("months_late").clip(upper_bound=LAST_BUCKET), next_month=pl.col("month").dt.offset_by("1mo")
        )
        .pipe(lambda f: f.join(f.select("account_external_id", month="month", then="now"),
                               left_on=["account_external_id", "next_month"],
                               right_on=["account_external_id", "month"]))
        .group_by("now", "then")
        .len()
    )  # fmt: skip
    counts[moves["now"].to_numpy(), moves["then"].to_numpy()] = moves["len"].to_numpy()
    below = counts.sum(axis=1, keepdims=True).astype(np.float64)
    return RollRates(counts=counts, rates=counts / np.where(below > 0, below, np.nan))
