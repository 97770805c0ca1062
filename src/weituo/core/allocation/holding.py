"""A small share of every segment is held out, left alone or kept in-house, so that one can measure what outsourcing adds.

Of the n_s bundles of segment s that are free and may be held out, share · n_s are, those with the smallest keyed numbers; what is
broken of a whole one is carried from segment to segment, from a start that the seed draws (systematic rounding; Madow 1944).
So every segment is within one bundle of its share, all of them together too, and each bundle has exactly the chance `share`,
whatever it is worth: the held out and the others compare as in a trial. A bundle (a borrower's accounts) counts to the
segment that most of its accounts have, and is held out as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from weituo.core.allocation.bundling import bundles, worths
from weituo.core.allocation.keying import keyed
from weituo.core.allocation.problem import Floats, Ints, Problem, ProblemError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOut:
    """held (n,). probability (n,): the chance of an account to be held out, 0 where it cannot be.

    count, of (s,): bundles held out, and those that could have been. expected_cost: money that holding out gives up, by
    regret at the prices; 0 when no prices were given.
    """

    agency: int
    held: npt.NDArray[np.bool_]
    probability: Floats
    count: Ints
    of: Ints
    expected_cost: float


def counts(*, of: Ints, share: float, start: float) -> Ints:
    """Give how many of each segment are held out: what is broken of a whole one is carried on. start: in [0, 1)."""
    edges = np.floor(np.cumsum(of * share) + start + 1e-9).astype(np.int64)
    return np.asarray(np.minimum(np.diff(edges, prepend=0), of))


def hold_out(
    *,
    problem: Problem,
    keys: npt.ArrayLike,
    agency: int,
    share: float,
    seed: int,
    price: Floats | None = None,
    money: Floats | None = None,
    threads: int = 2,
) -> HeldOut:
    """Choose who is held out. agency: the column of keeping in-house or of leaving alone. Raises `ProblemError`."""
    if not 0 <= share <= 1:
        raise ProblemError(f"the share held out must lie between 0 and 1, not {share}")
    if not 0 <= agency < problem.agencies:
        raise ProblemError(f"held out must be an agency from 0 to {problem.agencies - 1}, not {agency}")
    made = bundles(problem=problem, keys=keys, seed=seed, threads=threads)
    barred = np.isneginf(problem.value[:, agency])
    segment, size = (
        problem.segment.astype(np.int64),
        made.start.size - 1 if made.member.size else problem.size,
    )
    if made.member.size:
        barred = np.bincount(made.member, weights=barred, minlength=size) > 0
        mix = np.zeros((size, problem.segments), dtype=np.int32)
        np.add.at(mix, (made.member, segment), 1)
        segment = mix.argmax(axis=1)
    free = np.flatnonzero(~made.fixed & ~barred)
    of = np.bincount(segment[free], minlength=problem.segments)
    start = float(keyed(seed=seed, purpose="hold-out start", keys=["all"])[0])
    count = counts(of=of, share=share, start=start)
    number = keyed(seed=seed, purpose="hold-out", keys=made.key[free], threads=threads)
    order = np.argsort(segment[free].astype(np.int16), kind="stable")
    held, chance = np.zeros(size, dtype=np.bool_), np.zeros(size)
    for first, all_of_it, wanted in zip(np.cumsum(of) - of, of, count, strict=True):
        mine = order[first : first + all_of_it]
        if wanted:
            held[free[mine[np.argpartition(number[mine], wanted - 1)[:wanted]]]] = True
    chance[free] = share
    cost = 0.0
    if price is not None and money is not None and held.any():
        r, _ = worths(problem=problem, made=made, chosen=np.flatnonzero(held), price=price, money=money)
        cost = float((r.max(axis=1) - r[:, agency]).sum())
    return HeldOut(
        agency=agency, held=made.spread(held).astype(np.bool_), probability=made.spread(chance).astype(np.float64),
        count=count, of=of.astype(np.int64), expected_cost=cost,
    )  # fmt: skip
