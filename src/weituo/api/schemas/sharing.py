from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from ninja import Schema
from pydantic import Field

from weituo.api.schemas.base import Wire


class PackageOut(Schema):
    """One encrypted package of the agency, with the control totals to confirm. Amounts are minor units."""

    id: UUID
    state: str
    fields: list[str]
    cases: int
    balance_minor: int
    currency: str
    digest: Annotated[str, Field(description="SHA-256 of the encrypted file")]
    size_bytes: int
    agreement_version: int
    built_at: datetime
    acknowledged_at: datetime | None
    revoked_at: datetime | None
    revoked_reason: str


class PackagesOut(Schema):
    """The agency's packages, the newest first."""

    packages: list[PackageOut]


class ReceiptIn(Wire):
    """What the agency counted after fetching and opening the file."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$", description="SHA-256 of the encrypted file")]
    cases: Annotated[int, Field(ge=0, le=10**9)]
    balance_minor: Annotated[int, Field(ge=0, le=10**15)]
