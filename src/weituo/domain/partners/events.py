"""What happens to agencies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from weituo.foundation.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyApproved(Event):
    """Two persons let an agency in."""

    agency_id: UUID
    approved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencySuspended(Event):
    """An agency must stop working."""

    agency_id: UUID
    reason: str
    suspended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementEnded(Event):
    """An agreement ended before or at its term."""

    agency_id: UUID
    kind: str
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorChanged(Event):
    """A collector left (change COLLECTOR_LEFT), or is trained up to another day (change TRAINING_CHANGED)."""

    agency_id: UUID
    collector_id: UUID
    change: str
    changed_at: datetime
