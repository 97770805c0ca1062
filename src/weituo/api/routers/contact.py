from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language
from ninja import Router
from ninja.decorators import decorate_view

from weituo.api.auth import caller
from weituo.api.repeats import PARAMETER, repeatable
from weituo.api.schemas.base import answers
from weituo.api.schemas.contact import AttemptsIn, AttemptsOut, PermitsIn, PermitsOut
from weituo.domain.contact import services as contact
from weituo.foundation import clock

router = Router()


@router.post(
    "/permits",
    operation_id="askPermits",
    summary="Ask leave for contacts",
    response=answers(PermitsOut),
    openapi_extra=PARAMETER,
)
@decorate_view(repeatable)
def ask_permits(request: HttpRequest, payload: PermitsIn) -> dict[str, Any]:
    """Ask leave for 1 to 500 contacts. A refusal is an answer: it cites the rule and says when to ask again.

    A granted permit holds from `planned_at` until `expires_at` (ten minutes), for one contact.
    """
    answered = contact.ask_permits(
        actor=caller(request),
        requests=[
            contact.PermitRequest(
                case_ref=item.case_ref,
                badge=item.collector,
                contact_point_id=item.contact_point,
                channel=item.channel,
                purpose=item.purpose,
                planned_at=item.planned_at,
            )
            for item in payload.requests
        ],
        at=clock.now(),
    )
    language = "zh" if (get_language() or "zh").startswith("zh") else "en"
    granted = sum(one.granted for one in answered)
    return {
        "granted": granted,
        "refused": len(answered) - granted,
        "permits": [one.as_dict(language=language) for one in answered],
    }


@router.post(
    "/attempts",
    operation_id="logAttempts",
    summary="Report contacts",
    response=answers(AttemptsOut),
    openapi_extra=PARAMETER,
)
@decorate_view(repeatable)
def log_attempts(request: HttpRequest, payload: AttemptsIn) -> dict[str, Any]:
    """Report 1 to 500 contacts that were made. What was done without leave is recorded and becomes a violation."""
    answered = contact.log_attempts(
        actor=caller(request),
        attempts=[
            contact.AttemptReport(
                sender_ref=item.sender_ref,
                case_ref=item.case_ref,
                contact_point_id=item.contact_point,
                permit_id=item.permit_id,
                channel=item.channel,
                made_at=item.made_at,
                result=item.result,
                duration_s=item.duration_s,
            )
            for item in payload.attempts
        ],
        at=clock.now(),
    )
    repeated = sum(one.repeated for one in answered)
    return {
        "recorded": len(answered) - repeated,
        "repeated": repeated,
        "attempts": [
            {
                "sender_ref": one.sender_ref,
                "attempt_id": one.attempt_id,
                "repeated": one.repeated,
                "violations": list(one.violations),
            }
            for one in answered
        ],
    }
