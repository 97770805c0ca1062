"""What becomes of a collector: training is renewed or lost, and one day they leave."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from weituo.domain.partners.errors import CollectorLeft
from weituo.domain.partners.events import CollectorChanged
from weituo.domain.partners.models import Collector
from weituo.foundation import days, events
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput, NotFound
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

LEFT, TRAINING = "COLLECTOR_LEFT", "TRAINING_CHANGED"


def _standing(collector_id: UUID, *, reason: str, at: datetime) -> Collector:
    """Give a collector who has not left, locked, or raise."""
    if not reason.strip():
        raise BadInput(problem=worded("a reason is needed"), where="reason")
    collector = Collector.objects.select_for_update(no_key=True).filter(id=collector_id).first()
    if collector is None:
        raise NotFound(what=worded("collector"))
    if collector.active_to is not None and collector.active_to <= days.day_of(at):
        raise CollectorLeft(badge=collector.badge, on=collector.active_to.isoformat())
    return collector


def _changed(collector: Collector, *, change: str, at: datetime) -> None:
    events.publish(
        CollectorChanged(
            agency_id=collector.agency_id, collector_id=collector.id, change=change, changed_at=at
        )
    )


@act("partners.end_collector", permission="partners.register")
def end_collector(*, actor: Actor, collector_id: UUID, reason: str, at: datetime) -> None:
    """Let a collector go from this day on; the badge stays theirs and is never given again.

    Permits in their name are void in the same transaction. Raises `NotFound`, `CollectorLeft`, `BadInput` without a reason.
    """
    collector = _standing(collector_id, reason=reason, at=at)
    Collector.objects.filter(id=collector_id).update(active_to=days.day_of(at))
    note(
        what="collector",
        ref=collector_id,
        reason=reason.strip(),
        agency=str(collector.agency_id),
        badge=collector.badge,
    )
    _changed(collector, change=LEFT, at=at)


@act("partners.set_training", permission="partners.register")
def set_training(*, actor: Actor, collector_id: UUID, trained_until: date, reason: str, at: datetime) -> None:
    """Write down the last day on which a collector's training is valid: renewed, or lost where that day is past.

    Permits in their name for later days are void in the same transaction. Raises `NotFound`, `CollectorLeft`, `BadInput`
    without a reason.
    """
    collector = _standing(collector_id, reason=reason, at=at)
    Collector.objects.filter(id=collector_id).update(trained_until=trained_until)
    note(
        what="collector",
        ref=collector_id,
        reason=reason.strip(),
        agency=str(collector.agency_id),
        badge=collector.badge,
        trained_until=trained_until,
    )
    _changed(collector, change=TRAINING, at=at)
