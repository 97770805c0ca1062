"""Reading the accounts: for given prices, which agency each account is best with, and how near the next one is.

Account i sees agency j at r_ij = value_ij − alpha[cell_i, j] − mu_j · balance_i. All state is as small as cells × agencies.
Rows are read once, in the order in which they lie; blocks of `LANES` rows are turned on their side in the nearest cache so
that the search runs over lanes. Kernels release the interpreter's lock: `solver` runs them in threads over fixed chunks.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

LANES: Final = 32
#: below any value, above −inf
NEVER: Final = np.float32(-3.0e38)


@njit(cache=True, nogil=True)
def turn(value, balance, unit, cell, fixed, alpha, mu, first, lanes, sides, noise, stride, number, base):  # type: ignore[no-untyped-def]
    """Fill sides (k, LANES) with r of `lanes` rows from `first` on; a fixed account sees its agency alone.

    noise > 0 parts what is worth the same: up to so much is added by the fractions of row number × stride (k,), which are
    even over rows for every agency and pair (Weyl 1916). number (n,), or empty: base + position.
    """
    k = value.shape[1]
    for j in range(lanes):
        i = first + j
        owed = np.float32(balance[i] * unit)
        c = cell[i]
        for a in range(k):
            sides[a, j] = value[i, a] - (alpha[c, a] + mu[a] * owed)
        if noise > 0.0:
            x = np.uint32(number[i]) if number.size else np.uint32(base + i)
            for a in range(k):
                sides[a, j] += noise * (
                    np.float32(np.uint32(x * stride[a]) >> np.uint32(8)) * np.float32(2.0**-24)
                )
        if fixed.size and fixed[i] >= 0:
            for a in range(k):
                if a != fixed[i]:
                    sides[a, j] = -np.inf


@njit(cache=True, nogil=True)
def rank(sides, best, second, at, after):  # type: ignore[no-untyped-def]
    """Find in every lane the largest and second largest of k numbers, and where they stand."""
    k, lanes = sides.shape
    for j in range(lanes):
        best[j] = NEVER
        second[j] = NEVER
        at[j] = 0
        after[j] = 0
    for a in range(k):
        for j in range(lanes):
            r = sides[a, j]
            leads = r > best[j]
            follows = r > second[j]
            after[j] = at[j] if leads else (a if follows else after[j])
            second[j] = best[j] if leads else (r if follows else second[j])
            at[j] = a if leads else at[j]
            best[j] = r if leads else best[j]


@njit(cache=True, nogil=True)
def scan(  # type: ignore[no-untyped-def]
    value,
    balance,
    unit,
    cell,
    fixed,
    noise,
    stride,
    number,
    base,
    weight,
    alpha,
    mu,
    near,
    worth,
    count,
    money,
    ties,
):
    """Add what all rows say at these prices.

    weight (n,) or empty: how many rows a row stands for. worth (cells,) sum of best r; count (cells, k) accounts and money (cells, k) scaled balance of the best agency; ties
    (3, cells, k, k): of rows whose best two agencies differ by less than `near`, the sum of balance to the power 0, 1, 2.
    """
    n, k = value.shape
    sides = np.empty((k, LANES), np.float32)
    best, second = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    at, after = np.empty(LANES, np.int32), np.empty(LANES, np.int32)
    sides[:] = NEVER
    for first in range(0, n, LANES):
        lanes = min(LANES, n - first)
        turn(value, balance, unit, cell, fixed, alpha, mu, first, lanes, sides, noise, stride, number, base)
        rank(sides, best, second, at, after)
        for j in range(lanes):
            c = cell[first + j]
            owed = balance[first + j] * unit
            w = weight[first + j] if weight.size else 1.0
            worth[c] += w * best[j]
            count[c, at[j]] += w
            money[c, at[j]] += w * owed
            if best[j] - second[j] < near:
                ties[0, c, at[j], after[j]] += w
                ties[1, c, at[j], after[j]] += w * owed
                ties[2, c, at[j], after[j]] += w * owed * owed


@njit(cache=True, nogil=True)
def sift(  # type: ignore[no-untyped-def]
    value, balance, unit, cell, fixed, noise, stride, number, base, alpha, mu, near, near_money, agency, chosen, worth, count,
    money, held,
):  # fmt: skip
    """Give every row its best agency, and set aside the rows that small changes of prices could move.

    Rows of cell c with best − second < near_c + near_money · scaled balance go into `chosen` (positions; their number is
    returned); the others are added up as in `scan`, worth as value_ij, not as r; held (k,) gets their balance in whole minor units.
    """
    n, k = value.shape
    sides = np.empty((k, LANES), np.float32)
    best, second = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    at, after = np.empty(LANES, np.int32), np.empty(LANES, np.int32)
    sides[:] = NEVER
    found = 0
    for first in range(0, n, LANES):
        lanes = min(LANES, n - first)
        turn(value, balance, unit, cell, fixed, alpha, mu, first, lanes, sides, noise, stride, number, base)
        rank(sides, best, second, at, after)
        for j in range(lanes):
            i = first + j
            agency[i] = at[j]
            owed = balance[i] * unit
            if best[j] - second[j] < near[cell[i]] + near_money * owed:
                chosen[found] = i
                found += 1
            else:
                worth[cell[i]] += value[i, at[j]]
                count[cell[i], at[j]] += 1
                money[cell[i], at[j]] += owed
                held[at[j]] += balance[i]
    return found


@njit(cache=True, nogil=True)
def examine(value):  # type: ignore[no-untyped-def]
    """Find the first row with NaN or +inf (kind 1) or without any agency (kind 2): (kind, row); (0, −1) when all is well."""
    n, k = value.shape
    for i in range(n):
        most = NEVER
        odd = False
        for a in range(k):
            v = value[i, a]
            odd = odd or v != v or v == np.inf
            most = max(most, v)
        if odd:
            return 1, i
        if not most > NEVER:
            return 2, i
    return 0, -1


@njit(cache=True, nogil=True)
def draw(balance, unit, cell, base, slope, seed, first, chosen, weight, totals):  # type: ignore[no-untyped-def]
    """Draw rows by chance min(1, base + slope · scaled balance): positions into `chosen`, 1 / chance into `weight`.

    totals (cells, 2) gets every cell's rows and scaled balance, drawn or not.
    The number of a row comes from its position and the seed alone (SplitMix64; Steele, Lea and Flood 2014).
    """
    found = 0
    for j in range(balance.size):
        totals[cell[j], 0] += 1.0
        totals[cell[j], 1] += balance[j] * unit
        x = np.uint64(seed) + np.uint64(first + j + 1) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
        chance = min(1.0, base + slope * balance[j] * unit)
        if (x >> np.uint64(11)) * 2.0**-53 < chance:
            chosen[found] = first + j
            weight[found] = 1.0 / chance
            found += 1
    return found
