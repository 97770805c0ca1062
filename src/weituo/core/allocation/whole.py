"""Whole accounts around the rounding: which units are contested, what agencies aim at, and what to try when limits stay broken."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from weituo.core.allocation import prices, rounding, scanning, searching
from weituo.core.allocation.cells import Cells
from weituo.core.allocation.prices import FINE, SLABS, Prices, Reader, Rows, State, edges
from weituo.core.allocation.problem import NO_LIMIT, Floats, Ints, Problem

#: contested units wanted an agency, and the least of all
CONTESTED: Final = 500
#: times that the contested are widened when limits stay broken
WIDENINGS: Final = 5
#: how much wider the margin is while prices are polished
WIDER: Final = 8.0
#: factors of a usual loss by which broken limits are charged, round by round
LEVELS: Final = (0.3, 8.0, 3_000.0)
#: contested units up to which a search by chance is tried where limits stay broken, and up to which it is always tried
SEARCHED: Final = 20_000
SMALL: Final = 400
#: tries in one round of that search, and rounds at most
MOVES: Final = 100_000
ROUNDS: Final = 30
#: units up to which all assignments are looked through even where no limit is broken, and assignments looked at
FEW: Final = 14
NODES: Final = 10_000_000
#: units × agencies up to which every open agency of a contested unit is an option
FAR: Final = 200_000
#: a margin that contests every unit
EVERY: Final = 1e39


@dataclass(slots=True, kw_only=True)
class Contest:
    """Units that small changes of prices could move, and what is known of all others, which stay where they are best.

    agency (u,): each unit's best. chosen: positions of the contested; near: these units. rest: count, scaled balance (cells, k)
    and value of the others; owed (k,) their balance.
    """

    agency: npt.NDArray[np.int16]
    chosen: Ints
    near: Cells
    rest: tuple[Floats, Floats, float]
    owed: Ints


def sift(
    made: Cells, rows: Rows, at: Prices, near: Floats, near_money: float, pool: ThreadPoolExecutor
) -> Contest:
    """Contest the units of cell c whose second choice is worse by less than near_c + near_money · scaled balance."""
    alpha, mu = at.alpha(rows).astype(np.float32), at.money.astype(np.float32)
    width, k = made.parts.shape[0], made.value.shape[1]
    agency, cut = np.empty(made.size, np.int16), edges(made.size)

    def one(x: int) -> tuple[Ints, Floats, Floats, Floats, Ints]:
        slab = slice(int(cut[x]), int(cut[x + 1]))
        chosen = np.empty(slab.stop - slab.start, np.int32)
        worth, count, money, owed = (
            np.zeros(width),
            np.zeros((width, k)),
            np.zeros((width, k)),
            np.zeros(k, np.int64),
        )
        found = scanning.sift(  # type: ignore[call-arg]
            *made.slab(slab, rows.unit), alpha, mu, near, near_money, agency[slab], chosen, worth, count, money, owed
        )  # fmt: skip
        return chosen[:found].astype(np.int64) + slab.start, worth, count, money, owed

    parts = list(pool.map(one, range(SLABS)))
    chosen = np.concatenate([part[0] for part in parts])
    worth, count, money, owed = (np.sum([part[x] for part in parts], axis=0) for x in (1, 2, 3, 4))
    return Contest(
        agency=agency,
        chosen=chosen,
        near=made.take(chosen),
        rest=(count, money, float(worth.sum())),
        owed=owed,
    )


def shares(problem: Problem, made: Cells) -> tuple[Floats, Floats]:
    """Give the mix rule's most and least share by agency and segment, (k, s); 0 where there is none."""
    tolerance = (
        problem.limits.tolerance if made.parts.shape[1] > 1 else np.full((problem.agencies, 1), np.inf)
    )
    high, low = made.share[None, :] + tolerance, made.share[None, :] - tolerance
    return np.where(high < 1, high, 0.0), np.where(low > 0, low, 0.0)


def make_whole(
    problem: Problem,
    made: Cells,
    rows: Rows,
    state: State,
    pool: ThreadPoolExecutor,
    over: Callable[[], bool],
    sifted: Callable[[Cells, Rows, Prices, Floats, float, ThreadPoolExecutor], Contest] = sift,
) -> tuple[npt.NDArray[np.int16], State]:
    """Make whole accounts: contest few units, polish the prices for whole accounts on them, then move them.

    sifted: who sifts the units where they do not lie here; agencies are then given for the last contested alone.
    """
    k = problem.agencies
    # prices may move while they are polished: wider than what is moved afterwards
    narrow = _width(state, k) if made.size > SMALL else EVERY
    width = np.full(made.parts.shape[0], min(WIDER * narrow, max(state.near, narrow)))
    work = _contest(made, rows, state.prices, width, pool, sifted, least=CONTESTED * k)
    aim = _aim(problem, made, rows, state.prices, work)
    for turn in range(2):
        polished = prices.descend(
            reader=Reader(cells=work.near, rows=_outward(problem, made, rows, aim), pool=pool, rest=work.rest),
            state=state, tolerance=FINE / max(made.size, 1) / 4, stop=over,
        )  # fmt: skip
        state = replace(polished, prices=_within(rows, state.prices, polished.prices, width))
        if turn == 1:
            width[:] = narrow
        work = _contest(made, rows, state.prices, width, pool, sifted, least=CONTESTED * k)
        aim = _aim(problem, made, rows, state.prices, work)
    for widening in range(WIDENINGS):
        everything = work.chosen.size == made.size
        agency, broken = _round(
            problem, made, rows, state.prices, work, aim, far=everything or widening == WIDENINGS - 1
        )
        if broken == 0 or over() or everything:
            break
        width = width * 4
        work = _contest(
            made, rows, state.prices, width, pool, sifted, least=min(4 * work.chosen.size, made.size)
        )
        aim = _aim(problem, made, rows, state.prices, work)
    return agency, state


def _width(state: State, k: int) -> float:
    """Guess the margin that contests twice as many units as are wanted, from how many near ties there were."""
    return state.near * min(2.0 * CONTESTED * k / max(state.ties, 1.0), 1.0)


def _contest(
    made: Cells,
    rows: Rows,
    at: Prices,
    width: Floats,
    pool: ThreadPoolExecutor,
    sifted: Callable[..., Contest],
    *,
    least: int,
) -> Contest:
    """Sift with margins (changed in place) wide enough to contest at least so many units."""
    while True:
        found = sifted(made, rows, at, width, float(width.mean()) / 2, pool)
        if found.chosen.size >= min(least, made.size) or (width >= EVERY).all():
            return found
        width *= 2 if found.chosen.size > least / 16 else 8


def _within(rows: Rows, old: Prices, new: Prices, width: Floats) -> Prices:
    """Go from old to new prices as far as the units left out of the contest surely keep their agency."""
    alpha = new.alpha(rows) - old.alpha(rows)
    spread = alpha.max(axis=1) - alpha.min(axis=1)
    money = new.money - old.money
    part = min(
        1.0,
        float((width / np.maximum(spread, 1e-30)).min()),
        float(width.mean()) / 2 / max(float(money.max() - money.min()), 1e-30),
    )
    return Prices(row=old.row + part * (new.row - old.row), money=old.money + part * money)


def _aim(problem: Problem, made: Cells, rows: Rows, at: Prices, work: Contest) -> Ints:
    """Say how many accounts each agency shall hold: its limit where that has a price, else what it holds now."""
    limits, lam = problem.limits, at.row[:, 0]
    size = made.parts.sum(axis=1)
    held = _held(made, work, size).astype(np.int64)
    most = np.minimum(limits.count_max, problem.size)
    fined = np.isfinite(limits.count_price) & (np.abs(lam) >= limits.count_price * (1 - 1e-9))
    aim = np.where((lam > 0) & ~fined, most, np.where((lam < 0) & ~fined, limits.count_min, held))
    aim = np.where(np.isfinite(limits.count_price), aim, np.clip(aim, limits.count_min, most))
    short = problem.size - int(aim.sum())
    # what is left over goes to agencies whose count has no price, those nearest to it first
    for tier in (lam == 0, lam != 0):
        room = np.where(short > 0, most - aim, aim - limits.count_min) * tier
        for a in np.argsort(-room, kind="stable"):
            step = min(abs(short), max(int(room[a]), 0))
            aim[a] += step if short > 0 else -step
            short = problem.size - int(aim.sum())
    return aim


def _held(made: Cells, work: Contest, size: Ints) -> Floats:
    count = np.zeros_like(work.rest[0])
    np.add.at(count, (work.near.cell, work.agency[work.chosen]), 1.0)
    return ((count + work.rest[0]) * size[:, None]).sum(axis=0)


def _caps(problem: Problem, made: Cells, aim: Ints) -> tuple[Floats, Floats, Ints, Ints]:
    high, low = shares(problem, made)
    most = np.where(high > 0, np.ceil(high * aim[:, None] - 1e-9), 1 << 60).astype(np.int64)
    least = np.floor(low * aim[:, None] + 1e-9).astype(np.int64)
    return high, low, least, most


def _outward(problem: Problem, made: Cells, rows: Rows, aim: Ints) -> Rows:
    """Give the rows with the mix rule as it is in whole accounts when agencies hold what they aim at."""
    s = made.parts.shape[1]
    high, low, least, most = _caps(problem, made, aim)
    loose = rows.most.copy()
    loose[:, 1 : 1 + s] = np.where(high > 0, most - high * aim[:, None], 0.0)
    loose[:, 1 + s :] = np.where(low > 0, low * aim[:, None] - least, 0.0)
    return replace(rows, most=loose)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """Where the contested units stand, all changed in place: here (m,), and what each agency holds with all others.

    r (m, k) at the prices, −inf where a unit must not go. usual: the regret of the second choice of the middle unit.
    """

    units: Cells
    r: Floats
    here: Ints
    held: Ints
    mine: Ints
    owed: Ints
    usual: float
    reach: float


def _stand(made: Cells, rows: Rows, at: Prices, work: Contest, *, far: bool) -> Standing:
    units, k, s = work.near, made.value.shape[1], made.parts.shape[1]
    r = (
        units.value.astype(np.float64)
        - at.alpha(rows)[units.cell]
        - np.outer(units.balance * rows.unit, at.money)
    )
    if units.fixed.size:
        drawn = units.fixed >= 0
        r[drawn] = np.where(np.arange(k)[None, :] == units.fixed[drawn, None], r[drawn], -np.inf)
    # where several are best, the one that the prices were found with: it was parted by noise
    here = work.agency[work.chosen].astype(np.int64)
    mine = np.zeros((k, s), dtype=np.int64)
    for c in range(made.parts.shape[0]):
        count = work.rest[0][c].astype(np.int64) + np.bincount(here[units.cell == c], minlength=k)
        mine += count[:, None] * made.parts[c][None, :]
    owed = work.owed + np.rint(np.bincount(here, weights=units.balance, minlength=k)).astype(np.int64)
    gaps = _gaps(r, here)
    size = float(np.abs(r[np.arange(here.size), here]).mean()) if here.size else 0.0
    return Standing(
        units=units, r=r, here=here, held=mine.sum(axis=1), mine=mine, owed=owed,
        usual=max(float(np.median(gaps)) if gaps.size else 0.0, size * 1e-6, 1e-9),
        reach=np.inf if far or r.size <= FAR or not gaps.size else 4.0 * float(np.quantile(gaps, 0.5)),
    )  # fmt: skip


def _gaps(r: Floats, here: Ints) -> Floats:
    """How much each unit loses by its second choice, where it has one."""
    best = r[np.arange(here.size), here]
    others = r.copy()
    others[np.arange(here.size), here] = -np.inf
    gaps = best - others.max(axis=1)
    return np.asarray(gaps[np.isfinite(gaps)])


def _round(
    problem: Problem, made: Cells, rows: Rows, at: Prices, work: Contest, aim: Ints, *, far: bool
) -> tuple[npt.NDArray[np.int16], float]:
    """Move contested units until no limit is broken: (agency of every unit, units by which hard limits stay broken)."""
    limits, s = problem.limits, made.parts.shape[1]
    on = _stand(made, rows, at, work, far=far)
    high, low, least, most = _caps(problem, made, aim)
    soft = np.empty((problem.agencies, 1 + 2 * s))
    soft[:, 0], soft[:, 1:] = limits.count_price, limits.mix_price[:, None]
    rounding.make_whole(
        r=on.r, at=on.here, cell=on.units.cell.astype(np.int64), balance=on.units.balance, reach=on.reach, scale=on.usual,
        parts=made.parts, held=on.held, mine=on.mine, owed=on.owed, rate=at.row, mu=at.money * rows.unit, high=high, low=low,
        least=least, most=most, aim=aim, balance_min=limits.balance_min, balance_max=np.minimum(limits.balance_max, NO_LIMIT // 2),
        soft=soft, soft_money=limits.balance_price, levels=LEVELS,
    )  # fmt: skip
    broken = rounding.breaches(
        on.held, on.mine, on.owed, high, low, limits.count_min, limits.count_max, limits.balance_min, limits.balance_max,
        soft[:, :2], limits.balance_price,
    )  # fmt: skip
    prices_ = (limits.count_price, limits.balance_price, limits.mix_price)
    hard, all_here = all(np.isinf(price).all() for price in prices_), on.here.size == made.size
    complete = False
    if hard and all_here and on.here.size <= FEW:
        found, complete = _enumerate(problem, made, on, high, low)
        broken = 0.0 if found else broken
    if not complete and 0 < on.here.size <= SEARCHED and (broken > 0 or on.here.size <= SMALL):
        broken = 0.0 if _anneal(problem, made, on, high, low, rounds=2 if broken == 0 else ROUNDS) else broken
    work.agency[work.chosen] = on.here
    return work.agency, broken


def _anneal(problem: Problem, made: Cells, on: Standing, high: Floats, low: Floats, *, rounds: int) -> bool:
    limits = problem.limits
    starts, options = rounding.options(on.r, np.inf)
    size = float(np.abs(on.r[np.arange(on.here.size), on.here]).mean())
    fine = np.column_stack([limits.count_price, limits.balance_price, limits.mix_price])
    found = searching.anneal(
        on.units.value.astype(np.float64), starts, options, on.here, on.units.cell.astype(np.int64), on.units.balance,
        made.parts, on.held, on.mine, on.owed, high, low, limits.count_min, limits.count_max, limits.balance_min,
        limits.balance_max, fine, max(on.usual, size / 20), 1, MOVES, rounds,
    )  # fmt: skip
    return bool(found)


def _enumerate(problem: Problem, made: Cells, on: Standing, high: Floats, low: Floats) -> tuple[bool, bool]:
    """Put the best assignment of few units into `on.here`: (there is one, every assignment was considered)."""
    limits = problem.limits
    starts, options = rounding.options(on.r, np.inf)
    for i in range(on.here.size):
        mine = options[starts[i] : starts[i + 1]]
        mine[:] = mine[np.argsort(-on.r[i, mine], kind="stable")]
    order = np.lexsort((np.diff(starts), -on.units.balance))
    trial = on.here.copy()
    found, complete = searching.enumerate_all(
        on.units.value.astype(np.float64), on.r, order, starts, options, trial, on.units.cell.astype(np.int64), on.units.balance,
        made.parts, high, low, limits.count_min, limits.count_max, limits.balance_min, limits.balance_max, problem.agencies,
        np.inf, NODES,
    )  # fmt: skip
    if found:
        on.here[:] = trial
    return bool(found), bool(complete)
