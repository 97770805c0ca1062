"""Care 客户关怀: disputes, hardship and complaints by clock."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.care import queries, services
from weituo.domain.partners import queries as partners
from weituo.foundation import clock
from weituo.foundation.errors import Refusal
from weituo.web import access
from weituo.web.presenters import care as presenters


@access.page(permission="care.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show what waits for an answer, the next one due first."""
    viewer = request.actor  # type: ignore[attr-defined]
    state, kind = request.GET.get("state", "OPEN"), request.GET.get("kind", "")
    return render(
        request,
        "console/care/index.html",
        presenters.desk(
            cases=queries.cases(viewer, state=state if state in {"OPEN", "DECIDED"} else "OPEN", kind=kind),
            frame=queries.cases_frame(viewer),
            agencies=partners.agencies(viewer),
            state=state,
            kind=kind,
            at=clock.now(),
        ),
    )


@access.page(permission="care.read")
@require_safe
def case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Show one case with what the borrower said and the form to answer."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.case(viewer, case_id=case_id)
    if found is None:
        raise Http404
    return render(
        request,
        "console/care/case.html",
        presenters.case(found, agencies=partners.agencies(viewer), actor=viewer, at=clock.now()),
    )


@access.page(permission="care.decide_case")
@require_POST
def decide(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Answer a case."""
    try:
        services.decide_case(
            actor=request.actor,  # type: ignore[attr-defined]
            case_id=case_id,
            upheld=request.POST.get("upheld") == "yes",
            answer=request.POST.get("answer", ""),
            at=clock.now(),
        )
        messages.info(request, _("The answer stands on the borrower's page."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("care:case", case_id)


urlpatterns = [
    path("", index, name="index"),
    path("<uuid:case_id>/", case, name="case"),
    path("<uuid:case_id>/decide/", decide, name="decide"),
]
