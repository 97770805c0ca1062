"""What the database refuses because of what was sent, or of what somebody else did in the same moment, as refusals.

Acts check before they write and say more. This is the last line behind those checks: two that pass them together, a value
longer than its column. Anything else that the database refuses is a fault of the program and stays one.
"""

from __future__ import annotations

import logging
from typing import Final

from django.db import DatabaseError

from weituo.foundation.errors import BadInput, Conflict, Refusal
from weituo.foundation.locks import Busy
from weituo.foundation.reach import END_YEAR, FIRST_YEAR
from weituo.foundation.texts import worded

log = logging.getLogger(__name__)

#: SQLSTATE: serialization failure, deadlock, lock not available
BUSY: Final = frozenset({"40001", "40P01", "55P03"})
#: too long, out of range, no day or time, a byte that is no text
VALUES: Final = frozenset({"22001", "22003", "22007", "22008", "22021", "22P05"})
UNIQUE: Final = "23505"
CHECK: Final = "23514"


class EnteredAlready(Conflict):
    """The same was entered already, perhaps in this very moment by somebody else."""

    code = "entered_already"
    remedy = "Look at what stands now; enter something else, or nothing."


def refusal_of(fault: DatabaseError, *, act: str) -> Refusal | None:
    """Give the refusal that a failed statement amounts to, or None when it is a fault."""
    cause = fault.__cause__
    state = getattr(cause, "sqlstate", None) or ""
    constraint = str(getattr(getattr(cause, "diag", None), "constraint_name", None) or "")
    found: Refusal | None = None
    if state in BUSY:
        found = Busy()
    elif state == UNIQUE:
        found = EnteredAlready(where=constraint)
    elif state in VALUES:
        found = BadInput(problem=worded("a value is longer or larger than its field"))
    elif state == CHECK and constraint.endswith("_in_reach"):
        found = BadInput(
            problem=worded(
                "a day or time lies outside the years %(first)s to %(last)s",
                first=FIRST_YEAR,
                last=END_YEAR - 1,
            ),
            where=constraint.removesuffix("_in_reach"),
        )
    if found is not None:
        log.warning("%s was refused by the database: %s %s", act, state, constraint)
    return found
