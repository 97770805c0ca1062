"""The lender's terms for what follows an approval: how long offers stand, when recalls are final, how far terms stretch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor

#: why an agency declines an offered account
DECLINE_REASONS: Final = (
    "CONFLICT_OF_INTEREST", "NO_CAPACITY", "OUTSIDE_LICENCE", "DATA_INCOMPLETE", "BORROWER_KNOWN", "OTHER",
)  # fmt: skip
#: what an agency may say against a recall
OBJECTIONS: Final = (
    "PROMISE_DUE", "PAYMENT_UNDER_WAY", "SETTLEMENT_AGREED", "LEGAL_STEP_UNDER_WAY", "OTHER",
)  # fmt: skip
OTHER: Final = "OTHER"
#: recalls that are told first; all others protect the customer, correct an error or were asked for, and are final at once
NOTICED: Final = ("NO_PROGRESS", "LEGAL_ACTION", "STRATEGY_CHANGED")
#: bounds of what the lender may set
DAYS_MAX: Final = 60
TIMES_MAX: Final = 12
MONTHS_MAX: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The terms in force. version 0: never set, the usual ones.

    upheld_days: code of an objection → the most days by which the lender's rule moves a recall by itself, where the agency
    names the day of its evidence; a code that is absent is decided by a person.
    """

    version: int = 0
    answer_days: int = 3
    notice_days: int = 7
    retention_times_max: int = 2
    retention_months_max: int = 3
    upheld_days: Mapping[str, int] = field(default_factory=dict)
    set_at: datetime | None = None
    set_by: str = ""
    reason: str = ""


_COLUMNS: Final = "version, answer_days, notice_days, retention_times_max, retention_months_max, upheld_days, set_at, set_by, reason"


@transactions.reads
def current(viewer: Actor) -> InForce:
    """Give the terms in force."""
    found = transactions.rows(f"SELECT {_COLUMNS} FROM placement_terms ORDER BY version DESC LIMIT 1")  # noqa: S608 - a constant
    return InForce(**found[0]) if found else InForce()


@transactions.reads
def versions(viewer: Actor) -> list[dict[str, Any]]:
    """List every version of the terms, newest first."""
    viewer.require("placement.read")
    return transactions.rows(f"SELECT {_COLUMNS} FROM placement_terms ORDER BY version DESC")  # noqa: S608 - a constant
