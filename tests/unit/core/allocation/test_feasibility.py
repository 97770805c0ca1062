"""Every way in which limits cannot be kept: its sentence, what would do, and that it would."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from weituo.core.allocation import feasibility, relaxing, solver
from weituo.core.allocation.cells import cells
from weituo.core.allocation.feasibility import Infeasible, Kind
from weituo.core.allocation.problem import Problem, ProblemError, problem

NEVER = -np.inf


def arrays(n: int = 100, k: int = 4) -> dict[str, Any]:
    """A problem without limits: balances from 100 to 1,000, two segments."""
    rng = np.random.default_rng(n * 1_000 + k)
    return {
        "value": rng.normal(10, 5, size=(n, k)),
        "balance": rng.integers(100, 1_001, size=n),
        "segment": np.arange(n) % 2,
        "count_min": np.zeros(k, dtype=np.int64),
        "count_max": np.full(k, n),
        "balance_min": np.zeros(k, dtype=np.int64),
        "balance_max": np.full(k, 1_000 * n),
    }


def refused(given: Problem) -> Infeasible:
    """Solve, and give the refusal."""
    with pytest.raises(Infeasible) as raised:
        solver.solve(problem=given)
    return raised.value


def places(made: dict[str, Any]) -> None:
    made["count_max"] = np.array([30, 30, 20, 12])


def minima(made: dict[str, Any]) -> None:
    made["count_min"] = np.array([60, 50, 0, 0])


def balance_places(made: dict[str, Any]) -> None:
    made["balance_max"] = np.full(4, int(made["balance"].sum()) // 5)


def balance_minima(made: dict[str, Any]) -> None:
    made["balance_min"] = np.full(4, int(made["balance"].sum()) // 3)


def few_eligible(made: dict[str, Any]) -> None:
    made["value"][20:, 2] = NEVER
    made["count_min"][2] = 30


def few_balance(made: dict[str, Any]) -> None:
    made["value"][20:, 2] = NEVER
    made["balance_min"][2] = int(made["balance"][:20].sum()) + 1


def few_in_mix(made: dict[str, Any]) -> None:
    made["value"][made["segment"] == 1, 2] = NEVER
    made["count_min"][2] = 20
    made["segment_tolerance"] = np.array([1.0, 1.0, 0.1, 1.0])


def licences(made: dict[str, Any]) -> None:
    made["value"][:40, [0, 3]] = NEVER
    made["count_max"][[1, 2]] = 12, 20


def licences_balance(made: dict[str, Any]) -> None:
    made["value"][:40, [0, 3]] = NEVER
    made["balance_max"][[1, 2]] = int(made["balance"][:40].sum()) // 3


def least_licences(made: dict[str, Any]) -> None:
    made["value"][:70, [1, 2]] = NEVER
    made["count_min"][[1, 2]] = 20, 20


def least_licences_balance(made: dict[str, Any]) -> None:
    made["value"][:70, [1, 2]] = NEVER
    made["balance_min"][[1, 2]] = int(made["balance"][70:].sum()) * 2 // 3


def fixed_over(made: dict[str, Any]) -> None:
    made["fixed"] = np.where(np.arange(100) < 30, 1, -1)
    made["count_max"][1] = 25


def clash(made: dict[str, Any]) -> None:
    # forty accounts owe at least 4,000 together, whichever they are
    made["count_min"][0] = 40
    made["balance_max"][0] = 4_000


def clash_of_mix(made: dict[str, Any]) -> None:
    # half of what agency 0 holds must be of segment 1, and of that it may have six accounts
    made["value"][np.flatnonzero(made["segment"] == 1)[6:], 0] = NEVER
    made["segment_tolerance"] = np.array([0.05, 1.0, 1.0, 1.0])
    made["count_max"][1:] = 25


CASES: list[tuple[Callable[[dict[str, Any]], None], Kind, str]] = [
    (places, Kind.PLACES, "all agencies together have 92 places for 100 accounts"),
    (minima, Kind.MINIMA, "all agencies together must hold at least 110 accounts, and there are 100"),
    (balance_places, Kind.BALANCE_PLACES, "all agencies together may hold a balance of "),
    (balance_minima, Kind.BALANCE_MINIMA, "all agencies together must hold a balance of at least "),
    (few_eligible, Kind.FEW_ELIGIBLE, "agency 2 must hold at least 30 accounts, and only 20 may go there"),
    (few_balance, Kind.FEW_BALANCE, "agency 2 must hold a balance of at least "),
    (few_in_mix, Kind.FEW_IN_MIX, "agency 2 must hold at least 20 accounts, of which the mix rule leaves "),
    (
        licences,
        Kind.LICENCES,
        "agencies 1 and 2 together have 32 places for 40 accounts that may go nowhere else",
    ),
    (licences_balance, Kind.LICENCES_BALANCE, "agencies 1 and 2 together may hold a balance of "),
    (
        least_licences,
        Kind.LEAST_LICENCES,
        "agencies 1 and 2 together must hold at least 40 accounts, and only 30 may go to any of them",
    ),
    (
        least_licences_balance,
        Kind.LEAST_LICENCES_BALANCE,
        "agencies 1 and 2 together must hold a balance of ",
    ),
    (fixed_over, Kind.FIXED_OVER, "agency 1: 25 places for 30 accounts that are fixed there"),
    (clash, Kind.CLASH, "the least counts and the largest balances of agency 0 cannot all be kept"),
    (clash_of_mix, Kind.CLASH, "the largest counts and the mix of agencies 0, 1, 2 and 3 cannot all be kept"),
]


@pytest.mark.parametrize(("spoil", "kind", "sentence"), CASES, ids=[str(case[1]) for case in CASES])
def test_limits_that_cannot_be_kept_are_named_and_the_least_relaxation_would_do(
    spoil: Callable[[dict[str, Any]], None], kind: Kind, sentence: str
) -> None:
    made = arrays()
    spoil(made)
    given = problem(**made)
    found = refused(given)
    assert found.kind is kind
    assert str(found).startswith(sentence)
    assert found.proved
    assert found.relaxation
    assert found.least > 0
    assert found.as_dict()["relaxation"][0]["limit"] == found.relaxation[0].limit
    again = solver.solve(problem=relaxing.relaxed(problem=given, relaxation=found.relaxation))
    assert again.violations == 0


@pytest.mark.parametrize(
    ("spoil", "short"), [(places, 8), (minima, 10), (few_eligible, 10), (licences, 8), (fixed_over, 5)]
)
def test_counts_give_way_by_no_more_than_is_short(
    spoil: Callable[[dict[str, Any]], None], short: int
) -> None:
    made = arrays()
    spoil(made)
    found = refused(problem(**made))
    assert sum(abs(one.to - one.was) for one in found.relaxation) == short
    assert found.least == pytest.approx(short, abs=1e-6)


def test_an_account_without_any_agency_is_named() -> None:
    made = arrays()
    made["value"][[17, 40]] = NEVER
    found = refused(problem(**made))
    assert str(found) == "2 accounts may go to no agency at all: the first is account 17"
    assert (found.kind, found.accounts, found.positions) == (Kind.WITHOUT_AGENCY, 2, (17,))


def test_accounts_of_a_unit_without_a_common_agency_are_named() -> None:
    made = arrays()
    made["value"][[5, 9]] = [[1, NEVER, NEVER, NEVER], [NEVER, 1, NEVER, NEVER]]
    made["unit"] = np.where(np.arange(100) == 9, 5, np.arange(100))
    found = refused(problem(**made))
    assert (found.kind, found.positions) == (Kind.WITHOUT_AGENCY, (5, 9))


def test_an_account_fixed_where_it_may_not_go_is_named() -> None:
    made = arrays()
    made["fixed"] = np.full(100, -1)
    made["fixed"][31] = 2
    made["value"][31, 2] = NEVER
    found = refused(problem(**made))
    assert (found.kind, found.agencies, found.positions) == (Kind.FIXED_BARRED, (2,), (31,))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_value_that_is_none_is_no_problem_of_limits(wrong: float) -> None:
    made = arrays()
    made["value"][63, 1] = wrong
    with pytest.raises(ProblemError, match="row 63"):
        solver.solve(problem=problem(**made))


def test_a_negative_value_that_is_no_number_is_seen() -> None:
    made = arrays()
    made["value"] = made["value"].astype(np.float32)
    made["value"].view(np.uint32)[12, 0] = 0xFFC00000
    with pytest.raises(ProblemError, match="row 12"):
        solver.solve(problem=problem(**made))


def test_limits_with_a_price_refuse_nothing() -> None:
    made = arrays()
    places(made)
    found = solver.solve(problem=problem(**made, count_price=50.0))
    assert found.violations == 0
    assert int(found.checked["broken"]["count"].sum()) == 8


def test_names_stand_in_the_sentence() -> None:
    made = arrays()
    licences(made)
    found = refused(problem(**made))
    assert found.told(lambda agency: f"Hong{agency}").startswith("agencies Hong1 and Hong2 together have")


def test_licences_hidden_among_many_patterns_are_found_by_prices() -> None:
    made = arrays(3_000, 14)
    rng = np.random.default_rng(5)
    made["value"][rng.random((3_000, 14)) < 0.3] = NEVER
    made["value"][:, 13] = 1.0
    made["value"][:500, 2:] = NEVER
    made["value"][:500, :2] = 2.0
    made["count_max"][:2] = 180, 200
    given = problem(**made)
    with ThreadPoolExecutor(2) as pool:
        assert feasibility.survey(problem=given, made=cells(given), pool=pool).patterns is None
    found = refused(given)
    assert (found.kind, found.agencies, found.places, found.needed) == (Kind.LICENCES, (0, 1), 380, 500)
    assert found.least == pytest.approx(120)


def test_whole_accounts_that_cannot_fit_are_proved_when_all_can_be_looked_at() -> None:
    # three accounts of 100 and two agencies with 150 each: halves would fit
    given = problem(value=np.zeros((3, 2)), balance=[100, 100, 100], balance_max=[150, 150], count_max=[3, 3])
    found = refused(given)
    assert (found.kind, found.proved) == (Kind.WHOLE_ACCOUNTS, True)
    assert "whole accounts" in str(found)


def test_whole_accounts_that_cannot_fit_are_not_claimed_when_there_are_too_many() -> None:
    # every balance is even, and each agency must hold exactly half, which is odd
    given = problem(
        value=np.zeros((41, 2)),
        balance=np.full(41, 100),
        balance_min=[2_050, 2_050],
        balance_max=[2_050, 2_050],
    )
    found = solver.solve(problem=given, time_limit=5)
    assert found.violations > 0
    assert not relaxing.doubt(relaxation=(), broken=found.violations).proved
