"""The solver against other solvers, plain enumeration, and itself on other threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from weituo.core.allocation import checker, solver
from weituo.core.allocation.problem import Problem, ProblemError, problem

from bench import instances
from tests.builders import allocations


def rows(arrays: dict[str, Any]) -> tuple[Any, np.ndarray, np.ndarray]:
    """Write the limits as a sparse matrix over accounts × agencies with least and most, the mix rule rounded outward."""
    value, balance = np.asarray(arrays["value"]), np.asarray(arrays["balance"], dtype=float)
    n, k = value.shape
    lines, least, most = [], [], []
    for a in range(k):
        at = np.arange(n) * k + a
        lines += [(at, np.ones(n)), (at, balance)]
        least += [arrays["count_min"][a], arrays["balance_min"][a]]
        most += [arrays["count_max"][a], arrays["balance_max"][a]]
        for s in np.unique(arrays["segment"]) if "segment_tolerance" in arrays else []:
            here = (arrays["segment"] == s).astype(float)
            high, low = here.mean() + arrays["segment_tolerance"], here.mean() - arrays["segment_tolerance"]
            lines += [(at, here - high), (at, here - low)]
            least += [-np.inf, -1 + 1e-7]
            most += [1 - 1e-7, np.inf]
    matrix = sparse.csr_matrix(
        (
            np.concatenate([weight for _, weight in lines]),
            (np.repeat(np.arange(len(lines)), n), np.concatenate([at for at, _ in lines])),
        ),
        shape=(len(lines), n * k),
    )
    return matrix, np.array(least), np.array(most)


def once(n: int, k: int) -> Any:
    """Write that every account goes to one agency."""
    return sparse.kron(sparse.eye(n), np.ones((1, k)), format="csr")


@pytest.mark.parametrize("seed", range(12))
def test_value_and_bound_enclose_the_best_of_a_whole_number_program(seed: int) -> None:
    arrays = allocations.planted(seed + 500, most=60, agencies=4)
    value = np.asarray(arrays["value"])
    n, k = value.shape
    matrix, least, most = rows(arrays)
    solved = milp(
        -np.where(np.isfinite(value), value, 0.0).ravel(),
        constraints=[LinearConstraint(matrix, least, most), LinearConstraint(once(n, k), 1, 1)],
        integrality=np.ones(n * k),
        bounds=Bounds(0, np.isfinite(value).ravel().astype(float)),
        options={"time_limit": 20},
    )
    found = solver.solve(problem=problem(**arrays))
    assert found.violations == 0
    assert allocations.keeps(arrays, found.agency.tolist())
    if solved.status == 0:
        best, size = -solved.fun, 1 + np.abs(np.where(np.isfinite(value), value, 0)).max() * n
        assert found.value <= best + 1e-6 * size
        assert found.bound >= best - 1e-6 * size


@pytest.mark.parametrize("seed", range(20))
def test_few_accounts_are_placed_as_plain_enumeration_would(seed: int) -> None:
    arrays = allocations.planted(seed + 900, most=8, agencies=3)
    best = allocations.best(arrays)
    found = solver.solve(problem=problem(**arrays))
    assert best is not None
    assert found.value == pytest.approx(best, rel=1e-6, abs=1e-6)
    assert found.bound >= best - 1e-6


def test_the_bound_is_the_linear_programs() -> None:
    arrays = instances.problem(n=1_500, k=5, seed=3)
    tolerance = arrays.pop("segment_tolerance")
    value = arrays["value"].astype(float)
    n, k = value.shape
    matrix, least, most = rows(arrays)
    both = sparse.vstack([matrix, -matrix])
    solved = linprog(
        -np.where(np.isfinite(value), value, 0.0).ravel(),
        A_ub=both,
        b_ub=np.concatenate([most, -least]),
        A_eq=once(n, k),
        b_eq=np.ones(n),
        bounds=np.column_stack([np.zeros(n * k), np.isfinite(value).ravel()]),
    )
    found = solver.solve(problem=problem(**arrays))
    assert found.bound == pytest.approx(-solved.fun, rel=3e-6)
    assert found.bound >= -solved.fun * (1 - 1e-9)
    with_mix = solver.solve(problem=problem(**arrays, segment_tolerance=tolerance))
    assert with_mix.bound <= found.bound + 1e-6 * found.bound


@pytest.mark.parametrize(("n", "k", "gap"), [(20_000, 10, 6e-5), (60_000, 5, 1e-5)])
def test_generated_portfolios_are_placed_within_a_small_proven_gap(n: int, k: int, gap: float) -> None:
    for seed in (11, 12):
        found = solver.solve(problem=problem(**instances.problem(n=n, k=k, seed=seed)))
        assert found.violations == 0
        assert 0 <= found.gap <= gap


def test_any_number_of_threads_gives_the_same_answer() -> None:
    made = problem(**instances.problem(n=120_000, k=6, seed=5))
    one, three = (solver.solve(problem=made, seed=9, threads=threads) for threads in (1, 3))
    assert (one.agency == three.agency).all()
    assert (one.value, one.bound) == (three.value, three.bound)


def test_units_go_to_one_agency_together() -> None:
    arrays = instances.problem(n=6_000, k=5, seed=8)
    rng = np.random.default_rng(1)
    unit = rng.integers(0, 4_000, 6_000)
    arrays["value"] = np.where(np.isfinite(arrays["value"]), arrays["value"], -5.0)
    found = solver.solve(problem=problem(**arrays, unit=unit))
    assert found.violations == 0
    first = np.full(4_000, -1)
    first[unit] = found.agency
    assert (first[unit] == found.agency).all()
    free = solver.solve(problem=problem(**arrays))
    assert found.bound <= free.bound * (1 + 1e-6)
    assert found.gap < 2e-3


def test_fixed_accounts_stay() -> None:
    arrays = instances.problem(n=5_000, k=4, seed=2)
    open_to = np.isfinite(arrays["value"])
    fixed = np.full(5_000, -1)
    drawn = np.random.default_rng(3).random(5_000) < 0.05
    fixed[drawn] = np.where(open_to[drawn, 1], 1, 3)
    found = solver.solve(problem=problem(**arrays, fixed=fixed))
    assert found.violations == 0
    assert (found.agency[drawn] == fixed[drawn]).all()


def test_a_soft_limit_is_broken_where_that_is_worth_its_price() -> None:
    value = np.tile(np.array([[10.0, 1.0]]), (100, 1))
    limits: dict[str, Any] = {"count_max": np.array([40, 100]), "count_min": np.array([0, 0])}
    cheap = solver.solve(
        problem=problem(value=value, balance=np.ones(100, int), count_price=np.array([2.0, 2.0]), **limits)
    )
    assert np.bincount(cheap.agency, minlength=2).tolist() == [100, 0]
    assert cheap.value == pytest.approx(1000 - 60 * 2)
    assert cheap.bound == pytest.approx(cheap.value, rel=1e-6)
    dear = solver.solve(
        problem=problem(value=value, balance=np.ones(100, int), count_price=np.array([50.0, 50.0]), **limits)
    )
    assert np.bincount(dear.agency, minlength=2).tolist() == [40, 60]
    assert dear.bound == pytest.approx(dear.value, rel=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_the_proof_holds_for_any_prices_whatever(seed: int) -> None:
    """A wrong price makes the bound worse, never wrong."""
    arrays = allocations.planted(seed + 40, most=9, agencies=3)
    best = allocations.best(arrays)
    assert best is not None
    made: Problem = problem(**arrays)
    rng = np.random.default_rng(seed)
    for _ in range(20):
        price = rng.normal(0, 20, size=(made.segments, made.agencies)) * rng.choice([0, 1])
        money = rng.normal(0, 0.1, size=made.agencies) * rng.choice([0, 1])
        agency = np.array([np.flatnonzero(np.isfinite(row))[0] for row in arrays["value"]])
        assert checker.check(problem=made, agency=agency, price=price, money=money)["bound"] >= best - 1e-6


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"value": [[1.0, np.nan]]}, "NaN"),
        ({"value": [1.0]}, "accounts × agencies"),
        ({"balance": [-1]}, "negative"),
        ({"balance": [1, 2]}, "shape"),
        ({"balance": [0.5]}, "whole"),
        ({"count_min": [2, 0], "count_max": [1, 1]}, "agency 0 has 2 > 1"),
        ({"balance_min": [0, 9], "balance_max": [9, 8]}, "agency 1 has 9 > 8"),
        ({"segment": [-1]}, "segment"),
        ({"segment_tolerance": [np.nan]}, "shares"),
        ({"segment_tolerance": np.zeros((3, 3))}, "segment_tolerance"),
        ({"fixed": [2]}, "fixed"),
        ({"count_price": [-1.0, 0.0]}, "price"),
        ({"value": [["a", "b"]]}, "numbers"),
    ],
)
def test_bad_arrays_are_refused_in_one_sentence(wrong: dict[str, Any], says: str) -> None:
    arrays: dict[str, Any] = {"value": [[1.0, 2.0]], "balance": [5]} | wrong
    with pytest.raises(ProblemError) as refused:
        solver.solve(problem=problem(**arrays))
    assert says in str(refused.value)
