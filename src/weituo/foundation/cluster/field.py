"""The accounts of a cluster as the solver sees them: read at prices, drawn from, sifted, placed; and what they are like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from weituo.core.allocation.cells import Cells
from weituo.core.allocation.prices import Prices, Reader, Reading, Rows
from weituo.core.allocation.problem import Floats, Ints, ProblemError
from weituo.core.allocation.surveying import Survey
from weituo.core.allocation.whole import Contest
from weituo.foundation.cluster import looking, passes, spark
from weituo.foundation.cluster.blocks import read_arrays


class Field:
    """Packed accounts on a cluster, held in the workers' memory until `release`.

    size: rows; balance: all of it; counts (cells,): rows of each cell; few: the first values. passes: how many passes ran.
    """

    def __init__(self, *, packed: Any) -> None:
        from pyspark import StorageLevel

        self._packed = packed.persist(StorageLevel.MEMORY_AND_DISK)
        self._placed: Any = None
        self.passes = 0
        # the first action fills the memory, with the batches of whoever packed the rows
        self._packed.count()
        found = self.run(passes.Survey())
        if not found:
            raise ProblemError("there is no account")
        sizes = {slab: int(part["size"]) for slab, part in found.items()}
        self.first: Ints = np.zeros(max(sizes) + 2, dtype=np.int64)
        for slab in range(max(sizes) + 1):
            self.first[slab + 1] = self.first[slab] + sizes.get(slab, 0)
        self.size = int(self.first[-1])
        self.balance = sum(int(part["balance"]) for part in found.values())
        counts = np.sum([part["cells"] for part in found.values()], axis=0)
        self.counts: Ints = counts[: int(np.flatnonzero(counts)[-1]) + 1]
        self.few = np.concatenate([part["few"] for part in found.values()])[: passes.FEW]
        for slab, part in found.items():
            self._refuse(int(part["kind"]), int(self.first[slab]) + int(part["row"]))

    @staticmethod
    def _refuse(kind: int, row: int) -> None:
        if kind == 1:
            raise ProblemError(f"value must be a number or −inf: row {row} holds NaN or +inf")
        if kind == 2:
            raise ProblemError(f"row {row} is barred from every agency; in-house work may be one of them")

    def release(self) -> None:
        """Let the workers forget the accounts."""
        for frame in (self._packed, self._placed):
            if frame is not None:
                frame.unpersist()

    def run(self, task: passes.Pass) -> dict[int, dict[str, Any]]:
        """Run a pass; give what each slab says, in the order of slabs."""
        self.passes += 1
        with spark.set_for_a_while(session=self._packed.sparkSession):
            rows = self._packed.select("slab", "rows").mapInArrow(task, task.SCHEMA).collect()
        return {row.slab: read_arrays(row.outcome) for row in sorted(rows, key=lambda row: row.slab)}

    def look(self, *, made: Cells) -> Survey:
        """Survey all rows in one pass."""
        task = looking.Look(like=self.nothing(made=made), first=self.first)
        return looking.joined(self.run(task).values())

    def draw(self, *, made: Cells, base: float, seed: int, unit: float) -> tuple[Cells, Floats, Floats]:
        """Draw rows as `scanning.draw` does: (rows, weights, totals of all rows)."""
        task = passes.Draw(base=base, seed=seed, unit=unit, cells=made.parts.shape[0], first=self.first)
        found = self.run(task)
        return (
            self._rows(made, found),
            np.concatenate([part["weight"] for part in found.values()]),
            np.sum([part["totals"] for part in found.values()], axis=0),
        )

    @staticmethod
    def nothing(*, made: Cells) -> Cells:
        """Give what is known of units, without a unit."""
        return replace(
            made, value=made.value[:0], balance=made.balance[:0], cell=made.cell[:0], fixed=made.fixed[:0],
            member=made.member[:0], number=made.number[:0],
        )  # fmt: skip

    def priced(self, *, made: Cells, rows: Rows, at: Prices) -> dict[str, Any]:
        """Give what every pass at prices takes."""
        return {
            "alpha": at.alpha(rows).astype(np.float32), "mu": at.money.astype(np.float32), "unit": rows.unit,
            "like": self.nothing(made=made), "first": self.first,
        }  # fmt: skip

    def sift(
        self, *, made: Cells, rows: Rows, at: Prices, near: Floats, near_money: float
    ) -> tuple[Contest, Ints]:
        """Sift as `whole` does; agencies are given for the contested alone, whose positions come second."""
        task = passes.Sift(
            **self.priced(made=made, rows=rows, at=at),
            near=np.asarray(near, dtype=np.float64),
            near_money=near_money,
        )
        found = self.run(task)
        count, money, worth, owed = (
            np.sum([part[name] for part in found.values()], axis=0)
            for name in ("count", "money", "worth", "owed")
        )
        near_rows = self._rows(made, found)
        contest = Contest(
            agency=np.concatenate([part["agency"] for part in found.values()]),
            chosen=np.arange(near_rows.size),
            near=near_rows,
            rest=(count, money, float(worth.sum())),
            owed=owed,
        )
        return contest, np.concatenate([part["position"] + self.first[slab] for slab, part in found.items()])

    def place(
        self,
        *,
        made: Cells,
        rows: Rows,
        at: Prices,
        positions: Ints,
        agencies: Any,
        pay: Floats,
        owed_price: Floats,
    ) -> list[dict[str, Any]]:
        """Give every row its agency, but the rows at `positions` (rising) theirs; give what the proof adds up by slab."""
        cut = np.searchsorted(positions, self.first)
        moved = {
            slab: (positions[a:b] - self.first[slab], np.asarray(agencies[a:b], dtype=np.int16))
            for slab, (a, b) in enumerate(pairwise(cut))
        }
        task = passes.Place(
            **self.priced(made=made, rows=rows, at=at),
            moved=moved,
            pay=np.ascontiguousarray(pay),
            owed_price=owed_price,
        )
        self.passes += 1
        with spark.set_for_a_while(session=self._packed.sparkSession):
            self._placed = self._packed.mapInArrow(task, task.SCHEMA).persist()
            found = self._placed.where("block < 0").select("slab", "outcome").collect()
        return [read_arrays(row.outcome) for row in sorted(found, key=lambda row: row.slab)]

    def _rows(self, made: Cells, found: Mapping[int, Mapping[str, Any]]) -> Cells:
        """Put rows that slabs handed in into cells, each with its number among all rows."""
        column = {
            name: np.concatenate([part[name] for part in found.values()])
            for name in ("value", "balance", "cell", "fixed")
        }
        number = np.concatenate([part["position"] + self.first[slab] for slab, part in found.items()])
        return replace(
            made, value=column["value"], balance=column["balance"], cell=column["cell"], fixed=column["fixed"],
            member=made.member[:0], number=number.astype(np.int32),
        )  # fmt: skip

    def placed(self) -> Any:
        """Give the placed blocks as a frame: slab, block, account, agency (int16 as bytes)."""
        return self._placed.where("block >= 0").select("slab", "block", "account", "agency")

    def agencies(self) -> Any:
        """Fetch the agency of every row: (n,) int16 in the order of slabs and blocks."""
        rows = sorted(
            self.placed().select("slab", "block", "agency").collect(), key=lambda row: (row.slab, row.block)
        )
        return np.frombuffer(b"".join(bytes(row.agency) for row in rows), dtype=np.int16).copy()


class ClusterReader(Reader):
    """Reads all rows on the cluster: the same sums in the same order as `Reader` in one process."""

    def __init__(self, *, field: Field, cells: Cells, rows: Rows) -> None:
        # cells: what there is to know of units but the units themselves
        self.field, self.cells, self.rows = field, cells, rows
        self.weight = np.empty(0)

    def read(self, prices: Prices, near: float) -> Reading:
        """Read all rows in one pass of the cluster."""
        task = passes.Scan(**self.field.priced(made=self.cells, rows=self.rows, at=prices), near=near)
        found: list[Mapping[str, Any]] = list(self.field.run(task).values())
        sums = dict(found[0])
        for part in found[1:]:
            sums = {name: sums[name] + part[name] for name in sums}
        return Reading(
            count=sums["count"], money=sums["money"], worth=float(sums["worth"].sum()), ties=sums["ties"]
        )
