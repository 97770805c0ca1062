"""Conduct 合规: permits and refusals by reason, hours of contact, rules in force, violations with clocks."""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.contact import queries, services
from weituo.domain.partners import queries as partners
from weituo.foundation import clock
from weituo.foundation.errors import Refusal
from weituo.web import access
from weituo.web.posted import after
from weituo.web.presenters import contact as presenters
from weituo.web.presenters import permits as permit_presenters

ZONE = ZoneInfo(settings.TIME_ZONE)
LATEST = 15


@access.page(permission="contact.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show what was asked and refused in a time, why, when people were contacted, and what must be answered."""
    viewer, now = request.actor, clock.now()  # type: ignore[attr-defined]
    span = presenters.period(request.GET, zone=ZONE, now=now, last=queries.last_asked(viewer))
    between = {"since": span["since"], "until": span["until"]}
    return render(
        request,
        "console/contact/index.html",
        presenters.overview(
            counts=queries.permits_by_state(viewer, **between),
            refusals=queries.refusals_today(viewer, **between),
            heat=queries.hours_heat(viewer, **between, zone=settings.TIME_ZONE),
            rules=queries.rules_in_force(viewer, at=now),
            violations=queries.violations_frame(viewer, open_only=True),
            latest=queries.permits(viewer, state="", **between, limit=LATEST),
            span=span,
            zone=settings.TIME_ZONE,
            at=now,
        ),
    )


@access.page(permission="contact.read")
@require_safe
def permits(request: HttpRequest) -> HttpResponse:
    """List permits by state, rule and agency."""
    viewer, now = request.actor, clock.now()  # type: ignore[attr-defined]
    span = presenters.period(request.GET, zone=ZONE, now=now, last=queries.last_asked(viewer))
    asked = permit_presenters.asked_list(request.GET)
    rows = queries.permits(
        viewer,
        state=asked["state"],
        code=asked["code"],
        agency_code=asked["agency_code"],
        since=span["since"],
        until=span["until"],
        limit=asked["limit"] + 1,
    )
    return render(
        request,
        "console/contact/permits.html",
        permit_presenters.permits(
            rows,
            asked=asked,
            agencies=partners.agencies(viewer),
            rules=queries.rules_in_force(viewer, at=now),
            span=span,
        ),
    )


@access.page(permission="contact.read")
@require_safe
def permit(request: HttpRequest, permit_id: UUID) -> HttpResponse:
    """Show one permit with its facts, and decide it again on them."""
    found = queries.replay_permit(request.actor, permit_id=permit_id)  # type: ignore[attr-defined]
    return render(request, "console/contact/permit.html", permit_presenters.permit(found))


@access.page(permission="contact.read")
@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """List the rules in force on a day, with citation and confidence."""
    today = clock.now().astimezone(ZONE).date()
    on = presenters.day_asked(request.GET.get("on"), today)
    rows = queries.rules_in_force(request.actor, at=datetime.combine(on, time(12), ZONE))  # type: ignore[attr-defined]
    return render(request, "console/contact/rules.html", presenters.rules(rows, on=on))


def _violations(request: HttpRequest, *, kept: dict[str, str], status: int = 200) -> HttpResponse:
    viewer = request.actor  # type: ignore[attr-defined]
    open_only = request.GET.get("all") != "1"
    return render(
        request,
        "console/contact/violations.html",
        presenters.violations(
            queries.violations(viewer, open_only=open_only),
            waiting=queries.violations_frame(viewer, open_only=True),
            open_only=open_only,
            actor=viewer,
            at=clock.now(),
            kept=kept,
        ),
        status=status,
    )


@access.page(permission="contact.read")
@require_safe
def violations(request: HttpRequest) -> HttpResponse:
    """List violations by the clock that ends first."""
    return _violations(request, kept={})


@access.page(permission="contact.close_violation")
@require_POST
def close(request: HttpRequest, violation_id: UUID) -> HttpResponse:
    """Close a violation with what came of it; a refused form keeps what was typed."""
    outcome = request.POST.get("outcome", "")
    try:
        services.close_violation(
            actor=request.actor,  # type: ignore[attr-defined]
            violation_id=violation_id,
            outcome=outcome,
            at=clock.now(),
        )
        messages.info(request, _("The violation is closed; its outcome stands in the log."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _violations(request, kept={str(violation_id): outcome}, status=refusal.status)
    return redirect(after(request.POST, "contact:violations"))


urlpatterns = [
    path("", index, name="index"),
    path("permits/", permits, name="permits"),
    path("permits/<uuid:permit_id>/", permit, name="permit"),
    path("rules/", rules, name="rules"),
    path("violations/", violations, name="violations"),
    path("violations/<uuid:violation_id>/close/", close, name="close"),
]
