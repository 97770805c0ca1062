"""Everything about one run in one call: plan, draw, proof, rivals, digest. Pure: same problem and seed, same answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from weituo.core.allocation import certificate, exploration, rivals, solver
from weituo.core.allocation.problem import IN_HOUSE, Ints, Problem

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """The answer to a problem.

    assignment, explored, probability: (n,), see `exploration.Draw`. planned: (n,) before the draw. value_minor ≤
    bound_minor: what it is worth, and what no assignment within the limits can exceed; the gap is what chance costs
    (planned_bound_minor bounds the plan within the limits less their reserve: planned_value_minor is proved against it).
    prices: rows kind, agency, bucket, price. rivals: name → value_minor, accounts, broken.
    """

    assignment: Ints
    planned: Ints
    explored: npt.NDArray[np.bool_]
    probability: Floats
    value_minor: int
    bound_minor: int
    planned_value_minor: int
    planned_bound_minor: int
    prices: tuple[dict[str, Any], ...]
    rivals: dict[str, dict[str, Any]]
    digest: str


def place(*, problem: Problem, tiers: Sequence[int], share: float, seed: int) -> Placed:
    """Solve a problem with a share of chance. Raises `Infeasible`, `ProblemError`.

    tiers: one an agency, 1 the best: only today's rule looks at them.
    """
    reserved = exploration.reserve(problem=problem, share=share)
    plan = solver.solve(problem=reserved)
    draw = exploration.explore(problem=problem, assignment=plan.assignment, share=share, seed=seed)
    value = certificate.value_minor(problem=problem, assignment=draw.assignment)
    bound = certificate.bound_minor(problem=problem, prices=plan.prices)
    return Placed(
        assignment=draw.assignment,
        planned=plan.assignment,
        explored=draw.explored,
        probability=draw.probability,
        value_minor=value,
        bound_minor=bound,
        planned_value_minor=certificate.value_minor(problem=problem, assignment=plan.assignment),
        planned_bound_minor=certificate.bound_minor(problem=reserved, prices=plan.prices),
        prices=plan.prices,
        rivals=compare(problem=problem, tiers=tiers),
        digest=digest(problem=problem, assignment=draw.assignment, value_minor=value, bound_minor=bound),
    )


def compare(*, problem: Problem, tiers: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Work out today's rules on the same problem: their value, their accounts, and the limits that they break."""
    found = {}
    for name, assignment in (
        ("round_robin", rivals.round_robin(problem=problem)),
        ("greedy", rivals.greedy(problem=problem, tiers=tiers)),
    ):
        found[name] = {
            "value_minor": certificate.value_minor(problem=problem, assignment=assignment),
            "accounts": int((assignment != IN_HOUSE).sum()),
            "broken": certificate.broken(problem=problem, assignment=assignment),
        }
    return found


def digest(*, problem: Problem, assignment: Ints, value_minor: int, bound_minor: int) -> str:
    """Compute the SHA-256 of who gets what, in the order of the accounts' keys, with value and bound; hexadecimal."""
    names = np.array([*problem.agencies, ""], dtype=np.str_)
    order = np.argsort(problem.accounts, kind="stable")
    lines = np.char.add(np.char.add(problem.accounts[order], " "), names[assignment[order]])
    head = json.dumps({"value_minor": value_minor, "bound_minor": bound_minor}, sort_keys=True)
    return hashlib.sha256("\n".join([head, *lines.tolist()]).encode()).hexdigest()
