"""Plans at size, impossible limits in words, today's rules, stated effects."""

from __future__ import annotations

import numpy as np
import pytest

from weituo.core.allocation import certificate, exploration, placing, rivals, solver
from weituo.core.allocation.effects import EFFECT_MAX, Stated, shrunk_effects
from weituo.core.allocation.problem import IN_HOUSE, Infeasible, Limits, Problem, ProblemError


def made(n: int = 2_000, m: int = 4, *, seed: int = 1, limits: Limits | None = None) -> Problem:
    """A random problem of the size of a small portfolio."""
    rng = np.random.default_rng(seed)
    balance = rng.lognormal(13.5, 1, n).astype(np.int64)
    hope = balance * rng.beta(1, 6, n)
    value = (hope[:, None] * (0.3 + rng.normal(0, 0.05, (n, m))) - 500).astype(np.int64)
    return Problem(
        accounts=np.array([f"a{number:05d}" for number in range(n)], dtype=np.str_),
        agencies=tuple(f"G{number}" for number in range(m)),
        value_minor=value,
        eligible=rng.random((8, m))[rng.integers(0, 8, n)] < 0.7,
        balance_minor=balance,
        bucket=np.array(["M2", "M3"], dtype=np.str_)[rng.integers(0, 2, n)],
        limits=(limits or Limits(accounts_max=300),) * m,
    )


@pytest.mark.parametrize(
    "limits",
    [
        Limits(accounts_max=300),
        Limits(accounts_max=300, accounts_min=100, balance_max_minor=300_000_000),
        Limits(accounts_max=300, balance_min_minor=100_000_000, bucket_accounts_max={"M2": 160, "M3": 160}),
    ],
)
def test_a_portfolio_is_solved_within_its_proof(limits: Limits) -> None:
    problem = made(limits=limits)
    placed = placing.place(problem=problem, tiers=[1, 2, 3, 1], share=0.05, seed=7)
    assert certificate.broken(problem=problem, assignment=placed.assignment) == []
    assert placed.value_minor <= placed.bound_minor
    assert placed.planned_value_minor <= placed.planned_bound_minor <= placed.bound_minor
    assert placed.planned_value_minor >= 0.995 * placed.planned_bound_minor
    assert placed.value_minor > placed.rivals["greedy"]["value_minor"]
    assert placed.explored.sum() >= 20


def test_limits_on_accounts_alone_leave_no_gap() -> None:
    problem = made()
    plan = solver.solve(problem=problem)
    value = certificate.value_minor(problem=problem, assignment=plan.assignment)
    assert certificate.bound_minor(problem=problem, prices=plan.prices) - value <= problem.size // 100


def test_same_seed_same_digest_other_seed_other_draw() -> None:
    problem = made(400)
    first, again, other = (
        placing.place(problem=problem, tiers=[1, 1, 1, 1], share=0.1, seed=seed) for seed in (7, 7, 8)
    )
    assert first.digest == again.digest != other.digest
    assert (first.planned == other.planned).all()


def test_without_chance_everything_is_certain() -> None:
    placed = placing.place(problem=made(200), tiers=[1, 1, 1, 1], share=0.0, seed=7)
    assert not placed.explored.any() and (placed.probability == 1).all()


def test_ample_room_gives_the_textbook_probabilities() -> None:
    problem = made(1_000, 3, limits=Limits())
    everywhere = Problem(
        accounts=problem.accounts, agencies=problem.agencies, value_minor=np.abs(problem.value_minor) + 1,
        eligible=np.ones_like(problem.eligible), balance_minor=problem.balance_minor, bucket=problem.bucket,
        limits=problem.limits,
    )  # fmt: skip
    plan = solver.solve(problem=everywhere)
    draw = exploration.explore(problem=everywhere, assignment=plan.assignment, share=0.06, seed=1)
    other = draw.assignment != plan.assignment
    assert np.allclose(draw.probability[other], 0.02)
    assert np.allclose(draw.probability[~other], 1 - 0.06 + 0.02)
    assert draw.explored.sum() == 60


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(accounts_min=5, accounts_max=4), "BACKWARDS"),
        (Limits(balance_min_minor=10, balance_max_minor=9), "BACKWARDS"),
        (Limits(accounts_min=10_000), "TOO_FEW"),
        (Limits(balance_min_minor=10**12), "TOO_FEW"),
        (Limits(accounts_min=150), "TOGETHER"),
    ],
)
def test_impossible_limits_are_named(limits: Limits, reason: str) -> None:
    with pytest.raises(Infeasible) as caught:
        solver.solve(problem=made(300, limits=limits))
    assert caught.value.reason == reason
    worst = caught.value.shortfalls[0]
    assert worst.limit.is_least and worst.possible < worst.limit.amount
    assert worst.as_dict()["agency"].startswith("G")


def test_parts_of_accounts_are_not_enough() -> None:
    problem = Problem(
        accounts=np.array(["a", "b"]), agencies=("A", "B"), value_minor=np.ones((2, 2), dtype=np.int64),
        eligible=np.ones((2, 2), dtype=np.bool_), balance_minor=np.array([10, 10]), bucket=np.array(["M2", "M2"]),
        limits=(Limits(balance_min_minor=5, balance_max_minor=9), Limits()),
    )  # fmt: skip
    with pytest.raises(Infeasible) as caught:
        solver.solve(problem=problem)
    assert caught.value.reason == "WHOLE_ACCOUNTS"


def test_an_empty_problem_has_an_empty_plan() -> None:
    problem = made(0)
    placed = placing.place(problem=problem, tiers=[1, 1, 1, 1], share=0.05, seed=7)
    assert placed.assignment.size == 0 and placed.value_minor == placed.bound_minor == 0


def test_losing_accounts_stay_in_house_unless_a_least_asks_for_them() -> None:
    problem = Problem(
        accounts=np.array(["a", "b"]), agencies=("A",), value_minor=np.array([[-5], [-9]]),
        eligible=np.ones((2, 1), dtype=np.bool_), balance_minor=np.array([10, 10]), bucket=np.array(["M2", "M2"]),
        limits=(Limits(),),
    )  # fmt: skip
    assert (solver.solve(problem=problem).assignment == IN_HOUSE).all()
    asked = problem.with_limits((Limits(accounts_min=1),))
    assert solver.solve(problem=asked).assignment.tolist() == [0, IN_HOUSE]


def test_arrays_that_do_not_fit_are_refused() -> None:
    good = made(4)
    with pytest.raises(ProblemError):
        Problem(
            accounts=np.array(["a"] * 4), agencies=good.agencies, value_minor=good.value_minor, eligible=good.eligible,
            balance_minor=good.balance_minor, bucket=good.bucket, limits=good.limits,
        )  # fmt: skip
    with pytest.raises(ProblemError):
        Problem(
            accounts=good.accounts, agencies=good.agencies, value_minor=good.value_minor, eligible=good.eligible,
            balance_minor=good.balance_minor * 0, bucket=good.bucket, limits=good.limits,
        )  # fmt: skip


def test_round_robin_deals_in_turn_and_breaks_limits() -> None:
    problem = made(400, limits=Limits(accounts_max=10))
    chosen = rivals.round_robin(problem=problem)
    placed = np.nonzero(chosen != IN_HOUSE)[0]
    assert problem.eligible[placed, chosen[placed]].all()
    assert (chosen[~problem.eligible.any(axis=1)] == IN_HOUSE).all()
    assert {row["limit"] for row in certificate.broken(problem=problem, assignment=chosen)} == {
        "accounts_max"
    }


def test_greedy_equals_serving_account_by_account() -> None:
    problem = made(300, limits=Limits(accounts_max=40))
    tiers = [2, 1, 3, 1]
    left = [40] * 4
    expected = np.full(300, IN_HOUSE)
    for row in sorted(range(300), key=lambda row: (problem.bucket[row], -problem.balance_minor[row])):
        for agency in sorted(range(4), key=lambda agency: (tiers[agency], problem.agencies[agency])):
            if problem.eligible[row, agency] and left[agency]:
                expected[row] = agency
                left[agency] -= 1
                break
    assert (rivals.greedy(problem=problem, tiers=tiers) == expected).all()


def test_stated_figures_count_half_at_most_and_stay_within_their_limit() -> None:
    rows = [
        Stated(agency="A", bucket="M2", liquidation=0.22, accounts=50_000),
        Stated(agency="B", bucket="M2", liquidation=0.18, accounts=50_000),
        Stated(agency="C", bucket="M2", liquidation=0.90, accounts=3),
    ]
    found = shrunk_effects(stated=rows, agencies="ABCD", buckets=("M2", "M5"))
    assert 10_000 < found["A", "M2"] < 10_000 * (0.22 / 0.20) ** 0.55
    assert found["B", "M2"] < 10_000 == found["D", "M2"] == found["D", "M5"]
    assert 10_000 < found["A", "M5"] < found["A", "M2"]
    assert found["C", "M2"] <= 10_000 * np.exp(EFFECT_MAX) + 1
