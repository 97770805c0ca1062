"""Accounts onto the cluster: packed blocks, cut into slabs, slabs laid evenly over partitions, kept in the workers' memory.

Which slab an account lies in, and where, depends on the accounts alone, not on machines or on the order of arrival: arrays are
cut as the solver cuts them in one process; a frame is cut by a hash of the account and sorted by it within the slab.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from weituo.core.allocation import scanning
from weituo.core.allocation.cells import Cells
from weituo.core.allocation.prices import SLABS
from weituo.core.allocation.problem import AGENCIES_MAX, BALANCE_MAX, SEGMENTS_MAX, ProblemError
from weituo.foundation.cluster import blocks, spark
from weituo.foundation.cluster.blocks import Block

SCHEMA: Final = "slab int, block int, account binary, rows binary"
#: accounts for which one process has its slabs
ACCOUNTS: Final = 10_000_000
#: seconds without a newcomer after which the cluster is taken to be complete
QUIET: Final = 1.0
#: columns that a frame of accounts must have; `fixed` may be there as well
COLUMNS: Final = ("account", "value", "balance", "segment")


#: accounts fixed to an agency that must not have them
AWAY: Final = "count_if(fixed >= 0 AND try_element_at(value, int(fixed) + 1) < double('-3e38'))"


def slabs_of(size: int) -> int:
    """Give the number of slabs, which depends on the number of accounts alone: it bounds how many cores can share a pass."""
    return SLABS * max(1, -(-size // ACCOUNTS))


def cores(session: Any) -> int:
    """Give the cores of the cluster, once all who answer the call for workers are there."""
    context = session.sparkContext
    # the first job brings the workers in
    session.range(1).count()
    seen, since, begun = -1, time.monotonic(), time.monotonic()
    while time.monotonic() - since < QUIET and time.monotonic() - begun < 20 * QUIET:
        now = int(context.defaultParallelism)
        if now != seen:
            seen, since = now, time.monotonic()
        time.sleep(QUIET / 10)
    return max(1, seen)


def laid(frame: Any, slabs: int, *order: str) -> Any:
    """Lay the slabs of a frame (column slab) evenly over partitions, each slab whole and in order."""
    from pyspark.sql import functions

    session = frame.sparkSession
    count = min(slabs, cores(session))
    # numbers that Spark's own hash sends to partition 0, 1, 2 …: partitions are then as even as slabs are
    sent = session.range(100 * count).selectExpr("int(id) AS number", f"pmod(hash(int(id)), {count}) AS part")
    number = {row.part: row.number for row in sent.collect()}
    key = functions.array(*(functions.lit(number[slab * count // slabs]) for slab in range(slabs)))
    return (
        frame.withColumn("key", key[functions.col("slab")])
        .repartition(count, "key")
        .drop("key")
        .sortWithinPartitions("slab", *order)
    )


def from_cells(*, session: Any, cells: Cells) -> Any:
    """Send units from this process to the cluster as packed blocks."""
    import pyarrow

    slabs = slabs_of(cells.size)
    cut = np.linspace(0, cells.size, slabs + 1).astype(np.int64)
    cut[1:-1] -= cut[1:-1] % scanning.LANES
    rows: dict[str, list[Any]] = {"slab": [], "block": [], "account": [], "rows": []}
    for slab in range(slabs):
        for number, first in enumerate(range(int(cut[slab]), int(cut[slab + 1]), blocks.ROWS)):
            here = slice(first, min(first + blocks.ROWS, int(cut[slab + 1])))
            block = Block(
                value=cells.value[here],
                balance=cells.balance[here],
                cell=cells.cell[here].astype(np.int16),
                fixed=cells.fixed[here] if cells.fixed.size else cells.fixed,
            )
            for name, value in zip(rows, (slab, number, b"", blocks.pack(block=block)), strict=True):
                rows[name].append(value)
    schema = pyarrow.schema(
        [
            ("slab", pyarrow.int32()),
            ("block", pyarrow.int32()),
            ("account", pyarrow.binary()),
            ("rows", pyarrow.binary()),
        ]
    )
    with spark.set_for_a_while(session=session):
        return laid(session.createDataFrame(pyarrow.table(rows, schema=schema)), slabs, "block")


def from_frame(*, frame: Any, agencies: int) -> Any:
    """Pack a frame of accounts: account (long or string), value (array of k numbers; −inf: barred), balance, segment.

    Raises `ProblemError` for rows that cannot be used.
    """
    from pyspark.sql import functions

    fixed = "fixed" in frame.columns
    lacking = [name for name in COLUMNS if name not in frame.columns]
    if lacking:
        raise ProblemError(
            f"the accounts need the columns {', '.join(COLUMNS)}: {', '.join(lacking)} is missing"
        )
    slabs = slabs_of(_refuse(frame, agencies=agencies, fixed=fixed))
    chosen = frame.select(
        functions.expr(f"int(pmod(xxhash64(account), {slabs}))").alias("slab"),
        "account",
        functions.col("value").cast("array<float>").alias("value"),
        functions.col("balance").cast("long").alias("balance"),
        functions.col("segment").cast("smallint").alias("segment"),
        *([functions.col("fixed").cast("smallint").alias("fixed")] if fixed else []),
    )
    return laid(chosen, slabs, "account").mapInArrow(Packing(fixed=fixed), SCHEMA)


def _refuse(frame: Any, *, agencies: int, fixed: bool) -> int:
    """Look at all rows once for what makes no problem; give their number."""
    columns = (*COLUMNS, *(["fixed"] if fixed else []))
    found = frame.selectExpr(
        "count(*) AS size",
        *(f"count_if({name} IS NULL) AS no_{name}" for name in columns),
        f"count_if(size(value) <> {agencies}) AS wide",
        "count_if(exists(value, x -> x IS NULL OR isnan(x) OR x = double('infinity'))) AS odd",
        "count_if(NOT exists(value, x -> x > double('-3e38'))) AS barred",
        f"count_if(balance < 0 OR balance > {BALANCE_MAX} OR balance <> floor(balance)) AS owed",
        f"count_if(segment < 0 OR segment >= {SEGMENTS_MAX} OR segment <> floor(segment)) AS part",
        f"{f'count_if(fixed < -1 OR fixed >= {agencies})' if fixed else '0'} AS drawn",
        f"{AWAY if fixed else '0'} AS away",
    ).first()
    said = {f"no_{name}": f"{name} must not be empty" for name in columns} | {
        "wide": f"value must hold {agencies} numbers, one for each agency (at most {AGENCIES_MAX})",
        "odd": "value must be a number or −inf",
        "barred": "an account must be open to an agency; in-house work may be one of them",
        "owed": f"balance must be a whole number from 0 to {BALANCE_MAX}",
        "part": f"segment must be a whole number from 0 to {SEGMENTS_MAX - 1}",
        "drawn": f"fixed must name an agency from 0 to {agencies - 1}, or −1",
        "away": "fixed must not name an agency that must not have the account",
    }
    for name, rule in said.items():
        if found[name]:
            raise ProblemError(f"{rule}: {found[name]} accounts break this")
    return int(found["size"])


@dataclass(frozen=True, kw_only=True)
class Packing:
    """Packs sorted rows into blocks, slab by slab; the accounts' names go along as an Arrow column of their own."""

    fixed: bool

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Read a partition: columns slab, account, value, balance, segment and maybe fixed."""
        import pyarrow

        held: list[Any] = []
        slab, number = -1, 0
        for batch in batches:
            slabs = batch.column("slab").to_numpy(zero_copy_only=False)
            starts = np.flatnonzero(np.r_[True, np.diff(slabs) != 0])[: slabs.size]
            for first, last in zip(starts, [*starts[1:], slabs.size], strict=True):
                if slabs[first] != slab:
                    yield from self._blocks(held, slab, number, everything=True)
                    held, slab, number = [], int(slabs[first]), 0
                held.append(pyarrow.Table.from_batches([batch.slice(first, last - first)]))
                for packed in self._blocks(held, slab, number, everything=False):
                    number += 1
                    yield packed
        yield from self._blocks(held, slab, number, everything=True)

    def _blocks(self, held: list[Any], slab: int, number: int, *, everything: bool) -> Iterator[Any]:
        """Yield full blocks of what is held, or all of it; what is left stays held."""
        import pyarrow

        if not held or (not everything and sum(part.num_rows for part in held) < blocks.ROWS):
            return
        rows = pyarrow.concat_tables(held)
        held.clear()
        first = 0
        while rows.num_rows - first >= blocks.ROWS or (everything and first < rows.num_rows):
            yield self._packed(rows.slice(first, blocks.ROWS), slab, number)
            first, number = first + blocks.ROWS, number + 1
        if first < rows.num_rows:
            held.append(rows.slice(first))

    def _packed(self, rows: Any, slab: int, number: int) -> Any:
        import pyarrow

        one = rows.combine_chunks().to_batches()[0]
        values = one.column("value").flatten().to_numpy(zero_copy_only=False)
        block = Block(
            value=values.reshape(one.num_rows, -1),
            balance=one.column("balance").to_numpy(zero_copy_only=False),
            cell=one.column("segment").to_numpy(zero_copy_only=False),
            fixed=one.column("fixed").to_numpy(zero_copy_only=False) if self.fixed else np.empty(0, np.int16),
        )
        return pyarrow.RecordBatch.from_arrays(
            [
                pyarrow.array([slab], pyarrow.int32()),
                pyarrow.array([number], pyarrow.int32()),
                pyarrow.array([names_of(one.column("account"))], pyarrow.binary()),
                pyarrow.array([blocks.pack(block=block)], pyarrow.binary()),
            ],
            names=["slab", "block", "account", "rows"],
        )


def names_of(accounts: Any) -> bytes:
    """Write the accounts' names as an Arrow stream."""
    import pyarrow

    out = pyarrow.BufferOutputStream()
    batch = pyarrow.RecordBatch.from_arrays([accounts], names=["account"])
    with pyarrow.ipc.new_stream(out, batch.schema) as stream:
        stream.write_batch(batch)
    return bytes(out.getvalue())


def with_names(batches: Iterator[Any]) -> Iterator[Any]:
    """Turn placed blocks (columns account, agency) into rows: account, agency."""
    import pyarrow

    for batch in batches:
        for x in range(batch.num_rows):
            with pyarrow.ipc.open_stream(batch.column("account")[x].as_buffer()) as stream:
                names = stream.read_all().combine_chunks().column(0)
            agency = np.frombuffer(batch.column("agency")[x].as_buffer(), dtype=np.int16)
            yield from pyarrow.Table.from_arrays(
                [names, pyarrow.array(agency.astype(np.int32))], names=["account", "agency"]
            ).to_batches()
