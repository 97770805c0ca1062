"""Commission 佣金 on recovered money: contingency fees in basis points, flat, stepped or marginal.

flat      one rate
stepped   the rate of the tier that the base falls in applies to the whole base (whole-amount scale)
marginal  each slice of the base is paid at its own tier's rate (as in income tax)
Every commission is rounded once, at the end, half-up (ties away from zero), to a minor unit.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from weituo.core.money.amounts import BPS, MoneyError, check_minor, round_half_up, round_half_up_column

#: the fee cannot exceed the money: 100 %
MOST_FEE_BPS: Final = BPS
#: columns hold amount * fee * 2 in 64 bits below this many minor units (4.6 * 10^12 yuan)
MOST_COLUMN_MINOR: Final = (2**63 - 1) // (2 * BPS) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One step of a schedule: from this base (inclusive, minor units) up to the next tier, this rate."""

    from_minor: int
    fee_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeSchedule:
    """A schedule of fees. The first tier starts at 0, bases rise strictly, rates are 0 to 10,000 bps.

    Raises MoneyError when the tiers break that. A flat schedule has one tier; its kind does not matter.
    """

    tiers: tuple[Tier, ...]
    kind: Literal["stepped", "marginal"] = "stepped"

    def __post_init__(self) -> None:
        starts = [check_minor(tier.from_minor) for tier in self.tiers]
        if not starts or starts[0] != 0 or any(b <= a for a, b in itertools.pairwise(starts)):
            raise MoneyError("tiers start at 0 and rise strictly")
        for tier in self.tiers:
            _check_bps(tier.fee_bps)
        if self.kind not in ("stepped", "marginal"):
            raise MoneyError(f"unknown schedule kind {self.kind!r}")

    @classmethod
    def flat(cls, *, fee_bps: int) -> FeeSchedule:
        """Make a schedule with one rate."""
        return cls(tiers=(Tier(from_minor=0, fee_bps=fee_bps),))

    def commission_minor(self, *, amount_minor: int) -> int:
        """Compute the commission on a base of minor units; a negative base (claw-back) gives the exact negative."""
        base = abs(check_minor(amount_minor))
        sign = -1 if amount_minor < 0 else 1
        if self.kind == "stepped":
            rate = [tier.fee_bps for tier in self.tiers if tier.from_minor <= base][-1]
            weighted = base * rate
        else:
            ends = [tier.from_minor for tier in self.tiers[1:]] + [max(base, self.tiers[-1].from_minor)]
            weighted = sum(
                max(0, min(base, end) - tier.from_minor) * tier.fee_bps
                for tier, end in zip(self.tiers, ends, strict=True)
            )
        return sign * round_half_up(numerator=weighted, denominator=BPS)

    def commission_column(self, *, amount_minor: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Compute the commission a row: int64 of shape (n,), equal to `commission_minor` row by row.

        Raises MoneyError for an amount beyond MOST_COLUMN_MINOR.
        """
        amount = np.asarray(amount_minor, dtype=np.int64)
        base = _check_column(amount)
        starts = np.array([tier.from_minor for tier in self.tiers], dtype=np.int64)
        rates = np.array([tier.fee_bps for tier in self.tiers], dtype=np.int64)
        if self.kind == "stepped":
            weighted = base * rates[np.searchsorted(starts, base, side="right") - 1]
        else:
            weighted = base * rates[0]
            for start, change in zip(starts[1:], np.diff(rates), strict=True):
                weighted = weighted + np.maximum(base - start, 0) * change
        return np.sign(amount) * round_half_up_column(numerator=weighted, denominator=BPS)


def commission_minor(*, amount_minor: int, fee_bps: int) -> int:
    """Compute a flat commission: amount * bps / 10,000, rounded half-up (ties away from zero).

    Not additive: fee(a) + fee(b) may differ from fee(a + b) by one minor unit; a contract says which base it rounds.
    """
    return round_half_up(numerator=check_minor(amount_minor) * _check_bps(fee_bps), denominator=BPS)


def commission_column(
    *, amount_minor: npt.NDArray[np.int64], fee_bps: npt.NDArray[np.int64] | int
) -> npt.NDArray[np.int64]:
    """Compute `commission_minor` a row, int64; raises MoneyError beyond MOST_COLUMN_MINOR or outside 0 ... 10,000."""
    amount = np.asarray(amount_minor, dtype=np.int64)
    rate = np.asarray(fee_bps, dtype=np.int64)
    _check_column(amount)
    if ((rate < 0) | (rate > MOST_FEE_BPS)).any():
        raise MoneyError("fee_bps must be 0 to 10,000")
    return round_half_up_column(numerator=amount * rate, denominator=BPS)


def commission_expr(*, amount_minor: pl.Expr, fee_bps: pl.Expr | int) -> pl.Expr:
    """Build the Polars form of `commission_minor`, Int64; |amount| <= MOST_COLUMN_MINOR and 0 <= bps <= 10,000."""
    weighted = amount_minor.cast(pl.Int64) * (pl.lit(fee_bps) if isinstance(fee_bps, int) else fee_bps).cast(
        pl.Int64
    )
    return weighted.sign() * (2 * weighted.abs() + BPS).floordiv(2 * BPS)


def schedule_from_rows(
    *, rows: Sequence[tuple[int, int]], kind: Literal["stepped", "marginal"]
) -> FeeSchedule:
    """Make a schedule from (from_minor, fee_bps) rows, as a contract's table stores them, sorted by from_minor."""
    return FeeSchedule(tiers=tuple(Tier(from_minor=a, fee_bps=b) for a, b in sorted(rows)), kind=kind)


def _check_bps(fee_bps: int) -> int:
    if not 0 <= check_minor(fee_bps) <= MOST_FEE_BPS:
        raise MoneyError("fee_bps must be 0 to 10,000")
    return fee_bps


def _check_column(amount: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if amount.size and (amount.max() > MOST_COLUMN_MINOR or amount.min() < -MOST_COLUMN_MINOR):
        raise MoneyError("amount too large for columns")
    return np.abs(amount)
