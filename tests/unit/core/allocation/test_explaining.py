"""Prices, costs of rules and reasons against linear programs that are solved again with a limit moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from weituo.core.allocation import explaining, solver
from weituo.core.allocation.problem import NO_LIMIT, Problem, problem

from bench import instances


def linear(given: Problem, room: np.ndarray | None = None) -> float:
    """Give the value of the best assignment of parts of accounts: HiGHS.

    room (k, 2, s): accounts by which the most and the least of a segment are rounded outward.
    """
    n, k = given.value.shape
    limits, share = given.limits, given.share()
    can = np.isfinite(given.value)
    lines: list[Any] = []
    most: list[float] = []
    for a in range(k):
        at = np.zeros((n, k))
        at[:, a] = 1
        owing = at * given.balance[:, None]
        for row, least, top in (
            (at, limits.count_min[a], limits.count_max[a]),
            (owing, limits.balance_min[a], limits.balance_max[a]),
        ):
            if top < NO_LIMIT:
                lines.append(row.ravel())
                most.append(float(top))
            lines.append(-row.ravel())
            most.append(-float(least))
        for s in range(given.segments):
            away = limits.tolerance[a, s]
            if not np.isfinite(away):
                continue
            here = at * (given.segment == s)[:, None]
            lines += [(here - (share[s] + away) * at).ravel(), ((share[s] - away) * at - here).ravel()]
            most += [0.0, 0.0] if room is None else [room[a, 0, s], room[a, 1, s]]
    found = linprog(
        -np.where(can, given.value, 0).astype(np.float64).ravel(),
        A_ub=sparse.csr_matrix(np.array(lines)),
        b_ub=most,
        A_eq=sparse.kron(sparse.eye(n), np.ones((1, k)), format="csr"),
        b_eq=np.ones(n),
        bounds=[(0, 1 if x else 0) for x in can.ravel()],
        method="highs",
    )
    if found.status == 2:
        return -np.inf
    assert found.status == 0
    return -float(found.fun)


def moved(given: Problem, limit: str, agency: int, by: float) -> Problem:
    """Move one limit of one agency."""
    array = getattr(given.limits, limit).copy()
    array[agency] += by
    return replace(given, limits=replace(given.limits, **{limit: array}))


@pytest.fixture(scope="module")
def given() -> Problem:
    return problem(**instances.problem(n=700, k=4, seed=11))


@pytest.fixture(scope="module")
def solution(given: Problem) -> solver.Solution:
    return solver.solve(problem=given)


def outward(given: Problem, solution: solver.Solution) -> np.ndarray:
    """Give by how much the mix rule is rounded outward at the counts that the agencies hold."""
    held, share = solution.checked["held"].sum(axis=0)[:, None], given.share()
    high, low = (share + given.limits.tolerance) * held, (share - given.limits.tolerance) * held
    return np.stack([np.ceil(high - 1e-9) - high, low - np.floor(low + 1e-9)], axis=1)


def test_a_price_is_the_slope_of_the_bound(given: Problem, solution: solver.Solution) -> None:
    near = []
    room = outward(given, solution)
    now = linear(given, room)
    loose = solution.bound - now
    for one in explaining.binding(problem=given, solution=solution):
        changed = []
        by = 10_000 if one.kind.startswith("balance") else 10
        for step in (by, -by):
            if one.kind.startswith("mix"):
                wider = room.copy()
                wider[one.agency, int(one.kind == "mix_least"), one.segment] += step
                changed.append(linear(given, wider) - now)
            else:
                step = step if one.kind.endswith("max") else -step
                changed.append(linear(moved(given, one.kind, one.agency, step), room) - now)
        more, less, price = changed[0], -changed[1], one.price * by / one.per
        # weak duality: the line through the bound with this slope lies above all linear programs
        assert more - loose - 1e-6 * now <= price <= less + loose + 1e-6 * now, one
        near.append(more * 0.8 - by / 5 <= price <= less * 1.2 + by / 5)
    assert len(near) > 10
    assert np.mean(near) > 0.8


def test_a_rule_costs_what_the_linear_program_gains_without_it(
    given: Problem, solution: solver.Solution
) -> None:
    lifted = {
        "count_min": {"count_min": np.zeros(4, dtype=np.int64)},
        "count_max": {"count_max": np.full(4, NO_LIMIT)},
        "balance_min": {"balance_min": np.zeros(4, dtype=np.int64)},
        "balance_max": {"balance_max": np.full(4, NO_LIMIT)},
        "mix": {"tolerance": np.full((4, given.segments), np.inf)},
    }
    now = linear(given)
    costs = explaining.rules(problem=given, solution=solution)
    assert [one.rule for one in costs] == list(lifted)
    for one in costs:
        without = linear(replace(given, limits=replace(given.limits, **lifted[one.rule])))
        # the mix rule in whole accounts is a little looser than in exact shares
        assert one.cost == pytest.approx(without - now, abs=0.002 * now), one
        assert one.share == pytest.approx(one.cost / without, rel=0.02)


def test_limits_that_are_not_there_cost_nothing_and_do_not_bind() -> None:
    free = problem(value=np.array([[3.0, 1.0], [1.0, 2.0]]), balance=[10, 10])
    found = solver.solve(problem=free)
    assert explaining.binding(problem=free, solution=found) == []
    assert explaining.rules(problem=free, solution=found) == []


def test_a_binding_limit_reads_as_a_sentence() -> None:
    value = np.stack([np.arange(1.0, 101.0), np.zeros(100)], axis=1)
    tight = problem(value=value, balance=np.full(100, 10), count_max=[50, 100])
    found = solver.solve(problem=tight)
    (one,) = explaining.binding(problem=tight, solution=found)
    assert (one.kind, one.agency, one.limit, one.held) == ("count_max", 0, 50, 50)
    assert 50 <= one.price <= 51
    assert one.told(lambda agency: f"Hong{agency}") == f"one more place at Hong0 is worth {one.price:,.2f}"
    assert one.as_dict()["text"].startswith("one more place at agency 0 is worth 5")


def test_an_account_is_where_what_is_left_is_most(given: Problem, solution: solver.Solution) -> None:
    notes = []
    for account in range(given.size):
        why = explaining.why(problem=given, solution=solution, account=account)
        assert why.agency == solution.agency[account]
        left = [choice.left for choice in why.choices]
        assert left == sorted(left, reverse=True)
        assert len(why.choices) == np.isfinite(given.value[account]).sum()
        for choice in why.choices:
            assert choice.left == pytest.approx(choice.value - choice.place - choice.mix - choice.balance)
            assert choice.value == given.value[account, choice.agency]
        if why.note == "best":
            assert why.choices[0].agency == why.agency
        if why.note == "rounded":
            assert why.lost > 0
        notes.append(why.note)
    assert notes.count("best") > 0.8 * given.size
    assert "fixed" not in notes


def test_the_bound_less_the_value_is_what_accounts_lose_and_limits_leave() -> None:
    # one agency of two has a place less than accounts that want it: nobody loses more than the price
    value = np.stack([np.arange(1.0, 11.0), np.zeros(10)], axis=1)
    tight = problem(value=value, balance=np.full(10, 10), count_max=[9, 10])
    found = solver.solve(problem=tight)
    moved_away = explaining.why(problem=tight, solution=found, account=0)
    assert moved_away.agency == 1
    assert moved_away.lost == pytest.approx(0, abs=1.01)


def test_a_fixed_account_and_a_unit_are_told_so() -> None:
    value = np.array([[9.0, 0.0], [1.0, 2.0], [1.0, 3.0], [5.0, 1.0]])
    given = problem(value=value, balance=[1, 1, 1, 1], fixed=[1, -1, -1, -1], unit=[0, 1, 1, 2])
    found = solver.solve(problem=given)
    assert explaining.why(problem=given, solution=found, account=0).note == "fixed"
    assert explaining.why(problem=given, solution=found, account=0).lost == pytest.approx(9)
    pair = explaining.why(problem=given, solution=found, account=1)
    assert (pair.together, pair.agency, pair.choices[0].value) == (2, 1, 5.0)
    assert pair.as_dict()["choices"][1]["value"] == 2.0


def test_an_account_that_is_not_there_is_no_account(given: Problem, solution: solver.Solution) -> None:
    with pytest.raises(IndexError):
        explaining.why(problem=given, solution=solution, account=700)
