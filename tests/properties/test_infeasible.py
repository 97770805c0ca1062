"""Problems that have no answer are refused, what would do does; problems that have one are never refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from weituo.core.allocation import relaxing, solver
from weituo.core.allocation.feasibility import Infeasible
from weituo.core.allocation.problem import problem

from tests.builders import allocations


def spoiled(seed: int) -> dict[str, Any] | None:
    """Break a problem that has an answer so that it has none; None: this one cannot be broken so."""
    rng = np.random.default_rng(seed)
    made = allocations.planted(seed, most=250)
    n, k = made["value"].shape
    kind, a = int(rng.integers(0, 5)), int(rng.integers(k))
    eligible = np.isfinite(made["value"])
    if kind == 0:
        # fewer places than accounts
        made["count_max"] = (made["count_max"] * (n - 1) / max(made["count_max"].sum(), 1)).astype(np.int64)
    elif kind == 1:
        # accounts that only one agency may have, and too few places there
        made["value"][eligible[:, a]] = -np.inf
        made["value"][eligible[:, a], a] = 1.0
        made["count_max"][a] = int(eligible[:, a].sum() * rng.uniform(0, 0.99))
    elif kind == 2:
        # the largest balances add up to less than is owed
        made["balance_max"] = (
            made["balance_max"] * 0.9 * made["balance"].sum() / max(made["balance_max"].sum(), 1)
        ).astype(np.int64)
    elif kind == 3:
        # the cheapest accounts that the agency may have owe more than it may hold
        cheapest = int(np.sort(made["balance"][eligible[:, a]])[: made["count_min"][a]].sum())
        made["balance_max"][a] = int(cheapest * rng.uniform(0, 0.95))
        if cheapest == 0:
            return None
    else:
        made["count_min"][a] = int(eligible[:, a].sum()) + int(rng.integers(1, 5))
        made["count_max"] = np.maximum(made["count_max"], made["count_min"])
    made["count_min"] = np.minimum(made["count_min"], made["count_max"])
    made["balance_min"] = np.minimum(made["balance_min"], made["balance_max"])
    return made if kind != 1 or made["count_max"][a] < eligible[:, a].sum() else None


@pytest.mark.parametrize("first", range(0, 40, 20))
def test_problems_without_an_answer_are_refused_and_the_relaxation_does(first: int) -> None:
    refused = 0
    for seed in range(first, first + 20):
        made = spoiled(seed)
        if made is None or made["balance"].sum() == 0:
            continue
        given = problem(**made)
        with pytest.raises(Infeasible) as raised:
            solver.solve(problem=given)
        found = raised.value
        assert found.proved and found.relaxation, (seed, str(found))
        again = relaxing.relaxed(problem=given, relaxation=found.relaxation)
        try:
            assert solver.solve(problem=again, time_limit=10).violations <= 1, seed
        except Infeasible as still:
            raise AssertionError((seed, str(found), str(still))) from still
        refused += 1
    assert refused >= 12


def test_problems_with_an_answer_are_not_refused() -> None:
    for seed in range(2_000, 2_030):
        given = problem(**allocations.planted(seed, most=120))
        assert solver.solve(problem=given).violations == 0, seed
