"""A run in one call: whole money, exact proof, chance that keeps limits, rivals side by side, the same digest again."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weituo.core.allocation import rivals
from weituo.core.allocation.placing import IN_HOUSE, Placed, Question, place
from weituo.core.allocation.problem import ProblemError, problem


def asked(n: int = 600, m: int = 4, *, seed: int = 1, **limits: Any) -> Question:
    """A small portfolio: three segments, some borrowers with two accounts."""
    rng = np.random.default_rng(seed)
    balance = rng.lognormal(13, 1, n).astype(np.int64)
    return Question(
        accounts=np.array([f"a{number:05d}" for number in range(n)]),
        agencies=tuple("GBCADEFH"[:m]),
        value_minor=(balance[:, None] * rng.normal(0.1, 0.02, (n, m)) - 500).astype(np.int64),
        eligible=rng.random((n, m)) < 0.8,
        balance_minor=balance,
        segment=rng.integers(0, 3, n),
        unit=rng.integers(0, n, n),
        limits=limits
        or {"count_max": np.full(m, n // 5), "count_min": np.full(m, n // 20), "segment_tolerance": 0.06},
        tiers=[1, 2, 3, 1, 2, 3, 1, 2][:m],
    )


def placed(question: Question, **how: Any) -> Placed:
    """Place with some chance."""
    return place(question=question, **{"seed": 7, "share": 0.05, "measured": 0.05, "hold_out": 0.03} | how)


def plain_value(question: Question, assignment: np.ndarray) -> int:
    """The value, one account at a time, in Python's whole numbers."""
    return sum(
        int(question.value_minor[row, got]) for row, got in enumerate(assignment.tolist()) if got != IN_HOUSE
    )


def test_a_run_keeps_limits_units_draws_and_hold_outs_and_proves_its_value() -> None:
    question = asked()
    answer = placed(question)
    assert answer.violations == 0
    agency = np.where(answer.assignment == IN_HOUSE, 4, answer.assignment)
    assert rivals.broken(problem=answer.problem, agency=agency) == []
    assert answer.value_minor == plain_value(question, answer.assignment)
    assert answer.planned_value_minor == plain_value(question, answer.planned)
    assert answer.value_minor <= answer.drawn_bound_minor <= answer.bound_minor + 1
    assert answer.planned_value_minor <= answer.planned_bound_minor == answer.bound_minor
    assert answer.planned_value_minor >= 0.995 * answer.planned_bound_minor
    assert answer.drawn_bound_minor - answer.value_minor <= 0.005 * answer.value_minor
    assert (answer.assignment[answer.held] == IN_HOUSE).all() and answer.held.sum() > 10
    assert not (answer.held & answer.explored).any()
    assert (answer.measured <= answer.explored).all() and answer.measured.sum() > 10
    assert ((answer.probability > 0) & (answer.probability <= 1)).all()
    assert (answer.probability[~answer.explored] == 1).all()


def test_what_chance_costs_is_the_difference_of_plans_and_near_what_was_expected() -> None:
    answer = placed(asked(4_000), share=0.04, measured=0.02, hold_out=0.02)
    chance = answer.chance
    assert (
        chance["cost_minor"] + chance["hold_out_cost_minor"]
        == answer.planned_value_minor - answer.value_minor
    )
    assert chance["cost_minor"] == pytest.approx(chance["expected_cost_minor"], rel=0.5)
    assert chance["hold_out_cost_minor"] == pytest.approx(chance["expected_hold_out_cost_minor"], rel=0.3)
    assert chance["explored"] == answer.explored.sum() and chance["held"] == answer.held.sum()
    assert chance["exact"] and chance["taken_back"] == 0 and chance["given_up"] <= 5
    for segment, (count, of) in enumerate(zip(chance["held_by_segment"], chance["held_of"], strict=True)):
        assert abs(count - 0.02 * of) < 1, segment


def test_the_digest_depends_on_inputs_and_seed_alone() -> None:
    question = asked()
    first = placed(question)
    assert placed(question, threads=1).digest == first.digest
    order = np.random.default_rng(2).permutation(600)
    other = replace(
        question, accounts=question.accounts[order], value_minor=question.value_minor[order], eligible=question.eligible[order],
        balance_minor=question.balance_minor[order], segment=question.segment[order],
        unit=np.array([f"u{unit}" for unit in question.unit[order]]),
    )  # fmt: skip
    again = placed(other)
    assert first.assignment[order].tolist() == again.assignment.tolist()
    assert first.probability[order].tolist() == again.probability.tolist()
    assert again.digest == first.digest
    assert placed(question, seed=8).digest != first.digest
    dearer = replace(question, value_minor=question.value_minor + (np.arange(600) == 5)[:, None])
    assert placed(dearer).digest != first.digest


def test_whole_numbers_serve_as_keys() -> None:
    question = replace(asked(200), accounts=np.arange(200, dtype=np.uint64) * np.uint64(2**40))
    assert placed(question).digest == placed(question, threads=1).digest


def test_rivals_stand_side_by_side_with_what_they_break() -> None:
    question = asked(800)
    rng = np.random.default_rng(3)
    before = rng.integers(-1, 4, 800)
    answer = placed(replace(question, before=before))
    assert set(answer.rivals) == {"round_robin", "greedy", "last"}
    for name in ("round_robin", "greedy"):
        assert answer.rivals[name]["value_minor"] < answer.planned_value_minor
        assert any(row["limit"] == "unit" for row in answer.rivals[name]["broken"])
    last = answer.rivals["last"]
    allowed = (before >= 0) & question.eligible[np.arange(800), before]
    assert last["value_minor"] == plain_value(question, np.where(allowed, before, IN_HOUSE))
    wrong = {row["agency"]: row["got"] for row in last["broken"] if row["limit"] == "eligible"}
    assert wrong == {
        code: int(((before == column) & ~question.eligible[:, column]).sum())
        for column, code in enumerate(question.agencies)
    }
    assert last["accounts"] == int((before >= 0).sum())


def test_round_robin_deals_in_turn_and_tiers_fill_from_the_best() -> None:
    worth = np.zeros((8, 3))
    worth[5:, 0] = -np.inf
    small = problem(
        value=worth, balance=[5, 9, 7, 1, 3, 8, 2, 4], segment=[1, 0, 0, 0, 1, 0, 1, 0], count_max=[2, 3, 8]
    )
    assert rivals.round_robin(problem=small, columns=[0, 1], home=2).tolist() == [0, 1, 0, 1, 0, 1, 1, 1]
    assert rivals.round_robin(problem=small, columns=[], home=2).tolist() == [2] * 8
    # segment 0 first, largest balance first; the first agency has two places and may not take the last three
    assert rivals.by_tier(problem=small, tiers=[1, 2], columns=[0, 1], home=2).tolist() == [
        2,
        0,
        0,
        1,
        2,
        1,
        2,
        1,
    ]
    assert rivals.by_tier(problem=small, tiers=[2, 1], columns=[0, 1], home=2).tolist() == [
        0,
        1,
        1,
        0,
        2,
        1,
        2,
        2,
    ]


def test_every_kind_of_broken_limit_is_told() -> None:
    worth = np.zeros((6, 2))
    worth[0, 0] = -np.inf
    small = problem(
        value=worth, balance=[10, 1, 1, 1, 1, 1], segment=[0, 0, 0, 1, 1, 1], count_min=[0, 3], count_max=[3, 6], balance_min=[0, 5],
        balance_max=[5, 100], segment_tolerance=0.1, unit=[0, 0, 1, 2, 3, 4],
    )  # fmt: skip
    told = {
        (row["limit"], row["agency"], row["segment"]): (row["asked"], row["got"])
        for row in rivals.broken(problem=small, agency=[0, 1, 0, 0, 0, 1])
    }
    assert told == {
        ("eligible", 0, -1): (0, 1), ("count_max", 0, -1): (3, 4), ("count_min", 1, -1): (3, 2), ("balance_max", 0, -1): (5, 13),
        ("balance_min", 1, -1): (5, 2), ("unit", -1, -1): (0, 1),
    }  # fmt: skip
    mixed = rivals.broken(problem=replace(small, unit=small.unit[:0]), agency=[1, 1, 1, 0, 0, 0])
    assert {(row["limit"], row["agency"], row["segment"]) for row in mixed} >= {("mix_max", 1, 0), ("mix_min", 1, 1), ("mix_max", 0, 1), ("mix_min", 0, 0)}  # fmt: skip


def best_of_all(question: Question) -> int | None:
    """The best value by enumeration; None where no assignment keeps limits and units."""
    n, m = question.value_minor.shape
    best: int | None = None
    most, least = np.asarray(question.limits["count_max"]), np.asarray(question.limits["count_min"])
    unit = np.asarray(question.unit)
    for choice in product(range(-1, m), repeat=n):
        got = np.array(choice)
        if any(got[row] >= 0 and not question.eligible[row, got[row]] for row in range(n)):
            continue
        held = np.bincount(got[got >= 0], minlength=m)
        if (
            (held > most).any()
            or (held < least).any()
            or any(np.unique(got[unit == one]).size > 1 for one in np.unique(unit))
        ):
            continue
        worth = plain_value(question, got)
        best = worth if best is None or worth > best else best
    return best


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 6), share=st.sampled_from([0.0, 0.4]))
def test_small_runs_are_the_best_of_all_and_chance_never_breaks_a_limit(
    seed: int, n: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    plan = rng.integers(-1, 2, n)
    unit = np.where(rng.random(n) < 0.5, np.arange(n), plan + n)
    eligible = rng.random((n, 2)) < 0.7
    eligible[np.flatnonzero(plan >= 0), plan[plan >= 0]] = True
    held = np.bincount(plan[plan >= 0], minlength=2)
    question = Question(
        accounts=np.arange(n), agencies=("A", "B"), value_minor=rng.integers(-40, 90, (n, 2)), eligible=eligible,
        balance_minor=rng.integers(0, 50, n), segment=np.zeros(n, dtype=np.int64), unit=unit,
        limits={"count_max": held + rng.integers(0, 2, 2), "count_min": np.maximum(held - rng.integers(0, 2, 2), 0)},
    )  # fmt: skip
    answer = place(question=question, seed=seed, share=share, measured=share)
    best = best_of_all(question)
    assert best is not None
    assert answer.planned_value_minor == best
    assert answer.value_minor <= best <= answer.bound_minor
    assert answer.violations == 0
    fixed = answer.explored
    assert (answer.probability[fixed] > 0).all()
    if not answer.chance["exact"]:
        assert not answer.measured.any()


def test_draws_that_no_plan_can_be_made_around_are_taken_back() -> None:
    n = 40
    question = Question(
        accounts=np.arange(n), agencies=("A", "B"), value_minor=np.tile([50, 40], (n, 1)), eligible=np.ones((n, 2), dtype=np.bool_),
        balance_minor=np.where(np.arange(n) == 0, 1_000, 10), segment=np.zeros(n, dtype=np.int64),
        limits={"balance_min": [1_000, 0], "count_max": [3, n]},
    )  # fmt: skip
    taken = 0
    for seed in range(4):
        answer = place(question=question, seed=seed, share=0.0, measured=0.9, floor=0.5)
        assert answer.violations == 0
        assert answer.assignment[0] == 0
        taken += not answer.chance["exact"]
        if not answer.chance["exact"]:
            assert answer.chance["taken_back"] > 0 and not answer.measured.any()
    assert taken > 0


def test_fines_for_soft_limits_are_taken_off() -> None:
    n = 30
    question = Question(
        accounts=np.arange(n), agencies=("A",), value_minor=np.full((n, 1), 100), eligible=np.ones((n, 1), dtype=np.bool_),
        balance_minor=np.ones(n, dtype=np.int64), segment=np.zeros(n, dtype=np.int64), limits={"count_max": [10], "count_price": 30},
    )  # fmt: skip
    answer = place(question=question, seed=1, share=0)
    assert (answer.assignment == 0).all()
    assert answer.value_minor == n * 100 - 20 * 30 == answer.bound_minor


def test_money_beyond_float32_is_added_up_exactly() -> None:
    n = 5
    worth = np.array([[2**52 - 1], [2**52 - 3], [7], [-(2**51) + 1], [2**40 + 1]])
    question = Question(
        accounts=np.arange(n), agencies=("A",), value_minor=worth, eligible=np.ones((n, 1), dtype=np.bool_),
        balance_minor=np.ones(n, dtype=np.int64), segment=np.zeros(n, dtype=np.int64), limits={"count_max": [n]},
    )  # fmt: skip
    answer = place(question=question, seed=1, share=0)
    assert answer.value_minor == int(worth[worth > 0].sum())
    assert answer.value_minor <= answer.bound_minor <= answer.value_minor * (1 + 1e-14)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accounts": np.zeros(50, dtype=np.int64)}, "stands twice"),
        ({"value_minor": np.zeros((50, 3))}, "value_minor and eligible"),
        ({"limits": {"count": 3}}, "unknown limit count"),
        ({"limits": {"count_max": [1, 2]}}, "count_max must be"),
    ],
)
def test_questions_that_cannot_be_are_refused(change: dict[str, Any], message: str) -> None:
    question = replace(asked(50, 3), **change)
    with pytest.raises(ProblemError, match=message):
        place(question=question, seed=1, share=0.1)
