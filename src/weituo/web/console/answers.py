"""What follows an approval: offers and their refills, recall notices and objections, extensions, and the lender's terms."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from weituo.domain.book import queries as book
from weituo.domain.placement import answers, jobs, queries, services, terms
from weituo.domain.placement.services.offering import months_later
from weituo.foundation import clock, days
from weituo.foundation.errors import BadInput, Refusal
from weituo.foundation.identity import staffing
from weituo.web import access
from weituo.web.console.jobs import begin
from weituo.web.posted import Posted
from weituo.web.presenters import answers as presenters


@access.page(permission="placement.read")
@require_safe
def offers(request: HttpRequest) -> HttpResponse:
    """Show how agencies answered what they were offered, and what came back."""
    viewer = request.actor  # type: ignore[attr-defined]
    context = presenters.offers(
        answers.answers_of_runs(viewer),
        answers.declines(viewer),
        counts=answers.overview(viewer, at=clock.now()),
        actor=viewer,
    )
    return render(request, "console/placement/offers.html", context)


@access.page(permission="placement.refill")
@require_POST
def lapse(request: HttpRequest) -> HttpResponse:
    """Start ending the offers that were not answered in time."""
    return begin(request, jobs.LAPSE, {})


@access.page(permission="placement.refill")
@require_POST
def refill(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Start placing a run's declined and unanswered accounts again."""
    return begin(request, jobs.REFILL, {"run_id": str(run_id)})


@access.page(permission="placement.read")
@require_safe
def refills(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """List where a run's declined and unanswered accounts went."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.run(viewer, run_id=run_id)
    rows = answers.refills(viewer, run_id=run_id)
    context = presenters.refills(
        found,
        rows,
        answers.refill_totals(viewer, run_id=run_id),
        numbers=book.numbers(viewer, account_ids=[row["account_id"] for row in rows]),
    )
    return render(request, "console/placement/refills.html", context)


# --- recalls -----------------------------------------------------------------------------------------------------------


def _recalls(request: HttpRequest, *, typed: dict[str, Any], problem: str = "") -> HttpResponse:
    viewer, at = request.actor, clock.now()  # type: ignore[attr-defined]
    everything = request.GET.get("all") == "1"
    context = presenters.recalls(
        answers.notices(viewer, open_only=not everything),
        counts=answers.overview(viewer, at=at),
        actor=viewer,
        today=days.day_of(at),
        typed=typed,
        everything=everything,
        problem=problem,
    )
    return render(request, "console/placement/recalls.html", context, status=400 if problem else 200)


@access.page(permission="placement.read")
@require_safe
def recalls(request: HttpRequest) -> HttpResponse:
    """Show recall notices; objections to decide stand first."""
    return _recalls(request, typed={})


@access.page(permission="placement.recall")
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Decide the objections that were chosen."""
    posted = Posted(request.POST)
    try:
        chosen = posted.ids("objection")
        if not chosen:
            raise BadInput(problem=_("choose from the list"), where="objection")
        upheld = posted.text("decision") == "uphold"
        decided = services.decide_objections(
            actor=request.actor,  # type: ignore[attr-defined]
            objection_ids=chosen,
            upheld=upheld,
            reason=posted.text("reason"),
            until=posted.day_or_none("until"),
            at=clock.now(),
        )
    except Refusal as refusal:
        return _recalls(request, typed=posted.typed(), problem=str(refusal))
    text = ngettext("%(n)s objection is decided.", "%(n)s objections are decided.", decided)
    messages.info(request, text % {"n": f"{decided:,}"})
    return redirect("placement:recalls")


@access.page(permission="placement.recall")
@require_POST
def withdraw(request: HttpRequest) -> HttpResponse:
    """Take back the notices that were chosen: the placements stay."""
    posted = Posted(request.POST)
    try:
        chosen = posted.ids("placement")
        if not chosen:
            raise BadInput(problem=_("choose from the list"), where="placement")
        done = services.withdraw_notice(
            actor=request.actor,  # type: ignore[attr-defined]
            placement_ids=chosen,
            reason=posted.text("reason"),
            at=clock.now(),
        )
    except Refusal as refusal:
        return _recalls(request, typed=posted.typed(), problem=str(refusal))
    text = ngettext("%(n)s notice is withdrawn.", "%(n)s notices are withdrawn.", done)
    messages.info(request, text % {"n": f"{done:,}"})
    return redirect("placement:recalls")


@access.page(permission="placement.recall")
@require_POST
def finalise(request: HttpRequest) -> HttpResponse:
    """Start making the recalls final whose day has come."""
    return begin(request, jobs.FINALISE, {})


# --- retention and terms -----------------------------------------------------------------------------------------------


@access.page(permission="placement.retain")
@require_http_methods(["GET", "HEAD", "POST"])
def retain(request: HttpRequest, placement_id: UUID) -> HttpResponse:
    """Extend a placement's term to a later day."""
    viewer, posted, problem = request.actor, Posted(request.POST), ""  # type: ignore[attr-defined]
    row = queries.placement(viewer, placement_id=placement_id)
    if request.method == "POST":
        try:
            services.retain(
                actor=viewer, placement_ids=[placement_id], term_to=posted.day("term_to"), reason=posted.text("reason"), at=clock.now()
            )  # fmt: skip
        except Refusal as refusal:
            problem = str(refusal)
        else:
            messages.info(request, _("The term is extended."))
            return redirect("placement:placement", placement_id)
    lender = terms.current(viewer)
    context = presenters.retain(
        row,
        in_force=lender,
        latest=months_later(row["term_to"], lender.retention_months_max),
        typed={"term_to": posted.text("term_to"), "reason": posted.text("reason")},
        problem=problem,
    )
    return render(request, "console/placement/retain.html", context, status=400 if problem else 200)


@access.page(permission="placement.read")
@require_http_methods(["GET", "HEAD", "POST"])
def set_terms(request: HttpRequest) -> HttpResponse:
    """Show the terms for answers, recalls and retention; a POST puts new ones in force."""
    viewer, posted, problem = request.actor, Posted(request.POST), ""  # type: ignore[attr-defined]
    if request.method == "POST":
        try:
            services.set_terms(
                actor=viewer,
                answer_days=posted.count("answer_days"),
                notice_days=posted.count("notice_days"),
                retention_times_max=posted.count("retention_times_max"),
                retention_months_max=posted.count("retention_months_max"),
                upheld_days={
                    code: posted.count(f"upheld_{code}")
                    for code in terms.OBJECTIONS
                    if posted.text(f"upheld_{code}")
                },
                reason=posted.text("reason"),
                at=clock.now(),
            )
        except Refusal as refusal:
            problem = str(refusal)
        else:
            messages.info(request, _("The new terms are in force. What was told before stays."))
            return redirect("placement:terms")
    context = presenters.terms(
        terms.current(viewer),
        terms.versions(viewer),
        codes=terms.OBJECTIONS,
        people=staffing.names(viewer),
        actor=viewer,
        typed=posted.typed() if request.method == "POST" else {},
        problem=problem,
    )
    return render(request, "console/placement/terms.html", context, status=400 if problem else 200)


def earliest_final(viewer: Any) -> date:
    """Give the earliest day on which a recall that is told now may be final."""
    return answers.earliest_final(notice_days=terms.current(viewer).notice_days, at=clock.now())


urlpatterns = [
    path("offers/", offers, name="offers"),
    path("offers/lapse/", lapse, name="lapse"),
    path("runs/<uuid:run_id>/refill/", refill, name="refill"),
    path("runs/<uuid:run_id>/refills/", refills, name="refills"),
    path("recalls/", recalls, name="recalls"),
    path("recalls/decide/", decide, name="decide_objections"),
    path("recalls/withdraw/", withdraw, name="withdraw_notice"),
    path("recalls/final/", finalise, name="finalise"),
    path("placements/<uuid:placement_id>/retain/", retain, name="retain"),
    path("terms/", set_terms, name="terms"),
]
