"""The best assignment: a linear program over accounts × agencies, then whole accounts within the same limits.

The program is a transport problem with a few limits across accounts, so a vertex splits at most about one account a
limit. Accounts that are whole in the vertex stay; the few split ones are settled by a small exact program. The dual
prices go to `certificate`, which recomputes the bound by itself. Same problem, same answer, in any order of its rows.
Source: linear programming duality; HiGHS (Huangfu and Hall 2018) by SciPy, interior point with crossover.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from weituo.core.allocation.problem import (
    IN_HOUSE,
    Infeasible,
    Ints,
    Limit,
    Limits,
    Problem,
    Shortfall,
    listed,
)

Floats = npt.NDArray[np.float64]

#: a part of an account below this is none
WHOLE: Final = 1e-6
#: problems with at most this many pairs are solved as whole numbers at once
SMALL_PAIRS: Final = 600
#: accounts settled exactly besides the split ones, least regret first
FREED_FIRST: Final = 24
#: search nodes after which the exact program gives its best answer so far
NODES_MAX: Final = 20_000
#: large problems are settled to this relative gap of the few accounts concerned; small ones exactly
GAP: Final = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """assignment: (n,) agency positions, −1 in-house. prices: rows kind, agency, bucket, price of every limit."""

    assignment: Ints
    prices: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Columns:
    """The pairs that may be used, and the limits over them as rows of a matrix."""

    account: Ints
    agency: Ints
    worth: Floats
    limits: list[Limit]
    matrix: Any
    amounts: Floats


def solve(*, problem: Problem) -> Plan:
    """Find the assignment of greatest value within all limits. Raises `Infeasible`."""
    ordered, rows, columns = problem.in_order()
    _check_each(ordered)
    made = _columns(ordered)
    if not made.account.size:
        return Plan(assignment=np.full(problem.size, IN_HOUSE, dtype=np.int64), prices=())
    parts, prices = _relaxed(ordered, made)
    chosen = _whole(ordered, made, parts, prices)
    assignment = np.full(problem.size, IN_HOUSE, dtype=np.int64)
    assignment[rows] = np.where(chosen == IN_HOUSE, IN_HOUSE, columns[chosen])
    return Plan(
        assignment=assignment,
        prices=tuple(
            {
                "kind": limit.kind,
                "agency": int(columns[limit.agency]),
                "bucket": limit.bucket,
                "price": float(price),
            }
            for limit, price in zip(made.limits, prices, strict=True)
        ),
    )


def _has_least(limits: Limits) -> bool:
    return limits.accounts_min > 0 or limits.balance_min_minor > 0


def _columns(problem: Problem) -> _Columns:
    wanted = problem.eligible & (
        (problem.value_minor > 0) | np.array([_has_least(own) for own in problem.limits])
    )
    account, agency = np.nonzero(wanted)
    limits = listed(problem.limits)
    rows = []
    for limit in limits:
        touches = agency == limit.agency
        if limit.bucket:
            touches &= problem.bucket[account] == limit.bucket
        weight = problem.balance_minor[account].astype(np.float64) if limit.is_money else 1.0
        rows.append(sparse.csr_matrix(np.where(touches, weight, 0.0) * (-1.0 if limit.is_least else 1.0)))
    return _Columns(
        account=account,
        agency=agency,
        worth=problem.value_minor[account, agency].astype(np.float64),
        limits=limits,
        matrix=sparse.vstack(rows, format="csr") if rows else sparse.csr_matrix((0, account.size)),
        amounts=np.array(
            [-limit.amount if limit.is_least else limit.amount for limit in limits], dtype=np.float64
        ),
    )


def _relaxed(problem: Problem, made: _Columns) -> tuple[Floats, Floats]:
    """Solve with parts of accounts allowed; give the parts (one a pair) and the limits' prices in minor units."""
    unit = max(float(np.median(np.abs(made.worth))), 1.0)
    typical = float(problem.balance_minor.mean())
    scale = np.array([typical if limit.is_money else 1.0 for limit in made.limits])
    once = sparse.csr_matrix(
        (np.ones(made.account.size), (made.account, np.arange(made.account.size))),
        shape=(problem.size, made.account.size),
    )
    rows = (
        sparse.vstack([sparse.diags(1.0 / scale) @ made.matrix, once], format="csr") if len(scale) else once
    )
    most = np.concatenate([made.amounts / scale, np.ones(problem.size)])
    solved = linprog(-made.worth / unit, A_ub=rows, b_ub=most, bounds=(0, None), method="highs-ipm")
    if solved.status != 0:
        solved = linprog(-made.worth / unit, A_ub=rows, b_ub=most, bounds=(0, None), method="highs")
    if solved.status != 0:
        raise _together(problem, made)
    prices = (
        np.maximum(-solved.ineqlin.marginals[: len(scale)], 0.0) * unit / scale if len(scale) else np.zeros(0)
    )
    return np.asarray(solved.x, dtype=np.float64), np.asarray(prices, dtype=np.float64)


def _whole(problem: Problem, made: _Columns, parts: Floats, prices: Floats) -> Ints:
    """Make whole accounts of parts: keep those that are whole, settle the others exactly within what is left."""
    chosen = np.full(problem.size, IN_HOUSE, dtype=np.int64)
    full = parts > 1 - WHOLE
    chosen[made.account[full]] = made.agency[full]
    split = np.zeros(problem.size, dtype=np.bool_)
    split[made.account[(parts > WHOLE) & ~full]] = True
    if made.account.size <= SMALL_PAIRS:
        split[:] = True
    order = np.argsort(_regret(problem, made, prices), kind="stable")
    more = FREED_FIRST
    while True:
        free = split.copy()
        free[order[:more]] = True
        settled = _settle(problem, made, np.where(free, IN_HOUSE, chosen), free)
        if settled is not None:
            return settled
        if free.all() or more > problem.size:
            raise Infeasible(reason="WHOLE_ACCOUNTS", shortfalls=tuple(_leasts(problem)))
        more *= 4


def _regret(problem: Problem, made: _Columns, prices: Floats) -> Floats:
    """Give what each account loses by its second-best choice at the limits' prices: the least is moved first."""
    net = np.full(problem.value_minor.shape, -np.inf)
    net[made.account, made.agency] = made.worth - (made.matrix.T @ prices if len(prices) else 0.0)
    ranked = np.sort(np.concatenate([net, np.zeros((problem.size, 1))], axis=1), axis=1)
    return ranked[:, -1] - ranked[:, -2]


def _settle(problem: Problem, made: _Columns, fixed: Ints, free: npt.NDArray[np.bool_]) -> Ints | None:
    """Choose for the free accounts exactly, the others staying where they are; None when it cannot be done."""
    mine = np.nonzero(free[made.account])[0]
    used = np.zeros(made.account.size)
    used[fixed[made.account] == made.agency] = 1.0
    left = made.amounts - made.matrix @ used
    if not mine.size:
        return fixed if (left >= 0).all() else None
    members, row = np.unique(made.account[mine], return_inverse=True)
    once = sparse.csr_matrix(
        (np.ones(mine.size), (row, np.arange(mine.size))), shape=(members.size, mine.size)
    )
    constraints = [LinearConstraint(once, -np.inf, 1.0)]
    if len(left):
        constraints.append(LinearConstraint(made.matrix[:, mine], -np.inf, left))
    found = milp(
        -made.worth[mine],
        constraints=constraints,
        integrality=np.ones(mine.size),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0 if made.account.size <= SMALL_PAIRS else GAP, "node_limit": NODES_MAX},
    )
    if found.x is None:
        return None
    taken = mine[np.asarray(found.x) > 0.5]
    whole = fixed.copy()
    whole[made.account[taken]] = made.agency[taken]
    used = np.zeros(made.account.size)
    used[whole[made.account] == made.agency] = 1.0
    return whole if (made.amounts - made.matrix @ used >= 0).all() else None


def _check_each(problem: Problem) -> None:
    """Refuse limits that cannot be kept even alone, naming them."""
    backwards, few = [], []
    for agency, own in enumerate(problem.limits):
        mine = problem.eligible[:, agency]
        count, balance = int(mine.sum()), int(problem.balance_minor[mine].sum())
        for least, most, possible, kind in (
            (own.accounts_min, own.accounts_max, count, "accounts_min"),
            (own.balance_min_minor, own.balance_max_minor, balance, "balance_min"),
        ):
            limit = Limit(kind=kind, agency=agency, amount=least)
            if most is not None and (most < 0 or least > most):
                backwards.append(
                    Shortfall(limit=limit, agency=problem.agencies[agency], possible=max(most, 0))
                )
            elif least > possible:
                few.append(Shortfall(limit=limit, agency=problem.agencies[agency], possible=possible))
    if backwards:
        raise Infeasible(reason="BACKWARDS", shortfalls=tuple(backwards))
    if few:
        raise Infeasible(reason="TOO_FEW", shortfalls=tuple(few))


def _leasts(problem: Problem) -> list[Shortfall]:
    return [
        Shortfall(limit=limit, agency=problem.agencies[limit.agency], possible=limit.amount)
        for limit in listed(problem.limits)
        if limit.is_least
    ]


def _together(problem: Problem, made: _Columns) -> Infeasible:
    """Find what gives way: let every least amount fall short, at the least sum of relative shortfalls."""
    leasts = [number for number, limit in enumerate(made.limits) if limit.is_least]
    pairs = made.account.size
    once = sparse.csr_matrix((np.ones(pairs), (made.account, np.arange(pairs))), shape=(problem.size, pairs))
    scale = np.maximum(np.abs(made.amounts), 1.0)
    slack = sparse.csr_matrix(
        (-np.ones(len(leasts)), (leasts, np.arange(len(leasts)))), shape=(len(made.limits), len(leasts))
    )
    rows = sparse.bmat([[sparse.diags(1.0 / scale) @ made.matrix, slack], [once, None]], format="csr")
    solved = linprog(
        np.concatenate([np.zeros(pairs), np.ones(len(leasts))]),
        A_ub=rows,
        b_ub=np.concatenate([made.amounts / scale, np.ones(problem.size)]),
        bounds=(0, None),
        method="highs",
    )
    missing = solved.x[pairs:] * scale[leasts] if solved.status == 0 else np.zeros(len(leasts))
    found = tuple(
        Shortfall(
            limit=made.limits[number],
            agency=problem.agencies[made.limits[number].agency],
            possible=int(made.limits[number].amount - np.ceil(short - WHOLE)),
        )
        for number, short in zip(leasts, missing, strict=True)
        if short > WHOLE
    )
    return Infeasible(reason="TOGETHER", shortfalls=found)
