"""The prices of the limits: the dual problem, solved by a damped Newton method on what the accounts say.

For any prices z the bound  D(z) = Σ_i max_j r_ij + Σ_rows U z⁺ + L z⁻  is at least the value of any assignment within the
limits. D is convex; its slope is how far the accounts' own choices miss the limits, and its curvature is the density of
accounts about to change their mind, read off in the same pass: of rows whose best two agencies differ by less than `near`.
Each step minimises that quadratic, damped (Levenberg, Marquardt), plus the exact piecewise-linear terms of the limits.

Rows of agency j: 0 count (price of either sign), 1 … s too many of a segment, s+1 … 2s too few; balance apart.
Sources: Lagrangian relaxation (Geoffrion 1974); semismooth Newton (Qi and Sun 1993); coordinate descent with proximal terms.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from weituo.core.allocation import scanning, stepping
from weituo.core.allocation.cells import Cells
from weituo.core.allocation.problem import NO_LIMIT, Floats, Ints, Limits

#: damping at the start, and where it may go
DAMPING: Final = (10.0, 1e-9, 1e9)
#: rows about to change their mind that the curvature rests on, per agency
TIES_AN_AGENCY: Final = 400
ROUNDS_MAX: Final = 60
#: a step that promises less than this share of the mean value of one unit is not worth a pass
FINE: Final = 0.02
#: slabs into which units are cut, whatever the number of threads
SLABS: Final = 8
SWEEPS_MAX: Final = 200
#: how much narrower than near ties units are looked at where agencies differ by the same for many
NARROWEST: Final = 1e-4
#: damping at which near ties do not explain what the bound does
STUCK: Final = 1e3
SWEEP_TOLERANCE: Final = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """The limits as rows. column (k, 1 + 2s, cells): what a unit of a cell adds to a row of its agency.

    most, least (k, 1 + 2s): U and L. floor, ceiling (k, 1 + 2s): between which a price may lie. money_*: (k,) the same for
    balance in units of `unit` (1 / mean balance).
    """

    column: Floats
    most: Floats
    least: Floats
    floor: Floats
    ceiling: Floats
    unit: float
    money_most: Floats
    money_least: Floats
    money_floor: Floats
    money_ceiling: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prices:
    """row (k, 1 + 2s) and money (k,) (per scaled balance): one price a limit; see the module's text."""

    row: Floats
    money: Floats

    def alpha(self, rows: Rows) -> Floats:
        """What a unit of each cell pays at each agency, balance apart: (cells, k)."""
        return np.ascontiguousarray(np.einsum("kjp,kj->pk", rows.column, self.row))


def rows_of(*, limits: Limits, parts: Ints, share: Floats, mean_balance: float) -> Rows:
    """Write the limits as rows over cells."""
    k, s = limits.count_max.size, parts.shape[1]
    cells = parts.shape[0]
    each = parts.astype(np.float64)
    size = each.sum(axis=1)
    tolerance = limits.tolerance if s > 1 else np.full((k, 1), np.inf)
    high, low = share[None, :] + tolerance, share[None, :] - tolerance
    column = np.zeros((k, 1 + 2 * s, cells))
    column[:, 0] = size
    with np.errstate(invalid="ignore"):
        column[:, 1 : 1 + s] = np.where(high[:, :, None] < 1, each.T[None] - high[:, :, None] * size, 0.0)
        column[:, 1 + s :] = np.where(low[:, :, None] > 0, low[:, :, None] * size - each.T[None], 0.0)
    most, least = np.zeros((k, 1 + 2 * s)), np.zeros((k, 1 + 2 * s))
    floor, ceiling = np.zeros((k, 1 + 2 * s)), np.zeros((k, 1 + 2 * s))
    capped = limits.count_max < NO_LIMIT
    most[:, 0] = np.where(capped, limits.count_max, 0)
    least[:, 0] = limits.count_min
    ceiling[:, 0] = np.where(capped, limits.count_price, 0.0)
    floor[:, 0] = np.where(limits.count_min > 0, -limits.count_price, 0.0)
    ceiling[:, 1 : 1 + s] = np.where(high < 1, limits.mix_price[:, None], 0.0)
    ceiling[:, 1 + s :] = np.where(low > 0, limits.mix_price[:, None], 0.0)
    unit = 1.0 / max(mean_balance, 1e-9)
    held = limits.balance_max < NO_LIMIT
    return Rows(
        column=column, most=most, least=least, floor=floor, ceiling=ceiling, unit=unit,
        money_most=np.where(held, limits.balance_max, 0) * unit, money_least=np.asarray(limits.balance_min * unit, dtype=np.float64),
        money_floor=np.where(limits.balance_min > 0, -limits.balance_price / unit, 0.0),
        money_ceiling=np.where(held, limits.balance_price / unit, 0.0),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """What the units say at some prices: count, money (cells, k), worth: their part of the bound, ties (3, cells, k, k)."""

    count: Floats
    money: Floats
    worth: float
    ties: Floats


def edges(n: int) -> Ints:
    """Cut n rows into `SLABS` slabs of whole blocks."""
    cut = np.linspace(0, n, SLABS + 1).astype(np.int64)
    cut[1:-1] -= cut[1:-1] % scanning.LANES
    return cut


class Reader:
    """Reads units at prices, in threads over slabs that do not depend on their number: sums are always the same.

    weight (u,): how many units each unit read stands for; empty: itself. rest: count, money (cells, k) and value of units
    that are not read, their choice known.
    """

    def __init__(
        self, *, cells: Cells, rows: Rows, pool: ThreadPoolExecutor, weight: Floats | None = None,
        rest: tuple[Floats, Floats, float] | None = None,
    ) -> None:  # fmt: skip
        self.cells, self.rows, self.pool = cells, rows, pool
        self.weight = np.empty(0) if weight is None else weight
        self.rest = rest
        k = cells.value.shape[1]
        slabs = 1 if cells.size < 4_096 else (2 if k > 128 else 8)
        cut = np.linspace(0, cells.size, slabs + 1).astype(np.int64)
        cut[1:-1] -= cut[1:-1] % scanning.LANES
        self.slabs = [slice(int(a), int(b)) for a, b in pairwise(cut) if b > a]

    def read(self, prices: Prices, near: float) -> Reading:
        """Read all units."""
        alpha64 = prices.alpha(self.rows)
        alpha, mu = alpha64.astype(np.float32), prices.money.astype(np.float32)
        width, k = self.cells.parts.shape[0], self.cells.value.shape[1]

        def one(slab: slice) -> tuple[Floats, Floats, Floats, Floats]:
            worth, count = np.zeros(width), np.zeros((width, k))
            money, ties = np.zeros((width, k)), np.zeros((3, width, k, k))
            weight = self.weight[slab] if self.weight.size else self.weight
            scanning.scan(  # type: ignore[call-arg]
                *self.cells.slab(slab, self.rows.unit), weight, alpha, mu, near, worth, count, money, ties
            )
            return worth, count, money, ties

        slabs = self.slabs or [slice(0, 0)]
        parts = list(self.pool.map(one, slabs)) if len(slabs) > 1 else [one(slabs[0])]
        worth, count, money, ties = parts[0]
        for part in parts[1:]:
            worth, count, money, ties = worth + part[0], count + part[1], money + part[2], ties + part[3]
        total = float(worth.sum())
        if self.rest is not None:
            rest_count, rest_money, rest_value = self.rest
            total += (
                rest_value
                - float((alpha64 * rest_count).sum())
                - float(prices.money @ rest_money.sum(axis=0))
            )
            count, money = count + rest_count, money + rest_money
        return Reading(count=count, money=money, worth=total, ties=ties)


def bound(*, rows: Rows, prices: Prices, worth: float) -> float:
    """Give D: the units' part plus the limits' part."""
    z, m = prices.row, prices.money
    return (
        worth
        + float((rows.most * np.maximum(z, 0) + rows.least * np.minimum(z, 0)).sum())
        + float((rows.money_most * np.maximum(m, 0) + rows.money_least * np.minimum(m, 0)).sum())
    )


def density(ties: Floats, near: float) -> Floats:
    """Turn near ties into how many units change between two agencies per unit of price: (3, cells, k, k), symmetric."""
    return np.asarray((ties + ties.transpose(0, 1, 3, 2)) / (2.0 * near))


def curvature(both: Floats) -> tuple[Floats, Floats, Floats]:
    """Turn densities into curvature: Laplacians over agencies by cell, for balance to the power 0, 1 and 2."""
    k = both.shape[-1]
    made = -both
    made[..., np.arange(k), np.arange(k)] = both.sum(axis=-1)
    return (
        np.ascontiguousarray(made[0]),
        np.ascontiguousarray(made[1]),
        np.ascontiguousarray(made[2].sum(axis=0)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where the search stands between stages: prices, the width of near ties, damping, the bound, passes over the units."""

    prices: Prices
    near: float
    damping: float
    bound: float = np.inf
    rounds: int = 0
    move: float = np.inf
    #: units (not weighted) whose best two agencies differ by less than `near`
    ties: float = 0.0


def _natural(rows: Rows, reading: Reading, best: float) -> tuple[Floats, Floats]:
    """Give the curvature that there would be if units were spread evenly over the usual value, see `stepping.step`."""
    units, k = reading.count.sum(axis=1), rows.column.shape[0]
    spread = max(abs(best) / max(float(units.sum()), 1.0), 1e-30) * k
    return (rows.column**2 @ units) / spread, np.full(k, 2.0 * float(units.sum()) / spread)


def _look(
    reader: Reader,
    prices: Prices,
    both: Floats,
    near: float,
    narrow: float,
    reading: Reading,
    *,
    further: bool,
) -> tuple[Reading, Floats, float, float]:
    """Look again where a step failed: further, where nothing is known of who changes their mind, or more narrowly.

    Agencies that differ by the same for many units make an edge: stiff across, free along it. Only a narrow look sees the one,
    only a wide one the other. Gives the reading, densities and both widths.
    """
    if further:
        seen = reader.read(prices, near * 4)
        return seen, density(seen.ties, near * 4), near * 4, near * 4
    narrow = min(narrow, near) / 16
    return reading, np.maximum(both, density(reader.read(prices, narrow).ties, narrow)), near, narrow


def descend(
    *, reader: Reader, state: State, tolerance: float, rounds: int = ROUNDS_MAX,
    stop: Callable[[], bool] = lambda: False, floor: float = -np.inf,
) -> State:  # fmt: skip
    """Lower the bound on what the reader reads until a step promises less than tolerance · |bound|.

    A bound below `floor`, what any assignment is worth at least, ends the search: there is no assignment.
    """
    rows, k = reader.rows, reader.cells.value.shape[1]
    prices, near, damping = state.prices, state.near, state.damping
    reading = reader.read(prices, near)
    best = bound(rows=rows, prices=prices, worth=reading.worth)
    done, move = 1, state.move
    failed, narrow = 0, near
    both = density(reading.ties, near)
    natural = _natural(rows, reading, best)
    heavy = float(reader.weight.mean()) if reader.weight.size else 1.0
    while done < rounds and best >= floor and not stop():
        slope = -np.einsum("kjp,pk->kj", rows.column, reading.count)
        money_slope = -reading.money.sum(axis=0)
        row, money, fall = stepping.step(
            row=prices.row, money=prices.money, slope=slope, money_slope=money_slope, curves=curvature(both), rows=rows,
            natural=natural, damping=damping, sweeps=SWEEPS_MAX,
        )  # fmt: skip
        trial = Prices(row=row, money=money)
        change = trial.alpha(rows) - prices.alpha(rows)
        move = float(np.sqrt(change.var(axis=1).mean() + np.mean((money - prices.money) ** 2)))
        ties = reading.ties[0].sum() / heavy
        if fall * (1.0 + damping) <= tolerance * max(abs(best), 1e-9) * reader.cells.fine:
            if reader.cells.noise == 0 or near <= reader.cells.noise or ties < 2 * TIES_AN_AGENCY * k:
                break
            # what is worth the same is parted by little: look more closely before it is called settled
            near, damping = max(near / 8, float(reader.cells.noise)), max(damping, 1e-3)
            reading = reader.read(prices, near)
            both, narrow = density(reading.ties, near), near
            done += 1
            continue
        enough = ties >= TIES_AN_AGENCY * k
        wanted = float(np.clip(2.0 * move, near / 4, near * 2))
        new_near = wanted if enough or wanted > near else near
        seen = reader.read(trial, max(new_near, 1e-6))
        done += 1
        reached = bound(rows=rows, prices=trial, worth=seen.worth)
        if reached < best:
            ratio = (best - reached) / fall
            damping = damping / 10 if ratio > 0.5 else (damping * 4 if ratio < 0.1 else damping)
            prices, reading, best, near = trial, seen, reached, max(new_near, 1e-6)
            both, failed = density(reading.ties, near), 0
            if narrow < near:
                both = np.maximum(both, density(reader.read(prices, narrow).ties, narrow))
                done += 1
        else:
            failed += 1
            if failed > 2 and fall < 100 * tolerance * abs(best) * reader.cells.fine:
                break
            few = ties < min(TIES_AN_AGENCY, reader.cells.size / 4)
            if few or (damping >= STUCK and narrow > NARROWEST * near):
                reading, both, near, narrow = _look(reader, prices, both, near, narrow, reading, further=few)
                damping = damping if few else 1.0
                done += 1
            else:
                damping *= 10
        damping = min(max(damping, DAMPING[1]), DAMPING[2])
    return replace(
        state, prices=prices, near=near, damping=damping, bound=best, rounds=state.rounds + done, move=move,
        ties=float(reading.ties[0].sum()) / heavy,
    )  # fmt: skip
