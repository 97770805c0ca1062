"""`weituo VERB …`: exits 0 on success, 2 on bad input, 1 on a fault. With --json prints one JSON object on standard output."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from weituo.cli import endings
from weituo.cli.arguments import Misused, Parser, shown
from weituo.cli.words import worded

#: modules that add verbs, in process order
VERB_MODULES = (
    "demo",
    "book",
    "partners",
    "plans",
    "placement",
    "allocate",
    "sharing",
    "contact",
    "ledger",
    "tracking",
    "care",
    "evaluation",
    "audit",
    "identity",
    "jobs",
    "database",
)


def build_parser() -> argparse.ArgumentParser:
    """Collect every verb."""
    parser = Parser(
        prog="weituo", description="Weituo 委托: the lender's side of outsourced debt collection."
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name in VERB_MODULES:
        import_module(f"weituo.cli.{name}").add_verbs(verbs)
    return parser


def common(verb: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Give a verb the options that every verb has."""
    verb.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    verb.add_argument(
        "--as",
        dest="username",
        default=os.environ.get("WEITUO_AS", ""),
        metavar="USER",
        help="act as this user (default: the program's own operator)",
    )
    return verb


def actor_of(arguments: argparse.Namespace) -> Any:
    """Give who acts: the named user, else the operator at this machine."""
    from weituo.foundation.identity import people
    from weituo.foundation.tenancy.actors import program

    return people.actor_by_username(arguments.username) if arguments.username else program("operator")


def say(text: str) -> None:
    """Tell a person something on standard error: progress, warnings, hints."""
    sys.stderr.write(text + "\n")


def show(arguments: argparse.Namespace, result: dict[str, Any], text: str) -> None:
    """Print the result: one JSON object, or the text for people."""
    sys.stdout.write((json_text(result) if arguments.json else text) + "\n")


def json_text(result: dict[str, Any]) -> str:
    """Write an object as JSON on one line; a number that is none (NaN, infinity) becomes null, as JSON has no word for it."""
    try:
        return json.dumps(result, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:
        return json.dumps(_without_nan(result), ensure_ascii=False, default=str, allow_nan=False)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def language_of(environment: Mapping[str, str]) -> str:
    """Give the language of the terminal (LC_ALL, LC_MESSAGES, LANG): Chinese where it says so, else English."""
    stated = next((environment[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(key)), "")
    return "zh-hans" if stated.lower().startswith("zh") else "en"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and give its exit code; 130 when it was interrupted, 141 when nobody reads what it prints."""
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words
    endings.open_streams()
    try:
        code = _run(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _told(endings.INTERRUPTED, code=130, as_json=as_json)
    except BrokenPipeError:
        endings.close_streams()
        return 141
    except Exception as fault:  # noqa: BLE001 - the last line of defence: a fault is exit code 1
        known = fault if isinstance(fault, Misused) else endings.known(fault)
        if known is not None:
            return _told(known, code=2, as_json=as_json)
        traceback.print_exc()
        return _told(endings.fault(fault), code=1, as_json=as_json)
    return code


def _run(words: Sequence[str]) -> int:
    for number, word in enumerate(words, start=1):
        if not word.isprintable() and any("\ud800" <= sign <= "\udfff" or sign == "\0" for sign in word):
            raise Misused(
                f"{shown(word)} is no text in UTF-8",
                where=f"word {number}",
                remedy="Write or name it otherwise.",
            )
    arguments = build_parser().parse_args(words)
    if getattr(arguments, "alone", False):
        # a verb that works on files only: memory is for them, and starting takes no time
        return int(arguments.run(arguments) or 0)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "weituo.config.settings")
    home = _home()
    own = False
    if before := getattr(arguments, "before", None):
        before(arguments)
    elif getattr(arguments, "needs_database", True):
        from weituo.config import database

        described = database.prepare(home)
        own = bool(described) and described.get("server") == database.OWN
    import django

    django.setup()
    from django.utils import translation

    from weituo.foundation.errors import Refusal

    with translation.override(language_of(os.environ)):
        if own and database.is_new():
            say(worded("the database is new: its tables are made"))
            database.migrate()
        try:
            return int(arguments.run(arguments) or 0)
        except Refusal as refusal:
            return _told(refusal, code=2, as_json=arguments.json)


def _home() -> Path:
    """Give WEITUO_HOME once its keys and connection details can be read, and DATABASE_URL is an address."""
    from weituo.config import places

    try:
        here = places.read()
        if not {"host", "port", "name", "passwords"} <= here.database.keys():
            raise KeyError("database.json")
    except (ValueError, KeyError, TypeError, AttributeError) as broken:
        raise Misused(
            "keys/keyring.json or database.json is damaged",
            where=str(Path(os.environ.get("WEITUO_HOME", places.PROJECT / "var")).resolve()),
            remedy="Restore it from the last backup; without its keys the data cannot be read.",
            code="home_damaged",
        ) from broken
    if not is_address(os.environ.get("DATABASE_URL", "")):
        raise Misused(
            "this is no address of a database",
            where="DATABASE_URL",
            remedy="Write postgresql://user:password@host:port/name, or unset it for the own server.",
            code="address_wrong",
        )
    return here.home


def is_address(url: str) -> bool:
    """Tell whether a text is the address of a PostgreSQL; an empty one stands for the own server."""
    try:
        parts = urlsplit(url)
        return not url or (parts.scheme in {"postgresql", "postgres"} and (parts.port or 1) > 0)
    except ValueError:
        return False


def _told(refusal: Any, *, code: int, as_json: bool) -> int:
    """Say why a verb ended early: one sentence, and with --json one object; give the exit code."""
    try:
        if as_json:
            sys.stdout.write(json_text({"error": refusal.as_dict()}) + "\n")
            sys.stdout.flush()
        say(f"weituo: {' '.join(str(refusal).split())}")
    except OSError:  # nobody reads it
        endings.close_streams()
    return code


if __name__ == "__main__":
    raise SystemExit(main())
