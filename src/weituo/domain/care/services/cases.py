"""Disputes, hardship, complaints: opening stops contact at once; deciding lets it go on or ends the matter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from weituo.domain.book import services as book
from weituo.domain.care.errors import AccountNotYours, CaseDecided, CaseNotFound
from weituo.domain.care.events import CaseDecided as Decided
from weituo.domain.care.events import CaseOpened
from weituo.domain.care.models import Case
from weituo.foundation import events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor, Kind, program
from weituo.foundation.texts import worded
from weituo.foundation.vault import store

#: days until an answer is due: complaints by the banking and insurance complaint measures (Order 2020/3: 15 days);
#: disputes “promptly” (card measures art. 69), here five; hardship ten (house rule)
DUE_DAYS = {"COMPLAINT": 15, "DISPUTE": 5, "HARDSHIP": 10}
REASONS = {
    "DISPUTE": ("NOT_MY_DEBT", "WRONG_AMOUNT", "ALREADY_PAID", "IDENTITY_THEFT", "OTHER"),
    "HARDSHIP": ("LOST_WORK", "ILLNESS", "FAMILY", "DISASTER", "OTHER"),
    "COMPLAINT": ("TOO_OFTEN", "BAD_HOURS", "RUDE", "THREAT", "THIRD_PARTY_TOLD", "WRONG_PERSON", "OTHER"),
}
TEXT_CHARACTERS_MAX = 4_000
#: the same told by the same borrower within this time is the same form, sent twice
REPEAT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class _Concern:
    borrower_id: UUID
    account_id: UUID | None
    placement_id: UUID | None
    agency_id: UUID | None


def open_case(
    *,
    actor: Actor,
    kind: str,
    reason: str,
    at: datetime,
    source: str,
    account_id: UUID | None = None,
    borrower_id: UUID | None = None,
    case_ref: str = "",
    text: str = "",
) -> UUID:
    """Open a case for a borrower: their own (borrower page), one an agency was told of (`case_ref`), or at the care desk.

    Contact stops in the same transaction. Raises `BadInput`, `AccountNotYours`.
    """
    actor.require("care.open_case")
    if reason not in REASONS.get(kind, ()):
        raise BadInput(
            problem=worded("unknown kind or reason %(name)s", name=f"{kind}/{reason}"), where="reason"
        )
    if len(text) > TEXT_CHARACTERS_MAX:
        raise BadInput(
            problem=worded("more than %(most)s characters", most=TEXT_CHARACTERS_MAX), where="text"
        )
    concern = _concern(actor, account_id=account_id, borrower_id=borrower_id, case_ref=case_ref)
    return _open(
        actor=program("care desk"),
        on_behalf=actor,
        concern=concern,
        kind=kind,
        reason=reason,
        source=source,
        text=text.strip(),
        at=at,
    )


def _concern(actor: Actor, *, account_id: UUID | None, borrower_id: UUID | None, case_ref: str) -> _Concern:
    """Find whom and what the case is about, with the actor's own eyes: row-level security answers for what is not theirs."""
    with transactions.reading(actor), transactions.connection().cursor() as cursor:
        if actor.kind == Kind.AGENCY:
            cursor.execute(
                "SELECT borrower_id, account_id, id, agency_id FROM placement_placement WHERE case_ref = %s AND placed_at IS NOT NULL",
                [case_ref],
            )
            row = cursor.fetchone()
            if row is None:
                raise AccountNotYours(where="case_ref", what=case_ref)
            return _Concern(*row)
        owner = actor.borrower_id or borrower_id
        if account_id is not None:
            cursor.execute("SELECT borrower_id FROM book_account WHERE id = %s", [account_id])
            row = cursor.fetchone()
            if row is None or (owner is not None and row[0] != owner):
                raise AccountNotYours(where="account_id", what=str(account_id))
            owner = row[0]
        if owner is None:
            raise BadInput(problem=worded("name the account or the borrower"), where="account_id")
        cursor.execute(
            "SELECT id, agency_id FROM placement_placement WHERE borrower_id = %s AND placed_at IS NOT NULL AND (%s::uuid IS NULL OR account_id = %s::uuid) ORDER BY (state = 'ACTIVE') DESC, placed_at DESC LIMIT 1",
            [owner, account_id, account_id],
        )
        placed = cursor.fetchone() or (None, None)
        return _Concern(owner, account_id, *placed)


@act("care.open_case", permission="care.open_case")
def _open(
    *,
    actor: Actor,
    on_behalf: Actor,
    concern: _Concern,
    kind: str,
    reason: str,
    source: str,
    text: str,
    at: datetime,
) -> UUID:
    case_id = new_id()
    locks.lock(keys=["care:number"])
    if on_behalf.kind == Kind.BORROWER and (same := _just_told(concern, kind, reason, source, at=at)):
        note(what="case", ref=same.id, number=same.number, repeated=True)
        return same.id
    number = f"{kind[0]}{at:%y%m}-{Case.objects.filter(opened_at__year=at.year, opened_at__month=at.month).count() + 1:05d}"
    Case.objects.create(
        id=case_id, number=number, kind=kind, borrower_id=concern.borrower_id, account_id=concern.account_id, placement_id=concern.placement_id,
        agency_id=concern.agency_id, reason=reason, source=source, text_position=_keep_text(concern.borrower_id, text) if text else None,
        opened_at=at, due_at=at + timedelta(days=DUE_DAYS[kind]),
    )  # fmt: skip
    book.add_hold(
        borrower_id=concern.borrower_id,
        account_id=concern.account_id,
        kind=kind,
        reason=reason,
        source=f"case:{case_id}",
        at=at,
    )
    note(
        what="case",
        ref=case_id,
        reason=reason,
        kind=kind,
        number=number,
        source=source,
        on_behalf_of=on_behalf.id,
    )
    events.publish(
        CaseOpened(
            case_id=case_id,
            kind=kind,
            borrower_id=concern.borrower_id,
            account_id=concern.account_id,
            agency_id=concern.agency_id,
            opened_at=at,
        )
    )
    return case_id


def _just_told(concern: _Concern, kind: str, reason: str, source: str, *, at: datetime) -> Case | None:
    """Give the open case of a form that was sent twice."""
    about = Q(account_id__isnull=True) if concern.account_id is None else Q(account_id=concern.account_id)
    return (
        Case.objects.filter(about, borrower_id=concern.borrower_id, kind=kind, reason=reason, source=source)
        .filter(state=Case.State.OPEN, opened_at__gt=at - timedelta(seconds=REPEAT_SECONDS))
        .order_by("-opened_at")
        .first()
    )


def _keep_text(borrower_id: UUID, text: str) -> int:
    """Seal the borrower's own words in the vault and give their position."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT b.subject_id, coalesce(max(f.position) + 1, 0) FROM book_borrower b LEFT JOIN vault_field f ON f.subject_id = b.subject_id AND f.field = 'case_text' WHERE b.id = %s GROUP BY b.subject_id",
            [borrower_id],
        )
        subject_id, position = cursor.fetchone()
    store.add(subject_id=subject_id, field="case_text", position=position, value=text)
    return int(position)


@act("care.decide_case", permission="care.decide_case")
def decide_case(*, actor: Actor, case_id: UUID, upheld: bool, answer: str, at: datetime) -> None:
    """Answer a case. The hold it put on ends; an upheld dispute or hardship leaves a hold that a person must lift.

    Raises `CaseNotFound`, `CaseDecided`, `BadInput` without an answer.
    """
    if not answer.strip():
        raise BadInput(problem=worded("an answer to the borrower is needed"), where="answer")
    case = Case.objects.select_for_update().filter(id=case_id).first()
    if case is None:
        raise CaseNotFound(what="case")
    if case.state == Case.State.DECIDED:
        raise CaseDecided(where=case.number)
    Case.objects.filter(id=case_id).update(
        state=Case.State.DECIDED, decided_at=at, decided_by=actor.id, upheld=upheld, answer=answer.strip()
    )
    stays = upheld and case.kind in {Case.Kind.DISPUTE, Case.Kind.HARDSHIP}
    if not stays:
        book.lift_hold(source=f"case:{case_id}", at=at)
    note(what="case", ref=case_id, kind=case.kind, number=case.number, upheld=upheld, hold_stays=stays)
    events.publish(
        Decided(
            case_id=case_id,
            kind=case.kind,
            borrower_id=case.borrower_id,
            agency_id=case.agency_id,
            upheld=upheld,
            decided_at=at,
        )
    )
