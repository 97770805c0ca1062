"""The best assignment within all limits, in four moves: prices on samples, prices on all, whole accounts, proof.

1. Prices on a sample of 30,000 units, then of 300,000 (large balances drawn more often, weights exact).
2. Prices on all units; then on those units only which the last small changes of prices could still move.
3. Whole accounts: contested units are moved until every limit is kept (`rounding`).
4. The proof is recomputed from the arrays alone (`checker`).

Same problem, same seed: the same answer on any number of threads, unless a time limit cut it short.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from weituo.core.allocation import checker, feasibility, prices, relaxing, scanning, whole
from weituo.core.allocation.cells import Cells, cells
from weituo.core.allocation.prices import FINE, SLABS, Prices, Reader, Rows, State, edges
from weituo.core.allocation.problem import Floats, Ints, Limits, Problem

#: units of the samples on which prices are found first
SAMPLES: Final = (30_000, 300_000)
#: steps on them that promise less than this share of the bound are not worth a pass
TOLERANCES: Final = (1e-5, 1e-6)
#: units whose values say how large values usually are
FEW: Final = 4_096
#: a sample is worth its while below this share of all units
SAMPLE_SHARE: Final = 0.4
#: units looked at for ties; fewer different steps between values than this share of all steps are ties
TIED_SEEN: Final = 4_096
TIED_KINDS: Final = 0.2
#: noise that parts ties, as a share of the usual value
NOISE: Final = 2.0**-17


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """agency (n,) int16. value ≤ bound, both recomputed by `checker`; fines for broken soft limits are taken off value.

    price (s, k): money that one more account of segment s would pay for its place at agency k; money (k,) per minor unit.
    row (k, 1 + 2s) the same by limit, see `prices`. broken: hard limits that are broken, in accounts and minor units.
    """

    agency: npt.NDArray[np.int16]
    value: float
    bound: float
    price: Floats
    money: Floats
    row: Floats
    checked: dict[str, Any]
    violations: int
    seconds: dict[str, float]
    rounds: int

    @property
    def gap(self) -> float:
        """How far the value may lie below the best, relative to the bound."""
        return (self.bound - self.value) / max(abs(self.bound), 1e-12)


class Clock:
    """Measures phases; tells when the time is over."""

    def __init__(self, limit: float | None) -> None:
        self.begun = self.last = time.perf_counter()
        self.limit, self.seconds = limit, dict[str, float]()

    def phase(self, name: str) -> None:
        """Close a phase."""
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self.last
        self.last = now

    def over(self) -> bool:
        """Tell whether the time limit has passed."""
        return self.limit is not None and time.perf_counter() - self.begun > self.limit


def solve(*, problem: Problem, seed: int = 0, threads: int = 2, time_limit: float | None = None) -> Solution:
    """Find the assignment of greatest value. Raises `ProblemError` for unusable values, `feasibility.Infeasible`."""
    clock = Clock(time_limit)
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        made = cells(problem)
        seen = feasibility.survey(problem=problem, made=made, pool=pool)
        again = partial(solve, seed=seed, threads=threads, time_limit=time_limit)
        relaxing.refuse_plain(problem=problem, made=made, seen=seen, solve=again, threads=threads)
        rows = prices.rows_of(
            limits=problem.limits,
            parts=made.parts,
            share=made.share,
            mean_balance=float(problem.balance.sum()) / max(made.size, 1),
        )
        clock.phase("read")
        made = part(made)
        floor = feasibility.floor(problem=problem, survey=seen)
        state = find_prices(made=made, rows=rows, pool=pool, seed=seed, clock=clock, floor=floor)
        if state.bound < floor:
            price, money = segment_prices(problem, made, rows, state.prices)
            relaxing.refuse_priced(
                problem=problem, made=made, solve=again, pool=pool, price=price, money=money, floor=floor, threads=threads
            )  # fmt: skip
            state = find_prices(made=made, rows=rows, pool=pool, seed=seed, clock=clock)
        agency, state = whole.make_whole(problem, made, rows, state, pool, clock.over)
        clock.phase("whole accounts")
        accounts = agency[made.member] if made.member.size else agency
        price, money = segment_prices(problem, made, rows, state.prices)
        found = checker.check(problem=problem, agency=accounts, price=price, money=money, threads=threads)
        clock.phase("proof")
        if violations(problem.limits, found) and not clock.over():
            other = relaxing.refuse_broken(
                problem=problem, made=made, solve=again, pool=pool, broken=violations(problem.limits, found), threads=threads
            )  # fmt: skip
            if other is not None:
                accounts = other
                found = checker.check(
                    problem=problem, agency=other, price=price, money=money, threads=threads
                )
            clock.phase("relaxing")
    return Solution(
        agency=accounts, value=found["value"], bound=found["bound"], price=price, money=money, row=state.prices.row, checked=found,
        violations=violations(problem.limits, found), seconds=clock.seconds, rounds=state.rounds,
    )  # fmt: skip


def violations(limits: Limits, found: dict[str, Any]) -> int:
    """Count the hard limits that the checker found broken, and the units that it found torn apart."""
    broken = found["broken"]
    hard = (
        (broken["count"], limits.count_price),
        (broken["balance"], limits.balance_price),
        (broken["mix"], limits.mix_price[:, None]),
    )
    return int(found["torn"]) + sum(int(((by > 0) & ~np.isfinite(price)).sum()) for by, price in hard)


def part(made: Cells) -> Cells:
    """Part ties by noise where many units are worth the same at several agencies, or differ by few whole steps.

    Prices cannot tell apart what is worth the same, and leave all of it to one agency.
    """
    few = made.value[:: max(made.size // TIED_SEEN, 1)][:TIED_SEEN].astype(np.float64)
    finite = np.isfinite(few)
    if not finite.any() or made.value.shape[1] == 1:
        return made
    usual = float(np.abs(few[finite]).mean())
    steps = few - np.where(finite, few, np.inf).min(axis=1, keepdims=True)
    steps = np.sort(np.unique(np.round(steps[finite & (steps > 0)], 9)))
    kinds = steps.size / max(int((finite.sum(axis=1) - 1).clip(0).sum()), 1)
    return made.parted(max(usual, 1e-30) * NOISE, NOISE * 64) if kinds < TIED_KINDS else made


def find_prices(
    *, made: Cells, rows: Rows, pool: ThreadPoolExecutor, seed: int, clock: Clock, floor: float = -np.inf
) -> State:
    """Find the prices of the limits: on samples, then on all units; not further once the bound is below `floor`."""
    state = first_state(few=made.value[:FEW], rows=rows)
    for size, tolerance in zip(SAMPLES, TOLERANCES, strict=True):
        if size < SAMPLE_SHARE * made.size and not clock.over():
            drawn, weight = _sample(made, rows, size, seed, pool)
            state = prices.descend(
                reader=Reader(cells=drawn, rows=rows, pool=pool, weight=weight), state=state, tolerance=tolerance,
                stop=clock.over, floor=floor,
            )  # fmt: skip
            clock.phase(f"prices on {size}")
    state = prices.descend(
        reader=Reader(cells=made, rows=rows, pool=pool), state=state, tolerance=FINE / max(made.size, 1),
        stop=clock.over, floor=floor,
    )  # fmt: skip
    clock.phase("prices on all")
    return state


def first_state(*, few: npt.NDArray[np.float32], rows: Rows) -> State:
    """Start from no prices, and from near ties as wide as half a usual one of these values."""
    known = np.abs(few[np.isfinite(few)])
    usual = float(known.mean()) if known.size else 1.0
    start = Prices(row=np.zeros(rows.most.shape), money=np.zeros(rows.money_most.size))
    return State(prices=start, near=max(usual / 2, 1e-6), damping=prices.DAMPING[0])


def _sample(made: Cells, rows: Rows, size: int, seed: int, pool: ThreadPoolExecutor) -> tuple[Cells, Floats]:
    """Draw about `size` units, half evenly and half by balance; weights keep each cell's units and balance exactly."""
    base, cut, width = 0.5 * size / made.size, edges(made.size), made.parts.shape[0]

    def one(x: int) -> tuple[Ints, Floats, Floats]:
        first, last = int(cut[x]), int(cut[x + 1])
        chosen, weight, totals = (
            np.empty(last - first, np.int32),
            np.empty(last - first),
            np.zeros((width, 2)),
        )
        found = scanning.draw(
            made.balance[first:last],
            rows.unit,
            made.cell[first:last],
            base,
            base,
            seed + 1,
            first,
            chosen,
            weight,
            totals,
        )
        return chosen[:found].astype(np.int64), weight[:found].copy(), totals

    parts = list(pool.map(one, range(SLABS)))
    chosen, weight = (np.concatenate([part[x] for part in parts]) for x in (0, 1))
    drawn, totals = made.take(chosen), np.sum([part[2] for part in parts], axis=0)
    return drawn, calibrated(drawn=drawn, weight=weight, totals=totals, unit=rows.unit)


def calibrated(*, drawn: Cells, weight: Floats, totals: Floats, unit: float) -> Floats:
    """Change weights so that each cell's units and balance, totals (cells, 2), are met."""
    b, width = drawn.balance * unit, drawn.parts.shape[0]
    s0, s1, s2 = (np.bincount(drawn.cell, weights=weight * b**power, minlength=width) for power in (0, 1, 2))
    spread = np.maximum(s0 * s2 - s1 * s1, 1e-9)
    # Deville and Särndal 1992: the smallest change of weights that meets both totals
    miss, miss_b = totals[:, 0] - s0, totals[:, 1] - s1
    steady, tilt = (s2 * miss - s1 * miss_b) / spread, (s0 * miss_b - s1 * miss) / spread
    return weight * np.clip(1.0 + steady[drawn.cell] + tilt[drawn.cell] * b, 0.1, 10.0)


def segment_prices(problem: Problem, made: Cells, rows: Rows, at: Prices) -> tuple[Floats, Floats]:
    """Give prices as the checker takes them: (s, k) an account of a segment, (k,) a minor unit of balance."""
    s = made.parts.shape[1]
    lam, up, down = at.row[:, 0], at.row[:, 1 : 1 + s], at.row[:, 1 + s :]
    high, low = whole.shares(problem, made)
    base = lam - (up * high).sum(axis=1) + (down * low).sum(axis=1)
    price = (base[:, None] + up - down).T
    return np.ascontiguousarray(
        np.broadcast_to(price, (problem.segments, price.shape[1]))
    ), at.money * rows.unit
