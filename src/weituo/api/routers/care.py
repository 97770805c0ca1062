from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja.decorators import decorate_view

from weituo.api.auth import caller
from weituo.api.repeats import PARAMETER, repeatable
from weituo.api.schemas.base import answers
from weituo.api.schemas.care import CareCaseIn, CareCaseOut
from weituo.domain.care import services as care
from weituo.foundation import clock

router = Router()


@router.post(
    "/care-cases",
    operation_id="openCareCase",
    summary="Pass on a dispute, hardship or complaint",
    response=answers(CareCaseOut),
    openapi_extra=PARAMETER,
)
@decorate_view(repeatable)
def open_care_case(request: HttpRequest, payload: CareCaseIn) -> dict[str, Any]:
    """Tell the lender what the borrower said. Contact stops in the same moment; permits that were granted are void."""
    case_id = care.open_case(
        actor=caller(request),
        kind=payload.kind,
        reason=payload.reason,
        case_ref=payload.case_ref,
        text=payload.text,
        source="AGENCY",
        at=clock.now(),
    )
    return {"care_case_id": case_id, "case_ref": payload.case_ref, "kind": payload.kind}
