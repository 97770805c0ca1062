"""A small share of accounts is placed by chance, so that agencies can be compared fairly; the chance is known exactly.

What an account would lose at agency k is its regret under the prices of the plan without draws: max_j r_ij − r_ik. Chance
follows it, so that near ties are drawn often and dear mistakes hardly ever, and limits hold on average by themselves:

    softmax_k = exp(−regret_ik / τ) / Σ_j exp(−regret_ij / τ)       τ from the data: `away` of the draws leave their best
    p_k = softmax_k                                                the drawn slice
    p_k = f + (1 − K_i f) softmax_k,  f = min(floor, 1 / K_i)       the measured slice; K_i agencies are open to account i

Two keyed numbers of an account decide: the first whether it lies in the measured slice (below `measured`), in the drawn
slice (below `measured` + `share`) or in none; the second which agency it gets. Neither depends on rows' order.

Draws never take more than `ROOM` of what a hard limit allows an agency. Where they could:
- by balance: accounts so large that the agency's draws might exceed it are closed to it before the softmax;
- by count C: p_k is lowered by one factor for the agency, and then, going by the first number, only the first C draws stand.
The chance that one stands is that fewer than C of those before it were drawn to k, a sum of independent draws whose
distribution is worked out exactly (Poisson-binomial; Wang 1993). A draw that does not stand is given up: the account is
placed by the plan.

What may be used of it: for an account that was drawn, `probability` is the chance, over the second numbers, that this account
is drawn to this agency and the draw stands, given the slices. In the measured slice it is at least f × the two factors above
for every open agency, so inverse-probability weighting over accounts with `measured` is valid for all of them. The drawn
slice alone has chances too small for that away from near ties. Accounts that are not drawn have 1.0, and say nothing.
Sources: softmax logging on a surrogate (Swaminathan and Joachims 2015); a floor for support (Li et al. 2011).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from weituo.core.allocation.bundling import Bundles, bundles, worths
from weituo.core.allocation.keying import keyed
from weituo.core.allocation.problem import NO_LIMIT, Floats, Ints, Problem, ProblemError

#: of what a hard most allows, draws may take at most this part
ROOM: Final = 0.5
#: chance of the least account with each agency that is open to it, in the measured slice
FLOOR: Final = 0.05
#: of the draws by softmax, the share that leaves its best agency; decides τ
AWAY: Final = 0.2
#: bundles that τ is found on, and rows looked at in one go
LOOKED_AT: Final = 20_000
BLOCK: Final = 1 << 16
#: an overflow less likely than this is none: below what float64 can add to 1
NEGLIGIBLE: Final = 1e-16
#: draws of an agency by which large accounts are judged: expected ones plus so many spreads, few draws and many
SPREADS: Final = (4.0, 10.0)
MANY: Final = 400.0
#: quotas below this may be reached, and the chance of it is worked out; larger ones are kept out of reach
COUNTED: Final = 2_500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draw:
    """agency (n,) int16: what the account is drawn to, −1 not drawn. probability (n,): see the module; 1 where not drawn.

    measured (n,): drawn in the measured slice. number (n,): the account's first number. temperature: τ. expected_cost: what
    the draws cost on average, money, by regret before drawing. given_up: bundles whose draw did not stand. closed (k,):
    bundles of the slices that the agency was closed to for their balance. exact: false when draws were taken back.
    """

    agency: npt.NDArray[np.int16]
    probability: Floats
    measured: npt.NDArray[np.bool_]
    number: Floats
    temperature: float
    expected_cost: float
    given_up: int
    closed: Ints
    exact: bool = True
    chosen: Ints
    chances: Floats

    @property
    def drawn(self) -> npt.NDArray[np.bool_]:
        """Which accounts are placed by chance."""
        return self.agency >= 0


def explore(
    *,
    problem: Problem,
    price: Floats,
    money: Floats,
    keys: npt.ArrayLike,
    seed: int,
    share: float,
    measured: float,
    floor: float = FLOOR,
    away: float = AWAY,
    threads: int = 2,
    keep_chances: bool = False,
) -> Draw:
    """Draw accounts. price (s, k), money (k,): of the solution without draws. Accounts that are fixed already are left alone.

    keep_chances: give also chosen (m,), the first account of every bundle in the slices, and chances (m, k), the chance
    that it is drawn to each agency and the draw stands. Raises `ProblemError` for shares that cannot be.
    """
    for name, part in (("share", share), ("measured", measured), ("floor", floor), ("away", away)):
        if not 0 <= part <= 1:
            raise ProblemError(f"{name} must lie between 0 and 1, not {part}")
    if share + measured > 1:
        raise ProblemError(f"share and measured must not exceed 1 together, not {share + measured}")
    made = bundles(problem=problem, keys=keys, seed=seed, threads=threads)
    number = keyed(seed=seed, purpose="slice", keys=made.key, threads=threads)
    ranked = np.where(made.fixed, np.inf, number)
    chosen = np.flatnonzero(ranked < measured + share)
    chosen = chosen[np.argsort(ranked[chosen], kind="stable")]
    work = _Work(
        problem=problem, made=made, price=price, money=money, chosen=chosen, inside=int((ranked[chosen] < measured).sum()),
        floor=floor, temperature=_temperature(problem, made, ranked, price, money, away), cap=_no_cap(problem.agencies),
        size=made.size(chosen),
    )  # fmt: skip
    return _drawn(_closed_to_large(work), number, seed, threads, keep_chances)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Work:
    """The bundles of the slices (in the order of their first numbers, `inside` of them measured) and how they are drawn.

    cap (k,): the largest balance that may be drawn to each agency.
    """

    problem: Problem
    made: Bundles
    price: Floats
    money: Floats
    chosen: Ints
    inside: int
    floor: float
    temperature: float
    cap: Ints
    size: Ints

    def blocks(self) -> Iterator[tuple[slice, Floats, Floats, Ints]]:
        """Give, block by block: which, chances (m, k), regrets (m, k), and by agency how many are closed for their balance."""
        for first in range(0, self.chosen.size, BLOCK):
            rows = slice(first, min(first + BLOCK, self.chosen.size))
            r, balance = worths(
                problem=self.problem,
                made=self.made,
                chosen=self.chosen[rows],
                price=self.price,
                money=self.money,
            )
            regret = r.max(axis=1, keepdims=True) - r
            large = np.isfinite(r) & (balance[:, None] > self.cap[None, :])
            left = np.where(large, np.inf, regret)
            inside = max(min(self.inside - first, left.shape[0]), 0)
            chance = np.concatenate(
                [
                    chances(regret=left[:inside], temperature=self.temperature, floor=self.floor),
                    chances(regret=left[inside:], temperature=self.temperature),
                ]
            )
            yield rows, chance, regret, large.sum(axis=0)


def _no_cap(k: int) -> Ints:
    return np.full(k, NO_LIMIT, dtype=np.int64)


def chances(*, regret: Floats, temperature: float, floor: float = 0.0) -> Floats:
    """Give the chance of every agency, (m, k), rows adding up to 1. regret (m, k): inf closed; a row of closed ones gets zeros."""
    width = np.isfinite(regret)
    first = np.where(width, regret, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    chance = np.exp(-np.where(width, regret - np.where(np.isfinite(first), first, 0.0), np.inf) / temperature)
    chance /= np.maximum(chance.sum(axis=1, keepdims=True), 1e-300)
    number = np.maximum(width.sum(axis=1, keepdims=True), 1)
    least = np.minimum(floor, 1.0 / number)
    return np.where(width, least + np.maximum(1.0 - number * least, 0.0) * chance, 0.0)


def _temperature(
    problem: Problem, made: Bundles, ranked: Floats, price: Floats, money: Floats, away: float
) -> float:
    """Find τ so that the stated share of draws leaves its best agency, on the bundles with the smallest first numbers."""
    free = np.flatnonzero(np.isfinite(ranked))
    if free.size > LOOKED_AT:
        free = free[np.argpartition(ranked[free], LOOKED_AT)[:LOOKED_AT]]
    free = free[np.argsort(ranked[free], kind="stable")]
    if not free.size:
        return 1.0
    r, _ = worths(problem=problem, made=made, chosen=free, price=price, money=money)
    regret = np.sort(r.max(axis=1, keepdims=True) - r, axis=1)
    finite = regret[np.isfinite(regret) & (regret > 0)]
    usual = float(np.median(finite)) if finite.size else 1.0
    low, high = usual * 1e-9, usual * 1e6
    for _ in range(48):
        middle = float(np.sqrt(low * high))
        left = 1.0 - float(chances(regret=regret, temperature=middle)[:, 0].mean())
        low, high = (middle, high) if left < away else (low, middle)
    return float(np.sqrt(low * high))


def _rooms(work: _Work) -> tuple[Ints, Floats]:
    """Give what draws may take of each agency at most: accounts and balance; of what accounts fixed already leave."""
    problem, limits, k = work.problem, work.problem.limits, work.problem.agencies
    fixed = problem.fixed.astype(np.int64) if problem.fixed.size else np.full(problem.size, -1)
    held = fixed[fixed >= 0]
    count = np.maximum(limits.count_max - np.bincount(held, minlength=k), 0)
    owed = np.bincount(held, weights=problem.balance[fixed >= 0], minlength=k)
    left = np.maximum(limits.balance_max.astype(np.float64) - owed, 0.0)
    tight = (limits.count_max < NO_LIMIT) & ~np.isfinite(limits.count_price)
    tight_money = (limits.balance_max < NO_LIMIT) & ~np.isfinite(limits.balance_price)
    return (
        np.where(tight, np.floor(ROOM * count).astype(np.int64), NO_LIMIT),
        np.where(tight_money, np.floor(ROOM * left), np.inf),
    )


def _closed_to_large(work: _Work) -> _Work:
    """Close agencies with a most balance to bundles so large that the draws expected of them could exceed their room."""
    _, room = _rooms(work)
    if not np.isfinite(room).any() or not work.chosen.size:
        return work
    expected = sum((chance.sum(axis=0) for _, chance, _, _ in work.blocks()), np.zeros(work.problem.agencies))
    cap = np.where(np.isfinite(room), room / _judged(expected), float(NO_LIMIT // 2))
    return replace(work, cap=np.floor(cap).astype(np.int64))


def _judged(expected: Floats) -> Floats:
    spreads = np.where(expected < MANY, SPREADS[0], SPREADS[1])
    return np.asarray(np.ceil(expected + spreads * np.sqrt(expected)) + 1.0)


def _quotas(work: _Work) -> Ints:
    """Give how many bundles may be drawn to each agency, so that neither room can be exceeded whatever is drawn."""
    room, room_money = _rooms(work)
    largest = int(work.size.max()) if work.size.size else 1
    by_money = np.full(room.size, NO_LIMIT)
    stated = np.isfinite(room_money)
    by_money[stated] = room_money[stated].astype(np.int64) // np.maximum(work.cap[stated], 1)
    return np.asarray(np.minimum(room // largest, by_money))


def _drawn(work: _Work, number: Floats, seed: int, threads: int, keep: bool) -> Draw:
    problem, k, m = work.problem, work.problem.agencies, work.chosen.size
    quota = _quotas(work)
    expected, closed = np.zeros(k), np.zeros(k, dtype=np.int64)
    for _, chance, _, large in work.blocks():
        expected += chance.sum(axis=0)
        closed += large
    factor = np.where(_may_overflow(expected, quota, m), _factor(expected, quota), 1.0)
    tight = np.flatnonzero(_may_overflow(expected * factor, quota, m))
    stands = _standing(work, factor, tight, quota)
    lots = keyed(seed=seed, purpose="agency", keys=work.made.key[work.chosen], threads=threads)
    got, chances_of, cost = np.full(m, -1, dtype=np.int64), np.ones(m), 0.0
    kept = np.zeros((m, k)) if keep else np.zeros((0, k))
    for rows, chance, regret, _ in work.blocks():
        sums = np.cumsum(chance * factor, axis=1)
        # what rounding leaves of the last number falls to the last agency that is open
        whole = sums[:, -1] > 1.0 - 1e-9
        sums[whole] /= sums[whole, -1:]
        at = (sums <= lots[rows, None]).sum(axis=1)
        chance *= factor
        for column, agency in enumerate(tight):
            chance[:, agency] *= stands[column][rows]
        got[rows] = np.where(at < k, at, -1)
        chances_of[rows] = np.take_along_axis(chance, np.minimum(at, k - 1)[:, None], axis=1)[:, 0]
        cost += float(np.where(chance > 0, chance * np.where(np.isfinite(regret), regret, 0.0), 0.0).sum())
        if keep:
            kept[rows] = chance
    for agency in tight:
        got[np.flatnonzero(got == agency)[quota[agency] :]] = -1
    return _told(work, got, chances_of, number, cost, closed, kept, problem)


def _told(
    work: _Work,
    got: Ints,
    chances_of: Floats,
    number: Floats,
    cost: float,
    closed: Ints,
    kept: Floats,
    problem: Problem,
) -> Draw:
    """Spread what bundles got over their accounts."""
    made = work.made
    units = made.start.size - 1 if made.member.size else problem.size
    agency, probability = np.full(units, -1, dtype=np.int16), np.ones(units)
    inside = np.zeros(units, dtype=np.bool_)
    stood = got >= 0
    agency[work.chosen] = got
    # sums of chances may exceed 1 by a rounding
    probability[work.chosen[stood]] = np.minimum(chances_of[stood], 1.0)
    inside[work.chosen[: work.inside]] = stood[: work.inside]
    first = made.order[made.start[work.chosen]] if made.member.size else work.chosen
    return Draw(
        agency=made.spread(agency).astype(np.int16), probability=made.spread(probability).astype(np.float64),
        measured=made.spread(inside).astype(np.bool_), number=made.spread(number).astype(np.float64),
        temperature=work.temperature, expected_cost=cost, given_up=int((~stood).sum()), closed=closed,
        chosen=first, chances=kept,
    )  # fmt: skip


def _may_overflow(expected: Floats, quota: Ints, m: int) -> npt.NDArray[np.bool_]:
    """Tell where more than the quota may be drawn with a chance that counts (Bernstein's inequality)."""
    above = quota + 1.0 - expected
    small = np.exp(-np.where(above > 0, above**2 / (2.0 * (expected + above / 3.0) + 1e-300), 0.0))
    return np.asarray((quota < m) & (expected > 0) & ((above <= 0) | (small > NEGLIGIBLE)))


def _factor(expected: Floats, quota: Ints) -> Floats:
    """Give by how much chances are lowered where more is expected than there is room for."""
    spread = np.sqrt(quota)
    aim = np.where(quota < COUNTED, np.maximum(quota - 2.0 * spread, 0.5 * quota), quota - 9.0 * spread - 9.0)
    return np.asarray(np.minimum(1.0, aim / np.maximum(expected, 1e-9)))


def _standing(work: _Work, factor: Floats, tight: Ints, quota: Ints) -> list[Floats]:
    """Give for each tight agency the chance of every bundle that its draw stands."""
    if not tight.size:
        return []
    columns = [np.empty(work.chosen.size) for _ in tight]
    for rows, chance, _, _ in work.blocks():
        for column, agency in enumerate(tight):
            columns[column][rows] = chance[:, agency] * factor[agency]
    return [first_come(one, int(quota[agency])) for one, agency in zip(columns, tight, strict=True)]


@njit(cache=True, nogil=True)
def first_come(chance, quota):  # type: ignore[no-untyped-def]
    """Give for every draw in turn the chance that fewer than `quota` of those before it came true."""
    stands = np.empty(chance.size)
    at = np.zeros(max(quota, 1))
    at[0] = 1.0 if quota > 0 else 0.0
    top, total = 0, at[0]
    for i in range(chance.size):
        stands[i] = total
        p = chance[i]
        if p == 0.0 or quota == 0:
            continue
        top = min(top + 1, quota - 1)
        total = 0.0
        for x in range(top, 0, -1):
            at[x] = at[x] * (1.0 - p) + at[x - 1] * p
            total += at[x]
        at[0] *= 1.0 - p
        total += at[0]
    return stands


def take_back(*, draw: Draw, part: float) -> Draw:
    """Keep of the draws only those with the smallest first numbers, about `part` of them. No probability is exact then."""
    drawn = draw.drawn
    edge = float(np.quantile(draw.number[drawn], part)) if drawn.any() and part > 0 else -1.0
    keep = drawn & (draw.number < edge)
    return replace(
        draw, agency=np.where(keep, draw.agency, -1).astype(np.int16), probability=np.where(keep, draw.probability, 1.0),
        measured=np.zeros(drawn.size, dtype=np.bool_), exact=False,
    )  # fmt: skip
