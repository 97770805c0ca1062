"""What this room records in the past tense."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from weituo.foundation.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationsFound(Event):
    """Contacts against the rules were found in what an agency reported."""

    agency_id: UUID
    violation_ids: tuple[UUID, ...]
