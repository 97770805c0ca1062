"""Taking accounts back, and ending terms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weituo.domain.placement.errors import PlacementNotFound, RecallRefused
from weituo.domain.placement.events import PlacementsRecalled
from weituo.foundation import days, events, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.tenancy.actors import Actor

RECALL_REASONS: Final = (
    "RETURNED_BY_AGENCY", "NO_PROGRESS", "COMPLAINT", "DISPUTE", "HARDSHIP", "CONDUCT", "PAID_DIRECT", "LEGAL_ACTION",
    "AGENCY_SUSPENDED", "STRATEGY_CHANGED", "PLACED_IN_ERROR", "BORROWER_DECEASED",
)  # fmt: skip
#: the reason that the program gives at the end of a term
EXPIRED: Final = "EXPIRED"


@act("placement.recall", permission="placement.recall")
def recall(*, actor: Actor, placement_ids: Sequence[UUID], reason: str, at: datetime) -> int:
    """Take placements back for a coded reason; return how many ended now.

    Placements that have ended already stay as they are, so a repeat is harmless. In the same transaction unused permits
    are voided and the cases taken out of the agency's packages. Raises `RecallRefused`, `PlacementNotFound`.
    """
    if reason not in RECALL_REASONS:
        raise RecallRefused(reason=reason or "–", where="reason")
    wanted = sorted(set(placement_ids))
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT id, state FROM placement_placement WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [wanted],
        )
        states: dict[UUID, str] = dict(cursor.fetchall())
        if len(states) < len(wanted):
            raise PlacementNotFound(
                what="placement", where=str(next(one for one in wanted if one not in states))
            )
        active = [one for one, state in states.items() if state == "ACTIVE"]
        _end(cursor, active, state="RECALLED", reason=reason, at=at)
    if active:
        note(
            what="placements",
            ref=str(active[0]),
            reason=reason,
            placements=len(active),
            ids=[str(one) for one in active[:100]],
        )
        events.publish(PlacementsRecalled(placement_ids=tuple(active), reason=reason, recalled_at=at))
    return len(active)


@act("placement.expire", permission="placement.recall")
def expire_placements(*, actor: Actor, at: datetime) -> int:
    """End every placement whose term is over by the lender's day; return how many."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT id FROM placement_placement WHERE state = 'ACTIVE' AND term_to <= %s ORDER BY id FOR NO KEY UPDATE",
            [days.day_of(at)],
        )
        over = [row[0] for row in cursor.fetchall()]
        _end(cursor, over, state="EXPIRED", reason=EXPIRED, at=at)
    if over:
        note(what="placements", ref=str(over[0]), reason=EXPIRED, placements=len(over))
        events.publish(PlacementsRecalled(placement_ids=tuple(over), reason=EXPIRED, recalled_at=at))
    return len(over)


def _end(cursor: Any, ids: Sequence[UUID], *, state: str, reason: str, at: datetime) -> None:
    if ids:
        cursor.execute(
            "UPDATE placement_placement SET state = %s, ended_at = %s, recall_reason = %s WHERE id = ANY(%s)",
            [state, at, reason, list(ids)],
        )
