"""Placement on a real Spark cluster: a master and two executors of one core, as processes of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from weituo.core.allocation import checker, solver
from weituo.core.allocation.problem import Problem, ProblemError, problem
from weituo.foundation.cluster import spark
from weituo.foundation.cluster.errors import EngineAway, EngineIncomplete, EngineUnknown

from bench import instances

pytestmark = pytest.mark.xdist_group("cluster")

AGENCIES = 6


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """A session on a cluster of two; without pyspark or Java these tests skip, or fail in CI, and say what to install."""
    if lacking := spark.missing():
        said = f"{lacking[0]} is missing for the tests of the cluster: {lacking[1]}"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    from weituo.foundation.cluster import standalone

    with (
        standalone.standalone(workers=2) as engine,
        spark.session(engine=engine, settings=standalone.SESSION) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    """Accounts and limits that bind; large enough for a sample to be drawn first."""
    return instances.problem(n=80_000, k=AGENCIES, seed=11)


@pytest.fixture(scope="module")
def given(arrays: dict[str, Any]) -> Problem:
    """The same as a problem."""
    return problem(**arrays)


def executors(session: Any) -> int:
    """Count the executors, the driver not among them."""
    return int(session.sparkContext._jsc.sc().getExecutorMemoryStatus().size()) - 1


@pytest.mark.slow
def test_two_executors_find_the_assignment_and_the_bound_of_one_process(session: Any, given: Problem) -> None:
    from weituo.foundation.cluster import solving

    alone = solver.solve(problem=given)
    placed = solving.solve(problem=given, session=session)
    found = placed.solution
    assert executors(session) == 2
    assert found.bound == pytest.approx(alone.bound, rel=1e-9)
    assert found.value == pytest.approx(alone.value, rel=1e-9)
    assert np.array_equal(found.agency, alone.agency)
    assert found.violations == 0 and 0 <= found.gap < 1e-4
    assert placed.passes < 25
    # and the proof holds for one who adds it up here, from the arrays alone
    again = checker.check(problem=given, agency=found.agency, price=found.price, money=found.money)
    assert again["bound"] == pytest.approx(found.bound, rel=1e-9)
    assert again["value"] == pytest.approx(found.value, rel=1e-12)


@pytest.mark.slow
def test_units_stay_together_and_drawn_accounts_where_they_were_drawn(session: Any) -> None:
    from weituo.foundation.cluster import solving

    arrays = instances.problem(n=12_000, k=4, seed=3, full=False)
    rng = np.random.default_rng(3)
    unit = np.sort(rng.integers(0, 8_000, size=12_000))
    fixed = np.where(unit % 50 == 0, 3, -1)
    given = problem(**arrays, unit=unit, fixed=fixed)
    alone, found = solver.solve(problem=given), solving.solve(problem=given, session=session).solution
    assert np.array_equal(found.agency, alone.agency)
    assert found.bound == pytest.approx(alone.bound, rel=1e-9)
    assert found.violations == 0
    assert (found.agency[fixed >= 0] == 3).all()
    assert all(np.unique(found.agency[unit == one]).size <= 1 for one in range(0, 8_000, 97))


def frame_of(session: Any, arrays: dict[str, Any], order: Any) -> Any:
    """Make a frame of accounts in the given order, named by their row."""
    import pyarrow

    value = arrays["value"][order]
    return session.createDataFrame(
        pyarrow.table(
            {
                "account": [f"A{row:06d}" for row in order],
                "value": pyarrow.ListArray.from_arrays(
                    np.arange(0, value.size + 1, value.shape[1], dtype=np.int32), value.ravel()
                ),
                "balance": arrays["balance"][order],
                "segment": arrays["segment"][order],
            }
        )
    )


@pytest.mark.slow
def test_a_frame_is_placed_the_same_in_whatever_order_it_lies(session: Any, arrays: dict[str, Any]) -> None:
    from weituo.foundation.cluster import solving

    n = 20_000
    few = {name: arrays[name][:n] for name in ("value", "balance", "segment")}
    whole = instances.problem(n=n, k=AGENCIES, seed=11)
    limits = {name: whole[name] for name in whole if name not in few}
    few |= {name: whole[name] for name in few}
    found, agencies = [], []
    for order in (np.arange(n), np.random.default_rng(0).permutation(n)):
        placed = solving.solve_frame(frame=frame_of(session, few, order), agencies=AGENCIES, limits=limits)
        rows = placed.frame.toArrow()
        names = np.array([int(name[1:]) for name in rows["account"].to_pylist()])
        assert np.array_equal(np.sort(names), np.arange(n))
        agency = np.full(n, -1, dtype=np.int16)
        agency[names] = rows["agency"].to_numpy()
        found.append(placed.solution)
        agencies.append(agency)
    assert np.array_equal(*agencies)
    assert found[0].bound == found[1].bound
    # what lies there is what was proved: added up here, from the arrays and the agencies that came back
    again = checker.check(
        problem=problem(**whole), agency=agencies[0], price=found[0].price, money=found[0].money
    )
    assert again["value"] == pytest.approx(found[0].value, rel=1e-12)
    assert again["bound"] == pytest.approx(found[0].bound, rel=1e-9)
    assert found[0].violations == 0
    assert all((by <= 0).all() for by in again["broken"].values())


@pytest.mark.slow
def test_a_frame_that_makes_no_problem_is_refused_with_what_is_wrong(
    session: Any, arrays: dict[str, Any]
) -> None:
    from weituo.foundation.cluster import solving

    few = {name: arrays[name][:50].copy() for name in ("value", "balance", "segment")}
    good = frame_of(session, few, np.arange(50))
    few["value"][7, 2] = np.nan
    few["balance"][9] = -1
    bad = frame_of(session, few, np.arange(50))
    for frame, width, limits, said in (
        (good.drop("balance"), AGENCIES, {}, "balance is missing"),
        (good, AGENCIES + 1, {}, "value must hold 7 numbers.*: 50 accounts"),
        (good, AGENCIES, {"count_most": 1}, "no limits count_most"),
        (bad.where("balance >= 0"), AGENCIES, {}, "value must be a number or −inf: 1 accounts"),
        (
            bad.drop("value").join(good.select("account", "value"), "account"),
            AGENCIES,
            {},
            "balance must be .*: 1 accounts",
        ),
    ):
        with pytest.raises(ProblemError, match=said):
            solving.solve_frame(frame=frame, agencies=width, limits=limits)


def test_an_engine_that_is_not_there_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "missing", lambda: None)
    with pytest.raises(EngineUnknown, match="WEITUO_ENGINE"), spark.session(engine="dask://here"):
        pass
    with pytest.raises(EngineAway, match="127.0.0.1:1"), spark.session(engine="spark://127.0.0.1:1"):
        pass


def test_what_is_missing_is_said_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineIncomplete, match=r"weituo\[spark\]"), spark.session(engine="local[2]"):
        pass
    monkeypatch.setattr(spark.importlib.util, "find_spec", lambda name: object())
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with (
        pytest.raises(EngineIncomplete, match="apt-get install default-jre-headless"),
        spark.session(engine="local[2]"),
    ):
        pass


def test_unset_means_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEITUO_ENGINE", raising=False)
    assert spark.wanted() == ""
    monkeypatch.setenv("WEITUO_ENGINE", " spark://here:7077 ")
    assert spark.wanted() == "spark://here:7077"
