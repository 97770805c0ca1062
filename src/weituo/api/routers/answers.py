from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router
from ninja.decorators import decorate_view

from weituo.api.auth import caller
from weituo.api.repeats import PARAMETER, repeatable
from weituo.api.schemas.answers import (
    CASES_MAX,
    AcceptedOut,
    AcceptIn,
    DeclinedOut,
    DeclineIn,
    HistoryOut,
    NoticesOut,
    ObjectedOut,
    ObjectIn,
    OffersOut,
)
from weituo.api.schemas.base import PLAIN, answers
from weituo.domain.placement import answers as queries
from weituo.domain.placement import services
from weituo.foundation import clock

router = Router()
After = Annotated[
    str, Query(max_length=20, pattern=PLAIN, description="case_ref of the last row of the page before")
]
Limit = Annotated[int, Query(ge=1, le=CASES_MAX)]
All = Annotated[bool, Query(description="answered and ended ones too")]


@router.get("/offers", operation_id="listOffers", summary="My offers", response=answers(OffersOut))
def list_offers(
    request: HttpRequest, everything: All = False, after: After = "", limit: Limit = 500
) -> dict[str, Any]:
    """List the cases that the lender offers, in the order of their references, a page at a time.

    Before an offer is accepted nothing says who the borrower is.
    """
    rows = queries.my_offers(caller(request), open_only=not everything, after=after, limit=limit)
    return {"offers": rows, "next": rows[-1]["case_ref"] if len(rows) == limit else None}


@router.post(
    "/offers/accept",
    operation_id="acceptOffers",
    summary="Accept offers",
    response=answers(AcceptedOut),
    openapi_extra=PARAMETER,
)
@decorate_view(repeatable)
def accept_offers(request: HttpRequest, payload: AcceptIn) -> Any:
    """Accept offers before their deadline: the cases are the agency's from now on. Accepting twice does nothing more."""
    return services.accept_placements(actor=caller(request), case_refs=payload.case_refs, at=clock.now())


@router.post(
    "/offers/decline",
    operation_id="declineOffers",
    summary="Decline offers",
    response=answers(DeclinedOut),
    openapi_extra=PARAMETER,
)
@decorate_view(repeatable)
def decline_offers(request: HttpRequest, payload: DeclineIn) -> dict[str, Any]:
    """Decline offers before their deadline with a coded reason; the lender places the accounts elsewhere."""
    n = services.decline_placements(
        actor=caller(request), case_refs=payload.case_refs, reason=payload.reason, text=payload.text, at=clock.now()
    )  # fmt: skip
    return {"declined": n}


@router.get(
    "/recall-notices",
    operation_id="listRecallNotices",
    summary="Recalls announced",
    response=answers(NoticesOut),
)
def list_recall_notices(
    request: HttpRequest, everything: All = False, after: After = "", limit: Limit = 500
) -> dict[str, Any]:
    """List the recalls that the lender gave notice of; the cases stay the agency's until `final_on`."""
    rows = queries.my_notices(caller(request), open_only=not everything, after=after, limit=limit)
    return {"notices": rows, "next": rows[-1]["case_ref"] if len(rows) == limit else None}


@router.post(
    "/recall-notices/object",
    operation_id="objectToRecalls",
    summary="Object to recalls",
    response=answers(ObjectedOut),
    openapi_extra=PARAMETER,
)
@decorate_view(repeatable)
def object_to_recalls(request: HttpRequest, payload: ObjectIn) -> Any:
    """Object to recalls before they are final, with a code and evidence; a rule of the lender or a person decides."""
    return services.object_to_recall(
        actor=caller(request), case_refs=payload.case_refs, code=payload.code, text=payload.text, evidence_on=payload.evidence_on,
        evidence_minor=payload.evidence_minor, at=clock.now(),
    )  # fmt: skip


@router.get(
    "/placements/{case_ref}/history",
    operation_id="getPlacementHistory",
    summary="What happened to a case",
    response=answers(HistoryOut),
)
def get_placement_history(
    request: HttpRequest, case_ref: Annotated[str, Path(pattern=PLAIN)]
) -> dict[str, Any]:
    """Give offer, answer, notices, objections, extensions and end of one of the agency's own cases."""
    return {"case_ref": case_ref, "history": queries.my_history(caller(request), case_ref=case_ref)}
