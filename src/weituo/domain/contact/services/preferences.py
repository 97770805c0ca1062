"""Borrowers' contact wishes, as the gate reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from weituo.domain.contact.services import voiding
from weituo.foundation import transactions


@transactions.transaction_required
def set_preference(
    *, borrower_id: UUID, channels: Sequence[str], hour_from: int, hour_to: int, at: datetime
) -> None:
    """Put a borrower's wish in force, for the permits granted already as well; it replaces the one before.

    channels: welcome channels (PHONE, SMS, …), empty for no wish; hours: local wall time, half-open [from, to).
    """
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO contact_preference (borrower_id, channels, hour_from, hour_to, set_at) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (borrower_id) DO UPDATE SET channels = excluded.channels, hour_from = excluded.hour_from, hour_to = excluded.hour_to, set_at = excluded.set_at",
            [borrower_id, list(channels), hour_from, hour_to, at],
        )
    voiding.decide_again(borrower_id=borrower_id, at=at, because="WISH")
