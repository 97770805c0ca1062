"""One pass over a million accounts and twenty agencies on a Spark cluster of two executors of one core on this machine.

Against the same pass in one process with two threads, and the bound of the whole solution against that of one process. Without
pyspark or Java it says what to install.
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from weituo.core.allocation import prices, solver
from weituo.core.allocation.cells import cells
from weituo.core.allocation.prices import Prices, Reader
from weituo.core.allocation.problem import problem
from weituo.foundation.cluster import passes, spark

from bench import instances
from bench.claims import Claim

AGENCIES: Final = 20
PASSES: Final = 9
GOAL_SECONDS: Final = 0.25


def run(arguments: argparse.Namespace) -> list[Claim]:
    """Measure."""
    if lacking := spark.missing():
        print(f"spark: {lacking[0]} is missing: {lacking[1]}")
        return []
    from weituo.foundation.cluster import standalone

    n = int(arguments.accounts)
    given = problem(**instances.problem(n=n, k=AGENCIES, seed=1))
    alone = solver.solve(problem=given)
    with (
        standalone.standalone(workers=2) as engine,
        spark.session(engine=engine, settings=standalone.SESSION) as session,
    ):
        return [_pass(given, alone, session), _whole(given, alone, session)]


def _pass(given: Any, alone: Any, session: Any) -> Claim:
    """Read at the last prices, the accounts in the workers' memory."""
    from weituo.foundation.cluster import spread
    from weituo.foundation.cluster.field import ClusterReader, Field

    made = cells(given)
    rows = prices.rows_of(
        limits=given.limits, parts=made.parts, share=made.share, mean_balance=float(given.balance.mean())
    )
    at = Prices(row=alone.row, money=alone.money / rows.unit)
    field = Field(packed=spread.from_cells(session=session, cells=made))
    reader = ClusterReader(field=field, cells=made, rows=rows)
    there = [_seconds(lambda: reader.read(at, 1.0)) for _ in range(PASSES)]
    empty = [_seconds(lambda: _nothing(session)) for _ in range(PASSES)]
    field.release()
    with ThreadPoolExecutor(2) as pool:
        one = Reader(cells=made, rows=rows, pool=pool)
        here = [_seconds(lambda: one.read(at, 1.0)) for _ in range(PASSES)]
    middle, least = statistics.median(there), min(there)
    return Claim(
        name=f"Spark, a pass over {given.size:,}×{AGENCIES}",
        unit="seconds",
        ours=middle,
        against="one process with two threads",
        other=statistics.median(here),
        value=middle,
        goal=GOAL_SECONDS,
        better="low",
        note=f"least {least:.3f} s; a job that reads nothing {statistics.median(empty):.3f} s",
    )


def _nothing(session: Any) -> None:
    session.range(2, numPartitions=2).mapInArrow(_no_rows, passes.Pass.SCHEMA).collect()


def _no_rows(batches: Any) -> Any:
    for _ in batches:
        yield from ()


def _whole(given: Any, alone: Any, session: Any) -> Claim:
    """Solve all of it; the bound must be that of one process."""
    from weituo.foundation.cluster import solving

    begun = time.perf_counter()
    placed = solving.solve(problem=given, session=session)
    took, found = time.perf_counter() - begun, placed.solution
    return Claim(
        name="Spark, bound off that of one process",
        unit="relative",
        ours=float(found.bound),
        against="the bound of one process",
        other=float(alone.bound),
        value=float(abs(found.bound - alone.bound) / abs(alone.bound)),
        goal=1e-9,
        better="low",
        note=f"{placed.passes} passes, {took:.1f} s with sending the accounts ({found.seconds['spread']:.1f} s); "
        f"{int((found.agency != alone.agency).sum())} accounts placed otherwise, {found.violations} limits broken",
    )


def _seconds(work: Any) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
