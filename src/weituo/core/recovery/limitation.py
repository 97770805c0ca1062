"""Limitation: since when an account can no longer be sued for, by the law of its place, as dated data with citations.

The period runs from the day on which the oldest unpaid part fell due (`late_since` of the book), the earliest day that a
court would take; a payment after it is acknowledgement and, where the row says so, starts it anew. What else interrupts (a
demand that arrived, a suit, a written acknowledgement) is not read here: an account is rather taken for barred too early, and
a person who holds the proof says so. Of a payment whose month only is known the first day of the month counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final

import polars as pl
import yaml

#: regions of GB/T 2260 (first two digits) whose law is not the mainland's
_OWN_LAW: Final = {"71": "TW", "81": "HK", "82": "MO"}
#: the lender's own law, for accounts whose region is not known
HOME: Final = "CN"
REQUIRED: Final = ("jurisdiction", "years", "payment_interrupts", "citation", "confidence", "zh", "en")


class LimitationError(ValueError):
    """The table cannot be used: row and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One row with its source: `years` from the day due, for claims due in [due_from, due_to); None: open."""

    jurisdiction: str
    years: int
    payment_interrupts: bool
    citation: str
    confidence: str
    zh: str
    en: str
    due_from: date | None = None
    due_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A versioned set of periods; those of one jurisdiction do not overlap."""

    version: str
    periods: tuple[Period, ...]

    @property
    def fewest_years(self) -> int:
        """The shortest period: what is younger is barred nowhere."""
        return min(period.years for period in self.periods)


def read(*, text: str) -> Table:
    """Read and check a table. Raises `LimitationError` naming the row."""
    raw = yaml.safe_load(text)
    if not isinstance(raw, dict) or not isinstance(raw.get("rows"), list) or not raw["rows"]:
        raise LimitationError("version and rows are needed")
    periods = tuple(_period(row, f"row {number}") for number, row in enumerate(raw["rows"], start=1))
    for number, one in enumerate(periods):
        for other in periods[number + 1 :]:
            if one.jurisdiction == other.jurisdiction and _overlap(one, other):
                raise LimitationError(f"two rows of {one.jurisdiction} hold for the same claims")
    return Table(version=str(raw.get("version", "")), periods=periods)


def _period(row: Any, where: str) -> Period:
    if not isinstance(row, dict) or (missing := [key for key in REQUIRED if key not in row]):
        raise LimitationError(f"{where}: {missing[0] if isinstance(row, dict) else 'a mapping'} is needed")
    if unknown := sorted(set(row) - set(REQUIRED) - {"due_from", "due_to"}):
        raise LimitationError(f"{where}: unknown key {unknown[0]}")
    if not isinstance(row["years"], int) or row["years"] < 1:
        raise LimitationError(f"{where}: years is a whole number above zero")
    if not row["citation"]:
        raise LimitationError(f"{where}: a citation is needed")
    for key in ("due_from", "due_to"):
        if row.get(key) is not None and not isinstance(row[key], date):
            raise LimitationError(f"{where}: {key} is a date")
    return Period(**row)


def _overlap(one: Period, other: Period) -> bool:
    begins, ends = date.min, date.max
    return (one.due_from or begins) < (other.due_to or ends) and (other.due_from or begins) < (
        one.due_to or ends
    )


@cache
def load() -> Table:
    """Load the packaged table."""
    return read(text=(resources.files("weituo.core.recovery") / "limitation.yaml").read_text("utf-8"))


def jurisdiction_expr(region: pl.Expr) -> pl.Expr:
    """Give whose law holds for a region: of a Chinese code the mainland's or the island's own, of “US-NY” the whole."""
    digits = region.str.contains(r"^\d")
    return (
        pl.when(region.is_null() | (region == ""))
        .then(pl.lit(HOME))
        .when(digits)
        .then(region.str.slice(0, 2).replace_strict(_OWN_LAW, default=HOME, return_dtype=pl.String))
        .otherwise(region)
    )


def barred(*, accounts: pl.DataFrame, on: date, table: Table | None = None) -> pl.DataFrame:
    """Give the accounts that are time-barred on a day: account_id, barred_on, citation.

    accounts: account_id, region (String), late_since (Date, null: not late), paid_on (Date, the last payment; null: none
    known). A period ends at the end of its last day: barred_on is the day after. A jurisdiction without a row bars nothing.
    """
    periods = pl.DataFrame(
        [
            (one.jurisdiction, one.due_from, one.due_to, one.years, one.payment_interrupts, one.citation)
            for one in (table or load()).periods
        ],
        schema={"jurisdiction": pl.String, "due_from": pl.Date, "due_to": pl.Date, "years": pl.Int64, "interrupts": pl.Boolean, "citation": pl.String},
        orient="row",
    )  # fmt: skip
    due = pl.col("late_since")
    runs_from = (
        pl.when(pl.col("interrupts") & (pl.col("paid_on") > due)).then(pl.col("paid_on")).otherwise(due)
    )
    return (
        accounts.select(
            "account_id", "late_since", "paid_on", jurisdiction=jurisdiction_expr(pl.col("region"))
        )
        .drop_nulls("late_since")
        .join(periods, on="jurisdiction", how="inner", maintain_order="left")
        .filter(
            (pl.col("due_from").is_null() | (due >= pl.col("due_from")))
            & (pl.col("due_to").is_null() | (due < pl.col("due_to")))
        )
        .with_columns(
            barred_on=runs_from.dt.offset_by(pl.concat_str(pl.col("years"), pl.lit("y"))).dt.offset_by("1d")
        )
        .filter(pl.col("barred_on") <= on)
        .select("account_id", "barred_on", "citation")
    )
