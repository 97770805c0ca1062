"""What the prices say: which limits bind and what one more place is worth, what each rule costs, why an account is where it is.

A limit's price is the slope of the bound: one more place, one more account of a segment, or 1,000 more minor units of balance
would be worth so much. A rule costs what the bound would rise by without it. An account is where its value less the prices of
its place, of the mix and of its balance is highest; few sit elsewhere, and are told so.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from weituo.core.allocation import checker, prices
from weituo.core.allocation.cells import cells
from weituo.core.allocation.prices import Prices, Reader, Rows, State
from weituo.core.allocation.problem import NO_LIMIT, Floats, Limits, Problem
from weituo.core.allocation.relaxing import by_segment
from weituo.core.allocation.solver import Solution

#: minor units of balance to which its price refers
BALANCE_UNITS: Final = 1_000
#: prices below this share of a usual value say nothing
SILENT: Final = 1e-7
#: a step that promises less than this share of the bound is not worth a pass when rules are priced
TOLERANCE: Final = 1e-7
#: how much worse than its best at the prices an agency counts as equally good, as a share of a usual value
EVEN: Final = 1e-6

RULES: Final = ("count_min", "count_max", "balance_min", "balance_max", "mix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One limit with a price. kind: count_min, count_max, balance_min, balance_max, mix_most or mix_least (with segment).

    limit and held: accounts or minor units. price: money that `per` more units would be worth, never negative.
    """

    kind: str
    agency: int
    segment: int | None
    limit: int
    held: int
    price: float
    per: int

    def told(self, name: Callable[[int], str] = lambda agency: f"agency {agency}") -> str:
        """Say it in one sentence."""
        what = {
            "count_max": f"one more place at {name(self.agency)}",
            "count_min": f"one account less that {name(self.agency)} must hold",
            "balance_max": f"{self.per:,} more of balance at {name(self.agency)}",
            "balance_min": f"{self.per:,} less of balance that {name(self.agency)} must hold",
            "mix_most": f"one more account of segment {self.segment} at {name(self.agency)}",
            "mix_least": f"one account of segment {self.segment} less that {name(self.agency)} must hold",
        }[self.kind]
        return f"{what} is worth {self.price:,.2f}"

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain data, with the sentence."""
        return {**asdict(self), "text": self.told()}


def binding(*, problem: Problem, solution: Solution) -> list[Binding]:
    """List the limits that have a price, the dearest first."""
    row, money, held, owed = solution.row, solution.money, solution.checked["held"], solution.checked["owed"]
    s, limits, total = (row.shape[1] - 1) // 2, problem.limits, held.sum(axis=0)
    least = SILENT * _usual(problem)
    found: list[Binding] = []
    for a in range(problem.agencies):
        for kind, price, limit, holds, per in (
            ("count_max", row[a, 0], limits.count_max[a], total[a], 1),
            ("count_min", -row[a, 0], limits.count_min[a], total[a], 1),
            ("balance_max", money[a] * BALANCE_UNITS, limits.balance_max[a], owed[a], BALANCE_UNITS),
            ("balance_min", -money[a] * BALANCE_UNITS, limits.balance_min[a], owed[a], BALANCE_UNITS),
        ):
            if price > least:
                found.append(
                    Binding(
                        kind=kind, agency=a, segment=None, limit=int(limit), held=int(holds), price=float(price), per=per
                    )
                )  # fmt: skip
    if s > 1:
        share = problem.share()
        for a, place in np.argwhere(row[:, 1:] > least):
            u, most = int(place % s), place < s
            away = limits.tolerance[a, u] if most else -limits.tolerance[a, u]
            whole = (
                np.ceil((share[u] + away) * total[a] - 1e-9)
                if most
                else np.floor((share[u] + away) * total[a] + 1e-9)
            )
            found.append(
                Binding(
                    kind="mix_most" if most else "mix_least", agency=int(a), segment=u, limit=int(whole),
                    held=int(held[u, a]), price=float(row[a, 1 + place]), per=1,
                )
            )  # fmt: skip
    return sorted(found, key=lambda one: (-one.price, one.agency, one.kind))


def _usual(problem: Problem) -> float:
    few = problem.value[:10_000]
    few = few[np.isfinite(few)]
    return max(float(np.abs(few).mean()) if few.size else 1.0, 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one family of limits costs: the bound without it less the bound with it, in money and as a share of the former."""

    rule: str
    cost: float
    share: float

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain data, with the sentence."""
        name = {
            "count_min": "the least counts", "count_max": "the largest counts", "balance_min": "the least balances",
            "balance_max": "the largest balances", "mix": "the mix rule",
        }[self.rule]  # fmt: skip
        costs = "costs" if self.rule == "mix" else "cost"
        return {**asdict(self), "text": f"{name} {costs} {self.cost:,.2f}, {100 * self.share:.2g} %"}


def rules(*, problem: Problem, solution: Solution, threads: int = 2) -> list[Cost]:
    """Price each family of limits that is there: take it away, find prices again from the present ones, prove the bound."""
    made = cells(problem)
    rows = prices.rows_of(
        limits=problem.limits, parts=made.parts, share=made.share,
        mean_balance=float(problem.balance.sum()) / max(made.size, 1),
    )  # fmt: skip
    at = Prices(row=solution.row, money=solution.money / rows.unit)
    found: list[Cost] = []
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        for rule in RULES:
            if not _there(problem.limits, made.parts.shape[1], rule):
                continue
            loose, start = _without(rows, at, rule)
            state = prices.descend(
                reader=Reader(cells=made, rows=loose, pool=pool),
                state=State(prices=start, near=max(_usual(problem) / 2, 1e-6), damping=prices.DAMPING[0]),
                tolerance=max(TOLERANCE, prices.FINE / max(made.size, 1) / 10),
            )
            checked = checker.check(
                problem=replace(problem, limits=_lifted(problem.limits, rule)),
                agency=solution.agency,
                price=by_segment(problem, state.prices.row),
                money=state.prices.money * rows.unit,
                threads=threads,
            )
            cost = max(float(checked["bound"]) - solution.bound, 0.0)
            found.append(Cost(rule=rule, cost=cost, share=cost / max(abs(float(checked["bound"])), 1e-12)))
    return found


def _there(limits: Limits, segments: int, rule: str) -> bool:
    return {
        "count_min": bool((limits.count_min > 0).any()), "count_max": bool((limits.count_max < NO_LIMIT).any()),
        "balance_min": bool((limits.balance_min > 0).any()), "balance_max": bool((limits.balance_max < NO_LIMIT).any()),
        "mix": segments > 1 and bool(np.isfinite(limits.tolerance).any()),
    }[rule]  # fmt: skip


def _lifted(limits: Limits, rule: str) -> Limits:
    """The limits without one family."""
    none: dict[str, npt.NDArray[Any]] = {
        "count_min": np.zeros_like(limits.count_min), "count_max": np.full_like(limits.count_max, NO_LIMIT),
        "balance_min": np.zeros_like(limits.balance_min), "balance_max": np.full_like(limits.balance_max, NO_LIMIT),
        "mix": np.full_like(limits.tolerance, np.inf),
    }  # fmt: skip
    return replace(limits, **{"tolerance" if rule == "mix" else rule: none[rule]})


def _without(rows: Rows, at: Prices, rule: str) -> tuple[Rows, Prices]:
    """Rows in which one family has no price, and prices to begin with."""
    floor, ceiling = rows.floor.copy(), rows.ceiling.copy()
    money_floor, money_ceiling = rows.money_floor.copy(), rows.money_ceiling.copy()
    if rule == "count_min":
        floor[:, 0] = 0.0
    elif rule == "count_max":
        ceiling[:, 0] = 0.0
    elif rule == "mix":
        floor[:, 1:] = ceiling[:, 1:] = 0.0
    elif rule == "balance_min":
        money_floor[:] = 0.0
    else:
        money_ceiling[:] = 0.0
    return (
        replace(rows, floor=floor, ceiling=ceiling, money_floor=money_floor, money_ceiling=money_ceiling),
        Prices(row=np.clip(at.row, floor, ceiling), money=np.clip(at.money, money_floor, money_ceiling)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One agency for an account: value, less the prices of the place, the mix and the balance, leaves `left`."""

    agency: int
    value: float
    place: float
    mix: float
    balance: float
    left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why an account is where it is. choices: its agencies, the best at the prices first. note: best, even, fixed or rounded.

    together: accounts that go with it (their values and prices are added up). lost: `left` given up against the best.
    even: another agency is as good. rounded: whole accounts do not fit otherwise. fixed: it was there beforehand.
    """

    account: int
    agency: int
    together: int
    choices: tuple[Choice, ...]
    note: str
    lost: float

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain data."""
        return asdict(self)


def why(*, problem: Problem, solution: Solution, account: int) -> Why:
    """Explain one account (its position). Raises IndexError when there is none."""
    if not 0 <= account < problem.size:
        raise IndexError(account)
    rows = np.flatnonzero(problem.unit == problem.unit[account]) if problem.unit.size else np.array([account])
    value: Floats = problem.value[rows].astype(np.float64).sum(axis=0)
    place = solution.row[:, 0] * rows.size
    mix = solution.price[problem.segment[rows]].sum(axis=0) - place
    owing = solution.money * float(problem.balance[rows].sum())
    left = value - place - mix - owing
    order = [int(a) for a in np.argsort(-left, kind="stable") if value[a] > -np.inf]
    here = int(solution.agency[account])
    lost = float(left[order[0]] - left[here])
    if problem.fixed.size and (problem.fixed[rows] >= 0).any():
        note = "fixed"
    elif lost > EVEN * _usual(problem) * rows.size:
        note = "rounded"
    else:
        note = (
            "even" if len(order) > 1 and left[order[0]] - left[order[1]] <= EVEN * _usual(problem) else "best"
        )
    return Why(
        account=account, agency=here, together=int(rows.size),
        choices=tuple(
            Choice(
                agency=a, value=float(value[a]), place=float(place[a]), mix=float(mix[a]), balance=float(owing[a]),
                left=float(left[a]),
            )
            for a in order
        ),
        note=note, lost=max(lost, 0.0),
    )  # fmt: skip
