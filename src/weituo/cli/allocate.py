"""`weituo allocate --gap FILE -o RESULT.npz`: solve a problem from a file, without a database."""

from __future__ import annotations

import argparse
import os
import resource
import sys
from pathlib import Path
from typing import Any, Final

from weituo.cli import face as cli
from weituo.cli.arguments import Misused

#: a day; nobody waits longer for one answer
SECONDS_MAX: Final = 86_400.0
THREADS_MAX: Final = 64
BYTES_MAX: Final = 2_000_000_000


def add_verbs(verbs: Any) -> None:
    """Add `allocate`."""
    allocate = cli.common(
        verbs.add_parser(
            "allocate",
            help="solve a problem of assignment from a file; prints one JSON object, needs no database",
        )
    )
    allocate.add_argument(
        "--gap",
        type=Path,
        metavar="FILE",
        required=True,
        help="generalised assignment, public text format: agents, jobs, costs, resources, capacities",
    )
    allocate.add_argument(
        "-o", "--output", type=Path, metavar="RESULT.npz", required=True, help="file for the array `agency`"
    )
    allocate.add_argument("--time-limit", type=float, default=60.0, metavar="S", help="seconds (default 60)")
    allocate.add_argument(
        "--threads", type=int, default=min(os.cpu_count() or 1, 2), metavar="N", help="searches side by side"
    )
    allocate.add_argument("--seed", type=int, default=0, help="another seed searches otherwise (default 0)")
    allocate.set_defaults(run=_allocate, needs_database=False)


def _allocate(arguments: argparse.Namespace) -> int:
    _check(arguments)
    draft = arguments.output.with_name(f"{arguments.output.name}.part")
    with draft.open("wb"):  # says before the work whether the result can be kept
        pass
    try:
        summary, arrays = _generalised(arguments)
        _write(draft, arrays)
        draft.replace(arguments.output)
    finally:
        draft.unlink(missing_ok=True)
    sys.stdout.write(cli.json_text(summary) + "\n")
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse numbers that make no sense, and an output that cannot be written."""
    for name, value, least, most in (
        ("--time-limit", arguments.time_limit, 0.01, SECONDS_MAX),
        ("--threads", arguments.threads, 1, THREADS_MAX),
        ("--seed", arguments.seed, 0, 2**31 - 1),
    ):
        if not least <= value <= most:
            raise Misused(f"{value:g} is not from {least:g} to {most:,.0f}", where=name)
    if arguments.output.is_dir():
        raise Misused("this is a folder, not a file", where=str(arguments.output), remedy="Name a file.")


def _generalised(arguments: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Solve a generalised assignment problem; give what is printed and what is written."""
    from weituo.core.allocation.generalised.problem import GeneralisedError, read_text
    from weituo.core.allocation.generalised.solving import NoAssignment, solve

    file: Path = arguments.gap
    try:
        problem = read_text(_text(file))
    except GeneralisedError as wrong:
        raise Misused(wrong.message, where=f"{file}: {wrong.where}", code="bad_input") from wrong
    try:
        found = solve(
            problem=problem, seed=arguments.seed, time_limit=arguments.time_limit, threads=arguments.threads
        )
    except NoAssignment as none:
        raise Misused(
            "no assignment of all jobs keeps every capacity", where=str(file), code="infeasible"
        ) from none
    if not found.feasible:
        raise Misused(
            f"no assignment within the capacities was found in {arguments.time_limit:g} seconds; there may be none",
            where=str(file),
            remedy="Give it more time with --time-limit.",
            code="none_found",
        )
    summary = {
        "value": found.cost,
        "bound": found.bound,
        "gap": found.gap,
        "violations": found.violations,
        "seconds": {phase: round(seconds, 3) for phase, seconds in found.seconds.items()},
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    return summary, {"agency": found.agent}


def _text(file: Path) -> str:
    """Read the text of a file."""
    if file.stat().st_size > BYTES_MAX:
        raise Misused(f"it is larger than {BYTES_MAX:,} bytes", where=str(file), code="bad_input")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise Misused("this is no text", where=str(file), code="bad_input") from wrong


def _write(file: Path, arrays: dict[str, Any]) -> None:
    """Write arrays as one .npz."""
    import numpy as np

    with file.open("wb") as target:
        np.savez(target, **arrays)
