"""Laws of chance in placement, on random problems with ties, tight limits, fixed accounts and units."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from weituo.core.allocation import rivals, solver
from weituo.core.allocation.changing import resolve
from weituo.core.allocation.exploration import explore
from weituo.core.allocation.feasibility import Infeasible
from weituo.core.allocation.problem import Problem, problem


def planted(seed: int) -> tuple[Problem, np.ndarray]:
    """A random problem within whose limits a known assignment lies."""
    rng = np.random.default_rng(seed)
    n, k, s = int(rng.integers(1, 120)), int(rng.integers(1, 7)), int(rng.integers(1, 4))
    value = rng.normal(10, 20, size=(n, k))
    kind = rng.integers(0, 4)
    if kind == 1:
        value = np.round(value / 20) * 20
    if kind == 2:
        value[:] = 0.0
    unit = rng.integers(0, n, n) if rng.random() < 0.4 else np.arange(n)
    plan = rng.integers(0, k, n)[unit]
    allowed = rng.random((n, k)) < rng.choice([0.4, 1.0])
    allowed[np.arange(n), plan] = True
    balance = rng.lognormal(5, 1.5, n).astype(np.int64)
    count, owed = np.bincount(plan, minlength=k), np.bincount(plan, weights=balance, minlength=k)
    room = rng.choice([0.0, 0.1, 0.6])
    limits: dict[str, Any] = {
        "count_min": np.floor(count * (1 - room)), "count_max": np.ceil(count * (1 + room)),
        "balance_max": np.ceil(owed * rng.choice([1.1, 2.0])) if rng.random() < 0.5 else np.full(k, np.inf),
    }  # fmt: skip
    fixed = np.where(rng.random(n) < rng.choice([0.0, 0.2]), plan, -1)
    for one in np.unique(unit):
        together = unit == one
        fixed[together] = fixed[together].max()
    made = problem(
        value=np.where(allowed, value, -np.inf),
        balance=balance,
        segment=rng.integers(0, s, n),
        fixed=fixed,
        unit=unit,
        **limits,
    )
    return made, plan


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), share=st.floats(0, 0.5), measured=st.floats(0, 0.5), floor=st.floats(0, 1))
def test_draws_keep_to_who_may_have_it_to_units_to_fixed_ones_and_to_half_of_each_limit(
    seed: int, share: float, measured: float, floor: float
) -> None:
    asked, _ = planted(seed)
    n, k = asked.value.shape
    rng = np.random.default_rng(seed)
    draw = explore(
        problem=asked, price=rng.normal(0, 5, (asked.segments, k)), money=rng.normal(0, 0.01, k), keys=np.arange(n), seed=seed,
        share=share, measured=measured, floor=floor, keep_chances=True,
    )  # fmt: skip
    rows = np.flatnonzero(draw.drawn)
    assert np.isfinite(asked.value[rows, draw.agency[rows]]).all()
    assert (asked.fixed[rows] < 0).all()
    for one in np.unique(asked.unit[rows]):
        assert np.unique(draw.agency[asked.unit == one]).size == 1
    assert ((draw.probability > 0) & (draw.probability <= 1 + 1e-12)).all()
    assert (draw.chances >= 0).all() and (draw.chances.sum(axis=1) <= 1 + 1e-9).all()
    held, owed = np.zeros(k), np.zeros(k)
    np.add.at(held, draw.agency[rows], 1)
    np.add.at(owed, draw.agency[rows], asked.balance[rows])
    already = asked.fixed[asked.fixed >= 0]
    left = np.maximum(asked.limits.count_max - np.bincount(already, minlength=k), 0)
    assert (held <= left / 2).all()
    assert (owed <= asked.limits.balance_max / 2).all()
    assert draw.expected_cost >= 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_the_solver_never_moves_an_account_that_was_drawn(seed: int) -> None:
    asked, _ = planted(seed)
    plan = solver.solve(problem=asked)
    assert plan.violations == 0
    draw = explore(
        problem=asked,
        price=plan.price,
        money=plan.money,
        keys=np.arange(asked.size),
        seed=seed,
        share=0.1,
        measured=0.1,
    )
    fixed = np.where(draw.drawn, draw.agency, asked.fixed)
    try:
        found = solver.solve(problem=replace(asked, fixed=fixed.astype(np.int16)))
    except Infeasible:
        return
    assert (found.agency[fixed >= 0] == fixed[fixed >= 0]).all()
    assert found.value <= plan.bound * (1 + 1e-9) + 1e-3
    if found.violations == 0:
        assert rivals.broken(problem=asked, agency=found.agency) == []


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_where_what_is_keeps_the_limits_and_staying_is_worth_most_nothing_moves(seed: int) -> None:
    asked, plan = planted(seed)
    changed = resolve(problem=asked, before=plan, stickiness=np.inf)
    assert len(changed.moves) == 0 and changed.stayed == asked.size
    assert changed.solution.violations == 0
