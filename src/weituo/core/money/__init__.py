"""Money in integer minor units: amounts, splitting, waterfalls, commissions, double entry.

amounts      Money(amount_minor, currency) + - * < <= · to_decimal · from_decimal(amount, currency) · EXPONENTS ·
             MoneyError · round_half_even, round_half_up, round_down (numerator, denominator) · round_half_up_column ·
             split_largest_remainder(total, weights) -> list[int]
waterfalls   Waterfall(order=("fee", "interest", "principal")).apply(amount_minor, due_minor) -> Applied(parts,
             unapplied_minor) · .apply_columns(...) numpy · .exprs(...) Polars
commissions  commission_minor(amount_minor, fee_bps) · commission_column · commission_expr ·
             FeeSchedule(tiers=(Tier(from_minor, fee_bps), ...), kind="stepped" | "marginal") .commission_minor(
             amount_minor) .commission_column(amount_minor) · FeeSchedule.flat(fee_bps) · schedule_from_rows(rows, kind)
entries      Transfer(debit, credit, amount_minor, currency, reason_code) · trial_balance(transfers) -> TrialBalance ·
             trial_balance_frame(transfers) · reverse(transfer)

All arguments are keywords. Floats are refused everywhere.
"""

from __future__ import annotations

from weituo.core.money.amounts import (
    BPS,
    EXPONENTS,
    Money,
    MoneyError,
    check_minor,
    round_down,
    round_half_even,
    round_half_up,
    round_half_up_column,
    split_largest_remainder,
)
from weituo.core.money.commissions import (
    FeeSchedule,
    Tier,
    commission_column,
    commission_expr,
    commission_minor,
    schedule_from_rows,
)
from weituo.core.money.entries import Transfer, TrialBalance, reverse, trial_balance, trial_balance_frame
from weituo.core.money.waterfalls import DEFAULT_ORDER, Applied, Waterfall

__all__ = [
    "Money", "MoneyError", "EXPONENTS", "BPS", "check_minor", "round_half_even", "round_half_up", "round_down",
    "round_half_up_column", "split_largest_remainder", "Waterfall", "Applied", "DEFAULT_ORDER", "FeeSchedule", "Tier",
    "commission_minor", "commission_column", "commission_expr", "schedule_from_rows", "Transfer", "TrialBalance",
    "trial_balance", "trial_balance_frame", "reverse",
]  # fmt: skip
