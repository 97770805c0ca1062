"""Delinquency buckets 逾期阶段: how late an account is, in words that lender and agency share.

CURRENT = not past due; Mk = 30 * (k - 1) + 1 to 30 * k days past due for k = 1 ... 6; M7+ = 181 days and more.
Source: the usual Chinese M-bucket convention (MISSION: M1 = 1-30 days past due, M2 = 31-60, ... M7+).

Days past due belong to a day. On a day they are counted from the day since which something is due; where only their number was
stated, that day is the statement's day less the number. An account for which nothing was due when it was stated is not late
until another statement says so, and one that is paid off ages no further. The database knows the same rule as
`book_days_past_due` and `book_bucket` (domain/book/sql); a test holds the two together.
"""

from __future__ import annotations

from datetime import date
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


def days_range(bucket: str) -> tuple[int, int | None]:
    """Give the fewest and the most days past due of a bucket (inclusive; None: no end). Raises ValueError for no bucket."""
    place = BUCKETS.index(bucket)
    if place == 0:
        return 0, 0
    return BUCKET_DAYS * (place - 1) + 1, None if place == LAST_BUCKET else BUCKET_DAYS * place


def late_since_expr(past_due_since: pl.Expr, stated_days: pl.Expr, as_of: pl.Expr) -> pl.Expr:
    """Build the day from which days past due are counted (Date), null for an account that was not late when it was stated.

    past_due_since Date, stated_days Int64 and as_of Date of the statement; any of the first two may be null.
    """
    counted_back = pl.when(stated_days > 0).then(as_of.dt.offset_by(pl.format("-{}d", stated_days)))
    return pl.coalesce(past_due_since, counted_back)


def days_past_due_expr(late_since: pl.Expr, closed_on: pl.Expr, *, on: date | pl.Expr) -> pl.Expr:
    """Build days past due on a day (Int64, never below 0) from `late_since_expr` and the day the account was paid off (Date)."""
    until = pl.min_horizontal(on if isinstance(on, pl.Expr) else pl.lit(on), closed_on)
    return (until - late_since).dt.total_days().fill_null(0).clip(lower_bound=0)
