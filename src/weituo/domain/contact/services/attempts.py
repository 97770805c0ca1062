"""Reporting contacts, many at a time; what was done without leave becomes a violation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from weituo.core import conduct
from weituo.domain.contact import facts as gate
from weituo.domain.contact.errors import BatchRefused, PlacementNotYours, PointUnknown, ReferenceReused
from weituo.domain.contact.events import ViolationsFound
from weituo.domain.contact.services import grounds
from weituo.domain.contact.services.own import BATCH_MAX, placements_of, points_of
from weituo.foundation import events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor, program
from weituo.foundation.texts import worded

#: what came of a contact
RESULTS: Final = tuple(conduct.RESULTS)
CHANNELS: Final = ("VOICE", "SMS", "EMAIL", "LETTER", "VISIT")
#: (severity, days to answer) by finding; the citation is the contract's permit clause, itself grounded in the lender's
#: duty to control its agencies (GB/T 45251-2025, 5.4)
FINDINGS: Final[dict[str, tuple[int, int]]] = {
    "NO_PERMIT": (4, 3),
    "PERMIT_REFUSED": (5, 1),
    "PERMIT_VOID": (4, 3),
    "PERMIT_USED_TWICE": (3, 5),
    "PERMIT_OF_OTHER_CASE": (4, 3),
    "OTHER_POINT": (3, 5),
    "OTHER_CHANNEL": (3, 5),
    "OTHER_TIME": (2, 5),
    "PERMIT_EXPIRED": (2, 5),
    "QUIET_HOURS": (4, 3),
    "GROUND_GONE": (4, 3),
}
CLAUSE: Final = "GB/T 45251-2025, 5.4"
#: how long a message may be under way before it is reported
EARLY_SECONDS_MAX: Final = 60
#: how long after a contact it may still be reported
LATE_DAYS_MAX: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptReport:
    """One contact as the agency's system reports it; `sender_ref` is the agency's own, unique reference."""

    sender_ref: str
    case_ref: str
    contact_point_id: UUID
    channel: str
    made_at: datetime
    result: str
    permit_id: UUID | None = None
    duration_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptAnswer:
    """What was recorded: the attempt, whether it stood already, and what was found against it."""

    sender_ref: str
    attempt_id: UUID
    repeated: bool
    violations: tuple[str, ...]


def log_attempts(*, actor: Actor, attempts: Sequence[AttemptReport], at: datetime) -> list[AttemptAnswer]:
    """Record 1 to 500 contacts and give the answers in the same order; a repeated reference is recognised.

    Raises `BatchRefused`, `PlacementNotYours`, `PointUnknown`, `ReferenceReused`.
    """
    actor.require("contact.log_attempt")
    _check(attempts, at=at)
    placements = placements_of(actor, case_refs=[item.case_ref for item in attempts])
    for number, item in enumerate(attempts):
        if item.case_ref not in placements:
            raise PlacementNotYours(what=item.case_ref, where=f"attempts[{number}].case_ref")
    return _record(
        actor=program("gate"),
        on_behalf=actor,
        attempts=attempts,
        placements={case_ref: (own.placement_id, own.borrower_id) for case_ref, own in placements.items()},
        at=at,
    )


def _check(attempts: Sequence[AttemptReport], *, at: datetime) -> None:
    if not 1 <= len(attempts) <= BATCH_MAX:
        raise BatchRefused(
            problem=worded("1 to %(most)s items, not %(given)s", most=BATCH_MAX, given=len(attempts)),
            where="attempts",
        )
    if len({item.sender_ref for item in attempts}) != len(attempts):
        raise BatchRefused(problem=worded("a reference stands twice"), where="attempts.sender_ref")
    latest = at + timedelta(seconds=EARLY_SECONDS_MAX)
    for number, item in enumerate(attempts):
        where = f"attempts[{number}]"
        if item.result not in RESULTS:
            raise BatchRefused(
                problem=worded("unknown result %(name)s", name=item.result), where=f"{where}.result"
            )
        if item.channel not in CHANNELS:
            raise BatchRefused(
                problem=worded("unknown channel %(name)s", name=item.channel), where=f"{where}.channel"
            )
        if item.made_at.tzinfo is None or item.made_at > latest:
            raise BatchRefused(problem=worded("a contact cannot lie in the future"), where=f"{where}.made_at")
        if item.made_at < at - timedelta(days=LATE_DAYS_MAX):
            raise BatchRefused(
                problem=worded("a contact is reported within %(days)s days", days=LATE_DAYS_MAX),
                where=f"{where}.made_at",
            )
        if not item.sender_ref or item.duration_s < 0:
            raise BatchRefused(
                problem=worded("a reference is missing, or a duration is below zero"), where=where
            )


@act("contact.log_attempt", permission="contact.log_attempt")
def _record(
    *,
    actor: Actor,
    on_behalf: Actor,
    attempts: Sequence[AttemptReport],
    placements: dict[str, tuple[UUID, UUID]],
    at: datetime,
) -> list[AttemptAnswer]:
    agency_id = on_behalf.agency_id
    assert agency_id is not None
    locks.lock(keys=[f"attempts:{agency_id}"])
    standing = _standing(agency_id, [item.sender_ref for item in attempts])
    new = [item for item in attempts if item.sender_ref not in standing]
    points = points_of([item.contact_point_id for item in new])
    for number, item in enumerate(attempts):
        known = standing.get(item.sender_ref)
        where = f"attempts[{number}]"
        if known is not None and known[1:3] != (placements[item.case_ref][0], item.made_at):
            raise ReferenceReused(what=item.sender_ref, where=f"{where}.sender_ref")
        if known is None and points.get(item.contact_point_id) != placements[item.case_ref][1]:
            raise PointUnknown(what=str(item.contact_point_id), where=f"{where}.contact_point")
    permits = _permits(agency_id, [item.permit_id for item in new if item.permit_id])
    found = {item.sender_ref: _findings(item, placements[item.case_ref][0], permits) for item in new}
    gone = _grounds_gone(new, permits)
    for item in new:
        found[item.sender_ref] += ["GROUND_GONE"] if item.sender_ref in gone else []
    ids = {item.sender_ref: new_id() for item in new}
    used = {item.permit_id for item in new if item.permit_id and "used" in permits.get(item.permit_id, {})}
    _insert(new, ids=ids, agency_id=agency_id, placements=placements, permits=permits, at=at)
    violations = _open_violations(new, ids=ids, found=found, gone=gone, agency_id=agency_id, at=at)
    note(
        what="attempts",
        ref=agency_id,
        recorded=len(new),
        repeated=len(attempts) - len(new),
        permits_used=len(used),
        violations=len(violations),
        on_behalf_of=on_behalf.id,
    )
    if violations:
        events.publish(ViolationsFound(agency_id=agency_id, violation_ids=tuple(violations)))
    return [
        AttemptAnswer(
            sender_ref=item.sender_ref,
            attempt_id=ids.get(item.sender_ref) or standing[item.sender_ref][0],
            repeated=item.sender_ref in standing,
            violations=tuple(found.get(item.sender_ref) or standing.get(item.sender_ref, (0, 0, 0, ()))[3]),
        )
        for item in attempts
    ]


def _standing(agency_id: UUID, sender_refs: list[str]) -> dict[str, tuple[Any, ...]]:
    """Give attempts that stand already: reference → (id, placement, made_at, violation codes)."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT a.sender_ref, a.id, a.placement_id, a.made_at, coalesce(array_agg(v.code ORDER BY v.code) FILTER (WHERE v.id IS NOT NULL), '{}') "
            "FROM contact_attempt a LEFT JOIN contact_violation v ON v.attempt_id = a.id WHERE a.agency_id = %s AND a.sender_ref = ANY(%s) GROUP BY a.id",
            [agency_id, sender_refs],
        )
        return {row[0]: row[1:] for row in cursor.fetchall()}


def _permits(agency_id: UUID, permit_ids: list[UUID]) -> dict[UUID, dict[str, Any]]:
    """Give the agency's own permits, locked in one order, with what an attempt is compared against."""
    if not permit_ids:
        return {}
    names = (
        "id",
        "placement_id",
        "contact_point_id",
        "channel",
        "state",
        "planned_at",
        "expires_at",
        "voided_at",
        "facts",
    )
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT id, placement_id, contact_point_id, channel, state, planned_at, expires_at, voided_at, facts::text FROM contact_permit "
            "WHERE id = ANY(%s) AND agency_id = %s ORDER BY id FOR NO KEY UPDATE",
            [permit_ids, agency_id],
        )
        return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


def _findings(item: AttemptReport, placement_id: UUID, permits: dict[UUID, dict[str, Any]]) -> list[str]:
    """Compare one attempt with its permit; marks a permit as used by it. Empty when all fits.

    The attempt is judged at its own instant: a permit that was void by then serves nothing, one that was taken back after
    the contact had been made still covers it.
    """
    permit = permits.get(item.permit_id) if item.permit_id else None
    if permit is None:
        return ["NO_PERMIT"]
    if permit["placement_id"] != placement_id:
        return ["PERMIT_OF_OTHER_CASE"]
    if permit["state"] == "REFUSED":
        return ["PERMIT_REFUSED"]
    if permit["state"] == "USED" or "used" in permit:
        return ["PERMIT_USED_TWICE"]
    if permit["state"] == "VOID" and item.made_at >= permit["voided_at"]:
        return ["PERMIT_VOID"]
    permit["used"] = item.sender_ref
    found = []
    if permit["contact_point_id"] != item.contact_point_id:
        found.append("OTHER_POINT")
    if permit["channel"] != item.channel:
        found.append("OTHER_CHANNEL")
    if item.made_at < permit["planned_at"]:
        found.append("OTHER_TIME")
    if item.made_at >= permit["expires_at"]:
        found.append("PERMIT_EXPIRED")
    if _in_quiet_hours(item, permit):
        found.append("QUIET_HOURS")
    return found


def _in_quiet_hours(item: AttemptReport, permit: dict[str, Any]) -> bool:
    """Tell whether a contact, or the end of a call, lay in hours that the law or the borrower's wish keeps free.

    What began and ended within its permit cannot have, so only the rest is looked at.
    """
    instants = [item.made_at] if item.made_at >= permit["expires_at"] else []
    if item.channel == "VOICE" and item.duration_s:
        ended_at = item.made_at + timedelta(seconds=item.duration_s)
        instants += [ended_at - timedelta(microseconds=1)] if ended_at > permit["expires_at"] else []
    return bool(instants) and gate.in_quiet_hours(stored=json.loads(permit["facts"]), instants=instants)


def _grounds_gone(new: Sequence[AttemptReport], permits: dict[UUID, dict[str, Any]]) -> dict[str, list[str]]:
    """Look again, for all at once, at what the used permits rest on at the instant of the contact: reference → what lacked."""
    served = {permit["used"]: permit["id"] for permit in permits.values() if "used" in permit}
    items = [item for item in new if item.sender_ref in served]
    lacking = grounds.lacking(
        permit_ids=[served[item.sender_ref] for item in items], instants=[item.made_at for item in items]
    )
    return {ref: lacking[permit_id] for ref, permit_id in served.items() if permit_id in lacking}


def _insert(
    new: Sequence[AttemptReport],
    *,
    ids: dict[str, UUID],
    agency_id: UUID,
    placements: dict[str, tuple[UUID, UUID]],
    permits: dict[UUID, dict[str, Any]],
    at: datetime,
) -> None:
    if not new:
        return
    by = [
        item.permit_id
        if item.permit_id and permits.get(item.permit_id, {}).get("used") == item.sender_ref
        else None
        for item in new
    ]
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO contact_attempt (id, agency_id, placement_id, borrower_id, contact_point_id, permit_id, channel, made_at, reported_at, result, duration_s, sender_ref) "
            "SELECT id, %s, placement, borrower, point, permit, channel, made, %s, result, seconds, ref "
            "FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::text[], %s::int[], %s::text[]) "
            "AS t(id, placement, borrower, point, permit, channel, made, result, seconds, ref)",
            [
                agency_id,
                at,
                [ids[item.sender_ref] for item in new],
                [placements[item.case_ref][0] for item in new],
                [placements[item.case_ref][1] for item in new],
                [item.contact_point_id for item in new],
                by,
                [item.channel for item in new],
                [item.made_at for item in new],
                [item.result for item in new],
                [item.duration_s for item in new],
                [item.sender_ref for item in new],
            ],
        )
        used = [(permit, item.made_at) for permit, item in zip(by, new, strict=True) if permit]
        cursor.execute(
            "UPDATE contact_permit p SET state = 'USED', used_at = t.made FROM unnest(%s::uuid[], %s::timestamptz[]) AS t(id, made) WHERE p.id = t.id",
            [[permit for permit, _ in used], [made for _, made in used]],
        )


def _open_violations(
    new: Sequence[AttemptReport],
    *,
    ids: dict[str, UUID],
    found: dict[str, list[str]],
    gone: dict[str, list[str]],
    agency_id: UUID,
    at: datetime,
) -> list[UUID]:
    rows = [
        (
            new_id(), agency_id, ids[item.sender_ref], code, CLAUSE, FINDINGS[code][0], at, at + timedelta(days=FINDINGS[code][1]),
            json.dumps({"permit": str(item.permit_id or ""), "made_at": item.made_at.isoformat(), "channel": item.channel}
                       | ({"lacking": gone[item.sender_ref]} if code == "GROUND_GONE" else {})),
        )
        for item in new
        for code in found[item.sender_ref]
    ]  # fmt: skip
    if not rows:
        return []
    with transactions.connection().cursor() as cursor:
        cursor.executemany(
            "INSERT INTO contact_violation (id, agency_id, attempt_id, code, rule, severity, found_at, answer_due_at, detail) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            rows,
        )
    return [row[0] for row in rows]
