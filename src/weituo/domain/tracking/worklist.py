"""An agency's own promises, with the case they belong to."""

from __future__ import annotations

from typing import Any

from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor


@transactions.reads
def promises(viewer: Actor, *, case_ref: str = "", limit: int = 200) -> list[dict[str, Any]]:
    """List the agency's own promises: open ones first, the one due first on top."""
    viewer.require("tracking.read_own")
    return transactions.rows(
        "SELECT t.id, p.case_ref, t.amount_minor, t.currency, t.made_at, t.due_on, t.state FROM tracking_promise t "
        "JOIN placement_placement p ON p.id = t.placement_id WHERE %s = '' OR p.case_ref = %s ORDER BY (t.state = 'OPEN') DESC, t.due_on, t.id LIMIT %s",
        [case_ref, case_ref, limit],
    )
