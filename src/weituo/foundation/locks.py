"""One lock call per transaction: advisory locks on sorted keys, taken after slow work and before the check."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from weituo.foundation import transactions
from weituo.foundation.errors import Conflict

LOCK_WAIT_MS_MAX = 3_000


class Busy(Conflict):
    """Somebody else is changing the same thing right now."""

    code = "busy"
    remedy = "Try again in a moment."


def _number(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


@transactions.transaction_required
def lock(*, keys: Iterable[str]) -> None:
    """Take transaction-long advisory locks on `keys`, in one order for everybody, or raise `Busy` after three seconds."""
    from django.db import OperationalError

    numbers = sorted({_number(key) for key in keys})
    with transactions.connection().cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_WAIT_MS_MAX}ms"])
        try:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(k) FROM unnest(%s::bigint[]) AS k ORDER BY k", [numbers]
            )
        except OperationalError as fault:
            raise Busy(where=", ".join(sorted(keys))) from fault
        cursor.execute("SELECT set_config('lock_timeout', '0', true)")
