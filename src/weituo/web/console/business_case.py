"""Business case 必要性: overdue loans and what collecting them costs and brings, in-house beside agencies."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from weituo.domain.evaluation import queries
from weituo.foundation import clock, days
from weituo.web import access
from weituo.web.presenters import business_case as presenters


@access.page(permission="evaluation.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Compare collecting in-house with agencies, by bucket, from booked money."""
    asked = presenters.period(request.GET)
    found = queries.business_case(request.actor, on=days.day_of(clock.now()), **asked)  # type: ignore[attr-defined]
    return render(request, "console/business_case/index.html", presenters.overview(found, asked=asked))


urlpatterns = [path("", index, name="index")]
