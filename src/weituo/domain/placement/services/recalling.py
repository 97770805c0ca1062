"""Taking accounts back: told first and then final, or at once where that protects the customer; and ending terms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from weituo.domain.placement import terms
from weituo.domain.placement.errors import (
    NoticeNeeded,
    NoticeNotFound,
    NoticeRefused,
    PlacementNotFound,
    RecallRefused,
)
from weituo.domain.placement.events import (
    PlacementsDeclined,
    PlacementsRecalled,
    RecallNoticed,
    RecallNoticesEnded,
)
from weituo.domain.placement.services.answering import WITHDRAWN
from weituo.foundation import days, events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

RECALL_REASONS: Final = (
    "RETURNED_BY_AGENCY", "NO_PROGRESS", "COMPLAINT", "DISPUTE", "HARDSHIP", "CONDUCT", "PAID_DIRECT", "LEGAL_ACTION",
    "AGENCY_SUSPENDED", "STRATEGY_CHANGED", "PLACED_IN_ERROR", "BORROWER_DECEASED",
)  # fmt: skip
#: final at once, without notice
AT_ONCE: Final = tuple(reason for reason in RECALL_REASONS if reason not in terms.NOTICED)
#: the reason that the program gives at the end of a term
EXPIRED: Final = "EXPIRED"

_NOTICE: Final = """
WITH told AS (
  INSERT INTO placement_notice (id, placement_id, agency_id, reason, noticed_at, noticed_by, told_final_on, final_on)
  SELECT uuidv7(), id, agency_id, %(reason)s, %(at)s, %(by)s, %(final_on)s, %(final_on)s FROM placement_placement WHERE id = ANY(%(ids)s)
  RETURNING placement_id)
UPDATE placement_placement p SET recall_final_on = %(final_on)s FROM told WHERE p.id = told.placement_id
"""


@act("placement.recall", permission="placement.recall")
def recall(*, actor: Actor, placement_ids: Sequence[UUID], reason: str, at: datetime) -> int:
    """Take placements back at once for a coded reason (`AT_ONCE`); return how many ended now.

    Placements that have ended already stay as they are, so a repeat is harmless; an offer that was not answered is
    withdrawn. In the same transaction unused permits are voided and the cases taken out of the agency's packages; open
    notices and objections are overtaken. Raises `RecallRefused`, `NoticeNeeded`, `PlacementNotFound`.
    """
    if reason not in RECALL_REASONS:
        raise RecallRefused(reason=reason or "–", where="reason")
    if reason not in AT_ONCE:
        raise NoticeNeeded(reason=reason, where="reason")
    with transactions.connection().cursor() as cursor:
        rows = locked(placement_ids)
        active = [row["id"] for row in rows if row["state"] == "ACTIVE"]
        offered = [row["id"] for row in rows if row["state"] == "OFFERED"]
        _end(cursor, active, state="RECALLED", reason=reason, at=at)
        cursor.execute(
            "UPDATE placement_placement SET state = 'WITHDRAWN', ended_at = %s, answer_reason = %s WHERE id = ANY(%s)",
            [at, reason, offered],
        )
    if active or offered:
        noted([*active, *offered], reason=reason)
    if active:
        events.publish(PlacementsRecalled(placement_ids=tuple(active), reason=reason, recalled_at=at))
    if offered:
        events.publish(PlacementsDeclined(placement_ids=tuple(offered), reason=WITHDRAWN, declined_at=at))
    return len(active) + len(offered)


@act("placement.give_notice", permission="placement.recall")
def give_notice(
    *, actor: Actor, placement_ids: Sequence[UUID], reason: str, final_on: date | None = None, at: datetime
) -> int:
    """Tell agencies that placements will be taken back on a day; return how many now. They stay active until then.

    Placements that have ended or are under notice already stay as they are, so a repeat is harmless.
    final_on: at least the days of the lender's terms away; None: just so many. The agency may object before that day.
    Raises `RecallRefused`, `NoticeRefused`, `PlacementNotFound`.
    """
    if reason not in terms.NOTICED:
        raise RecallRefused(reason=reason or "–", where="reason")
    earliest = days.day_of(at) + timedelta(days=terms.current(actor).notice_days)
    day = final_on or earliest
    if day < earliest:
        raise NoticeRefused(
            problem=worded("by the lender's terms it is final on %(day)s at the earliest", day=earliest.isoformat()),
            where="final_on",
        )  # fmt: skip
    ids = [
        row["id"]
        for row in locked(placement_ids)
        if row["state"] == "ACTIVE" and row["recall_final_on"] is None
    ]
    with transactions.connection().cursor() as cursor:
        cursor.execute(_NOTICE, {"ids": ids, "reason": reason, "at": at, "by": actor.id, "final_on": day})
    if ids:
        noted(ids, reason=reason, final_on=day.isoformat())
        events.publish(RecallNoticed(placement_ids=tuple(ids), reason=reason, final_on=day, noticed_at=at))
    return len(ids)


@act("placement.withdraw_notice", permission="placement.recall")
def withdraw_notice(*, actor: Actor, placement_ids: Sequence[UUID], reason: str, at: datetime) -> int:
    """Take recall notices back: the placements stay; return how many. Raises `NoticeRefused`, `NoticeNotFound`."""
    if not reason.strip():
        raise NoticeRefused(problem=worded("a reason is needed"), where="reason")
    rows = locked(placement_ids)
    without = next((row["case_ref"] for row in rows if row["recall_final_on"] is None), None)
    if without is not None:
        raise NoticeNotFound(what=without, where="placement_ids")
    ids = [row["id"] for row in rows]
    with transactions.connection().cursor() as cursor:
        _close(cursor, ids, state="WITHDRAWN", reason=reason.strip(), at=at)
        cursor.execute("UPDATE placement_placement SET recall_final_on = NULL WHERE id = ANY(%s)", [ids])
    if ids:
        noted(ids, reason=reason.strip())
        events.publish(RecallNoticesEnded(placement_ids=tuple(ids), ended_at=at))
    return len(ids)


@act("placement.finalise_recalls", permission="placement.recall")
def finalise_recalls(*, actor: Actor, at: datetime) -> int:
    """Make every recall final whose day has come and against which no objection is open; return how many.

    One transaction: after a crash nothing or everything is done, and a repeat finds nothing left.
    """
    locks.lock(keys=["placement:recalls"])
    rows = transactions.rows(
        # what a recall at once has ended in this moment is looked at again once its row is free: the mark is gone
        "SELECT p.id, n.reason FROM placement_notice n JOIN placement_placement p ON p.id = n.placement_id AND p.recall_final_on = n.final_on WHERE n.state = 'OPEN' AND n.final_on <= %s "
        "AND NOT EXISTS (SELECT 1 FROM placement_objection o WHERE o.notice_id = n.id AND o.state = 'OPEN') ORDER BY p.id FOR NO KEY UPDATE OF p",
        [days.day_of(at)],
    )
    by_reason: dict[str, list[UUID]] = {}
    for row in rows:
        by_reason.setdefault(row["reason"], []).append(row["id"])
    note(what="notices", ref="final", placements=len(rows), ids=[str(row["id"]) for row in rows[:100]])
    for reason, ids in sorted(by_reason.items()):
        finalise(ids, reason=reason, at=at)
    return len(rows)


@transactions.transaction_required
def finalise(ids: Sequence[UUID], *, reason: str, at: datetime) -> None:
    """End placements under notice, in the act that is under way."""
    with transactions.connection().cursor() as cursor:
        _close(cursor, ids, state="FINAL", reason="", at=at)
        _end(cursor, ids, state="RECALLED", reason=reason, at=at)
    events.publish(PlacementsRecalled(placement_ids=tuple(ids), reason=reason, recalled_at=at))


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


def locked(placement_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Lock placements in one order for everybody. Raises `PlacementNotFound`."""
    wanted = sorted(set(placement_ids))
    rows = transactions.rows(
        "SELECT id, case_ref, state, recall_final_on, term_to, retained, agency_id FROM placement_placement WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
        [wanted],
    )
    if len(rows) < len(wanted):
        known = {row["id"] for row in rows}
        raise PlacementNotFound(what="placement", where=str(next(one for one in wanted if one not in known)))
    return rows


def noted(ids: Sequence[UUID], *, reason: str, **more: Any) -> None:
    note(
        what="placements", ref=str(ids[0]), reason=reason, placements=len(ids), ids=[str(one) for one in ids[:100]], **more
    )  # fmt: skip


def _end(cursor: Any, ids: Sequence[UUID], *, state: str, reason: str, at: datetime) -> None:
    """End placements; notices and objections that are still open are overtaken."""
    if ids:
        _close(cursor, ids, state="OVERTAKEN", reason=reason, at=at)
        cursor.execute(
            "UPDATE placement_placement SET state = %s, ended_at = %s, recall_reason = %s, recall_final_on = NULL WHERE id = ANY(%s)",
            [state, at, reason, list(ids)],
        )


def _close(cursor: Any, ids: Sequence[UUID], *, state: str, reason: str, at: datetime) -> None:
    """Close the open notices of placements, and the open objections to them as overtaken."""
    cursor.execute(
        "UPDATE placement_objection o SET state = 'OVERTAKEN', decided_at = %s FROM placement_notice n "
        "WHERE n.id = o.notice_id AND o.state = 'OPEN' AND n.state = 'OPEN' AND n.placement_id = ANY(%s)",
        [at, list(ids)],
    )
    cursor.execute(
        "UPDATE placement_notice SET state = %s, ended_at = %s, ended_reason = %s WHERE state = 'OPEN' AND placement_id = ANY(%s)",
        [state, at, reason, list(ids)],
    )
