"""The agency's desk: how it stands and what comes next, promises, statements, plan, packages."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.contact import worklist as own
from weituo.domain.ledger import queries as ledger
from weituo.domain.ledger import services as settlement
from weituo.domain.placement import answers
from weituo.domain.plans import queries as plans
from weituo.domain.plans import services as planning
from weituo.domain.sharing import queries as sharing
from weituo.domain.sharing import services as handing
from weituo.domain.tracking import worklist as promises_of
from weituo.foundation import clock
from weituo.foundation.errors import Refusal
from weituo.web import access
from weituo.web.agency import frame
from weituo.web.posted import Posted
from weituo.web.presenters import portal_desk as presenters


@access.agency_page(permission="contact.read_own")
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Show how the agency stands and what comes next."""
    viewer, at = request.actor, clock.now()  # type: ignore[attr-defined]
    agency = frame.agency_of(request, at=at)
    context = presenters.start(
        agency=agency,
        violations=own.violations(viewer),
        statements=ledger.statements(viewer),
        plans=plans.plans(viewer),
        packages=sharing.packages(viewer),
        destructions=sharing.destructions(viewer),
        promises=promises_of.promises(viewer),
        answers=answers.my_counts(viewer) if viewer.may("placement.read_own") else None,
        actor=viewer,
        at=at,
        today=at.astimezone(timezone.get_current_timezone()).date(),
    )
    return frame.show(request, "start.html", context, agency=agency)


@access.agency_page(permission="tracking.read_own")
@require_safe
def promises(request: HttpRequest) -> HttpResponse:
    """Show the promises, those due first on top."""
    viewer, at = request.actor, clock.now()  # type: ignore[attr-defined]
    today = at.astimezone(timezone.get_current_timezone()).date()
    return frame.show(
        request, "promises.html", presenters.promises(promises_of.promises(viewer), today=today)
    )


@access.agency_page(permission="ledger.read_own")
@require_safe
def statements(request: HttpRequest) -> HttpResponse:
    """Show the settlement statements."""
    viewer = request.actor  # type: ignore[attr-defined]
    return frame.show(
        request, "statements.html", presenters.statements(ledger.statements(viewer), actor=viewer)
    )


@access.agency_page(permission="ledger.read_own")
@require_safe
def statement(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Show one statement, every line with its derivation."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = ledger.statements(viewer, statement_id=statement_id)
    if not found:
        raise Http404
    lines = ledger.statement_lines(viewer, statement_id=statement_id)
    return frame.show(request, "statement.html", presenters.statement(found[0], lines=lines, actor=viewer))


@access.agency_page(permission="ledger.agree_statement")
@require_POST
def agree(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Agree to a statement."""
    try:
        settlement.agree_statement(actor=request.actor, statement_id=statement_id, at=clock.now())  # type: ignore[attr-defined]
        messages.info(request, _("You agreed. The lender approves it next and pays."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("agency:statement", statement_id)


@access.agency_page(permission="plans.read_own")
@require_safe
def plan(request: HttpRequest) -> HttpResponse:
    """Show the plan that waits or is in force: targets by months, milestones, signatures."""
    viewer = request.actor  # type: ignore[attr-defined]
    rows = plans.plans(viewer)
    chosen = presenters.chosen_plan(rows)
    whole = plans.plan(viewer, plan_id=chosen["id"]) if chosen else None
    return frame.show(request, "plan.html", presenters.plan(whole, versions=rows, actor=viewer))


@access.agency_page(permission="plans.sign_agency")
@require_POST
def sign(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """Sign the plan that was read: its digest comes with the form."""
    try:
        planning.sign_as_agency(
            actor=request.actor,  # type: ignore[attr-defined]
            plan_id=plan_id,
            digest=Posted(request.POST).needed("digest"),
            at=clock.now(),
        )
        messages.info(request, _("The plan is signed by both sides and in force."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("agency:plan")


@access.agency_page(permission="sharing.read_own")
@require_safe
def packages(request: HttpRequest) -> HttpResponse:
    """Show the packages, the key they are sealed to, and what must be destroyed."""
    viewer = request.actor  # type: ignore[attr-defined]
    context = presenters.packages(
        sharing.packages(viewer),
        destructions=sharing.destructions(viewer),
        recipients=sharing.recipients(viewer),
        actor=viewer,
    )
    return frame.show(request, "packages.html", context)


@access.agency_page(permission="sharing.collect")
@require_POST
def package_file(request: HttpRequest, package_id: UUID) -> HttpResponse | FileResponse:
    """Hand the sealed file over; every collection is logged."""
    try:
        found = handing.hand_over(actor=request.actor, package_id=package_id, at=clock.now())  # type: ignore[attr-defined]
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("agency:packages")
    return FileResponse(found.open("rb"), as_attachment=True, filename=f"{package_id}.age")


@access.agency_page(permission="sharing.acknowledge")
@require_POST
def acknowledge(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """Confirm that the file arrived whole."""
    try:
        form = Posted(request.POST)
        handing.acknowledge_package(
            actor=request.actor,  # type: ignore[attr-defined]
            package_id=package_id,
            digest=form.needed("digest"),
            cases=form.count("cases"),
            balance_minor=form.minor("balance"),
            at=clock.now(),
        )
        messages.info(request, _("The package is confirmed: file, cases and balance agree."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("agency:packages")


@access.agency_page(permission="sharing.confirm_destruction")
@require_POST
def destroyed(request: HttpRequest, destruction_id: UUID) -> HttpResponse:
    """Confirm that every copy of the cases taken back is destroyed."""
    try:
        handing.confirm_destruction(
            actor=request.actor,  # type: ignore[attr-defined]
            destruction_id=destruction_id,
            cases=Posted(request.POST).count("cases"),
            at=clock.now(),
        )
        messages.info(request, _("The destruction is confirmed; the lender sees it."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("agency:packages")
