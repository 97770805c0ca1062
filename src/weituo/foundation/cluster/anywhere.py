"""Solving where the surroundings say: in this process, or on the engine that WEITUO_ENGINE names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from weituo.core.allocation import solver
from weituo.core.allocation.problem import Problem, ProblemError
from weituo.core.allocation.solver import Solution
from weituo.foundation.cluster import spark
from weituo.foundation.cluster.errors import EngineUnknown


def solve(*, problem: Problem, seed: int = 0, threads: int = 2, time_limit: float | None = None) -> Solution:
    """Solve a problem whose arrays lie here, as `solver.solve` does. Raises what that raises, and refusals of the engine."""
    engine = spark.wanted()
    if not engine:
        return solver.solve(problem=problem, seed=seed, threads=threads, time_limit=time_limit)
    from weituo.foundation.cluster import solving

    with spark.session(engine=engine) as session:
        return solving.solve(
            problem=problem, session=session, seed=seed, threads=threads, time_limit=time_limit
        ).solution


def solve_folder(
    *,
    accounts: Path,
    limits: dict[str, Any],
    result: Path,
    seed: int = 0,
    threads: int = 2,
    time_limit: float | None = None,
) -> Solution:
    """Solve for a folder of accounts in Parquet, see `spread.from_frame`, and write a folder: account, agency.

    Raises `ProblemError`, `feasibility.Infeasible` and refusals of the engine; nothing is written then.
    """
    engine = spark.wanted()
    if not engine:
        raise EngineUnknown(engine=engine, where="WEITUO_ENGINE")
    from weituo.foundation.cluster import solving

    with spark.session(engine=engine) as session:
        frame = session.read.parquet(accounts.resolve().as_uri())
        if "value" not in frame.columns:
            raise ProblemError("the accounts need a column value: an array with one number for each agency")
        first = frame.selectExpr("size(value) AS agencies").first()
        if first is None:
            raise ProblemError("there is no account")
        placed = solving.solve_frame(
            frame=frame,
            agencies=int(first.agencies),
            limits=limits,
            seed=seed,
            threads=threads,
            time_limit=time_limit,
        )
        placed.frame.write.parquet(result.resolve().as_uri())
        return placed.solution
