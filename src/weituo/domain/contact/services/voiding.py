"""Taking granted permits back the moment their ground is gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from weituo.foundation import locks, transactions


@transactions.transaction_required
def void_permits(
    *, at: datetime, borrower_id: UUID | None = None, placement_ids: Sequence[UUID] | None = None
) -> int:
    """Void every permit that is granted and not yet used, of one borrower or of these placements; return how many.

    Waits for a permit that is being decided for the same borrower right now, so that none slips through.
    """
    if (borrower_id is None) == (placement_ids is None):
        raise ValueError("void_permits takes a borrower or placements")
    with transactions.connection().cursor() as cursor:
        if borrower_id is not None:
            locks.lock(keys=[f"borrower:{borrower_id}"])
        cursor.execute(
            "UPDATE contact_permit SET state = 'VOID', voided_at = %s WHERE state = 'GRANTED' "
            "AND (borrower_id = %s::uuid OR placement_id = ANY(%s::uuid[]))",
            [at, borrower_id, list(placement_ids or [])],
        )
        return int(cursor.rowcount)
