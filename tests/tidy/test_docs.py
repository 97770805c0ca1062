"""The words about the house are complete, in step with the code, and found from the contents."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import util
from types import ModuleType

import yaml

from weituo.cli import face
from weituo.foundation import acts
from weituo.foundation.errors import Refusal

from tests.tidy import house

DOCS = house.ROOT / "docs"
REFERENCE = DOCS / "reference"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def reference_tool() -> ModuleType:
    """Load the tool that writes the reference."""
    spec = util.spec_from_file_location("reference_tool", house.ROOT / "tools" / "reference.py")
    assert spec and spec.loader
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def page(name: str) -> str:
    return house.text(REFERENCE / f"{name}.md")


def test_reference_pages_are_in_step_with_the_code() -> None:
    checked = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"],
        cwd=house.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_verb_act_refusal_and_setting_is_in_the_reference() -> None:
    """Looked up once more without the tool's tables, so that a hole in the tool shows."""
    tool = reference_tool()
    tool.load()
    verbs = {name for name, _help, _parser in tool._leaves(face.build_parser(), "weituo", "")}
    assert [name for name in sorted(verbs) if f"## {name}\n" not in page("verbs")] == []
    named = {name for name in acts.declared() if not name.startswith("test.")}
    assert [name for name in sorted(named) if f"| `{name}` |" not in page("acts")] == []
    codes = {
        match[1]
        for path in house.python("src/weituo")
        for match in re.finditer(
            r"^    code(?:: ClassVar\[str\])? = \"(\w+)\"", house.text(path), re.MULTILINE
        )
    } - {Refusal.code}
    assert len(codes) > 30
    assert [code for code in sorted(codes) if f"| `{code}` |" not in page("refusals")] == []
    assert [name for name in sorted(tool.variables()) if f"| `{name}` |" not in page("settings")] == []


def test_every_term_of_the_glossary_stands_in_both_languages_and_in_order() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", house.text(DOCS / "glossary.md"), re.MULTILINE)[1:]
    assert len(rows) > 25
    assert [row for row in rows if CHINESE.search(row[0]) or not CHINESE.search(row[1])] == []
    english = [row[0].casefold() for row in rows]
    assert english == sorted(english)


def test_every_page_is_in_the_contents() -> None:
    listed = house.text(house.ROOT / "mkdocs.yml")
    missing = [
        path.relative_to(DOCS).as_posix()
        for path in house.files()
        if path.suffix == ".md"
        and path.is_relative_to(DOCS)
        and path.relative_to(DOCS).as_posix() not in listed
    ]
    assert missing == []
    assert yaml.safe_load(listed)["strict"] is True


def test_decisions_are_numbered_and_say_context_decision_and_consequences() -> None:
    found = sorted((DOCS / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in found] == list(range(1, len(found) + 1))
    for path in found:
        text = house.text(path)
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        for part in ("**Context.**", "**Decision.**", "**Consequences.**"):
            assert text.count(part) == 1, (path.name, part)


def test_every_command_that_documents_name_exists() -> None:
    tool = reference_tool()
    verbs = [name.split()[1:] for name, _help, _parser in tool._leaves(face.build_parser(), "weituo", "")]
    found = []
    for path in house.files():
        if path.suffix != ".md":
            continue
        for command in re.findall(
            r"(?:`|^\s*|/)weituo ((?:[a-z][a-z-]*[ `\n…])+)", house.text(path), re.MULTILINE
        ):
            words = re.findall(r"[a-z][a-z-]*", command)
            if not any(words[: len(verb)] == verb[: len(words)] for verb in verbs):
                found.append(f"{house.name(path)}: weituo {' '.join(words)}")
    assert found == []


def test_every_make_target_that_documents_name_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", house.text(house.ROOT / "Makefile"), re.MULTILINE))
    named = {
        (house.name(path), target)
        for path in house.files()
        if path.suffix == ".md"
        for target in re.findall(r"`make ([a-z]+)", house.text(path))
    }
    assert [pair for pair in sorted(named) if pair[1] not in targets] == []
