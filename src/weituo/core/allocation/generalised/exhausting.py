"""Small problems to the end: depth-first over jobs, cut off by the bound of the linear program and by room left."""

from __future__ import annotations

import numpy as np
from numba import njit

_ENDLESS = 1e300


@njit(cache=True, nogil=True)
def _ahead(depth, order, near, near_count, reduced_of, resource_of, free, spent, limit):  # type: ignore[no-untyped-def]
    """Tell whether the jobs from `depth` on can still fit, each alone, and cost less than the limit together."""
    for later in range(depth, order.shape[0]):
        j = order[later]
        fits = False
        for rank in range(near_count[j]):
            k = near[j, rank]
            if resource_of[j, k] <= free[k]:
                spent += reduced_of[j, k]
                fits = True
                break
        if not fits or spent >= limit:
            return False
    return True


@njit(cache=True, nogil=True)
def exhaust(order, near, near_count, reduced_of, resource_of, room, price, limit, step, visits_max, best):  # type: ignore[no-untyped-def]
    """Find the assignment of least cost above the bound of the linear program, below `limit`; `best` (n,) gets it.

    That cost is reduced costs and room left over at its price. order: jobs, hardest first. step: by how much a better one must be
    better. Gives the least cost less the step (the limit where none is below) and whether everything was seen within `visits_max`.
    """
    n = order.shape[0]
    free = room.copy()
    rank = np.full(n, -1, np.int64)
    spent = np.zeros(n + 1)
    depth, visits = 0, 0
    found = limit
    while depth >= 0:
        visits += 1
        if visits > visits_max:
            return found, False
        j = order[depth]
        if rank[depth] >= 0:
            k = near[j, rank[depth]]
            free[k] += resource_of[j, k]
        rank[depth] += 1
        while (
            rank[depth] < near_count[j] and resource_of[j, near[j, rank[depth]]] > free[near[j, rank[depth]]]
        ):
            rank[depth] += 1
        if rank[depth] >= near_count[j]:
            rank[depth] = -1
            depth -= 1
            continue
        k = near[j, rank[depth]]
        cost = spent[depth] + reduced_of[j, k]
        if cost >= found:
            rank[depth] = -1
            depth -= 1
            continue
        free[k] -= resource_of[j, k]
        if depth == n - 1:
            whole = cost + (price * free).sum()  # room left over costs its price
            if whole < found:
                found = whole - step
                for place in range(n):
                    best[order[place]] = near[order[place], rank[place]]
            continue
        if _ahead(depth + 1, order, near, near_count, reduced_of, resource_of, free, cost, found):
            spent[depth + 1] = cost
            depth += 1
    return found, True
