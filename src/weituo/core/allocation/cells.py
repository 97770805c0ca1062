"""The problem as the solver reads it: units instead of accounts, cells instead of segments.

A unit is one account, or all accounts that must stay together (a borrower's). Its cell says how many accounts of each
segment it has: `parts` (cells, segments). Every limit but balance depends on a unit through its cell only, so prices are as
small as cells × agencies, and units stay whole exactly, not by repair.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from weituo.core.allocation.problem import Floats, Ints, Problem, ProblemError, Values

#: cells × agencies beyond this would make prices too many to find
CELLS_MAX = 4_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """value (u, k), balance (u,), cell (u,), fixed (u,) or empty; parts (cells, s) accounts of each segment in a unit.

    share (s,): each segment's share of all accounts. member: (n,) the unit of each account; empty: account i is unit i.
    fine: how much finer than usual prices must be found. noise, stride, number: what parts units that are worth the same everywhere, see `scanning.turn`.
    """

    value: Values
    balance: Ints
    cell: npt.NDArray[np.int16] | npt.NDArray[np.int32]
    fixed: npt.NDArray[np.int16]
    parts: Ints
    share: Floats
    member: Ints
    noise: np.float32 = field(default_factory=np.float32)
    fine: float = 1.0
    stride: npt.NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, dtype=np.uint32))
    number: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, dtype=np.int32))

    @property
    def size(self) -> int:
        """The number of units."""
        return int(self.value.shape[0])

    def take(self, rows: Ints) -> Cells:
        """Copy some units (positions)."""
        return replace(
            self, value=self.value[rows], balance=self.balance[rows], cell=self.cell[rows], member=self.member[:0],
            fixed=self.fixed[rows] if self.fixed.size else self.fixed,
            number=self.number[rows] if self.number.size else rows.astype(np.int32),
        )  # fmt: skip

    def slab(self, rows: slice, unit: float) -> tuple[object, ...]:
        """Give what every kernel of `scanning` takes first, of some rows; unit scales balances."""
        return (
            self.value[rows], self.balance[rows], unit, self.cell[rows], self.fixed[rows] if self.fixed.size else self.fixed,
            self.noise, self.stride, self.number[rows] if self.number.size else self.number, rows.start,
        )  # fmt: skip

    def parted(self, noise: float, fine: float) -> Cells:
        """Give the same units with noise that parts ties."""
        stride = np.random.default_rng(20_240).integers(
            1 << 24, 1 << 32, size=self.value.shape[1], dtype=np.uint32
        )
        return replace(self, noise=np.float32(noise), fine=fine, stride=np.asarray(stride | np.uint32(1)))


def cells(problem: Problem) -> Cells:
    """Give the problem in cells. Raises `ProblemError` when fixed accounts tear a unit apart."""
    mixed = bool(np.isfinite(problem.limits.tolerance).any()) and problem.segments > 1
    segment = problem.segment if mixed else np.zeros(problem.size, dtype=np.int16)
    segments = problem.segments if mixed else 1
    share = problem.share() if mixed else np.ones(1)
    if not problem.unit.size:
        return Cells(
            value=problem.value, balance=problem.balance, cell=segment, fixed=problem.fixed,
            parts=np.eye(segments, dtype=np.int64), share=share, member=np.empty(0, dtype=np.int64),
        )  # fmt: skip
    found, member = np.unique(problem.unit, return_inverse=True)
    if found.size == problem.size:
        order = np.argsort(member, kind="stable")
        del order
        return Cells(
            value=problem.value, balance=problem.balance, cell=segment, fixed=problem.fixed,
            parts=np.eye(segments, dtype=np.int64), share=share, member=np.empty(0, dtype=np.int64),
        )  # fmt: skip
    return _united(problem, member.astype(np.int64), int(found.size), segment, segments, share)


def _united(
    problem: Problem, member: Ints, units: int, segment: npt.NDArray[np.int16], segments: int, share: Floats
) -> Cells:
    order = np.argsort(member, kind="stable")
    starts = np.searchsorted(member[order], np.arange(units))
    value = np.add.reduceat(problem.value[order].astype(np.float64), starts, axis=0)
    mix = np.zeros((units, segments), dtype=np.int64)
    np.add.at(mix, (member, segment), 1)
    parts, cell = np.unique(mix, axis=0, return_inverse=True)
    if parts.shape[0] > CELLS_MAX:
        raise ProblemError(
            f"the units make {parts.shape[0]} different mixtures of segments, at most {CELLS_MAX} can be told apart: "
            "use fewer segments, or split the largest units"
        )
    fixed = problem.fixed
    if fixed.size:
        most = np.maximum.reduceat(fixed[order], starts)
        torn = (fixed[order] != most[member[order]]) & (fixed[order] >= 0)
        if torn.any():
            unit = problem.unit[order][torn.argmax()]
            raise ProblemError(f"fixed tears unit {int(unit)} apart: all its accounts must go to one agency")
        fixed = most
    kinds = cell.reshape(-1).astype(np.int32)
    return Cells(
        value=value.astype(np.float32), balance=np.add.reduceat(problem.balance[order], starts),
        cell=kinds, fixed=fixed,
        parts=parts.astype(np.int64), share=share, member=member,
    )  # fmt: skip
