"""What happens to placements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from weituo.foundation.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementsMade(Event):
    """A run was approved and its accounts are entrusted."""

    run_id: UUID
    placed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementsRecalled(Event):
    """Placements ended: taken back for a reason, or at the end of their term (reason EXPIRED)."""

    placement_ids: tuple[UUID, ...]
    reason: str
    recalled_at: datetime
