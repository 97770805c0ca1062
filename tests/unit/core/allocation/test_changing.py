"""Solving again from what is: nothing moves without a reason, and the reason is the right one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weituo.core.allocation import solver
from weituo.core.allocation.changing import REASONS, Changed, resolve, sentence
from weituo.core.allocation.problem import Problem, ProblemError, problem


def made(n: int = 40, k: int = 4, *, seed: int = 0, **limits: Any) -> Problem:
    """A small problem with room."""
    rng = np.random.default_rng(seed)
    value = np.round(rng.normal(20, 8, size=(n, k)), 2)
    return problem(value=value, balance=rng.integers(1, 100, n), segment=rng.integers(0, 2, n), **limits)


def reasons(changed: Changed) -> list[str]:
    """The reasons of all moves."""
    return [REASONS[code] for code in changed.moves.reason]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 40), k=st.integers(1, 5), shut=st.booleans())
def test_when_staying_is_worth_most_only_forced_moves_happen(seed: int, n: int, k: int, shut: bool) -> None:
    rng = np.random.default_rng(seed)
    asked = made(n, k, seed=seed)
    before = rng.integers(0, k, n)
    value = asked.value.copy()
    forced = rng.random(n) < 0.15
    if k > 1:
        value[np.flatnonzero(forced), before[forced]] = -np.inf
        most = np.full(k, n)
        if shut and k > 2:
            most[int(before[0])] = 0
            forced = forced | (before == before[0])
        asked = problem(value=value, balance=asked.balance, segment=asked.segment, count_max=most)
    else:
        forced = np.zeros(n, dtype=np.bool_)
    before[: n // 4] = np.where(rng.random(n // 4) < 0.5, -1, before[: n // 4])
    changed = resolve(problem=asked, before=before, stickiness=np.inf)
    assert changed.solution.violations == 0
    moved = np.zeros(n, dtype=np.bool_)
    moved[changed.moves.account] = True
    assert moved.tolist() == (forced | (before < 0)).tolist()
    assert changed.stayed == n - moved.sum()
    assert set(reasons(changed)) <= {"NEW", "NOT_ALLOWED", "CLOSED"}


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_without_stickiness_it_is_the_plain_solution_and_values_are_left_as_they_were(seed: int) -> None:
    rng = np.random.default_rng(seed)
    asked = made(60, 4, seed=seed, count_max=[20, 20, 20, 30], count_min=[5, 0, 0, 0])
    kept = asked.value.copy()
    plain = solver.solve(problem=asked)
    changed = resolve(problem=asked, before=rng.integers(-1, 4, 60), stickiness=0.0)
    assert changed.solution.agency.tolist() == plain.agency.tolist()
    assert changed.value == plain.value and changed.solution.bound == plain.bound
    sticky = resolve(problem=asked, before=rng.integers(-1, 4, 60), stickiness=rng.uniform(0, 30, 60))
    assert (asked.value == kept).all()
    assert sticky.value <= plain.bound + 1e-3
    assert sticky.value == pytest.approx(float(kept[np.arange(60), sticky.solution.agency].sum()), rel=1e-6)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_dearer_move_is_made_less_often(seed: int) -> None:
    asked = made(80, 4, seed=seed, count_max=[25, 25, 25, 40])
    before = solver.solve(problem=made(80, 4, seed=seed + 1, count_max=[25, 25, 25, 40])).agency.astype(
        np.int64
    )
    moves = [
        len(resolve(problem=asked, before=before, stickiness=price).moves)
        for price in (0.0, 5.0, 15.0, np.inf)
    ]
    assert moves == sorted(moves, reverse=True)
    assert moves[-1] == 0 and moves[0] > 0


def test_a_place_less_moves_one_account_and_says_why() -> None:
    asked = made(40, 3, count_max=[10, 40, 40])
    before = solver.solve(problem=asked).agency.astype(np.int64)
    held = int((before == 0).sum())
    fewer = replace(asked, limits=replace(asked.limits, count_max=np.array([held - 1, 40, 40])))
    changed = resolve(problem=fewer, before=before, stickiness=1_000.0)
    assert len(changed.moves) == 1 and changed.moves.origin[0] == 0
    assert reasons(changed) == ["PLACE"]
    assert changed.moves.by.tolist() == [0] and changed.moves.worth[0] > 900
    assert sentence(moves=changed.moves, at=0).startswith("its place at agency 0 is worth")


@pytest.mark.parametrize(
    ("limits", "reason", "words"),
    [
        ({"count_max": [0, 40, 40]}, "CLOSED", "agency 0 closed"),
        ({"count_min": [0, 0, 30]}, "NEEDED", "agency 2 must hold more accounts"),
        ({"balance_min": [0, 0, 1_500]}, "BALANCE_NEEDED", "agency 2 must hold more balance"),
        ({"balance_max": [150, 10**9, 10**9]}, "BALANCE", "its balance takes room at agency 0"),
    ],
)
def test_the_limit_that_forces_a_move_is_named(limits: dict[str, Any], reason: str, words: str) -> None:
    plain = made(40, 3)
    before = solver.solve(problem=plain).agency.astype(np.int64)
    changed = resolve(problem=made(40, 3, **limits), before=before, stickiness=3.0)
    told = reasons(changed)
    assert changed.solution.violations == 0 and len(told) > 2
    assert told.count(reason) >= len(told) - 1
    assert any(sentence(moves=changed.moves, at=at).startswith(words) for at in range(len(told)))


def test_mix_fixed_new_and_better_moves_are_told() -> None:
    plain = made(60, 3)
    before = solver.solve(problem=plain).agency.astype(np.int64)
    mixed = resolve(problem=made(60, 3, segment_tolerance=0.02), before=before, stickiness=1.0)
    assert "MIX" in reasons(mixed) and mixed.solution.violations == 0
    fixed = np.full(60, -1)
    fixed[:3] = (before[:3] + 1) % 3
    drawn = resolve(problem=replace(plain, fixed=fixed.astype(np.int16)), before=before, stickiness=1.0)
    assert reasons(drawn) == ["FIXED"] * 3
    assert sentence(moves=drawn.moves, at=0) == f"it was fixed to agency {fixed[0]}"
    before[5] = -1
    before[6] = (before[6] + 1) % 3
    other = resolve(problem=plain, before=before, stickiness=0.001)
    assert reasons(other) == ["NEW", "BETTER"]
    assert sentence(moves=other.moves, at=0) == "it had no agency"
    assert np.isnan(other.moves.gained[0]) and other.moves.gained[1] > 0
    assert f"worth {other.moves.gained[1]:,.2f} more at agency" in sentence(moves=other.moves, at=1)


def test_units_move_as_a_whole_for_one_reason() -> None:
    asked = replace(made(60, 3, count_max=[0, 60, 60]), unit=np.arange(60) // 2)
    changed = resolve(problem=asked, before=np.repeat(np.arange(30) % 3, 2), stickiness=np.inf)
    assert set(reasons(changed)) == {"CLOSED"} and len(changed.moves) == 20
    barred = replace(made(60, 3), unit=np.arange(60) // 2)
    barred.value[0, 0] = -np.inf
    changed = resolve(problem=barred, before=np.zeros(60, dtype=np.int64), stickiness=np.inf)
    assert changed.moves.account.tolist() == [0, 1] and reasons(changed) == ["NOT_ALLOWED"] * 2


def test_a_matrix_that_cannot_be_written_is_left_alone() -> None:
    asked = made(40, 3)
    before = np.random.default_rng(2).integers(0, 3, 40)
    open_ = resolve(problem=asked, before=before, stickiness=4.0)
    asked.value.flags.writeable = False
    assert (
        resolve(problem=asked, before=before, stickiness=4.0).solution.agency.tolist()
        == open_.solution.agency.tolist()
    )


@pytest.mark.parametrize(
    ("before", "stickiness", "message"),
    [
        ([0] * 9, 1.0, "before must be 10"),
        ([4] * 10, 1.0, "before must name an agency"),
        ([0] * 10, -1.0, "stickiness must be"),
        ([0] * 10, [1.0] * 9, "stickiness must be"),
    ],
)
def test_what_cannot_be_is_refused(before: list[int], stickiness: Any, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        resolve(problem=made(10, 3), before=np.array(before), stickiness=stickiness)
