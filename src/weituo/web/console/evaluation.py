"""Evaluation 评估: league with rank intervals, scorecards, decisions that flow back to the agency."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.evaluation import jobs, queries, services
from weituo.domain.partners.services.standing import TIERS
from weituo.foundation import clock, days
from weituo.foundation.errors import Refusal
from weituo.web import access
from weituo.web.console.jobs import begin
from weituo.web.posted import whole
from weituo.web.presenters import evaluation as presenters

DECISIONS_SHOWN = 20


def _league(request: HttpRequest, *, evaluation_id: UUID | None) -> HttpResponse:
    viewer = request.actor  # type: ignore[attr-defined]
    known = queries.evaluations(viewer)
    wanted = evaluation_id or (known[0]["id"] if known else None)
    return render(
        request,
        "console/evaluation/index.html",
        presenters.index(
            evaluations=known,
            chosen=queries.evaluation(viewer, evaluation_id=wanted) if wanted else None,
            decisions=queries.decisions(viewer)[:DECISIONS_SHOWN],
            form=presenters.period_form(request.GET, today=days.day_of(clock.now())),
            actor=viewer,
        ),
    )


@access.page(permission="evaluation.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the latest evaluation's league, the others, and what was decided."""
    return _league(request, evaluation_id=None)


@access.page(permission="evaluation.read")
@require_safe
def evaluation(request: HttpRequest, evaluation_id: UUID) -> HttpResponse:
    """Show one evaluation's league."""
    return _league(request, evaluation_id=evaluation_id)


@access.page(permission="evaluation.evaluate")
@require_POST
def evaluate(request: HttpRequest) -> HttpResponse:
    """Start comparing all agencies of a period."""
    form = presenters.period_form(request.POST, today=days.day_of(clock.now()))
    period = {name: form[name].isoformat() for name in ("period_from", "period_to")}
    return begin(request, jobs.EVALUATE, period)


def _scorecard(
    request: HttpRequest, scorecard_id: UUID, *, typed: dict[str, str], status: int = 200
) -> HttpResponse:
    viewer = request.actor  # type: ignore[attr-defined]
    card = queries.scorecard(viewer, scorecard_id=scorecard_id)
    return render(
        request,
        "console/evaluation/scorecard.html",
        presenters.scorecard(card, actor=viewer, typed=typed, tiers=TIERS),
        status=status,
    )


@access.page(permission="evaluation.read")
@require_safe
def scorecard(request: HttpRequest, scorecard_id: UUID) -> HttpResponse:
    """Show one agency's scorecard, fit for print, with what would change its verdict."""
    return _scorecard(request, scorecard_id, typed={})


@access.page(permission="evaluation.decide")
@require_POST
def decide(request: HttpRequest, scorecard_id: UUID) -> HttpResponse:
    """Decide on a scorecard; the agency changes in the same act. A refused form keeps what was typed."""
    typed = {name: request.POST.get(name, "") for name in ("decision", "reason", "tier", "capacity")}
    numbers: dict[str, Any] = {
        name: number if (number := whole(typed[name], otherwise=-1, digits_max=8)) >= 0 else None
        for name in ("tier", "capacity")
    }
    try:
        services.decide(
            actor=request.actor,  # type: ignore[attr-defined]
            scorecard_id=scorecard_id,
            decision=typed["decision"],
            reason=typed["reason"],
            at=clock.now(),
            **numbers,
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _scorecard(request, scorecard_id, typed=typed, status=refusal.status)
    messages.info(request, _("The decision stands with its reason, and what it changes holds from now."))
    return redirect("evaluation:scorecard", scorecard_id)


urlpatterns = [
    path("", index, name="index"),
    path("run/", evaluate, name="evaluate"),
    path("<uuid:evaluation_id>/", evaluation, name="evaluation"),
    path("scorecards/<uuid:scorecard_id>/", scorecard, name="scorecard"),
    path("scorecards/<uuid:scorecard_id>/decide/", decide, name="decide"),
]
