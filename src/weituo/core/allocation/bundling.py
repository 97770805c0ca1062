"""Accounts that go together, with one number by chance for all of them: what draws and hold-outs are made of.

The number of a bundle is the number of one of its accounts: of the one with the smallest number under a purpose of its own.
So it depends neither on the order of rows nor on how bundles are numbered, and an account alone has its own number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from weituo.core.allocation.keying import keyed
from weituo.core.allocation.problem import Floats, Ints, Problem, ProblemError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundles:
    """member (n,): the bundle of each account, empty: account i is bundle i. order, start: the accounts of bundle b are
    order[start[b]:start[b + 1]] (both empty without bundles). key (b,): the key that speaks for each.
    """

    member: Ints
    order: Ints
    start: Ints
    key: npt.NDArray[np.uint64] | npt.NDArray[np.str_]
    fixed: npt.NDArray[np.bool_]

    def rows(self, chosen: Ints) -> tuple[Ints, Ints]:
        """Give the accounts of some bundles, one bundle after the other, and where each begins."""
        if not self.member.size:
            return chosen, np.arange(chosen.size)
        sizes = self.start[chosen + 1] - self.start[chosen]
        begins = np.cumsum(sizes) - sizes
        within = np.arange(int(sizes.sum())) - np.repeat(begins, sizes)
        return self.order[np.repeat(self.start[chosen], sizes) + within], begins

    def size(self, chosen: Ints) -> Ints:
        """Give the number of accounts of some bundles."""
        return (
            self.start[chosen + 1] - self.start[chosen]
            if self.member.size
            else np.ones(chosen.size, dtype=np.int64)
        )

    def spread(self, by_bundle: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Give every account what its bundle has."""
        return by_bundle[self.member] if self.member.size else by_bundle


def bundles(*, problem: Problem, keys: npt.ArrayLike, seed: int, threads: int = 2) -> Bundles:
    """Bundle the accounts of a problem by unit. keys (n,): text or whole numbers, no two alike. Raises `ProblemError`."""
    own = np.asarray(keys)
    if own.shape != (problem.size,):
        raise ProblemError(f"keys must be {problem.size}, one an account, not {own.shape}")
    fixed = problem.fixed >= 0 if problem.fixed.size else np.zeros(problem.size, dtype=np.bool_)
    none = np.empty(0, dtype=np.int64)
    if not problem.unit.size:
        return Bundles(member=none, order=none, start=none, key=own, fixed=fixed)
    found, member = np.unique(problem.unit, return_inverse=True)
    if found.size == problem.size:
        return Bundles(member=none, order=none, start=none, key=own, fixed=fixed)
    member = member.reshape(-1).astype(np.int64)
    number = keyed(seed=seed, purpose="bundle", keys=own, threads=threads)
    order = np.lexsort((number, member))
    start = np.searchsorted(member[order], np.arange(found.size + 1)).astype(np.int64)
    held = np.bincount(member, weights=fixed, minlength=found.size) > 0
    return Bundles(
        member=member, order=order.astype(np.int64), start=start, key=own[order[start[:-1]]], fixed=held
    )


def worths(
    *, problem: Problem, made: Bundles, chosen: Ints, price: Floats, money: Floats
) -> tuple[Floats, Ints]:
    """Give r (m, k) of some bundles, value less what the places are worth to others, in float64; and their balance (m,).

    −inf where an agency must not get the bundle.
    """
    rows, begins = made.rows(chosen)
    balance = problem.balance[rows]
    r = problem.value[rows].astype(np.float64) - price[problem.segment[rows]]
    r -= balance[:, None] * money[None, :]
    if rows.size == chosen.size:
        return r, balance
    return np.add.reduceat(r, begins, axis=0), np.add.reduceat(balance, begins)
