from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, Field

from weituo.api.schemas.base import Wire
from weituo.api.schemas.contact import CaseRef


class PromiseIn(Wire):
    """One promise to pay."""

    sender_ref: Annotated[str, Field(min_length=1, max_length=64, description="your own, unique reference")]
    case_ref: CaseRef
    amount_minor: Annotated[int, Field(gt=0, le=10**15)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    made_at: AwareDatetime
    due_on: date


class PromisesIn(Wire):
    """A batch of promises."""

    promises: Annotated[list[PromiseIn], Field(min_length=1, max_length=500)]


class PromiseOut(Schema):
    """What was recorded of one promise."""

    sender_ref: str
    promise_id: UUID
    repeated: bool


class PromisesOut(Schema):
    """What was recorded, in the order of reporting."""

    recorded: int
    repeated: int
    promises: list[PromiseOut]
