"""One step of the prices: the minimum of a damped quadratic plus the limits' own piecewise-linear terms."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from weituo.core.allocation.problem import Floats

#: a sweep that moves this little of what the first one moved is the last
SETTLED: Final = 1e-8
#: curvature of what has none, of the greatest there is
TINY: Final = 1e-7


@njit(cache=True)
def settle(z, slope, curve, most, least, floor, ceiling):  # type: ignore[no-untyped-def]
    """Minimise slope·(t − z) + curve/2·(t − z)² + most·t⁺ + least·t⁻ over floor ≤ t ≤ ceiling."""
    t = z - (slope + most) / curve
    # a limit without a most has no price above zero, whatever its slope there
    if t < 0.0 or ceiling == 0.0:
        t = z - (slope + least) / curve
        t = min(t, 0.0)
    return min(max(t, floor), ceiling)


@njit(cache=True)
def sweep_over(  # type: ignore[no-untyped-def]
    row, money, slope, money_slope, near, cross, far, column, stiff, stiff_money, hold, hold_money, most, least, floor, ceiling,
    money_most, money_least, money_floor, money_ceiling, sweeps,
):  # fmt: skip
    """Descend coordinate by coordinate from (row, money): new prices, and how they push (cells, k) and (k,)."""
    k, rows, cells = column.shape
    new, new_money = row.copy(), money.copy()
    push, push_money = np.zeros((cells, k)), np.zeros(k)
    first = 0.0
    for sweep in range(sweeps):
        moved = 0.0
        for a in range(k):
            for j in range(rows):
                if floor[a, j] == 0.0 and ceiling[a, j] == 0.0:
                    continue
                pull = slope[a, j] + hold[a, j] * (new[a, j] - row[a, j])
                for p in range(cells):
                    pull += column[a, j, p] * push[p, a]
                curve = stiff[a, j] + hold[a, j]
                t = settle(new[a, j], pull, curve, most[a, j], least[a, j], floor[a, j], ceiling[a, j])
                d = t - new[a, j]
                if d == 0.0:
                    continue
                new[a, j] = t
                moved = max(moved, d * d * curve)
                for p in range(cells):
                    c = column[a, j, p] * d
                    if c != 0.0:
                        for b in range(k):
                            push[p, b] += c * near[p, a, b]
                            push_money[b] += c * cross[p, a, b]
            if money_floor[a] == 0.0 and money_ceiling[a] == 0.0:
                continue
            pull = money_slope[a] + push_money[a] + hold_money[a] * (new_money[a] - money[a])
            curve = stiff_money[a] + hold_money[a]
            t = settle(
                new_money[a], pull, curve, money_most[a], money_least[a], money_floor[a], money_ceiling[a]
            )
            d = t - new_money[a]
            if d != 0.0:
                new_money[a] = t
                moved = max(moved, d * d * curve)
                for p in range(cells):
                    for b in range(k):
                        push[p, b] += d * cross[p, a, b]
                for b in range(k):
                    push_money[b] += d * far[a, b]
        if sweep == 0:
            first = moved
        if moved <= SETTLED * first or moved == 0.0:
            break
    return new, new_money, push, push_money


def step(
    *, row: Floats, money: Floats, slope: Floats, money_slope: Floats, curves: tuple[Floats, Floats, Floats], rows: Any,
    natural: tuple[Floats, Floats], damping: float, sweeps: int,
) -> tuple[Floats, Floats, float]:  # fmt: skip
    """One damped Newton step by coordinate descent: new prices, and the predicted fall of the bound.

    natural (k, 1 + 2s), (k,): curvature if units were spread evenly over the usual value; damping holds by it where the true
    one is stiffer, so that agencies that are nearly the same can move together. rows: `prices.Rows`. curves: curvature between
    prices of cells, of cells and money (cells, k, k), of money (k, k).
    """
    near, cross, far = curves
    k = row.shape[0]
    own = near[:, np.arange(k), np.arange(k)]
    stiff, stiff_money = np.einsum("kjp,pk->kj", rows.column**2, own), far[np.arange(k), np.arange(k)]
    tiny = max(float(stiff.max(initial=0.0)), float(stiff_money.max(initial=0.0)), 1e-12) * TINY
    hold = damping * np.minimum(stiff, natural[0]) + tiny
    hold_money = damping * np.minimum(stiff_money, natural[1]) + tiny
    new, new_money, push, push_money = sweep_over(
        row, money, slope, money_slope, near, cross, far, rows.column, stiff, stiff_money, hold, hold_money, rows.most, rows.least,
        rows.floor, rows.ceiling, rows.money_most, rows.money_least, rows.money_floor, rows.money_ceiling, sweeps,
    )  # fmt: skip
    d, d_money = new - row, new_money - money
    pushed = np.einsum("kjp,pk->kj", rows.column, push)
    fall = -float((d * (slope + 0.5 * pushed)).sum()) - float(
        (d_money * (money_slope + 0.5 * push_money)).sum()
    )
    fall -= _terms(rows.most, rows.least, new) - _terms(rows.most, rows.least, row)
    fall -= _terms(rows.money_most, rows.money_least, new_money) - _terms(
        rows.money_most, rows.money_least, money
    )
    return new, new_money, fall


def _terms(most: Floats, least: Floats, price: Floats) -> float:
    return float((most * np.maximum(price, 0.0) + least * np.minimum(price, 0.0)).sum())
