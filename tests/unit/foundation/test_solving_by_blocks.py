"""The whole way of a problem over packed blocks, with batches in this process in Spark's place: the answer of the solver."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from weituo.core.allocation import solver
from weituo.core.allocation.cells import Cells, cells
from weituo.core.allocation.feasibility import Infeasible, Kind
from weituo.core.allocation.prices import edges
from weituo.core.allocation.problem import problem
from weituo.foundation.cluster import blocks
from weituo.foundation.cluster.blocks import Block

from bench import instances

if os.environ.get("CI") != "true":  # there they must not be missing
    pytest.importorskip("pyarrow", reason="pip install 'weituo[spark]'")
    pytest.importorskip("pyspark", reason="pip install 'weituo[spark]'")
import pyarrow

N = 12_000


class Lying:
    """Batches with the few methods of a Spark frame that a field of accounts uses; every pass really runs."""

    def __init__(self, batches: Iterable[Any]) -> None:
        self.batches = list(batches)
        nothing = SimpleNamespace(get=lambda *_: None, set=lambda *_: None, unset=lambda *_: None)
        self.sparkSession = SimpleNamespace(conf=nothing)

    def persist(self, *_: object) -> Lying:
        return self

    def unpersist(self) -> None:
        self.batches = []

    def count(self) -> int:
        return sum(batch.num_rows for batch in self.batches)

    def select(self, *names: str) -> Lying:
        return Lying(batch.select(list(names)) for batch in self.batches)

    def mapInArrow(self, work: Callable[[Any], Any], schema: str) -> Lying:
        found = Lying(work(iter(self.batches)))
        wanted = [part.strip().split(" ")[0] for part in schema.split(",")]
        assert all(batch.schema.names == wanted for batch in found.batches)
        return found

    def where(self, rule: str) -> Lying:
        wanted = {"block < 0": lambda block: block < 0, "block >= 0": lambda block: block >= 0}[rule]
        return Lying(
            batch.filter(pyarrow.array([wanted(block) for block in batch.column("block").to_pylist()]))
            for batch in self.batches
        )

    def collect(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(**row) for batch in self.batches for row in batch.to_pylist()]


def lying(*, session: object, cells: Cells) -> Lying:
    """Lay units as `spread.from_cells` does, the last slab first."""
    found = []
    for slab, (start, stop) in reversed(list(enumerate(pairwise(edges(cells.size))))):
        for number, first in enumerate(range(int(start), int(stop), 640)):
            here = slice(first, min(first + 640, int(stop)))
            fixed = cells.fixed[here] if cells.fixed.size else cells.fixed
            block = Block(
                value=cells.value[here],
                balance=cells.balance[here],
                cell=cells.cell[here].astype(np.int16),
                fixed=fixed,
            )
            found.append((slab, number, b"", blocks.pack(block=block)))
    kinds = (pyarrow.int32(), pyarrow.int32(), pyarrow.binary(), pyarrow.binary())
    return Lying(
        pyarrow.RecordBatch.from_arrays(
            [pyarrow.array(column, kind) for column, kind in zip(columns, kinds, strict=True)],
            names=["slab", "block", "account", "rows"],
        )
        for columns in (zip(*found[first : first + 3], strict=True) for first in range(0, len(found), 3))
    )


@pytest.mark.parametrize("variant", ["counts", "full", "units", "drawn", "units drawn", "whole money"])
def test_every_kind_of_problem_is_answered_as_in_one_process(
    variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from weituo.foundation.cluster import solving

    monkeypatch.setattr(solving.spread, "from_cells", lying)
    arrays = instances.problem(n=N, k=4, seed=3, full=variant == "full")
    unit = np.sort(np.random.default_rng(3).integers(0, 8_000, N))
    if "units" in variant:
        arrays["unit"] = unit
    if "drawn" in variant:
        arrays["fixed"] = np.where(unit % 50 == 0, 3, -1)
    if "money" in variant:
        arrays["value"] = np.round(arrays["value"] / 20) * 20
    given = problem(**arrays)
    alone, found = solver.solve(problem=given), solving.solve(problem=given, session=None).solution
    assert found.bound == pytest.approx(alone.bound, rel=1e-9)
    assert np.array_equal(found.agency, alone.agency)
    assert found.value == pytest.approx(alone.value, rel=1e-12)
    assert found.violations == alone.violations == 0


def test_limits_that_cannot_be_kept_are_refused_with_what_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from weituo.foundation.cluster import solving

    monkeypatch.setattr(solving.spread, "from_cells", lying)
    arrays = instances.problem(n=N, k=4, seed=3, full=False)
    arrays["count_max"] = arrays["count_max"] // 2
    arrays["count_min"] = np.zeros(4)
    with pytest.raises(Infeasible) as refused:
        solving.solve(problem=problem(**arrays), session=None)
    assert refused.value.kind is Kind.PLACES
    assert refused.value.relaxation


def test_a_frame_with_limits_that_clash_is_refused_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    from weituo.foundation.cluster import solving

    arrays = instances.problem(n=N, k=4, seed=3, full=False)
    made = cells(problem(value=arrays["value"], balance=arrays["balance"]))
    monkeypatch.setattr(
        solving.spread, "from_frame", lambda *, frame, agencies: lying(session=None, cells=made)
    )
    total = int(arrays["balance"].sum())
    # every sum fits, yet half of the accounts cannot owe as little as a hundredth of all that is owed
    limits = {
        "count_min": [N // 2, 0, 0, 0],
        "balance_max": [total // 100, total, total, total],
    }
    with pytest.raises(Infeasible, match="agency 0 cannot all be kept") as refused:
        solving.solve_frame(frame=None, agencies=4, limits=limits)
    assert refused.value.kind is Kind.CLASH
    assert refused.value.limits == ("the least counts", "the largest balances")
    # and what one reading shows is refused before any price is looked for
    with pytest.raises(Infeasible) as refused:
        solving.solve_frame(frame=None, agencies=4, limits={"count_max": [N // 8] * 4})
    assert refused.value.kind is Kind.PLACES
