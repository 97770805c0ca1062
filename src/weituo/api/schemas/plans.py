from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from ninja import Schema
from pydantic import Field

from weituo.api.schemas.base import Wire


class TargetOut(Schema):
    """Cumulative liquidation to reach, in basis points, by months since placement."""

    bucket: str
    months_since_placement: int
    liquidation_bps: int


class MilestoneOut(Schema):
    """Something dated that one side owes the other."""

    id: UUID
    title_zh: str
    title_en: str
    owner: str
    due_on: date
    done_at: datetime | None


class PlanOut(Schema):
    """One version of the collection plan; both sides sign its digest."""

    id: UUID
    version: int
    state: str
    active_from: date
    active_to: date | None
    digest: str
    lender_signed_at: datetime | None
    agency_signed_at: datetime | None
    targets: list[TargetOut]
    milestones: list[MilestoneOut]


class PlansOut(Schema):
    """The agency's plans, the newest version first."""

    plans: list[PlanOut]


class SignatureIn(Wire):
    """The digest of the plan that was read."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
