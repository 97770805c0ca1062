"""What borrowers say, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from weituo.foundation.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened(Event):
    """A dispute, hardship application or complaint began."""

    case_id: UUID
    kind: str
    borrower_id: UUID
    account_id: UUID | None
    agency_id: UUID | None
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDecided(Event):
    """A case was answered."""

    case_id: UUID
    kind: str
    borrower_id: UUID
    agency_id: UUID | None
    upheld: bool
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WishSet(Event):
    """A borrower said when and how to be contacted."""

    borrower_id: UUID
    channels: tuple[str, ...]
    hour_from: int
    hour_to: int
    language: str
    set_at: datetime
