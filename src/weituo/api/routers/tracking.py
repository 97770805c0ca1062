from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja.decorators import decorate_view

from weituo.api.auth import caller
from weituo.api.repeats import PARAMETER, repeatable
from weituo.api.schemas.base import answers
from weituo.api.schemas.tracking import PromisesIn, PromisesOut
from weituo.domain.tracking import services as tracking
from weituo.foundation import clock

router = Router()


@router.post(
    "/promises",
    operation_id="recordPromises",
    summary="Report promises to pay",
    response=answers(PromisesOut),
    openapi_extra=PARAMETER,
)
@decorate_view(repeatable)
def record_promises(request: HttpRequest, payload: PromisesIn) -> dict[str, Any]:
    """Report 1 to 500 promises. Whether one was kept is decided later, by booked money."""
    answered = tracking.record_promises(
        actor=caller(request),
        promises=[tracking.PromiseReport(**item.dict()) for item in payload.promises],
        at=clock.now(),
    )
    repeated = sum(one.repeated for one in answered)
    return {
        "recorded": len(answered) - repeated,
        "repeated": repeated,
        "promises": [
            {"sender_ref": one.sender_ref, "promise_id": one.promise_id, "repeated": one.repeated}
            for one in answered
        ],
    }
