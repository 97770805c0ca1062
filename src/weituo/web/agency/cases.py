"""The agency's cases: what may be done now and why, asking a permit, reporting attempts and promises."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.contact import queries as contact
from weituo.domain.contact import services as gate
from weituo.domain.contact import worklist as own
from weituo.domain.placement import answers
from weituo.domain.sharing import services as sharing
from weituo.domain.tracking import services as tracking
from weituo.domain.tracking import worklist as promises_of
from weituo.foundation import clock
from weituo.foundation.errors import BadInput, Refusal
from weituo.foundation.tenancy.actors import Actor
from weituo.web import access
from weituo.web.agency import frame
from weituo.web.posted import Posted
from weituo.web.presenters import portal as presenters
from weituo.web.presenters.placement_words import happened


@access.agency_page(permission="contact.read_own")
@require_safe
def worklist(request: HttpRequest) -> HttpResponse:
    """Show the cases, each with what may be done now and why."""
    viewer, at = request.actor, clock.now()  # type: ignore[attr-defined]
    asked = presenters.asked(request.GET)
    if asked.ref:
        return redirect("agency:case", asked.ref)
    rows = contact.my_cases(viewer, at=at, state=asked.state, after=asked.after, limit=presenters.PAGE + 1)
    latest = own.latest_permits(viewer, case_refs=[row["case_ref"] for row in rows])
    return frame.show(request, "cases.html", presenters.worklist(rows, latest=latest, asked=asked, at=at))


@access.agency_page(permission="contact.read_own")
@require_safe
def case(request: HttpRequest, case_ref: str) -> HttpResponse:
    """Show one case: what may be done, what was done, and the forms for both."""
    return _case(request, case_ref=case_ref, disclosed=None)


@access.agency_page(permission="sharing.open_case")
@require_POST
@never_cache
def facts(request: HttpRequest, case_ref: str) -> HttpResponse:
    """Open the facts that the agreement allows; the opening is logged, so it is an act and not a page."""
    try:
        disclosed = sharing.disclose_case(actor=request.actor, case_ref=case_ref, at=clock.now())  # type: ignore[attr-defined]
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("agency:case", case_ref)
    return _case(request, case_ref=case_ref, disclosed=disclosed)


def _case(request: HttpRequest, *, case_ref: str, disclosed: dict[str, object] | None) -> HttpResponse:
    viewer, at = request.actor, clock.now()  # type: ignore[attr-defined]
    row = contact.my_case(viewer, case_ref=case_ref, at=at)
    agency = frame.agency_of(request, at=at)
    return frame.show(
        request,
        "case.html",
        presenters.case(
            row,
            permits=own.permits(viewer, case_ref=case_ref),
            attempts=own.attempts(viewer, case_ref=case_ref),
            promises=promises_of.promises(viewer, case_ref=case_ref),
            collectors=agency["collectors"],
            disclosed=disclosed,
            actor=viewer,
            at=at,
            form_key=uuid4().hex,
        )
        | {"life": _life(viewer, case_ref)},
        agency=agency,
    )


def _life(viewer: Actor, case_ref: str) -> list[dict[str, Any]]:
    """Give what happened to the case between lender and agency, to those who answer for the agency."""
    if not viewer.may("placement.read_own"):
        return []
    return [happened(row) for row in answers.my_history(viewer, case_ref=case_ref)]


def _point(form: Posted) -> tuple[UUID, str]:
    """Give the contact point and the channel of the one field “how” (point|channel)."""
    point, _bar, channel = form.needed("how").partition("|")
    try:
        return UUID(point), channel
    except ValueError as wrong:
        raise BadInput(problem=_("choose from the list"), where="how") from wrong


def _instant(form: Posted, key: str, *, default: datetime) -> datetime:
    """Give an instant typed on the wall of the lender's zone; an empty field means now."""
    if not form.text(key):
        return default
    try:
        typed = datetime.fromisoformat(form.text(key))
    except ValueError as wrong:
        raise BadInput(problem=_("a day and a time are needed"), where=key) from wrong
    return typed if typed.tzinfo else timezone.make_aware(typed)


@access.agency_page(permission="contact.ask_permit")
@require_POST
def permit(request: HttpRequest, case_ref: str) -> HttpResponse:
    """Ask leave for one contact; the answer stands on the case's page."""
    at = clock.now()
    try:
        form = Posted(request.POST)
        point, channel = _point(form)
        gate.ask_permits(
            actor=request.actor,  # type: ignore[attr-defined]
            requests=[
                gate.PermitRequest(
                    case_ref=case_ref,
                    badge=form.needed("badge"),
                    contact_point_id=point,
                    channel=channel,
                    purpose=form.needed("purpose"),
                    planned_at=_instant(form, "planned_at", default=at),
                )
            ],
            at=at,
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("agency:case", case_ref)


@access.agency_page(permission="contact.log_attempt")
@require_POST
def attempt(request: HttpRequest, case_ref: str) -> HttpResponse:
    """Report one contact; what was done without leave is said at once."""
    at = clock.now()
    try:
        form = Posted(request.POST)
        point, channel = _point(form)
        used = form.ids("permit") if form.text("permit") else []
        [answer] = gate.log_attempts(
            actor=request.actor,  # type: ignore[attr-defined]
            attempts=[
                gate.AttemptReport(
                    sender_ref=f"portal-{form.needed('key')}"[:64],
                    case_ref=case_ref,
                    contact_point_id=point,
                    channel=channel,
                    made_at=_instant(form, "made_at", default=at),
                    result=form.needed("result"),
                    permit_id=used[0] if used else None,
                    duration_s=60 * form.count("minutes") if form.text("minutes") else 0,
                )
            ],
            at=at,
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("agency:case", case_ref)
    if answer.violations:
        messages.error(request, presenters.found_against(answer.violations))
    else:
        messages.info(request, _("The contact is reported."))
    return redirect("agency:case", case_ref)


@access.agency_page(permission="tracking.record_promise")
@require_POST
def promise(request: HttpRequest, case_ref: str) -> HttpResponse:
    """Record a promise; booked money decides later whether it was kept."""
    at = clock.now()
    try:
        form = Posted(request.POST)
        tracking.record_promises(
            actor=request.actor,  # type: ignore[attr-defined]
            promises=[
                tracking.PromiseReport(
                    sender_ref=f"portal-{form.needed('key')}"[:64],
                    case_ref=case_ref,
                    amount_minor=form.minor("amount"),
                    currency=form.needed("currency"),
                    made_at=at,
                    due_on=form.day("due_on"),
                )
            ],
            at=at,
        )
        messages.info(request, _("The promise is recorded. Booked money decides whether it is kept."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("agency:case", case_ref)
