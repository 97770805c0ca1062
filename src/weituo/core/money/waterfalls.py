"""Waterfalls: in which order a payment pays the parts of a debt.

The order is data (of the contract or the law), not code: by default fees, then interest, then principal, the order of
Civil Code of the PRC (2021) article 561: costs of realising the claim, interest, principal debt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from weituo.core.money.amounts import MoneyError, check_minor

#: Civil Code of the PRC, article 561
DEFAULT_ORDER: Final[tuple[str, ...]] = ("fee", "interest", "principal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What a payment paid: minor units a part, in the waterfall's order, and what no part could take."""

    parts: Mapping[str, int]
    unapplied_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """An order of parts. Raises MoneyError when it is empty or names a part twice."""

    order: tuple[str, ...] = DEFAULT_ORDER

    def __post_init__(self) -> None:
        if not self.order or len(set(self.order)) != len(self.order):
            raise MoneyError("a waterfall names each part once")

    def apply(self, *, amount_minor: int, due_minor: Mapping[str, int]) -> Applied:
        """Apply a payment to what is due.

        amount_minor >= 0. due_minor: exactly the waterfall's parts, each >= 0. No part gets more than is due, parts
        and unapplied sum to the amount, and a later part gets nothing before the earlier ones are paid in full.
        Raises MoneyError for negative amounts and for parts that differ from the order's.
        """
        if set(due_minor) != set(self.order):
            raise MoneyError("due parts differ from the waterfall's")
        if check_minor(amount_minor) < 0 or any(check_minor(due) < 0 for due in due_minor.values()):
            raise MoneyError("a waterfall takes no negative amounts")
        left = amount_minor
        parts: dict[str, int] = {}
        for part in self.order:
            parts[part] = min(left, due_minor[part])
            left -= parts[part]
        return Applied(parts=parts, unapplied_minor=left)

    def apply_columns(
        self, *, amount_minor: npt.NDArray[np.int64], due_minor: Mapping[str, npt.NDArray[np.int64]]
    ) -> tuple[dict[str, npt.NDArray[np.int64]], npt.NDArray[np.int64]]:
        """Apply one payment a row: arrays of shape (n,) int64; gives (parts, unapplied), equal to `apply` row by row."""
        if set(due_minor) != set(self.order):
            raise MoneyError("due parts differ from the waterfall's")
        left = np.array(amount_minor, dtype=np.int64)
        if (left < 0).any() or any((np.asarray(due) < 0).any() for due in due_minor.values()):
            raise MoneyError("a waterfall takes no negative amounts")
        parts: dict[str, npt.NDArray[np.int64]] = {}
        for part in self.order:
            parts[part] = np.minimum(left, np.asarray(due_minor[part], dtype=np.int64))
            left = left - parts[part]
        return parts, left

    def exprs(self, *, amount_minor: pl.Expr, due_minor: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
        """Build Polars expressions, Int64: one a part, and `unapplied`. Amounts must be >= 0; the caller checks."""
        if set(due_minor) != set(self.order):
            raise MoneyError("due parts differ from the waterfall's")
        left = amount_minor.cast(pl.Int64)
        out: dict[str, pl.Expr] = {}
        for part in self.order:
            due = due_minor[part].cast(pl.Int64)
            out[part] = pl.min_horizontal(left, due)
            left = (left - due).clip(lower_bound=0)
        out["unapplied"] = left
        return out
