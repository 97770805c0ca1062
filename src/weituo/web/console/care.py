"""Care 客户关怀: disputes, hardship and complaints by clock."""

from __future__ import annotations

from collections.abc import Mapping
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
from weituo.web.presenters.borrower import KIND_LABELS


@access.page(permission="care.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show what waits for an answer, the next one due first."""
    viewer = request.actor  # type: ignore[attr-defined]
    state = "DECIDED" if request.GET.get("state") == "DECIDED" else "OPEN"
    kind = request.GET.get("kind", "") if request.GET.get("kind") in KIND_LABELS else ""
    return render(
        request,
        "console/care/index.html",
        presenters.desk(
            cases=queries.cases(viewer, state=state, kind=kind),
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
    return _case(request, case_id)


def _case(request: HttpRequest, case_id: UUID, *, typed: Mapping[str, str] | None = None, status: int = 200) -> HttpResponse:  # fmt: skip
    viewer, at = request.actor, clock.now()  # type: ignore[attr-defined]
    found = queries.case(viewer, case_id=case_id)
    if found is None:
        raise Http404
    context = presenters.case(
        found,
        reach=queries.reach(viewer, borrower_id=found["borrower_id"], at=at) or {},
        contacts=queries.contacts_since(viewer, borrower_id=found["borrower_id"], since=found["opened_at"]),
        agencies=partners.agencies(viewer),
        actor=viewer,
        at=at,
        typed=typed or {},
    )
    return render(request, "console/care/case.html", context, status=status)


@access.page(permission="care.decide_case")
@require_POST
def decide(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Answer a case."""
    if request.POST.get("upheld") not in {"yes", "no"}:
        messages.error(request, _("Choose whether the borrower is right."))
        return _case(request, case_id, typed=request.POST, status=422)
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
        return _case(request, case_id, typed=request.POST, status=refusal.status)
    return redirect("care:case", case_id)


@access.page(permission="care.stop_everywhere")
@require_POST
def stop(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Stop every contact with the borrower of a case."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.case(viewer, case_id=case_id)
    if found is None:
        raise Http404
    try:
        stopped = services.stop_everywhere(
            actor=viewer,
            borrower_id=found["borrower_id"],
            reason=request.POST.get("reason", ""),
            at=clock.now(),
        )
        text = _("Stopped everywhere: accounts %(accounts)s, placements %(placements)s, permits %(permits)s.")  # fmt: skip
        messages.info(request, text % {"accounts": stopped.accounts, "placements": stopped.placements, "permits": stopped.permits})  # fmt: skip
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _case(request, case_id, typed=request.POST, status=refusal.status)
    return redirect("care:case", case_id)


urlpatterns = [
    path("", index, name="index"),
    path("<uuid:case_id>/", case, name="case"),
    path("<uuid:case_id>/decide/", decide, name="decide"),
    path("<uuid:case_id>/stop/", stop, name="stop"),
]
