from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import get_language
from ninja import Query, Router
from ninja.decorators import decorate_view
from pydantic import AwareDatetime

from weituo.api.auth import caller
from weituo.api.repeats import PARAMETER, repeatable
from weituo.api.schemas.base import PLAIN, answers
from weituo.api.schemas.contact import (
    AttemptsIn,
    AttemptsOut,
    PermitsIn,
    PermitsOut,
    PermitStateOut,
    PermitStatesOut,
)
from weituo.domain.contact import services as contact
from weituo.domain.contact import words, worklist
from weituo.foundation import clock

router = Router()
STATES_MAX = 500


def _language() -> str:
    return "zh" if (get_language() or "zh").startswith("zh") else "en"


def _standing(row: dict[str, Any]) -> dict[str, Any]:
    against = row["void_reasons"] if row["state"] == "VOID" else row["reasons"]
    return row | {
        "permit_id": row["id"],
        "collector": row["badge"],
        "contact_point": row["contact_point_id"],
        "reasons": words.told(against, language=_language()),
    }


@router.get(
    "/permits",
    operation_id="listPermits",
    summary="My permits as they stand",
    response=answers(PermitStatesOut),
)
def list_permits(
    request: HttpRequest,
    case_ref: Annotated[str, Query(max_length=20, pattern=PLAIN)] = "",
    state: Annotated[Literal["GRANTED", "USED", "REFUSED", "VOID", "ALL"], Query()] = "ALL",
    since: Annotated[
        AwareDatetime | None, Query(description="answered or taken back at this instant or later")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=STATES_MAX)] = STATES_MAX,
) -> dict[str, Any]:
    """List the agency's own permits, the latest change first. `state=VOID` with `since` gives what was taken back meanwhile."""
    rows = worklist.changed_permits(
        caller(request), case_ref=case_ref, state="" if state == "ALL" else state, since=since, limit=limit
    )
    return {"permits": [_standing(row) for row in rows]}


@router.get(
    "/permits/{permit_id}",
    operation_id="getPermit",
    summary="One permit as it stands",
    response=answers(PermitStateOut),
)
def get_permit(request: HttpRequest, permit_id: UUID) -> dict[str, Any]:
    """Give one permit: whether it can still be used and until when, or why it was refused or taken back."""
    return _standing(worklist.permit(caller(request), permit_id=permit_id))


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

    A granted permit holds from `planned_at` until `expires_at`, for one contact: ten minutes, or less where a rule would deny
    the contact before. It is taken back (state VOID) when what it rests on is gone, or when the borrower has spoken.
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
    granted = sum(one.granted for one in answered)
    return {
        "granted": granted,
        "refused": len(answered) - granted,
        "permits": [one.as_dict(language=_language()) for one in answered],
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
