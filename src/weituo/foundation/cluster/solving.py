"""The four moves of `core.allocation.solver` with the accounts on a cluster: samples and contested accounts come here, sums and
prices travel, everything else stays where it lies. Same problem, same seed, same slabs: the assignment of one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from weituo.core.allocation import checker, feasibility, prices, relaxing, solver, whole
from weituo.core.allocation.cells import Cells, cells
from weituo.core.allocation.feasibility import Infeasible, Kind
from weituo.core.allocation.prices import Prices, Reader, Rows, State
from weituo.core.allocation.problem import Floats, Ints, Problem, ProblemError, problem
from weituo.core.allocation.solver import Clock, Solution
from weituo.core.allocation.whole import Contest
from weituo.foundation.cluster import spread
from weituo.foundation.cluster.field import ClusterReader, Field
from weituo.foundation.cluster.limits import LIMITS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """solution: as of one process, but its agency is empty for a frame; frame: account, agency (None for arrays); passes."""

    solution: Solution
    frame: Any
    passes: int


def solve(
    *, problem: Problem, session: Any, seed: int = 0, threads: int = 2, time_limit: float | None = None
) -> Placed:
    """Solve a problem whose arrays lie here on a cluster. Raises `ProblemError`, `feasibility.Infeasible`."""
    clock = Clock(time_limit)
    made = cells(problem)
    again = partial(solver.solve, seed=seed, threads=threads, time_limit=time_limit)
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        seen = feasibility.survey(problem=problem, made=made, pool=pool)
        relaxing.refuse_plain(problem=problem, made=made, seen=seen, solve=again, threads=threads)
        made = solver.part(made)
        clock.phase("read")
        field = Field(packed=spread.from_cells(session=session, cells=made))
        clock.phase("spread")
        try:
            place, state, rows = _assign(
                field, problem, made, seed, pool, clock, floor=feasibility.floor(problem=problem, survey=seen),
                below=lambda _: relaxing.refuse_priced(problem=problem, made=made, solve=again, pool=pool, threads=threads),
            )  # fmt: skip
            units = field.agencies()
        finally:
            field.release()
        clock.phase("fetch")
        agency = units[made.member] if made.member.size else units
        price, money = solver.segment_prices(problem, made, rows, state.prices)
        if made.member.size:
            # units of several accounts: their float32 sums are not exact, the proof is
            place = checker.check(problem=problem, agency=agency, price=price, money=money, threads=threads)
        broken = solver.violations(problem.limits, place)
        if broken and not clock.over():
            other = relaxing.refuse_broken(
                problem=problem, made=made, solve=again, pool=pool, broken=broken, threads=threads
            )
            if other is not None:
                agency = other
                place = checker.check(
                    problem=problem, agency=agency, price=price, money=money, threads=threads
                )
            clock.phase("relaxing")
    solution = _solution(problem, made, rows, state, place, agency, clock)
    return Placed(solution=solution, frame=None, passes=field.passes)


def solve_frame(
    *,
    frame: Any,
    agencies: int,
    limits: Mapping[str, Any],
    seed: int = 0,
    threads: int = 2,
    time_limit: float | None = None,
) -> Placed:
    """Solve for a frame of accounts that lies on a cluster, see `spread.from_frame`; limits: arrays by name, see `LIMITS`.

    The frame of the result (account, agency) is held in the workers' memory. Raises `ProblemError`, `feasibility.Infeasible`.
    """
    unknown = set(limits) - set(LIMITS)
    if unknown:
        raise ProblemError(f"there are no limits {', '.join(sorted(unknown))}: known are {', '.join(LIMITS)}")
    clock = Clock(time_limit)
    field = Field(packed=spread.from_frame(frame=frame, agencies=agencies))
    clock.phase("spread")
    told = _told(field, agencies, limits)
    made = _stand_in(told, field)
    seen = field.look(made=made)
    feasibility.refuse_plain(problem=told, made=made, seen=seen)
    clock.phase("read")
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        place, state, rows = _assign(
            field,
            told,
            made,
            seed,
            pool,
            clock,
            floor=feasibility.floor(problem=told, survey=seen),
            below=_clash,
        )
    solution = _solution(told, made, rows, state, place, np.empty(0, np.int16), clock)
    kind = frame.schema["account"].dataType.simpleString()
    placed = field.placed().select("account", "agency")
    return Placed(
        solution=solution,
        frame=placed.mapInArrow(spread.with_names, f"account {kind}, agency int"),
        passes=field.passes,
    )


def _clash(state: State) -> None:
    """Say which limits clash: those whose prices rose most. Raises `Infeasible`."""
    count, mix, money = state.prices.row[:, 0], state.prices.row[:, 1:], state.prices.money
    some = 0.5 * max(float(np.abs(part).max(initial=0.0)) for part in (count, mix, money))
    families = {
        "the largest counts": count > some, "the least counts": count < -some, "the largest balances": money > some,
        "the least balances": money < -some, "the mix": (mix > some).any(axis=1),
    }  # fmt: skip
    raise Infeasible(
        kind=Kind.CLASH,
        agencies=[int(a) for a in np.flatnonzero(np.any(list(families.values()), axis=0))],
        limits=[name for name, where in families.items() if where.any()] or ["the limits"],
    )


def _told(field: Field, agencies: int, limits: Mapping[str, Any]) -> Problem:
    """Make a problem of the limits; of its accounts only their number, segments and balance in all are asked for."""
    segments = field.counts.size
    few = problem(
        value=np.zeros((segments, agencies)),
        balance=np.zeros(segments),
        segment=np.arange(segments),
        **limits,
    )
    balance = few.balance.copy()
    balance[0] = field.balance
    return Problem(
        value=np.broadcast_to(np.float32(0), (field.size, agencies)), balance=balance, segment=few.segment,
        segments=segments, limits=few.limits, fixed=few.fixed,
    )  # fmt: skip


def _stand_in(told: Problem, field: Field) -> Cells:
    """Give the cells of a problem whose accounts lie elsewhere."""
    made = Cells(
        value=told.value, balance=told.balance, cell=told.segment, fixed=told.fixed,
        parts=np.eye(told.segments, dtype=np.int64), share=field.counts / field.size, member=np.empty(0, dtype=np.int64),
    )  # fmt: skip
    # ties are looked for among the first accounts: a hash has mixed them
    return replace(solver.part(replace(made, value=field.few)), value=told.value)


@dataclass(slots=True)
class Sifting:
    """Sifts on the cluster in place of `whole.sift`, and remembers which rows were contested last."""

    field: Field
    positions: Ints

    def __call__(
        self, made: Cells, rows: Rows, at: Prices, near: Floats, near_money: float, pool: Any
    ) -> Contest:
        """Sift all rows in one pass."""
        del pool
        contest, self.positions = self.field.sift(
            made=made, rows=rows, at=at, near=near, near_money=near_money
        )
        return contest


def _assign(
    field: Field, problem: Problem, made: Cells, seed: int, pool: ThreadPoolExecutor, clock: Clock, *,
    floor: float = -np.inf, below: Callable[[State], None] = lambda _: None,
) -> tuple[dict[str, Any], State, Rows]:  # fmt: skip
    """Find prices and whole units, and place them: (what the proof says, prices, rows).

    below: what is to be done when the bound falls under `floor`, which nothing within the limits is worth less than.
    """
    rows = prices.rows_of(
        limits=problem.limits,
        parts=made.parts,
        share=made.share,
        mean_balance=float(field.balance) / max(field.size, 1),
    )
    sifting = Sifting(field, np.empty(0, np.int64))
    state = _find_prices(field, made, rows, pool, seed, clock, floor)
    if state.bound < floor:
        below(state)
        state = _find_prices(field, made, rows, pool, seed, clock, -np.inf)
    agencies, state = whole.make_whole(problem, made, rows, state, pool, clock.over, sifting)
    clock.phase("whole accounts")
    price, money = solver.segment_prices(problem, made, rows, state.prices)
    # by cell; without a mix rule all segments have one price
    pay = made.parts @ price[: made.parts.shape[1]]
    parts = field.place(
        made=made,
        rows=rows,
        at=state.prices,
        positions=sifting.positions,
        agencies=agencies,
        pay=pay,
        owed_price=money,
    )
    sums, held, owed = (np.sum([part[name] for part in parts], axis=0) for name in ("sums", "held", "owed"))
    clock.phase("proof")
    if made.member.size:
        return {}, state, rows
    # without a mix rule all segments are one cell
    limits = replace(problem.limits, tolerance=problem.limits.tolerance[:, : made.parts.shape[0]])
    found = checker.judge(
        limits=limits, size=problem.size, share=made.share, price=pay, money=money, sums=sums, held=held.astype(np.int64),
        owed=owed, balance=field.balance, longest=max(int(part["size"]) for part in parts),
    )  # fmt: skip
    return found | {"torn": 0}, state, rows


def _find_prices(
    field: Field, made: Cells, rows: Rows, pool: ThreadPoolExecutor, seed: int, clock: Clock, floor: float
) -> State:
    state = solver.first_state(few=field.few, rows=rows)
    for size, tolerance in zip(solver.SAMPLES, solver.TOLERANCES, strict=True):
        if size < solver.SAMPLE_SHARE * field.size and not clock.over():
            drawn, weight, totals = field.draw(
                made=made, base=0.5 * size / field.size, seed=seed + 1, unit=rows.unit
            )
            reader = Reader(
                cells=drawn,
                rows=rows,
                pool=pool,
                weight=solver.calibrated(drawn=drawn, weight=weight, totals=totals, unit=rows.unit),
            )
            state = prices.descend(
                reader=reader, state=state, tolerance=tolerance, stop=clock.over, floor=floor
            )
            clock.phase(f"prices on {size}")
    state = prices.descend(
        reader=ClusterReader(field=field, cells=made, rows=rows), state=state,
        tolerance=prices.FINE / max(field.size, 1), stop=clock.over,
        floor=floor,
    )  # fmt: skip
    clock.phase("prices on all")
    return state


def _solution(
    problem: Problem, made: Cells, rows: Rows, state: State, found: dict[str, Any], agency: Any, clock: Clock
) -> Solution:
    price, money = solver.segment_prices(problem, made, rows, state.prices)
    return Solution(
        agency=agency, value=found["value"], bound=found["bound"], price=price, money=money, row=state.prices.row,
        checked=found, violations=solver.violations(problem.limits, found), seconds=clock.seconds, rounds=state.rounds,
    )  # fmt: skip
