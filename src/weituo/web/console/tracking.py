"""Progress 进展: liquidation curves against plan and peers, coverage, promises kept, alerts, reviews."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.partners import queries as partners
from weituo.domain.tracking import queries, services
from weituo.foundation import clock, days
from weituo.foundation.errors import Refusal
from weituo.web import access
from weituo.web.posted import after
from weituo.web.presenters import tracking as presenters


@access.page(permission="tracking.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show how agencies stand against their plans, which cases rest, which promises are kept, and what to act on."""
    viewer = request.actor  # type: ignore[attr-defined]
    asked = presenters.asked(request.GET)
    on = queries.as_of(viewer)
    return render(
        request,
        "console/tracking/index.html",
        presenters.overview(
            frame=queries.curves(viewer, bucket=asked["bucket"] or None, on=on),
            coverage=queries.coverage(viewer, on=on),
            promises=queries.promises(viewer),
            alerts=queries.alerts(viewer, open_only=True),
            agencies=partners.agencies(viewer),
            asked=asked,
            on=on,
            actor=viewer,
        ),
    )


@access.page(permission="tracking.raise_alerts")
@require_POST
def raise_alerts(request: HttpRequest) -> HttpResponse:
    """Look at the figures now and raise what they call for."""
    raised = services.raise_alerts(actor=request.actor, at=clock.now())  # type: ignore[attr-defined]
    if raised:
        text = ngettext("%(n)s new alert was raised.", "%(n)s new alerts were raised.", len(raised))
        messages.info(request, text % {"n": len(raised)})
    else:
        messages.info(request, _("The figures call for no new alert."))
    return redirect("tracking:index")


@access.page(permission="tracking.close_alert")
@require_POST
def close_alert(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Close an alert with the action that was taken."""
    try:
        services.close_alert(
            actor=request.actor,  # type: ignore[attr-defined]
            alert_id=alert_id,
            action=request.POST.get("action", ""),
            at=clock.now(),
        )
        messages.info(request, _("The alert is closed with its action."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect(after(request.POST, "tracking:index"))


@access.page(permission="tracking.decide_promises")
@require_POST
def decide_promises(request: HttpRequest) -> HttpResponse:
    """Decide open promises from booked money."""
    counts = services.decide_promises(actor=request.actor, at=clock.now())  # type: ignore[attr-defined]
    messages.info(
        request,
        _("Decided by booked money: %(kept)s kept, %(broken)s broken.")
        % {"kept": counts["KEPT"], "broken": counts["BROKEN"]},
    )
    return redirect("tracking:index")


def _reviews(request: HttpRequest, *, status: int = 200) -> HttpResponse:
    viewer = request.actor  # type: ignore[attr-defined]
    form = presenters.review_form(request.POST or request.GET, today=days.day_of(clock.now()))
    usable = form["agency"] and form["period_from"] < form["period_to"]
    alerts = queries.alerts(viewer, open_only=True) if form["alert"] else []
    preview = (
        queries.figures(
            viewer,
            agency_id=UUID(form["agency"]),
            period_from=form["period_from"],
            period_to=form["period_to"],
        )
        if usable
        else None
    )
    return render(
        request,
        "console/tracking/reviews.html",
        presenters.reviews(
            queries.reviews(viewer),
            agencies=partners.agencies(viewer),
            form=form,
            preview=preview,
            answered=next((row for row in alerts if str(row["id"]) == form["alert"]), None),
            actor=viewer,
        ),
        status=status,
    )


@access.page(permission="tracking.read")
@require_safe
def reviews(request: HttpRequest) -> HttpResponse:
    """List reviews with their frozen figures, and offer the form for a new one."""
    return _reviews(request)


@access.page(permission="tracking.hold_review")
@require_POST
def hold_review(request: HttpRequest) -> HttpResponse:
    """Hold a review; one that answers an alert closes it. A refused form keeps what was typed."""
    form = presenters.review_form(request.POST, today=days.day_of(clock.now()))
    if not form["agency"]:
        messages.error(request, _("Choose the agency that is reviewed."))
        return _reviews(request, status=422)
    try:
        services.hold_review(
            actor=request.actor,  # type: ignore[attr-defined]
            agency_id=UUID(form["agency"]),
            period_from=form["period_from"],
            period_to=form["period_to"],
            findings=form["findings"],
            actions=form["actions"],
            alert_id=UUID(form["alert"]) if form["alert"] else None,
            at=clock.now(),
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _reviews(request, status=refusal.status)
    messages.info(request, _("The review is held; its figures are frozen as they were today."))
    return redirect("tracking:reviews")


urlpatterns = [
    path("", index, name="index"),
    path("promises/decide/", decide_promises, name="decide_promises"),
    path("alerts/raise/", raise_alerts, name="raise_alerts"),
    path("alerts/<uuid:alert_id>/close/", close_alert, name="close_alert"),
    path("reviews/", reviews, name="reviews"),
    path("reviews/hold/", hold_review, name="hold_review"),
]
