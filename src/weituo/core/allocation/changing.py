"""New accounts and recalls change only what must change: the best assignment when every move has a price; and why each moved.

`stickiness` is money that staying is worth: it is added to an account's value with the agency that has it. So an account moves
only where that gains more than it, or where a limit, or an account that gains more, needs its place. At 0 this is `solve`; beyond
any difference of values only forced moves are left. The value matrix is not copied: the sums are written into it, one figure an
account, and taken out again before this returns (a matrix that cannot be written is copied).

Every move is told with the one reason that carried most, under the prices p of the solution; gained = value there − value here:

    NEW           it had no agency                           NOT_ALLOWED   the agency that had it must not have it
    CLOSED        that agency may hold nothing               FIXED         it was drawn, held out, or decided
    BETTER        gained ≥ what staying is worth, price or no price
    PLACE         its place there is worth more to others    NEEDED        the new agency must hold more accounts
    BALANCE       its balance is worth room there            BALANCE_NEEDED  the new agency must hold more balance
    MIX           the mix of segments here or there          WHOLE         no price says so: it fell to it in whole accounts
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from weituo.core.allocation import solver
from weituo.core.allocation.problem import Floats, Ints, Problem, ProblemError
from weituo.core.allocation.solver import Solution

REASONS: Final = (
    "NEW", "NOT_ALLOWED", "CLOSED", "FIXED", "BETTER", "PLACE", "NEEDED", "BALANCE", "BALANCE_NEEDED", "MIX", "WHOLE",
)  # fmt: skip
#: places that a price can carry a move by, in the order of the columns of `_pulls`
_PULLS: Final = ("PLACE", "NEEDED", "BALANCE", "BALANCE_NEEDED", "MIX", "MIX")
#: a pull below this part of what is to be explained is none
SEEN: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moves:
    """One row a move, in the order of accounts: account (position), origin (−1 new), target.

    gained: value there less value here, money (NaN where here has none). reason: position in `REASONS`. by: the agency whose
    limit carried it, −1 none. worth: what its place or balance is worth there to others, money.
    """

    account: Ints
    origin: Ints
    target: Ints
    gained: Floats
    reason: npt.NDArray[np.int8]
    by: Ints
    worth: Floats

    def __len__(self) -> int:
        return int(self.account.size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Changed:
    """solution: its value and bound count what staying is worth; value: without that, fines taken off. stayed: accounts."""

    solution: Solution
    value: float
    stayed: int
    moves: Moves


def resolve(
    *,
    problem: Problem,
    before: npt.ArrayLike,
    stickiness: npt.ArrayLike,
    seed: int = 0,
    threads: int = 2,
    time_limit: float | None = None,
) -> Changed:
    """Solve again from what is. before (n,): the agency that has each account, −1 new. stickiness: one sum or (n,).

    inf: staying is worth more than any one move gains. Raises `ProblemError`, `feasibility.Infeasible`.
    """
    here = np.asarray(before)
    if here.shape != (problem.size,) or here.dtype.kind not in "iu":
        raise ProblemError(f"before must be {problem.size} agencies or −1, not {here.dtype} {here.shape}")
    here = here.astype(np.int64)
    if problem.size and (int(here.min()) < -1 or int(here.max()) >= problem.agencies):
        raise ProblemError(f"before must name an agency from 0 to {problem.agencies - 1}, or −1")
    extra = _extra(problem, here, stickiness)
    with _sticky(problem, here, extra) as asked:
        found = solver.solve(problem=asked, seed=seed, threads=threads, time_limit=time_limit)
    stays = found.agency == here
    return Changed(
        solution=found,
        value=found.value - float(extra[stays].sum()),
        stayed=int(stays.sum()),
        moves=explained(problem=problem, solution=found, before=here, stickiness=extra),
    )


def _extra(problem: Problem, here: Ints, stickiness: npt.ArrayLike) -> Floats:
    """Give what staying is worth to each account, as float32 holds it; 0 for new ones and where staying is not allowed."""
    given = np.asarray(stickiness, dtype=np.float64)
    if given.shape not in ((), (problem.size,)) or np.isnan(given).any() or (given < 0).any():
        raise ProblemError(f"stickiness must be one sum from 0 on, or {problem.size}")
    extra = np.broadcast_to(given, (problem.size,)).copy()
    if np.isinf(extra).any():
        extra[np.isinf(extra)] = _beyond(problem)
    rows = np.flatnonzero(here >= 0)
    rows = rows[np.isfinite(problem.value[rows, here[rows]])]
    value = problem.value[rows, here[rows]].astype(np.float64)
    written = np.zeros(problem.size)
    # what float32 makes of value + extra, so that taking it off again leaves the value
    written[rows] = (value + extra[rows]).astype(np.float32).astype(np.float64) - value
    return written


def _beyond(problem: Problem) -> float:
    """Give money beyond what one account gains by any move and another by the place that it leaves."""
    most, step = 0.0, 1 << 20
    for first in range(0, problem.size, step):
        block = problem.value[first : first + step]
        low = np.where(np.isfinite(block), block, np.inf).min(axis=1)
        gain = block.max(axis=1) - low
        most = max(most, float(gain[np.isfinite(gain)].max(initial=0.0)))
    return 2.0 * most + 1.0


@contextmanager
def _sticky(problem: Problem, here: Ints, extra: Floats) -> Iterator[Problem]:
    """Write what staying is worth into the values, and take it out again."""
    rows = np.flatnonzero(extra != 0.0)
    if not rows.size:
        yield problem
        return
    written = (problem.value[rows, here[rows]].astype(np.float64) + extra[rows]).astype(np.float32)
    if not problem.value.flags.writeable:
        copied = problem.value.copy()
        copied[rows, here[rows]] = written
        yield replace(problem, value=copied)
        return
    kept = problem.value[rows, here[rows]].copy()
    problem.value[rows, here[rows]] = written
    try:
        yield problem
    finally:
        problem.value[rows, here[rows]] = kept


def explained(*, problem: Problem, solution: Solution, before: Ints, stickiness: Floats) -> Moves:
    """Say of every account that moved why. stickiness (n,): what staying was worth to it."""
    rows = np.flatnonzero(solution.agency != before)
    here, there = before[rows], solution.agency[rows].astype(np.int64)
    known = here >= 0
    at = np.maximum(here, 0)
    value_here = np.where(known, problem.value[rows, at].astype(np.float64), np.nan)
    gained = problem.value[rows, there].astype(np.float64) - value_here
    needed, (pulls, worth) = stickiness[rows] - gained, _pulls(problem, solution, rows, at, there)
    needed, pulls, worth = (_of_unit(problem, rows, part) for part in (needed, pulls, worth))
    strongest = pulls.argmax(axis=1) if rows.size else np.zeros(0, dtype=np.int64)
    pull = pulls[np.arange(rows.size), strongest] if rows.size else np.zeros(0)
    carried = pull > SEEN * np.maximum(np.abs(np.nan_to_num(needed, posinf=0.0, neginf=0.0)), 1e-9)
    reason = np.where(
        carried, np.array([REASONS.index(name) for name in _PULLS])[strongest], REASONS.index("WHOLE")
    )
    by = np.where(carried, np.where(np.isin(strongest, (0, 2, 4)), here, there), -1)
    shut, barred = _shut(problem), known & np.isneginf(problem.value[rows, at])
    barred = _of_unit(problem, rows, barred.astype(np.float64)) > 0
    for name, where in (
        ("BETTER", needed <= 0),
        ("FIXED", problem.fixed[rows] >= 0 if problem.fixed.size else np.zeros(rows.size, dtype=np.bool_)),
        ("CLOSED", known & shut[at]),
        ("NOT_ALLOWED", known & barred),
        ("NEW", ~known),
    ):
        reason = np.where(where, REASONS.index(name), reason)
        by = np.where(where, here if name in {"CLOSED", "NOT_ALLOWED"} else -1, by)
    return Moves(
        account=rows, origin=here, target=there, gained=np.where(np.isfinite(gained), gained, np.nan),
        reason=reason.astype(np.int8), by=by, worth=np.where(known, worth, 0.0),
    )  # fmt: skip


def _shut(problem: Problem) -> npt.NDArray[np.bool_]:
    """Tell the agencies that may hold nothing."""
    limits = problem.limits
    return np.asarray(
        ((limits.count_max == 0) & ~np.isfinite(limits.count_price))
        | ((limits.balance_max == 0) & ~np.isfinite(limits.balance_price))
    )


def _pulls(
    problem: Problem, solution: Solution, rows: Ints, here: Ints, there: Ints
) -> tuple[Floats, Floats]:
    """Give by what prices push a move, (m, 6): from here by place, balance, mix; to there by leasts and mix. And its worth here.

    Columns: place here · place there (a least count) · balance here · balance there · mix here · mix there.
    """
    lam, balance = solution.row[:, 0], problem.balance[rows].astype(np.float64)
    # all that an account of the segment pays but for its count is the mix rule's
    mix = solution.price.T - lam[:, None]
    own = problem.segment[rows].astype(np.int64)
    pulls = np.column_stack(
        [
            lam[here], -lam[there], solution.money[here] * balance, -solution.money[there] * balance, mix[here, own],
            -mix[there, own],
        ]
    )  # fmt: skip
    worth = lam[here] + mix[here, own] + solution.money[here] * balance
    return np.maximum(pulls, 0.0), worth


def _of_unit(problem: Problem, rows: Ints, part: Floats) -> Floats:
    """Add up what concerns a whole unit: its accounts move together. Accounts of one unit with different origins do so apart."""
    if not problem.unit.size or not rows.size:
        return part
    _, member = np.unique(problem.unit[rows], return_inverse=True)
    member = member.reshape(-1)
    total = np.zeros((int(member.max()) + 1, *part.shape[1:]))
    np.add.at(total, member, np.nan_to_num(part, nan=0.0, posinf=0.0, neginf=0.0))
    return total[member]


def sentence(*, moves: Moves, at: int) -> str:
    """Say in one sentence why the move at a position was made, agencies by position."""
    name = REASONS[int(moves.reason[at])]
    here, there, by = int(moves.origin[at]), int(moves.target[at]), int(moves.by[at])
    told = {
        "NEW": "it had no agency",
        "NOT_ALLOWED": f"agency {here} must not have it",
        "CLOSED": f"agency {here} closed",
        "FIXED": f"it was fixed to agency {there}",
        "BETTER": f"it is worth {moves.gained[at]:,.2f} more at agency {there}",
        "PLACE": f"its place at agency {here} is worth {moves.worth[at]:,.2f} more to others",
        "NEEDED": f"agency {there} must hold more accounts",
        "BALANCE": f"its balance takes room at agency {here} that is worth {moves.worth[at]:,.2f} to others",
        "BALANCE_NEEDED": f"agency {there} must hold more balance",
        "MIX": f"the mix of segments at agency {by}",
        "WHOLE": "whole accounts: no price asks for it",
    }
    return told[name]
