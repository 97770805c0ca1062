"""Limits that cannot all be kept: refused with the reason in one sentence, and the least relaxation that would do.

What one reading shows is refused at once: an account without any agency, too few places, minima too high, agencies too small
together for accounts that may go nowhere else. All else shows in the prices: where limits clash, the bound falls without end,
and a bound below what any assignment is worth proves that there is none. `relaxing` then finds what to give way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from weituo.core.allocation import surveying
from weituo.core.allocation.cells import Cells
from weituo.core.allocation.problem import NO_LIMIT, Ints, Problem, ProblemError
from weituo.core.allocation.surveying import Survey

#: agencies named one by one in a sentence
NAMED: Final = 8
#: positions of accounts that a refusal carries
SHOWN: Final = 10


class Kind(StrEnum):
    """Why no assignment keeps all limits."""

    WITHOUT_AGENCY = "without_agency"
    FIXED_BARRED = "fixed_barred"
    FIXED_OVER = "fixed_over"
    PLACES = "places"
    MINIMA = "minima"
    BALANCE_PLACES = "balance_places"
    BALANCE_MINIMA = "balance_minima"
    FEW_ELIGIBLE = "few_eligible"
    FEW_BALANCE = "few_balance"
    FEW_IN_MIX = "few_in_mix"
    LICENCES = "licences"
    LICENCES_BALANCE = "licences_balance"
    LEAST_LICENCES = "least_licences"
    LEAST_LICENCES_BALANCE = "least_licences_balance"
    CLASH = "clash"
    WHOLE_ACCOUNTS = "whole_accounts"


#: {who} agencies, {has} what they have, {needs} what is needed, {least} the least that must give
SENTENCES: Final = {
    Kind.WITHOUT_AGENCY: "{needs} accounts may go to no agency at all: the first is account {first}",
    Kind.FIXED_BARRED: "{needs} accounts are fixed to an agency that may not have them: the first is account {first}",
    Kind.FIXED_OVER: "{who}: {has} places for {needs} accounts that are fixed there",
    Kind.PLACES: "all agencies together have {has} places for {needs} accounts",
    Kind.MINIMA: "all agencies together must hold at least {needs} accounts, and there are {has}",
    Kind.BALANCE_PLACES: "all agencies together may hold a balance of {has}, and the accounts owe {needs}",
    Kind.BALANCE_MINIMA: "all agencies together must hold a balance of at least {needs}, and the accounts owe {has}",
    Kind.FEW_ELIGIBLE: "{who} must hold at least {needs} accounts, and only {has} may go there",
    Kind.FEW_BALANCE: "{who} must hold a balance of at least {needs}, and the accounts that may go there owe {has}",
    Kind.FEW_IN_MIX: "{who} must hold at least {needs} accounts, of which the mix rule leaves {has} that may go there",
    Kind.LICENCES: "{who} together have {has} places for {needs} accounts that may go nowhere else",
    Kind.LICENCES_BALANCE: "{who} together may hold a balance of {has}, and accounts that may go nowhere else owe {needs}",
    Kind.LEAST_LICENCES: "{who} together must hold at least {needs} accounts, and only {has} may go to any of them",
    Kind.LEAST_LICENCES_BALANCE: (
        "{who} together must hold a balance of at least {needs}, and the accounts that may go to any of them owe {has}"
    ),
    Kind.CLASH: "{limits} of {who} cannot all be kept{least}",
    Kind.WHOLE_ACCOUNTS: "no assignment of whole accounts that keeps every limit was found: {broken} stay broken",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxed:
    """One limit that gives way. limit: count_min, count_max, balance_min, balance_max or segment_tolerance (with segment)."""

    limit: str
    agency: int
    segment: int | None
    was: float
    to: float


class Infeasible(Exception):
    """No assignment keeps all limits; `str` says why by positions, `told` by names.

    agencies: positions concerned. accounts: how many are concerned; positions: the first of them. places: what there is;
    needed: what would be needed, in accounts or minor units. limits: which families clash. relaxation: limits that give way,
    with which an assignment exists; least: accounts (balances counted in mean accounts) that any relaxation must give at
    least. proved: whether it is certain.
    """

    def __init__(
        self, *, kind: Kind, agencies: Sequence[int] = (), segment: int | None = None, accounts: int = 0,
        positions: Sequence[int] = (), places: int = 0, needed: int = 0, limits: Sequence[str] = (),
        relaxation: Sequence[Relaxed] = (), least: float = 0.0, proved: bool = True,
    ) -> None:  # fmt: skip
        self.kind, self.segment, self.accounts, self.places, self.needed = (
            kind,
            segment,
            accounts,
            places,
            needed,
        )
        self.agencies, self.positions, self.limits = tuple(agencies), tuple(positions), tuple(limits)
        self.relaxation, self.least, self.proved = tuple(relaxation), least, proved
        super().__init__(self.told(str))

    @classmethod
    def without_agency(cls, *, positions: Sequence[int], accounts: int) -> Infeasible:
        """Give the refusal of accounts that no agency may have."""
        return cls(kind=Kind.WITHOUT_AGENCY, accounts=accounts, needed=accounts, positions=positions)

    def told(self, name: Callable[[int], str]) -> str:
        """Say why in one sentence, with agencies named by their position."""
        many = len(self.agencies) > 1
        return SENTENCES[self.kind].format(
            who=("agencies " if many else "agency ") + listed([name(a) for a in self.agencies]), has=f"{self.places:,}",
            needs=f"{self.needed:,}", first=self.positions[0] if self.positions else "", least=self._least(),
            limits=listed(self.limits), broken=f"{self.needed:,}",
        )  # fmt: skip

    def _least(self) -> str:
        if self.least <= 0:
            return ""
        figure = f"{self.least:,.0f}" if self.least >= 10 else f"{self.least:.2g}"
        return f": at least {figure} accounts (balances in mean accounts) too many or too few"

    def as_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        return {
            "kind": str(self.kind), "agencies": list(self.agencies), "segment": self.segment, "accounts": self.accounts,
            "positions": list(self.positions), "places": self.places, "needed": self.needed, "limits": list(self.limits),
            "relaxation": [asdict(one) for one in self.relaxation], "least": self.least, "proved": self.proved,
        }  # fmt: skip

    def with_relaxation(self, relaxation: Sequence[Relaxed], least: float) -> Infeasible:
        """Give the same refusal with what would do."""
        return Infeasible(
            kind=self.kind, agencies=self.agencies, segment=self.segment, accounts=self.accounts, positions=self.positions,
            places=self.places, needed=self.needed, limits=self.limits, relaxation=relaxation, least=least, proved=self.proved,
        )  # fmt: skip


def listed(names: Sequence[str]) -> str:
    """Join names as a person would: “2, 5 and 7”."""
    shown = list(names[:NAMED]) + ([f"{len(names) - NAMED} more"] if len(names) > NAMED else [])
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1] if shown else ""


def survey(*, problem: Problem, made: Cells, pool: ThreadPoolExecutor) -> Survey:
    """Read the problem once, as far as the refusals of this module need."""
    low, _, owed_low, _ = hard(problem)
    limits, segments = problem.limits, made.parts.shape[1]
    need = np.zeros((problem.agencies, 1 + segments), dtype=np.int64)
    need[:, 0] = low
    if segments > 1:
        most = np.minimum(made.share[None, :] + limits.tolerance, 1.0) * low[:, None] + 1
        rule = np.isfinite(limits.tolerance).any(axis=1) & ~np.isfinite(limits.mix_price) & (low > 0)
        there = np.bincount(problem.segment, minlength=segments)
        need[:, 1:] = np.where(rule[:, None], np.minimum(np.ceil(most), there[None, :]), 0)
    return surveying.survey(made=made, need=need, need_owed=owed_low, pool=pool)


def refuse_plain(*, problem: Problem, made: Cells, seen: Survey) -> None:
    """Refuse what one reading shows. Raises `ProblemError` for unusable values, `Infeasible` without relaxation."""
    _refuse_values(problem, made, seen)
    for check in (_sums, _each_agency, _mix, _patterns):
        if (found := check(problem, made, seen)) is not None:
            raise found


def _refuse_values(problem: Problem, made: Cells, seen: Survey) -> None:
    if seen.odd >= 0:
        row = seen.odd
        if made.member.size:
            mine = np.flatnonzero(made.member == row)
            row = int(
                mine[(np.isnan(problem.value[mine]) | np.isposinf(problem.value[mine])).any(axis=1).argmax()]
            )
        raise ProblemError(f"value must be a number or −inf: row {row} holds NaN or +inf")
    for first, units, kind in (
        (seen.barred, seen.barred_units, Kind.WITHOUT_AGENCY), (seen.forbidden, seen.forbidden_units, Kind.FIXED_BARRED),
    ):  # fmt: skip
        if first >= 0:
            positions = np.flatnonzero(made.member == first) if made.member.size else np.array([first])
            count = units if not made.member.size else max(units, int(positions.size))
            shown = [int(x) for x in positions[:SHOWN]]
            where = [int(made.fixed[first])] if kind is Kind.FIXED_BARRED else []
            raise Infeasible(kind=kind, accounts=count, needed=count, positions=shown, agencies=where)


def hard(problem: Problem) -> tuple[Ints, Ints, Ints, Ints]:
    """Give count_min, count_max, balance_min, balance_max without those that may be broken for a price."""
    limits = problem.limits
    loose, loose_money = np.isfinite(limits.count_price), np.isfinite(limits.balance_price)
    return (
        np.where(loose, 0, limits.count_min), np.where(loose, NO_LIMIT, limits.count_max),
        np.where(loose_money, 0, limits.balance_min), np.where(loose_money, NO_LIMIT, limits.balance_max),
    )  # fmt: skip


def any_hard(problem: Problem) -> bool:
    """Tell whether there is a limit that must not be broken."""
    low, high, owed_low, owed_high = hard(problem)
    mix = np.isfinite(problem.limits.tolerance) & ~np.isfinite(problem.limits.mix_price)[:, None]
    return bool(
        (low > 0).any()
        or (high < NO_LIMIT).any()
        or (owed_low > 0).any()
        or (owed_high < NO_LIMIT).any()
        or mix.any()
    )


def _total(most: Ints, all_there_is: int) -> int:
    """Add up limits; one that sets none counts as all there is."""
    return sum(min(int(x), all_there_is) for x in most)


def _sums(problem: Problem, made: Cells, survey: Survey) -> Infeasible | None:
    low, high, owed_low, owed_high = hard(problem)
    n, owed = problem.size, int(problem.balance.sum())
    everyone = range(problem.agencies)
    for kind, has, needs in (
        (Kind.PLACES, _total(high, n), n), (Kind.MINIMA, n, int(low.sum())),
        (Kind.BALANCE_PLACES, _total(owed_high, owed), owed), (Kind.BALANCE_MINIMA, owed, int(owed_low.sum())),
    ):  # fmt: skip
        if has < needs:
            return Infeasible(kind=kind, agencies=everyone, accounts=n, places=has, needed=needs)
    return None


def _each_agency(problem: Problem, made: Cells, survey: Survey) -> Infeasible | None:
    low, high, owed_low, _ = hard(problem)
    eligible, drawn = survey.eligible.sum(axis=1), survey.drawn.sum(axis=1)
    for kind, has, needs in (
        (Kind.FIXED_OVER, high, drawn), (Kind.FEW_ELIGIBLE, eligible, low), (Kind.FEW_BALANCE, survey.owed, owed_low),
    ):  # fmt: skip
        short = has < needs
        if short.any():
            a = int(short.argmax())
            concerned = int(drawn[a] if kind is Kind.FIXED_OVER else eligible[a])
            return Infeasible(
                kind=kind, agencies=[a], accounts=concerned, places=int(has[a]), needed=int(needs[a])
            )
    return None


def _mix(problem: Problem, made: Cells, survey: Survey) -> Infeasible | None:
    """Find an agency that cannot reach its least count within the mix rule, for want of accounts of a segment."""
    limits = problem.limits
    low_count, _, _, _ = hard(problem)
    rule = np.isfinite(limits.tolerance).any(axis=1) & ~np.isfinite(limits.mix_price) & (low_count > 0)
    if made.parts.shape[1] < 2:
        return None
    for a in np.flatnonzero(rule):
        low, high = made.share - limits.tolerance[a], made.share + limits.tolerance[a]
        least, mine = int(low_count[a]), survey.eligible[a]
        # accounts of one segment short: the agency can hold no more than that segment allows
        short = np.floor(np.maximum(low, 0) * least + 1e-9) > mine
        # concave in the count, rounding apart: too little at the least count is too little at any beyond
        room = float(np.minimum(mine, np.minimum(high, 1) * least + 1).sum())
        if short.any() or room < least:
            u = int(short.argmax()) if short.any() else None
            if u is not None:
                # the count up to which what is there of the segment is enough
                room = min(least - 1, int((int(mine[u]) + 1) / low[u]))
            return Infeasible(
                kind=Kind.FEW_IN_MIX,
                agencies=[int(a)],
                segment=u,
                accounts=int(mine.sum()),
                places=int(room),
                needed=least,
            )
    return None


def _patterns(problem: Problem, made: Cells, survey: Survey) -> Infeasible | None:
    """Find agencies that are too small together, or must hold too much together."""
    opened = survey.patterns
    if opened is None or not opened.size:
        return None
    low, high, owed_low, owed_high = hard(problem)
    n, owed = problem.size, int(problem.balance.sum())
    for kind, supply, limit, total in (
        (Kind.LICENCES, survey.accounts, high, n), (Kind.LICENCES_BALANCE, survey.balance, owed_high, owed),
    ):  # fmt: skip
        chosen = surveying.too_small(supply=supply, opened=opened, room=np.minimum(limit, total))
        if chosen is not None:
            inside = ~opened[:, ~chosen].any(axis=1)
            return Infeasible(
                kind=kind, agencies=_positions(chosen), accounts=int(survey.accounts[inside].sum()),
                places=_total(limit[chosen], total), needed=int(supply[inside].sum()),
            )  # fmt: skip
    for kind, supply, limit in (
        (Kind.LEAST_LICENCES, survey.accounts, low), (Kind.LEAST_LICENCES_BALANCE, survey.balance, owed_low),
    ):  # fmt: skip
        chosen = surveying.too_hungry(supply=supply, opened=opened, least=limit)
        if chosen is not None:
            some = opened[:, chosen].any(axis=1)
            return Infeasible(
                kind=kind, agencies=_positions(chosen), accounts=int(survey.accounts[some].sum()),
                places=int(supply[some].sum()), needed=int(limit[chosen].sum()),
            )  # fmt: skip
    return None


def _positions(chosen: npt.NDArray[np.bool_]) -> list[int]:
    return [int(a) for a in np.flatnonzero(chosen)]


def licences(
    *, problem: Problem, made: Cells, small: Ints, hungry: Ints, pool: ThreadPoolExecutor
) -> Infeasible | None:
    """Tell whether the agencies `small` have too little room together, or `hungry` too much to hold, counted exactly."""
    low, high, owed_low, owed_high = hard(problem)
    n, owed = problem.size, int(problem.balance.sum())
    for chosen_ones, is_small in ((small, True), (hungry, False)):
        if not chosen_ones.size:
            continue
        chosen = np.zeros(problem.agencies, dtype=bool)
        chosen[chosen_ones] = True
        only, only_money, some, some_money = surveying.reachable(made=made, chosen=chosen, pool=pool)
        for kind, has, needs in (
            (Kind.LICENCES, _total(high[chosen], n), only), (Kind.LICENCES_BALANCE, _total(owed_high[chosen], owed), only_money),
        ) if is_small else (
            (Kind.LEAST_LICENCES, some, int(low[chosen].sum())), (Kind.LEAST_LICENCES_BALANCE, some_money, int(owed_low[chosen].sum())),
        ):  # fmt: skip
            if has < needs:
                return Infeasible(
                    kind=kind,
                    agencies=_positions(chosen),
                    accounts=only if is_small else some,
                    places=has,
                    needed=needs,
                )
    return None


def floor(*, problem: Problem, survey: Survey) -> float:
    """Give a sum that every assignment within the hard limits is worth at least: a bound below it proves there is none."""
    if not any_hard(problem):
        return -np.inf
    limits, n, owed = problem.limits, problem.size, float(problem.balance.sum())
    fines = 0.0
    for price, most in (
        (limits.count_price, limits.count_min + n), (limits.balance_price, limits.balance_min + owed), (limits.mix_price, 2.0 * n),
    ):  # fmt: skip
        fines += float((np.where(np.isfinite(price), price, 0.0) * most).sum())
    return survey.lowest - fines - abs(survey.lowest) * 1e-6
