from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from ninja import Schema
from pydantic import Field

from weituo.api.schemas.base import Wire
from weituo.api.schemas.contact import CaseRef


class RemittanceLineIn(Wire):
    """One payment that a borrower made to or through the agency."""

    case_ref: CaseRef
    amount_minor: Annotated[int, Field(gt=0, le=10**15)]
    paid_on: date
    method: Annotated[str, Field(min_length=1, max_length=12)]
    bank_ref: Annotated[str, Field(min_length=1, max_length=64)]


class RemittanceIn(Wire):
    """What the agency says was paid; a claim until the bank line arrives."""

    sender_ref: Annotated[str, Field(min_length=1, max_length=64)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    total_minor: Annotated[int, Field(gt=0, description="control total: the sum of the lines")]
    lines: Annotated[list[RemittanceLineIn], Field(min_length=1, max_length=5_000)]


class RemittanceOut(Schema):
    """The remittance as recorded."""

    remittance_id: UUID
    sender_ref: str
    lines: int
    total_minor: int
    currency: str


class StatementOut(Schema):
    """One settlement statement of the agency."""

    id: UUID
    period_from: date
    period_to: date
    state: str
    currency: str
    payments: int
    collected_minor: int
    commission_minor: int
    drawn_at: datetime
    agreed_at: datetime | None
    approved_at: datetime | None


class StatementsOut(Schema):
    """The agency's statements, the newest first."""

    statements: list[StatementOut]
