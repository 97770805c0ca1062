"""Closing violations."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from weituo.domain.contact.errors import ViolationClosed, ViolationNotFound
from weituo.domain.contact.models import Violation
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded


@act("contact.close_violation", permission="contact.close_violation")
def close_violation(*, actor: Actor, violation_id: UUID, outcome: str, at: datetime) -> None:
    """Close a violation with what came of it. Raises `ViolationNotFound`, `ViolationClosed`, `BadInput`."""
    if not outcome.strip():
        raise BadInput(problem=worded("an outcome is needed"), where="outcome")
    violation = Violation.objects.select_for_update().filter(id=violation_id).first()
    if violation is None:
        raise ViolationNotFound(what="violation")
    if violation.closed_at is not None:
        raise ViolationClosed(where=violation.code)
    Violation.objects.filter(id=violation_id).update(closed_at=at, outcome=outcome.strip())
    note(what="violation", ref=violation_id, reason=outcome.strip(), code=violation.code)
