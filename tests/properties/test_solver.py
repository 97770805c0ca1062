"""No limit is ever broken, and the bound is never below the value."""

from __future__ import annotations

import os

import pytest

from weituo.core.allocation import solver
from weituo.core.allocation.problem import problem

from tests.builders import allocations

#: a thousand in a long run, some of them in every one
PROBLEMS = int(os.environ.get("WEITUO_PROBLEMS", "160"))


@pytest.mark.parametrize("first", range(0, PROBLEMS, 20))
def test_no_limit_is_broken_in_random_problems(first: int) -> None:
    for seed in range(first, first + 20):
        arrays = allocations.planted(seed)
        found = solver.solve(problem=problem(**arrays))
        assert found.violations == 0, seed
        assert allocations.keeps(arrays, found.agency.tolist()), seed
        assert found.value <= found.bound, seed
        assert found.agency.min() >= 0, seed
