"""How accounts are given out by hand today, so that the solution has something to be compared with; and what that breaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from weituo.core.allocation.problem import NO_LIMIT, Ints, Problem


def round_robin(*, problem: Problem, columns: Sequence[int], home: int) -> Ints:
    """Deal accounts in the order of their rows to their eligible agencies in turn, whatever the limits are.

    columns: the agencies that take part, in their order; home: where accounts go that none of them may take. Accounts with
    the same eligible agencies share one turn, as the desks of one region and tier do.
    """
    chosen = np.full(problem.size, home, dtype=np.int64)
    if not columns:
        return chosen
    may = np.isfinite(problem.value[:, list(columns)])
    patterns, member = np.unique(np.packbits(may, axis=1), axis=0, return_inverse=True)
    # the turn of a row among the rows of its pattern
    member = member.reshape(-1)
    order = np.argsort(member, kind="stable")
    sizes = np.bincount(member, minlength=patterns.shape[0])
    turn = np.empty(problem.size, dtype=np.int64)
    turn[order] = np.arange(problem.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    for number in range(patterns.shape[0]):
        mine = order[int(sizes[:number].sum()) : int(sizes[: number + 1].sum())]
        agencies = np.array(columns, dtype=np.int64)[may[mine[0]]]
        if agencies.size:
            chosen[mine] = agencies[turn[mine] % agencies.size]
    return chosen


def by_tier(*, problem: Problem, tiers: Sequence[int], columns: Sequence[int], home: int) -> Ints:
    """Fill the best tier first with the earliest segments and the largest balances: today's rule 按级别分配.

    tiers: one an agency of columns, 1 the best. Only the most accounts of an agency are heeded, as a spreadsheet does;
    leasts, balances, mix and units are not.
    """
    order = np.lexsort((-problem.balance, problem.segment))
    chosen = np.full(problem.size, -1, dtype=np.int64)
    for place in sorted(range(len(columns)), key=lambda place: (tiers[place], place)):
        agency = columns[place]
        free = order[(chosen[order] < 0) & np.isfinite(problem.value[order, agency])]
        most = int(problem.limits.count_max[agency])
        chosen[free[: free.size if most == NO_LIMIT else most]] = agency
    return np.where(chosen < 0, home, chosen)


def broken(*, problem: Problem, agency: npt.ArrayLike) -> list[dict[str, Any]]:
    """List every limit that an assignment breaks: limit, agency and segment (positions, −1 none), asked, got.

    limit: eligible, count_min, count_max, balance_min, balance_max, mix_min, mix_max, and unit (units torn apart).
    """
    at, limits, k = np.asarray(agency, dtype=np.int64), problem.limits, problem.agencies
    held = np.zeros((problem.segments, k), dtype=np.int64)
    np.add.at(held, (problem.segment.astype(np.int64), at), 1)
    total = held.sum(axis=0)
    wrong = np.bincount(at[np.isneginf(problem.value[np.arange(at.size), at])], minlength=k)
    share = problem.share()[:, None]
    found: list[dict[str, Any]] = []

    def say(limit: str, where: npt.NDArray[np.bool_], asked: Ints, got: Ints) -> None:
        for place in np.argwhere(where):
            at = tuple(place)
            found.append(
                {"limit": limit, "agency": int(place[-1]), "segment": int(place[0]) if place.size > 1 else -1,
                 "asked": int(asked[at]), "got": int(got[at])}
            )  # fmt: skip

    owed = np.zeros(k, dtype=np.int64)
    np.add.at(owed, at, problem.balance)
    say("eligible", wrong > 0, np.zeros(k, dtype=np.int64), wrong)
    say("count_min", total < limits.count_min, limits.count_min, total)
    say("count_max", total > limits.count_max, limits.count_max, total)
    say("balance_min", owed < limits.balance_min, limits.balance_min, owed)
    say("balance_max", owed > limits.balance_max, limits.balance_max, owed)
    with np.errstate(invalid="ignore"):
        most = np.ceil(np.minimum(share + limits.tolerance.T, 1.0) * total - 1e-9).astype(np.int64)
        least = np.floor(np.maximum(share - limits.tolerance.T, 0.0) * total + 1e-9).astype(np.int64)
    say("mix_min", held < least, least, held)
    say("mix_max", held > most, most, held)
    if problem.unit.size:
        pairs = np.unique(np.column_stack([problem.unit, at]), axis=0)
        torn = pairs.shape[0] - np.unique(problem.unit).size
        if torn:
            found.append({"limit": "unit", "agency": -1, "segment": -1, "asked": 0, "got": int(torn)})
    return found
