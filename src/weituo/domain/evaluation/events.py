"""What evaluation found and decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from weituo.foundation.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AgenciesEvaluated(Event):
    """All agencies of a period were compared."""

    evaluation_id: UUID
    evaluated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTaken(Event):
    """A person drew a consequence from a scorecard."""

    agency_id: UUID
    decision: str
    decided_at: datetime
