from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, Field

from weituo.api.schemas.base import Wire

Channel = Literal["VOICE", "SMS", "EMAIL", "LETTER", "VISIT"]
Result = Literal[
    "NOT_CONNECTED", "UNANSWERED", "BUSY", "VOICEMAIL", "SENT", "WRONG_PARTY", "THIRD_PARTY", "RIGHT_PARTY",
    "PROMISE", "REFUSED", "DISPUTE", "HARDSHIP", "CEASE_WISH",
]  # fmt: skip
CaseRef = Annotated[str, Field(min_length=1, max_length=20)]


class PermitIn(Wire):
    """One contact that is planned."""

    case_ref: CaseRef
    collector: Annotated[str, Field(min_length=1, max_length=16, description="badge of the collector")]
    contact_point: Annotated[UUID, Field(description="reference from the case's contact_points")]
    channel: Channel
    purpose: Annotated[str, Field(min_length=1, max_length=16)] = "COLLECT"
    planned_at: AwareDatetime


class PermitsIn(Wire):
    """A batch of planned contacts."""

    requests: Annotated[list[PermitIn], Field(min_length=1, max_length=500)]


class ReasonOut(Schema):
    """A rule that stands against a contact."""

    code: str
    citation: str
    message: str
    retry_at: datetime | None = None


class PermitOut(Schema):
    """The answer to one planned contact, in the order of asking."""

    permit_id: UUID
    case_ref: str
    granted: bool
    planned_at: datetime
    expires_at: datetime | None
    reasons: list[ReasonOut]


class PermitsOut(Schema):
    """The answers, in the order of asking."""

    granted: int
    refused: int
    permits: list[PermitOut]


class AttemptIn(Wire):
    """One contact that was made."""

    sender_ref: Annotated[str, Field(min_length=1, max_length=64, description="your own, unique reference")]
    case_ref: CaseRef
    contact_point: UUID
    permit_id: UUID | None = None
    channel: Channel
    made_at: AwareDatetime
    result: Result
    duration_s: Annotated[int, Field(ge=0, le=86_400)] = 0


class AttemptsIn(Wire):
    """A batch of contacts that were made."""

    attempts: Annotated[list[AttemptIn], Field(min_length=1, max_length=500)]


class AttemptOut(Schema):
    """What was recorded of one contact."""

    sender_ref: str
    attempt_id: UUID
    repeated: bool
    violations: list[str]


class AttemptsOut(Schema):
    """What was recorded, in the order of reporting."""

    recorded: int
    repeated: int
    attempts: list[AttemptOut]
