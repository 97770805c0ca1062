"""Whole accounts: from each unit's best agency at the prices to an assignment within every limit, at the least loss.

At the prices almost every unit has one best agency; only the contested ones, whose best agencies are nearly equal, are moved.
A move costs regret (r of the best less r of the other) and changes the agencies' burdens: what their limits are worth at the
prices, plus a charge for every unit by which a limit is broken. The sum of regrets and burdens is the bound less the value,
so lowering it closes the proven gap. Charges rise from round to round. `moving` has the moves. No unit that was
fixed beforehand is among the contested.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numba import njit

from weituo.core.allocation import moving
from weituo.core.allocation.moving import CHAIN
from weituo.core.allocation.problem import Floats, Ints

#: nearest units kept of a cell and pair of agencies when exchanges are looked for
KEPT: Final = 12
#: turns of all kinds of moves at one level of charges, and at the last
TURNS: Final = 3
TURNS_LAST: Final = 60


@njit(cache=True)
def breaches(held, mine, owed, high, low, count_min, count_max, balance_min, balance_max, soft, soft_money):  # type: ignore[no-untyped-def]
    """Count the units by which hard limits are broken: accounts by count and mix, minor units by balance. soft (k, 2)."""
    k, s = mine.shape
    total = 0.0
    for a in range(k):
        if soft[a, 0] == np.inf:
            total += max(held[a] - count_max[a], count_min[a] - held[a], 0)
        if soft_money[a] == np.inf:
            total += max(owed[a] - balance_max[a], balance_min[a] - owed[a], 0)
        if soft[a, 1] == np.inf:
            for u in range(s):
                if high[a, u] > 0.0:
                    total += max(mine[a, u] - np.ceil(high[a, u] * held[a] - 1e-9), 0.0)
                if low[a, u] > 0.0:
                    total += max(np.floor(low[a, u] * held[a] + 1e-9) - mine[a, u], 0.0)
    return total


@njit(cache=True)
def options(r, reach):  # type: ignore[no-untyped-def]
    """List each unit's agencies within `reach` of its best: (starts (m + 1,), agencies)."""
    m, k = r.shape
    starts = np.zeros(m + 1, np.int64)
    for i in range(m):
        best = r[i].max()
        for b in range(k):
            starts[i + 1] += best - r[i, b] < reach
        starts[i + 1] += starts[i]
    agencies = np.empty(starts[m], np.int32)
    for i in range(m):
        best = r[i].max()
        at = starts[i]
        for b in range(k):
            if best - r[i, b] < reach:
                agencies[at] = b
                at += 1
    return starts, agencies


def make_whole(
    *, r: Floats, at: Ints, cell: Ints, balance: Ints, reach: float, scale: float, parts: Ints, held: Ints, mine: Ints, owed: Ints,
    rate: Floats, mu: Floats, high: Floats, low: Floats, least: Ints, most: Ints, aim: Ints, balance_min: Ints, balance_max: Ints,
    soft: Floats, soft_money: Floats, levels: Sequence[float],
) -> None:  # fmt: skip
    """Move contested units (changed in `at`, `held`, `mine`, `owed`) until no move of any kind lowers the sum.

    r (m, k) at the prices; rate (k, 1 + 2s) and mu (k,) the prices. soft, soft_money: what a broken unit is charged at most
    (inf: any). levels: factors of `scale` (the usual loss of a move) added to the price of every limit as its charge.
    """
    m, k = r.shape
    s, cells = parts.shape[1], parts.shape[0]
    starts, agencies = options(r, reach)
    leave, join, trade = np.zeros((k, cells)), np.zeros((k, cells)), np.zeros((k, cells, cells))
    many = (np.empty((cells, k, k, KEPT), np.int64), np.empty((cells, k, k, KEPT)))
    one = (np.empty((cells, k, k, 1), np.int64), np.empty((cells, k, k, 1)))
    dirty = np.ones((2, cells, k), np.bool_)
    room = max(m, k * k * cells * cells)
    listed = (np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room))
    paths = (
        np.empty((CHAIN, k, cells)),
        np.zeros((CHAIN, k, cells, 3), np.int64),
        np.zeros((CHAIN, 3), np.int64),
    )
    mean = max(float(balance.mean()), 1.0) if m else 1.0
    # what one more account is worth at the prices, whatever its segment: its charge must outweigh it
    worth = np.abs(
        rate[:, 0] + (rate[:, 1 + s :] * low).sum(axis=1) - (rate[:, 1 : 1 + s] * high).sum(axis=1)
    )
    for number, level in enumerate(levels):
        extra = level * scale
        charge = np.minimum(np.column_stack([worth, rate[:, 1:]]) + extra, soft)
        charge_money = np.minimum(np.abs(mu) + extra / mean, soft_money)
        for a in range(k):
            moving.refresh(
                a, held, mine, parts, rate, high, low, least, most, aim, charge, leave, join, trade
            )
        state = (
            r, starts, agencies, at, cell, balance, parts, held, mine, owed, dirty, rate, mu, high, low, least, most, aim,
            balance_min, balance_max, charge, charge_money, leave, join, trade,
        )  # fmt: skip
        for _ in range(TURNS_LAST if number == len(levels) - 1 else TURNS):
            made = moving.singles(*state, *listed)
            made += moving.exchange(*state, *many, *listed)
            made += moving.chain(*state, *one, *paths)
            if made == 0:
                break
