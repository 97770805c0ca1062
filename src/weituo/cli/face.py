"""`weituo VERB …`: exits 0 on success, 2 on bad input, 1 on a fault. With --json prints one JSON object on standard output."""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

#: modules that add verbs, in process order
VERB_MODULES = (
    "demo",
    "book",
    "partners",
    "plans",
    "placement",
    "sharing",
    "contact",
    "ledger",
    "tracking",
    "care",
    "evaluation",
    "audit",
    "identity",
    "database",
)


def build_parser() -> argparse.ArgumentParser:
    """Collect every verb."""
    parser = argparse.ArgumentParser(
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
    sys.stdout.write((json.dumps(result, ensure_ascii=False, default=str) if arguments.json else text) + "\n")


def _refused(arguments: argparse.Namespace, refusal: Any) -> int:
    if arguments.json:
        sys.stdout.write(json.dumps({"error": refusal.as_dict()}, ensure_ascii=False, default=str) + "\n")
    say(f"weituo: {refusal}")
    return 2


def language_of(environment: Mapping[str, str]) -> str:
    """Give the language of the terminal (LC_ALL, LC_MESSAGES, LANG): Chinese where it says so, else English."""
    stated = next((environment[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(key)), "")
    return "zh-hans" if stated.lower().startswith("zh") else "en"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and give its exit code."""
    arguments = build_parser().parse_args(argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "weituo.config.settings")
    if before := getattr(arguments, "before", None):
        before(arguments)
    elif getattr(arguments, "needs_database", True):
        from weituo.config import places
        from weituo.config.database import prepare

        prepare(places.read().home)
    import django

    django.setup()
    from django.utils import translation

    from weituo.foundation.errors import Refusal

    try:
        with translation.override(language_of(os.environ)):
            try:
                return int(arguments.run(arguments) or 0)
            except Refusal as refusal:
                return _refused(arguments, refusal)
    except (KeyboardInterrupt, BrokenPipeError):
        return 1
    except Exception:  # noqa: BLE001 - the last line of defence: a fault is exit code 1
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
