"""Objections of agencies to recalls that are not final yet, decided by the lender's rule or by a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from weituo.domain.placement import terms
from weituo.domain.placement.errors import (
    NoticeNotFound,
    ObjectionDecided,
    ObjectionNotFound,
    ObjectionRefused,
    ObjectionStands,
    ObjectionTooLate,
)
from weituo.domain.placement.events import ObjectionsDecided, RecallObjected
from weituo.domain.placement.models import Objection
from weituo.domain.placement.services import own, recalling
from weituo.foundation import days, events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.tenancy.actors import Actor, program
from weituo.foundation.texts import worded

#: at most a hundred million in minor units: what is more is a slip
EVIDENCE_MINOR_MAX: Final = 10**12
_DESK: Final = "objections"

#: the rule moves a recall once a notice, to the day after the evidence, if that is near enough
_OBJECT: Final = """
INSERT INTO placement_objection (id, notice_id, agency_id, code, text, evidence_on, evidence_minor, made_at, made_by,
  state, decided_how, decided_at, decided_by, stays_until)
SELECT uuidv7(), n.id, n.agency_id, %(code)s, %(text)s, %(on)s::date, %(minor)s::bigint, %(at)s, %(by)s,
  CASE WHEN r.ruled THEN 'UPHELD' ELSE 'OPEN' END, CASE WHEN r.ruled THEN 'RULE' ELSE '' END, CASE WHEN r.ruled THEN %(at)s END,
  CASE WHEN r.ruled THEN %(rule)s ELSE '' END, CASE WHEN r.ruled THEN %(on)s::date + 1 END
FROM placement_notice n CROSS JOIN LATERAL (
  SELECT %(days)s::int > 0 AND %(on)s::date IS NOT NULL AND %(on)s::date >= n.final_on AND %(on)s::date < n.final_on + %(days)s::int
    AND NOT EXISTS (SELECT 1 FROM placement_objection o WHERE o.notice_id = n.id AND o.decided_how = 'RULE') AS ruled) r
WHERE n.id = ANY(%(notices)s) RETURNING id, notice_id, state
"""
_MOVE: Final = """
WITH moved AS (UPDATE placement_notice SET final_on = %(until)s WHERE id = ANY(%(notices)s) RETURNING placement_id)
UPDATE placement_placement p SET recall_final_on = %(until)s FROM moved WHERE p.id = moved.placement_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objected:
    """What came of objecting: those that a person decides, and those that the lender's rule upheld at once."""

    waiting: int
    upheld: int


def object_to_recall(
    *, actor: Actor, case_refs: Sequence[str], code: str, at: datetime, text: str = "",
    evidence_on: date | None = None, evidence_minor: int | None = None,
) -> Objected:  # fmt: skip
    """Object as the agency to recalls that are not final yet, with a code (`terms.OBJECTIONS`) and evidence.

    evidence_on: the day of the promise, payment or step; evidence_minor: its amount. One of day and words is needed, words
    for OTHER. Where the lender's terms uphold the code by themselves and the day is near enough, the recall moves at once;
    else a person decides, and the recall waits. Raises `ObjectionRefused`, `NoticeNotFound`, `ObjectionTooLate`,
    `ObjectionStands`.
    """
    actor.require("placement.answer")
    _check(code=code, text=text, evidence_on=evidence_on, evidence_minor=evidence_minor)
    if problem := own.problem_of_batch(case_refs):
        raise ObjectionRefused(problem=problem, where="case_refs")
    found = own.own_cases(actor, case_refs=case_refs)
    missing = next((one for one in case_refs if one not in found), None)
    if missing is not None or actor.agency_id is None:
        raise NoticeNotFound(what=missing, where="case_refs")
    return _object(
        actor=program(_DESK), on_behalf=actor, ids=sorted(found.values()), code=code, text=text.strip(),
        evidence_on=evidence_on, evidence_minor=evidence_minor, at=at,
    )  # fmt: skip


def _check(*, code: str, text: str, evidence_on: date | None, evidence_minor: int | None) -> None:
    if code not in terms.OBJECTIONS:
        raise ObjectionRefused(problem=worded("unknown reason %(name)s", name=code or "–"), where="code")
    if code == terms.OTHER and not text.strip():
        raise ObjectionRefused(problem=worded("the reason OTHER needs words"), where="text")
    if not text.strip() and evidence_on is None:
        raise ObjectionRefused(
            problem=worded("evidence is needed: the day of the promise, payment or step, or words"),
            where="evidence_on",
        )
    if problem := own.problem_of_note(text):
        raise ObjectionRefused(problem=problem, where="text")
    if evidence_minor is not None and not 0 < evidence_minor <= EVIDENCE_MINOR_MAX:
        raise ObjectionRefused(problem=worded("an amount is more than 0"), where="evidence_minor")


@act("placement.object", permission="placement.answer")
def _object(
    *, actor: Actor, on_behalf: Actor, ids: Sequence[UUID], code: str, text: str, evidence_on: date | None,
    evidence_minor: int | None, at: datetime,
) -> Objected:  # fmt: skip
    assert on_behalf.agency_id is not None
    locks.lock(keys=["placement:recalls"])
    rows = transactions.rows(
        "SELECT p.id, p.case_ref, p.recall_final_on, n.id AS notice_id, n.final_on, EXISTS (SELECT 1 FROM placement_objection o WHERE o.notice_id = n.id AND o.state = 'OPEN') AS objected "
        "FROM placement_placement p LEFT JOIN placement_notice n ON n.placement_id = p.id AND n.state = 'OPEN' WHERE p.id = ANY(%s) ORDER BY p.id FOR NO KEY UPDATE OF p",
        [list(ids)],
    )
    for row in rows:
        # the mark is read once the row is free: a recall at once, or a withdrawal, may have come before
        if row["notice_id"] is None or row["recall_final_on"] is None:
            raise NoticeNotFound(what=row["case_ref"], where=row["case_ref"])
        if row["final_on"] <= days.day_of(at):
            raise ObjectionTooLate(
                case=row["case_ref"], day=row["final_on"].isoformat(), where=row["case_ref"]
            )
        if row["objected"]:
            raise ObjectionStands(case=row["case_ref"], where=row["case_ref"])
    lender = terms.current(actor)
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            _OBJECT,
            {
                "code": code, "text": text, "on": evidence_on, "minor": evidence_minor, "at": at, "by": on_behalf.id,
                "rule": f"terms:{lender.version}", "days": lender.upheld_days.get(code, 0),
                "notices": [row["notice_id"] for row in rows],
            },
        )  # fmt: skip
        made = cursor.fetchall()
    ruled = [row for row in made if row[2] == "UPHELD"]
    if ruled and evidence_on is not None:
        _move([row[1] for row in ruled], until=evidence_on + timedelta(days=1))
    note(
        what="objections", ref=on_behalf.agency_id, reason=code, placements=len(made), upheld_by_rule=len(ruled),
        on_behalf_of=on_behalf.id, ids=[str(row[0]) for row in made[:100]],
    )  # fmt: skip
    events.publish(
        RecallObjected(
            objection_ids=tuple(row[0] for row in made), agency_id=on_behalf.agency_id, objected_at=at
        )
    )
    return Objected(waiting=len(made) - len(ruled), upheld=len(ruled))


def _move(notices: Sequence[UUID], *, until: date) -> None:
    with transactions.connection().cursor() as cursor:
        cursor.execute(_MOVE, {"notices": list(notices), "until": until})


@act("placement.decide_objections", permission="placement.recall")
def decide_objections(
    *, actor: Actor, objection_ids: Sequence[UUID], upheld: bool, reason: str, at: datetime, until: date | None = None
) -> int:  # fmt: skip
    """Decide objections: upheld, the placements stay until a day; rejected, the recall is final on its day.

    A rejection after that day makes the recall final now. Raises `ObjectionRefused`, `ObjectionNotFound`,
    `ObjectionDecided`.
    """
    if not reason.strip():
        raise ObjectionRefused(problem=worded("a reason is needed"), where="reason")
    locks.lock(keys=["placement:recalls"])
    rows = _open(objection_ids)
    today = days.day_of(at)
    if upheld:
        latest = max((row["final_on"] for row in rows), default=today)
        if until is None or until <= max(today, latest):
            raise ObjectionRefused(
                problem=worded("it stays until a day after %(day)s", day=max(today, latest).isoformat()),
                where="until",
            )
    ids = [row["id"] for row in rows]
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE placement_objection SET state = %s, decided_how = 'PERSON', decided_at = %s, decided_by = %s, decision_reason = %s, stays_until = %s WHERE id = ANY(%s)",
            [
                "UPHELD" if upheld else "REJECTED",
                at,
                actor.id,
                reason.strip(),
                until if upheld else None,
                ids,
            ],
        )
    if upheld and until is not None:
        _move([row["notice_id"] for row in rows], until=until)
    else:
        _finalise_overdue(rows, today=today, at=at)
    if ids:
        note(
            what="objections", ref=str(ids[0]), reason=reason.strip(), placements=len(ids), granted=len(ids) if upheld else 0,
            refused=0 if upheld else len(ids), stays_until=until.isoformat() if upheld and until else "", ids=[str(one) for one in ids[:100]],
        )  # fmt: skip
        events.publish(ObjectionsDecided(objection_ids=tuple(ids), upheld=upheld, decided_at=at))
    return len(ids)


def _open(objection_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Give open objections with their notices, their placements locked."""
    wanted = sorted(set(objection_ids))
    rows = transactions.rows(
        "SELECT o.id, o.state, o.notice_id, n.final_on, n.reason, n.placement_id, p.recall_final_on FROM placement_objection o JOIN placement_notice n ON n.id = o.notice_id "
        "JOIN placement_placement p ON p.id = n.placement_id WHERE o.id = ANY(%s) ORDER BY p.id FOR NO KEY UPDATE OF p",
        [wanted],
    )
    known = {row["id"] for row in rows}
    if missing := next((one for one in wanted if one not in known), None):
        raise ObjectionNotFound(what="objection", where=str(missing))
    for row in rows:
        if row["state"] != "OPEN" or row["recall_final_on"] is None:
            state = row["state"] if row["state"] != "OPEN" else Objection.State.OVERTAKEN
            raise ObjectionDecided(state=Objection.State(state).label, where=str(row["id"]))
    return rows


def _finalise_overdue(rows: Sequence[dict[str, Any]], *, today: date, at: datetime) -> None:
    by_reason: dict[str, list[UUID]] = {}
    for row in rows:
        if row["final_on"] <= today:
            by_reason.setdefault(row["reason"], []).append(row["placement_id"])
    for reason, ids in sorted(by_reason.items()):
        recalling.finalise(ids, reason=reason, at=at)
