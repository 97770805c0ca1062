"""Offers and their answers: accepted, declined with a coded reason, or lapsed at the deadline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from weituo.domain.placement import gathering, rechecking, terms
from weituo.domain.placement.errors import (
    AgencyNotInOrder,
    AnswerRefused,
    AnswerTooLate,
    OfferAnswered,
    OfferNotYours,
)
from weituo.domain.placement.events import PlacementsAccepted, PlacementsDeclined
from weituo.domain.placement.models import Placement
from weituo.domain.placement.services import offering, own
from weituo.foundation import days, events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.tenancy.actors import Actor, program
from weituo.foundation.texts import worded

LAPSED: Final = "LAPSED"
WITHDRAWN: Final = "WITHDRAWN"
#: the program that acts for an agency once the offers are proved to be its own
_DESK: Final = "offers"

#: the term runs from the acceptance; the balance is that of its day
_ACCEPT: Final = """
UPDATE placement_placement p SET state = 'ACTIVE', placed_at = %(at)s, answered_at = %(at)s, answered_by = %(by)s,
  term_to = (%(today)s::date + make_interval(months => coalesce((r.terms ->> 'term_months')::int, 6)))::date,
  balance_minor = a.balance_minor, expected_recovery_minor = least(p.expected_recovery_minor, a.balance_minor)
FROM placement_run r, book_account a WHERE r.id = p.run_id AND a.id = p.account_id AND p.id = ANY(%(ids)s)
"""
_WITHDRAW: Final = """
UPDATE placement_placement p SET state = 'WITHDRAWN', ended_at = %(at)s, answer_reason = x.reason
FROM unnest(%(ids)s::uuid[], %(reasons)s::text[]) AS x (id, reason) WHERE p.id = x.id
"""
_STOPPED: Final = """
SELECT id, stop FROM (SELECT p.id, <stops> AS stop FROM placement_placement p JOIN book_account a ON a.id = p.account_id
  WHERE p.id = ANY(%(ids)s)) AS asked WHERE stop IS NOT NULL ORDER BY id
""".replace("<stops>", offering.STOPS.replace("<agency>", "p.agency_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What came of accepting: cases entrusted now, and offers withdrawn because their account must not go out any more."""

    accepted: int
    withdrawn: int


def accept_placements(*, actor: Actor, case_refs: Sequence[str], at: datetime) -> Accepted:
    """Accept offered placements as their agency: they are entrusted from now on, and their term begins.

    Offers that were accepted before stay as they are, so a repeat is harmless. An account that was closed or put on hold
    since the offer, or whose borrower another agency works for, is not entrusted: its offer is withdrawn.
    Raises `AnswerRefused`, `OfferNotYours`, `OfferAnswered`, `AnswerTooLate`, `AgencyNotInOrder`.
    """
    ids = _own(actor, case_refs)
    return _accept(actor=program(_DESK), on_behalf=actor, ids=ids, at=at)


def decline_placements(
    *, actor: Actor, case_refs: Sequence[str], reason: str, at: datetime, text: str = ""
) -> int:
    """Decline offered placements as their agency, with a coded reason (`terms.DECLINE_REASONS`); return how many now.

    OTHER needs words. Offers that were declined before stay as they are.
    Raises `AnswerRefused`, `OfferNotYours`, `OfferAnswered`, `AnswerTooLate`.
    """
    if reason not in terms.DECLINE_REASONS:
        raise AnswerRefused(problem=worded("unknown reason %(name)s", name=reason or "–"), where="reason")
    if reason == terms.OTHER and not text.strip():
        raise AnswerRefused(problem=worded("the reason OTHER needs words"), where="text")
    if problem := own.problem_of_note(text):
        raise AnswerRefused(problem=problem, where="text")
    ids = _own(actor, case_refs)
    return _decline(actor=program(_DESK), on_behalf=actor, ids=ids, reason=reason, text=text.strip(), at=at)


@act("placement.lapse", permission="placement.refill")
def lapse_offers(*, actor: Actor, at: datetime) -> int:
    """End every offer that its agency has not answered in time; return how many. A repeat is harmless."""
    locks.lock(keys=["placement:places"])
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE placement_placement SET state = 'LAPSED', ended_at = %s WHERE state = 'OFFERED' AND answer_by <= %s RETURNING id",
            [at, at],
        )
        over = sorted(row[0] for row in cursor.fetchall())
    note(what="offers", ref="lapsed", placements=len(over), ids=[str(one) for one in over[:100]])
    if over:
        events.publish(PlacementsDeclined(placement_ids=tuple(over), reason=LAPSED, declined_at=at))
    return len(over)


def _own(agency: Actor, case_refs: Sequence[str]) -> list[UUID]:
    agency.require("placement.answer")
    if problem := own.problem_of_batch(case_refs):
        raise AnswerRefused(problem=problem, where="case_refs")
    found = own.own_cases(agency, case_refs=case_refs)
    missing = next((one for one in case_refs if one not in found), None)
    if missing is not None or agency.agency_id is None:
        raise OfferNotYours(what=missing, where="case_refs")
    return sorted(found.values())


@act("placement.accept", permission="placement.answer")
def _accept(*, actor: Actor, on_behalf: Actor, ids: Sequence[UUID], at: datetime) -> Accepted:
    assert on_behalf.agency_id is not None
    agency_id, today = on_behalf.agency_id, days.day_of(at)
    locks.lock(keys=["placement:places"])
    open_ids = _open(ids, agency_id=agency_id, answered="ACTIVE", at=at)
    if not any(row.id == agency_id for row in gathering.agencies_in_order(actor, on=today)):
        raise AgencyNotInOrder(agency=offering.code_of(agency_id), where=str(agency_id))
    stopped = _stopped(open_ids, at=at)
    stopped |= _in_conflict(
        actor, [one for one in open_ids if one not in stopped], agency_id=agency_id, on=today
    )
    accepted = [one for one in open_ids if one not in stopped]
    with transactions.connection().cursor() as cursor:
        cursor.execute(_ACCEPT, {"ids": accepted, "at": at, "by": on_behalf.id, "today": today})
        cursor.execute(_WITHDRAW, {"ids": list(stopped), "reasons": list(stopped.values()), "at": at})
    note(
        what="offers", ref=agency_id, placements=len(accepted), withdrawn=len(stopped), on_behalf_of=on_behalf.id,
        ids=[str(one) for one in accepted[:100]],
    )  # fmt: skip
    if accepted:
        events.publish(PlacementsAccepted(placement_ids=tuple(accepted), agency_id=agency_id, accepted_at=at))
    if stopped:
        events.publish(
            PlacementsDeclined(placement_ids=tuple(sorted(stopped)), reason=WITHDRAWN, declined_at=at)
        )
    return Accepted(accepted=len(accepted), withdrawn=len(stopped))


@act("placement.decline", permission="placement.answer")
def _decline(
    *, actor: Actor, on_behalf: Actor, ids: Sequence[UUID], reason: str, text: str, at: datetime
) -> int:
    assert on_behalf.agency_id is not None
    locks.lock(keys=["placement:places"])
    open_ids = _open(ids, agency_id=on_behalf.agency_id, answered="DECLINED", at=at)
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE placement_placement SET state = 'DECLINED', ended_at = %(at)s, answered_at = %(at)s, answered_by = %(by)s, "
            "answer_reason = %(reason)s, answer_note = %(text)s WHERE id = ANY(%(ids)s)",
            {"at": at, "by": on_behalf.id, "reason": reason, "text": text, "ids": open_ids},
        )
    note(
        what="offers", ref=on_behalf.agency_id, reason=reason, placements=len(open_ids), on_behalf_of=on_behalf.id,
        ids=[str(one) for one in open_ids[:100]],
    )  # fmt: skip
    if open_ids:
        events.publish(PlacementsDeclined(placement_ids=tuple(open_ids), reason=reason, declined_at=at))
    return len(open_ids)


def _open(ids: Sequence[UUID], *, agency_id: UUID, answered: str, at: datetime) -> list[UUID]:
    """Give those that wait for an answer; what was answered the same way is left out, anything else is refused."""
    rows: list[dict[str, Any]] = transactions.rows(
        "SELECT id, case_ref, state, answer_by, answered_at FROM placement_placement WHERE id = ANY(%s) AND agency_id = %s ORDER BY id FOR NO KEY UPDATE",
        [list(ids), agency_id],
    )
    for row in rows:
        if row["state"] == "OFFERED" and row["answer_by"] <= at:
            raise AnswerTooLate(
                deadline=row["answer_by"].astimezone(days.zone()).strftime("%Y-%m-%d %H:%M"),
                where=row["case_ref"],
            )
        if row["state"] not in {"OFFERED", answered} or (
            row["state"] == answered and row["answered_at"] is None
        ):
            raise OfferAnswered(state=Placement.State(row["state"]).label, where=row["case_ref"])
    return [row["id"] for row in rows if row["state"] == "OFFERED"]


def _in_conflict(actor: Actor, ids: Sequence[UUID], *, agency_id: UUID, on: date) -> dict[UUID, str]:
    """Give the offers whose account the agency came into conflict with since."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT account_id, id FROM placement_placement WHERE id = ANY(%s) ORDER BY id", [list(ids)]
        )
        offers: dict[UUID, UUID] = dict(cursor.fetchall())
    barred = rechecking.in_conflict_with(actor, code=offering.code_of(agency_id), account_ids=offers, on=on)
    return {offers[account]: "CONFLICT" for account in sorted(barred)}


def _stopped(ids: Sequence[UUID], *, at: datetime) -> dict[UUID, str]:
    """Give the offers whose account must not go out any more, with what stops it."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            _STOPPED,
            {"ids": list(ids), "holds": list(gathering.STOPPING_HOLDS), "at": at},
        )
        return dict(cursor.fetchall())
