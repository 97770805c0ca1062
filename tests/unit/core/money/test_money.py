"""Money by examples: worked numbers, and everything that is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from weituo.core import money
from weituo.core.money import FeeSchedule, Money, MoneyError, Tier, Transfer, Waterfall

CNY = "CNY"


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),  # ties go to the earlier position
        (-100, [1, 1, 1], [-34, -33, -33]),
        (1, [1, 1], [1, 0]),
        (0, [3, 5], [0, 0]),
        (10, [0, 7], [0, 10]),
        (7, [5, 3, 2], [4, 2, 1]),  # 3.5, 2.1, 1.4: the half is the largest remainder
    ],
)
def test_splits_with_worked_numbers(total: int, weights: list[int], parts: list[int]) -> None:
    assert money.split_largest_remainder(total=total, weights=weights) == parts


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [0.5, 0.5]])
def test_splits_without_sense_are_refused(weights: list[Any]) -> None:
    with pytest.raises(MoneyError):
        money.split_largest_remainder(total=10, weights=weights)


@pytest.mark.parametrize("amount", [1.0, True, "1", None, Decimal(1), 2**63, np.float64(1)])
def test_money_refuses_all_but_integers_of_64_bits(amount: Any) -> None:
    with pytest.raises(MoneyError):
        Money(amount_minor=amount, currency=CNY)


def test_mixed_and_unknown_currencies_are_refused() -> None:
    with pytest.raises(MoneyError, match="mixed"):
        Money(amount_minor=1, currency=CNY) + Money(amount_minor=1, currency="USD")
    with pytest.raises(MoneyError, match="unknown"):
        Money(amount_minor=1, currency="XXX")
    with pytest.raises(MoneyError, match="money only"):
        Money(amount_minor=1, currency=CNY) + 1  # type: ignore[operator]
    with pytest.raises(MoneyError):
        Money(amount_minor=1, currency=CNY) * 0.5  # type: ignore[operator]


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [(12345, "CNY", "123.45"), (12345, "JPY", "12345"), (12345, "KWD", "12.345"), (-5, "CNY", "-0.05")],
)
def test_exponents(amount_minor: int, currency: str, text: str) -> None:
    amount = Money(amount_minor=amount_minor, currency=currency)
    assert str(amount.to_decimal()) == text
    assert Money.from_decimal(amount=Decimal(text), currency=currency) == amount


@pytest.mark.parametrize("amount", [Decimal("0.001"), Decimal("NaN"), Decimal("Infinity"), 0.1])
def test_amounts_finer_than_the_currency_are_refused(amount: Any) -> None:
    with pytest.raises(MoneyError):
        Money.from_decimal(amount=amount, currency=CNY)


@pytest.mark.parametrize(
    ("numerator", "even", "up", "down"),
    [
        (5, 2, 3, 2),
        (15, 8, 8, 7),
        (-5, -2, -3, -2),
        (4, 2, 2, 2),
        (7, 4, 4, 3),
        (-7, -4, -4, -3),
        (1, 0, 1, 0),
    ],
)
def test_rounding_halves(numerator: int, even: int, up: int, down: int) -> None:
    assert money.round_half_even(numerator=numerator, denominator=2) == even
    assert money.round_half_up(numerator=numerator, denominator=2) == up
    assert money.round_down(numerator=numerator, denominator=2) == down


def test_a_denominator_of_zero_is_refused() -> None:
    for rounding in (money.round_half_even, money.round_half_up, money.round_down):
        with pytest.raises(MoneyError):
            rounding(numerator=1, denominator=0)
    with pytest.raises(MoneyError):
        money.round_half_up_column(numerator=np.array([1]), denominator=0)


def test_waterfall_pays_fees_then_interest_then_principal() -> None:
    due = {"fee": 300, "interest": 500, "principal": 10_000}
    applied = Waterfall().apply(amount_minor=1_000, due_minor=due)
    assert applied.parts == {"fee": 300, "interest": 500, "principal": 200}
    assert applied.unapplied_minor == 0
    principal_first = Waterfall(order=("principal", "interest", "fee")).apply(
        amount_minor=10_900, due_minor=due
    )
    assert principal_first.parts == {"principal": 10_000, "interest": 500, "fee": 300}
    assert principal_first.unapplied_minor == 100


@pytest.mark.parametrize(
    ("amount", "due"),
    [
        (-1, {"fee": 0, "interest": 0, "principal": 0}),
        (1, {"fee": -1, "interest": 0, "principal": 0}),
        (1, {"fee": 1}),
    ],
)
def test_waterfall_refuses_negatives_and_other_parts(amount: int, due: dict[str, int]) -> None:
    with pytest.raises(MoneyError):
        Waterfall().apply(amount_minor=amount, due_minor=due)
    columns = {k: np.array([v]) for k, v in due.items()}
    with pytest.raises(MoneyError):
        Waterfall().apply_columns(amount_minor=np.array([amount]), due_minor=columns)


@pytest.mark.parametrize("order", [(), ("fee", "fee")])
def test_waterfall_refuses_orders_without_sense(order: tuple[str, ...]) -> None:
    with pytest.raises(MoneyError):
        Waterfall(order=order)


@pytest.mark.parametrize(
    ("kind", "amount", "fee"),
    [
        ("stepped", 99_999, 20_000),  # 20 % of 999.99 yuan = 199.998, half-up
        ("stepped", 100_000, 30_000),  # the whole base at 30 %
        ("marginal", 100_000, 20_000),
        ("marginal", 150_000, 35_000),  # 20,000 + 30 % of 50,000
        ("marginal", -150_000, -35_000),
    ],
)
def test_schedules_with_worked_numbers(kind: Any, amount: int, fee: int) -> None:
    schedule = money.schedule_from_rows(rows=[(100_000, 3_000), (0, 2_000)], kind=kind)
    assert schedule.commission_minor(amount_minor=amount) == fee


def test_commission_rounds_a_half_up() -> None:
    assert money.commission_minor(amount_minor=25, fee_bps=1_000) == 3  # 2.5
    assert money.commission_minor(amount_minor=-25, fee_bps=1_000) == -3


@pytest.mark.parametrize(
    "tiers",
    [(), ((1, 100),), ((0, 100), (0, 200)), ((0, 100), (5, 10_001)), ((0, -1),), ((0, 100), (9, 1), (5, 1))],
)
def test_schedules_without_sense_are_refused(tiers: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(MoneyError):
        FeeSchedule(tiers=tuple(Tier(from_minor=a, fee_bps=b) for a, b in tiers))


def test_fees_and_columns_out_of_range_are_refused() -> None:
    with pytest.raises(MoneyError):
        money.commission_minor(amount_minor=1, fee_bps=10_001)
    with pytest.raises(MoneyError):
        money.commission_column(amount_minor=np.array([1]), fee_bps=-1)
    with pytest.raises(MoneyError):
        money.commission_column(amount_minor=np.array([2**60]), fee_bps=1)
    with pytest.raises(MoneyError):
        FeeSchedule(tiers=(Tier(from_minor=0, fee_bps=1),), kind="flat")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 0}, {"amount_minor": -1}, {"amount_minor": 1.0}, {"currency": "XXX"}, {"credit": "CASH"},
        {"debit": ""}, {"reason_code": ""},
    ],
)  # fmt: skip
def test_transfers_without_sense_are_refused(change: dict[str, Any]) -> None:
    fields = {
        "debit": "CASH",
        "credit": "LOANS",
        "amount_minor": 1,
        "currency": CNY,
        "reason_code": "PAYMENT",
    }
    with pytest.raises(MoneyError):
        Transfer(**(fields | change))


def test_a_reversal_names_its_reason() -> None:
    paid = Transfer(debit="CASH", credit="LOANS", amount_minor=5, currency=CNY, reason_code="PAYMENT")
    undone = money.reverse(transfer=paid)
    assert (undone.debit, undone.credit, undone.reason_code) == ("LOANS", "CASH", "REVERSAL:PAYMENT")
