"""Placement 委案: runs, a new run step by step, proof, comparison, approval by a second person, explanation, replay."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from weituo.domain.book import queries as book
from weituo.domain.placement import answers, batches, exclusions, jobs, queries, services
from weituo.foundation import clock
from weituo.foundation.errors import Refusal
from weituo.foundation.tenancy.actors import Actor
from weituo.web import access
from weituo.web.console import answers as answering
from weituo.web.console import placements
from weituo.web.console.jobs import begin
from weituo.web.presenters import left_out as lists
from weituo.web.presenters import placing, runs

TERM_MONTHS = "6"
ZONE = ZoneInfo(settings.TIME_ZONE)


def _today() -> date:
    return clock.now().astimezone(ZONE).date()


@access.page(permission="placement.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List runs and say what waits."""
    viewer = request.actor  # type: ignore[attr-defined]
    active = queries.placements_page(viewer, filters={"state": "ACTIVE"})["total"]
    context = runs.overview(queries.runs(viewer), active=active, actor=viewer)
    context |= {"waiting": answers.overview(viewer, at=clock.now())}
    return render(request, "console/placement/index.html", context)


# --- a new run, step by step -------------------------------------------------------------------------------------------


def _batch(viewer: Actor, given: placing.Asked) -> tuple[dict[str, Any] | None, Refusal | None]:
    """Give what a run of this day would place, or why there is nothing to place."""
    try:
        return batches.batch(viewer, as_of=given.as_of, at=clock.now(), **given.held_out()), None
    except Refusal as refusal:
        return None, refusal


@access.page(permission="placement.solve")
@require_safe
def batch(request: HttpRequest) -> HttpResponse:
    """Show which accounts can be placed and which are left out, by reason."""
    given = placing.asked(request.GET, today=_today())
    found, refusal = _batch(request.actor, given)  # type: ignore[attr-defined]
    return render(request, "console/placement/batch.html", placing.batch(found, given=given, refusal=refusal))


@access.page(permission="placement.solve")
@require_safe
def would_leave_out(request: HttpRequest) -> HttpResponse:
    """List the accounts that a run of this day would leave out, each with all its reasons."""
    given, (reason, page) = placing.asked(request.GET, today=_today()), lists.page_of(request.GET)
    found, refused = None, None
    try:
        found = exclusions.would_leave_out(
            request.actor,  # type: ignore[attr-defined]
            as_of=given.as_of,
            at=clock.now(),
            reason=reason,
            page=page,
        )
    except Refusal as refusal:
        refused = refusal
    context = lists.before_solving(found, given=given, reason=reason, refusal=refused)
    return render(request, "console/placement/would_leave_out.html", context)


@access.page(permission="placement.solve")
@require_safe
def value(request: HttpRequest) -> HttpResponse:
    """Show which model values the accounts, what it expects, and what things cost."""
    given = placing.asked(request.GET, today=_today())
    found, refusal = _batch(request.actor, given)  # type: ignore[attr-defined]
    return render(request, "console/placement/value.html", placing.value(found, given=given, refusal=refusal))


def _limits(request: HttpRequest, given: placing.Asked, *, problem: str = "") -> HttpResponse:
    viewer = request.actor  # type: ignore[attr-defined]
    found, refusal = _batch(viewer, given)
    context = placing.limits(
        found,
        panel=batches.panel(viewer, on=given.as_of),
        given=given,
        typed=request.POST if request.method == "POST" else request.GET,
        refusal=refusal,
        problem=problem,
    )
    return render(request, "console/placement/limits.html", context, status=400 if problem else 200)


@access.page(permission="placement.solve")
@require_safe
def limits(request: HttpRequest) -> HttpResponse:
    """Show each agency's limits, and let them be tightened."""
    return _limits(request, placing.asked(request.GET, today=_today()))


@access.page(permission="placement.solve")
@require_POST
def solve(request: HttpRequest) -> HttpResponse:
    """Start solving a run; limits that make no sense are shown again as they were typed."""
    viewer, given = request.actor, placing.asked(request.POST, today=_today())  # type: ignore[attr-defined]
    try:
        order = placing.ordered(given, request.POST, panel=batches.panel(viewer, on=given.as_of))
    except Refusal as refusal:
        return _limits(request, given, problem=str(refusal))
    return begin(request, jobs.SOLVE, order | {"as_of": given.as_of.isoformat()})


# --- one run -----------------------------------------------------------------------------------------------------------


@access.page(permission="placement.read")
@require_safe
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show a run's certificate, its agencies, and the price of each limit."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.run(viewer, run_id=run_id)
    return render(request, "console/placement/run.html", runs.certificate(found, actor=viewer))


@access.page(permission="placement.read")
@require_safe
def left_out(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """List the accounts that a run left out, each with all its reasons."""
    viewer, (reason, page) = request.actor, lists.page_of(request.GET)  # type: ignore[attr-defined]
    found = queries.run(viewer, run_id=run_id)
    rows = exclusions.left_out_page(viewer, run_id=run_id, reason=reason, page=page)
    context = runs.head(found, "solve") | lists.listing(rows, reason=reason, base="") | {"reason": reason}
    return render(request, "console/placement/left_out.html", context)


@access.page(permission="placement.read")
@require_safe
def left_out_file(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """Send the list of accounts left out as CSV, however long it is."""
    viewer, (reason, _page) = request.actor, lists.page_of(request.GET)  # type: ignore[attr-defined]
    found = queries.run(viewer, run_id=run_id)
    blocks = exclusions.left_out_blocks(viewer, run_id=run_id, reason=reason)
    answer = StreamingHttpResponse(lists.lines(blocks), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="left-out-{found["number"]}.csv"'
    return answer


@access.page(permission="placement.read")
@require_safe
def compare(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Lay a run beside today's rules."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.run(viewer, run_id=run_id)
    before = [
        row for row in queries.runs(viewer) if row["state"] == "APPROVED" and row["number"] < found["number"]
    ]
    earlier = max(before, key=lambda row: int(row["number"]), default=None)
    return render(
        request, "console/placement/compare.html", runs.compare(found, earlier=earlier, actor=viewer)
    )


@access.page(permission="placement.propose")
@require_POST
def propose(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Ask a second person to decide."""
    try:
        services.propose_run(actor=request.actor, run_id=run_id, at=clock.now())  # type: ignore[attr-defined]
        messages.info(request, _("The run is proposed; a second person decides."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("placement:approve", run_id)


@access.page(permission="placement.read")
@require_http_methods(["GET", "HEAD", "POST"])
def approve(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show what approval would do; a POST decides as the second person."""
    viewer = request.actor  # type: ignore[attr-defined]
    typed, problem = {"reason": "", "term_months": TERM_MONTHS}, ""
    if request.method == "POST":
        typed = {key: request.POST.get(key, "").strip() for key in typed}
        try:
            placed = services.decide_run(
                actor=viewer,
                run_id=run_id,
                approved=request.POST.get("decision") == "approve",
                reason=typed["reason"],
                at=clock.now(),
                term_months=int(typed["term_months"] or TERM_MONTHS),
            )
        except ValueError:
            problem = _("Give the term in whole months.")
        except Refusal as refusal:
            problem = str(refusal)
        else:
            _tell(request, placed)
            return redirect("placement:approve", run_id)
    found = queries.run(viewer, run_id=run_id)
    context = runs.approve(found, actor=viewer, typed=typed, problem=problem)
    return render(request, "console/placement/approve.html", context, status=400 if problem else 200)


def _tell(request: HttpRequest, placed: int) -> None:
    if request.POST.get("decision") == "approve":
        text = ngettext(
            "%(n)s account is placed or offered.", "%(n)s accounts are placed or offered.", placed
        )
        messages.info(request, text % {"n": f"{placed:,}"})
    else:
        messages.info(request, _("The run is rejected; nothing was placed."))


@access.page(permission="placement.read")
@require_safe
def accounts(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """List where each account of a run goes."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.run(viewer, run_id=run_id)
    items = queries.run_items_frame(viewer, run_id=run_id)
    context = runs.accounts(found, items, query=request.GET)
    numbers = book.numbers(viewer, account_ids=[row["account_id"] for row in context["rows"]])
    context["rows"] = [row | {"number": numbers.get(row["account_id"], "")} for row in context["rows"]]
    return render(request, "console/placement/accounts.html", context)


@access.page(permission="placement.read")
@require_safe
def account(request: HttpRequest, run_id: UUID, account_id: UUID) -> HttpResponse:
    """Explain why one account went where it went."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.run(viewer, run_id=run_id)
    why = queries.explain(viewer, run_id=run_id, account_id=account_id)
    number = book.numbers(viewer, account_ids=[account_id]).get(str(account_id), "")
    return render(request, "console/placement/account.html", runs.explain(found, why) | {"number": number})


@access.page(permission="placement.read")
@require_safe
def replay(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Solve a run again from what was kept and compare; nothing is written."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.run(viewer, run_id=run_id)
    again = queries.replay(viewer, run_id=run_id)
    return render(request, "console/placement/replay.html", runs.replay(found, again))


urlpatterns = [
    path("", index, name="index"),
    path("new/batch/", batch, name="batch"),
    path("new/batch/left-out/", would_leave_out, name="would_leave_out"),
    path("new/value/", value, name="value"),
    path("new/limits/", limits, name="limits"),
    path("new/solve/", solve, name="solve"),
    path("runs/<uuid:run_id>/", run, name="run"),
    path("runs/<uuid:run_id>/left-out/", left_out, name="left_out"),
    path("runs/<uuid:run_id>/left-out/file/", left_out_file, name="left_out_file"),
    path("runs/<uuid:run_id>/compare/", compare, name="compare"),
    path("runs/<uuid:run_id>/propose/", propose, name="propose"),
    path("runs/<uuid:run_id>/approve/", approve, name="approve"),
    path("runs/<uuid:run_id>/accounts/", accounts, name="accounts"),
    path("runs/<uuid:run_id>/accounts/<uuid:account_id>/", account, name="account"),
    path("runs/<uuid:run_id>/replay/", replay, name="replay"),
    *placements.urlpatterns,
    *answering.urlpatterns,
]
