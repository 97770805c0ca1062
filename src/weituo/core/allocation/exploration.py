"""A small share of accounts is placed by chance, so that agencies can be compared fairly; the chance is known exactly.

How it stays exact. The plan a*(i) is computed from the problem alone, before and without any draw, with part of every
limit reserved. Then, within each stratum of n_s accounts with the same k_s eligible agencies, agency j gets a number of
slots whose expectation is e_sj = n_s · share / k_s, by systematic rounding with one number of the seed; a keyed order
of the stratum's accounts fills the slots. Every account of the stratum has the same chance e_sj / n_s to be drawn to j,
so that its probability to end at j is exactly

    p_i(j) = e_sj / n_s + (1 − Σ_l e_sl / n_s) · [a*(i) = j]

that is share / k_s for an agency that is not the plan's and 1 − share + share / k_s for the plan's (1 − share in-house).
Where capacity interacts: slots are at most ⌈e_sj⌉, so e_sj is lowered, before any draw and by figures that do not
depend on it, until the most that can arrive fits into what the plan left free; an agency that the plan holds near a
least amount gives no account away; and where a most balance stands the largest accounts are not drawn. Then the probabilities above follow the lowered e_sj: still exact, only less chance.
"Exact" means: over the seed, with BLAKE2b taken as a random function. Sources: systematic sampling (Madow 1944);
ε-greedy logging (Li et al. 2011).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from weituo.core.allocation.problem import IN_HOUSE, Ints, Limits, Problem, Texts

Floats = npt.NDArray[np.float64]

#: of a most amount, at most this many times the share is reserved for exploration
RESERVE_MAX: Final = 2.0
#: steps by which e_sj is lowered, and how many, before an agency takes part in no draw
STEP: Final = 0.8
STEPS: Final = 24
#: where a most balance stands, accounts above this quantile of balance are never drawn: a few could burst it
BALANCE_QUANTILE: Final = 0.75


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draw:
    """assignment: (n,) after the draw. explored: (n,) drawn by chance. probability: (n,) of the agency it got, > 0.

    chances: (n, m) probability of every agency; with in-house (1 − the sum) they add up to 1.
    """

    assignment: Ints
    explored: npt.NDArray[np.bool_]
    probability: Floats
    chances: Floats


def keyed(*, seed: int, purpose: str, keys: Texts) -> Floats:
    """Hash keys with the seed to numbers in [0, 1) with 53 bits, shape of the keys."""
    secret = hashlib.blake2b(f"{seed}|{purpose}".encode(), digest_size=32).digest()
    raw = b"".join(hashlib.blake2b(str(key).encode(), key=secret, digest_size=8).digest() for key in keys)
    return (np.frombuffer(raw, dtype=">u8") >> np.uint64(11)).astype(np.float64) * 2.0**-53


def reserve(*, problem: Problem, share: float) -> Problem:
    """Give the problem with most amounts lowered by what exploration may bring, at most 2 · share of each."""
    if share <= 0:
        return problem
    strata, member = _strata(problem)
    sizes = np.bincount(member, minlength=len(strata))
    chances = _expected(strata, sizes, share)
    arrivals = np.ceil(chances - 1e-12).sum(axis=0)
    limits = []
    for agency, own in enumerate(problem.limits):
        kept = int(arrivals[agency])
        limits.append(
            _lowered(
                own, accounts=kept, balance_minor=kept * _drawable_minor(problem), part=RESERVE_MAX * share
            )
        )
    return problem.with_limits(tuple(limits))


def _lowered(own: Limits, *, accounts: int, balance_minor: int, part: float) -> Limits:
    def lower(most: int | None, least: int, by: int) -> int | None:
        # never above what was asked: a least amount beyond the most must stay visible to the solver
        return None if most is None else min(most, max(most - min(by, int(part * most)), least, 0))

    return replace(
        own,
        accounts_max=lower(own.accounts_max, own.accounts_min, accounts),
        balance_max_minor=lower(own.balance_max_minor, own.balance_min_minor, balance_minor),
        bucket_accounts_max={
            bucket: max(most - min(accounts, int(part * most)), 0)
            for bucket, most in own.bucket_accounts_max.items()
        },
    )


def explore(*, problem: Problem, assignment: Ints, share: float, seed: int) -> Draw:
    """Draw `share` of the accounts to eligible agencies by chance, within the problem's limits."""
    n, m = problem.value_minor.shape
    planned = np.zeros((n, m))
    placed = assignment != IN_HOUSE
    planned[placed, assignment[placed]] = 1.0
    if share <= 0 or n == 0:
        return Draw(
            assignment=assignment,
            explored=np.zeros(n, dtype=np.bool_),
            probability=np.ones(n),
            chances=planned,
        )
    strata, member = _strata(problem)
    bound = _held_at_least(problem, assignment, share)
    taking = (~bound[assignment] | ~placed) & (problem.balance_minor <= _drawable_minor(problem))
    sizes = np.bincount(member[taking], minlength=len(strata))
    expected = _fitting(problem, assignment, member, taking, _expected(strata, sizes, share))
    each = np.where(taking[:, None], (expected / np.maximum(sizes, 1)[:, None])[member], 0.0)
    chances = each + (1.0 - each.sum(axis=1, keepdims=True)) * planned
    drawn = _fill(problem, member, taking, expected, seed)
    final = np.where(drawn == IN_HOUSE, assignment, drawn)
    own = np.where(final == IN_HOUSE, 1.0 - chances.sum(axis=1), chances[np.arange(n), final])
    return Draw(assignment=final, explored=drawn != IN_HOUSE, probability=own, chances=chances)


def _drawable_minor(problem: Problem) -> int:
    """Give the largest balance that is drawn."""
    if not problem.size or all(own.balance_max_minor is None for own in problem.limits):
        return int(problem.balance_minor.max(initial=0))
    return int(np.quantile(problem.balance_minor, BALANCE_QUANTILE))


def _strata(problem: Problem) -> tuple[npt.NDArray[np.bool_], Ints]:
    """Group accounts by their eligible agencies, and by bucket where a mix is kept: eligible (s, m), member (n,)."""
    keys = problem.eligible.astype(np.int64)
    if any(own.bucket_accounts_max for own in problem.limits):
        keys = np.column_stack([keys, np.unique(problem.bucket, return_inverse=True)[1].reshape(-1)])
    found, member = np.unique(keys, axis=0, return_inverse=True)
    return found[:, : problem.eligible.shape[1]].astype(np.bool_), member.reshape(-1).astype(np.int64)


def _expected(strata: npt.NDArray[np.bool_], sizes: Ints, share: float) -> Floats:
    wide = strata.sum(axis=1)
    return np.where(strata, (sizes * share / np.maximum(wide, 1))[:, None], 0.0)


def _held_at_least(problem: Problem, assignment: Ints, share: float) -> npt.NDArray[np.bool_]:
    """Tell the agencies whose least amounts the plan meets too closely to give accounts away."""
    bound = np.zeros(len(problem.agencies), dtype=np.bool_)
    strata, member = _strata(problem)
    slots = np.ceil(np.bincount(member, minlength=len(strata)) * share)
    for agency, own in enumerate(problem.limits):
        if own.accounts_min <= 0 and own.balance_min_minor <= 0:
            continue
        mine = assignment == agency
        leaving = int(np.minimum(slots, np.bincount(member[mine], minlength=len(strata))).sum())
        balances = np.sort(problem.balance_minor[mine])[::-1]
        bound[agency] = (
            mine.sum() - leaving < own.accounts_min
            or balances.sum() - balances[:leaving].sum() < own.balance_min_minor
        )
    return bound


def _fitting(
    problem: Problem, assignment: Ints, member: Ints, taking: npt.NDArray[np.bool_], expected: Floats
) -> Floats:
    """Lower each agency's expected slots until the most that can arrive fits into what the plan left free."""
    fitting = expected.copy()
    for agency, own in enumerate(problem.limits):
        mine = assignment == agency
        for _ in range(STEPS):
            slots = np.ceil(fitting[:, agency] - 1e-12).astype(np.int64)
            if _fits(problem, own, mine, member, taking, slots):
                break
            fitting[:, agency] *= STEP
        else:
            fitting[:, agency] = 0.0
    return fitting


def _fits(
    problem: Problem,
    own: Limits,
    mine: npt.NDArray[np.bool_],
    member: Ints,
    taking: npt.NDArray[np.bool_],
    slots: Ints,
) -> bool:
    if own.accounts_max is not None and int(mine.sum() + slots.sum()) > own.accounts_max:
        return False
    for bucket, most in own.bucket_accounts_max.items():
        of_bucket = problem.bucket == bucket
        strata = np.unique(member[of_bucket])
        if int((mine & of_bucket).sum() + slots[strata].sum()) > most:
            return False
    if own.balance_max_minor is None:
        return True
    most_arriving = 0
    for stratum in np.nonzero(slots)[0]:
        balances = np.sort(problem.balance_minor[(member == stratum) & taking & ~mine])[::-1]
        most_arriving += int(balances[: slots[stratum]].sum())
    return int(problem.balance_minor[mine].sum()) + most_arriving <= own.balance_max_minor


def _fill(problem: Problem, member: Ints, taking: npt.NDArray[np.bool_], expected: Floats, seed: int) -> Ints:
    """Turn expected slots into whole ones with one number a stratum, and fill them in the keyed order of its accounts."""
    drawn = np.full(problem.size, IN_HOUSE, dtype=np.int64)
    columns = np.argsort(np.array(problem.agencies, dtype=np.str_), kind="stable")
    ranks = keyed(seed=seed, purpose="order", keys=problem.accounts)
    for stratum in np.unique(member[taking]):
        mine = np.nonzero((member == stratum) & taking)[0]
        first = min(problem.accounts[mine].tolist())
        start = float(keyed(seed=seed, purpose="start", keys=np.array([first]))[0])
        edges = np.floor(np.cumsum(expected[stratum, columns]) + start + 1e-12).astype(np.int64)
        edges = np.minimum(edges, mine.size)
        order = mine[np.lexsort((problem.accounts[mine], ranks[mine]))]
        place = np.searchsorted(edges, np.arange(order.size), side="right")
        inside = place < len(columns)
        drawn[order[inside]] = columns[place[inside]]
    return drawn
