from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from weituo.api.schemas.base import Wire
from weituo.api.schemas.contact import CaseRef

#: cases in one request
CASES_MAX = 5_000
Cases = Annotated[list[CaseRef], Field(min_length=1, max_length=CASES_MAX)]
Words = Annotated[str, Field(max_length=200, description="without personal data: no number, address or name")]


class OfferOut(Schema):
    """A case that the lender offers: what is known before it is accepted. Amounts are minor units (cents)."""

    case_ref: str
    state: str
    offered_at: datetime
    answer_by: datetime
    answered_at: datetime | None
    answer_reason: str
    balance_minor: int
    currency: str
    bucket: str
    region: str
    fee_bps: int


class OffersOut(Schema):
    """A page of offers; pass `next` on as `after` until it is null."""

    offers: list[OfferOut]
    next: str | None


class AcceptIn(Wire):
    """The offers to accept."""

    case_refs: Cases


class AcceptedOut(Schema):
    """Cases that are the agency's from now on, and offers that were withdrawn because their account does not go out any more."""

    accepted: int
    withdrawn: int


class DeclineIn(Wire):
    """The offers to decline, with a coded reason; OTHER needs words."""

    case_refs: Cases
    reason: Literal[
        "CONFLICT_OF_INTEREST", "NO_CAPACITY", "OUTSIDE_LICENCE", "DATA_INCOMPLETE", "BORROWER_KNOWN", "OTHER"
    ]
    text: Words = ""


class DeclinedOut(Schema):
    """How many offers were declined now."""

    declined: int


class NoticeOut(Schema):
    """A recall that is told before it is final, with the agency's latest objection to it."""

    notice_id: UUID
    case_ref: str
    reason: str
    state: str
    noticed_at: datetime
    told_final_on: date
    final_on: date
    ended_at: datetime | None
    balance_minor: int
    currency: str
    bucket: str
    objection_state: str | None
    code: str | None
    text: str | None
    evidence_on: date | None
    evidence_minor: int | None
    made_at: datetime | None
    decided_how: str | None
    decided_at: datetime | None
    decision_reason: str | None
    stays_until: date | None


class NoticesOut(Schema):
    """A page of recall notices; pass `next` on as `after` until it is null."""

    notices: list[NoticeOut]
    next: str | None


class ObjectIn(Wire):
    """The recalls to object to, with a code and evidence: a day, words, or both."""

    case_refs: Cases
    code: Literal["PROMISE_DUE", "PAYMENT_UNDER_WAY", "SETTLEMENT_AGREED", "LEGAL_STEP_UNDER_WAY", "OTHER"]
    text: Words = ""
    evidence_on: Annotated[date | None, Field(description="day of the promise, payment or step")] = None
    evidence_minor: Annotated[int | None, Field(gt=0, le=10**12, description="its amount in minor units")] = (
        None
    )


class ObjectedOut(Schema):
    """Objections that a person decides, and those that the lender's rule upheld at once."""

    waiting: int
    upheld: int


class HappenedOut(Schema):
    """One thing that happened to a case between agency and lender."""

    at: datetime
    what: str
    code: str
    day: date | None
    text: str


class HistoryOut(Schema):
    """Everything that happened to a case between agency and lender, latest first."""

    case_ref: str
    history: list[HappenedOut]
