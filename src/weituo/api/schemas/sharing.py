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
    taken_back: Annotated[
        int, Field(description="cases taken out since; from one on, the file is not sent again")
    ]
    to_destroy: Annotated[int, Field(description="of these, cases whose destruction is not confirmed")]


class PackagesOut(Schema):
    """The agency's packages, the newest first."""

    packages: list[PackageOut]


class ReceiptIn(Wire):
    """What the agency counted after fetching and opening the file."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$", description="SHA-256 of the encrypted file")]
    cases: Annotated[int, Field(ge=0, le=10**9)]
    balance_minor: Annotated[int, Field(ge=0, le=10**15)]


class DestructionOut(Schema):
    """A demand to destroy every copy of the facts of these cases, because they were taken back."""

    id: UUID
    package_id: Annotated[UUID | None, Field(description="where they were given; null: opened online only")]
    case_refs: list[str]
    cases: int
    reason: str
    asked_at: datetime
    confirmed_at: datetime | None


class DestructionsOut(Schema):
    """What the agency must destroy, the unconfirmed first."""

    destructions: list[DestructionOut]


class DestroyedIn(Wire):
    """How many cases the agency destroyed; every one that is named must be."""

    cases: Annotated[int, Field(ge=0, le=10**9)]
