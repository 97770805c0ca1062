"""What a worker does with its blocks. A pass is a callable over Arrow batches, as Spark's `mapInArrow` wants it.

A partition holds whole slabs, each in its order; a pass adds every slab up in that order, in float64, and yields one row a slab.
The driver adds slabs up in the order of their numbers. So sums depend neither on partitions nor on what runs first, and are
those of one process, which cuts the same slabs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from weituo.core.allocation import checker, scanning
from weituo.core.allocation.cells import Cells
from weituo.core.allocation.problem import SEGMENTS_MAX, Floats, Ints
from weituo.foundation.cluster.blocks import Block, Unpacker, write_arrays

#: rows at the start of the accounts from which the usual size of a value is taken
FEW = 4 * 1024

Sums = dict[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pass:
    """One reading of the blocks; `begin` a slab, `take` its blocks in order, `end` with what the driver gets.

    first (slabs,): the number of each slab's first row among all rows.
    """

    SCHEMA: ClassVar[str] = "slab int, outcome binary"

    first: Ints = field(default_factory=lambda: np.zeros(1, dtype=np.int64))

    def begin(self, slab: int) -> Sums:
        """Give what a slab adds up, all zero."""
        raise NotImplementedError

    def take(self, sums: Sums, block: Block, slab: int, at: int) -> None:
        """Add a block whose first row is row `at` of the slab."""
        raise NotImplementedError

    def end(self, sums: Sums) -> Mapping[str, Any]:
        """Give the arrays that go to the driver."""
        return sums

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Read a partition: columns slab, rows."""
        unpacker, now, at, sums = Unpacker(), -1, 0, Sums()
        for batch in batches:
            slabs, rows = batch.column("slab"), batch.column("rows")
            for x in range(batch.num_rows):
                slab = slabs[x].as_py()
                if slab != now:
                    if now >= 0:
                        yield _row(now, self.end(sums))
                    now, at, sums = slab, 0, self.begin(slab)
                block = unpacker.unpack(rows[x].as_buffer())
                self.take(sums, block, slab, at)
                at += block.size
        if now >= 0:
            yield _row(now, self.end(sums))


def _row(slab: int, outcome: Mapping[str, Any]) -> Any:
    import pyarrow

    return pyarrow.RecordBatch.from_arrays(
        [pyarrow.array([slab], pyarrow.int32()), pyarrow.array([write_arrays(outcome)], pyarrow.binary())],
        names=["slab", "outcome"],
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Survey(Pass):
    """Counts what is there, and looks for rows that cannot be used."""

    def begin(self, slab: int) -> Sums:
        """Give zeros; every slab also hands in its first values."""
        return {
            "size": 0, "balance": 0, "cells": np.zeros(SEGMENTS_MAX, np.int64), "kind": 0, "row": -1,
            "few": [], "wanted": FEW,
        }  # fmt: skip

    def take(self, sums: Sums, block: Block, slab: int, at: int) -> None:
        """Count a block."""
        if not sums["kind"]:
            kind, row = scanning.examine(block.value)
            sums["kind"], sums["row"] = kind, sums["size"] + row
        more = min(sums["wanted"], block.size)
        sums["few"].append(block.value[:more].copy())
        sums["wanted"] -= more
        sums["size"] += block.size
        sums["balance"] += int(block.balance.sum())
        counts = np.bincount(block.cell)
        if counts.size > sums["cells"].size:
            sums["cells"] = np.pad(sums["cells"], (0, counts.size - sums["cells"].size))
        sums["cells"][: counts.size] += counts

    def end(self, sums: Sums) -> Mapping[str, Any]:
        """Hand in the counts."""
        return {name: sums[name] for name in ("size", "balance", "cells", "kind", "row")} | {
            "few": np.concatenate(sums["few"])
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Choosing(Pass):
    """A pass that hands in some rows: their positions in the slab and what is in them."""

    def empty(self) -> Sums:
        """Give no row."""
        return {"rows": []}

    def choose(self, sums: Sums, block: Block, at: int, chosen: Any, **more: Any) -> None:
        """Copy rows of a block."""
        sums["rows"].append(
            {
                "position": chosen.astype(np.int64) + at,
                "value": block.value[chosen],
                "balance": block.balance[chosen],
                "cell": block.cell[chosen],
                "fixed": block.fixed[chosen] if block.fixed.size else block.fixed.copy(),
                **more,
            }
        )

    def end(self, sums: Sums) -> Mapping[str, Any]:
        """Hand in the rows and all other sums."""
        rows = sums.pop("rows")
        return {name: np.concatenate([part[name] for part in rows]) for name in rows[0]} | sums


@dataclass(frozen=True, kw_only=True, eq=False)
class Draw(Choosing):
    """Draws a sample; the draw of a row comes from its number and the seed."""

    base: float
    seed: int
    unit: float
    cells: int

    def begin(self, slab: int) -> Sums:
        """Give zeros."""
        return self.empty() | {"totals": np.zeros((self.cells, 2))}

    def take(self, sums: Sums, block: Block, slab: int, at: int) -> None:
        """Draw from a block."""
        chosen, weight = np.empty(block.size, np.int32), np.empty(block.size)
        start = int(self.first[slab]) + at
        found = scanning.draw(
            block.balance, self.unit, block.cell, self.base, self.base, self.seed, start,
            chosen, weight, sums["totals"],
        )  # fmt: skip
        self.choose(sums, block, at, chosen[:found] - start, weight=weight[:found].copy())


@dataclass(frozen=True, kw_only=True, eq=False)
class Priced(Pass):
    """A pass at prices: alpha (cells, k) and mu (k,), float32, as the kernels take them; unit scales balances.

    like: no unit, but whatever else the kernels want to know of units.
    """

    alpha: Any
    mu: Any
    unit: float
    like: Cells

    def given(self, block: Block, slab: int, at: int) -> tuple[Any, ...]:
        """Give a block as kernels take it."""
        start = int(self.first[slab]) + at
        units = replace(
            self.like, value=block.value, balance=block.balance, cell=block.cell, fixed=block.fixed,
            number=np.arange(start, start + block.size, dtype=np.int32) if self.like.noise > 0 else self.like.number,
        )  # fmt: skip
        return units.slab(slice(0, block.size), self.unit)

    @property
    def shape(self) -> tuple[int, int]:
        """Cells and agencies."""
        return self.alpha.shape[0], self.alpha.shape[1]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scan(Priced):
    """Reads what all rows say at these prices, see `scanning.scan`."""

    near: float

    def begin(self, slab: int) -> Sums:
        """Give zeros."""
        cells, k = self.shape
        return {
            "worth": np.zeros(cells), "count": np.zeros((cells, k)), "money": np.zeros((cells, k)),
            "ties": np.zeros((3, cells, k, k)),
        }  # fmt: skip

    def take(self, sums: Sums, block: Block, slab: int, at: int) -> None:
        """Add a block."""
        given = (
            *self.given(block, slab, at), np.empty(0), self.alpha, self.mu, self.near,
            sums["worth"], sums["count"], sums["money"], sums["ties"],
        )  # fmt: skip
        scanning.scan(*given)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sift(Choosing, Priced):
    """Hands in the rows that small changes of prices could move, and adds up the others, see `scanning.sift`."""

    near: Floats
    near_money: float

    def begin(self, slab: int) -> Sums:
        """Give zeros."""
        cells, k = self.shape
        return self.empty() | {
            "worth": np.zeros(cells), "count": np.zeros((cells, k)), "money": np.zeros((cells, k)),
            "owed": np.zeros(k, np.int64),
        }  # fmt: skip

    def take(self, sums: Sums, block: Block, slab: int, at: int) -> None:
        """Sift a block."""
        agency, chosen = np.empty(block.size, np.int16), np.empty(block.size, np.int32)
        given = (
            *self.given(block, slab, at), self.alpha, self.mu, self.near, self.near_money,
            agency, chosen, sums["worth"], sums["count"], sums["money"], sums["owed"],
        )  # fmt: skip
        found = scanning.sift(*given)
        self.choose(sums, block, at, chosen[:found], agency=agency[chosen[:found]])


@dataclass(frozen=True, kw_only=True, eq=False)
class Place(Priced):
    """Gives every row its agency: its best at the prices, but `moved` ones theirs; and adds up the proof for just these.

    moved: by slab, positions in it (rising) and agencies. pay (cells, k), owed_price (k,): prices as the checker takes them.
    """

    SCHEMA: ClassVar[str] = "slab int, block int, account binary, agency binary, outcome binary"

    moved: Mapping[int, tuple[Ints, Any]]
    pay: Floats
    owed_price: Floats

    def begin(self, slab: int) -> Sums:
        """Give zeros."""
        return {
            "size": 0, "moved": self.moved.get(slab, (np.empty(0, np.int64), np.empty(0, np.int16))), "sums": np.zeros(3),
            "held": np.zeros(self.pay.shape), "owed": np.zeros(self.shape[1], np.int64),
        }  # fmt: skip

    def give(self, sums: Sums, block: Block, slab: int) -> Any:
        """Give a block's rows their agencies and add them up; returns (n,) int16."""
        (cells, k), at = self.shape, sums["size"]
        agency, chosen = np.empty(block.size, np.int16), np.empty(block.size, np.int32)
        given = (
            *self.given(block, slab, at), self.alpha, self.mu, np.full(cells, -np.inf), 0.0,
            agency, chosen, np.zeros(cells), np.zeros((cells, k)), np.zeros((cells, k)), np.zeros(k, np.int64),
        )  # fmt: skip
        scanning.sift(*given)
        positions, others = sums["moved"]
        first, last = np.searchsorted(positions, [at, at + block.size])
        agency[positions[first:last] - at] = others[first:last]
        checker.add_up(
            block.value, block.balance, block.cell, block.fixed, agency, self.pay, self.owed_price,
            sums["sums"], sums["held"], sums["owed"],
        )  # fmt: skip
        sums["size"] += block.size
        return agency

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Read a partition: columns slab, block, account, rows; yields a row a block and one a slab with block −1."""
        unpacker, now, sums = Unpacker(), -1, Sums()
        for batch in batches:
            for x in range(batch.num_rows):
                slab = batch.column("slab")[x].as_py()
                if slab != now:
                    if now >= 0:
                        yield self._total(now, sums)
                    now, sums = slab, self.begin(slab)
                agency = self.give(sums, unpacker.unpack(batch.column("rows")[x].as_buffer()), slab)
                one = batch.slice(x, 1)
                yield self._rows(
                    one.column("slab"), one.column("block"), one.column("account"), agency.tobytes(), b""
                )
        if now >= 0:
            yield self._total(now, sums)

    def _total(self, slab: int, sums: Sums) -> Any:
        outcome = write_arrays({name: sums[name] for name in ("size", "sums", "held", "owed")})
        return self._rows([slab], [-1], [b""], b"", outcome)

    def _rows(self, slab: Any, block: Any, account: Any, agency: bytes, outcome: bytes) -> Any:
        import pyarrow

        whole, binary = pyarrow.int32(), pyarrow.binary()
        given = ((slab, whole), (block, whole), (account, binary), ([agency], binary), ([outcome], binary))
        return pyarrow.RecordBatch.from_arrays(
            [
                pyarrow.array(values, kind) if isinstance(values, list) else values.cast(kind)
                for values, kind in given
            ],
            names=["slab", "block", "account", "agency", "outcome"],
        )
