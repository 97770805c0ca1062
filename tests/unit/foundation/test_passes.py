"""What workers of a cluster do with packed blocks, without a cluster: the sums of one process, however blocks arrive."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from weituo.core.allocation import checker, prices, whole
from weituo.core.allocation.cells import Cells, cells
from weituo.core.allocation.prices import Prices, Reader, Rows, edges
from weituo.core.allocation.problem import Problem, problem
from weituo.foundation.cluster import blocks, looking, passes, spread
from weituo.foundation.cluster.blocks import Block, Unpacker, read_arrays

from bench import instances

if os.environ.get("CI") != "true":  # there it must not be missing
    pytest.importorskip("pyarrow", reason="pip install 'weituo[spark]'")
import pyarrow

N, AGENCIES = 20_000, 5


@pytest.fixture(scope="module")
def given() -> Problem:
    """A problem whose limits bind, with some accounts drawn beforehand."""
    arrays = instances.problem(n=N, k=AGENCIES, seed=2)
    fixed = np.where(np.arange(N) % 97 == 0, AGENCIES - 1, -1)
    return problem(**arrays, fixed=fixed)


@pytest.fixture(scope="module")
def made(given: Problem) -> Cells:
    """The same in cells."""
    return cells(given)


@pytest.fixture(scope="module")
def rows(given: Problem, made: Cells) -> Rows:
    """Its limits as rows."""
    return prices.rows_of(
        limits=given.limits, parts=made.parts, share=made.share, mean_balance=float(given.balance.mean())
    )


def priced(rows: Rows) -> Prices:
    """Some prices, not all zero."""
    rng = np.random.default_rng(1)
    return Prices(
        row=rng.normal(0, 3, rows.most.shape) * (rows.ceiling > 0), money=rng.normal(0, 1, AGENCIES)
    )


def at_prices(made: Cells, rows: Rows, at: Prices) -> dict[str, Any]:
    """What passes at prices take."""
    return {
        "alpha": at.alpha(rows).astype(np.float32), "mu": at.money.astype(np.float32), "unit": rows.unit,
        "like": made.take(np.arange(0)), "first": edges(made.size),
    }  # fmt: skip


def packed(made: Cells, *, rows_a_block: int, blocks_a_batch: int) -> Iterator[Any]:
    """Yield the units as Arrow batches of packed blocks, slab by slab."""
    found: list[tuple[int, int, bytes, bytes]] = []
    cut = edges(made.size)
    for slab, (start, stop) in enumerate(pairwise(cut)):
        for number, first in enumerate(range(int(start), int(stop), rows_a_block)):
            here = slice(first, min(first + rows_a_block, int(stop)))
            block = Block(
                value=made.value[here],
                balance=made.balance[here],
                cell=made.cell[here],
                fixed=made.fixed[here],
            )
            found.append((slab, number, b"", blocks.pack(block=block)))
    kinds = (pyarrow.int32(), pyarrow.int32(), pyarrow.binary(), pyarrow.binary())
    for first in range(0, len(found), blocks_a_batch):
        columns = zip(*found[first : first + blocks_a_batch], strict=True)
        yield pyarrow.RecordBatch.from_arrays(
            [pyarrow.array(column, kind) for column, kind in zip(columns, kinds, strict=True)],
            names=["slab", "block", "account", "rows"],
        )


def outcomes(task: passes.Pass, batches: Iterator[Any]) -> list[dict[str, Any]]:
    """Run a pass here; what it says by slab."""
    return [read_arrays(batch.column("outcome")[0].as_py()) for batch in task(batches)]


@pytest.mark.parametrize(("n", "k", "drawn"), [(1, 1, False), (7, 3, True), (32, 5, False), (33, 2, True)])
def test_a_block_comes_back_as_it_was(n: int, k: int, drawn: bool) -> None:
    rng = np.random.default_rng(n)
    block = Block(
        value=np.where(rng.random((n, k)) < 0.2, -np.inf, rng.normal(size=(n, k))).astype(np.float32),
        balance=rng.integers(0, 10**12, n),
        cell=rng.integers(0, 9, n).astype(np.int16),
        fixed=(rng.integers(-1, k, n) if drawn else np.empty(0)).astype(np.int16),
    )
    written = blocks.pack(block=block)
    assert len(written) % 8 == 0
    # also from the middle of other bytes, as Arrow hands it in
    for buffer in (written, memoryview(b"12345678" + written)[8:]):
        found = Unpacker().unpack(buffer)
        assert found.size == n
        for name in ("value", "balance", "cell", "fixed"):
            assert np.array_equal(getattr(found, name), getattr(block, name))


@pytest.mark.parametrize(("rows_a_block", "blocks_a_batch"), [(8_192, 16), (64, 5), (640, 1)])
def test_a_scan_adds_up_bit_by_bit_what_one_process_adds_up(
    made: Cells, rows: Rows, rows_a_block: int, blocks_a_batch: int
) -> None:
    at = priced(rows)
    with ThreadPoolExecutor(2) as pool:
        alone = Reader(cells=made, rows=rows, pool=pool).read(at, 5.0)
    task = passes.Scan(**at_prices(made, rows, at), near=5.0)
    found = outcomes(task, packed(made, rows_a_block=rows_a_block, blocks_a_batch=blocks_a_batch))
    assert len(found) == 8
    for name, expected in (("count", alone.count), ("money", alone.money), ("ties", alone.ties)):
        total = found[0][name]
        for part in found[1:]:
            total = total + part[name]
        assert np.array_equal(total, expected)
    assert sum(float(part["count"].sum()) for part in found) == N
    assert sum(float(part["worth"].sum()) for part in found) == pytest.approx(alone.worth, rel=1e-14)


def test_a_sift_hands_in_the_contested_and_adds_up_the_others(made: Cells, rows: Rows) -> None:
    at, width = priced(rows), np.full(made.parts.shape[0], 2.0)
    with ThreadPoolExecutor(2) as pool:
        alone = whole.sift(made, rows, at, width, 1.0, pool)
    task = passes.Sift(
        **at_prices(made, rows, at),
        near=width,
        near_money=1.0,
    )
    found = outcomes(task, packed(made, rows_a_block=640, blocks_a_batch=3))
    cut = edges(made.size)
    assert np.array_equal(
        np.concatenate([part["position"] + cut[slab] for slab, part in enumerate(found)]), alone.chosen
    )
    for name, expected in (
        ("value", alone.near.value),
        ("balance", alone.near.balance),
        ("fixed", alone.near.fixed),
    ):
        assert np.array_equal(np.concatenate([part[name] for part in found]), expected)
    assert np.array_equal(np.concatenate([part["agency"] for part in found]), alone.agency[alone.chosen])
    assert np.array_equal(sum(part["owed"] for part in found), alone.owed)
    assert np.array_equal(sum(part["count"] for part in found), alone.rest[0])


def test_what_is_placed_is_what_the_proof_adds_up(given: Problem, made: Cells, rows: Rows) -> None:
    at = priced(rows)
    rng = np.random.default_rng(4)
    moved = {
        slab: (np.array([0, 63, 64, 700]), rng.integers(0, AGENCIES, 4).astype(np.int16)) for slab in (0, 5)
    }
    open_to = np.isfinite(given.value).all(axis=1)
    cut = edges(N)
    # moves as a solver makes them: never to an agency that must not have the account
    moved = {
        slab: (at_[open_to[at_ + cut[slab]]], to[open_to[at_ + cut[slab]]])
        for slab, (at_, to) in moved.items()
    }
    price = rng.normal(0, 2, (given.segments, AGENCIES))
    money = rng.normal(0, 1e-3, AGENCIES)
    task = passes.Place(
        **at_prices(made, rows, at), moved=moved,
        pay=price, owed_price=money,
    )  # fmt: skip
    said = [batch.to_pylist()[0] for batch in task(packed(made, rows_a_block=64, blocks_a_batch=7))]
    agency = np.frombuffer(b"".join(one["agency"] for one in said if one["block"] >= 0), dtype=np.int16)
    assert agency.size == N
    for slab, (positions, agencies) in moved.items():
        assert np.array_equal(agency[positions + cut[slab]], agencies)
    totals = [read_arrays(one["outcome"]) for one in said if one["block"] < 0]
    alone = checker.check(problem=given, agency=agency, price=price, money=money)
    sums = sum(part["sums"] for part in totals)
    assert sums[2] == pytest.approx(alone["value"], rel=1e-12)
    assert np.array_equal(sum(part["held"] for part in totals), alone["held"])
    assert np.array_equal(sum(part["owed"] for part in totals), alone["owed"])
    again = checker.judge(
        limits=given.limits, size=N, share=given.share(), price=price, money=money, sums=sums, held=alone["held"],
        owed=alone["owed"], balance=int(given.balance.sum()), longest=N // 8,
    )  # fmt: skip
    assert again["bound"] == pytest.approx(alone["bound"], rel=1e-12)


def test_sorted_rows_are_packed_slab_by_slab_with_their_names() -> None:
    rng = np.random.default_rng(9)
    slab = np.sort(rng.integers(0, 3, 20_000)).astype(np.int32)
    value = rng.normal(size=(slab.size, 2)).astype(np.float32)
    table = pyarrow.table(
        {
            "slab": slab,
            "account": [f"A{row}" for row in range(slab.size)],
            "value": pyarrow.ListArray.from_arrays(
                np.arange(0, 2 * slab.size + 1, 2, dtype=np.int32), value.ravel()
            ),
            "balance": np.arange(slab.size),
            "segment": np.zeros(slab.size, dtype=np.int16),
        }
    )
    found = [
        batch.to_pylist()[0]
        for batch in spread.Packing(fixed=False)(iter(table.to_batches(max_chunksize=999)))
    ]
    assert [(one["slab"], one["block"]) for one in found] == [
        (part, number) for part in range(3) for number in range(-(-int((slab == part).sum()) // blocks.ROWS))
    ]
    names = [name for one in found for name in names_in(one["account"])]
    assert names == [f"A{row}" for row in range(slab.size)]
    again = [Unpacker().unpack(one["rows"]) for one in found]
    assert np.array_equal(np.concatenate([block.value for block in again]), value)
    assert np.array_equal(np.concatenate([block.balance for block in again]), np.arange(slab.size))


def names_in(written: bytes) -> list[str]:
    """Read the names that go along with a block."""
    with pyarrow.ipc.open_stream(written) as stream:
        return list(stream.read_all()["account"].to_pylist())


def test_surveys_of_blocks_join_into_that_of_all_rows(given: Problem, made: Cells) -> None:
    task = looking.Look(like=made.take(np.arange(0)), first=edges(N))
    found = [
        read_arrays(batch.column("outcome")[0].as_py())
        for batch in task(packed(made, rows_a_block=640, blocks_a_batch=4))
    ]
    seen = looking.joined(found)
    opened = np.isfinite(given.value)
    drawn = given.fixed >= 0
    opened[drawn] &= np.arange(AGENCIES)[None, :] == given.fixed[drawn, None]
    for part in range(given.segments):
        mine = given.segment == part
        assert np.array_equal(seen.eligible[:, part], opened[mine].sum(axis=0))
        assert np.array_equal(seen.drawn[:, part], np.bincount(given.fixed[mine & drawn], minlength=AGENCIES))
    assert np.array_equal(seen.owed, np.where(opened, given.balance[:, None], 0).sum(axis=0))
    assert (seen.odd, seen.barred, seen.barred_units, seen.forbidden_units) == (-1, -1, 0, 0)
    assert seen.patterns is not None
    patterns, counts = np.unique(opened, axis=0, return_counts=True)
    order, expected = np.lexsort(seen.patterns.T), np.lexsort(patterns.T)
    assert np.array_equal(seen.patterns[order], patterns[expected])
    assert np.array_equal(seen.accounts[order], counts[expected])
    assert seen.balance.sum() == given.balance.sum()
    lowest = np.where(opened, given.value.astype(np.float64), np.inf).min(axis=1)
    assert seen.lowest == pytest.approx(lowest.sum(), rel=1e-9)
