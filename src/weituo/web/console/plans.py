"""Plans 计划: what was agreed with each agency against what happens, and the strategies that pick a treatment."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.book import queries as book
from weituo.domain.partners import queries as partners
from weituo.domain.plans import queries, services, treating
from weituo.domain.tracking import queries as tracking
from weituo.foundation import clock, days
from weituo.foundation.errors import Refusal
from weituo.web import access
from weituo.web.posted import Posted
from weituo.web.presenters import plans as presenters
from weituo.web.presenters import strategies as tables


@access.page(permission="plans.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show each agency's plan, the milestones by date, and the strategies."""
    viewer = request.actor  # type: ignore[attr-defined]
    return render(
        request,
        "console/plans/index.html",
        presenters.overview(
            plans=queries.plans(viewer),
            milestones=queries.milestones(viewer),
            strategies_found=queries.strategies(viewer),
            totals=queries.treatment_totals(viewer),
            agencies=partners.agencies(viewer),
            actor=viewer,
            frame=tracking.curves(viewer),
            today=days.day_of(clock.now()),
        ),
    )


@access.page(permission="plans.read")
@require_safe
def agency(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Show one agency's progress against its plan, its versions, and the form for the next one."""
    return _agency(request, agency_id)


def _agency(
    request: HttpRequest, agency_id: UUID, *, typed: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    viewer = request.actor  # type: ignore[attr-defined]
    found = next((one for one in partners.agencies(viewer) if one.id == agency_id), None)
    if found is None:
        raise Http404
    versions = queries.plans(viewer, agency_id=agency_id)
    context = presenters.of_agency(
        found,
        plans=versions,
        newest=queries.plan(viewer, plan_id=versions[0]["id"]) if versions else None,
        milestones=queries.milestones(viewer, agency_id=agency_id),
        frame=tracking.curves(viewer, agency_id=agency_id),
        on=tracking.as_of(viewer),
        actor=viewer,
        today=days.day_of(clock.now()),
        typed=typed,
    )
    return render(request, "console/plans/agency.html", context, status=status)


@access.page(permission="plans.draft")
@require_POST
def draft(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Draw up the next version of an agency's plan."""
    posted = Posted(request.POST)
    try:
        plan_id = services.draft_plan(
            actor=request.actor,  # type: ignore[attr-defined]
            agency_id=agency_id,
            active_from=posted.day("active_from"),
            active_to=posted.day_or_none("active_to"),
            targets=presenters.read_targets(posted),
            milestones=presenters.read_milestones(posted),
            note_text=posted.text("note"),
            at=clock.now(),
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _agency(request, agency_id, typed=posted.typed(), status=refusal.status)
    return redirect("plans:plan", plan_id)


@access.page(permission="plans.read")
@require_safe
def plan(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """Show one version with its targets, milestones, digest and signatures."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.plan(viewer, plan_id=plan_id)
    if found is None:
        raise Http404
    context = presenters.plan(
        found, agencies=partners.agencies(viewer), actor=viewer, today=days.day_of(clock.now())
    )
    return render(request, "console/plans/plan.html", context)


@access.page(permission="plans.sign_lender")
@require_POST
def sign(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """Sign a draft for the lender and offer it to the agency."""
    try:
        services.sign_as_lender(actor=request.actor, plan_id=plan_id, at=clock.now())  # type: ignore[attr-defined]
        messages.info(request, _("Signed. The agency finds the plan in its portal."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("plans:plan", plan_id)


@access.page(permission="plans.draft")
@require_POST
def finish(request: HttpRequest, plan_id: UUID, milestone_id: UUID) -> HttpResponse:
    """Record that a milestone was reached."""
    try:
        services.finish_milestone(actor=request.actor, milestone_id=milestone_id, at=clock.now())  # type: ignore[attr-defined]
        messages.info(request, _("The milestone is reached."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("plans:plan", plan_id)


@access.page(permission="plans.read")
@require_safe
def strategy(request: HttpRequest, strategy_id: UUID) -> HttpResponse:
    """Show one strategy: a draft as a table to edit, any other to read; with ?try=1 what it would do to the book."""
    return _strategy(request, strategy_id, wants_trial=request.GET.get("try") == "1")


def _strategy(
    request: HttpRequest,
    strategy_id: UUID,
    *,
    wants_trial: bool = False,
    typed: list[dict[str, Any]] | None = None,
    status: int = 200,
) -> HttpResponse:
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.strategy(viewer, strategy_id=strategy_id)
    if found is None:
        raise Http404
    context = tables.editor(
        {key: value for key, value in found.items() if key not in {"rows", "row_ids"}},
        typed=typed if typed is not None else [tables.typed_row(row) for row in found["rows"]],
        trial=queries.try_strategy(viewer, rows=found["rows"], at=clock.now())
        if wants_trial and found["rows"]
        else None,
        totals=queries.treatment_totals(viewer) if wants_trial else [],
        products=book.choices(viewer, on=days.day_of(clock.now()))["product"],
        actor=viewer,
    )
    return render(request, "console/plans/strategy.html", context, status=status)


@access.page(permission="plans.edit_strategy")
@require_POST
def new_strategy(request: HttpRequest) -> HttpResponse:
    """Begin a draft: a copy of the strategy named, or the house's first proposal."""
    viewer, source = request.actor, request.POST.get("copy", "")  # type: ignore[attr-defined]
    rows = list(treating.DEFAULT_ROWS)
    if source:
        found = queries.strategy(viewer, strategy_id=UUID(source)) if _is_id(source) else None
        if found is None:
            raise Http404
        rows = found["rows"]
    note = request.POST.get("note", "").strip()
    strategy_id = services.draft_strategy(actor=viewer, rows=rows, note_text=note, at=clock.now())
    return redirect("plans:strategy", strategy_id)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@access.page(permission="plans.edit_strategy")
@require_POST
def save_rows(request: HttpRequest, strategy_id: UUID) -> HttpResponse:
    """Keep the table as it was typed, with a row added, removed or moved where that button was pressed."""
    do = request.POST.get("do", "save")
    typed = tables.changed_order(tables.posted_rows(Posted(request.POST)), do)
    rows, wrong = tables.read_rows(typed)
    if wrong:
        return _strategy(request, strategy_id, typed=typed, status=422)
    try:
        services.save_rows(actor=request.actor, strategy_id=strategy_id, rows=rows, at=clock.now())  # type: ignore[attr-defined]
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _strategy(request, strategy_id, typed=typed, status=refusal.status)
    here = reverse("plans:strategy", args=[strategy_id])
    return redirect(f"{here}?try=1#trial" if do == "try" else f"{here}#rows")


@access.page(permission="plans.publish_strategy")
@require_POST
def publish(request: HttpRequest, strategy_id: UUID) -> HttpResponse:
    """Put a draft in force; the one before retires."""
    try:
        services.publish_strategy(actor=request.actor, strategy_id=strategy_id, at=clock.now())  # type: ignore[attr-defined]
        messages.info(request, _("The strategy is in force. Apply it to give every account its treatment."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("plans:strategy", strategy_id)


@access.page(permission="plans.edit_strategy")
@require_POST
def apply(request: HttpRequest) -> HttpResponse:
    """Give every open account its treatment by the strategy in force."""
    try:
        counts = services.apply_strategy(actor=request.actor, at=clock.now())  # type: ignore[attr-defined]
        parts = _(", ").join(f"{tables.TREATMENTS[code]} {count:,}" for code, count in counts.items())
        words = {"accounts": f"{sum(counts.values()):,}", "parts": parts}
        messages.info(request, _("%(accounts)s accounts have their treatment: %(parts)s.") % words)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("plans:index")


urlpatterns = [
    path("", index, name="index"),
    path("agencies/<uuid:agency_id>/", agency, name="agency"),
    path("agencies/<uuid:agency_id>/draft/", draft, name="draft"),
    path("strategies/new/", new_strategy, name="new_strategy"),
    path("strategies/apply/", apply, name="apply"),
    path("strategies/<uuid:strategy_id>/", strategy, name="strategy"),
    path("strategies/<uuid:strategy_id>/rows/", save_rows, name="save_rows"),
    path("strategies/<uuid:strategy_id>/publish/", publish, name="publish"),
    path("<uuid:plan_id>/", plan, name="plan"),
    path("<uuid:plan_id>/sign/", sign, name="sign"),
    path("<uuid:plan_id>/milestones/<uuid:milestone_id>/done/", finish, name="finish"),
]
