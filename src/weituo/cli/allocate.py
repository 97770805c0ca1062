"""`weituo allocate PROBLEM.npz -o RESULT.npz`, or `--gap FILE`: solve a problem from a file, without a database."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any, Final

from weituo.cli import accounts_folder, problem_file
from weituo.cli import face as cli
from weituo.cli.arguments import Misused

#: a day; nobody waits longer for one answer
SECONDS_MAX: Final = 86_400.0
#: for a generalised assignment, where nothing is said
GAP_SECONDS: Final = 60.0
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
    given = allocate.add_mutually_exclusive_group(required=True)
    given.add_argument(
        "problem",
        type=Path,
        nargs="?",
        metavar="PROBLEM.npz",
        help="arrays value (accounts × agencies, −inf: never), balance, segment, count_min, count_max, balance_min, "
        "balance_max, segment_tolerance; what is absent sets no limit",
    )
    given.add_argument(
        "--gap",
        type=Path,
        metavar="FILE",
        help="generalised assignment, public text format: agents, jobs, costs, resources, capacities",
    )
    allocate.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="RESULT.npz",
        required=True,
        help="file for the answer: array `agency`, and prices",
    )
    allocate.add_argument(
        "--time-limit", type=float, metavar="S", help="seconds (default: none; 60 with --gap)"
    )
    allocate.add_argument(
        "--threads",
        type=int,
        default=min(os.cpu_count() or 1, THREADS_MAX),
        metavar="N",
        help="as many at once (default: the processor's cores)",
    )
    allocate.add_argument("--seed", type=int, default=0, help="another seed searches otherwise (default 0)")
    allocate.add_argument(
        "--explain",
        action="store_true",
        help="with PROBLEM.npz: also print binding limits and what rules cost",
    )
    allocate.add_argument(
        "--limits",
        type=Path,
        metavar="LIMITS.npz",
        help="where PROBLEM is a folder of accounts in Parquet (account, value, balance, segment), placed by the engine "
        "that WEITUO_ENGINE names into a new folder (account, agency): what agencies must and may hold",
    )
    # an engine has refusals of its own, which the site's language tells
    allocate.set_defaults(run=_allocate, alone=not problem_file.engine(), needs_database=False)


def _allocate(arguments: argparse.Namespace) -> int:
    begun = time.perf_counter()
    _check(arguments)
    if arguments.problem is not None and arguments.problem.is_dir():
        summary, code = accounts_folder.solved(arguments)
        return _told(summary, begun, code)
    if arguments.limits is not None:
        raise Misused("limits of their own go with a folder of accounts", where="--limits")
    if arguments.output.is_dir():
        raise Misused("this is a folder, not a file", where=str(arguments.output), remedy="Name a file.")
    draft = arguments.output.with_name(f"{arguments.output.name}.part")
    with draft.open("wb"):  # says before the work whether the result can be kept
        pass
    try:
        summary, arrays, code = _generalised(arguments) if arguments.gap else problem_file.solved(arguments)
        _write(draft, arrays)
        draft.replace(arguments.output)
    finally:
        draft.unlink(missing_ok=True)
    return _told(summary, begun, code)


def _told(summary: dict[str, Any], begun: float, code: int) -> int:
    """Print what was found as one JSON object."""
    summary["seconds"] = round(time.perf_counter() - begun, 4)
    summary["peak_rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(cli.json_text(summary) + "\n")
    return code


def _check(arguments: argparse.Namespace) -> None:
    """Refuse numbers that make no sense, and an output that cannot be written."""
    for name, value, least, most in (
        (
            "--time-limit",
            GAP_SECONDS if arguments.time_limit is None else arguments.time_limit,
            0.01,
            SECONDS_MAX,
        ),
        ("--threads", arguments.threads, 1, THREADS_MAX),
        ("--seed", arguments.seed, 0, 2**31 - 1),
    ):
        if not least <= value <= most:
            raise Misused(f"{value:g} is not from {least:g} to {most:,.0f}", where=name)
    if arguments.problem and arguments.output.exists() and arguments.output.samefile(arguments.problem):
        raise Misused(
            "this is the problem itself",
            where=str(arguments.output),
            remedy="Name another file for the answer.",
        )


def _generalised(arguments: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Solve a generalised assignment problem; give what is printed and what is written."""
    from weituo.core.allocation.generalised.problem import GeneralisedError, read_text
    from weituo.core.allocation.generalised.solving import NoAssignment, solve

    file: Path = arguments.gap
    time_limit = GAP_SECONDS if arguments.time_limit is None else arguments.time_limit
    if arguments.explain:
        raise Misused("this explains a PROBLEM.npz only", where="--explain")
    try:
        problem = read_text(_text(file))
    except GeneralisedError as wrong:
        raise Misused(wrong.message, where=f"{file}: {wrong.where}", code="bad_input") from wrong
    try:
        found = solve(problem=problem, seed=arguments.seed, time_limit=time_limit, threads=arguments.threads)
    except NoAssignment as none:
        raise Misused(
            "no assignment of all jobs keeps every capacity", where=str(file), code="infeasible"
        ) from none
    if not found.feasible:
        raise Misused(
            f"no assignment within the capacities was found in {time_limit:g} seconds; there may be none",
            where=str(file),
            remedy="Give it more time with --time-limit.",
            code="none_found",
        )
    summary = {
        "value": found.cost,
        "bound": found.bound,
        "gap": found.gap,
        "violations": found.violations,
        "phases": {phase: round(seconds, 3) for phase, seconds in found.seconds.items()},
    }
    return summary, {"agency": found.agent}, 0


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
