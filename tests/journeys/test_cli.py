"""The command line as people and scripts meet it: every verb, its JSON, its refusals."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from weituo.cli import face

UNKNOWN = "00000000-0000-7000-8000-000000000000"
#: verbs that start or stop servers, or go on until they are stopped: `test_cycle`, `test_engine` and `test_job_verbs` run them
SERVERS = {"demo", "database prepare", "database stop", "worker"}
#: verbs that ask a person something on the terminal
ASKING = {"identity add", "identity password"}


def leaves(parser: argparse.ArgumentParser, path: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Give every verb that does something, by its words."""
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield path, parser
    for action in inner:
        for word, child in action.choices.items():
            yield from leaves(child, f"{path} {word}".strip())


VERBS = dict(leaves(face.build_parser()))


def required(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Give the arguments without which the verb cannot run."""
    return [
        action
        for action in parser._actions
        if action.required or (not action.option_strings and action.nargs not in ("?", "*"))
    ]


def words_for(parser: argparse.ArgumentParser, folder: Path) -> list[str]:
    """Make arguments that parse but name nothing that stands."""
    made: list[str] = []
    for action in required(parser):
        value = UNKNOWN
        if action.choices:
            value = str(next(iter(action.choices)))
        elif action.type in (int, float):
            value = "1"
        elif "fromisoformat" in repr(action.type):
            value = "2026-03-02"
        elif action.type is Path:
            value = str(folder / "missing.toml")
        made += [action.option_strings[-1], value] if action.option_strings else [value]
    return made


@pytest.fixture
def run(
    db: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Run one command on a fresh database and give exit code, standard output and standard error."""
    monkeypatch.setattr("weituo.config.database.prepare", lambda home: None)
    monkeypatch.delenv("WEITUO_AS", raising=False)

    def running(*words: str) -> tuple[int, str, str]:
        try:
            code = face.main(words)
        except SystemExit as ended:  # argparse
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return running


def test_every_module_of_the_list_is_there_and_its_verbs_stand_in_the_help() -> None:
    help_text = face.build_parser().format_help()
    for name in face.VERB_MODULES:
        assert hasattr(import_module(f"weituo.cli.{name}"), "add_verbs"), name
    for verb in {words.split()[0] for words in VERBS}:
        assert verb in help_text
    assert {"demo", "import", "book", "plans", "strategy", "placement", "model", "ledger", "settle"} <= {
        words.split()[0] for words in VERBS
    }


@pytest.mark.parametrize("words", sorted(VERBS))
def test_every_verb_can_print_json_and_act_as_a_user(words: str) -> None:
    options = {option for action in VERBS[words]._actions for option in action.option_strings}
    assert {"--json", "--as"} <= options


def test_verbs_without_arguments_print_exactly_one_json_object(
    run: Callable[..., tuple[int, str, str]],
) -> None:
    wrong, tried = [], 0
    for words, parser in sorted(VERBS.items()):
        if words in SERVERS | ASKING or required(parser):
            continue
        tried += 1
        code, out, err = run(*words.split(), "--json")
        try:
            one = isinstance(json.loads(out), dict) and out.count("\n") == 1
        except ValueError:
            one = False
        if code not in (0, 1, 2) or not one or "Traceback" in err:
            wrong.append((words, code, out[:200], err[-300:]))
    assert wrong == []
    assert tried >= 10


def test_what_is_not_there_is_refused_with_exit_code_2_and_one_sentence(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    wrong, tried = [], 0
    for words, parser in sorted(VERBS.items()):
        if words in SERVERS | ASKING or not required(parser) or words == "book generate":
            continue
        tried += 1
        code, out, err = run(*words.split(), *words_for(parser, tmp_path), "--json")
        told = [line for line in err.splitlines() if line.startswith("weituo: ")]
        try:
            refused = "message" in json.loads(out)["error"]
        except (ValueError, KeyError, TypeError):
            refused = False
        if code != 2 or len(told) != 1 or not refused or "Traceback" in err:
            wrong.append((words, code, out[:200], err[-300:]))
    assert wrong == []
    assert tried >= 5


def test_an_unknown_user_is_refused(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = run("book", "buckets", "--as", "nobody", "--json")
    assert code == 2
    assert "nobody" in err
    assert json.loads(out)["error"]["code"]


@pytest.mark.parametrize(("spoken", "word"), [("zh_CN.UTF-8", "没有"), ("C.UTF-8", "There is no")])
def test_refusals_speak_the_language_of_the_terminal(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, spoken: str, word: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", spoken)
    assert word in run("book", "buckets", "--as", "nobody")[2]


def test_an_unknown_verb_ends_with_exit_code_2(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = run("colect")
    assert (code, out) == (2, "")
    assert "colect" in err


def test_an_invented_book_cannot_have_no_accounts(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, out, _ = run("book", "generate", str(tmp_path / "b.csv"), "--accounts", "0", "--as-of", "2026-03-01", "--json")  # fmt: skip
    assert code == 2
    assert json.loads(out)["error"]["where"] == "--accounts"


@pytest.mark.parametrize(
    ("environment", "language"),
    [({}, "en"), ({"LANG": "zh_CN.UTF-8"}, "zh-hans"), ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en")],
)
def test_the_command_line_speaks_the_language_of_the_terminal(
    environment: dict[str, str], language: str
) -> None:
    assert face.language_of(environment) == language
