from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from ninja import Schema


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
    now: datetime
    permissions: list[str]
    collectors: list[CollectorOut]
    active_cases: int
