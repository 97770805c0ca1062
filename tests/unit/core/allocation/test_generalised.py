"""Generalised assignment: right on small problems to the last unit, proved on public ones, refused when it is none."""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weituo.core.allocation.generalised import checking, multipliers
from weituo.core.allocation.generalised.problem import Generalised, GeneralisedError, read_text
from weituo.core.allocation.generalised.solving import NoAssignment, solve

SECONDS = 0.3
WELL = "2 3\n 4 5 6\n 7 8 9\n 1 1 1\n 2 2 2\n 2\n 4"


def brute_force(problem: Generalised) -> float | None:
    """Try every assignment."""
    m, n = problem.shape
    least = None
    for agents in product(range(m), repeat=n):
        counted = checking.recount(problem=problem, agent=np.array(agents, dtype=np.int16))
        if counted.violations == 0 and (least is None or counted.cost < least):
            least = counted.cost
    return least


def drawn(*, m: int, n: int, seed: int, tightness: float = 0.8) -> Generalised:
    """Draw a problem: costs fall as resources rise, as in the hard public classes."""
    random = np.random.default_rng(seed)
    resource = random.integers(1, 101, (m, n)).astype(float)
    cost = 111 - resource + random.integers(-10, 11, (m, n))
    capacity = np.maximum(np.floor(tightness * resource.sum(axis=1) / m), resource.min(axis=1))
    return Generalised(
        cost=cost, resource=resource, capacity=np.maximum(capacity, resource.min(axis=0).max())
    )


@settings(max_examples=40, deadline=None)
@given(
    m=st.integers(1, 4), n=st.integers(1, 5), seed=st.integers(0, 10_000),
    tightness=st.floats(0.3, 1.2), decimals=st.booleans(), shift=st.sampled_from([0, -200]),
)  # fmt: skip
def test_small_problems_are_solved_to_the_last_unit(
    m: int, n: int, seed: int, tightness: float, decimals: bool, shift: int
) -> None:
    whole = drawn(m=m, n=n, seed=seed, tightness=tightness)
    problem = Generalised(
        cost=(whole.cost + shift) / (7.0 if decimals else 1.0),
        resource=whole.resource / (3.0 if decimals else 1.0),
        capacity=whole.capacity / (3.0 if decimals else 1.0),
    )
    best = brute_force(problem)
    if best is None:
        with pytest.raises(NoAssignment):
            solve(problem=problem, time_limit=SECONDS, threads=1)
        return
    found = solve(problem=problem, time_limit=SECONDS, threads=1)
    counted = checking.recount(problem=problem, agent=found.agent)
    assert found.feasible
    assert found.violations == counted.violations == 0
    assert found.cost == counted.cost == pytest.approx(best, rel=1e-9)
    assert found.bound <= best + 1e-9
    assert found.gap == pytest.approx(0.0, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(m=st.integers(1, 3), n=st.integers(1, 6), seed=st.integers(0, 10_000), decimals=st.booleans())
def test_the_bound_holds_for_any_multipliers(m: int, n: int, seed: int, decimals: bool) -> None:
    problem = drawn(m=m, n=n, seed=seed)
    if decimals:
        problem = Generalised(
            cost=problem.cost / 7, resource=problem.resource / 3, capacity=problem.capacity / 3
        )
    random = np.random.default_rng(seed)
    any_multipliers = random.normal(60, 60, n)
    best = brute_force(problem)
    if best is not None:
        assert checking.lower_bound(problem=problem, multipliers=any_multipliers) <= best + 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_the_knapsack_of_the_search_equals_the_table(seed: int) -> None:
    problem = drawn(m=3, n=40, seed=seed)
    taken = np.empty(40)
    fine = multipliers.on_grid(np.random.default_rng(seed).uniform(40, 110, 40), fine=checking.FINE)
    value = multipliers.dual_value(
        problem.cost, problem.resource, problem.room, fine, multipliers.lists(), taken
    )
    assert checking.lower_bound(problem=problem, multipliers=fine) == np.ceil(value - 1e-6)


def test_the_same_seed_gives_the_same_answer_with_one_thread_or_two() -> None:
    problem = drawn(m=5, n=60, seed=3)
    first = solve(problem=problem, seed=5, time_limit=1.0, threads=2)
    again = solve(problem=problem, seed=5, time_limit=1.0, threads=2)
    assert first.feasible
    if first.seconds["total"] < 1.0 and again.seconds["total"] < 1.0:  # the clock did not cut
        assert first.agent.tolist() == again.agent.tolist()
    assert again.bound == first.bound


def test_a_problem_that_only_weight_makes_impossible_is_proved_so() -> None:
    problem = Generalised(cost=np.ones((2, 3)), resource=np.full((2, 3), 2.0), capacity=np.array([3.0, 3.0]))
    with pytest.raises(NoAssignment):
        solve(problem=problem, time_limit=SECONDS)


def test_jobs_without_weight_and_equal_costs_do_no_harm() -> None:
    problem = Generalised(cost=np.zeros((3, 50)), resource=np.zeros((3, 50)), capacity=np.zeros(3))
    found = solve(problem=problem, time_limit=SECONDS)
    assert (found.cost, found.bound, found.violations) == (0, 0, 0)


def published(root: Path) -> dict[str, int]:
    with (root / "gap" / "data.csv").open(encoding="utf-8") as rows:
        return {
            row["Path"]: int(row["Best known solution value"])
            for row in csv.DictReader(rows)
            if row["Best known solution value"] and (root / "gap" / row["Path"]).is_file()
        }


def test_public_problems_are_near_the_best_known(weituo_data: Path) -> None:
    known = published(weituo_data)
    assert len(known) > 60
    excess, exact = {}, 0
    for name, best in sorted(known.items()):
        if name.startswith("cattrysse1994") and not name.endswith("-0"):
            continue
        problem = read_text((weituo_data / "gap" / name).read_text(encoding="utf-8"))
        found = solve(problem=problem, time_limit=SECONDS, threads=1)
        assert found.violations == 0, name
        assert found.bound <= best <= found.cost, name
        excess[name] = found.cost / best - 1
        exact += found.cost == best
    assert max(excess.values()) < 0.02, excess
    assert sum(excess.values()) / len(excess) < 0.003, excess
    assert exact >= len(excess) // 2


def test_the_public_format_is_read() -> None:
    problem = read_text(WELL)
    assert problem.cost.tolist() == [[4, 5, 6], [7, 8, 9]]
    assert problem.resource.tolist() == [[1, 1, 1], [2, 2, 2]]
    assert problem.capacity.tolist() == [2, 4]


@pytest.mark.parametrize(
    ("text", "says", "where"),
    [
        ("", "numbers of agents and jobs are missing", "begin of the file"),
        ("two 3", "“two” is no whole number", "number of agents"),
        ("2 0 1", "“0” is no whole number", "number of jobs"),
        ("99999999 99999999", "are allowed", "99999999 agents"),
        (WELL[:-2], "1 of 14 numbers are missing", "capacity of agent 2"),
        (WELL[:-14], "6 of 14 numbers are missing", "resource of agent 1, job 3"),
        (WELL + " 7", "1 more numbers follow", "“7” after the last capacity"),
        (WELL.replace("8", "x8"), "“x8” is no number", "cost of agent 2, job 2"),
        (WELL.replace("8", "nan"), "no finite number", "cost of agent 2, job 2"),
        (WELL.replace(" 1 1 1", " 1 -1 1"), "resource -1 is negative", "resource of agent 1, job 2"),
        (WELL.replace("\n 2\n 4", "\n -2\n 4"), "capacity -2 is negative", "capacity of agent 1"),
        (WELL.replace("\n 2\n 4", "\n 0\n 1"), "fits no agent", "job 1"),
    ],
)
def test_what_is_no_problem_is_refused_with_the_place(text: str, says: str, where: str) -> None:
    with pytest.raises(GeneralisedError) as refused:
        read_text(text)
    assert says in refused.value.message
    assert where in refused.value.where
