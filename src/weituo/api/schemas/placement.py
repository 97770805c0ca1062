from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from ninja import Schema


class PointOut(Schema):
    """A way to reach somebody about a case; the number itself comes with the disclosure."""

    contact_point: UUID
    channel: str
    role: str
    valid: bool


class CaseOut(Schema):
    """One case of the agency. Amounts are minor units (cents)."""

    case_ref: str
    state: str
    placed_at: datetime
    term_to: date
    ended_at: datetime | None
    product: str
    bucket: str
    region: str
    currency: str
    placed_minor: int
    balance_minor: int
    fee_bps: int
    on_hold: bool
    contact_points: list[PointOut]


class CasesOut(Schema):
    """A page of cases; pass `next` on as `after` until it is null."""

    cases: list[CaseOut]
    next: str | None


class CaseViewOut(Schema):
    """One case with the facts that the confidentiality agreement allows."""

    case: CaseOut
    disclosed: dict[str, Any]
