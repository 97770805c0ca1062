"""Double entry: money moves from one ledger account to another, or not at all.

A transfer debits one account and credits another by the same amount, so every set of transfers balances by
construction; undoing is a new transfer with the sides exchanged. Source: the transfer model of double-entry
bookkeeping (Pacioli 1494) as used by transfer-based ledgers: no single-sided entries exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from weituo.core.money.amounts import EXPONENTS, MoneyError, check_minor

#: prefix of the reason of a reversal
REVERSAL: Final = "REVERSAL:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One movement: debit and credit are ledger account codes, amount_minor > 0, reason_code is the act's code.

    Raises MoneyError for an amount that is not a positive int, an unknown currency, equal or empty sides, no reason.
    """

    debit: str
    credit: str
    amount_minor: int
    currency: str
    reason_code: str

    def __post_init__(self) -> None:
        if check_minor(self.amount_minor) <= 0:
            raise MoneyError("a transfer moves a positive amount")
        if self.currency not in EXPONENTS:
            raise MoneyError(f"unknown currency {self.currency!r}")
        if not self.debit or not self.credit or self.debit == self.credit:
            raise MoneyError("a transfer has two different sides")
        if not self.reason_code:
            raise MoneyError("a transfer has a reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBalance:
    """Sums by (ledger account, currency): debits, credits, and their difference, in minor units."""

    debit_minor: dict[tuple[str, str], int]
    credit_minor: dict[tuple[str, str], int]

    @property
    def balance_minor(self) -> dict[tuple[str, str], int]:
        """Debits less credits a ledger account and currency."""
        keys = self.debit_minor.keys() | self.credit_minor.keys()
        return {key: self.debit_minor.get(key, 0) - self.credit_minor.get(key, 0) for key in sorted(keys)}

    @property
    def difference_minor(self) -> dict[str, int]:
        """Debits less credits a currency over all ledger accounts: zero for each, or the books are broken."""
        out: dict[str, int] = {}
        for (_, currency), balance in self.balance_minor.items():
            out[currency] = out.get(currency, 0) + balance
        return out

    @property
    def balanced(self) -> bool:
        """Whether debits equal credits in every currency."""
        return not any(self.difference_minor.values())


def trial_balance(*, transfers: Iterable[Transfer]) -> TrialBalance:
    """Sum transfers into a trial balance; exact for any number of transfers."""
    debit: dict[tuple[str, str], int] = {}
    credit: dict[tuple[str, str], int] = {}
    for transfer in transfers:
        for side, code in ((debit, transfer.debit), (credit, transfer.credit)):
            key = (code, transfer.currency)
            side[key] = side.get(key, 0) + transfer.amount_minor
    return TrialBalance(debit_minor=debit, credit_minor=credit)


def trial_balance_frame(*, transfers: pl.DataFrame) -> pl.DataFrame:
    """Sum a frame of transfers by column, for more rows than objects should carry.

    transfers: debit, credit, currency String, amount_minor Int64 > 0. Returns ledger_account, currency String,
    debit_minor, credit_minor, balance_minor Int64, sorted; equal to `trial_balance`.
    """
    sides = pl.concat(
        [
            transfers.select(
                ledger_account=pl.col(side), currency="currency",
                debit_minor=pl.col("amount_minor") if side == "debit" else pl.lit(0, dtype=pl.Int64),
                credit_minor=pl.col("amount_minor") if side == "credit" else pl.lit(0, dtype=pl.Int64),
            )
            for side in ("debit", "credit")
        ]
    )  # fmt: skip
    return (
        sides.group_by("ledger_account", "currency")
        .agg(pl.col("debit_minor").sum(), pl.col("credit_minor").sum())
        .with_columns(balance_minor=pl.col("debit_minor") - pl.col("credit_minor"))
        .sort("ledger_account", "currency")
    )


def reverse(*, transfer: Transfer) -> Transfer:
    """Make the transfer that undoes this one: sides exchanged; the reason names the reversed one's.

    A reversal of a reversal restores the transfer as it was, reason included.
    """
    reason = transfer.reason_code
    undone = reason.removeprefix(REVERSAL) if reason.startswith(REVERSAL) else REVERSAL + reason
    return replace(transfer, debit=transfer.credit, credit=transfer.debit, reason_code=undone)
