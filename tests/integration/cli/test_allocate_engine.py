"""`weituo allocate` on an engine: the answer of one process, from a file or from a folder of accounts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from weituo.cli import face
from weituo.core.allocation import checker, solver
from weituo.core.allocation.problem import problem
from weituo.foundation.cluster import spark

from bench import instances

Run = Callable[..., tuple[int, str, str]]
N, AGENCIES = 6_000, 4

pytestmark = pytest.mark.xdist_group("cluster")


@pytest.fixture
def arrays() -> dict[str, Any]:
    """A small problem with all limits."""
    return instances.problem(n=N, k=AGENCIES, seed=8)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command here."""
    monkeypatch.delenv("WEITUO_ENGINE", raising=False)

    def running(*words: str) -> tuple[int, str, str]:
        code = face.main(["allocate", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return running


def on_engine(*words: str) -> dict[str, Any]:
    """Run one command as a process of its own on two cores of this machine; give the object that it printed."""
    if lacking := spark.missing():
        said = f"{lacking[0]} is missing for the tests of the engine: {lacking[1]}"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    surroundings = os.environ | {
        "WEITUO_ENGINE": "local[2]",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "weituo.cli.face", "allocate", *words, "--json"],
        env=surroundings, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    return dict(json.loads(done.stdout))


@pytest.mark.slow
def test_a_file_is_answered_on_an_engine_as_in_one_process(arrays: dict[str, Any], tmp_path: Path) -> None:
    np.savez(tmp_path / "problem.npz", **arrays)
    told = on_engine(str(tmp_path / "problem.npz"), "-o", str(tmp_path / "result.npz"))
    alone = solver.solve(problem=problem(**arrays))
    assert told["bound"] == pytest.approx(alone.bound, rel=1e-9)
    assert told["violations"] == 0
    assert "spread" in told["phases"]
    with np.load(tmp_path / "result.npz") as found:
        assert np.array_equal(found["agency"], alone.agency)


@pytest.mark.slow
def test_a_folder_is_placed_into_a_folder(arrays: dict[str, Any], tmp_path: Path) -> None:
    import polars

    accounts = {name: arrays[name] for name in ("value", "balance", "segment")}
    (tmp_path / "accounts").mkdir()
    for part, rows in enumerate((slice(0, 2_500), slice(2_500, N))):
        polars.DataFrame(
            {
                "account": np.arange(N)[rows],
                "value": polars.Series(list(accounts["value"][rows])).cast(polars.List(polars.Float32)),
                "balance": accounts["balance"][rows],
                "segment": accounts["segment"][rows],
            }
        ).write_parquet(tmp_path / "accounts" / f"{part}.parquet")
    np.savez(tmp_path / "limits.npz", **{name: arrays[name] for name in arrays if name not in accounts})
    told = on_engine(
        str(tmp_path / "accounts"), "--limits", str(tmp_path / "limits.npz"), "-o", str(tmp_path / "placed")
    )
    rows = polars.read_parquet(tmp_path / "placed" / "*.parquet").sort("account")
    assert rows["account"].to_list() == list(range(N))
    again = checker.check(
        problem=problem(**arrays), agency=rows["agency"].to_numpy().astype(np.int16),
        price=np.array(told["price"]), money=np.array(told["money"]),
    )  # fmt: skip
    assert told["value"] == pytest.approx(again["value"], rel=1e-12)
    assert told["bound"] == pytest.approx(again["bound"], rel=1e-9)
    assert told["violations"] == 0 and all((by <= 0).all() for by in again["broken"].values())


def test_a_folder_needs_an_engine_and_a_new_folder_for_the_result(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "accounts").mkdir()
    code, _, said = run(str(tmp_path / "accounts"), "-o", str(tmp_path / "placed"))
    assert code == 2
    assert "WEITUO_ENGINE" in said
    monkeypatch.setenv("WEITUO_ENGINE", "spark://127.0.0.1:1")
    (tmp_path / "there").mkdir()
    code, _, said = run(str(tmp_path / "accounts"), "-o", str(tmp_path / "there"))
    assert code == 2
    assert "exists already" in said
    monkeypatch.setattr(spark, "missing", lambda: None)
    code, _, said = run(str(tmp_path / "accounts"), "-o", str(tmp_path / "placed"))
    assert code == 2
    assert "spark://127.0.0.1:1 cannot be reached" in said
    assert not (tmp_path / "placed").exists()


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"count_most": np.arange(3)}, "there is no limit “count_most”"),
        ({"count_max": np.array([object()])}, "no whole .npz file of numbers"),
        (None, "no whole .npz file of numbers"),
    ],
)
def test_limits_that_are_none_are_refused(
    written: dict[str, Any] | None, says: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEITUO_ENGINE", "spark://127.0.0.1:1")
    (tmp_path / "accounts").mkdir()
    limits = tmp_path / "limits.npz"
    if written is None:
        limits.write_bytes(b"PK not a file")
    else:
        np.savez(limits, **written)
    code, _, said = run(str(tmp_path / "accounts"), "--limits", str(limits), "-o", str(tmp_path / "placed"))
    assert code == 2
    assert says in said


def test_limits_go_with_a_folder_only(run: Run, arrays: dict[str, Any], tmp_path: Path) -> None:
    np.savez(tmp_path / "problem.npz", **arrays)
    words = (
        str(tmp_path / "problem.npz"),
        "--limits",
        str(tmp_path / "problem.npz"),
        "-o",
        str(tmp_path / "r.npz"),
    )
    code, _, said = run(*words)
    assert code == 2
    assert "--limits" in said
