"""An agency's group of owners and its conflicts: entered and ended with a reason, seen by staff alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.partners import queries, services
from weituo.domain.partners import relations as facts
from weituo.domain.placement import rechecking
from weituo.foundation import clock, days
from weituo.foundation.errors import Refusal
from weituo.web import access
from weituo.web.posted import Posted
from weituo.web.presenters import relations as presenters


@access.page(permission="partners.read")
@require_safe
def relations(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Show whom an agency belongs to and whose accounts it must not get."""
    return _page(request, agency_id, typed={})


def _page(request: HttpRequest, agency_id: UUID, *, typed: dict[str, Any], status: int = 200) -> HttpResponse:
    viewer, today = request.actor, days.day_of(clock.now())  # type: ignore[attr-defined]
    found = queries.dossier(viewer, agency_id=agency_id)
    if found is None:
        raise Http404
    context = presenters.page(
        found,
        sisters=facts.sisters(viewer, on=today).get(found["agency"]["code"], ()),
        agencies=queries.agencies(viewer),
        placed=rechecking.placed_in_conflict(viewer, agency_id=agency_id, on=today),
        typed=typed,
        actor=viewer,
        today=today,
    )
    return render(request, "console/partners/relations.html", context, status=status)


def _act(request: HttpRequest, agency_id: UUID, run: Callable[[], object], done: str) -> HttpResponse:
    """Run one act; a refusal shows the page again with what was typed."""
    try:
        run()
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _page(request, agency_id, typed=Posted(request.POST).typed(), status=refusal.status)
    messages.info(request, done)
    return redirect("partners:relations", agency_id)


@access.page(permission="partners.relate")
@require_POST
def group(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Write down that the agency belongs to a group, or end that."""
    posted, actor = Posted(request.POST), request.actor  # type: ignore[attr-defined]
    leaves = posted.text("change") == "LEAVE"

    def run() -> None:
        if leaves:
            services.leave_group(
                actor=actor, agency_id=agency_id, reason=posted.needed("reason"), at=clock.now()
            )
        else:
            services.enter_group(
                actor=actor, agency_id=agency_id, group=posted.needed("group"), reason=posted.needed("reason"),
                active_from=posted.day_or_none("active_from"), at=clock.now(),
            )  # fmt: skip

    done = (
        _("The membership has ended.")
        if leaves
        else _("The agency and its sisters count as one from then on.")
    )
    return _act(request, agency_id, run, done)


@access.page(permission="partners.relate")
@require_POST
def conflict(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Write down whose accounts the agency must not get."""
    posted = Posted(request.POST)

    def run() -> None:
        services.enter_conflict(
            actor=request.actor,  # type: ignore[attr-defined]
            agency_id=agency_id,
            kind=posted.text("kind"),
            subject=posted.needed("subject"),
            reason=posted.needed("reason"),
            active_from=posted.day_or_none("active_from"),
            active_to=posted.day_or_none("active_to"),
            at=clock.now(),
        )

    return _act(
        request, agency_id, run, _("No run will give such an account to the agency or a sister of it.")
    )


@access.page(permission="partners.relate")
@require_POST
def end_conflict(request: HttpRequest, agency_id: UUID, conflict_id: UUID) -> HttpResponse:
    """End a conflict today."""
    return _act(
        request,
        agency_id,
        lambda: services.end_conflict(
            actor=request.actor,  # type: ignore[attr-defined]
            conflict_id=conflict_id,
            reason=Posted(request.POST).needed("reason"),
            at=clock.now(),
        ),
        _("The conflict has ended."),
    )


urlpatterns = [
    path("<uuid:agency_id>/relations/", relations, name="relations"),
    path("<uuid:agency_id>/relations/group/", group, name="group"),
    path("<uuid:agency_id>/relations/conflicts/", conflict, name="conflict"),
    path("<uuid:agency_id>/relations/conflicts/<uuid:conflict_id>/end/", end_conflict, name="end_conflict"),
]
