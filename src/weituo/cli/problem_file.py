"""Reading PROBLEM.npz for `weituo allocate`, and telling what the solver says of it.

Members are read straight into the arrays that the solver works on, in blocks: the values are never in memory twice. Nothing
is unpickled.
"""

from __future__ import annotations

import argparse
import os
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from weituo.cli.arguments import Misused, shown

#: arrays that a problem may hold; the first two it must
NEEDED: Final = ("value", "balance")
KNOWN: Final = (
    *NEEDED, "segment", "count_min", "count_max", "balance_min", "balance_max", "segment_tolerance", "count_price",
    "balance_price", "segment_price", "fixed", "unit",
)  # fmt: skip
#: bytes read in one go
BLOCK: Final = 1 << 24
#: binding limits that are printed, the dearest first
BINDING_SHOWN: Final = 200


class Refused(Misused):
    """No assignment keeps all limits; says what would do."""

    def __init__(self, found: Any, *, where: str) -> None:
        self.detail = found.as_dict()
        relaxation = self.detail["relaxation"]
        given = "; ".join(
            f"{one['limit']} of agency {one['agency']}"
            + (f", segment {one['segment']}," if one["segment"] is not None else "")
            + f" {one['was']:,g} → {one['to']:,g}"
            for one in relaxation[:5]
        )
        more = f"; and {len(relaxation) - 5} more (see --json)" if len(relaxation) > 5 else ""
        remedy = f"This would do: {given}{more}." if given else "Let these accounts go to some agency."
        super().__init__(str(found), where=where, remedy=remedy, code="infeasible")

    def as_dict(self) -> dict[str, Any]:
        """Add why, and what would do, as data."""
        return {**super().as_dict(), "detail": self.detail}


def solved(arguments: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Solve the problem of a file: what is printed, the arrays that are written, the exit code."""
    from weituo.core.allocation import explaining
    from weituo.core.allocation.feasibility import Infeasible
    from weituo.core.allocation.problem import ProblemError, problem

    file, begun = arguments.problem, time.perf_counter()
    arrays = read(file)
    try:
        given = problem(**arrays)
    except ProblemError as wrong:
        raise Misused(str(wrong), where=str(file), code="bad_input") from wrong
    del arrays
    loaded = time.perf_counter()
    try:
        found = _solver()(
            problem=given, seed=arguments.seed, threads=arguments.threads, time_limit=arguments.time_limit
        )
    except ProblemError as wrong:
        raise Misused(str(wrong), where=str(file), code="bad_input") from wrong
    except Infeasible as none:
        raise Refused(none, where=str(file)) from none
    ended = time.perf_counter()
    digest = given.digest()
    phases = {"load": loaded - begun, **found.seconds, "digest": time.perf_counter() - ended}
    summary: dict[str, Any] = {
        "value": found.value, "bound": found.bound, "gap": found.gap, "violations": found.violations, "digest": digest,
    }  # fmt: skip
    if arguments.explain:
        ended = time.perf_counter()
        binding = explaining.binding(problem=given, solution=found)
        summary["binding"] = [one.as_dict() for one in binding[:BINDING_SHOWN]]
        summary["rules"] = [
            one.as_dict()
            for one in explaining.rules(problem=given, solution=found, threads=arguments.threads)
        ]
        phases["explain"] = time.perf_counter() - ended
    summary["phases"] = {phase: round(seconds, 4) for phase, seconds in phases.items()}
    result = {"agency": found.agency, "price": found.price, "money": found.money}
    return summary, result, 1 if found.violations else 0


def engine() -> str:
    """Give the engine that the surroundings name; "" stands for this process."""
    return os.environ.get("WEITUO_ENGINE", "").strip()


def _solver() -> Callable[..., Any]:
    """Give who solves: this process, with nothing else loaded, or an engine."""
    if engine():
        from weituo.foundation.cluster.anywhere import solve

        return solve
    from weituo.core.allocation.solver import solve as solve_here

    return solve_here


def read(file: Path) -> dict[str, Any]:
    """Read the arrays of a .npz file."""
    try:
        with file.open("rb") as source, zipfile.ZipFile(source) as members:
            names = {name.removesuffix(".npy"): name for name in members.namelist()}
            _named(names, file)
            # the values last: what else is wrong is told before the long read
            return {name: _member(members, names[name], file) for name in KNOWN[::-1] if name in names}
    except zipfile.BadZipFile as wrong:
        raise Misused(
            "this is no whole .npz file",
            where=str(file),
            remedy="Write it with numpy.savez.",
            code="bad_input",
        ) from wrong
    except MemoryError as wrong:
        raise Misused("its arrays do not fit into memory", where=str(file), code="bad_input") from wrong


def _named(names: dict[str, str], file: Path) -> None:
    missing = [name for name in NEEDED if name not in names]
    unknown = sorted(name for name in names if name not in KNOWN)
    if missing:
        raise Misused(f"the array {missing[0]} is missing", where=str(file), code="bad_input")
    if unknown:
        raise Misused(
            f"there is no array {shown(unknown[0])} in a problem",
            where=str(file),
            remedy=f"A problem may hold {', '.join(KNOWN)}.",
            code="bad_input",
        )


def _member(members: zipfile.ZipFile, name: str, file: Path) -> Any:
    import numpy as np

    label = name.removesuffix(".npy")
    try:
        with members.open(name) as source:
            version = np.lib.format.read_magic(source)
            header = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, by_column, kind = header(source)
            if kind.hasobject or kind.kind not in "fiu":
                raise Misused(f"{label} must hold numbers, not {kind}", where=str(file), code="bad_input")
            size = int(np.prod(shape, dtype=object)) if shape else 1
            if size * kind.itemsize + source.tell() != members.getinfo(name).file_size:
                raise Misused(f"{label} is not whole", where=str(file), code="bad_input")
            if label == "value" and len(shape) == 2 and not by_column and kind != np.float32:
                return _narrowed(source, shape, kind)
            array: Any = np.empty(shape[::-1] if by_column else shape, dtype=kind)
            if size:
                _fill(source, memoryview(array.reshape(-1)).cast("B"))
            source.read(1)  # its end: the checksum is looked at
            return array.T if by_column else array
    except (ValueError, EOFError, RuntimeError, NotImplementedError, zlib.error) as wrong:
        raise Misused(
            f"{label} cannot be read: {' '.join(str(wrong).split())[:120]}", where=str(file), code="bad_input"
        ) from wrong


def _fill(source: IO[bytes], target: memoryview) -> None:
    """Read until the target is full."""
    at = 0
    while at < len(target):
        got = source.read(min(BLOCK, len(target) - at))
        if not got:
            raise EOFError("it ends too early")
        target[at : at + len(got)] = got
        at += len(got)


def _narrowed(source: IO[bytes], shape: tuple[int, ...], kind: Any) -> Any:
    """Read values of another kind than float32, turning them block by block."""
    import numpy as np

    array: Any = np.empty(shape, dtype=np.float32)
    rows = max(BLOCK // max(shape[1] * kind.itemsize, 1), 1)
    block = np.empty((min(rows, shape[0]), shape[1]), dtype=kind)
    for first in range(0, shape[0], rows):
        part: Any = block[: min(rows, shape[0] - first)]
        if part.size:
            _fill(source, memoryview(part.reshape(-1)).cast("B"))
        with np.errstate(over="ignore"):
            array[first : first + len(part)] = part
    source.read(1)
    return array
