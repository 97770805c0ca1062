"""How accounts are given out by hand today, so that the solution has something to be compared with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from weituo.core.allocation.problem import IN_HOUSE, Ints, Problem


def round_robin(*, problem: Problem) -> Ints:
    """Deal accounts in the order of their keys to their eligible agencies in turn, whatever the limits are.

    Accounts with the same eligible agencies share one turn, as the desks of one region and tier do.
    """
    chosen = np.full(problem.size, IN_HOUSE, dtype=np.int64)
    order = np.argsort(problem.accounts, kind="stable")
    columns = np.argsort(np.array(problem.agencies, dtype=np.str_), kind="stable")
    patterns, member = np.unique(problem.eligible[order], axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        agencies = columns[pattern[columns]]
        mine = order[member.reshape(-1) == number]
        if agencies.size:
            chosen[mine] = agencies[np.arange(mine.size) % agencies.size]
    return chosen


def greedy(*, problem: Problem, tiers: Sequence[int]) -> Ints:
    """Fill the best tier first with the earliest buckets and the largest balances: today's rule 按级别分配.

    Only the most accounts of an agency are heeded, as a spreadsheet does; leasts, balances and mix are not.
    """
    order = np.lexsort((problem.accounts, -problem.balance_minor, problem.bucket))
    chosen = np.full(problem.size, IN_HOUSE, dtype=np.int64)
    ranked = sorted(
        range(len(problem.agencies)), key=lambda agency: (tiers[agency], problem.agencies[agency])
    )
    for agency in ranked:
        free = order[(chosen[order] == IN_HOUSE) & problem.eligible[order, agency]]
        most = problem.limits[agency].accounts_max
        chosen[free[: free.size if most is None else most]] = agency
    return chosen
