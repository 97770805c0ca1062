"""A folder of accounts for `weituo allocate`: placed on the engine that WEITUO_ENGINE names, the result a folder as well."""

from __future__ import annotations

import argparse
import time
import zipfile
from pathlib import Path
from typing import Any, Final

from weituo.cli import problem_file
from weituo.cli.arguments import Misused, shown

#: limits are small: more is no file of limits
BYTES_MAX: Final = 100_000_000


def solved(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Place a folder of accounts: what is printed, the exit code. The result folder is written whole or not at all."""
    from weituo.core.allocation.feasibility import Infeasible
    from weituo.core.allocation.problem import ProblemError

    folder, result = arguments.problem, arguments.output
    if not problem_file.engine():
        raise Misused(
            "this is a folder: accounts in Parquet are placed by an engine",
            where=str(folder),
            remedy="Set WEITUO_ENGINE, or name a file PROBLEM.npz.",
        )
    if result.exists():
        raise Misused("this exists already", where=str(result), remedy="Name a folder that is new.")
    limits = {} if arguments.limits is None else read(arguments.limits)
    from weituo.foundation.cluster import anywhere

    begun = time.perf_counter()
    try:
        found = anywhere.solve_folder(
            accounts=folder, limits=limits, result=result, seed=arguments.seed, threads=arguments.threads,
            time_limit=arguments.time_limit,
        )  # fmt: skip
    except (ProblemError, Infeasible) as wrong:
        code = "infeasible" if isinstance(wrong, Infeasible) else "bad_input"
        raise Misused(str(wrong), where=str(folder), code=code) from wrong
    phases = {**found.seconds, "all": time.perf_counter() - begun}
    summary = {
        "value": found.value, "bound": found.bound, "gap": found.gap, "violations": found.violations,
        "phases": {phase: round(seconds, 4) for phase, seconds in phases.items()},
        "price": found.price.tolist(), "money": found.money.tolist(),
    }  # fmt: skip
    return summary, 1 if found.violations else 0


def read(file: Path) -> dict[str, Any]:
    """Read limits from a .npz file; nothing is unpickled."""
    import numpy as np

    from weituo.foundation.cluster.limits import LIMITS

    if file.stat().st_size > BYTES_MAX:
        raise Misused("this is too large for limits", where=str(file), code="bad_input")
    try:
        with np.load(file, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
    except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile) as wrong:
        raise Misused(
            "this is no whole .npz file of numbers",
            where=str(file),
            remedy="Write it with numpy.savez.",
            code="bad_input",
        ) from wrong
    if unknown := sorted(set(arrays) - set(LIMITS)):
        raise Misused(
            f"there is no limit {shown(unknown[0])}",
            where=str(file),
            remedy=f"Limits are {', '.join(LIMITS)}.",
            code="bad_input",
        )
    return arrays
