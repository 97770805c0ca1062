"""Careless and hostile words on the command line: exit code 2, one sentence, one JSON object, never a trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.db import utils

from weituo.cli import arguments, endings, face
from weituo.config import database

from tests.conftest import PROJECT
from tests.journeys.home import PROGRAM

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def talk(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command that is refused before it reads anything, and give exit code and both outputs."""
    monkeypatch.setattr("weituo.config.database.prepare", lambda home: None)
    monkeypatch.delenv("WEITUO_AS", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def running(*words: str) -> tuple[int, str, str]:
        code = face.main(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return running


@pytest.fixture
def run(db: str, talk: Run) -> Run:
    """Run one command on a fresh database."""
    return talk


def refused(run: Run, *words: str) -> str:
    """Run with --json, see that it is refused in one sentence and one object, and give the sentence."""
    code, out, err = run(*words, "--json")
    told = [line for line in err.splitlines() if line.startswith("weituo: ")]
    assert (code, len(told), "Traceback" in err) == (2, 1, False), (words, code, err[-500:])
    assert set(json.loads(out)["error"]) == {"code", "message", "where", "rule", "remedy"}
    assert out.count("\n") == 1
    return told[0]


@pytest.mark.parametrize(
    "day", ["2026-02-30", "2026-2-3", "20260302", "2026-W10-1", "0001-01-01", "9999-12-31", "tomorrow", ""]
)
@pytest.mark.parametrize(
    "words",
    [
        ("ledger", "balance", "--until"),
        ("contact", "refusals", "--from"),
        ("placement", "run", "--as-of"),
        ("book", "generate", "book.csv", "--as-of"),
    ],
)
def test_a_wrong_day_is_told_how_a_day_is_written(talk: Run, words: tuple[str, ...], day: str) -> None:
    told = refused(talk, *words[:-1], f"{words[-1]}={day}")

    assert "YYYY-MM-DD" in told
    assert words[-1] in told
    assert "fromisoformat" not in told


@pytest.mark.parametrize("number", ["-1", "0", "x", "1.5", "9" * 30, "²"])
@pytest.mark.parametrize(
    "words",
    [
        ("contact", "permits", "--limit"),
        ("contact", "check", "--limit"),
        ("sharing", "disclosures", "--limit"),
    ],
)
def test_a_wrong_number_of_rows_is_refused(talk: Run, words: tuple[str, ...], number: str) -> None:
    assert "--limit" in refused(talk, *words[:-1], f"{words[-1]}={number}")


@pytest.mark.parametrize(
    "words",
    [
        ("contact", "replay", "x"),
        ("evaluation", "show", "g" * 36),
        ("placement", "run", "--exploration", "nan"),
        ("placement", "run", "--seed", "9" * 30),
        ("partners", "capacity", "HENGAN", "9" * 30, "--reason", "r"),
        ("identity", "key", "issue", "--agency", "HENGAN", "--name", "k", "--days", "0"),
        ("identity", "key", "issue", "--agency", "HENGAN", "--name", "k", "--days", "999999"),
        ("contact", "permits", "--agency", "\udcff"),
        ("nothing",),
        ("book",),
        ("book", "buckets", "more"),
        ("ledger", "balance", "--unknown"),
        (),
    ],
)
def test_words_that_make_no_sense_are_refused(talk: Run, words: tuple[str, ...]) -> None:
    refused(talk, *words)


def test_names_that_cannot_be_are_refused(run: Run) -> None:
    person = ("--role", "ADMIN", "--password-from", "generate")
    for words in (
        ("identity", "add", "", "--name", "n", *person),
        ("identity", "add", "x" * 61, "--name", "n", *person),
        ("identity", "add", "two words", "--name", "n", *person),
        ("identity", "add", "lin", "--name", " ", *person),
        ("identity", "add", "lin", "--name", "x" * 121, *person),
        ("import", "x" * 300, "--profile", "p.toml"),
    ):
        refused(run, *words)


SHAPES = {
    "deep.json": "[" * 100_000,
    "deep.toml": "a = " + "[" * 100_000,
    "list.json": "[1, 2]",
    "nan.json": '{"rows": NaN}',
    "binary.toml": "\x00\x01",
    "rows.toml": "rows = 5",
    "words.json": '{"rows": "abc", "milestones": "abc"}',
    "row.toml": 'rows = [{treatment = "AGENCY", buckets = 5}]',
    "whole.toml": 'rows = [{treatment = "AGENCY", tier_max = "2"}]',
    "long.toml": f'rows = [{{treatment = "{"A" * 50}"}}]',
}


def test_a_file_of_another_shape_is_refused(run: Run, tmp_path: Path) -> None:
    for name, text in SHAPES.items():
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        for verb in (("strategy", "draft"), ("strategy", "try"), ("plans", "draft")):
            refused(run, *verb, str(file))


def test_a_place_that_holds_no_settings_is_refused(run: Run) -> None:
    for place in ("/dev/zero", "/", "/nowhere/at/all"):
        assert place in refused(run, "plans", "draft", place)


@pytest.mark.parametrize("file", ["/proc/book.csv", "/"])
def test_a_place_that_takes_no_file_is_named(talk: Run, file: str) -> None:
    assert file in refused(talk, "book", "generate", file, "--as-of", "2026-03-02", "--accounts", "10")


def test_a_fault_has_its_trace_on_standard_error_and_one_object_on_standard_output(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weituo.domain.book.queries.buckets", lambda viewer, on: 1 / 0)

    code, out, err = run("book", "buckets", "--json")

    assert (code, json.loads(out)["error"]["code"]) == (1, "fault")
    assert "ZeroDivisionError" in err


def test_a_number_that_is_none_is_null_in_json() -> None:
    text = face.json_text({"a": float("nan"), "b": [1.5, float("inf")], "c": ({"d": float("-inf")},)})

    assert json.loads(text, parse_constant=lambda word: pytest.fail(word)) == {
        "a": None,
        "b": [1.5, None],
        "c": [{"d": None}],
    }


def test_a_database_that_does_not_answer_is_no_fault() -> None:
    away = utils.OperationalError("away")
    away.__cause__ = psycopg.OperationalError("connection failed")

    found = endings.known(away)

    assert found is not None
    assert (found.code, "connection failed" in str(found)) == ("database_away", True)
    assert endings.known(ZeroDivisionError()) is None


def test_what_a_parser_is_given_is_read_as_what_it_must_be() -> None:
    parser = arguments.Parser(prog="x")
    parser.add_argument("--n", type=int)
    parser.add_argument("--f", type=float)

    read = parser.parse_args(["--n", "-7", "--f", "0.25"])

    assert (read.n, read.f) == (-7, 0.25)


# --- as processes: what only the operating system can do to a command --------------------------------------------------


def started(*words: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"WEITUO_HOME": str(home)} | more
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip


def test_a_home_that_cannot_be_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    ended = started("book", "buckets", "--json", home=file)

    assert (ended.returncode, json.loads(ended.stdout)["error"]["code"]) == (2, "place_not_usable")
    assert str(file) in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("name", "text"), [("keys/keyring.json", "{"), ("keys/keyring.json", "[]"), ("database.json", "{}")]
)
def test_a_damaged_home_is_named(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / name).write_text(text, encoding="utf-8")

    ended = started("book", "buckets", "--json", home=tmp_path)

    assert (ended.returncode, json.loads(ended.stdout)["error"]["code"]) == (2, "home_damaged")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("address", ["nonsense", "mysql://a/b", "postgresql://h:port/name"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    ended = started("book", "buckets", "--json", home=tmp_path, DATABASE_URL=address)

    assert (ended.returncode, json.loads(ended.stdout)["error"]["where"]) == (2, "DATABASE_URL")


def test_a_server_that_does_not_answer_is_not_written_down(tmp_path: Path) -> None:
    own = {"host": "127.0.0.1", "port": 5, "name": "weituo", "server": "own", "passwords": {}}
    database.keep(tmp_path, own)

    other = "postgresql://u:p@127.0.0.1:1/other"
    ended = started("book", "buckets", home=tmp_path, DATABASE_URL=other)
    moving = started("database", "prepare", home=tmp_path, DATABASE_URL=other)

    assert (ended.returncode, moving.returncode) == (2, 2)
    assert "the installation stands on its own server" in ended.stderr
    assert "does not answer" in moving.stderr
    assert database.describe(tmp_path) == own


def test_interrupted_it_says_so_and_ends_as_shells_expect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(words: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(face, "_run", interrupted)

    code = face.main(["book", "buckets", "--json"])

    said = capsys.readouterr()
    assert (code, json.loads(said.out)["error"]["code"]) == (128 + signal.SIGINT, "interrupted")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(("out", "code"), [("/dev/full", 2), ("closed", 0), ("nobody", 128 + signal.SIGPIPE)])
def test_an_output_that_nobody_takes_ends_quietly(tmp_path: Path, out: str, code: int) -> None:
    command = [sys.executable, "-c", PROGRAM, "database", "stop", "--json"]
    environment = os.environ | {"WEITUO_HOME": str(tmp_path)}
    if out == "nobody":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open("/dev/full" if out == "/dev/full" else os.devnull, os.O_WRONLY)
    shell = ["sh", "-c", 'exec "$@" >&-', "sh", *command] if out == "closed" else command
    try:
        ended = subprocess.run(
            shell, cwd=PROJECT, env=environment, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120, check=False
        )  # fmt: skip
    finally:
        os.close(writer)

    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
