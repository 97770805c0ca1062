"""Hold-outs: exact shares of every segment, whole borrowers, the same for everybody who draws again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weituo.core.allocation import solver
from weituo.core.allocation.holding import HeldOut, hold_out
from weituo.core.allocation.problem import Problem, ProblemError, problem


def made(n: int = 600, k: int = 3, *, seed: int = 0) -> Problem:
    """A problem of four segments of unlike sizes; the last agency is in-house."""
    rng = np.random.default_rng(seed)
    value = rng.normal(5, 3, size=(n, k))
    value[:, -1] = 0.0
    return problem(
        value=value, balance=rng.integers(1, 100, n), segment=rng.choice(4, size=n, p=[0.5, 0.3, 0.15, 0.05])
    )


def held_out(asked: Problem, *, share: float, seed: int) -> HeldOut:
    """Hold out in the last column, keyed by the rows' positions."""
    return hold_out(
        problem=asked, keys=np.arange(asked.size), agency=asked.agencies - 1, share=share, seed=seed
    )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0, 1), n=st.integers(0, 300))
def test_every_segment_is_within_one_of_its_share_and_so_are_all(seed: int, share: float, n: int) -> None:
    asked = made(n, seed=seed)
    out = held_out(asked, share=share, seed=seed)
    of = np.bincount(asked.segment, minlength=asked.segments)
    assert out.of.tolist() == of.tolist()
    assert np.bincount(asked.segment[out.held], minlength=asked.segments).tolist() == out.count.tolist()
    assert (np.abs(out.count - share * of) < 1 + 1e-6).all()
    assert abs(int(out.count.sum()) - share * n) < 1 + 1e-6
    assert (out.probability == share).all()


def test_everybody_has_the_same_chance_over_the_seed() -> None:
    asked, seeds = made(41), 2_000
    times = sum(held_out(asked, share=0.13, seed=seed).held.astype(int) for seed in range(seeds))
    assert np.abs(times / seeds - 0.13).max() < 4.5 * np.sqrt(0.13 * 0.87 / seeds)


def test_whole_borrowers_are_held_out_by_the_segment_of_most_of_their_accounts() -> None:
    asked = replace(made(), unit=np.arange(600) // 4)
    out = held_out(asked, share=0.1, seed=1)
    assert (out.held.reshape(-1, 4) == out.held.reshape(-1, 4)[:, :1]).all()
    assert abs(int(out.held.sum()) // 4 - 15) <= 1 and int(out.of.sum()) == 150
    kinds = [int(np.bincount(four, minlength=4).argmax()) for four in asked.segment.reshape(-1, 4)]
    assert out.of.tolist() == np.bincount(kinds, minlength=4).tolist()


def test_the_order_of_rows_changes_nothing() -> None:
    asked, order = replace(made(), unit=np.arange(600) // 3), np.random.default_rng(3).permutation(600)
    other = replace(
        asked,
        value=asked.value[order],
        balance=asked.balance[order],
        segment=asked.segment[order],
        unit=900 - asked.unit[order],
    )
    keys = np.array([f"k{number}" for number in range(600)])
    first = hold_out(problem=asked, keys=keys, agency=2, share=0.07, seed=5)
    second = hold_out(problem=other, keys=keys[order], agency=2, share=0.07, seed=5)
    assert first.held[order].tolist() == second.held.tolist()
    assert (
        held_out(asked, share=0.07, seed=5).held.tolist() != held_out(asked, share=0.07, seed=6).held.tolist()
    )


def test_who_must_not_be_held_out_or_is_fixed_takes_no_part() -> None:
    asked = made()
    asked.value[:100, 2] = -np.inf
    asked = replace(asked, fixed=np.where(np.arange(600) < 200, 0, -1).astype(np.int16))
    out = held_out(asked, share=0.5, seed=1)
    assert not out.held[:200].any() and (out.probability[:200] == 0).all()
    assert int(out.of.sum()) == 400 and abs(int(out.held.sum()) - 200) <= 1


def test_the_cost_is_what_the_solution_loses() -> None:
    asked = made(3_000)
    asked = replace(asked, limits=replace(asked.limits, count_max=np.array([1_000, 900, 3_000])))
    plan = solver.solve(problem=asked)
    out = hold_out(
        problem=asked, keys=np.arange(3_000), agency=2, share=0.05, seed=1, price=plan.price, money=plan.money
    )
    fixed = solver.solve(problem=replace(asked, fixed=np.where(out.held, 2, -1).astype(np.int16)))
    assert fixed.violations == 0 and (fixed.agency[out.held] == 2).all()
    assert plan.value - fixed.value == pytest.approx(out.expected_cost, rel=0.05)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ProblemError, match="share held out"):
        held_out(made(10), share=1.5, seed=1)
    with pytest.raises(ProblemError, match="held out must be an agency"):
        hold_out(problem=made(10), keys=np.arange(10), agency=3, share=0.1, seed=1)
