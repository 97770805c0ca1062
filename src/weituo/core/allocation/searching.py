"""A last resort for small or tight problems: search among whole assignments until every limit is kept.

`enumerate_all` goes through all assignments of few units, leaving out what the limits or the prices rule out; `anneal` does
what can be done by chance where there are too many.

Single moves and exchanges are tried at random and taken by the rule of simulated annealing (Kirkpatrick, Gelatt and Vecchi
1983) on value less charges for broken limits; a limit that stays broken grows dearer, as in breakout search (Morris 1993).
The best assignment that keeps all hard limits is remembered. The same seed gives the same search.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def broken(  # type: ignore[no-untyped-def]
    a, held, mine, owed, high, low, count_min, count_max, balance_min, balance_max, mean, weight, fine
):
    """Give what agency a's broken limits cost: (charges of hard ones, fines of soft ones). weight, fine (k, 3)."""
    n = held[a]
    count = float(max(n - count_max[a], count_min[a] - n, 0))
    money = float(max(owed[a] - balance_max[a], balance_min[a] - owed[a], 0))
    mix = 0.0
    for u in range(mine.shape[1]):
        if high[a, u] > 0.0:
            mix += max(mine[a, u] - np.ceil(high[a, u] * n - 1e-9), 0.0)
        if low[a, u] > 0.0:
            mix += max(np.floor(low[a, u] * n + 1e-9) - mine[a, u], 0.0)
    hard, soft = 0.0, 0.0
    for t, much, unit in ((0, count, 1.0), (1, money, mean), (2, mix, 1.0)):
        if fine[a, t] == np.inf:
            hard += weight[a, t] * (much / unit + (0.05 if much > 0.0 else 0.0))
        else:
            soft += fine[a, t] * much
    return hard, soft


@njit(cache=True)
def put(i, b, at, cell, balance, parts, held, mine, owed):  # type: ignore[no-untyped-def]
    """Move unit i to agency b."""
    a = at[i]
    for u in range(parts.shape[1]):
        c = parts[cell[i], u]
        mine[a, u] -= c
        mine[b, u] += c
        held[a] -= c
        held[b] += c
    owed[a] -= balance[i]
    owed[b] += balance[i]
    at[i] = b


@njit(cache=True)
def draw_moves(value, starts, agencies, at, unit, to):  # type: ignore[no-untyped-def]
    """Draw one move, an exchange of two units, or a round trip of three over three agencies; give how many units move."""
    m = value.shape[0]
    i = np.random.randint(m)
    a = at[i]
    b = agencies[starts[i] + np.random.randint(starts[i + 1] - starts[i])]
    if a == b:
        return 0
    unit[0], to[0] = i, b
    kind = np.random.random()
    if kind < 0.3:
        return 1
    for _ in range(24):
        j = np.random.randint(m)
        if at[j] != b:
            continue
        if kind < 0.75:
            if value[j, a] > -np.inf:
                unit[1], to[1] = j, a
                return 2
            continue
        c = agencies[starts[j] + np.random.randint(starts[j + 1] - starts[j])]
        if c == a or c == b:  # noqa: SIM109 (numba: two kinds of whole numbers)
            continue
        for _ in range(24):
            l = np.random.randint(m)
            if at[l] == c and value[l, a] > -np.inf:
                unit[1], to[1], unit[2], to[2] = j, c, l, a
                return 3
        return 0
    return 0


@njit(cache=True)
def attempt(  # type: ignore[no-untyped-def]
    value, starts, agencies, at, cell, balance, parts, held, mine, owed, high, low, count_min, count_max, balance_min,
    balance_max, mean, weight, fine, heat, hard, soft, unit, to, home, new_hard, new_soft,
):  # fmt: skip
    """Draw moves and make them, or take them back, by the rule of annealing; give the value gained (0: taken back)."""
    length = draw_moves(value, starts, agencies, at, unit, to)
    if length == 0:
        return 0.0
    gain, before, after = 0.0, 0.0, 0.0
    for d in range(length):
        home[d] = at[unit[d]]
        before += hard[home[d]] + soft[home[d]]
        gain += value[unit[d], to[d]] - value[unit[d], home[d]]
    # the last agency of an open chain; in a round trip it is the first
    end = to[length - 1]
    opened = end != home[0]
    if opened:
        before += hard[end] + soft[end]
    for d in range(length):
        put(unit[d], to[d], at, cell, balance, parts, held, mine, owed)
    for d in range(length + 1 if opened else length):
        x = home[d] if d < length else end
        new_hard[d], new_soft[d] = broken(
            x, held, mine, owed, high, low, count_min, count_max, balance_min, balance_max, mean, weight, fine
        )  # fmt: skip
        after += new_hard[d] + new_soft[d]
    change = gain - (after - before)
    if change >= 0.0 or np.random.random() < np.exp(change / heat):
        for d in range(length):
            hard[home[d]], soft[home[d]] = new_hard[d], new_soft[d]
        if opened:
            hard[end], soft[end] = new_hard[length], new_soft[length]
        # what changes limits only must not pass for nothing
        return gain if gain != 0.0 else 1e-300
    for d in range(length):
        put(unit[d], home[d], at, cell, balance, parts, held, mine, owed)
    return 0.0


@njit(cache=True)
def anneal(  # type: ignore[no-untyped-def]
    value, starts, agencies, at, cell, balance, parts, held, mine, owed, high, low, count_min, count_max, balance_min,
    balance_max, fine, scale, seed, moves, rounds,
):  # fmt: skip
    """Search from `at`; leave the best assignment found that keeps the hard limits in `at`; tell whether there is one.

    value (m, k), changed; starts, agencies: the agencies open to each unit; fine (k, 3): count, balance, mix (inf: hard).
    """
    np.random.seed(seed)
    m, k = value.shape
    # a unit fixed beforehand has one agency open, and exchanges go by value: the others must not have any
    for i in range(m):
        if starts[i + 1] - starts[i] == 1:
            only = value[i, agencies[starts[i]]]
            value[i, :] = -np.inf
            value[i, agencies[starts[i]]] = only
    mean = max(np.mean(balance * 1.0), 1.0)
    weight = np.full((k, 3), 4.0 * scale)
    best_at, best_worth, found = at.copy(), -np.inf, False
    worth = 0.0
    for i in range(m):
        worth += value[i, at[i]]
    hard, soft = np.zeros(k), np.zeros(k)
    unit, to, home = np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros(3, np.int64)
    new_hard, new_soft = np.zeros(4), np.zeros(4)
    for turn in range(rounds):
        for a in range(k):
            hard[a], soft[a] = broken(
                a, held, mine, owed, high, low, count_min, count_max, balance_min, balance_max, mean, weight, fine
            )  # fmt: skip
        if turn == 0 and hard.sum() == 0.0:
            found, best_worth = True, worth - soft.sum()
        for step in range(moves):
            heat = 8.0 * scale * (1.0 - step / moves) ** 4 + 1e-12 * scale
            gain = attempt(
                value, starts, agencies, at, cell, balance, parts, held, mine, owed, high, low, count_min, count_max, balance_min,
                balance_max, mean, weight, fine, heat, hard, soft, unit, to, home, new_hard, new_soft,
            )  # fmt: skip
            worth += gain
            if gain != 0.0 and hard.sum() == 0.0 and worth - soft.sum() > best_worth + 1e-9:
                best_at[:] = at
                best_worth = worth - soft.sum()
                found = True
        if hard.sum() == 0.0 and worth - soft.sum() > best_worth:
            best_at[:] = at
            best_worth = worth - soft.sum()
            found = True
        if found and turn >= 1:
            break
        # charges too high for the heat freeze the search: after some doublings it starts afresh
        for a in range(k):
            if turn % 6 == 5:
                weight[a] = 4.0 * scale
            elif hard[a] > 0.0:
                weight[a] *= 2.0
    if found:
        for i in range(m):
            if at[i] != best_at[i]:
                put(i, best_at[i], at, cell, balance, parts, held, mine, owed)
    return found


@njit(cache=True)
def mixed(held, mine, high, low):  # type: ignore[no-untyped-def]
    """Tell whether every agency keeps the mix rule."""
    for b in range(mine.shape[0]):
        for u in range(mine.shape[1]):
            if high[b, u] > 0.0 and mine[b, u] > np.ceil(high[b, u] * held[b] - 1e-9):
                return False
            if low[b, u] > 0.0 and mine[b, u] < np.floor(low[b, u] * held[b] + 1e-9):
                return False
    return True


@njit(cache=True)
def enumerate_all(  # type: ignore[no-untyped-def]
    value, r, order, starts, agencies, at, cell, balance, parts, high, low, count_min, count_max, balance_min, balance_max,
    k, spare, nodes,
):  # fmt: skip
    """Find the best assignment within hard limits depth first: (found, complete); it is left in `at`.

    order: units, hardest first; agencies: each unit's, best r first. spare: bound less the value of `at` (inf when `at` breaks
    limits): a branch whose regrets exceed it cannot be better. complete: every branch was looked at or ruled out.
    """
    m = order.size
    s = parts.shape[1]
    size = parts.sum(axis=1)
    left_count, left_money = np.zeros((m + 1, k), np.int64), np.zeros((m + 1, k), np.int64)
    left = np.zeros(m + 1, np.int64)
    for d in range(m - 1, -1, -1):
        i = order[d]
        left[d] = left[d + 1] + size[cell[i]]
        left_count[d], left_money[d] = left_count[d + 1], left_money[d + 1]
        for o in range(starts[i], starts[i + 1]):
            left_count[d, agencies[o]] += size[cell[i]]
            left_money[d, agencies[o]] += balance[i]
    held, owed, mine = np.zeros(k, np.int64), np.zeros(k, np.int64), np.zeros((k, s), np.int64)
    choice, regret = np.full(m, -1, np.int64), np.zeros(m + 1)
    d, seen, found, best = 0, 0, False, -np.inf
    while d >= 0:
        i = order[d]
        p = cell[i]
        if choice[d] >= 0:
            a = agencies[starts[i] + choice[d]]
            held[a] -= size[p]
            owed[a] -= balance[i]
            mine[a] -= parts[p]
        choice[d] += 1
        if starts[i] + choice[d] >= starts[i + 1] or seen >= nodes:
            choice[d] = -1
            d -= 1
            continue
        seen += 1
        a = agencies[starts[i] + choice[d]]
        held[a] += size[p]
        owed[a] += balance[i]
        mine[a] += parts[p]
        regret[d + 1] = regret[d] + r[i, agencies[starts[i]]] - r[i, a]
        fits = held[a] <= count_max[a] and owed[a] <= balance_max[a] and regret[d + 1] < spare
        wanted = 0
        for b in range(k):
            wanted += max(count_min[b] - held[b], 0)
            fits = (
                fits
                and held[b] + left_count[d + 1, b] >= count_min[b]
                and owed[b] + left_money[d + 1, b] >= balance_min[b]
            )
        if not fits or wanted > left[d + 1]:
            continue
        if d < m - 1:
            d += 1
            continue
        if mixed(held, mine, high, low):
            worth = 0.0
            for x in range(m):
                worth += value[order[x], agencies[starts[order[x]] + choice[x]]]
            if not found or worth > best:
                best = worth
                found = True
                for x in range(m):
                    at[order[x]] = agencies[starts[order[x]] + choice[x]]
    return found, seen < nodes
