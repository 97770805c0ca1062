"""Taking granted permits back the moment their ground is gone: no leave outlives what it rests on.

Only permits that could still be used are touched. An ended one has nothing to lose, and its contact may yet be reported.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weituo.domain.contact import facts as gate
from weituo.domain.contact.services import gathering, grounds
from weituo.foundation import days, locks, transactions
from weituo.foundation.acts import note

_GROUNDLESS: Final = (
    "WITH own AS (SELECT q.id, q.placement_id, q.collector_id, greatest(q.planned_at, %(at)s) AS instant FROM contact_permit q "  # noqa: S608 - constants only
    "WHERE q.state = 'GRANTED' AND q.expires_at > %(at)s AND (%(agency)s::uuid IS NULL OR q.agency_id = %(agency)s::uuid) "
    "AND (%(collector)s::uuid IS NULL OR q.collector_id = %(collector)s::uuid) AND (%(placements)s::uuid[] IS NULL OR q.placement_id = ANY(%(placements)s::uuid[]))), "
    "lost AS (SELECT o.id, "
    + grounds.LACKS
    + "AS lacks FROM own o JOIN placement_placement p ON p.id = o.placement_id "
    + grounds.joined(instant="o.instant", collector="o.collector_id")
    + "), said AS (SELECT l.id, jsonb_agg(r.reason ORDER BY k.position, r.position) AS reasons FROM lost l "
    "CROSS JOIN LATERAL unnest(l.lacks) WITH ORDINALITY AS k(lack, position) "
    "CROSS JOIN LATERAL jsonb_array_elements(%(reasons)s::jsonb -> k.lack) WITH ORDINALITY AS r(reason, position) GROUP BY l.id) "
    "UPDATE contact_permit q SET state = 'VOID', voided_at = %(at)s, void_reasons = said.reasons FROM said WHERE q.id = said.id AND q.state = 'GRANTED'"
)


@transactions.transaction_required
def void_groundless(
    *,
    at: datetime,
    because: str,
    agency_id: UUID | None = None,
    collector_id: UUID | None = None,
    placement_ids: Sequence[UUID] | None = None,
) -> int:
    """Void the unused permits, of an agency, of one of its collectors or of placements, that rest on nothing any more.

    Each is judged as things will stand at its own instant and keeps the reasons; the present act notes how many there were.
    Waits for what is being decided for the agency right now, so that none slips through. Returns how many.
    """
    if agency_id is None and placement_ids is None:
        raise ValueError("void_groundless takes an agency or placements")
    with transactions.connection().cursor() as cursor:
        if agency_id is not None:
            cursor.execute("SELECT 1 FROM partners_agency WHERE id = %s FOR NO KEY UPDATE", [agency_id])
        cursor.execute(
            _GROUNDLESS,
            dict(grounds.PARAMETERS)
            | {
                "at": at,
                "zone": days.zone().key,
                "slack": 0,
                "agency": agency_id,
                "collector": collector_id,
                "placements": None if placement_ids is None else list(placement_ids),
                "reasons": json.dumps(grounds.reasons(at=at), ensure_ascii=False),
            },
        )
        voided = int(cursor.rowcount)
    _note(voided, ref=collector_id or agency_id, because=because)
    return voided


@dataclass(frozen=True, slots=True)
class _Open:
    """A permit that could still be used."""

    permit_id: UUID
    placement_id: UUID
    contact_point_id: UUID
    collector_id: UUID
    channel: str
    purpose: str
    planned_at: datetime
    expires_at: datetime


@transactions.transaction_required
def decide_again(*, borrower_id: UUID, at: datetime, because: str) -> int:
    """Decide a borrower's unused permits again, in the order in which they were asked for, on what is known now.

    What is denied is void and keeps the reasons; what is still allowed ends no later than the rules now allow. Waits for a
    permit that is being decided for the same borrower, so that none slips through. Returns how many are void.
    """
    locks.lock(keys=[f"borrower:{borrower_id}"])
    standing = _standing(borrower_id, at=at)
    if not standing:
        return 0
    instants = [max(one.planned_at, at) for one in standing]
    ground = gathering.ground(
        placement_ids=[one.placement_id for one in standing],
        point_ids=[one.contact_point_id for one in standing],
        collector_ids=[one.collector_id for one in standing],
        instants=instants,
        at=at,
    )
    rows = gathering.asked(
        ground,
        point_ids=[one.contact_point_id for one in standing],
        channels=[one.channel for one in standing],
        purposes=[one.purpose for one in standing],
        instants=instants,
        at=at,
    )
    decisions = gate.decide(
        rows=rows,
        contacts=gathering.contacts(
            borrower_ids=[borrower_id],
            since=min(instants),
            until=max(instants),
            without=[one.permit_id for one in standing],
        ),
        latest=[one.expires_at for one in standing],
    )
    voided = _keep(standing, decisions, at=at)
    _note(voided, ref=borrower_id, because=because)
    return voided


def _standing(borrower_id: UUID, *, at: datetime) -> list[_Open]:
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT id, placement_id, contact_point_id, collector_id, channel, purpose, planned_at, expires_at FROM contact_permit "
            "WHERE borrower_id = %s AND state = 'GRANTED' AND expires_at > %s ORDER BY asked_at, planned_at, channel, id",
            [borrower_id, at],
        )
        return [_Open(*row) for row in cursor.fetchall()]


def _keep(standing: Sequence[_Open], decisions: Sequence[gate.Decision], *, at: datetime) -> int:
    """Write down what was decided again; a permit that was used meanwhile stays as it is."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE contact_permit q SET state = 'VOID', voided_at = %s, void_reasons = t.reasons::jsonb "
            "FROM unnest(%s::uuid[], %s::text[]) AS t(id, reasons) WHERE q.id = t.id AND q.state = 'GRANTED'",
            [
                at,
                [one.permit_id for one, now in zip(standing, decisions, strict=True) if not now.allowed],
                [json.dumps(now.reasons, ensure_ascii=False) for now in decisions if not now.allowed],
            ],
        )
        voided = int(cursor.rowcount)
        cursor.execute(
            "UPDATE contact_permit q SET expires_at = t.until FROM unnest(%s::uuid[], %s::timestamptz[]) AS t(id, until) "
            "WHERE q.id = t.id AND q.state = 'GRANTED' AND t.until < q.expires_at",
            [
                [one.permit_id for one, now in zip(standing, decisions, strict=True) if now.allowed],
                [now.until for now in decisions if now.allowed],
            ],
        )
    return voided


def _note(voided: int, *, ref: Any, because: str) -> None:
    if voided:
        note(what="permits", ref=ref or "placements", reason=because, voided=voided)
