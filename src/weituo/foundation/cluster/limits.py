"""What may be said of limits, apart from accounts; see `core.allocation.problem.problem`."""

from __future__ import annotations

from typing import Final

LIMITS: Final = (
    "count_min", "count_max", "balance_min", "balance_max", "segment_tolerance", "count_price", "balance_price", "segment_price",
)  # fmt: skip
