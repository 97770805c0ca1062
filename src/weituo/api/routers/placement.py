from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router

from weituo.api.auth import caller
from weituo.api.schemas.base import PLAIN, answers
from weituo.api.schemas.placement import CasesOut, CaseViewOut
from weituo.domain.contact import queries as contact
from weituo.domain.sharing import services as sharing
from weituo.foundation import clock

router = Router()
CASES_MAX = 5_000


@router.get("/placements", operation_id="listPlacements", summary="My cases", response=answers(CasesOut))
def list_placements(
    request: HttpRequest,
    state: Annotated[Literal["ACTIVE", "RECALLED", "EXPIRED", "CLOSED", "ALL"], Query()] = "ACTIVE",
    after: Annotated[
        str, Query(max_length=20, pattern=PLAIN, description="case_ref of the last case of the page before")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=CASES_MAX)] = 500,
) -> dict[str, Any]:
    """List the agency's own cases in the order of their references, a page at a time."""
    rows = contact.my_cases(caller(request), state=state, after=after, limit=limit, at=clock.now())
    return {"cases": rows, "next": rows[-1]["case_ref"] if len(rows) == limit else None}


@router.get(
    "/placements/{case_ref}",
    operation_id="getPlacement",
    summary="One case with its disclosed facts",
    response=answers(CaseViewOut),
)
def get_placement(request: HttpRequest, case_ref: Annotated[str, Path(pattern=PLAIN)]) -> dict[str, Any]:
    """Give one case with the facts that the confidentiality agreement allows; every opening is logged and counted.

    Refused when the case has ended, no agreement is live, or more cases were opened within an hour than the house rule
    allows: whoever needs many works from the package.
    """
    actor = caller(request)
    now = clock.now()
    case = contact.my_case(actor, case_ref=case_ref, at=now)
    return {"case": case, "disclosed": sharing.disclose_case(actor=actor, case_ref=case_ref, at=now)}
