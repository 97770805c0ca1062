from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, Field

from weituo.api.schemas.base import Wire
from weituo.domain.contact.services.attempts import RESULTS

Channel = Literal["VOICE", "SMS", "EMAIL", "LETTER", "VISIT"]
if TYPE_CHECKING:
    Result = str
else:
    Result = Literal[*RESULTS]
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


class PermitStateOut(Schema):
    """A permit as it stands now. `reasons` are those of the refusal, or of what took a granted permit back (state VOID)."""

    permit_id: UUID
    case_ref: str
    state: str
    collector: str
    contact_point: UUID
    channel: str
    purpose: str
    asked_at: datetime
    planned_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    voided_at: datetime | None
    reasons: list[ReasonOut]


class PermitStatesOut(Schema):
    """Permits as they stand now, the latest change first."""

    permits: list[PermitStateOut]


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
