"""Rows as one binary value: a header of four int32 (rows, agencies, drawn?, 0), then balances, values, cells, drawn agencies.

Every array starts at a multiple of its own size and a block is padded to 8 bytes, so that a reader may look at it in place.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from weituo.core.allocation.problem import Ints, Values

#: rows of a block: a multiple of the lanes of the kernels, and about one megabyte with twenty agencies
ROWS: Final = 8_192
HEADER: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """value (n, k) float32, balance (n,), cell (n,), fixed (n,) or empty."""

    value: Values
    balance: Ints
    cell: npt.NDArray[np.int16]
    fixed: npt.NDArray[np.int16]

    @property
    def size(self) -> int:
        """The number of rows."""
        return int(self.balance.size)


def pack(*, block: Block) -> bytes:
    """Write a block as bytes."""
    n, k = block.value.shape
    drawn = block.fixed.size > 0
    parts = [
        np.array([n, k, drawn, 0], dtype=np.int32).tobytes(),
        np.ascontiguousarray(block.balance, dtype=np.int64).tobytes(),
        np.ascontiguousarray(block.value, dtype=np.float32).tobytes(),
        np.ascontiguousarray(block.cell, dtype=np.int16).tobytes(),
        np.ascontiguousarray(block.fixed, dtype=np.int16).tobytes() if drawn else b"",
    ]
    size = sum(map(len, parts))
    return b"".join([*parts, b"\0" * (-size % 8)])


class Unpacker:
    """Reads blocks one after the other into the same memory, which stays in the nearest cache."""

    def __init__(self) -> None:
        self._held: Block | None = None

    def unpack(self, packed: Any) -> Block:
        """Read a block; it is valid until the next one is read."""
        n, k, drawn, _ = (int(x) for x in np.frombuffer(packed, dtype=np.int32, count=4))
        held = self._held
        if held is None or held.value.shape != (n, k) or (held.fixed.size > 0) != (drawn > 0):
            held = self._held = Block(
                value=np.empty((n, k), dtype=np.float32),
                balance=np.empty(n, dtype=np.int64),
                cell=np.empty(n, dtype=np.int16),
                fixed=np.empty(n if drawn else 0, dtype=np.int16),
            )
        at = HEADER
        for array in (held.balance, held.value, held.cell, held.fixed):
            flat = array.reshape(-1)
            flat[:] = np.frombuffer(packed, dtype=array.dtype, count=flat.size, offset=at)
            at += array.nbytes
        return held


def write_arrays(arrays: Mapping[str, Any]) -> bytes:
    """Write named arrays as bytes, without pickled objects."""
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def read_arrays(written: bytes) -> dict[str, Any]:
    """Read named arrays."""
    with np.load(io.BytesIO(written), allow_pickle=False) as found:
        return {name: found[name] for name in found.files}
