"""What happens to money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from weituo.foundation.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentsBooked(Event):
    """Payments were applied to accounts and stand in the ledger."""

    payments: int
    amount_minor: int
    currency: str
    booked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementApproved(Event):
    """An agency's statement was approved and its commission paid out."""

    statement_id: UUID
    agency_id: UUID
    approved_at: datetime
