"""The proof, recomputed from the problem alone: what an assignment costs and breaks, and what none can cost less than.

Lagrange: for any multipliers u of the jobs, Σ_j u_j − Σ_i max{Σ_j (u_j − c_ij) x_j : Σ_j a_ij x_j ≤ b_i, x ∈ {0,1}} is a lower
bound on every assignment. The knapsack of each agent is solved by the textbook table over capacity. Where resources are decimals
or capacities are large the table has a grid: resources are rounded down to it and the capacity is counted in full grid steps and
one more, which can only lower the bound. Nothing of the search is used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from weituo.core.allocation.generalised.problem import Agents, Floats, Generalised

#: columns of the table at most; beyond, a grid
COLUMNS_MAX: Final = 20_000
#: multipliers on this grid (2^-10) make every sum of whole costs exact
FINE: Final = 1024.0
_EXACT_MAX: Final = 2.0**52
#: what float sums may be wrong by, as a share of what was added
_ROUNDING: Final = 1e-11


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recount:
    """What an assignment costs, what lies on each agent, and how many agents hold more than they can."""

    cost: float
    load: Floats
    violations: int


def recount(*, problem: Generalised, agent: Agents) -> Recount:
    """Add up an assignment (agent of each job, from 0). Raises ValueError where a job has no agent."""
    m, n = problem.shape
    if agent.shape != (n,) or bool(((agent < 0) | (agent >= m)).any()):
        raise ValueError("every job needs one agent")
    jobs = np.arange(n)
    load = np.array([math.fsum(problem.resource[i, agent == i]) for i in range(m)])
    return Recount(
        cost=math.fsum(problem.cost[agent, jobs]), load=load, violations=int((load > problem.room).sum())
    )


def lower_bound(*, problem: Generalised, multipliers: Floats) -> float:
    """Compute the bound for these multipliers (n,), rounded down where sums are not exact, up to whole costs."""
    m, n = problem.shape
    total, added = math.fsum(multipliers), float(np.abs(multipliers).sum())
    gains = []
    for i in range(m):
        profit = multipliers - problem.cost[i]
        worth = (profit > 0) & (problem.resource[i] <= problem.room[i])
        gains.append(_knapsack(profit[worth], problem.resource[i, worth], float(problem.room[i])))
        added += float(profit[worth].sum())
    bound = total - math.fsum(gains)
    whole = problem.whole_costs
    fine = bool((multipliers * FINE == np.rint(multipliers * FINE)).all())
    if not (whole and fine and added * FINE < _EXACT_MAX):
        bound -= _ROUNDING * n * max(added, 1.0) / max(n, 1)
    return float(math.ceil(bound)) if whole else bound


def _knapsack(profit: Floats, weight: Floats, room: float) -> float:
    """Give the most that fits (or a little more, where a grid is needed)."""
    if math.fsum(weight) <= room:
        return math.fsum(profit)
    if room <= COLUMNS_MAX and room == int(room) and bool((weight == np.rint(weight)).all()):
        steps, columns = weight.astype(np.int64), int(room)
    else:
        step = room / COLUMNS_MAX
        steps, columns = np.floor(weight / step * (1 - 1e-12)).astype(np.int64), COLUMNS_MAX + 1
    best = np.zeros(columns + 1)
    for gain, width in zip(profit.tolist(), steps.tolist(), strict=True):
        if width == 0:
            best += gain
        elif width <= columns:
            np.maximum(best[width:], best[:-width] + gain, out=best[width:])
    return float(best[-1])
