"""Whom an agency belongs to, and whose accounts it must not get: entered and ended, never changed."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db.models import Q

from weituo.domain.book import queries as book
from weituo.domain.partners.errors import (
    ConflictNotFound,
    ConflictRefused,
    ConflictStands,
    GroupStands,
    NoGroup,
)
from weituo.domain.partners.models import Conflict, Membership
from weituo.domain.partners.services.screening import found
from weituo.foundation import days
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

SUBJECT_MAX = 120


@act("partners.enter_group", permission="partners.relate")
def enter_group(
    *, actor: Actor, agency_id: UUID, group: str, reason: str, at: datetime, active_from: date | None = None
) -> UUID:
    """Write down that an agency belongs to a group of owners: it and its sisters count as one for whom they may get.

    Raises `AgencyNotFound`, `GroupStands`, `BadInput` without a name or a reason.
    """
    agency, name, begins = found(agency_id), group.strip(), active_from or days.day_of(at)
    _needs_reason(reason)
    if not 1 <= len(name) <= SUBJECT_MAX:
        raise BadInput(
            problem=worded("a group has a name of 1 to %(most)s letters", most=SUBJECT_MAX), where="group"
        )
    standing = Membership.objects.filter(agency=agency, active_to__isnull=True).first()
    if standing is not None:
        raise GroupStands(agency=agency.code, group=standing.group, where="group")
    if Membership.objects.filter(agency=agency, active_to__gt=begins).exists():
        raise BadInput(problem=worded("it belonged to another group on that day"), where="active_from")
    membership = Membership.objects.create(
        id=new_id(), agency=agency, group=name, reason=reason.strip(), active_from=begins, entered_by=actor.id,
        entered_by_name=actor.name, entered_at=at,
    )  # fmt: skip
    note(what="membership", ref=membership.id, reason=reason.strip(), agency=str(agency_id), group=name)
    return membership.id


@act("partners.leave_group", permission="partners.relate")
def leave_group(*, actor: Actor, agency_id: UUID, reason: str, at: datetime) -> None:
    """End an agency's membership today. Raises `AgencyNotFound`, `NoGroup`, `BadInput` without a reason."""
    agency = found(agency_id)
    _needs_reason(reason)
    standing = Membership.objects.select_for_update().filter(agency=agency, active_to__isnull=True).first()
    if standing is None:
        raise NoGroup(what=worded("group"), agency=agency.code)
    Membership.objects.filter(id=standing.id).update(
        active_to=max(days.day_of(at), standing.active_from), ended_by_name=actor.name, ended_at=at, ended_reason=reason.strip()
    )  # fmt: skip
    note(
        what="membership", ref=standing.id, reason=reason.strip(), agency=str(agency_id), group=standing.group
    )


@act("partners.enter_conflict", permission="partners.relate")
def enter_conflict(
    *, actor: Actor, agency_id: UUID, kind: str, subject: str, reason: str, at: datetime, active_from: date | None = None,
    active_to: date | None = None,
) -> UUID:  # fmt: skip
    """Write down whose accounts an agency, and its sisters, must not get from a day on.

    kind: `Conflict.Kind`. subject: customer or account number (or id) of a borrower, province code, the lender's word for a product, name of
    an employer as the book has it. What is placed already stays where it is: recall it where it must not stay. Raises
    `AgencyNotFound`, `ConflictRefused`, `ConflictStands`, `BadInput` without a reason.
    """
    agency = found(agency_id)
    _needs_reason(reason)
    begins = active_from or days.day_of(at)
    if kind not in Conflict.Kind.values:
        raise ConflictRefused(problem=worded("unknown kind %(name)s", name=kind), where="kind")
    if active_to is not None and active_to <= begins:
        raise ConflictRefused(problem=worded("it ends before it begins"), where="active_to")
    named = _subject(actor, kind, subject.strip())
    standing = Conflict.objects.filter(agency=agency, kind=kind, subject=named, ended_at__isnull=True)
    if standing.filter(Q(active_to__isnull=True) | Q(active_to__gt=begins)).exists():
        raise ConflictStands(agency=agency.code, where="subject")
    conflict = Conflict.objects.create(
        id=new_id(), agency=agency, kind=kind, subject=named, reason=reason.strip(), active_from=begins, active_to=active_to,
        entered_by=actor.id, entered_by_name=actor.name, entered_at=at,
    )  # fmt: skip
    note(what="conflict", ref=conflict.id, reason=reason.strip(), agency=str(agency_id), kind=kind, active_from=begins, active_to=active_to)  # fmt: skip
    return conflict.id


def _subject(actor: Actor, kind: str, subject: str) -> str:
    if not 1 <= len(subject) <= SUBJECT_MAX:
        raise ConflictRefused(problem=worded("say whose accounts"), where="subject")
    if kind != Conflict.Kind.BORROWER:
        return subject
    borrower_id = book.borrower_id_of(actor, number=subject) or _known_borrower(actor, subject)
    if borrower_id is None:
        raise ConflictRefused(problem=worded("there is no such borrower in the book"), where="subject")
    return str(borrower_id)


def _known_borrower(actor: Actor, text: str) -> UUID | None:
    try:
        borrower_id = UUID(text)
    except ValueError:
        return None
    return borrower_id if book.subject_ids(actor, borrower_ids=[borrower_id]) else None


@act("partners.end_conflict", permission="partners.relate")
def end_conflict(*, actor: Actor, conflict_id: UUID, reason: str, at: datetime) -> None:
    """End a conflict today. Raises `ConflictNotFound`, `BadInput` without a reason."""
    _needs_reason(reason)
    conflict = Conflict.objects.select_for_update().filter(id=conflict_id, ended_at__isnull=True).first()
    if conflict is None:
        raise ConflictNotFound(what=worded("conflict"))
    today = days.day_of(at)
    ends = today if conflict.active_to is None else min(today, conflict.active_to)
    Conflict.objects.filter(id=conflict_id).update(
        active_to=max(ends, conflict.active_from),
        ended_by_name=actor.name,
        ended_at=at,
        ended_reason=reason.strip(),
    )
    note(
        what="conflict",
        ref=conflict_id,
        reason=reason.strip(),
        agency=str(conflict.agency_id),
        kind=conflict.kind,
    )


def _needs_reason(reason: str) -> None:
    if not reason.strip():
        raise BadInput(problem=worded("a reason is needed"), where="reason")
