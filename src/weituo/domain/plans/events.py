"""What happens to plans and strategies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from weituo.foundation.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSigned(Event):
    """Both sides signed the same content."""

    plan_id: UUID
    agency_id: UUID
    signed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyPublished(Event):
    """A strategy came into force."""

    strategy_id: UUID
    version: int
    published_at: datetime
