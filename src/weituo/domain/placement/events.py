"""What happens to placements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementsOffered(Event):
    """A run's accounts were offered to agencies that answer each; nothing of them is shared yet."""

    run_id: UUID
    answer_by: datetime
    offered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementsAccepted(Event):
    """An agency accepted what it was offered: these accounts are entrusted from now on."""

    placement_ids: tuple[UUID, ...]
    agency_id: UUID
    accepted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementsDeclined(Event):
    """Offers ended without acceptance: declined, not answered in time (LAPSED), or withdrawn (WITHDRAWN)."""

    placement_ids: tuple[UUID, ...]
    reason: str
    declined_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRefilled(Event):
    """Declined and unanswered accounts of a run were placed again within its terms."""

    run_id: UUID
    number: int
    refilled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallNoticed(Event):
    """A recall was told; the placements stay as they are until it is final."""

    placement_ids: tuple[UUID, ...]
    reason: str
    final_on: date
    noticed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallNoticesEnded(Event):
    """Recall notices were withdrawn: the placements stay."""

    placement_ids: tuple[UUID, ...]
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallObjected(Event):
    """An agency objected to recalls before they were final."""

    objection_ids: tuple[UUID, ...]
    agency_id: UUID
    objected_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionsDecided(Event):
    """Objections were upheld until a day, or rejected."""

    objection_ids: tuple[UUID, ...]
    upheld: bool
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementsRetained(Event):
    """Terms of placements were extended."""

    placement_ids: tuple[UUID, ...]
    term_to: date
    retained_at: datetime
