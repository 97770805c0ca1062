from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from ninja.decorators import decorate_view

from weituo.api.auth import caller
from weituo.api.repeats import PARAMETER, repeatable
from weituo.api.schemas.base import answers
from weituo.api.schemas.plans import PlanOut, PlansOut, SignatureIn
from weituo.domain.plans import queries
from weituo.domain.plans import services as plans
from weituo.foundation import clock
from weituo.foundation.errors import NotFound
from weituo.foundation.texts import worded

router = Router()


@router.get("/plan", operation_id="getPlan", summary="My collection plan", response=answers(PlansOut))
def get_plan(request: HttpRequest) -> dict[str, Any]:
    """Give the agency's collection plans with targets and milestones, the newest version first."""
    return {"plans": queries.own_plans(caller(request))}


@router.post(
    "/plan/{plan_id}/sign",
    operation_id="signPlan",
    summary="Sign the plan that the lender offered",
    response=answers(PlanOut),
    openapi_extra=PARAMETER,
)
@decorate_view(repeatable)
def sign_plan(request: HttpRequest, plan_id: UUID, payload: SignatureIn) -> dict[str, Any]:
    """Sign an offered plan, naming the digest that was read; a plan that changed meanwhile is refused."""
    actor = caller(request)
    plans.sign_as_agency(actor=actor, plan_id=plan_id, digest=payload.digest, at=clock.now())
    found = queries.plan(actor, plan_id=plan_id)
    if found is None:
        raise NotFound(what=worded("plan"))
    return found
