"""Moves of whole units: what each does to the sum of regrets and burdens, and those that lower it.

An agency's burden is what its limits say of what it holds: least when every priced limit is used in full. Moves: single ones;
exchanges of two units between two agencies, which trim balances; and chains of up to `CHAIN` units, found as shortest paths
over (agency, arriving cell). Sources: ejection chains (Glover 1996), shortest paths (Bellman 1958).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

#: units moved by one chain at most
CHAIN: Final = 5
#: a fall below this is none
LEAST: Final = 1e-9


@njit(cache=True)
def mix_burden(a, held, mine, plus, minus, parts, rate, high, low, least, most, aim, charge):  # type: ignore[no-untyped-def]
    """Burden of agency a by count and mix, with one more unit of cell `plus` and one less of `minus` (−1: none)."""
    s = parts.shape[1]
    n = held[a]
    for u in range(s):
        n += (parts[plus, u] if plus >= 0 else 0) - (parts[minus, u] if minus >= 0 else 0)
    total = -rate[a, 0] * n + charge[a, 0] * abs(n - aim[a])
    for u in range(s):
        m = mine[a, u] + (parts[plus, u] if plus >= 0 else 0) - (parts[minus, u] if minus >= 0 else 0)
        total -= rate[a, 1 + u] * (m - high[a, u] * n) + rate[a, 1 + s + u] * (low[a, u] * n - m)
        total += charge[a, 1 + u] * max(m - most[a, u], 0) + charge[a, 1 + s + u] * max(least[a, u] - m, 0)
    return total


@njit(cache=True)
def money_burden(a, owed, mu, balance_min, balance_max, charge):  # type: ignore[no-untyped-def]
    """Burden of agency a by balance when it holds `owed`."""
    return -mu[a] * owed + charge[a] * max(owed - balance_max[a], balance_min[a] - owed, 0)


@njit(cache=True)
def refresh(  # type: ignore[no-untyped-def]
    a, held, mine, parts, rate, high, low, least, most, aim, charge, leave, join, trade
):
    """Recompute what a unit of each cell leaving, joining, or being exchanged does to agency a's burden."""
    cells = parts.shape[0]
    now = mix_burden(a, held, mine, -1, -1, parts, rate, high, low, least, most, aim, charge)
    for p in range(cells):
        leave[a, p] = mix_burden(a, held, mine, -1, p, parts, rate, high, low, least, most, aim, charge) - now
        join[a, p] = mix_burden(a, held, mine, p, -1, parts, rate, high, low, least, most, aim, charge) - now
        for q in range(cells):
            trade[a, p, q] = 0.0 if p == q else (
                mix_burden(a, held, mine, p, q, parts, rate, high, low, least, most, aim, charge) - now
            )  # fmt: skip


@njit(cache=True)
def shift(a, owed, by, mu, balance_min, balance_max, charge):  # type: ignore[no-untyped-def]
    """Change of agency a's burden by balance when what it holds changes by `by`."""
    return money_burden(a, owed[a] + by, mu, balance_min, balance_max, charge) - money_burden(
        a, owed[a], mu, balance_min, balance_max, charge
    )


@njit(cache=True)
def relocate(i, b, at, cell, balance, parts, held, mine, owed, dirty):  # type: ignore[no-untyped-def]
    """Move unit i to agency b; what is known of the nearest units of both is `dirty` (2, cells, k) then."""
    a = at[i]
    for table in range(2):
        dirty[table, cell[i], a] = True
        dirty[table, cell[i], b] = True
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
def singles(  # type: ignore[no-untyped-def]
    r, starts, agencies, at, cell, balance, parts, held, mine, owed, dirty, rate, mu, high, low, least, most, aim, balance_min,
    balance_max, charge, charge_money, leave, join, trade, unit_at, to_at, fall_at,
):  # fmt: skip
    """Make single moves that lower the sum until none is left; give how many were made."""
    m = r.shape[0]
    made = 0
    for _ in range(100):
        found = 0
        for i in range(m):
            a, p = at[i], cell[i]
            out = leave[a, p] + shift(a, owed, -balance[i], mu, balance_min, balance_max, charge_money)
            lowest, to = -LEAST, -1
            for o in range(starts[i], starts[i + 1]):
                b = agencies[o]
                if b != a:
                    d = r[i, a] - r[i, b] + out + join[b, p]
                    if d < lowest + abs(mu[b]) * balance[i]:
                        d += shift(b, owed, balance[i], mu, balance_min, balance_max, charge_money)
                        if d < lowest:
                            lowest, to = d, b
            if to >= 0:
                unit_at[found], to_at[found], fall_at[found] = i, to, lowest
                found += 1
        done = 0
        for o in np.argsort(fall_at[:found]):
            i, b = unit_at[o], to_at[o]
            a, p = at[i], cell[i]
            d = (
                r[i, a] - r[i, b] + leave[a, p] + join[b, p]
                + shift(a, owed, -balance[i], mu, balance_min, balance_max, charge_money)
                + shift(b, owed, balance[i], mu, balance_min, balance_max, charge_money)
            )  # fmt: skip
            if d < -LEAST and d <= 0.5 * fall_at[o]:
                relocate(i, b, at, cell, balance, parts, held, mine, owed, dirty)
                refresh(a, held, mine, parts, rate, high, low, least, most, aim, charge, leave, join, trade)
                refresh(b, held, mine, parts, rate, high, low, least, most, aim, charge, leave, join, trade)
                done += 1
        made += done
        if done == 0:
            break
    return made


@njit(cache=True)
def nearest(r, starts, agencies, at, cell, near_unit, near_lost, dirty):  # type: ignore[no-untyped-def]
    """Fill, for each cell and pair of agencies, the units that lose least by moving, least first (−1: none).

    Only what is `dirty` (cells, k) is looked at; nothing is afterwards.
    """
    m, kept = r.shape[0], near_unit.shape[3]
    cells, k = dirty.shape
    for p in range(cells):
        for a in range(k):
            if dirty[p, a]:
                near_unit[p, a] = -1
                near_lost[p, a] = np.inf
    for i in range(m):
        a, p = at[i], cell[i]
        if not dirty[p, a]:
            continue
        for o in range(starts[i], starts[i + 1]):
            b = agencies[o]
            lost = r[i, a] - r[i, b]
            if b == a or lost >= near_lost[p, a, b, kept - 1]:
                continue
            t = kept - 1
            while t > 0 and near_lost[p, a, b, t - 1] > lost:
                near_lost[p, a, b, t] = near_lost[p, a, b, t - 1]
                near_unit[p, a, b, t] = near_unit[p, a, b, t - 1]
                t -= 1
            near_lost[p, a, b, t] = lost
            near_unit[p, a, b, t] = i
    dirty[:] = False


@njit(cache=True)
def exchanges(  # type: ignore[no-untyped-def]
    near_unit, near_lost, balance, owed, mu, balance_min, balance_max, charge_money, trade, first_at, second_at, fall_at
):  # fmt: skip
    """List exchanges of two units between two agencies that lower the sum; give how many."""
    cells, k, _, depth = near_unit.shape
    spare = np.empty(k)
    for a in range(k):
        ideal = balance_max[a] if mu[a] > 0.0 else balance_min[a]
        if mu[a] == 0.0:
            ideal = min(max(owed[a], balance_min[a]), balance_max[a])
        spare[a] = money_burden(a, owed[a], mu, balance_min, balance_max, charge_money) - money_burden(
            a, ideal, mu, balance_min, balance_max, charge_money
        )
    swing = np.empty(k)
    for a in range(k):
        swing[a] = trade[a].min()
    found = 0
    for a in range(k):
        for b in range(a + 1, k):
            hope = spare[a] + spare[b]
            if swing[a] + swing[b] - hope >= -LEAST:
                continue
            for p in range(cells):
                for q in range(cells):
                    fixed = trade[a, q, p] + trade[b, p, q] - hope
                    if near_lost[p, a, b, 0] + near_lost[q, b, a, 0] + fixed >= -LEAST:
                        continue
                    least, one, two = -LEAST, -1, -1
                    for t in range(depth):
                        if near_lost[p, a, b, t] + near_lost[q, b, a, 0] + fixed >= least:
                            break
                        i = near_unit[p, a, b, t]
                        for w in range(depth):
                            lost = near_lost[p, a, b, t] + near_lost[q, b, a, w] + fixed
                            if lost >= least:
                                break
                            j = near_unit[q, b, a, w]
                            by = balance[j] - balance[i]
                            d = (
                                lost + hope + shift(a, owed, by, mu, balance_min, balance_max, charge_money)
                                + shift(b, owed, -by, mu, balance_min, balance_max, charge_money)
                            )  # fmt: skip
                            if d < least:
                                least, one, two = d, i, j
                    if one >= 0 and found < first_at.size:
                        first_at[found], second_at[found], fall_at[found] = one, two, least
                        found += 1
    return found


@njit(cache=True)
def exchange(  # type: ignore[no-untyped-def]
    r, starts, agencies, at, cell, balance, parts, held, mine, owed, dirty, rate, mu, high, low, least, most, aim, balance_min,
    balance_max, charge, charge_money, leave, join, trade, near_unit, near_lost, first_at, second_at, fall_at,
):  # fmt: skip
    """Make exchanges that lower the sum, best first, none that touches an agency changed already; give how many."""
    nearest(r, starts, agencies, at, cell, near_unit, near_lost, dirty[1])
    found = exchanges(
        near_unit,
        near_lost,
        balance,
        owed,
        mu,
        balance_min,
        balance_max,
        charge_money,
        trade,
        first_at,
        second_at,
        fall_at,
    )
    touched = np.zeros(r.shape[1], np.bool_)
    made = 0
    for o in np.argsort(fall_at[:found]):
        i, j = first_at[o], second_at[o]
        a, b = at[i], at[j]
        if touched[a] or touched[b]:
            continue
        relocate(i, b, at, cell, balance, parts, held, mine, owed, dirty)
        relocate(j, a, at, cell, balance, parts, held, mine, owed, dirty)
        for x in (a, b):
            touched[x] = True
            refresh(x, held, mine, parts, rate, high, low, least, most, aim, charge, leave, join, trade)
        made += 1
    return made


@njit(cache=True)
def extend(  # type: ignore[no-untyped-def]
    cost, via, near_unit, near_lost, balance, owed, mu, balance_min, balance_max, charge_money, trade, hope
):
    """Lengthen chains by one unit at every length: cost (CHAIN, k, cells) of a unit of a cell arriving, still unburdened.

    hope: the most that the end of a chain can give back; chains that cost more are left.
    """
    lengths, k, cells = cost.shape
    for d in range(1, lengths):
        for c in range(k):
            for p in range(cells):
                if cost[d - 1, c, p] + hope >= -LEAST:
                    continue
                i = via[d - 1, c, p, 2]
                for q in range(cells):
                    base = cost[d - 1, c, p] + trade[c, p, q]
                    if base + hope >= -LEAST:
                        continue
                    for e in range(k):
                        w = base + near_lost[q, c, e, 0]
                        if w < cost[d, e, q]:
                            j = near_unit[q, c, e, 0]
                            by = balance[i] - balance[j]
                            w += shift(c, owed, by, mu, balance_min, balance_max, charge_money)
                            if w < cost[d, e, q]:
                                cost[d, e, q] = w
                                via[d, e, q, 0], via[d, e, q, 1], via[d, e, q, 2] = c, p, j


@njit(cache=True)
def follow(  # type: ignore[no-untyped-def]
    length, end, last, via, r, at, cell, balance, parts, held, mine, owed, dirty, rate, mu, high, low, least, most, aim,
    balance_min, balance_max, charge, charge_money, leave, join, trade, path,
):  # fmt: skip
    """Walk a chain back and make its moves; take them back when they do not lower the sum. Tell whether they stand."""
    b, p = end, last
    for d in range(length, -1, -1):
        path[d, 0], path[d, 1] = via[d, b, p, 2], b
        b, p = via[d, b, p, 0], via[d, b, p, 1]
    for d in range(length + 1):
        for f in range(d):
            if path[d, 0] == path[f, 0]:
                return False
    k = r.shape[1]
    before = 0.0
    for a in range(k):
        before += money_burden(a, owed[a], mu, balance_min, balance_max, charge_money)
    change = 0.0
    for d in range(length + 1):
        i, to = path[d, 0], path[d, 1]
        a = at[i]
        path[d, 2] = a
        change += r[i, a] - r[i, to] + leave[a, cell[i]]
        relocate(i, to, at, cell, balance, parts, held, mine, owed, dirty)
        refresh(a, held, mine, parts, rate, high, low, least, most, aim, charge, leave, join, trade)
        change += join[to, cell[i]] if to != a else 0.0
        refresh(to, held, mine, parts, rate, high, low, least, most, aim, charge, leave, join, trade)
    after = 0.0
    for a in range(k):
        after += money_burden(a, owed[a], mu, balance_min, balance_max, charge_money)
    if change + after - before < -LEAST:
        return True
    for d in range(length, -1, -1):
        i, a = path[d, 0], path[d, 2]
        to = at[i]
        relocate(i, a, at, cell, balance, parts, held, mine, owed, dirty)
        refresh(a, held, mine, parts, rate, high, low, least, most, aim, charge, leave, join, trade)
        refresh(to, held, mine, parts, rate, high, low, least, most, aim, charge, leave, join, trade)
    return False


@njit(cache=True)
def begin(near_unit, near_lost, at, balance, owed, mu, balance_min, balance_max, charge_money, leave, cost, via, only, cell):  # type: ignore[no-untyped-def]  # fmt: skip
    """Begin chains of one unit: from every agency and cell, or from agency `only` and `cell` without its own burden."""
    cells, k = near_unit.shape[0], near_unit.shape[1]
    cost[:] = np.inf
    for a in range(k):
        for p in range(cells):
            if only >= 0 and (a != only or p != cell):
                continue
            for b in range(k):
                i = near_unit[p, a, b, 0]
                if i < 0 or at[i] != a:
                    continue
                w = near_lost[p, a, b, 0]
                if only < 0:
                    w += leave[a, p] + shift(a, owed, -balance[i], mu, balance_min, balance_max, charge_money)
                if w < cost[0, b, p]:
                    cost[0, b, p] = w
                    via[0, b, p, 0], via[0, b, p, 1], via[0, b, p, 2] = a, p, i


@njit(cache=True)
def cheapest(cost, via, balance, owed, mu, balance_min, balance_max, charge_money, join):  # type: ignore[no-untyped-def]
    """Find the chain that lowers the sum most: (length − 1, its last agency, its last cell); length −1: none does."""
    lowest, length, end, last = -LEAST, -1, -1, -1
    for d in range(cost.shape[0]):
        for b in range(cost.shape[1]):
            for p in range(cost.shape[2]):
                w = cost[d, b, p] + join[b, p]
                if w < lowest:
                    w += shift(b, owed, balance[via[d, b, p, 2]], mu, balance_min, balance_max, charge_money)
                    if w < lowest:
                        lowest, length, end, last = w, d, b, p
    return length, end, last


@njit(cache=True)
def chain(  # type: ignore[no-untyped-def]
    r, starts, agencies, at, cell, balance, parts, held, mine, owed, dirty, rate, mu, high, low, least, most, aim, balance_min,
    balance_max, charge, charge_money, leave, join, trade, near_unit, near_lost, cost, via, path,
):  # fmt: skip
    """Make chains that lower the sum: first from anywhere to anywhere, then round trips of an agency; give how many."""
    k, cells = leave.shape
    made = 0
    for _ in range(4 * k):
        nearest(r, starts, agencies, at, cell, near_unit, near_lost, dirty[0])
        begin(near_unit, near_lost, at, balance, owed, mu, balance_min, balance_max, charge_money, leave, cost, via, -1, -1)  # fmt: skip
        hope = min(join.min(), 0.0) + min(trade.min(), 0.0)
        extend(cost, via, near_unit, near_lost, balance, owed, mu, balance_min, balance_max, charge_money, trade, hope)  # fmt: skip
        length, end, last = cheapest(
            cost, via, balance, owed, mu, balance_min, balance_max, charge_money, join
        )
        if length < 0 or not follow(
            length, end, last, via, r, at, cell, balance, parts, held, mine, owed, dirty, rate, mu, high, low, least, most, aim,
            balance_min, balance_max, charge, charge_money, leave, join, trade, path,
        ):  # fmt: skip
            break
        made += 1
    for a in range(k):
        for p in range(cells):
            if trade[a, :, p].min() >= -LEAST:
                continue
            begin(near_unit, near_lost, at, balance, owed, mu, balance_min, balance_max, charge_money, leave, cost, via, a, p)  # fmt: skip
            hope = trade[a, :, p].min() + min(trade.min(), 0.0)
            extend(cost, via, near_unit, near_lost, balance, owed, mu, balance_min, balance_max, charge_money, trade, hope)  # fmt: skip
            lowest, length, last = -LEAST, -1, -1
            for d in range(1, cost.shape[0]):
                for q in range(cells):
                    if cost[d, a, q] + trade[a, q, p] < lowest:
                        lowest, length, last = cost[d, a, q] + trade[a, q, p], d, q
            if length >= 0 and follow(
                length, a, last, via, r, at, cell, balance, parts, held, mine, owed, dirty, rate, mu, high, low, least, most, aim,
                balance_min, balance_max, charge, charge_money, leave, join, trade, path,
            ):  # fmt: skip
                made += 1
                nearest(r, starts, agencies, at, cell, near_unit, near_lost, dirty[0])
    return made
