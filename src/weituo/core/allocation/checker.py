"""The proof, recomputed by itself: it shares no code with the solver and believes nothing that the solver says.

For any prices — a_sj per account of segment s at agency j, m_j per unit of balance — no assignment is worth more than

    Σ_units max_j (value − Σ_s a_sj · accounts of s − m_j · balance)  +  Σ_j most_j  +  Σ_j (m_j⁺ balance_max_j − m_j⁻ balance_min_j)

where most_j is the largest Σ_s a_sj w_s over whole numbers w of accounts that agency j's count and mix limits allow, less the
fines where limits may be broken. All in float64 without fast-math, with an outward margin for what rounding can hide.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit

WINDOW, SLABS = 2_048, 8


@njit(cache=True, nogil=True)
def add_up(value, balance, cell, fixed, agency, pay, money, sums, held, owed):  # type: ignore[no-untyped-def]
    """Add the units' part of the bound, its absolute size and the value; count units and balance by agency."""
    for i in range(value.shape[0]):
        b, c, best = float(balance[i]), cell[i], -np.inf
        for j in range(value.shape[1]):
            best = max(best, float(value[i, j]) - pay[c, j] - money[j] * b)
        if fixed.size and fixed[i] >= 0:
            best = float(value[i, fixed[i]]) - pay[c, fixed[i]] - money[fixed[i]] * b
        sums[0] += best
        sums[1] += abs(best) + b * 1e-12
        sums[2] += float(value[i, agency[i]])
        held[c, agency[i]] += 1
        owed[agency[i]] += balance[i]


def most_of(
    a: Any, low: Any, high: Any, fine: float, least: int, most: int, count_fine: float, size: int
) -> float:
    """Bound Σ a_s w_s from above: w whole, n = Σ w, low_s n ≤ w_s ≤ high_s n rounded outward, least ≤ n ≤ most."""
    order = np.argsort(-a, kind="stable")
    room = 1.0 - np.maximum(low, 0.0).sum()
    pivot = a[order[-1]]
    for s in order:
        room -= min(high[s], 1.0) - max(low[s], 0.0)
        if room <= 0:
            pivot = a[s]
            break
    up, down = np.maximum(a - pivot, 0.0), np.maximum(pivot - a, 0.0)
    slope = pivot + (up * np.minimum(high, 1.0)).sum() - (down * np.maximum(low, 0.0)).sum()
    loose = (up * (high < 1.0)).sum() + (down * (low > 0.0)).sum()
    if np.isfinite(fine):
        slope += (
            np.maximum(up - fine, 0.0).sum() + (np.maximum(down - fine, 0.0) * np.maximum(low, 0.0)).sum()
        )
    top = min(most, size)
    if np.isfinite(count_fine):
        ends = [(0, least), (least, 0), (top, 0), (size, size - top)]
        return max(slope * n + (loose if n else 0.0) - over * count_fine for n, over in ends)
    if least > top:
        return -np.inf
    if np.isfinite(fine):
        return float(max(slope * least, slope * top) + loose)
    best = -np.inf
    for n in (np.arange(least, min(least + WINDOW, top) + 1), np.arange(max(least, top - WINDOW), top + 1)):
        lows = np.floor(np.maximum(low, 0.0)[:, None] * n + 1e-9)
        highs = np.minimum(np.ceil(np.minimum(high, 1.0)[:, None] * n - 1e-9), n)
        left, total = n - lows.sum(axis=0), a @ lows
        for s in order:
            took = np.minimum(left, highs[s] - lows[s])
            left, total = left - took, total + a[s] * took
        best = max(best, float(np.where((left == 0) & (highs >= lows).all(axis=0), total, -np.inf).max()))
    if top - least > 2 * WINDOW:
        best = max(best, slope * (least + WINDOW) + loose, slope * (top - WINDOW) + loose)
    return best


def check(*, problem: Any, agency: Any, price: Any, money: Any, threads: int = 2) -> dict[str, Any]:
    """Recompute value, bound, what each agency holds and by how much each limit is broken, for prices (s, k) and (k,).

    Returns value (fines taken off), bound, held (s, k), owed (k,), broken: {"count", "balance" (k,), "mix" (k, s)}.
    """
    lim, k, S, n = problem.limits, problem.agencies, problem.segments, problem.size
    value, balance, cell, fixed, parts = (
        problem.value,
        problem.balance,
        problem.segment,
        problem.fixed,
        np.eye(S),
    )
    held = np.stack([np.bincount(agency[problem.segment == s], minlength=k)[:k] for s in range(S)])
    torn = 0
    if problem.unit.size:
        order = np.argsort(problem.unit, kind="stable")
        first = np.flatnonzero(np.r_[True, np.diff(problem.unit[order]) != 0][:n])
        mixes = np.stack([np.add.reduceat(problem.segment[order] == s, first) for s in range(S)], axis=1)
        parts, cell = np.unique(mixes, axis=0, return_inverse=True)
        cell = cell.reshape(-1)
        value = np.add.reduceat(value[order].astype(np.float64), first)
        balance = np.add.reduceat(balance[order], first)
        fixed = np.maximum.reduceat(fixed[order], first) if fixed.size else fixed
        together = np.minimum.reduceat(agency[order], first)
        torn = int((np.maximum.reduceat(agency[order], first) != together).sum())
        agency = together
    pay = np.ascontiguousarray(parts @ price)
    edges = np.linspace(0, len(value), SLABS + 1).astype(np.int64)

    def slab(x: int) -> Any:
        rows = slice(edges[x], edges[x + 1])
        sums, units, owed = np.zeros(3), np.zeros(pay.shape), np.zeros(k, dtype=np.int64)
        add_up(
            value[rows], balance[rows], cell[rows], fixed[rows], agency[rows], pay, money, sums, units, owed
        )
        return sums, owed

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(slab, range(SLABS)))
    sums, owed = sum(part[0] for part in found), sum(part[1] for part in found)
    share = np.bincount(problem.segment, minlength=S) / max(n, 1)
    return judge(
        limits=lim, size=n, share=share, price=price, money=money, sums=sums, held=held, owed=owed,
        balance=int(balance.sum()), longest=len(value) // SLABS + 1,
    ) | {"torn": torn}  # fmt: skip


def judge(
    *,
    limits: Any,
    size: int,
    share: Any,
    price: Any,
    money: Any,
    sums: Any,
    held: Any,
    owed: Any,
    balance: int,
    longest: int,
) -> dict[str, Any]:
    """Conclude from what was added up over `size` accounts with so much balance, at most `longest` of them in one sum."""
    lim, k, n, q = limits, price.shape[1], size, share
    total, lost, bound = held.sum(axis=0), 0.0, float(sums[0])
    for j in range(k):
        low, high = q - lim.tolerance[j], q + lim.tolerance[j]
        bound += most_of(
            price[:, j],
            low,
            high,
            lim.mix_price[j],
            int(lim.count_min[j]),
            int(lim.count_max[j]),
            lim.count_price[j],
            n,
        )
        m = float(np.clip(money[j], -lim.balance_price[j], lim.balance_price[j]))
        bound += m * float(lim.balance_max[j] if m > 0 else lim.balance_min[j])
        # a price beyond the fine is clipped; what the clipping lets through is bounded by all balance there is
        bound += abs(float(money[j]) - m) * float(balance)
    broken = {
        "count": np.maximum(total - lim.count_max, np.maximum(lim.count_min - total, 0)),
        "balance": np.maximum(owed - lim.balance_max, np.maximum(lim.balance_min - owed, 0)),
        "mix": np.stack([np.maximum(held[:, j] - np.ceil(np.minimum(q + lim.tolerance[j], 1) * total[j] - 1e-9),
                np.maximum(np.floor(np.maximum(q - lim.tolerance[j], 0) * total[j] + 1e-9) - held[:, j], 0)) for j in range(k)]),
    }  # fmt: skip
    for name, fine in (
        ("count", lim.count_price),
        ("balance", lim.balance_price),
        ("mix", lim.mix_price[:, None]),
    ):
        lost += float(
            np.where(broken[name] > 0, broken[name] * np.where(np.isfinite(fine), fine, 0.0), 0.0).sum()
        )
    margin = (float(sums[1]) + abs(bound)) * (longest + SLABS) * 2.0**-53 + 1e-9
    return {
        "value": float(sums[2]) - lost,
        "bound": bound + margin,
        "held": held,
        "owed": owed,
        "broken": broken,
    }
