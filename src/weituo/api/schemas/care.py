from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from weituo.api.schemas.base import Wire
from weituo.api.schemas.contact import CaseRef


class CareCaseIn(Wire):
    """What a borrower told the agency and the lender must know."""

    case_ref: CaseRef
    kind: Literal["DISPUTE", "HARDSHIP", "COMPLAINT"]
    reason: Annotated[str, Field(min_length=1, max_length=24)]
    text: Annotated[
        str, Field(max_length=4_000, description="the borrower's own words; kept in the vault")
    ] = ""


class CareCaseOut(Schema):
    """The case as opened; contact with the borrower has stopped."""

    care_case_id: UUID
    case_ref: str
    kind: str
