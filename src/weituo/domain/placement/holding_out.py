"""Hold-outs: a small random share of each bucket is left alone or kept in-house, so that evaluation can measure what outsourcing adds.

Whole units are drawn (a borrower, see `valuing.units`), never one account of somebody who hears from an agency about
another: a unit that an agency works already takes no part. A unit's segment is the bucket of its latest account. Within a
segment a keyed order of the units is drawn up, and the first k are held out; k comes from share · n by systematic rounding
over the segments with one number of the seed, so that each segment is within one unit of its share, all of them together
too, and over the seed every unit has exactly the chance `share`.

The price of it: for each unit held out, the best agency's worth after the price of scarce places, were that above nothing;
and where accounts are left alone, what own work would have brought above what comes by itself.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from weituo.core.allocation import keying, placing
from weituo.core.allocation.placing import IN_HOUSE
from weituo.core.allocation.problem import Ints
from weituo.core.allocation.solver import Solution
from weituo.core.recovery.buckets import BUCKETS
from weituo.domain.placement import valuing

KINDS: Final = ("IN_HOUSE", "LEFT_ALONE")
#: more than this would be no measurement any more, but a policy
SHARE_MAX: Final = 0.2
#: accounts that were held out stay so for this many months from the day of the run
MONTHS: Final = 6
Bools = npt.NDArray[np.bool_]


def drawn(inputs: valuing.Inputs) -> Bools:
    """Tell which accounts of a run are held out, (n,): the same for the same inputs."""
    chosen = np.zeros(inputs.accounts.height, dtype=np.bool_)
    if inputs.hold_out <= 0 or not chosen.size:
        return chosen
    names = inputs.accounts["unit"].unique().sort().to_numpy().astype(np.str_)
    member = valuing.units(inputs)
    segment = np.zeros(names.size, dtype=np.int64)
    np.maximum.at(segment, member, valuing.bucket_numbers(inputs))
    taken = np.zeros(names.size, dtype=np.bool_)
    taken[member[inputs.accounts["bound_to"].to_numpy() != ""]] = True
    free = np.nonzero(~taken)[0]
    ranks = keying.keyed(seed=inputs.seed, purpose="hold-out", keys=names[free])
    start = float(keying.keyed(seed=inputs.seed, purpose="hold-out start", keys=np.array(["all"]))[0])
    counts = np.bincount(segment[free], minlength=len(BUCKETS))
    edges = np.floor(np.cumsum(counts * inputs.hold_out) + start + 1e-9).astype(np.int64)
    slots = np.minimum(np.diff(edges, prepend=0), counts)
    order = np.lexsort((names[free], ranks, segment[free]))
    firsts = np.cumsum(counts) - counts
    place = np.arange(free.size) - firsts[segment[free][order]]
    out = np.zeros(names.size, dtype=np.bool_)
    out[free[order[place < slots[segment[free][order]]]]] = True
    return out[member]


def solved(inputs: valuing.Inputs) -> tuple[Bools, placing.Placed]:
    """Draw who is held out and place the others: the same for the same inputs. Raises `Infeasible`."""
    held = drawn(inputs)
    others = inputs.only(~held) if held.any() else inputs
    placed = placing.place(
        question=valuing.question(others),
        seed=inputs.seed,
        share=0.0,
        measured=inputs.exploration,
        floor=inputs.least_chance,
    )
    return held, placed


def merged(
    inputs: valuing.Inputs, held: Bools, placed: placing.Placed
) -> tuple[Ints, npt.NDArray[np.float64], Bools, Bools]:
    """Give every account's agency, probability, whether chance gave it there, and whether it is measured.

    The probability of one that was held out is the share; of one that was drawn the chance of its agency, given that it was
    not held out. Measured are those drawn where every open agency had its chance: only they compare agencies fairly.
    """
    assignment = np.full(held.size, IN_HOUSE, dtype=np.int64)
    probability = np.full(held.size, inputs.hold_out, dtype=np.float64)
    explored = np.zeros(held.size, dtype=np.bool_)
    measured = explored.copy()
    assignment[~held], probability[~held] = placed.assignment, placed.probability
    explored[~held], measured[~held] = placed.explored, placed.measured
    return assignment, probability, explored, measured


def worth(inputs: valuing.Inputs, figures: valuing.Money, held: Bools) -> Ints:
    """Give what each account held out is expected to bring all the same, net, in minor units, (accounts held out,)."""
    if inputs.hold_out_kind == "IN_HOUSE":
        return figures.in_house[held]
    return figures.by_itself[held]


def told(
    inputs: valuing.Inputs,
    figures: valuing.Money,
    held: Bools,
    *,
    plan: Solution | None,
    months: int,
) -> dict[str, Any]:
    """Say what was held out and what it costs: kind, share, months, accounts, units, balance_minor,
    expected_net_minor (what comes all the same), cost_minor, by_bucket.

    plan: the solution without chance, for the prices of scarce places; None: nothing is solved yet, places count as free.
    """
    out = inputs.only(held)
    balance = inputs.accounts["balance_minor"].to_numpy()
    buckets = inputs.accounts["bucket"].to_numpy()
    given_up = int(figures.in_house[held].sum()) - int(worth(inputs, figures, held).sum())
    return {
        "kind": inputs.hold_out_kind,
        "share": inputs.hold_out,
        "months": months,
        "accounts": int(held.sum()),
        "units": out.accounts["unit"].n_unique(),
        "balance_minor": int(balance[held].sum()),
        "expected_net_minor": int(worth(inputs, figures, held).sum()),
        "cost_minor": _best_elsewhere(out, figures.value[held], plan) + given_up,
        "by_bucket": [
            {"bucket": bucket, "accounts": int(here.sum()), "held_out": int((here & held).sum()), "balance_minor": int(balance[here & held].sum())}
            for bucket in BUCKETS
            if (here := buckets == bucket).any()
        ],
    }  # fmt: skip


def _best_elsewhere(out: valuing.Inputs, value: Ints, plan: Solution | None) -> int:
    """Add up what the best agency of each unit held out would have been worth after the price of scarce places."""
    if out.accounts.is_empty():
        return 0
    balance = out.accounts["balance_minor"].to_numpy().astype(np.float64)
    margin, m = value.astype(np.float64), value.shape[1]
    if plan is not None:
        # a bucket that is held out whole has no place, and no price of one
        segment = np.minimum(valuing.bucket_numbers(out), plan.price.shape[0] - 1)
        margin -= plan.price[segment, :m] + balance[:, None] * plan.money[None, :m]
    allowed = valuing.eligible(out)
    member = valuing.units(out)
    together = np.zeros((int(member.max()) + 1, margin.shape[1]))
    possible = np.ones_like(together, dtype=np.bool_)
    np.add.at(together, member, margin)
    np.logical_and.at(possible, member, allowed)
    return round(float(np.where(possible, together, 0.0).max(axis=1, initial=0.0).sum()))
