"""All of it: prices and multipliers, rounds of search side by side, the proof, and small problems to the end."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from weituo.core.allocation.generalised import checking, multipliers, search
from weituo.core.allocation.generalised.exhausting import exhaust
from weituo.core.allocation.generalised.problem import Agents, Floats, Generalised, Ints

#: steps that price capacity, fewer where the looks at a cell would be too many
PRICE_STEPS: Final = 3_000
PRICE_LOOKS: Final = 1e9
#: parts of a climb, between which the clock is looked at, and steps of each
CLIMBS: Final = 12
CLIMB_STEPS: Final = 100
#: agents that a job is tried at, in order of reduced cost
NEAR_MAX: Final = 20
#: links and looks a second that a processor of 2024 does; the plan of rounds rests on it and on the time limit, never on the clock
WORK_SECOND: Final = 4e7
#: shares of the time limit that the rounds of search get: they grow, so that a slower machine still ends most of them
ROUNDS: Final = (0.004, 0.016, 0.04, 0.08, 0.14, 0.2, 0.22, 0.3)
#: rounds before which the bound is raised again, with the best cost so far as the target
CLIMBS_BEFORE: Final = (1, 3, 6)
#: the gap at which raising the bound further is not worth the time
CLOSE: Final = 2e-4
#: links and looks a cell of the matrix that a round does at least
WORK_MIN: Final = 200
#: seconds beyond the limit, at least and as a share of it, for a first assignment within capacity
GRACE_MIN: Final = 1.0
GRACE: Final = 0.1
#: parts of a round; between them the clock is looked at
PARTS: Final = 60
#: a cooling: hot, cold (in typical reduced costs), soft, firm, surcharge
COOLING: Final = (1.2, 0.12, 0.05, 1.5, 20.0)
#: the same where nothing within capacity was found yet
SEEKING: Final = (1.0, 0.3, 0.1, 3.0, 20.0)
#: pairs of agent and job up to which everything is tried, and visits for that
SMALL: Final = 400
VISITS_MAX: Final = 3_000_000
_ENDLESS: Final = 1e300


class NoAssignment(Exception):
    """No assignment keeps every capacity: proved, not only not found."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GeneralisedSolution:
    """The answer.

    agent: (n,) agent of each job, from 0. cost: what it costs (whole where costs are). bound: no assignment costs less.
    gap: (cost − bound) / |bound|. violations: agents that hold too much (0 when feasible). multipliers: (n,) that the bound
    can be recomputed from. seconds: by phase.
    """

    agent: Agents
    cost: float
    bound: float
    gap: float
    feasible: bool
    violations: int
    multipliers: Floats
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Course:
    """Where a solve stands."""

    problem: Generalised
    board: search.Board
    typical: float
    base: float
    multipliers: Floats
    bound: float
    until: float
    seed: int
    best: Ints | None = None
    cost: float = _ENDLESS
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def proved(self) -> bool:
        """Tell whether nothing better can be."""
        return self.cost <= self.bound + (0.0 if self.problem.whole_costs else 1e-9 * abs(self.bound))

    def offer(self, agent: Ints, cost: float) -> None:
        """Keep an assignment within capacity if it is better."""
        if cost < self.cost:
            self.best, self.cost = agent.copy(), cost


def solve(
    *, problem: Generalised, seed: int = 0, time_limit: float = 60.0, threads: int = 2
) -> GeneralisedSolution:
    """Find a good assignment and a bound within `time_limit` seconds; the same for a seed, threads and limit unless the clock cuts.

    Raises `NoAssignment` when it is proved that none keeps the capacities; where none was found, `feasible` is false.
    """
    began = time.perf_counter()
    course = _begin(problem, seed=seed, until=began + time_limit)
    threads = max(threads, 1)
    with ThreadPoolExecutor(threads) as pool:
        try:
            for number, share in enumerate(ROUNDS):
                if number == 1:
                    _exhaust_small(course)
                if number in CLIMBS_BEFORE and course.cost - course.bound > CLOSE * abs(course.bound):
                    _climb(course)
                if course.proved or (number > 0 and time.perf_counter() >= course.until):
                    break
                work = max(share * time_limit * WORK_SECOND, float(WORK_MIN * problem.cost.size))
                _round(course, pool, threads=threads, number=number, work=work)
            if course.best is None:
                _seek(course, pool, threads=threads, grace=max(GRACE_MIN, GRACE * time_limit))
        finally:
            course.until = 0.0  # an interrupted solve leaves no thread at work
    return _finish(course, began)


def _seek(course: _Course, pool: ThreadPoolExecutor, *, threads: int, grace: float) -> None:
    """Look for any assignment within capacity, a little beyond the limit if need be: an answer late is better than none."""
    course.until = time.perf_counter() + grace
    course.board, _, _ = _board(course.problem, course.board.price, near_max=course.problem.shape[0])
    number = len(ROUNDS)
    while course.best is None and time.perf_counter() < course.until:
        _round(course, pool, threads=threads, number=number, work=grace * WORK_SECOND / 4, cooling=SEEKING)
        number += 1


def _begin(problem: Generalised, *, seed: int, until: float) -> _Course:
    """Price capacity, set up the board and the first multipliers."""
    began = time.perf_counter()
    least = np.where(problem.resource <= problem.room[:, None], problem.resource, np.inf).min(axis=0)
    if float(least.sum()) > float(problem.room.sum()):
        raise NoAssignment
    steps = int(np.clip(PRICE_LOOKS / problem.cost.size, 100, PRICE_STEPS))
    price, _ = multipliers.capacity_prices(problem.cost, problem.resource, problem.capacity, steps)
    board, typical, start = _board(problem, price)
    course = _Course(
        problem=problem, board=board, typical=typical, multipliers=start, bound=-_ENDLESS, until=until, seed=seed,
        base=float(start.sum() - (price * problem.room).sum()),
    )  # fmt: skip
    course.seconds["prices"] = time.perf_counter() - began
    _climb(course)
    return course


def _board(
    problem: Generalised, price: Floats, *, near_max: int = NEAR_MAX
) -> tuple[search.Board, float, Floats]:
    """Lay out reduced costs under these prices; gives the board, a typical reduced cost, and the jobs' multipliers."""
    m, _ = problem.shape
    fits = problem.resource <= problem.room[:, None]
    priced = problem.cost + price[:, None] * problem.resource
    start = np.where(fits, priced, np.inf).min(axis=0)
    reduced = np.where(fits, priced - start, 1e15)
    by_job = np.ascontiguousarray(reduced.T)
    near = np.argsort(by_job, axis=1, kind="stable")[:, : min(m, near_max)]
    count = np.minimum(fits.sum(axis=0), near.shape[1])
    few = np.sort(by_job, axis=1)[:, : min(4, m)]
    typical = float(few[few < 1e15].mean())
    if typical <= 0:
        typical = max(float(np.abs(problem.cost).mean()) * 1e-3, 1e-9)
    unit = typical / max(float(problem.resource.mean()), 1e-12)
    board = search.Board(
        cost=problem.cost, reduced=reduced, resource=problem.resource, reduced_of=by_job,
        resource_of=np.ascontiguousarray(problem.resource.T), capacity=problem.capacity, room=problem.room,
        near=np.ascontiguousarray(near.astype(np.int32)), near_count=count.astype(np.int64),
        price=price, fine=np.maximum(price * 1.02, unit),
    )  # fmt: skip
    return board, typical, start


def _climb(course: _Course) -> None:
    """Raise the bound, with the best cost so far as the target."""
    began = time.perf_counter()
    problem = course.problem
    start = course.multipliers
    target = course.cost if course.best is not None else course.base + 0.002 * abs(course.base) + 1e-6
    lists, best, pace = multipliers.lists(), start, 1.0
    for _ in range(CLIMBS):
        best, _, pace = multipliers.climb(
            problem.cost, problem.resource, problem.room, best, target, pace, CLIMB_STEPS, lists
        )
        if pace == 0.0 or time.perf_counter() >= course.until:
            break
    fine = multipliers.on_grid(best, fine=checking.FINE)
    bound = checking.lower_bound(problem=problem, multipliers=fine)
    if bound > course.bound or course.bound == -_ENDLESS:
        course.bound, course.multipliers = bound, fine
    course.seconds["multipliers"] = course.seconds.get("multipliers", 0.0) + time.perf_counter() - began


def _exhaust_small(course: _Course) -> None:
    """Try everything where that is possible."""
    m, n = course.problem.shape
    if m * n > SMALL or course.proved:
        return
    began = time.perf_counter()
    board = course.board
    second = np.sort(board.reduced_of, axis=1)[:, 1] if m > 1 else np.zeros(n)
    order = np.argsort(-second, kind="stable")
    near = np.argsort(board.reduced_of, axis=1, kind="stable").astype(np.int32)
    fits = (course.problem.resource <= course.problem.room[:, None]).sum(axis=0)
    whole = course.problem.whole_costs
    step = 1.0 - 1e-6 if whole else 1e-9
    best = np.zeros(n, dtype=np.int64)
    limit = _ENDLESS if course.best is None else course.cost - course.base - step
    least, complete = exhaust(
        order,
        near,
        fits,
        board.reduced_of,
        board.resource_of,
        course.problem.room,
        board.price,
        limit,
        step,
        VISITS_MAX,
        best,
    )
    if least < limit:
        course.offer(best, checking.recount(problem=course.problem, agent=best.astype(np.int16)).cost)
    course.seconds["exhausting"] = time.perf_counter() - began
    if complete and course.best is None:
        raise NoAssignment
    if complete:
        course.bound = course.cost


def _round(
    course: _Course,
    pool: ThreadPoolExecutor,
    *,
    threads: int,
    number: int,
    work: float,
    cooling: tuple[float, ...] = COOLING,
) -> None:
    """Run one cooling a thread and keep the best of them."""
    began = time.perf_counter()
    done = list(pool.map(lambda thread: _cool(course, number, thread, work, cooling), range(threads)))
    for stand in done:
        if stand.figures[search.BEST] < _ENDLESS:
            course.offer(stand.best, float(stand.figures[search.BEST]))
    course.seconds["search"] = course.seconds.get("search", 0.0) + time.perf_counter() - began


def _cool(course: _Course, number: int, thread: int, work: float, cooling: tuple[float, ...]) -> search.Stand:
    """Run one cooling from the cheapest agents, until its end, the proof or the time limit."""
    hot, cold, soft, firm, surcharge = cooling
    board = course.board
    seeds = np.random.SeedSequence([course.seed, number, thread])
    stand = search.stand(board, board.near[:, 0].astype(np.int64), seed=int(seeds.generate_state(1)[0]))
    for part in range(PARTS):
        search.anneal(
            board, stand, part / PARTS, (part + 1) / PARTS, work,
            hot * course.typical, cold * course.typical, soft, firm, surcharge,
        )  # fmt: skip
        late = number > 0 and time.perf_counter() >= course.until  # the first round is short and always ends
        if late or stand.figures[search.BEST] <= course.bound:
            break
    return stand


def _finish(course: _Course, began: float) -> GeneralisedSolution:
    """Recount by other code and give the answer."""
    found = course.best if course.best is not None else course.board.near[:, 0].astype(np.int64)
    agent = found.astype(np.int16)
    counted = checking.recount(problem=course.problem, agent=agent)
    bound = min(course.bound, counted.cost) if counted.violations == 0 else course.bound
    course.seconds["total"] = time.perf_counter() - began
    whole = course.problem.whole_costs
    return GeneralisedSolution(
        agent=agent,
        cost=int(counted.cost) if whole else counted.cost,
        bound=int(bound) if whole else bound,
        gap=(counted.cost - bound) / max(abs(bound), 1e-12),
        feasible=counted.violations == 0,
        violations=counted.violations,
        multipliers=course.multipliers,
        seconds=course.seconds,
    )
