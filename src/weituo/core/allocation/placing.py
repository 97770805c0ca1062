"""Everything about one run in one call: plan, hold-outs, draws, proof, rivals, what chance costs, digest.

Money is whole minor units. The solver works on float32; value and bound of the answer are recomputed from the whole numbers,
the value exactly, the bound by `checker` in float64 (exact below 2⁵³) with a margin outward. Rows are worked in the order of their keys:
the same question and seed give the same answer and digest whatever the order of rows and the number of threads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from weituo.core.allocation import checker, exploration, holding, rivals, solver
from weituo.core.allocation.feasibility import Infeasible
from weituo.core.allocation.problem import Floats, Ints, Problem, ProblemError, problem
from weituo.core.allocation.solver import Solution

IN_HOUSE: Final = -1
FREE: Final = -2
#: parts of the draws that are kept, one after the other, where the solver finds no assignment around all of them
KEPT: Final = (1.0, 0.5, 0.25, 0.0)
#: names of the rows of prices
KINDS: Final = ("count_max", "count_min", "mix_max", "mix_min", "balance_max", "balance_min")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """What a run asks, n accounts and m agencies; keeping an account in-house is always allowed and worth 0.

    accounts (n,): keys, text or whole numbers, no two alike. agencies: m codes. value_minor (n, m): above in-house.
    eligible (n, m). balance_minor (n,). segment (n,): numbers from 0 on. unit (n,): text or numbers; absent: none.
    limits: what `problem.problem` takes, each (m,) or one figure: count_min, count_max, balance_min, balance_max,
    segment_tolerance, count_price, balance_price, segment_price. None of them binds in-house.
    tiers: one an agency, 1 the best; before (n,): where the last run put each account, −1 in-house or not known. fixed (n,):
    where an account is already and stays, −1 in-house, `FREE` to be placed; absent: all free.
    """

    accounts: npt.NDArray[Any]
    agencies: tuple[str, ...]
    value_minor: Ints
    eligible: npt.NDArray[np.bool_]
    balance_minor: Ints
    segment: Ints
    limits: Mapping[str, Any] = field(default_factory=dict)
    unit: npt.NDArray[Any] | None = None
    tiers: Sequence[int] = ()
    before: Ints | None = None
    fixed: Ints | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """The answer to a question; all (n,) in the order of its rows; agencies are positions, −1 in-house.

    assignment; planned: before chance; explored: drawn; measured: drawn where every open agency had a stated chance, all
    that evaluation should weight; held: held out; probability, see `exploration.Draw`, and holding_probability.
    value_minor ≤ drawn_bound_minor (no assignment around these draws and hold-outs is worth more) and ≤ bound_minor (no
    assignment at all); planned_value_minor ≤ planned_bound_minor = bound_minor. Fines for soft limits are taken off.
    chance: what draws and hold-outs cost. prices: rows kind, agency, segment, price. rivals: name → value_minor, accounts,
    broken. plan, final: the solutions, rows in the order of keys, in-house the last column.
    """

    assignment: Ints
    planned: Ints
    explored: npt.NDArray[np.bool_]
    measured: npt.NDArray[np.bool_]
    held: npt.NDArray[np.bool_]
    probability: Floats
    holding_probability: Floats
    value_minor: int
    bound_minor: int
    drawn_bound_minor: int
    planned_value_minor: int
    planned_bound_minor: int
    violations: int
    chance: dict[str, Any]
    prices: tuple[dict[str, Any], ...]
    rivals: dict[str, dict[str, Any]]
    digest: str
    problem: Problem
    plan: Solution
    final: Solution
    order: Ints


def place(
    *,
    question: Question,
    seed: int,
    share: float,
    measured: float = 0.0,
    floor: float = exploration.FLOOR,
    away: float = exploration.AWAY,
    hold_out: float = 0.0,
    threads: int = 2,
    time_limit: float | None = None,
) -> Placed:
    """Answer a question with a share of chance. Raises `ProblemError`, `feasibility.Infeasible`.

    share, measured, floor, away: see `exploration.explore`; hold_out: share of each segment kept in-house, see `holding`.
    """
    work = _Work(question=question, threads=threads, time_limit=time_limit)
    plan = work.solve(work.problem)
    out = holding.hold_out(
        problem=work.problem, keys=work.keys, agency=work.home, share=hold_out, seed=seed, price=plan.price, money=plan.money,
        threads=threads,
    )  # fmt: skip
    kept = work.with_fixed(work.problem, out.held, work.home) if out.held.any() else work.problem
    without = work.solve(kept) if out.held.any() else plan
    drawn = exploration.explore(
        problem=work.among_agencies(kept, without), price=plan.price, money=plan.money, keys=work.keys, seed=seed, share=share,
        measured=measured, floor=floor, away=away, threads=threads,
    )  # fmt: skip
    draw, final = _around(work, kept, drawn, without)
    value, bound = work.proved(final, kept.fixed, draw)
    planned_value, planned_bound = work.proved(plan, work.problem.fixed, None)
    without_value = work.proved(without, kept.fixed, None)[0] if out.held.any() else planned_value
    return Placed(
        assignment=work.back(work.named(final.agency)),
        planned=work.back(work.named(plan.agency)),
        explored=work.back(draw.drawn),
        measured=work.back(draw.measured),
        held=work.back(out.held),
        probability=work.back(draw.probability),
        holding_probability=work.back(out.probability),
        value_minor=value,
        bound_minor=planned_bound,
        drawn_bound_minor=bound,
        planned_value_minor=planned_value,
        planned_bound_minor=planned_bound,
        violations=final.violations,
        chance=_chance(work, draw, drawn, out, planned_value, without_value, value),
        prices=_prices(work, plan),
        rivals=_rivals(work),
        digest=_digest(work, final, draw, out, value, planned_bound),
        problem=work.problem,
        plan=plan,
        final=final,
        order=work.order,
    )


def _around(
    work: _Work, kept: Problem, drawn: exploration.Draw, without: Solution
) -> tuple[exploration.Draw, Solution]:
    """Solve around the draws; where that breaks limits that the plan keeps, take draws back, the last ones first."""
    if not drawn.drawn.any():
        return drawn, without
    best = without.violations
    for part in KEPT:
        draw = drawn if part == 1.0 else exploration.take_back(draw=drawn, part=part)
        if not draw.drawn.any():
            break
        try:
            found = work.solve(work.with_fixed(kept, draw.drawn, draw.agency))
        except Infeasible:
            continue
        if found.violations <= best:
            return draw, found
    return exploration.take_back(draw=drawn, part=0.0), without


class _Work:
    """The question as a problem: rows in the order of keys, in-house as the last column, money as exact float64."""

    def __init__(self, *, question: Question, threads: int, time_limit: float | None) -> None:
        self.question, self.threads, self.time_limit = question, threads, time_limit
        keys = np.asarray(question.accounts)
        n, m = len(keys), len(question.agencies)
        worth, may = np.asarray(question.value_minor), np.asarray(question.eligible)
        if worth.shape != (n, m) or may.shape != (n, m) or worth.dtype.kind not in "iu":
            raise ProblemError(
                f"value_minor and eligible must be {n} × {m}, whole numbers and truths, not {worth.shape}, {may.shape}"
            )
        self.order = np.argsort(keys, kind="stable")
        self.sorted = bool((self.order == np.arange(n)).all())
        self.keys = self._by_key(keys)
        if n > 1 and (self.keys[1:] == self.keys[:-1]).any():
            raise ProblemError(
                f"account {self.keys[int((self.keys[1:] == self.keys[:-1]).argmax())]} stands twice"
            )
        self.home, self.agencies = m, m + 1
        self.exact = np.zeros((n, m + 1))
        self.exact[:, :m] = np.where(self._by_key(may), self._by_key(worth), -np.inf)
        self.problem = problem(
            value=self.exact.astype(np.float32), balance=self._by_key(np.asarray(question.balance_minor)),
            segment=self._by_key(np.asarray(question.segment)), unit=self._unit(), fixed=self._fixed(), **_limits(question.limits, m),
        )  # fmt: skip

    def _by_key(self, given: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return given if self.sorted else given[self.order]

    def _unit(self) -> Ints | None:
        if self.question.unit is None:
            return None
        given = np.asarray(self.question.unit)
        return np.unique(self._by_key(given), return_inverse=True)[1].reshape(-1).astype(np.int64)

    def _fixed(self) -> Ints | None:
        if self.question.fixed is None:
            return None
        given = self._by_key(np.asarray(self.question.fixed))
        return np.where(given == IN_HOUSE, self.home, np.where(given == FREE, -1, given)).astype(np.int64)

    def back(self, found: npt.NDArray[Any]) -> Any:
        """Give a result in the order of the question's rows."""
        if self.sorted:
            return found
        placed = np.empty_like(found)
        placed[self.order] = found
        return placed

    def named(self, agency: npt.NDArray[np.int16]) -> Ints:
        """Give columns with −1 for in-house."""
        return np.where(agency == self.home, IN_HOUSE, agency).astype(np.int64)

    def solve(self, asked: Problem) -> Solution:
        """Solve a problem of these rows."""
        return solver.solve(problem=asked, threads=self.threads, time_limit=self.time_limit)

    def worth(self, agency: npt.NDArray[Any]) -> int:
        """Add up what an assignment is worth in whole minor units; pairs that may not be add nothing."""
        total, step = 0, 1 << 20
        for first in range(0, agency.size, step):
            rows = np.arange(first, min(first + step, agency.size))
            got = self.exact[rows, agency[rows]]
            total += int(np.where(np.isfinite(got), got, 0.0).astype(np.int64).sum())
        return total

    def among_agencies(self, kept: Problem, found: Solution) -> Problem:
        """Leave to chance which agency an account goes to, not whether: what the plan keeps in-house stays there.

        Agencies can be compared on what they get then; what outsourcing adds is measured by hold-outs.
        """
        stays = found.agency == self.home
        value = kept.value.copy()
        value[~stays, self.home] = -np.inf
        return self.with_fixed(replace(kept, value=value), stays, self.home)

    def with_fixed(
        self, asked: Problem, where: npt.NDArray[np.bool_], agency: int | npt.NDArray[np.int16]
    ) -> Problem:
        """Fix some accounts besides those that are fixed already."""
        fixed = asked.fixed if asked.fixed.size else np.full(asked.size, -1, dtype=np.int16)
        return replace(asked, fixed=np.where(where, agency, fixed).astype(np.int16))

    def proved(
        self, found: Solution, fixed: npt.NDArray[np.int16], draw: exploration.Draw | None
    ) -> tuple[int, int]:
        """Recompute value and bound from the whole numbers: (value, fines rounded up taken off; bound).

        Such a value is a whole number, so what bounds it may be rounded down.
        """
        asked = replace(self.problem, fixed=fixed)
        if draw is not None and draw.drawn.any():
            asked = self.with_fixed(asked, draw.drawn, draw.agency)
        exact: Any = replace(asked, value=self.exact)  # type: ignore[arg-type]
        seen = checker.check(
            problem=exact, agency=found.agency, price=found.price, money=found.money, threads=self.threads
        )
        gross = self.worth(found.agency)
        fines = self._fines(seen)
        return gross - fines, int(np.floor(seen["bound"])) if np.isfinite(seen["bound"]) else gross

    def _fines(self, seen: Mapping[str, Any]) -> int:
        """Give what broken soft limits cost, rounded up."""
        limits, broken = self.problem.limits, seen["broken"]
        total = 0.0
        for name, price in (
            ("count", limits.count_price),
            ("balance", limits.balance_price),
            ("mix", limits.mix_price[:, None]),
        ):
            total += float((broken[name] * np.where(np.isfinite(price), price, 0.0)).sum())
        return int(np.ceil(total))


def _limits(given: Mapping[str, Any], m: int) -> dict[str, Any]:
    """Add the in-house column, which no limit binds."""
    free = {
        "count_min": 0, "count_max": np.inf, "balance_min": 0, "balance_max": np.inf, "segment_tolerance": np.inf,
        "count_price": np.inf, "balance_price": np.inf, "segment_price": np.inf,
    }  # fmt: skip
    strange = sorted(set(given) - set(free))
    if strange:
        raise ProblemError(f"unknown limit {strange[0]}")
    made = {}
    for name, figures in given.items():
        array = np.asarray(figures)
        if array.shape not in ((), (1,)) and (array.ndim > 2 or array.shape[0] != m):
            raise ProblemError(f"{name} must be one figure or {m}, not {array.shape}")
        own = array if array.ndim == 2 else np.broadcast_to(array, (m,))
        if np.isinf(free[name]) and own.dtype.kind in "iu" and name.endswith("_max"):
            made[name] = np.concatenate([own.astype(np.int64), np.array([np.iinfo(np.int64).max])])
        else:
            made[name] = np.concatenate([own, np.full((1, *own.shape[1:]), free[name])])
    return made


def _chance(
    work: _Work,
    draw: exploration.Draw,
    drawn: exploration.Draw,
    out: holding.HeldOut,
    planned: int,
    without: int,
    value: int,
) -> dict[str, Any]:
    """Say what chance did and what it costs: of draws, the plan's value less the value with them, and what was expected."""
    return {
        "explored": int(draw.drawn.sum()), "measured": int(draw.measured.sum()), "given_up": draw.given_up,
        "closed": {code: int(count) for code, count in zip(work.question.agencies, drawn.closed[: work.home], strict=True) if count},
        "taken_back": int(drawn.drawn.sum() - draw.drawn.sum()), "exact": draw.exact, "temperature": draw.temperature,
        "cost_minor": without - value, "expected_cost_minor": round(draw.expected_cost),
        "held": int(out.held.sum()), "held_by_segment": out.count.tolist(), "held_of": out.of.tolist(),
        "hold_out_cost_minor": planned - without, "expected_hold_out_cost_minor": round(out.expected_cost),
    }  # fmt: skip


def _prices(work: _Work, plan: Solution) -> tuple[dict[str, Any], ...]:
    """Give the plan's prices, in minor units an account (mix: an account of the segment), or a minor unit of balance."""
    found, segments = [], (plan.row.shape[1] - 1) // 2
    for agency in range(work.home):
        amounts = [("count_max", -1, plan.row[agency, 0]), ("count_min", -1, -plan.row[agency, 0])]
        for segment in range(segments):
            amounts.append(("mix_max", segment, plan.row[agency, 1 + segment]))
            amounts.append(("mix_min", segment, plan.row[agency, 1 + segments + segment]))
        amounts += [("balance_max", -1, plan.money[agency]), ("balance_min", -1, -plan.money[agency])]
        found += [
            {"kind": kind, "agency": agency, "segment": segment, "price": float(price)}
            for kind, segment, price in amounts
            if price > 0
        ]
    return tuple(found)


def _rivals(work: _Work) -> dict[str, dict[str, Any]]:
    """Work out today's rules, and the last run's assignment, on the same problem."""
    question, asked = work.question, work.problem
    columns = sorted(range(work.home), key=lambda column: question.agencies[column])
    tiers = [question.tiers[column] for column in columns] if question.tiers else [1] * work.home
    ways = {
        "round_robin": rivals.round_robin(problem=asked, columns=columns, home=work.home),
        "greedy": rivals.by_tier(problem=asked, tiers=tiers, columns=columns, home=work.home),
    }
    if question.before is not None:
        last = work._by_key(np.asarray(question.before, dtype=np.int64))
        ways["last"] = np.where(last < 0, work.home, last)
    codes = (*question.agencies, "")
    return {
        name: {
            "value_minor": work.worth(agency),
            "accounts": int((agency != work.home).sum()),
            "broken": [
                row | {"agency": codes[row["agency"]] if row["agency"] >= 0 else ""}
                for row in rivals.broken(problem=asked, agency=agency)
            ],
        }
        for name, agency in ways.items()
    }


def _digest(
    work: _Work, final: Solution, draw: exploration.Draw, out: holding.HeldOut, value: int, bound: int
) -> str:
    """Compute the SHA-256 of who gets what and why, in the order of keys, with value and bound; hexadecimal."""
    head = {
        "agencies": work.question.agencies,
        "value_minor": value,
        "bound_minor": bound,
        "accounts": int(work.keys.size),
    }
    found = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    for first in range(0, work.keys.size, 1 << 20):
        found.update("\n".join(map(str, work.keys[first : first + (1 << 20)].tolist())).encode())
    for array in (
        final.agency.astype("<i2"),
        np.packbits(draw.drawn),
        np.packbits(draw.measured),
        np.packbits(out.held),
    ):
        found.update(b"|")
        found.update(array.tobytes())
    return found.hexdigest()
