"""Generalised assignment: how far above the best known cost, or above the own proved bound, against a MILP solver.

Public problems of class C (where `WEITUO_DATA` holds them) and drawn ones of classes D and E, the published recipes with
fixed seeds. The rival is HiGHS (scipy.optimize.milp) with the same seconds. Bounds are recomputed by the checker.

    python -m bench gap                                        60 seconds a problem, sizes up to 80 × 1600
    python -m bench gap --seconds 5 --jobs 100                 a short run: small problems only
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import numpy as np
from scipy import optimize, sparse

from weituo.core.allocation.generalised import checking
from weituo.core.allocation.generalised.problem import Generalised, read_text
from weituo.core.allocation.generalised.solving import solve

from bench.claims import Claim

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("WEITUO_DATA", ROOT.parent / "shared" / "data")) / "gap"
SIZES = (
    (5, 100), (10, 100), (20, 100), (5, 200), (10, 200), (20, 200), (10, 400), (20, 400), (40, 400),
    (15, 900), (30, 900), (60, 900), (20, 1600), (40, 1600), (80, 1600),
)  # fmt: skip
SEED = 20_260
#: a rival's cost counts as this much above where it found nothing within capacity
NOTHING = 1.0


def run(arguments: argparse.Namespace) -> list[Claim]:
    """Measure the three classes."""
    seconds, jobs_max = arguments.seconds, arguments.jobs
    claims = []
    for name, against in (
        ("C", "best known"),
        ("D", "the own proved bound"),
        ("E", "the own proved bound"),
    ):
        problems = list(_public(jobs_max) if name == "C" else _drawn(name, jobs_max))
        if problems:
            claims += _measured(name, against, problems, seconds=seconds)
    return claims


def _measured(
    name: str, against: str, problems: list[tuple[str, Generalised, float | None]], *, seconds: float
) -> list[Claim]:
    excesses, gaps, rivals, infeasible = [], [], [], 0
    for label, problem, known in problems:
        found = solve(problem=problem, time_limit=seconds)
        bound = checking.lower_bound(problem=problem, multipliers=found.multipliers)
        infeasible += checking.recount(problem=problem, agent=found.agent).violations > 0
        least = known if known is not None else max(bound, found.bound)
        excesses.append(found.cost / least - 1)
        gaps.append(found.gap)
        rival = _rival(problem, seconds=seconds)
        rivals.append(NOTHING if rival is None else rival / least - 1)
        print(
            f"bench gap: {label}: {found.cost} ({excesses[-1]:.4%} above), proved {found.bound}, HiGHS {rival}",
            file=sys.stderr,
            flush=True,
        )
    note = f"{len(problems)} problems, {seconds:g} s each; largest excess {max(excesses):.3%}; {infeasible} infeasible"
    return [
        Claim(name=f"class {name}: mean above", unit="%", ours=100 * fmean(excesses), against=f"{against}; other: HiGHS in the same time",
              other=100 * fmean(rivals), value=100 * fmean(excesses), goal=0.1, better="low", note=note),
        Claim(name=f"class {name}: mean proved gap", unit="%", ours=100 * fmean(gaps), against="0.15 %", other=0.15, value=100 * fmean(gaps),
              goal=0.15, better="low", note="(cost − bound) / bound"),
        Claim(name=f"class {name}: answers over capacity", unit="answers", ours=float(infeasible), against="none", other=0.0,
              value=float(infeasible), goal=0.0, better="low"),
    ]  # fmt: skip


def _public(jobs_max: int) -> Iterator[tuple[str, Generalised, float | None]]:
    """Give the public problems of class C with their best known costs."""
    if not (DATA / "data.csv").is_file():
        return
    with (DATA / "data.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            file = DATA / row["Path"]
            if file.name.startswith("c") and file.is_file() and int(row["Item number"]) <= jobs_max:
                problem = read_text(file.read_text(encoding="utf-8"))
                yield row["Path"], problem, float(row["Best known solution value"])


def _drawn(name: str, jobs_max: int) -> Iterator[tuple[str, Generalised, float | None]]:
    """Draw problems of class D (cost falls as resource rises) or E (cost is inverse to resource)."""
    for m, n in SIZES:
        if n > jobs_max:
            continue
        random = np.random.default_rng([SEED, ord(name), m, n])
        if name == "D":
            resource = random.integers(1, 101, (m, n)).astype(float)
            cost = 111 - resource + random.integers(-10, 11, (m, n))
        else:
            resource = np.maximum(np.rint(1 - 10 * np.log(1 - random.random((m, n)))), 1)
            cost = np.maximum(np.rint(1000 / resource - 10 * random.random((m, n))), 1)
        capacity = np.floor(0.8 * resource.sum(axis=1) / m)
        yield f"{name} {m} × {n}", Generalised(cost=cost, resource=resource, capacity=capacity), None


def _rival(problem: Generalised, *, seconds: float) -> float | None:
    """Give HiGHS' cost; None where it finds nothing in time."""
    m, n = problem.shape
    agent, job = np.divmod(np.arange(m * n), n)
    once = sparse.csr_matrix((np.ones(m * n), (job, np.arange(m * n))), shape=(n, m * n))
    room = sparse.csr_matrix((problem.resource.ravel(), (agent, np.arange(m * n))), shape=(m, m * n))
    done = optimize.milp(
        problem.cost.ravel(), integrality=np.ones(m * n), bounds=optimize.Bounds(0, 1),
        constraints=[optimize.LinearConstraint(once, 1, 1), optimize.LinearConstraint(room, -np.inf, problem.capacity)],
        options={"time_limit": seconds},
    )  # fmt: skip
    return None if done.x is None else float(done.fun)
