"""Looking for limits that cannot all be kept before a frame is solved: each worker surveys its blocks, the surveys add up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from weituo.core.allocation import surveying
from weituo.core.allocation.cells import Cells
from weituo.core.allocation.surveying import PATTERNS, Survey
from weituo.foundation.cluster.blocks import Block
from weituo.foundation.cluster.passes import Pass, Sums

#: what adds up
ADDED = ("eligible", "drawn", "owed", "lowest", "barred_units", "forbidden_units")
#: positions of the first unit of a kind; −1: none
FIRST = ("odd", "barred", "forbidden")

ENDLESS: Final = 1 << 62


class Here:
    """A pool of this thread alone."""

    @staticmethod
    def map(work: Callable[[Any], Any], items: Iterable[Any]) -> Any:
        """Do one after the other."""
        return map(work, items)


@dataclass(frozen=True, kw_only=True, eq=False)
class Look(Pass):
    """Surveys rows as `surveying.survey` does; like: no unit, but what is known of all."""

    like: Cells

    def begin(self, slab: int) -> Sums:
        """Give nothing yet."""
        return {"patterns": {}, "known": True}

    def take(self, sums: Sums, block: Block, slab: int, at: int) -> None:
        """Survey a block."""
        units = replace(
            self.like, value=block.value, balance=block.balance, cell=block.cell, fixed=block.fixed
        )
        # all rows are counted, whatever agencies need: how much there is elsewhere a worker cannot know
        k, segments = block.value.shape[1], self.like.parts.shape[1]
        found = surveying.survey(
            made=units, need=np.full((k, 1 + segments), ENDLESS), need_owed=np.full(k, ENDLESS),
            pool=Here(),  # type: ignore[arg-type]
        )  # fmt: skip
        for name in ADDED:
            sums[name] = sums.get(name, 0) + getattr(found, name)
        for name in FIRST:
            place = getattr(found, name)
            if sums.get(name, -1) < 0 <= place:
                sums[name] = int(self.first[slab]) + at + place
        sums["known"] = sums["known"] and found.patterns is not None and len(sums["patterns"]) <= PATTERNS
        if sums["known"] and found.patterns is not None:
            for pattern, accounts, balance in zip(found.patterns, found.accounts, found.balance, strict=True):
                one = sums["patterns"].setdefault(pattern.tobytes(), [0, 0])
                one[0] += int(accounts)
                one[1] += int(balance)

    def end(self, sums: Sums) -> Mapping[str, Any]:
        """Hand in the survey."""
        patterns = sums["patterns"]
        k = self.like.value.shape[1]
        opened = np.frombuffer(b"".join(patterns), dtype=np.bool_).reshape(len(patterns), k)
        counts = np.array(list(patterns.values()), dtype=np.int64).reshape(len(patterns), 2)
        return (
            {name: sums[name] for name in ADDED}
            | {name: sums.get(name, -1) for name in FIRST}
            | {"known": sums["known"], "opened": opened, "counts": counts}
        )


def joined(found: Iterable[Mapping[str, Any]]) -> Survey:
    """Join what slabs hand in, in their order."""
    parts = list(found)
    total = {name: np.sum([part[name] for part in parts], axis=0) for name in ADDED}
    first = {name: next((int(part[name]) for part in parts if int(part[name]) >= 0), -1) for name in FIRST}
    opened, place = np.unique(np.concatenate([part["opened"] for part in parts]), axis=0, return_inverse=True)
    counts = np.zeros((opened.shape[0], 2), dtype=np.int64)
    np.add.at(counts, place.reshape(-1), np.concatenate([part["counts"] for part in parts]))
    known = all(bool(part["known"]) for part in parts) and opened.shape[0] <= PATTERNS
    return Survey(
        eligible=total["eligible"], drawn=total["drawn"], owed=total["owed"], lowest=float(total["lowest"]),
        odd=first["odd"], barred=first["barred"], barred_units=int(total["barred_units"]),
        forbidden=first["forbidden"], forbidden_units=int(total["forbidden_units"]),
        patterns=opened if known else None,
        accounts=counts[:, 0].copy() if known else counts[:0, 0], balance=counts[:, 1].copy() if known else counts[:0, 1],
    )  # fmt: skip
