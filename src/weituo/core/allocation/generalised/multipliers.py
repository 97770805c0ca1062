"""Good multipliers: prices of capacity first, then multipliers of the jobs, each step one knapsack an agent.

1. Prices λ of capacity: maximise Σ_j min_i (c_ij + λ_i a_ij) − Σ_i λ_i b_i, the bound of the linear program, by a damped subgradient.
2. Multipliers u of the jobs: u_j = min_i (c_ij + λ_i a_ij) is where the subgradient of the knapsack dual starts (steps of Polyak's
   length along a smoothed direction). Each knapsack is solved around its break item: lists of undominated states, one item put in or
   taken out at a time, states dropped once their linear bound is no better than the best found (Pisinger 1997).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from weituo.core.allocation.generalised.problem import Floats

#: states of one knapsack list, and changes that can be remembered; beyond them the linear bound is taken
STATES_MAX: Final = 20_000
CHANGES_MAX: Final = 200_000
#: an item without weight stands before all others
_ENDLESS: Final = 1e300


class Lists(NamedTuple):
    """Room for one knapsack: two lists of states (weight, profit, last change) and the changes (item, change before)."""

    weight: Any
    profit: Any
    change: Any
    item: Any
    before: Any


def lists() -> Lists:
    """Make room for knapsacks."""
    return Lists(
        weight=np.empty((2, STATES_MAX)),
        profit=np.empty((2, STATES_MAX)),
        change=np.empty((2, STATES_MAX), dtype=np.int64),
        item=np.empty(CHANGES_MAX, dtype=np.int64),
        before=np.empty(CHANGES_MAX, dtype=np.int64),
    )


@njit(cache=True, nogil=True)
def capacity_prices(cost, resource, capacity, steps):  # type: ignore[no-untyped-def]
    """Find prices λ (m,) of capacity and their bound."""
    m, n = cost.shape
    price, best, slope = np.zeros(m), np.zeros(m), np.empty(m)
    moment, square = np.zeros(m), np.zeros(m)
    best_value = -_ENDLESS
    scale = 0.0
    for i in range(m):
        spread = np.abs(cost[i]).mean() / max(resource[i].mean(), 1e-12)
        scale = max(scale, spread)
    for step in range(steps):
        value = 0.0
        for i in range(m):
            slope[i] = -capacity[i]
            value -= price[i] * capacity[i]
        for j in range(n):
            least, at = _ENDLESS, 0
            for i in range(m):
                priced = cost[i, j] + price[i] * resource[i, j]
                if priced < least and resource[i, j] <= capacity[i]:
                    least, at = priced, i
            value += least
            slope[at] += resource[at, j]
        if value > best_value:
            best_value = value
            best[:] = price
        pace = 0.3 * scale * 0.5 ** (12.0 * step / steps)
        for i in range(m):
            relative = slope[i] / max(capacity[i], 1e-12)
            moment[i] = 0.8 * moment[i] + 0.2 * relative
            square[i] = 0.95 * square[i] + 0.05 * relative * relative
            price[i] = max(0.0, price[i] + pace * moment[i] / (np.sqrt(square[i]) + 1e-9))
    return best, best_value


@njit(cache=True, nogil=True)
def _grow(room, lists, old, held, item, weight, profit, right, left, most, made):  # type: ignore[no-untyped-def]
    """Merge a list with itself changed by one item; give states held, best profit, its change, changes made (−1: full)."""
    new, first, second, count, last, best_change = 1 - old, 0, 0, 0, -_ENDLESS, -2
    while first < held or second < held:
        if second >= held or (
            first < held and lists.weight[old, first] <= lists.weight[old, second] + weight
        ):
            w, p, change, changed = (
                lists.weight[old, first],
                lists.profit[old, first],
                lists.change[old, first],
                False,
            )
            first += 1
        else:
            w, p = lists.weight[old, second] + weight, lists.profit[old, second] + profit
            change, changed = lists.change[old, second], True
            second += 1
        if p <= last:
            continue
        better = w <= room and p > most
        bound = p + (room - w) * (right if w <= room else left)
        if bound <= most + 1e-9 and not better:
            continue
        if count >= STATES_MAX or made >= CHANGES_MAX:
            return count, most, best_change, -1
        if changed:
            lists.before[made], lists.item[made] = change, item
            change = made
            made += 1
        if better:
            most, best_change = p, change
        last = p
        lists.weight[new, count], lists.profit[new, count], lists.change[new, count] = w, p, change
        count += 1
    return count, most, best_change, made


@njit(cache=True, nogil=True)
def knapsack(profit, weight, items, room, lists, chosen):  # type: ignore[no-untyped-def]
    """Solve one knapsack of items in order of profit per weight; give an upper bound and what `chosen` is worth."""
    taken, worth, split = 0.0, 0.0, 0
    while split < items and taken + weight[split] <= room:
        taken += weight[split]
        worth += profit[split]
        split += 1
    for item in range(items):
        chosen[item] = item < split
    if split == items:
        return worth, worth
    most, most_change, made = worth, -1, 0
    old, held, left, right = 0, 1, split - 1, split
    lists.weight[0, 0], lists.profit[0, 0], lists.change[0, 0] = taken, worth, -1
    while held > 0 and (left >= 0 or right < items):
        for side in range(2):
            if (side == 0 and right >= items) or (side == 1 and left < 0):
                continue
            if side == 0:
                item, sign = right, 1.0
                right += 1
            else:
                item, sign = left, -1.0
                left -= 1
            after = profit[right] / weight[right] if right < items else 0.0
            before = profit[left] / weight[left] if left >= 0 else _ENDLESS
            held, most, change, made = _grow(
                room,
                lists,
                old,
                held,
                item,
                sign * weight[item],
                sign * profit[item],
                after,
                before,
                most,
                made,
            )
            if change != -2:
                most_change = change
            if made < 0 or held == 0:
                break
            old = 1 - old
        if made < 0:
            break
    bound = most if made >= 0 else max(most, worth + (room - taken) * profit[split] / weight[split])
    while most_change >= 0:
        chosen[lists.item[most_change]] = not chosen[lists.item[most_change]]
        most_change = lists.before[most_change]
    return bound, most


@njit(cache=True, nogil=True)
def dual_value(cost, resource, room, multipliers, lists, taken):  # type: ignore[no-untyped-def]
    """Give the bound for multipliers (n,) and count in `taken` (n,) by how many agents each job is taken."""
    m, n = cost.shape
    profit, weight, chosen = np.empty(n), np.empty(n), np.empty(n, np.bool_)
    job, rank = np.empty(n, np.int64), np.empty(n)
    taken[:] = 0.0
    total = multipliers.sum()
    for i in range(m):
        count = 0
        for j in range(n):
            worth = multipliers[j] - cost[i, j]
            if worth <= 0 or resource[i, j] > room[i]:
                continue
            if resource[i, j] == 0:
                total -= worth
                taken[j] += 1
                continue
            job[count], rank[count] = j, -worth / resource[i, j]
            count += 1
        order = np.argsort(rank[:count])
        for place in range(count):
            j = job[order[place]]
            profit[place], weight[place] = multipliers[j] - cost[i, j], resource[i, j]
        bound, _ = knapsack(profit, weight, count, room[i], lists, chosen)
        total -= bound
        for place in range(count):
            if chosen[place]:
                taken[job[order[place]]] += 1
    return total


@njit(cache=True, nogil=True)
def climb(cost, resource, room, start, target, pace, steps, lists):  # type: ignore[no-untyped-def]
    """Raise the bound from `start` towards `target` by at most `steps` steps; give multipliers, bound and pace.

    pace: share of Polyak's step to begin with, at most 1; 0 comes back when no step helps any more.
    """
    n = cost.shape[1]
    now, best, direction, taken = start.copy(), start.copy(), np.zeros(n), np.empty(n)
    best_value, idle = -_ENDLESS, 0
    for _ in range(steps):
        value = dual_value(cost, resource, room, now, lists, taken)
        idle = 0 if value > best_value + 1e-7 * abs(value) else idle + 1
        if value > best_value:
            best_value = value
            best[:] = now
        if idle >= 15:
            pace, idle = 0.7 * pace, 0
            now[:] = best
            direction[:] = 0.0
            if pace < 1e-4:
                return best, best_value, 0.0
        length = 0.0
        for j in range(n):
            direction[j] = 0.7 * direction[j] + 0.3 * (1.0 - taken[j])
            length += direction[j] * direction[j]
        if length < 1e-12:
            return best, best_value, 0.0
        stride = pace * max(target - value, 1e-9 * abs(value) + 1e-12) / length
        for j in range(n):
            now[j] += stride * direction[j]
    return best, best_value, pace


def on_grid(multipliers: Floats, *, fine: float) -> Floats:
    """Round multipliers to a grid on which whole costs add up exactly."""
    return np.rint(multipliers * fine) / fine
