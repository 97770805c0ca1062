"""`weituo demo`: the whole process on an invented book, through the same acts, pages and REST calls as real work."""

from __future__ import annotations

import argparse
import os
from typing import Any

from weituo.cli import face as cli


def add_verbs(verbs: Any) -> None:
    """Add `demo`."""
    demo = cli.common(
        verbs.add_parser("demo", help="run the whole process on an invented book, then serve the console")
    )
    demo.add_argument(
        "what", nargs="?", choices=["code"], help="`code USER`: print that person's present sign-in code"
    )
    demo.add_argument("person", nargs="?", metavar="USER")
    demo.add_argument("--once", action="store_true", help="stop after the summary")
    demo.add_argument("--reset", action="store_true", help="throw the demonstration away and start afresh")
    demo.add_argument("--accounts", type=int, help="size of the invented book (default 20,000)")
    demo.add_argument("--weeks", type=int, help="weeks of work that the agencies play (default 16)")
    demo.add_argument(
        "--port", type=int, default=8300, help="port of the console (default 8300, else the next free one)"
    )
    demo.set_defaults(run=_run, before=_before)


def _before(arguments: argparse.Namespace) -> None:
    """Start the database server (and throw away what --reset names) before the settings are read."""
    os.environ["WEITUO_DEMO"] = "1"
    # the book is invented: a power failure may cost its last second, and the demonstration goes on from there
    os.environ.setdefault("PGOPTIONS", "-c synchronous_commit=off")
    from weituo.cli.demo import ground

    if arguments.what is None:
        arguments.held = ground.prepare(reset=arguments.reset)


def _run(arguments: argparse.Namespace) -> int:
    from weituo.cli.demo import stages

    return stages.run(arguments)
