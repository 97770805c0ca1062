"""Regular reviews of an agency's progress, with the figures frozen as they were."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from weituo.domain.tracking import queries
from weituo.domain.tracking.errors import AgencyUnknown
from weituo.domain.tracking.models import Review
from weituo.domain.tracking.services.alerts import answer
from weituo.foundation import transactions
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded


@act("tracking.hold_review", permission="tracking.hold_review")
def hold_review(
    *,
    actor: Actor,
    agency_id: UUID,
    period_from: date,
    period_to: date,
    findings: str,
    actions: str,
    at: datetime,
    alert_id: UUID | None = None,
) -> UUID:
    """Hold a review of an agency for the half-open period; figures are computed now and never change afterwards.

    `alert_id`: the open alert that this review answers; it is closed with the actions agreed, or the findings.
    Raises `AgencyUnknown`, `BadInput`, `AlertNotFound`, `AlertClosed`.
    """
    if period_from >= period_to:
        raise BadInput(problem=worded("the period ends before it begins"), where="period_to")
    if not findings.strip():
        raise BadInput(problem=worded("a review states what was found"), where="findings")
    with transactions.connection().cursor() as cursor:
        cursor.execute("SELECT 1 FROM partners_agency WHERE id = %s", [agency_id])
        if cursor.fetchone() is None:
            raise AgencyUnknown(what="agency", where="agency_id")
    figures = queries.figures(actor, agency_id=agency_id, period_from=period_from, period_to=period_to)
    review = Review.objects.create(
        agency_id=agency_id,
        period_from=period_from,
        period_to=period_to,
        figures=figures,
        findings=findings.strip(),
        actions=actions.strip(),
        held_by=actor.name,
        held_at=at,
    )
    if alert_id is not None:
        answer(actor=actor, alert_id=alert_id, action=review.actions or review.findings, at=at)
    note(what="review", ref=review.id, agency_id=str(agency_id), **figures)
    return review.id
