"""What an agency's batch names, proved with the agency's own eyes: row-level security answers for what is not theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor

#: items in one call
BATCH_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class OwnPlacement:
    """A placement of the asking agency."""

    placement_id: UUID
    borrower_id: UUID
    account_id: UUID
    state: str


def placements_of(agency: Actor, *, case_refs: Sequence[str]) -> dict[str, OwnPlacement]:
    """Give the agency's own placements by case reference; others' are simply absent."""
    with transactions.reading(agency), transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT case_ref, id, borrower_id, account_id, state FROM placement_placement WHERE case_ref = ANY(%s) AND placed_at IS NOT NULL",
            [list(set(case_refs))],
        )
        return {row[0]: OwnPlacement(*row[1:]) for row in cursor.fetchall()}


def collectors_of(agency: Actor, *, badges: Sequence[str]) -> dict[str, UUID]:
    """Give the agency's own collectors by badge."""
    with transactions.reading(agency), transactions.connection().cursor() as cursor:
        cursor.execute("SELECT badge, id FROM partners_collector WHERE badge = ANY(%s)", [list(set(badges))])
        return dict(cursor.fetchall())


def points_of(point_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Give the borrower of each contact point; runs inside the gate's unit."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT id, borrower_id FROM book_contact_point WHERE id = ANY(%s)", [list(set(point_ids))]
        )
        return dict(cursor.fetchall())
