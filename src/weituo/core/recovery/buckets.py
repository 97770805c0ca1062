"""Delinquency buckets 逾期阶段: how late an account is, in words that lender and agency share.

CURRENT = not past due; Mk = 30 * (k - 1) + 1 to 30 * k days past due for k = 1 ... 6; M7+ = 181 days and more.
Source: the usual Chinese M-bucket convention (MISSION: M1 = 1-30 days past due, M2 = 31-60, ... M7+).
"""

from __future__ import annotations

from typing import Final

import polars as pl

#: bucket codes from the least to the most late
BUCKETS: Final[tuple[str, ...]] = ("CURRENT", "M1", "M2", "M3", "M4", "M5", "M6", "M7+")
#: days in one bucket
BUCKET_DAYS: Final = 30
#: months late from which every account is M7+
LAST_BUCKET: Final = 7


def months_late_of(days_past_due: int) -> int:
    """Give the months late, 0 for a current account: the ceiling of days past due / 30.

    Raises ValueError for negative days: an account paid ahead has 0 days past due.
    """
    if days_past_due < 0:
        raise ValueError("days_past_due must not be negative")
    return -(-days_past_due // BUCKET_DAYS)


def bucket_of(days_past_due: int) -> str:
    """Give the bucket code of one account from its days past due (>= 0)."""
    return bucket_of_months(months_late_of(days_past_due))


def bucket_of_months(months_late: int) -> str:
    """Give the bucket code of one account from its months late (>= 0); 7 and more are all M7+."""
    if months_late < 0:
        raise ValueError("months_late must not be negative")
    return BUCKETS[min(months_late, LAST_BUCKET)]


def months_late_expr(days_past_due: pl.Expr) -> pl.Expr:
    """Build the column form of `months_late_of`: Int64 in, Int64 out; null stays null."""
    return (days_past_due.cast(pl.Int64) + BUCKET_DAYS - 1).floordiv(BUCKET_DAYS)


def bucket_expr(days_past_due: pl.Expr) -> pl.Expr:
    """Build the column form of `bucket_of`: Int64 days in, String code out; null stays null."""
    return bucket_from_months_expr(months_late_expr(days_past_due))


def bucket_from_months_expr(months_late: pl.Expr) -> pl.Expr:
    """Build the column form of `bucket_of_months`; a null or negative value gives null."""
    months = months_late.cast(pl.Int64)
    known = pl.when(months >= 0).then(months.clip(0, LAST_BUCKET))
    return known.replace_strict(
        list(range(len(BUCKETS))), list(BUCKETS), default=None, return_dtype=pl.String
    )
