"""Laws of the allocation, held against plain enumeration and plain sums."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from weituo.core.allocation import certificate, exploration, placing, solver
from weituo.core.allocation.problem import IN_HOUSE, Infeasible, Ints, Limits, Problem

BUCKETS = ("M2", "M3")
amounts = st.none() | st.integers(0, 30)
limits = st.builds(
    Limits,
    accounts_min=st.sampled_from([0, 0, 0, 1, 2]),
    accounts_max=st.none() | st.integers(0, 5),
    balance_min_minor=st.sampled_from([0, 0, 0, 5, 12]),
    balance_max_minor=amounts,
    bucket_accounts_max=st.dictionaries(st.sampled_from(BUCKETS), st.integers(0, 3), max_size=2),
)


@st.composite
def problems(draw: st.DrawFn, *, most: int = 5) -> Problem:
    """A problem small enough to enumerate."""
    n, m = draw(st.integers(1, most)), draw(st.integers(1, 3))
    figures = draw(st.lists(st.integers(-20, 60), min_size=n * m, max_size=n * m))
    allowed = draw(st.lists(st.booleans(), min_size=n * m, max_size=n * m))
    return Problem(
        accounts=np.array([f"a{number}" for number in range(n)]),
        agencies=tuple("ABC"[:m]),
        value_minor=np.array(figures, dtype=np.int64).reshape(n, m),
        eligible=np.array(allowed, dtype=np.bool_).reshape(n, m),
        balance_minor=np.array(draw(st.lists(st.integers(1, 15), min_size=n, max_size=n)), dtype=np.int64),
        bucket=np.array(draw(st.lists(st.sampled_from(BUCKETS), min_size=n, max_size=n))),
        limits=tuple(draw(st.lists(limits, min_size=m, max_size=m))),
    )


def keeps(problem: Problem, chosen: tuple[int, ...]) -> bool:
    """Whether a choice keeps every limit, in one sentence a limit."""
    for agency, own in enumerate(problem.limits):
        mine = [row for row, got in enumerate(chosen) if got == agency]
        balance = sum(int(problem.balance_minor[row]) for row in mine)
        held = {bucket: sum(problem.bucket[row] == bucket for row in mine) for bucket in BUCKETS}
        if (
            any(not problem.eligible[row, agency] for row in mine)
            or len(mine) < own.accounts_min
            or balance < own.balance_min_minor
            or (own.accounts_max is not None and len(mine) > own.accounts_max)
            or (own.balance_max_minor is not None and balance > own.balance_max_minor)
            or any(held[bucket] > most for bucket, most in own.bucket_accounts_max.items())
        ):
            return False
    return True


def worth(problem: Problem, chosen: tuple[int, ...]) -> int:
    """The value of a choice."""
    return sum(int(problem.value_minor[row, got]) for row, got in enumerate(chosen) if got != IN_HOUSE)


def best_of_all(problem: Problem) -> int | None:
    """The best value by enumeration; None when nothing keeps the limits."""
    choices = product(range(-1, len(problem.agencies)), repeat=problem.size)
    return max((worth(problem, chosen) for chosen in choices if keeps(problem, chosen)), default=None)


def solved(problem: Problem) -> solver.Plan | None:
    """The plan, or None where there is none."""
    try:
        return solver.solve(problem=problem)
    except Infeasible:
        return None


@settings(max_examples=150, deadline=None)
@given(problem=problems())
def test_the_plan_is_the_best_of_all(problem: Problem) -> None:
    plan, best = solved(problem), best_of_all(problem)
    if plan is None:
        assert best is None
        return
    chosen = tuple(int(got) for got in plan.assignment)
    assert keeps(problem, chosen)
    assert certificate.broken(problem=problem, assignment=plan.assignment) == []
    assert (
        worth(problem, chosen) == best == certificate.value_minor(problem=problem, assignment=plan.assignment)
    )
    assert certificate.bound_minor(problem=problem, prices=plan.prices) >= worth(problem, chosen)


@st.composite
def priced(draw: st.DrawFn) -> tuple[Problem, list[dict[str, Any]]]:
    """A problem with any prices, sensible or not."""
    problem = draw(problems(most=4))
    rows = st.fixed_dictionaries(
        {
            "kind": st.sampled_from(
                ["accounts_max", "accounts_min", "balance_max", "balance_min", "bucket_accounts_max"]
            ),
            "agency": st.integers(0, len(problem.agencies) - 1),
            "bucket": st.sampled_from(BUCKETS),
            "price": st.floats(0, 1e6, allow_nan=False),
        }
    )
    found = draw(st.lists(rows, max_size=6))
    return problem, [row | ({} if row["kind"] == "bucket_accounts_max" else {"bucket": ""}) for row in found]


@settings(max_examples=150, deadline=None)
@given(case=priced())
def test_any_prices_give_a_bound(case: tuple[Problem, list[dict[str, Any]]]) -> None:
    problem, prices = case
    best = best_of_all(problem)
    if best is not None:
        assert certificate.bound_minor(problem=problem, prices=prices) >= best


def slow_bound(problem: Problem, prices: list[dict[str, Any]]) -> Fraction:
    """The Lagrange bound in fractions, pair by pair."""
    total = Fraction(0)
    taken = {
        (row, agency): Fraction(0) for row in range(problem.size) for agency in range(len(problem.agencies))
    }
    for price in prices:
        own = problem.limits[price["agency"]]
        rate = Fraction(round(price["price"] * certificate.SCALE), certificate.SCALE)
        sign = -1 if price["kind"].endswith("_min") else 1
        amount = {
            "accounts_max": own.accounts_max, "accounts_min": own.accounts_min, "balance_max": own.balance_max_minor,
            "balance_min": own.balance_min_minor, "bucket_accounts_max": own.bucket_accounts_max.get(price["bucket"]),
        }[price["kind"]]  # fmt: skip
        if amount is None:
            continue
        total += sign * rate * amount
        for row in range(problem.size):
            if price["bucket"] in ("", problem.bucket[row]):
                weight = int(problem.balance_minor[row]) if price["kind"].startswith("balance") else 1
                taken[row, price["agency"]] += sign * rate * weight
    for row in range(problem.size):
        total += max(
            [Fraction(0)]
            + [
                int(problem.value_minor[row, agency]) - taken[row, agency]
                for agency in range(len(problem.agencies))
                if problem.eligible[row, agency]
            ]
        )
    return total


@settings(max_examples=150, deadline=None)
@given(case=priced())
def test_the_bound_equals_a_plain_sum_rounded_up(case: tuple[Problem, list[dict[str, Any]]]) -> None:
    problem, prices = case
    assert certificate.bound_minor(problem=problem, prices=prices) == -(-slow_bound(problem, prices) // 1)


@settings(max_examples=80, deadline=None)
@given(problem=problems(most=6), random=st.randoms(use_true_random=False), share=st.sampled_from([0.0, 0.3]))
def test_the_order_of_rows_and_agencies_changes_nothing(problem: Problem, random: Any, share: float) -> None:
    rows, columns = list(range(problem.size)), list(range(len(problem.agencies)))
    random.shuffle(rows)
    random.shuffle(columns)
    other = Problem(
        accounts=problem.accounts[rows],
        agencies=tuple(problem.agencies[column] for column in columns),
        value_minor=problem.value_minor[np.ix_(rows, columns)],
        eligible=problem.eligible[np.ix_(rows, columns)],
        balance_minor=problem.balance_minor[rows],
        bucket=problem.bucket[rows],
        limits=tuple(problem.limits[column] for column in columns),
    )
    try:
        first = placing.place(problem=problem, tiers=[1] * len(columns), share=share, seed=3)
    except Infeasible:
        assert solved(exploration.reserve(problem=other, share=share)) is None
        return
    second = placing.place(problem=other, tiers=[1] * len(columns), share=share, seed=3)
    assert first.digest == second.digest
    assert (first.probability[rows] == second.probability).all()
    assert first.rivals["round_robin"]["value_minor"] == second.rivals["round_robin"]["value_minor"]


@settings(max_examples=150, deadline=None)
@given(problem=problems(most=12), share=st.sampled_from([0.05, 0.3, 0.6]), seed=st.integers(0, 99))
def test_chance_keeps_the_limits_and_its_probabilities_add_up(
    problem: Problem, share: float, seed: int
) -> None:
    plan = solved(exploration.reserve(problem=problem, share=share))
    if plan is None:
        return
    draw = exploration.explore(problem=problem, assignment=plan.assignment, share=share, seed=seed)
    assert certificate.broken(problem=problem, assignment=draw.assignment) == []
    assert ((draw.probability > 0) & (draw.probability <= 1 + 1e-12)).all()
    assert (draw.chances >= -1e-12).all() and (draw.chances.sum(axis=1) <= 1 + 1e-12).all()
    assert (draw.chances[~problem.eligible] == 0).all()
    same = draw.assignment == plan.assignment
    assert same[~draw.explored].all()


def frequencies(
    problem: Problem, planned: Ints, *, share: float, seeds: int
) -> tuple[np.ndarray, np.ndarray]:
    """How often each agency got each account over many seeds, and the stated chances."""
    counts = np.zeros(problem.value_minor.shape)
    for seed in range(seeds):
        draw = exploration.explore(problem=problem, assignment=planned, share=share, seed=seed)
        placed = np.nonzero(draw.assignment != IN_HOUSE)[0]
        counts[placed, draw.assignment[placed]] += 1
    return counts / seeds, draw.chances


def test_the_stated_probability_is_the_frequency() -> None:
    rng = np.random.default_rng(5)
    n, seeds = 24, 3_000
    eligible = np.array([[1, 1, 1], [1, 0, 1]] * (n // 2), dtype=np.bool_)
    problem = Problem(
        accounts=np.array([f"a{number:02d}" for number in range(n)]),
        agencies=("A", "B", "C"),
        value_minor=rng.integers(-5, 50, size=(n, 3)),
        eligible=eligible,
        balance_minor=rng.integers(1, 20, size=n),
        bucket=np.array(["M2"] * n),
        limits=(Limits(accounts_max=12), Limits(accounts_max=10, accounts_min=2), Limits()),
    )
    share = 0.3
    plan = solver.solve(problem=exploration.reserve(problem=problem, share=share))
    seen, stated = frequencies(problem, plan.assignment, share=share, seeds=seeds)
    spread = np.sqrt(np.maximum(stated * (1 - stated), 1e-9) / seeds)
    assert (np.abs(seen - stated) < 4.5 * spread + 1e-9).all()
    assert (stated > 0.02).sum() > n
