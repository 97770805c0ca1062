"""House rules about Python code that no linter knows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.tidy import house

LINES_A_FILE_MAX = 400
LINES_A_TEST_FILE_MAX = 700
LINES_A_FUNCTION_MAX = 70
BANNED_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "manager",
    "managers",
    "misc",
    "base2",
    "tools",
}
MAY_READ_THE_CLOCK = (
    "weituo/web/",
    "weituo/api/",
    "weituo/cli/",
    "weituo/cli.py",
    "weituo/config/",
    "weituo/foundation/",
)


def test_files_are_short() -> None:
    found = []
    for path in house.python("src", "tests", "tools", "bench"):
        limit = LINES_A_TEST_FILE_MAX if path.is_relative_to(house.ROOT / "tests") else LINES_A_FILE_MAX
        lines = house.text(path).count("\n")
        if lines > limit:
            found.append(f"{house.name(path)}: {lines} lines, at most {limit}: split it by act or by noun")
    assert found == []


def test_functions_fit_a_screen() -> None:
    found = []
    for path in house.python("src", "tests", "tools", "bench"):
        for node in ast.walk(house.tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LINES_A_FUNCTION_MAX:
                    found.append(f"{house.name(path)}:{node.lineno} {node.name}: {lines} lines")
    assert found == []


def test_every_file_says_what_it_holds_by_its_name() -> None:
    found = [house.name(path) for path in house.python("src", "tests", "bench") if path.stem in BANNED_NAMES]
    assert found == []


def test_annotations_are_never_evaluated() -> None:
    found = [
        house.name(path)
        for path in house.python("src", "tests", "tools", "bench")
        if house.text(path).strip() and "from __future__ import annotations" not in house.text(path)
        and any(not isinstance(node, ast.Expr) for node in house.tree(path).body)
    ]  # fmt: skip
    assert found == []


def test_tables_and_policies_stay_inside_their_room() -> None:
    found = []
    room_part = re.compile(r"weituo\.domain\.(\w+)\.(models|policies)\b")
    for path in house.python("src"):
        own = path.relative_to(house.DOMAIN).parts[0] if path.is_relative_to(house.DOMAIN) else ""
        for line, imported in house.imports(path):
            match = room_part.match(imported)
            if match and match[1] != own:
                found.append(f"{house.name(path)}:{line} imports {imported}")
    assert found == []


def test_transactions_have_one_home() -> None:
    found = []
    for path in house.python("src"):
        if path == house.PACKAGE / "foundation" / "transactions.py":
            continue
        found += [
            f"{house.name(path)}:{line}"
            for line, call in house.calls(path)
            if call.split(".")[-1] == "atomic"
        ]
    assert found == []


def test_only_faces_jobs_and_foundation_read_the_clock() -> None:
    found = []
    for path in house.python("src"):
        where = path.relative_to(house.ROOT / "src").as_posix()
        if where.startswith(MAY_READ_THE_CLOCK) or path.stem == "jobs" or "jobs" in path.parts:
            continue
        found += [f"{where}:{line} {call}" for line, call in house.calls(path) if call.endswith("clock.now")]
    assert found == []


def events_of(path: Path) -> list[str]:
    """Return the names of the events that a room's events.py defines: its dataclasses."""
    return [
        node.name
        for node in house.tree(path).body
        if isinstance(node, ast.ClassDef)
        and not node.name.startswith("_")
        and any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]


def test_every_event_has_its_line_in_reactions() -> None:
    reactions = house.DOMAIN / "reactions.py"
    known = house.text(reactions) if reactions.exists() else None
    found = []
    for path in house.python("src/weituo/domain"):
        if path.stem == "events" and known is not None:
            found += [
                f"{house.name(path)}: {event}"
                for event in events_of(path)
                if not re.search(rf"\b{event}\b", known)
            ]
    assert found == []


def test_every_sql_file_belongs_to_one_migration() -> None:
    """A migration names its SQL file; hot queries (sql/queries/, or read by the room's code) are no migrations."""
    code = "\n".join(house.text(path) for path in house.python("src"))
    found = []
    for path in house.files():
        if path.suffix != ".sql" or not path.is_relative_to(house.PACKAGE) or "queries" in path.parts:
            continue
        room = path.parents[1]
        migrations = [
            text for file in room.glob("migrations/*.py") if path.name in (text := house.text(file))
        ]
        if len(migrations) != 1 and not (len(migrations) == 0 and re.search(rf"\b{path.stem}\b", code)):
            found.append(f"{house.name(path)}: named by {len(migrations)} migrations")
    assert found == []


def test_what_a_refusal_says_can_be_translated() -> None:
    """A problem, a thing not found: `worded("…")` or a gettext call; a bare English literal reaches Chinese readers."""
    found = []
    for path in house.python("src"):
        for node in ast.walk(house.tree(path)):
            if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
                continue
            refusal = ast.unparse(node.exc.func).split(".")[-1]
            for given in node.exc.keywords:
                bare = isinstance(given.value, ast.JoinedStr) or (
                    isinstance(given.value, ast.Constant)
                    and isinstance(given.value.value, str)
                    and given.value.value
                )
                named = given.arg == "problem" or (given.arg == "what" and refusal == "NotFound")
                if named and bare:
                    found.append(
                        f"{house.name(path)}:{node.lineno} {refusal}({given.arg}={ast.unparse(given.value)})"
                    )
    assert found == []
