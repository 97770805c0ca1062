"""Every write of the book."""

from __future__ import annotations

from weituo.domain.book.services.balances import reduce_balances
from weituo.domain.book.services.holds import (
    add_hold,
    hold_promised,
    lift_hold,
    lift_promised,
    place_hold,
    release_hold,
)
from weituo.domain.book.services.imports import ImportReport, import_book

__all__ = [
    "ImportReport",
    "add_hold",
    "hold_promised",
    "import_book",
    "lift_hold",
    "lift_promised",
    "place_hold",
    "reduce_balances",
    "release_hold",
]
