"""The proof, recomputed from the problem alone: no assignment can be worth more than `bound_minor`.

Lagrange: for prices λ ≥ 0 of the limits, every assignment that keeps them is worth at most
Σ_i max(0, max_j (v_ij − what account i takes of j's limits at their prices)) + Σ λ·most − Σ λ·least.
That holds for any prices, so rounding the solver's prices to millionths costs tightness, never truth: all sums here are
exact integers. Nothing of the solver is used; only the problem, an assignment and a list of prices are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from weituo.core.allocation.problem import Ints, Problem

#: prices are whole millionths of a minor unit (an account) or of a minor unit per minor unit (balance)
SCALE: Final = 1_000_000
#: beyond this a sum might not fit 64 bits, so that Python's own integers add up instead
_EXACT_MAX: Final = 2.0**61


def value_minor(*, problem: Problem, assignment: Ints) -> int:
    """Add up what an assignment (agency positions, −1 in-house) is worth above keeping everything in-house."""
    total = 0
    for agency in range(len(problem.agencies)):
        total += int(problem.value_minor[assignment == agency, agency].sum())
    return total


def bound_minor(*, problem: Problem, prices: Sequence[Mapping[str, Any]]) -> int:
    """Compute an upper bound on the value of every assignment within the limits, in minor units, rounded up.

    prices: rows with kind, agency (position), bucket, price (≥ 0; minor units an account, or a share of balance).
    Prices of limits that the problem does not state are ignored. An infinite limit cannot have a price.
    """
    terms = [term for row in prices if (term := _term(problem, row)) is not None]
    largest = sum(
        abs(price) * (float(problem.balance_minor.max(initial=0)) if money else 1.0)
        for price, _, money, _, _ in terms
    )
    largest += float(np.abs(problem.value_minor).max(initial=0)) * SCALE
    exact: Any = np.int64 if largest < _EXACT_MAX else object
    balance = problem.balance_minor.astype(exact)
    net = problem.value_minor.astype(exact) * SCALE
    constant = 0
    for price, amount, money, agency, bucket in terms:
        constant += price * amount
        part = price * balance if money else np.full(problem.size, price, dtype=exact)
        net[:, agency] -= part if bucket is None else np.where(problem.bucket == bucket, part, 0)
    best = np.where(problem.eligible, net, 0).max(axis=1, initial=0)
    whole, rest = int((best // SCALE).sum()), int((best % SCALE).sum())
    return whole + -(-(rest + constant) // SCALE)


def _term(problem: Problem, row: Mapping[str, Any]) -> tuple[int, int, bool, int, str | None] | None:
    """Read one price: signed millionths (least amounts count against), the limit's amount, money?, agency, bucket."""
    agency, kind, bucket = int(row["agency"]), str(row["kind"]), str(row["bucket"])
    price, limits = max(round(float(row["price"]) * SCALE), 0), problem.limits[agency]
    amounts: dict[str, tuple[int | None, int, bool, str | None]] = {
        "accounts_max": (limits.accounts_max, 1, False, None),
        "accounts_min": (limits.accounts_min, -1, False, None),
        "balance_max": (limits.balance_max_minor, 1, True, None),
        "balance_min": (limits.balance_min_minor, -1, True, None),
        "bucket_accounts_max": (limits.bucket_accounts_max.get(bucket), 1, False, bucket),
    }
    amount, sign, money, of_bucket = amounts[kind]
    return None if amount is None or price == 0 else (sign * price, amount, money, agency, of_bucket)


def broken(*, problem: Problem, assignment: Ints) -> list[dict[str, Any]]:
    """List every limit that an assignment breaks: limit, agency, bucket, asked, got; and pairs that are not eligible."""
    found: list[dict[str, Any]] = []

    def say(limit: str, agency: int, asked: int, got: int, bucket: str = "") -> None:
        found.append(
            {
                "limit": limit,
                "agency": problem.agencies[agency],
                "bucket": bucket,
                "asked": asked,
                "got": got,
            }
        )

    for agency, limits in enumerate(problem.limits):
        mine = assignment == agency
        count, balance = int(mine.sum()), int(problem.balance_minor[mine].sum())
        wrong = int((mine & ~problem.eligible[:, agency]).sum())
        if wrong:
            say("eligible", agency, 0, wrong)
        if limits.accounts_max is not None and count > limits.accounts_max:
            say("accounts_max", agency, limits.accounts_max, count)
        if count < limits.accounts_min:
            say("accounts_min", agency, limits.accounts_min, count)
        if limits.balance_max_minor is not None and balance > limits.balance_max_minor:
            say("balance_max", agency, limits.balance_max_minor, balance)
        if balance < limits.balance_min_minor:
            say("balance_min", agency, limits.balance_min_minor, balance)
        for bucket, most in sorted(limits.bucket_accounts_max.items()):
            held = int((mine & (problem.bucket == bucket)).sum())
            if held > most:
                say("bucket_accounts_max", agency, most, held, bucket)
    return found
