"""Laws of money: nothing appears, nothing vanishes, and columns agree with the scalar reference."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from weituo.core.money import (
    EXPONENTS,
    FeeSchedule,
    Money,
    Transfer,
    Waterfall,
    commission_column,
    commission_expr,
    commission_minor,
    reverse,
    round_half_even,
    round_half_up,
    round_half_up_column,
    schedule_from_rows,
    split_largest_remainder,
    trial_balance,
    trial_balance_frame,
)

AMOUNTS = st.integers(-(10**12), 10**12)
DUES = st.integers(0, 10**11)
BPS = st.integers(0, 10_000)
CURRENCIES = st.sampled_from(sorted(EXPONENTS))
WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any)
ORDERS = st.permutations(["fee", "interest", "principal"]).map(tuple)
TRANSFERS = st.builds(
    lambda sides, amount_minor, currency: Transfer(
        debit=sides[0], credit=sides[1], amount_minor=amount_minor, currency=currency, reason_code="PAYMENT"
    ),
    sides=st.permutations(["CASH", "RECEIVABLE", "FEES", "PAYABLE"]),
    amount_minor=st.integers(1, 10**12),
    currency=st.sampled_from(["CNY", "USD", "JPY"]),
)
SCHEDULES = st.builds(
    lambda starts, rates, kind: schedule_from_rows(
        rows=[(0, rates[0]), *zip(sorted(starts), rates[1:], strict=False)], kind=kind
    ),
    starts=st.sets(st.integers(1, 10**8), max_size=4),
    rates=st.lists(BPS, min_size=5, max_size=5),
    kind=st.sampled_from(["stepped", "marginal"]),
)


@given(total=AMOUNTS, weights=WEIGHTS)
def test_split_sums_to_the_whole_and_misses_no_share_by_a_unit(total: int, weights: list[int]) -> None:
    parts = split_largest_remainder(total=total, weights=weights)
    assert sum(parts) == total
    assert all(abs(p - Fraction(total * w, sum(weights))) < 1 for p, w in zip(parts, weights, strict=True))
    assert all(p == 0 for p, w in zip(parts, weights, strict=True) if w == 0)


@given(total=AMOUNTS, weights=WEIGHTS)
def test_split_gives_a_heavier_weight_no_less(total: int, weights: list[int]) -> None:
    parts = [abs(p) for p in split_largest_remainder(total=total, weights=weights)]
    ranked = sorted(zip(weights, parts, strict=True))
    assert all(a[1] <= b[1] for a, b in itertools.pairwise(ranked) if a[0] < b[0])


@given(total=AMOUNTS, weights=WEIGHTS)
def test_split_of_the_negative_is_the_mirror(total: int, weights: list[int]) -> None:
    there = split_largest_remainder(total=total, weights=weights)
    assert split_largest_remainder(total=-total, weights=weights) == [-p for p in there]


@given(a=AMOUNTS, b=AMOUNTS, currency=CURRENCIES)
def test_money_adds_as_integers_and_survives_decimals(a: int, b: int, currency: str) -> None:
    one, two = Money(amount_minor=a, currency=currency), Money(amount_minor=b, currency=currency)
    assert (one + two).amount_minor == a + b
    assert one - two == -(two - one)
    assert (one < two) == (a < b)
    assert Money.from_decimal(amount=one.to_decimal(), currency=currency) == one


@given(n=AMOUNTS, d=st.integers(1, 10**6))
def test_rounding_is_nearest_and_breaks_ties_as_named(n: int, d: int) -> None:
    exact = Fraction(n, d)
    up, even = round_half_up(numerator=n, denominator=d), round_half_even(numerator=n, denominator=d)
    assert abs(up - exact) <= Fraction(1, 2)
    assert even == round(exact)
    assert up == -round_half_up(numerator=-n, denominator=d)
    assert round_half_up_column(numerator=np.array([n]), denominator=d).tolist() == [up]
    if (exact * 2).denominator == 1 and exact.denominator == 2:
        assert abs(up) == abs(exact) + Fraction(1, 2)


@given(amount=DUES, fee=DUES, interest=DUES, principal=DUES, order=ORDERS)
def test_waterfall_keeps_the_money_and_the_order(
    amount: int, fee: int, interest: int, principal: int, order: tuple[str, ...]
) -> None:
    due = {"fee": fee, "interest": interest, "principal": principal}
    applied = Waterfall(order=order).apply(amount_minor=amount, due_minor=due)
    assert sum(applied.parts.values()) + applied.unapplied_minor == amount
    assert all(0 <= applied.parts[part] <= due[part] for part in due)
    for earlier, later in itertools.pairwise(order):
        assert applied.parts[later] == 0 or applied.parts[earlier] == due[earlier]
    assert applied.unapplied_minor == max(0, amount - sum(due.values()))


@given(rows=st.lists(st.tuples(DUES, DUES, DUES, DUES), max_size=30), order=ORDERS)
def test_waterfall_columns_equal_the_scalar(
    rows: list[tuple[int, int, int, int]], order: tuple[str, ...]
) -> None:
    waterfall = Waterfall(order=order)
    names = ["amount", "fee", "interest", "principal"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int64), orient="row")
    due = {name: frame[name].to_numpy() for name in names[1:]}
    parts, left = waterfall.apply_columns(amount_minor=frame["amount"].to_numpy(), due_minor=due)
    exprs = waterfall.exprs(amount_minor=pl.col("amount"), due_minor={n: pl.col(n) for n in names[1:]})
    polars = frame.select(**{f"paid_{k}": v for k, v in exprs.items()})
    for i, (amount, fee, interest, principal) in enumerate(rows):
        one = waterfall.apply(
            amount_minor=amount, due_minor={"fee": fee, "interest": interest, "principal": principal}
        )
        assert {part: int(parts[part][i]) for part in order} == one.parts
        assert int(left[i]) == one.unapplied_minor == polars["paid_unapplied"][i]
        assert {part: polars[f"paid_{part}"][i] for part in order} == one.parts


@given(amounts=st.lists(st.tuples(AMOUNTS, BPS), min_size=1, max_size=30))
def test_flat_commission_columns_equal_the_scalar(amounts: list[tuple[int, int]]) -> None:
    frame = pl.DataFrame(amounts, schema={"a": pl.Int64, "b": pl.Int64}, orient="row")
    expected = [commission_minor(amount_minor=a, fee_bps=b) for a, b in amounts]
    assert (
        commission_column(amount_minor=frame["a"].to_numpy(), fee_bps=frame["b"].to_numpy()).tolist()
        == expected
    )
    assert (
        frame.select(commission_expr(amount_minor=pl.col("a"), fee_bps=pl.col("b"))).to_series().to_list()
        == expected
    )
    assert expected == [FeeSchedule.flat(fee_bps=b).commission_minor(amount_minor=a) for a, b in amounts]


@given(a=AMOUNTS, b=AMOUNTS, fee_bps=BPS)
def test_flat_commission_is_odd_bounded_and_additive_to_one_unit(a: int, b: int, fee_bps: int) -> None:
    fee = commission_minor(amount_minor=a, fee_bps=fee_bps)
    assert fee == -commission_minor(amount_minor=-a, fee_bps=fee_bps)
    assert abs(fee) <= abs(a)
    parts = fee + commission_minor(amount_minor=b, fee_bps=fee_bps)
    assert abs(parts - commission_minor(amount_minor=a + b, fee_bps=fee_bps)) <= 1


@given(schedule=SCHEDULES, amounts=st.lists(AMOUNTS, min_size=1, max_size=30))
def test_schedule_columns_equal_the_scalar(schedule: FeeSchedule, amounts: list[int]) -> None:
    expected = [schedule.commission_minor(amount_minor=a) for a in amounts]
    assert schedule.commission_column(amount_minor=np.array(amounts, dtype=np.int64)).tolist() == expected


@given(schedule=SCHEDULES, amount=DUES, more=DUES)
def test_a_marginal_schedule_never_pays_less_for_more(schedule: FeeSchedule, amount: int, more: int) -> None:
    marginal = FeeSchedule(tiers=schedule.tiers, kind="marginal")
    rates = [tier.fee_bps for tier in schedule.tiers]
    low, high = (marginal.commission_minor(amount_minor=a) for a in (amount, amount + more))
    assert low <= high
    assert commission_minor(amount_minor=amount, fee_bps=min(rates)) <= low
    assert low <= commission_minor(amount_minor=amount, fee_bps=max(rates))


@given(transfers=st.lists(TRANSFERS, max_size=40))
def test_every_trial_balance_is_zero_and_reversals_empty_the_books(transfers: list[Transfer]) -> None:
    books = trial_balance(transfers=transfers)
    assert books.balanced
    assert set(books.difference_minor.values()) <= {0}
    undone = trial_balance(transfers=[*transfers, *(reverse(transfer=t) for t in transfers)])
    assert set(undone.balance_minor.values()) <= {0}


@given(transfer=TRANSFERS)
def test_reversing_twice_restores_the_transfer(transfer: Transfer) -> None:
    assert reverse(transfer=transfer) != transfer
    assert reverse(transfer=reverse(transfer=transfer)) == transfer


@given(transfers=st.lists(TRANSFERS, min_size=1, max_size=40))
def test_trial_balance_of_a_frame_equals_that_of_objects(transfers: list[Transfer]) -> None:
    frame = pl.DataFrame(
        [(t.debit, t.credit, t.currency, t.amount_minor) for t in transfers],
        schema={"debit": pl.String, "credit": pl.String, "currency": pl.String, "amount_minor": pl.Int64},
        orient="row",
    )
    rows = trial_balance_frame(transfers=frame)
    books = trial_balance(transfers=transfers)
    assert {(a, c): b for a, c, _, _, b in rows.iter_rows()} == books.balance_minor


@given(weights=st.lists(st.decimals(0, 1, places=4), min_size=1, max_size=6).filter(any), total=AMOUNTS)
def test_split_takes_exact_decimals(weights: list[Decimal], total: int) -> None:
    assert sum(split_largest_remainder(total=total, weights=weights)) == total
