"""Amounts of money: integer minor units and an ISO 4217 currency, never a float.

Source of the exponents: ISO 4217 list one (SIX), currencies a lender's book may hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

#: ISO 4217 code → digits after the decimal mark
EXPONENTS: Final[dict[str, int]] = {
    "AED": 2, "AUD": 2, "BHD": 3, "BRL": 2, "CAD": 2, "CHF": 2, "CLP": 0, "CNY": 2, "CZK": 2, "DKK": 2, "EUR": 2,
    "GBP": 2, "HKD": 2, "HUF": 2, "IDR": 2, "ILS": 2, "INR": 2, "JOD": 3, "JPY": 0, "KRW": 0, "KWD": 3, "MOP": 2,
    "MXN": 2, "MYR": 2, "NOK": 2, "NZD": 2, "OMR": 3, "PHP": 2, "PLN": 2, "RUB": 2, "SAR": 2, "SEK": 2, "SGD": 2,
    "THB": 2, "TND": 3, "TRY": 2, "TWD": 2, "USD": 2, "VND": 0, "ZAR": 2,
}  # fmt: skip
#: BIGINT of the database and Int64 of the frames; no amount may leave it
MOST_MINOR: Final = 2**63 - 1
#: one whole in basis points
BPS: Final = 10_000


class MoneyError(ValueError):
    """The amounts cannot be combined or stored: a float, two currencies, an unknown currency, or beyond 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount in minor units (fen, cent) of one currency.

    Raises MoneyError for a float, a bool, a currency without an exponent and an amount beyond 64 bits.
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        check_minor(self.amount_minor)
        if self.currency not in EXPONENTS:
            raise MoneyError(f"unknown currency {self.currency!r}")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(amount_minor=self.amount_minor + other.amount_minor, currency=self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(amount_minor=self.amount_minor - other.amount_minor, currency=self.currency)

    def __neg__(self) -> Money:
        return Money(amount_minor=-self.amount_minor, currency=self.currency)

    def __mul__(self, factor: int) -> Money:
        return Money(amount_minor=self.amount_minor * check_minor(factor), currency=self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount_minor < other.amount_minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount_minor <= other.amount_minor

    def __bool__(self) -> bool:
        return self.amount_minor != 0

    def to_decimal(self) -> Decimal:
        """Give the amount in major units, exact, with the currency's number of decimals."""
        return Decimal(self.amount_minor).scaleb(-EXPONENTS[self.currency])

    @classmethod
    def from_decimal(cls, *, amount: Decimal, currency: str) -> Money:
        """Read an amount in major units; raises MoneyError when it has more decimals than the currency."""
        if not isinstance(amount, Decimal) or not amount.is_finite():
            raise MoneyError("amount must be a finite Decimal")
        if currency not in EXPONENTS:
            raise MoneyError(f"unknown currency {currency!r}")
        scaled = Fraction(amount) * 10 ** EXPONENTS[currency]
        if scaled.denominator != 1:
            raise MoneyError(f"more decimals than {currency} has")
        return cls(amount_minor=scaled.numerator, currency=currency)

    def _same(self, other: Money) -> None:
        if not isinstance(other, Money):
            raise MoneyError("money combines with money only")
        if other.currency != self.currency:
            raise MoneyError(f"mixed currencies {self.currency} and {other.currency}")


def check_minor(value: int) -> int:
    """Give the value back when it is an int within 64 bits; raises MoneyError else (bool and float among them)."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise MoneyError(f"minor units are int, not {type(value).__name__}")
    if not -MOST_MINOR <= value <= MOST_MINOR:
        raise MoneyError("amount beyond 64 bits")
    return value


def round_half_even(*, numerator: int, denominator: int) -> int:
    """Divide and round to the nearest integer, ties to the even one (statistics, interest). denominator > 0."""
    whole, rest = divmod(numerator, _positive(denominator))
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def round_half_up(*, numerator: int, denominator: int) -> int:
    """Divide and round to the nearest integer, ties away from zero (commission 佣金). denominator > 0.

    Away from zero, so that the claw-back of a commission is exactly its negative.
    """
    whole = (2 * abs(numerator) + _positive(denominator)) // (2 * denominator)
    return -whole if numerator < 0 else whole


def round_down(*, numerator: int, denominator: int) -> int:
    """Divide and cut towards zero. denominator > 0."""
    whole = abs(numerator) // _positive(denominator)
    return -whole if numerator < 0 else whole


def round_half_up_column(
    *, numerator: npt.NDArray[np.int64], denominator: npt.NDArray[np.int64] | int
) -> npt.NDArray[np.int64]:
    """Compute `round_half_up` by column, int64 in and out; |2 * numerator + denominator| must fit 64 bits."""
    n = np.asarray(numerator, dtype=np.int64)
    d = np.asarray(denominator, dtype=np.int64)
    if (d <= 0).any():
        raise MoneyError("denominator must be positive")
    return np.sign(n) * ((2 * np.abs(n) + d) // (2 * d))


def split_largest_remainder(*, total: int, weights: Sequence[int | Decimal | Fraction]) -> list[int]:
    """Split minor units in proportion to the weights; the parts sum to the whole, to the cent.

    Largest remainder (Hamilton): each part is cut, what is left goes one unit each to the largest remainders, ties to
    the earlier position. A negative total is split as its mirror image. Exact for any size.
    Raises MoneyError for no weights, a negative or float weight, or weights that sum to zero.
    """
    check_minor(total)
    if not weights or any(isinstance(w, float) for w in weights):
        raise MoneyError("weights must be a non-empty sequence of int, Decimal or Fraction")
    exact = [Fraction(w) for w in weights]
    whole = sum(exact, Fraction(0))
    if min(exact) < 0 or whole == 0:
        raise MoneyError("weights must not be negative and must not sum to zero")
    sign = -1 if total < 0 else 1
    shares = [abs(total) * w / whole for w in exact]
    parts = [share.numerator // share.denominator for share in shares]
    left = abs(total) - sum(parts)
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - shares[i], i))
    for i in order[:left]:
        parts[i] += 1
    return [sign * part for part in parts]


def _positive(denominator: int) -> int:
    if denominator <= 0:
        raise MoneyError("denominator must be positive")
    return denominator
