"""The compliance gate: may this contact be made? Decided for a whole batch, over all agencies, without races."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import polars as pl

from weituo.domain.contact import facts as gate
from weituo.domain.contact import words
from weituo.domain.contact.errors import BatchRefused, CollectorUnknown, PlacementNotYours, PointUnknown
from weituo.domain.contact.services import gathering
from weituo.domain.contact.services.own import BATCH_MAX, OwnPlacement, collectors_of, placements_of
from weituo.foundation import locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor, program
from weituo.foundation.texts import worded

#: how far ahead, and (network delay) how far back, a contact may be planned
AHEAD_DAYS_MAX: Final = 8
BACK_SECONDS_MAX: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitRequest:
    """One planned contact."""

    case_ref: str
    badge: str
    contact_point_id: UUID
    channel: str
    purpose: str
    planned_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitAnswer:
    """The gate's answer: granted until `expires_at`, or refused with every rule that stands against it."""

    permit_id: UUID
    case_ref: str
    granted: bool
    planned_at: datetime
    expires_at: datetime | None
    reasons: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self, *, language: str) -> dict[str, Any]:
        """The answer as plain data, its reasons said in `language` (zh or en)."""
        return {
            "permit_id": self.permit_id,
            "case_ref": self.case_ref,
            "granted": self.granted,
            "planned_at": self.planned_at,
            "expires_at": self.expires_at,
            "reasons": words.told(self.reasons, language=language),
        }


def ask_permits(*, actor: Actor, requests: Sequence[PermitRequest], at: datetime) -> list[PermitAnswer]:
    """Decide 1 to 500 planned contacts and give the answers in the order of asking; a grant reserves its slot at once.

    What the batch names is first proved with the agency's own eyes; the decision then sees all agencies' contacts with
    those borrowers. Every answer is stored with its facts, their digest, and the rule packs' versions.
    Raises `BatchRefused`, `PlacementNotYours`, `CollectorUnknown`, `PointUnknown`.
    """
    actor.require("contact.ask_permit")
    _check(requests, at=at)
    placements = placements_of(actor, case_refs=[item.case_ref for item in requests])
    collectors = collectors_of(actor, badges=[item.badge for item in requests])
    for number, item in enumerate(requests):
        if item.case_ref not in placements:
            raise PlacementNotYours(what=item.case_ref, where=f"requests[{number}].case_ref")
        if item.badge not in collectors:
            raise CollectorUnknown(what=item.badge, where=f"requests[{number}].collector")
    return _decide(
        actor=program("gate"),
        on_behalf=actor,
        requests=requests,
        placements=placements,
        collectors=collectors,
        at=at,
    )


def _check(requests: Sequence[PermitRequest], *, at: datetime) -> None:
    if not 1 <= len(requests) <= BATCH_MAX:
        raise BatchRefused(
            problem=worded("1 to %(most)s items, not %(given)s", most=BATCH_MAX, given=len(requests)),
            where="requests",
        )
    earliest, latest = at - timedelta(seconds=BACK_SECONDS_MAX), at + timedelta(days=AHEAD_DAYS_MAX)
    for number, item in enumerate(requests):
        if item.planned_at.tzinfo is None or not earliest <= item.planned_at < latest:
            raise BatchRefused(
                problem=worded("a contact is planned from now to %(days)s days ahead", days=AHEAD_DAYS_MAX),
                where=f"requests[{number}].planned_at",
            )
        if item.channel not in gate.CHANNELS or item.purpose not in gate.PURPOSES:
            raise BatchRefused(
                problem=worded("unknown channel or purpose %(name)s", name=f"{item.channel}/{item.purpose}"),
                where=f"requests[{number}]",
            )


@act("contact.ask_permit", permission="contact.ask_permit")
def _decide(
    *,
    actor: Actor,
    on_behalf: Actor,
    requests: Sequence[PermitRequest],
    placements: dict[str, OwnPlacement],
    collectors: dict[str, UUID],
    at: datetime,
) -> list[PermitAnswer]:
    assert on_behalf.agency_id is not None
    locks.lock(keys=[f"borrower:{placements[item.case_ref].borrower_id}" for item in requests])
    rows = _facts(requests, placements=placements, collectors=collectors, at=at)
    decisions = gate.decide(rows=rows, contacts=_contacts(rows, requests))
    answers = [
        PermitAnswer(
            permit_id=new_id(),
            case_ref=item.case_ref,
            granted=decision.allowed,
            planned_at=item.planned_at,
            expires_at=decision.until,
            reasons=decision.reasons,
        )
        for item, decision in zip(requests, decisions, strict=True)
    ]
    _store(requests, answers, decisions, placements, collectors, agency_id=on_behalf.agency_id, at=at)
    granted = sum(one.granted for one in answers)
    note(
        what="permits",
        ref=on_behalf.agency_id,
        granted=granted,
        refused=len(answers) - granted,
        first=str(answers[0].permit_id),
        on_behalf_of=on_behalf.id,
    )
    return answers


def _facts(
    requests: Sequence[PermitRequest],
    *,
    placements: dict[str, OwnPlacement],
    collectors: dict[str, UUID],
    at: datetime,
) -> pl.DataFrame:
    """Give one row a request with everything but the counts of earlier contacts."""
    ground = gathering.ground(
        placement_ids=[placements[item.case_ref].placement_id for item in requests],
        point_ids=[item.contact_point_id for item in requests],
        collector_ids=[collectors[item.badge] for item in requests],
        instants=[item.planned_at for item in requests],
        at=at,
    )
    for number, known in enumerate(ground["point_known"]):
        if not known:
            raise PointUnknown(
                what=str(requests[number].contact_point_id), where=f"requests[{number}].contact_point"
            )
    return gathering.asked(
        ground,
        point_ids=[item.contact_point_id for item in requests],
        channels=[item.channel for item in requests],
        purposes=[item.purpose for item in requests],
        instants=[item.planned_at for item in requests],
        at=at,
    )


def _contacts(rows: pl.DataFrame, requests: Sequence[PermitRequest]) -> pl.DataFrame:
    planned = [item.planned_at for item in requests]
    return gathering.contacts(
        borrower_ids=[UUID(one) for one in rows["borrower_id"].unique()],
        since=min(planned),
        until=max(planned),
    )


def _store(
    requests: Sequence[PermitRequest],
    answers: Sequence[PermitAnswer],
    decisions: Sequence[gate.Decision],
    placements: dict[str, OwnPlacement],
    collectors: dict[str, UUID],
    *,
    agency_id: UUID,
    at: datetime,
) -> None:
    packs = json.dumps(decisions[0].packs, sort_keys=True)
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO contact_permit (id, agency_id, placement_id, borrower_id, contact_point_id, collector_id, channel, purpose, state, asked_at, planned_at, expires_at, reasons, packs, facts, facts_digest) "
            "SELECT id, %s, placement, borrower, point, collector, channel, purpose, CASE WHEN granted THEN 'GRANTED' ELSE 'REFUSED' END, %s, planned, expires, reasons::jsonb, %s::jsonb, facts::jsonb, digest "
            "FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::bool[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[], %s::text[]) "
            "AS t(id, placement, borrower, point, collector, channel, purpose, granted, planned, expires, reasons, facts, digest)",
            [
                agency_id,
                at,
                packs,
                [one.permit_id for one in answers],
                [placements[item.case_ref].placement_id for item in requests],
                [placements[item.case_ref].borrower_id for item in requests],
                [item.contact_point_id for item in requests],
                [collectors[item.badge] for item in requests],
                [item.channel for item in requests],
                [item.purpose for item in requests],
                [one.granted for one in answers],
                [item.planned_at for item in requests],
                [one.expires_at for one in answers],
                [json.dumps(one.reasons, ensure_ascii=False) for one in answers],
                [one.facts for one in decisions],
                [one.facts_digest for one in decisions],
            ],
        )
