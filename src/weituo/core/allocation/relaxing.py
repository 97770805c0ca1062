"""What must give way where limits clash: the same problem with every limit soft, at one account's price.

An account too many or too few costs 1, balance 1 per mean balance, and what accounts are worth counts for less than that: so
the best whole assignment breaks limits by as little as can be, and where there is a choice it breaks those that cost least.
Its prices lie between −1 and 1; those near 1 name the limits that clash. With value 0 everywhere and limits hard, a bound
below 0 at those prices, recomputed by `checker`, proves that no assignment exists, and says how much must give at least.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from weituo.core.allocation import checker, feasibility
from weituo.core.allocation.cells import Cells
from weituo.core.allocation.feasibility import Infeasible, Kind, Relaxed
from weituo.core.allocation.problem import CHUNK, Floats, Limits, Problem, Values
from weituo.core.allocation.surveying import Survey

#: how much of an account what it is worth may count for, and chance, which tells equal accounts apart
WORTH: Final = 0.07
CHANCE: Final = 0.03
#: prices from here on name a limit that clashes
CLASHING: Final = 0.5
#: a bound this far below 0 is a proof
CERTAIN: Final = 1e-6
#: significant digits of a relaxed balance, shares in steps of this
DIGITS: Final = 2
SHARE_STEP: Final = 1e-4
#: assignments that can be gone through one by one
TINY: Final = 200_000

Solver = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Elastic:
    """agency (n,) breaks limits by as little as was found: `relaxation` makes it keep them. least: certified, in accounts.

    row, money: prices by limit in accounts (see `prices`). clashing: families of limits without which the proof fails.
    """

    agency: npt.NDArray[np.int16]
    relaxation: tuple[Relaxed, ...]
    least: float
    row: Floats
    money: Floats
    clashing: tuple[str, ...]


def elastic(*, problem: Problem, solve: Solver, threads: int = 2) -> Elastic:
    """Solve the problem with every hard limit soft, and prove what must give at least. solve: `solver.solve`."""
    unit = max(float(problem.balance.mean()) if problem.size else 1.0, 1.0)
    firm = _firm(problem)
    k = problem.agencies
    soft = replace(firm, count_price=np.ones(k), balance_price=np.full(k, 1.0 / unit), mix_price=np.ones(k))
    worth = _worth(problem)
    found = solve(problem=replace(problem, value=worth, limits=soft))
    np.copyto(worth, 0.0, where=problem.value > -np.inf)
    zero = replace(problem, value=worth, limits=firm)

    def short(row: Floats, money: Floats) -> float:
        price = by_segment(problem, row)
        return -float(
            checker.check(
                problem=zero, agency=found.agency, price=price, money=money / unit, threads=threads
            )["bound"]
        )

    least, row, money = max(
        ((short(*one), *one) for one in _candidates(found.row, found.money * unit)), key=lambda one: one[0]
    )
    proved = least > CERTAIN
    return Elastic(
        agency=found.agency,
        relaxation=_relaxation(problem, firm, found.checked),
        least=least if proved else 0.0,
        row=found.row,
        money=found.money * unit,
        clashing=tuple(
            name
            for name, without in _without_each(row, money).items()
            if proved and short(*without) <= CERTAIN
        ),
    )


def _without_each(row: Floats, money: Floats) -> dict[str, tuple[Floats, Floats]]:
    """Prices without those of one family, by its name; families without any price are left out."""
    counts, rest = row.copy(), row.copy()
    counts[:, 1:], rest[:, 0] = 0.0, 0.0
    made = {
        "the largest counts": (rest + np.minimum(counts, 0), money),
        "the least counts": (rest + np.maximum(counts, 0), money),
        "the largest balances": (row, np.minimum(money, 0)),
        "the least balances": (row, np.maximum(money, 0)),
        "the mix": (counts, money),
    }
    return {name: one for name, one in made.items() if (one[0] != row).any() or (one[1] != money).any()}


def _firm(problem: Problem) -> Limits:
    """The hard limits alone."""
    low, high, owed_low, owed_high = feasibility.hard(problem)
    k, limits = problem.agencies, problem.limits
    endless = np.full(k, np.inf)
    return Limits(
        count_min=low, count_max=high, balance_min=owed_low, balance_max=owed_high,
        tolerance=np.where(np.isfinite(limits.mix_price)[:, None], np.inf, limits.tolerance),
        count_price=endless, balance_price=endless, mix_price=endless,
    )  # fmt: skip


def _worth(problem: Problem) -> Values:
    """Squeeze values into (−WORTH − CHANCE, 0]: the order of an account's agencies stays, and equal ones are told apart."""
    rng, made = np.random.default_rng(0), np.empty_like(problem.value)
    few = problem.value[:CHUNK]
    few = few[np.isfinite(few)]
    usual = max(float(np.abs(few).mean()) if few.size else 1.0, 1e-9)
    for first in range(0, problem.size, CHUNK):
        rows = slice(first, first + CHUNK)
        value = problem.value[rows]
        lost = np.where(value > -np.inf, (value.max(axis=1, keepdims=True) - value) / usual, 0.0)
        chance = rng.random(value.shape, dtype=np.float32)
        made[rows] = np.where(value > -np.inf, -WORTH * lost / (1.0 + lost) - CHANCE * chance, -np.inf)
    return made


def _candidates(row: Floats, money: Floats) -> list[tuple[Floats, Floats]]:
    """Prices to prove with: as they are, without what only worth explains, and all or nothing."""
    noise = 2 * (WORTH + CHANCE)
    return [
        (row, money),
        (np.where(np.abs(row) > noise, row, 0.0), np.where(np.abs(money) > noise, money, 0.0)),
        (np.rint(row), np.rint(money)),
    ]


def by_segment(problem: Problem, row: Floats) -> Floats:
    """Turn prices of limits (k, 1 + 2s) into prices of an account of each segment at each agency, (s, k)."""
    s = (row.shape[1] - 1) // 2
    share = problem.share() if s > 1 else np.ones(1)
    tolerance = problem.limits.tolerance if s > 1 else np.full((problem.agencies, 1), np.inf)
    high, low = share[None, :] + tolerance, share[None, :] - tolerance
    up, down = np.where(high < 1, row[:, 1 : 1 + s], 0.0), np.where(low > 0, row[:, 1 + s :], 0.0)
    with np.errstate(invalid="ignore"):
        base = (
            row[:, 0]
            - np.where(up != 0, up * high, 0.0).sum(axis=1)
            + np.where(down != 0, down * low, 0.0).sum(axis=1)
        )
    return np.ascontiguousarray(
        np.broadcast_to((base[:, None] + up - down).T, (problem.segments, problem.agencies))
    )


def _relaxation(problem: Problem, firm: Limits, checked: dict[str, Any]) -> tuple[Relaxed, ...]:
    """Say how far each hard limit must go for an assignment to keep it; balances and shares a little further, to be said."""
    given: list[Relaxed] = []
    held, owed = checked["held"].sum(axis=0), checked["owed"]
    share = problem.share()
    for a in range(problem.agencies):
        n = int(held[a])
        for limit, was, to in (
            ("count_min", int(firm.count_min[a]), min(n, int(firm.count_min[a]))),
            ("count_max", int(firm.count_max[a]), max(n, int(firm.count_max[a]))),
            ("balance_min", int(firm.balance_min[a]), int(firm.balance_min[a]) - _handy(int(firm.balance_min[a] - owed[a]))),
            ("balance_max", int(firm.balance_max[a]), int(firm.balance_max[a]) + _handy(int(owed[a] - firm.balance_max[a]))),
        ):  # fmt: skip
            if was != to:
                given.append(Relaxed(limit=limit, agency=a, segment=None, was=was, to=max(to, 0)))
        for s in np.flatnonzero(checked["broken"]["mix"][a] > 0):
            if not np.isfinite(firm.tolerance[a, s]):
                continue
            away = abs(float(checked["held"][s, a]) / n - float(share[s]))
            upto = math.ceil(away / SHARE_STEP + 1e-6) * SHARE_STEP
            given.append(
                Relaxed(
                    limit="segment_tolerance",
                    agency=a,
                    segment=int(s),
                    was=float(firm.tolerance[a, s]),
                    to=round(upto, 6),
                )
            )
    return tuple(given)


def _handy(much: int) -> int:
    """Round an amount up to `DIGITS` significant digits."""
    if much <= 0:
        return 0
    step = int(10 ** max(len(str(much)) - DIGITS, 0))
    return -(-much // step) * step


def relaxed(*, problem: Problem, relaxation: tuple[Relaxed, ...]) -> Problem:
    """Give the problem with limits that gave way."""
    limits = problem.limits
    made = {
        name: getattr(limits, name).copy()
        for name in ("count_min", "count_max", "balance_min", "balance_max", "tolerance")
    }
    for one in relaxation:
        if one.limit == "segment_tolerance":
            made["tolerance"][one.agency, one.segment] = one.to if one.to < 1 else np.inf
        else:
            made[one.limit][one.agency] = int(one.to)
    return replace(problem, limits=replace(limits, **made))


def reason(*, problem: Problem, made: Cells, found: Elastic, pool: ThreadPoolExecutor) -> Infeasible:
    """Say in a user's terms what clashes, from the prices of the elastic problem."""
    s = (found.row.shape[1] - 1) // 2
    count, money, mix = found.row[:, 0], found.money, found.row[:, 1:]
    exact = feasibility.licences(
        problem=problem, made=made, small=np.flatnonzero(np.maximum(count, money) > CLASHING),
        hungry=np.flatnonzero(np.minimum(count, money) < -CLASHING), pool=pool,
    )  # fmt: skip
    if exact is not None:
        return exact.with_relaxation(found.relaxation, found.least)
    some = CLASHING * float(max(np.abs(found.row).max(), np.abs(money).max()))
    families = {
        "the largest counts": count > some, "the least counts": count < -some, "the largest balances": money > some,
        "the least balances": money < -some, "the mix": (mix > some).any(axis=1) if s > 1 else np.zeros(count.size, dtype=bool),
    }  # fmt: skip
    concerned = np.flatnonzero(np.any(list(families.values()), axis=0))
    if not concerned.size:
        concerned = np.array(sorted({one.agency for one in found.relaxation}), dtype=np.int64)
    names = found.clashing or [name for name, where in families.items() if where.any()] or ["the limits"]
    return Infeasible(
        kind=Kind.CLASH, agencies=[int(a) for a in concerned], limits=names, relaxation=found.relaxation, least=found.least,
        needed=math.ceil(found.least - CERTAIN),
    )  # fmt: skip


def impossible(*, problem: Problem, made: Cells) -> bool | None:
    """Go through all assignments of a tiny problem: True: none keeps the hard limits; None: too many to go through."""
    options = [
        [int(f)]
        if made.fixed.size and (f := made.fixed[i]) >= 0
        else [int(a) for a in np.flatnonzero(made.value[i] > -np.inf)]
        for i in range(min(made.size, 64))
    ]
    if made.size > 64 or math.prod(len(one) for one in options) > TINY:
        return None
    firm, share = _firm(problem), problem.share()
    high = np.minimum(share[None, :] + firm.tolerance, 1.0)
    low = np.maximum(share[None, :] - firm.tolerance, 0.0)
    rows = made.member if made.member.size else np.arange(problem.size)
    for choice in itertools.product(*options):
        agency = np.array(choice)[rows]
        held = np.zeros((problem.agencies, problem.segments), dtype=np.int64)
        np.add.at(held, (agency, problem.segment), 1)
        owed = np.zeros(problem.agencies, dtype=np.int64)
        np.add.at(owed, agency, problem.balance)
        n = held.sum(axis=1)
        if (
            (n >= firm.count_min).all() and (n <= firm.count_max).all()
            and (owed >= firm.balance_min).all() and (owed <= firm.balance_max).all()
            and (held <= np.ceil(high * n[:, None] - 1e-9)).all() and (held >= np.floor(low * n[:, None] + 1e-9)).all()
        ):  # fmt: skip
            return False
    return True


def refuse_plain(*, problem: Problem, made: Cells, seen: Survey, solve: Solver, threads: int = 2) -> None:
    """Refuse what one reading shows, with the least relaxation where limits are to blame. Raises `Infeasible`."""
    try:
        feasibility.refuse_plain(problem=problem, made=made, seen=seen)
    except Infeasible as plain:
        if plain.kind in (Kind.WITHOUT_AGENCY, Kind.FIXED_BARRED):
            raise
        found = elastic(problem=problem, solve=solve, threads=threads)
        raise plain.with_relaxation(found.relaxation, found.least) from None


def refuse_priced(
    *,
    problem: Problem,
    made: Cells,
    solve: Solver,
    pool: ThreadPoolExecutor,
    price: Floats | None = None,
    money: Floats | None = None,
    floor: float = -np.inf,
    threads: int = 2,
) -> None:
    """Refuse a problem whose bound fell below `floor`, what any assignment is worth at least.

    Raises `Infeasible` when the elastic problem proves it, or the bound at price (s, k), money (k,) in double precision.
    """
    found = elastic(problem=problem, solve=solve, threads=threads)
    if not found.relaxation:
        return
    proved = found.least > 0
    if not proved and price is not None:
        checked = checker.check(
            problem=problem, agency=found.agency, price=price, money=money, threads=threads
        )
        proved = float(checked["bound"]) < floor
    if proved:
        raise reason(problem=problem, made=made, found=found, pool=pool)


def refuse_broken(
    *, problem: Problem, made: Cells, solve: Solver, pool: ThreadPoolExecutor, broken: int, threads: int = 2
) -> npt.NDArray[np.int16] | None:
    """Tell why hard limits stayed broken. Raises `Infeasible` where it is proved.

    Gives an assignment that keeps all hard limits if one turned up meanwhile; None: it stays open.
    """
    found = elastic(problem=problem, solve=solve, threads=threads)
    if not found.relaxation:
        return found.agency
    if found.least > 0:
        raise reason(problem=problem, made=made, found=found, pool=pool)
    if impossible(problem=problem, made=made):
        raise doubt(relaxation=found.relaxation, broken=broken, proved=True)
    return None


def doubt(*, relaxation: tuple[Relaxed, ...], broken: int, proved: bool = False) -> Infeasible:
    """Say that whole accounts do not fit, though parts of accounts might."""
    return Infeasible(
        kind=Kind.WHOLE_ACCOUNTS, agencies=sorted({one.agency for one in relaxation}), needed=broken, relaxation=relaxation,
        proved=proved,
    )  # fmt: skip
