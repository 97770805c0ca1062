from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from ninja import Schema
from pydantic import Field


class CollectorOut(Schema):
    """A registered collector."""

    badge: str
    registered_on: date
    trained_until: date
    active: bool


class MeOut(Schema):
    """The agency behind the key."""

    agency_id: UUID
    code: str
    name_zh: str
    name_en: str
    state: str
    stopped_by: Annotated[
        list[str], Field(description="papers and agreements that are not live: no contact until they are")
    ]
    now: datetime
    permissions: list[str]
    collectors: list[CollectorOut]
    active_cases: int
