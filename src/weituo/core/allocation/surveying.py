"""One reading of a problem before it is solved: bad values, whom each agency may have, and which agencies accounts share.

Accounts with the same open agencies make a pattern. Where there are few patterns and up to 64 agencies, counts are a flow
from patterns to agencies, and whether limits of count can be kept is decided exactly: a flow that leaves no account over, and
one that fills every least count, can be joined into one (Mendelsohn and Dulmage 1958). A flow that cannot grow names the
agencies that are too small together (Hall 1935).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from weituo.core.allocation.cells import Cells
from weituo.core.allocation.problem import Ints

SLABS: Final = 8
#: rows after which a slab first asks whether it has counted enough; then after twice as many
FIRST_LOOK: Final = 4_096
#: patterns told apart, and places of their table
PATTERNS: Final = 1_024
TABLE: Final = 4_096
#: agencies that a pattern of bits can hold
BITS: Final = 64
#: order of float32 as whole numbers: −inf, the least value that counts (−3e38), and +inf
KEY_NEVER: Final = -2139095041
KEY_LEAST: Final = -2137108967
KEY_ENDLESS: Final = 2139095040


@njit(cache=True, nogil=True)
def enough(eligible, owed, parts, need, need_owed):  # type: ignore[no-untyped-def]
    """Tell whether every agency may have all that it needs already: need (k, 1 + s) accounts, all and by segment."""
    cells, k = eligible.shape
    for a in range(k):
        if owed[a] < need_owed[a]:
            return False
        total = 0
        for u in range(parts.shape[1]):
            mine = 0
            for c in range(cells):
                mine += eligible[c, a] * parts[c, u]
            total += mine
            if mine < need[a, 1 + u]:
                return False
        if total < need[a, 0]:
            return False
    return True


@njit(cache=True, nogil=True)
def remember(row_open, owing, c, parts, table, counts, money, wanted):  # type: ignore[no-untyped-def]
    """Count a row of cell c under its pattern, in a table of open addresses; stop wanting when there are too many."""
    mask = np.uint64(0)
    for a in range(row_open.size):
        mask |= np.uint64(row_open[a]) << np.uint64(a)
    at = np.int64((mask * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(52)) % TABLE
    while table[at] != mask and table[at] != 0:
        at = (at + 1) % TABLE
    if table[at] == 0:
        wanted[1] += 1
        if wanted[1] > PATTERNS:
            wanted[0] = 0
        table[at] = mask
    for u in range(parts.shape[1]):
        counts[at] += parts[c, u]
    money[at] += owing


@njit(cache=True, nogil=True)
def look(  # type: ignore[no-untyped-def]
    bits,
    balance,
    cell,
    parts,
    fixed,
    need,
    need_owed,
    eligible,
    owed,
    drawn,
    sums,
    table,
    counts,
    money,
    wanted,
):
    """Read rows once; `bits` (n, k) are float32 seen as int32, so that comparing them is work for whole registers.

    eligible, drawn (cells, k): rows that may go to, or are fixed to, an agency; owed (k,) the eligible balance. sums: least
    value of each row added up, first odd row, first row without agency, rows without agency, first row fixed where it may not
    go, and their number (positions −1: none). table, counts, money: patterns, while `wanted[0]` and there is room. Once
    agencies may have all that they need, eligible rows are no longer counted.
    """
    n, k = bits.shape
    word = np.zeros(1, np.int32)
    number = word.view(np.float32)
    row_open = np.zeros(k, np.int32)
    counting, asked = True, FIRST_LOOK
    for i in range(n):
        if counting and i == asked:
            asked, counting = asked * 2, not enough(eligible, owed, parts, need, need_owed)
        low, high, under = KEY_ENDLESS, KEY_NEVER, KEY_ENDLESS
        if counting or wanted[0]:
            for a in range(k):
                b = bits[i, a]
                row_open[a] = (b ^ ((b >> 31) & 0x7FFFFFFF)) >= KEY_LEAST
        for a in range(k):
            b = bits[i, a]
            key = b ^ ((b >> 31) & 0x7FFFFFFF)
            high = max(high, key)
            under = min(under, key)
            low = min(low, key if key >= KEY_LEAST else KEY_ENDLESS)
        if high >= KEY_ENDLESS or under < KEY_NEVER:
            sums[1] = i
            return
        c, f = cell[i], fixed[i] if fixed.size else -1
        if f >= 0:
            b = bits[i, f]
            low = b ^ ((b >> 31) & 0x7FFFFFFF)
            drawn[c, f] += 1
            if low < KEY_LEAST:
                sums[4] = i if sums[5] == 0 else sums[4]
                sums[5] += 1
                continue
            row_open[:] = 0
            row_open[f] = 1
        elif low == KEY_ENDLESS:
            sums[2] = i if sums[3] == 0 else sums[2]
            sums[3] += 1
            continue
        if counting:
            owing = balance[i]
            for a in range(k):
                eligible[c, a] += row_open[a]
                owed[a] += owing & -np.int64(row_open[a])
        word[0] = low ^ ((low >> 31) & 0x7FFFFFFF)
        sums[0] += number[0]
        if wanted[0]:
            remember(row_open, balance[i], cell[i], parts, table, counts, money, wanted)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Survey:
    """eligible, drawn (k, s) accounts; owed (k,) eligible balance; lowest: the sum of each unit's least value.

    eligible and owed: what there is, or at least what is needed.
    odd, barred, forbidden: the first unit with NaN or +inf, without agency, fixed where it may not go (−1: none);
    barred_units, forbidden_units: how many. patterns (p, k) open agencies with accounts (p,) and balance (p,), or None.
    """

    eligible: Ints
    drawn: Ints
    owed: Ints
    lowest: float
    odd: int
    barred: int
    barred_units: int
    forbidden: int
    forbidden_units: int
    patterns: npt.NDArray[np.bool_] | None
    accounts: Ints
    balance: Ints


def survey(*, made: Cells, need: Ints, need_owed: Ints, pool: ThreadPoolExecutor) -> Survey:
    """Read all units once, in threads. need (k, 1 + s): accounts that agencies need, all and by segment; need_owed (k,)."""
    n, k = made.value.shape
    edges = np.linspace(0, n, SLABS + 1).astype(np.int64)
    bits, cells = made.value.view(np.int32), made.parts.shape[0]

    def one(x: int) -> tuple[Any, ...]:
        slab = slice(int(edges[x]), int(edges[x + 1]))
        eligible, drawn, owed = (
            np.zeros((cells, k), np.int32),
            np.zeros((cells, k), np.int32),
            np.zeros(k, np.int64),
        )
        sums = np.array([0.0, -1.0, -1.0, 0.0, -1.0, 0.0])
        table, counts, money = (
            np.zeros(TABLE, np.uint64),
            np.zeros(TABLE, np.int64),
            np.zeros(TABLE, np.int64),
        )
        wanted = np.array([int(k <= BITS), 0])
        look(
            bits[slab], made.balance[slab], made.cell[slab], made.parts, made.fixed[slab] if made.fixed.size else made.fixed,
            need, need_owed, eligible, owed, drawn, sums, table, counts, money, wanted,
        )  # fmt: skip
        sums[[1, 2, 4]] = np.where(sums[[1, 2, 4]] >= 0, sums[[1, 2, 4]] + edges[x], -1)
        return eligible, drawn, owed, sums, table, counts, money, wanted

    found = list(pool.map(one, range(SLABS)))
    first = [next((int(part[3][place]) for part in found if part[3][place] >= 0), -1) for place in (1, 2, 4)]
    patterns, accounts, balance = _joined(found, k)
    return Survey(
        eligible=np.asarray(sum(part[0] for part in found)).T @ made.parts,
        drawn=np.asarray(sum(part[1] for part in found)).T @ made.parts,
        owed=np.asarray(sum(part[2] for part in found)), lowest=float(sum(part[3][0] for part in found)),
        odd=first[0], barred=first[1], barred_units=int(sum(part[3][3] for part in found)),
        forbidden=first[2], forbidden_units=int(sum(part[3][5] for part in found)),
        patterns=patterns, accounts=accounts, balance=balance,
    )  # fmt: skip


def _joined(found: list[tuple[Any, ...]], k: int) -> tuple[npt.NDArray[np.bool_] | None, Ints, Ints]:
    """Join the slabs' patterns; None when there are too many to tell apart."""
    none = np.empty(0, np.int64)
    if any(part[7][0] == 0 for part in found):
        return None, none, none
    used = [part[4] != 0 for part in found]
    masks = np.concatenate([part[4][mine] for part, mine in zip(found, used, strict=True)])
    counts = np.concatenate([part[5][mine] for part, mine in zip(found, used, strict=True)])
    money = np.concatenate([part[6][mine] for part, mine in zip(found, used, strict=True)])
    unique, place = np.unique(masks, return_inverse=True)
    if unique.size > PATTERNS:
        return None, none, none
    accounts, balance = np.zeros(unique.size, np.int64), np.zeros(unique.size, np.int64)
    np.add.at(accounts, place.reshape(-1), counts)
    np.add.at(balance, place.reshape(-1), money)
    return (unique[:, None] >> np.arange(k, dtype=np.uint64)) & np.uint64(1) == 1, accounts, balance


@njit(cache=True)
def route(supply, opened, room):  # type: ignore[no-untyped-def]
    """Send as much as can be from patterns (p,) to agencies (k,): flow (p, k), by shortest chains (Edmonds and Karp 1972)."""
    patterns, k = opened.shape
    flow, left, free = np.zeros((patterns, k), np.int64), supply.copy(), room.copy()
    for p in range(patterns):
        for a in range(k):
            if opened[p, a]:
                sent = min(left[p], free[a])
                flow[p, a] += sent
                left[p] -= sent
                free[a] -= sent
    queue = np.empty(patterns, np.int64)
    from_agency, from_pattern = np.empty(patterns, np.int64), np.empty(k, np.int64)
    while True:
        from_agency[:] = -2
        from_pattern[:] = -1
        first, last, end = 0, 0, -1
        for p in range(patterns):
            if left[p] > 0:
                queue[last] = p
                last += 1
                from_agency[p] = -1
        while first < last and end < 0:
            p = queue[first]
            first += 1
            for a in range(k):
                if not opened[p, a] or from_pattern[a] >= 0:
                    continue
                from_pattern[a] = p
                if free[a] > 0:
                    end = a
                    break
                for q in range(patterns):
                    if flow[q, a] > 0 and from_agency[q] == -2:
                        from_agency[q] = a
                        queue[last] = q
                        last += 1
        if end < 0:
            return flow, left, free
        sent, a = free[end], end
        while True:
            p = from_pattern[a]
            if from_agency[p] < 0:
                sent = min(sent, left[p])
                break
            a = from_agency[p]
            sent = min(sent, flow[p, a])
        free[end] -= sent
        a = end
        while True:
            p = from_pattern[a]
            flow[p, a] += sent
            if from_agency[p] < 0:
                left[p] -= sent
                break
            a = from_agency[p]
            flow[p, a] -= sent


def too_small(*, supply: Ints, opened: npt.NDArray[np.bool_], room: Ints) -> npt.NDArray[np.bool_] | None:
    """Find agencies (k,) that have too little room for what may go nowhere else; None: there are none."""
    flow, left, _ = route(supply, opened, room)
    chosen: npt.NDArray[np.bool_] | None = None
    for p in np.flatnonzero(left):
        agencies, patterns = opened[p].copy(), np.zeros(left.size, dtype=bool)
        while True:
            reached = (flow[:, agencies] > 0).any(axis=1)
            if (reached == patterns).all():
                break
            patterns = reached
            agencies |= opened[patterns].any(axis=0)
        if chosen is None or agencies.sum() < chosen.sum():
            chosen = agencies
    return chosen


def too_hungry(*, supply: Ints, opened: npt.NDArray[np.bool_], least: Ints) -> npt.NDArray[np.bool_] | None:
    """Find agencies (k,) that must hold more together than may go to any of them; None: there are none."""
    flow, _, free = route(supply, opened, least)
    chosen: npt.NDArray[np.bool_] | None = None
    for a in np.flatnonzero(free):
        agencies = np.zeros(free.size, dtype=bool)
        agencies[a] = True
        while True:
            patterns = opened[:, agencies].any(axis=1)
            reached = agencies | (flow[patterns] > 0).any(axis=0)
            if (reached == agencies).all():
                break
            agencies = reached
        if chosen is None or agencies.sum() < chosen.sum():
            chosen = agencies
    return chosen


@njit(cache=True, nogil=True)
def within(value, balance, cell, size, fixed, chosen, sums):  # type: ignore[no-untyped-def]
    """Add up units that may go to no agency but the chosen, and those that may go to any of them: accounts and balance each."""
    for i in range(value.shape[0]):
        inside, outside = False, False
        for a in range(value.shape[1]):
            can = value[i, a] > -np.inf and (fixed.size == 0 or fixed[i] < 0 or fixed[i] == a)
            inside = inside or (can and chosen[a])
            outside = outside or (can and not chosen[a])
        if inside:
            sums[2] += size[cell[i]]
            sums[3] += balance[i]
            if not outside:
                sums[0] += size[cell[i]]
                sums[1] += balance[i]


def reachable(
    *, made: Cells, chosen: npt.NDArray[np.bool_], pool: ThreadPoolExecutor
) -> tuple[int, int, int, int]:
    """Give accounts and balance that may go to chosen agencies only, then accounts and balance that may go to any of them."""
    edges, size = np.linspace(0, made.size, SLABS + 1).astype(np.int64), made.parts.sum(axis=1)

    def one(x: int) -> Ints:
        slab, sums = slice(int(edges[x]), int(edges[x + 1])), np.zeros(4, np.int64)
        fixed = made.fixed[slab] if made.fixed.size else made.fixed
        within(made.value[slab], made.balance[slab], made.cell[slab], size, fixed, chosen, sums)
        return sums

    only, only_money, some, some_money = (int(x) for x in np.asarray(sum(pool.map(one, range(SLABS)))))
    return only, only_money, some, some_money
