"""What happens to borrowers and accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from weituo.foundation.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPlaced(Event):
    """A borrower or one account must not be worked (or only in a certain way) from now on."""

    hold_id: UUID
    borrower_id: UUID
    account_id: UUID | None
    kind: str
    placed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLifted(Event):
    """A hold ended."""

    hold_id: UUID
    borrower_id: UUID
    kind: str
    lifted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancesRefreshed(Event):
    """A file stated other balances than the book had, and they were taken over."""

    import_id: UUID
    refreshed_at: datetime
