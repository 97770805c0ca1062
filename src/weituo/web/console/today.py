"""Today 今日: what needs me, by clock; money placed, recovered and expected; what happened since yesterday."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from weituo.domain.book import queries as book
from weituo.domain.care import queries as care
from weituo.domain.contact import queries as contact
from weituo.domain.ledger import queries as ledger
from weituo.domain.partners import queries as partners
from weituo.domain.placement import answers
from weituo.domain.placement import queries as placement
from weituo.domain.plans import queries as plans
from weituo.domain.tracking import queries as tracking
from weituo.foundation import clock
from weituo.web import access
from weituo.web.presenters import today as presenters


@access.page(permission="book.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the desk of whoever looks: their decisions first, then what waits for colleagues, then the money."""
    viewer, at = request.actor, clock.now()  # type: ignore[attr-defined]
    today = at.astimezone(timezone.get_current_timezone()).date()
    since = at - timedelta(days=1)
    waiting = presenters.Waiting(
        violations=contact.violations(viewer, open_only=True),
        cases=care.cases(viewer, state="OPEN"),
        alerts=tracking.alerts(viewer, open_only=True),
        proposals=partners.open_proposals(viewer),
        runs=placement.runs(viewer),
        answers=answers.answers_of_runs(viewer),
        objections=answers.notices(viewer),
        due=answers.overview(viewer, at=at),
        statements=ledger.statements(viewer),
        plans=plans.plans(viewer),
        papers=tracking.papers_expiring(
            viewer, on=today, before=today + timedelta(days=presenters.PAPER_DAYS)
        ),
    )
    money = presenters.Money(
        buckets=book.buckets(viewer, on=today),
        placements=placement.placements_frame(viewer),
        payments=ledger.payments_frame(viewer),
        curves=tracking.curves(viewer, resamples=0),
    )
    day = presenters.Day(
        permits=contact.permits_by_state(viewer, since=since, until=at),
        cases=care.cases_frame(viewer),
        since=since,
        at=at,
        today=today,
    )
    return render(
        request,
        "console/today/index.html",
        presenters.desk(
            waiting=waiting, money=money, day=day, agencies=partners.agencies(viewer), actor=viewer
        ),
    )


urlpatterns = [path("", index, name="index")]
