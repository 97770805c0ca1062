"""What the lender offers and takes back: answering offers, seeing recall notices, objecting to them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.placement import answers, services, terms
from weituo.foundation import clock
from weituo.foundation.errors import BadInput, Refusal
from weituo.web import access
from weituo.web.agency import frame
from weituo.web.posted import Posted
from weituo.web.presenters import portal_offers as presenters


@access.agency_page(permission="placement.read_own")
@require_safe
def offers(request: HttpRequest) -> HttpResponse:
    """Show the offers that wait for an answer: facts of each case that are not personal."""
    viewer = request.actor  # type: ignore[attr-defined]
    after = request.GET.get("after", "")[:20]
    rows = answers.my_offers(viewer, after=after, limit=presenters.PAGE + 1)
    context = presenters.offers(
        rows, counts=answers.my_counts(viewer), reasons=terms.DECLINE_REASONS, after=after, actor=viewer
    )
    return frame.show(request, "offers.html", context)


@access.agency_page(permission="placement.answer")
@require_POST
def answer(request: HttpRequest) -> HttpResponse:
    """Accept or decline the offers that were chosen, or all that wait."""
    actor, posted, at = request.actor, Posted(request.POST), clock.now()  # type: ignore[attr-defined]
    try:
        refs = posted.texts("case")
        if posted.text("all") == "yes":
            refs = [row["case_ref"] for row in answers.my_offers(actor, limit=services.ANSWERS_MAX)]
        if not refs:
            raise BadInput(problem=_("choose from the list"), where="case")
        if posted.text("decision") == "accept":
            accepted = services.accept_placements(actor=actor, case_refs=refs, at=at)
            messages.info(request, presenters.accepted(accepted.accepted, accepted.withdrawn))
        else:
            n = services.decline_placements(
                actor=actor,
                case_refs=refs,
                reason=posted.text("reason"),
                text=posted.text("text"),
                at=at,
            )
            text = ngettext("%(n)s offer is declined.", "%(n)s offers are declined.", n)
            messages.info(request, text % {"n": f"{n:,}"})
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("agency:offers")


@access.agency_page(permission="placement.read_own")
@require_safe
def recalls(request: HttpRequest) -> HttpResponse:
    """Show the recalls that the lender gave notice of, and what came of objections."""
    viewer, at = request.actor, clock.now()  # type: ignore[attr-defined]
    everything = request.GET.get("all") == "1"
    rows = answers.my_notices(viewer, open_only=not everything)
    context = presenters.recalls(rows, codes=terms.OBJECTIONS, at=at, everything=everything, actor=viewer)
    return frame.show(request, "recalls.html", context)


@access.agency_page(permission="placement.answer")
@require_POST
def objection(request: HttpRequest) -> HttpResponse:
    """Object to the recalls that were chosen."""
    posted = Posted(request.POST)
    try:
        refs = posted.texts("case")
        if not refs:
            raise BadInput(problem=_("choose from the list"), where="case")
        made = services.object_to_recall(
            actor=request.actor,  # type: ignore[attr-defined]
            case_refs=refs,
            code=posted.text("code"),
            text=posted.text("text"),
            evidence_on=posted.day_or_none("evidence_on"),
            evidence_minor=posted.minor("amount") if posted.text("amount") else None,
            at=clock.now(),
        )
        messages.info(request, presenters.objected(made.waiting, made.upheld))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("agency:recalls")
