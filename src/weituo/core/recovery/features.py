"""The registry of features: what is known about an account at the moment of placement, and nothing later.

An agency's acts after placement (contacts, promises, payments) never enter: they would leak the outcome. Gender, age
and names never enter either.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One declared column: name, Polars type, the moment it is known at, unit, and meaning."""

    name: str
    dtype: pl.DataType
    unit: str
    meaning: str
    known_at: Literal["placement"] = "placement"


class FeatureError(ValueError):
    """The frame's columns are not exactly the registry's, or hold another type or nulls.

    code: COLUMNS, TYPE or NULLS; facts: what the sentence names. Faces say it in the reader's language.
    """

    def __init__(self, text: str, *, code: str, **facts: Any) -> None:
        super().__init__(text)
        self.code, self.facts = code, facts


#: products in the order of their numeric code; an unknown product gets the code after the last
PRODUCT_CODES: Final[tuple[str, ...]] = ("CASH_LOAN", "INSTALMENT", "CARD", "MICRO_BUSINESS")

FEATURES: Final[tuple[Feature, ...]] = (
    Feature(name="months_late", dtype=pl.Int64(), unit="months", meaning="months past due, 1 = M1"),
    Feature(name="days_past_due", dtype=pl.Int64(), unit="days", meaning="days since the oldest unpaid due date"),
    Feature(name="balance_minor", dtype=pl.Int64(), unit="minor units", meaning="principal, interest and fees owed"),
    Feature(name="credit_limit_minor", dtype=pl.Int64(), unit="minor units", meaning="limit or amount lent"),
    Feature(name="product", dtype=pl.String(), unit="code", meaning="product of the loan"),
    Feature(name="province_code", dtype=pl.String(), unit="GB/T 2260", meaning="province of residence, six digits"),
    Feature(name="months_on_book", dtype=pl.Int64(), unit="months", meaning="whole months since opening"),
    Feature(name="paid_months_6", dtype=pl.Int64(), unit="months", meaning="of the last six months, those with a payment"),
    Feature(name="paid_minor_6", dtype=pl.Int64(), unit="minor units", meaning="paid in the last six months"),
    Feature(name="worst_months_late_6", dtype=pl.Int64(), unit="months", meaning="worst status of the last six months"),
    Feature(name="accounts_held", dtype=pl.Int64(), unit="accounts", meaning="overdue accounts of the same borrower"),
)  # fmt: skip
NAMES: Final[tuple[str, ...]] = tuple(feature.name for feature in FEATURES)
#: columns whose numbers are names, not quantities
CATEGORICAL: Final[tuple[str, ...]] = ("product", "province_code")


def check(*, frame: pl.DataFrame) -> pl.DataFrame:
    """Give the frame's columns in registry order; raises FeatureError for other columns, other types and nulls."""
    surplus, missing = sorted(set(frame.columns) - set(NAMES)), sorted(set(NAMES) - set(frame.columns))
    if surplus or missing:
        raise FeatureError(
            f"columns are not the registry's: surplus {surplus}, missing {missing}",
            code="COLUMNS", surplus=", ".join(surplus), missing=", ".join(missing),
        )  # fmt: skip
    for feature in FEATURES:
        if frame.schema[feature.name] != feature.dtype:
            given = frame.schema[feature.name]
            raise FeatureError(
                f"{feature.name} is {given}, not {feature.dtype}",
                code="TYPE", name=feature.name, given=str(given), needed=str(feature.dtype),
            )  # fmt: skip
        if frame[feature.name].null_count():
            raise FeatureError(f"{feature.name} has nulls", code="NULLS", name=feature.name)
    return frame.select(NAMES)


def matrix(*, frame: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Turn a checked frame of n rows into float64 of shape (n, len(FEATURES)); codes stand for names.

    A product becomes its position in PRODUCT_CODES, a province its first two digits (11 ... 65, 0 unknown).
    """
    known = check(frame=frame)
    product = pl.col("product").replace_strict(
        list(PRODUCT_CODES),
        list(range(len(PRODUCT_CODES))),
        default=len(PRODUCT_CODES),
        return_dtype=pl.Int64,
    )
    province = pl.col("province_code").str.slice(0, 2).cast(pl.Int64, strict=False).fill_null(0).clip(0, 99)
    return known.with_columns(product, province).cast(pl.Float64).to_numpy()


def from_book(*, accounts: pl.DataFrame, history: pl.DataFrame, at: date) -> pl.DataFrame:
    """Compute the registry's columns for each account, in the order of `accounts`.

    accounts: external_id, borrower_external_id, opened_on Date and the columns of the same name. history:
    account_external_id, paid_minor, months_late; at most the six months up to `at`. Accounts without history get zeros.
    """
    past = history.group_by("account_external_id").agg(
        paid_months_6=(pl.col("paid_minor") > 0).sum().cast(pl.Int64),
        paid_minor_6=pl.col("paid_minor").sum(),
        worst_months_late_6=pl.col("months_late").max(),
    )
    joined = accounts.join(
        past, left_on="external_id", right_on="account_external_id", how="left", maintain_order="left"
    )
    columns = joined.with_columns(
        pl.col("paid_months_6", "paid_minor_6").fill_null(0),
        worst_months_late_6=pl.col("worst_months_late_6").fill_null(pl.col("months_late")),
        months_on_book=((pl.lit(at) - pl.col("opened_on")).dt.total_days() * 12).floordiv(365),
        accounts_held=pl.len().over("borrower_external_id").cast(pl.Int64),
    )
    return check(frame=columns.select(NAMES))
