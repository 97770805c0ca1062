"""The strategy applied to the whole book in columns: the first row that matches decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import polars as pl

from weituo.foundation.texts import worded

TREATMENTS = ("SELF_SERVICE", "IN_HOUSE", "AGENCY", "LEGAL", "HOLD")
CHANNELS = ("VOICE", "SMS", "EMAIL", "LETTER", "VISIT")
TONES = ("REMIND", "FRIENDLY", "FIRM", "FORMAL")
#: who may get an account that comes back from an agency: another agency of a later tier (after the last,
#: any other), any other agency, or any at all;
#: sister agencies count as one
AGAIN = ("NEXT_TIER", "OTHER", "ANY")
ROWS_MAX = 100
#: letters of a code that the program knows, and of the lender's own words for products
CODE_MAX = 12
WORD_MAX = 64
#: fields that list words, and fields that are whole numbers with the most they may be
LISTS = ("buckets", "products", "channels")
WHOLES = {
    "balance_minor_min": 10**15,
    "balance_minor_max": 10**15,
    "tier_max": 9,
    "contacts_per_week_max": 99,
    "settlement_bps_max": 10**6,
}


def _is_word(value: object, *, most: int = WORD_MAX) -> bool:
    return isinstance(value, str) and len(value) <= most


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. Empty tuples and None match everything; balance is half-open [min, max) in minor units."""

    treatment: str
    buckets: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    balance_minor_min: int | None = None
    balance_minor_max: int | None = None
    hardship: bool | None = None
    tier_max: int | None = None
    channels: tuple[str, ...] = ()
    tone: str = "FRIENDLY"
    contacts_per_week_max: int = 3
    settlement_bps_max: int = 0
    again: str = "OTHER"
    #: accounts of one borrower may go to different agencies
    split: bool = False

    def __post_init__(self) -> None:
        """Raise TypeError with the field's name where a value has not the shape of its field."""
        for name, value in asdict(self).items():
            if name in LISTS:
                fits = isinstance(value, tuple) and all(_is_word(word) for word in value)
            elif name in WHOLES:
                whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= WHOLES[name]
                fits = whole or (value is None and type(self).__dataclass_fields__[name].default is None)
            elif name == "hardship":
                fits = value is None or isinstance(value, bool)
            elif name == "split":
                fits = isinstance(value, bool)
            else:
                fits = _is_word(value, most=CODE_MAX)
            if not fits:
                raise TypeError(name)

    def as_dict(self) -> dict[str, Any]:
        """The row as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Row:
        """Read a row from plain data, other keys left aside; a value of another shape raises TypeError with its name."""
        known = {field.name for field in fields(cls)}
        body: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in data.items()
            if key in known
        }
        return cls(**body)

    @property
    def catches_all(self) -> bool:
        """Tell whether every account matches."""
        return (
            not self.buckets
            and not self.products
            and self.balance_minor_min is None
            and self.balance_minor_max is None
            and self.hardship is None
        )


def problems(rows: Sequence[Row]) -> list[tuple[int, str]]:
    """List what is wrong, as (row number from 1, sentence); empty when the strategy may be published."""
    found: list[tuple[int, str]] = []
    if not rows or len(rows) > ROWS_MAX:
        return [(0, worded("1 to %(most)s rows", most=ROWS_MAX))]
    for number, row in enumerate(rows, start=1):
        if row.treatment not in TREATMENTS:
            found.append((number, worded("unknown treatment %(name)s", name=row.treatment)))
        if row.treatment == "AGENCY" and row.tier_max not in {1, 2, 3}:
            found.append((number, worded("an agency row needs the worst tier admitted")))
        if not set(row.channels) <= set(CHANNELS):
            found.append((number, worded("unknown channel")))
        if row.tone not in TONES:
            found.append((number, worded("unknown tone %(name)s", name=row.tone)))
        if row.again not in AGAIN:
            found.append((number, worded("unknown rule of return %(name)s", name=row.again)))
        if not 0 <= row.contacts_per_week_max <= 7:
            found.append((number, worded("0 to 7 contacts a week")))
        if not 0 <= row.settlement_bps_max <= 10_000:
            found.append((number, worded("a settlement lies between 0 and 100 per cent")))
        low, high = row.balance_minor_min, row.balance_minor_max
        if low is not None and high is not None and low >= high:
            found.append((number, worded("the balance range is empty")))
        if row.catches_all and number < len(rows):
            found.append((number, worded("it matches every account, so the rows below are never reached")))
    if not rows[-1].catches_all:
        found.append((len(rows), worded("the last row must match every account")))
    return found


def match_expr(row: Row) -> pl.Expr:
    """Build the condition of a row over columns bucket, product, balance_minor, hardship (Boolean)."""
    condition = pl.lit(value=True)
    if row.buckets:
        condition &= pl.col("bucket").is_in(list(row.buckets))
    if row.products:
        condition &= pl.col("product").is_in(list(row.products))
    if row.balance_minor_min is not None:
        condition &= pl.col("balance_minor") >= row.balance_minor_min
    if row.balance_minor_max is not None:
        condition &= pl.col("balance_minor") < row.balance_minor_max
    if row.hardship is not None:
        condition &= pl.col("hardship") == row.hardship
    return condition


def apply(rows: Sequence[Row], accounts: pl.DataFrame) -> pl.DataFrame:
    """Give every account its row: columns account_id, row (index from 0), treatment, tier_max.

    accounts: account_id, bucket, product, balance_minor (Int64), hardship (Boolean).
    """
    chosen = pl.lit(None, dtype=pl.Int32)
    for index in range(len(rows) - 1, -1, -1):
        chosen = pl.when(match_expr(rows[index])).then(pl.lit(index, dtype=pl.Int32)).otherwise(chosen)
    table = pl.DataFrame(
        {
            "row": list(range(len(rows))),
            "treatment": [row.treatment for row in rows],
            "tier_max": [row.tier_max for row in rows],
        },
        schema={"row": pl.Int32, "treatment": pl.String, "tier_max": pl.Int64},
    )
    return accounts.select("account_id", row=chosen).join(table, on="row", how="left")


DEFAULT_ROWS: tuple[Row, ...] = (
    Row(treatment="HOLD", hardship=True, tone="REMIND", channels=("SMS", "LETTER"), contacts_per_week_max=0),
    Row(
        treatment="SELF_SERVICE",
        buckets=("CURRENT", "M1"),
        balance_minor_max=300_000,
        tone="REMIND",
        channels=("SMS", "EMAIL"),
        contacts_per_week_max=1,
    ),
    Row(
        treatment="IN_HOUSE",
        buckets=("CURRENT", "M1"),
        tone="FRIENDLY",
        channels=("VOICE", "SMS", "EMAIL"),
        contacts_per_week_max=2,
    ),
    Row(
        treatment="LEGAL",
        buckets=("M7+",),
        balance_minor_min=20_000_000,
        tone="FORMAL",
        channels=("LETTER",),
        contacts_per_week_max=1,
    ),
    Row(
        treatment="AGENCY",
        buckets=("M2", "M3"),
        balance_minor_min=2_000_000,
        tier_max=2,
        tone="FRIENDLY",
        channels=("VOICE", "SMS"),
        contacts_per_week_max=3,
        settlement_bps_max=500,
        again="NEXT_TIER",
    ),
    Row(
        treatment="AGENCY",
        buckets=("M2", "M3"),
        tier_max=3,
        tone="FRIENDLY",
        channels=("VOICE", "SMS"),
        contacts_per_week_max=3,
        settlement_bps_max=500,
        again="NEXT_TIER",
    ),
    Row(
        treatment="AGENCY",
        tier_max=3,
        tone="FIRM",
        channels=("VOICE", "SMS", "LETTER"),
        contacts_per_week_max=3,
        settlement_bps_max=3_000,
        again="NEXT_TIER",
    ),
)
