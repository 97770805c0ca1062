"""`weituo allocate --gap`: one JSON object and one array, bad files refused in one sentence, no database touched."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from weituo.cli import face

Run = Callable[..., tuple[int, str, str]]
WELL = "2 3\n4 5 6\n7 8 9\n1 1 1\n2 2 2\n2\n4\n"


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


def test_the_answer_is_one_object_and_one_array(run: Run, tmp_path: Path) -> None:
    file, result = tmp_path / "problem.txt", tmp_path / "result.npz"
    file.write_text(WELL, encoding="utf-8")
    code, out, _ = run("--gap", str(file), "-o", str(result), "--time-limit", "5", "--threads", "1")
    told = json.loads(out)
    assert code == 0
    assert set(told) == {"value", "bound", "gap", "violations", "seconds", "phases", "peak_rss_bytes"}
    assert (told["value"], told["bound"], told["gap"], told["violations"]) == (18, 18, 0.0, 0)
    assert told["phases"]["total"] <= told["seconds"] < 60
    assert told["peak_rss_bytes"] > 1_000_000
    with np.load(result) as arrays:
        assert arrays["agency"].dtype == np.int16
        assert sorted(arrays["agency"].tolist()) == [0, 0, 1]
    assert os.listdir(tmp_path).count("result.npz.part") == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the numbers of agents and jobs are missing"),
        (WELL[:-3], "1 of 14 numbers are missing"),
        (WELL + "5\n", "1 more numbers follow"),
        (WELL.replace("8", "eight"), "“eight” is no number"),
        (WELL.replace("1 1 1", "1 -1 1"), "resource -1 is negative"),
        (WELL.replace("\n2\n4\n", "\n0\n1\n"), "fits no agent"),
        (WELL.replace("\n2\n4\n", "\n1\n3\n"), "no assignment of all jobs keeps every capacity"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(run: Run, tmp_path: Path, text: str, says: str) -> None:
    file, result = tmp_path / "problem.txt", tmp_path / "result.npz"
    file.write_text(text, encoding="utf-8")
    code, out, err = run("--gap", str(file), "-o", str(result), "--time-limit", "5")
    assert (code, out) == (2, "")
    assert says in err
    assert str(file) in err
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == ["problem.txt"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--time-limit", "0"), "--time-limit"),
        (("--time-limit", "nan"), "is no number"),
        (("--threads", "0"), "--threads"),
        (("--seed", "-1"), "--seed"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(
    run: Run, tmp_path: Path, words: tuple[str, str], says: str
) -> None:
    file = tmp_path / "problem.txt"
    file.write_text(WELL, encoding="utf-8")
    code, _, err = run("--gap", str(file), "-o", str(tmp_path / "r.npz"), *words)
    assert code == 2
    assert says in err


def test_a_file_that_is_none_and_a_place_that_cannot_be_written_are_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "problem.txt"
    file.write_bytes(b"\xff\xfe\x00\x01")
    code, _, err = run("--gap", str(file), "-o", str(tmp_path / "r.npz"))
    assert (code, "this is no text" in err) == (2, True)
    code, _, err = run("--gap", str(tmp_path / "none"), "-o", str(tmp_path / "r.npz"))
    assert (code, "No such file" in err) == (2, True)
    file.write_text(WELL, encoding="utf-8")
    code, _, err = run("--gap", str(file), "-o", str(tmp_path / "no" / "r.npz"))
    assert (code, "No such file" in err) == (2, True)
    code, _, err = run("--gap", str(file), "-o", str(tmp_path))
    assert (code, "this is a folder" in err) == (2, True)
