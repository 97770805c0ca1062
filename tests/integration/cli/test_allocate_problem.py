"""`weituo allocate PROBLEM.npz`: one JSON object, one file of arrays, one sentence for what cannot be."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from weituo.cli import face

from bench import instances

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command where a database would be a fault; give exit code and both outputs."""

    def no_database(*given: object, **named: object) -> None:
        raise AssertionError("this verb needs no database")

    monkeypatch.setattr("weituo.config.database.prepare", no_database)

    def running(*words: str) -> tuple[int, str, str]:
        code = face.main(["allocate", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return running


def small(**changes: Any) -> dict[str, Any]:
    """Six accounts, two agencies; None leaves an array out."""
    made: dict[str, Any] = {
        "value": np.array([[5, 1], [4, 2], [3, 3], [2, 4], [1, 5], [9, 0]], dtype=np.float32),
        "balance": np.full(6, 1_000),
        "count_max": np.array([3, 4]),
    }
    return {name: array for name, array in (made | changes).items() if array is not None}


def saved(folder: Path, arrays: dict[str, Any]) -> str:
    """Write PROBLEM.npz."""
    np.savez(folder / "problem.npz", **arrays)
    return str(folder / "problem.npz")


def test_the_answer_is_one_object_and_one_file(run: Run, tmp_path: Path) -> None:
    code, out, _ = run(saved(tmp_path, small()), "-o", str(tmp_path / "result.npz"), "--threads", "1")
    told = json.loads(out)
    assert code == 0
    assert {"value", "bound", "gap", "violations", "seconds", "phases", "peak_rss_bytes", "digest"} == set(
        told
    )
    assert told["value"] == pytest.approx(5 + 4 + 9 + 3 + 4 + 5)
    assert told["value"] <= told["bound"]
    assert told["violations"] == 0
    assert 0 <= sum(told["phases"].values()) <= told["seconds"] + 0.01
    assert len(told["digest"]) == 64
    with np.load(tmp_path / "result.npz") as result:
        assert result["agency"].dtype == np.int16
        assert result["agency"].tolist() == [0, 0, 1, 1, 1, 0]
        assert result["price"].shape == (1, 2)
        assert result["money"].shape == (2,)
    assert sorted(os.listdir(tmp_path)) == ["problem.npz", "result.npz"]


def test_the_same_problem_has_the_same_answer_and_digest(run: Run, tmp_path: Path) -> None:
    arrays = instances.problem(n=3_000, k=6, seed=3)
    file = saved(tmp_path, arrays)
    told = []
    for threads in ("1", "2"):
        _, out, _ = run(file, "-o", str(tmp_path / f"{threads}.npz"), "--threads", threads, "--seed", "5")
        told.append(json.loads(out))
    assert told[0]["digest"] == told[1]["digest"]
    assert told[0]["value"] == told[1]["value"]
    with np.load(tmp_path / "1.npz") as one, np.load(tmp_path / "2.npz") as two:
        assert (one["agency"] == two["agency"]).all()


def test_what_binds_and_what_rules_cost_are_told_when_asked(run: Run, tmp_path: Path) -> None:
    file = saved(tmp_path, instances.problem(n=3_000, k=6, seed=3))
    code, out, _ = run(file, "-o", str(tmp_path / "r.npz"), "--explain")
    told = json.loads(out)
    assert code == 0
    prices = [one["price"] for one in told["binding"]]
    assert prices == sorted(prices, reverse=True) and prices[-1] > 0
    assert "is worth" in told["binding"][0]["text"]
    assert [one["rule"] for one in told["rules"]] == [
        "count_min",
        "count_max",
        "balance_min",
        "balance_max",
        "mix",
    ]
    assert told["rules"][-1]["text"].startswith("the mix rule costs ")


@pytest.mark.parametrize("kind", [np.float64, np.float16, ">f4", np.int32])
@pytest.mark.parametrize("order", ["C", "F"])
def test_values_of_any_kind_and_order_are_read(run: Run, tmp_path: Path, kind: Any, order: str) -> None:
    value = np.asarray(small()["value"].astype(kind), order=order)  # type: ignore[call-overload]
    code, out, _ = run(saved(tmp_path, small(value=value)), "-o", str(tmp_path / "r.npz"))
    assert (code, json.loads(out)["value"]) == (0, pytest.approx(30))


def test_a_packed_file_is_read_too(run: Run, tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "problem.npz", **small())
    code, out, _ = run(str(tmp_path / "problem.npz"), "-o", str(tmp_path / "r.npz"))
    assert (code, json.loads(out)["value"]) == (0, pytest.approx(30))


NAN = np.array([[1, np.nan]] + [[1, 1]] * 5, dtype=np.float32)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"value": None}, "the array value is missing"),
        ({"balance": None}, "the array balance is missing"),
        ({"colour": np.zeros(6)}, "there is no array “colour” in a problem"),
        ({"value": NAN}, "value must be a number or −inf: row 0 holds NaN or +inf"),
        ({"value": np.full((6, 2), 1e300)}, "value must be a number or −inf: row 0 holds NaN or +inf"),
        ({"value": np.zeros(6)}, "value must be accounts × agencies"),
        ({"value": np.array([["a", "b"]] * 6)}, "value must hold numbers"),
        ({"balance": np.full(5, 1)}, "balance must have the shape (6,), not (5,)"),
        ({"balance": np.full(6, -1)}, "balance must not be negative: row 0 holds -1"),
        ({"balance": np.full(6, 1.5)}, "balance must hold whole numbers"),
        ({"segment": np.full(6, -1)}, "segment must lie between 0 and"),
        ({"count_min": np.array([4, 0])}, "count_min must not exceed count_max: agency 0 has 4 > 3"),
        ({"balance_min": np.array([9, 9]), "balance_max": np.array([10, 8])}, "agency 1 has 9 > 8"),
        ({"segment_tolerance": np.array(-0.1)}, "segment_tolerance must be shares from 0 on"),
        ({"fixed": np.full(6, 7)}, "fixed must name an agency from 0 to 1, or −1"),
        ({"count_max": np.array([2, 2])}, "all agencies together have 4 places for 6 accounts"),
        ({"value": np.full((6, 2), -np.inf)}, "6 accounts may go to no agency at all"),
    ],
)
def test_a_bad_problem_is_refused_in_one_sentence(
    run: Run, tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    code, out, err = run(saved(tmp_path, small(**changes)), "-o", str(tmp_path / "r.npz"))
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == ["problem.npz"]


def test_pickled_objects_are_never_read(run: Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "problem.npz", **small(balance=np.array([{"a": 1}] * 6, dtype=object)))
    code, _, err = run(str(tmp_path / "problem.npz"), "-o", str(tmp_path / "r.npz"))
    assert code == 2
    assert "balance must hold numbers, not object" in err


def test_a_file_that_is_none_or_damaged_is_refused(run: Run, tmp_path: Path) -> None:
    file, result = tmp_path / "problem.npz", str(tmp_path / "r.npz")
    code, _, err = run(str(file), "-o", result)
    assert (code, "No such file" in err) == (2, True)
    file.write_text("no zip", encoding="utf-8")
    code, _, err = run(str(file), "-o", result)
    assert (code, "this is no whole .npz file" in err) == (2, True)
    whole = Path(saved(tmp_path, small())).read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    code, _, err = run(str(file), "-o", result)
    assert (code, "this is no whole .npz file" in err) == (2, True)
    at = whole.index(small()["value"].tobytes())
    file.write_bytes(whole[:at] + b"\x01" + whole[at + 1 :])
    code, _, err = run(str(file), "-o", result)
    assert (code, "this is no whole .npz file" in err) == (2, True)


def test_an_array_that_claims_more_than_the_file_holds_is_refused(run: Run, tmp_path: Path) -> None:
    file = Path(saved(tmp_path, small(value=None)))
    with zipfile.ZipFile(file, "a") as members, members.open("value.npy", "w") as target:
        header = {"descr": "<f4", "fortran_order": False, "shape": (10**12, 50)}
        np.lib.format.write_array_header_1_0(target, header)
    code, _, err = run(str(file), "-o", str(tmp_path / "r.npz"))
    assert (code, "value is not whole" in err) == (2, True)


def test_why_limits_clash_and_what_would_do_is_data_too(run: Run, tmp_path: Path) -> None:
    file = saved(tmp_path, small(count_max=np.array([2, 2])))
    code, out, err = run(file, "-o", str(tmp_path / "r.npz"), "--json")
    refusal = json.loads(out)["error"]
    assert code == 2
    assert refusal["code"] == "infeasible"
    assert (refusal["detail"]["kind"], refusal["detail"]["places"], refusal["detail"]["needed"]) == (
        "places",
        4,
        6,
    )
    assert sum(one["to"] - one["was"] for one in refusal["detail"]["relaxation"]) == 2
    assert "This would do: count_max of agency " in err


def test_limits_that_stay_broken_without_a_proof_give_the_answer_and_exit_code_1(
    run: Run, tmp_path: Path
) -> None:
    # every balance is a hundred, and each agency must hold exactly half of an odd number of them
    half = np.array([2_050, 2_050])
    arrays = {
        "value": np.zeros((41, 2)),
        "balance": np.full(41, 100),
        "balance_min": half,
        "balance_max": half,
    }
    code, out, _ = run(saved(tmp_path, arrays), "-o", str(tmp_path / "r.npz"), "--time-limit", "5")
    assert code == 1
    assert json.loads(out)["violations"] > 0
    assert (tmp_path / "r.npz").exists()


@pytest.mark.parametrize(
    "words",
    [("--threads", "0"), ("--seed", "-1"), ("--time-limit", "0"), ("--gap", "x"), ("--threads", "many")],
)
def test_words_that_make_no_sense_are_refused(run: Run, tmp_path: Path, words: tuple[str, str]) -> None:
    code, _, err = run(saved(tmp_path, small()), "-o", str(tmp_path / "r.npz"), *words)
    assert code == 2
    assert err.startswith("weituo: ")
    assert os.listdir(tmp_path) == ["problem.npz"]


def test_the_problem_is_not_written_over(run: Run, tmp_path: Path) -> None:
    file = saved(tmp_path, small())
    code, _, err = run(file, "-o", file)
    assert (code, "this is the problem itself" in err) == (2, True)
