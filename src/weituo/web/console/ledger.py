"""Money 资金: trial balance, bank lines, remittances, settlement statements."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.ledger import queries, services
from weituo.domain.partners import queries as partners
from weituo.foundation import clock
from weituo.foundation.errors import Refusal
from weituo.web import access, posted
from weituo.web.presenters import ledger as presenters


@access.page(permission="ledger.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show what stands in the books and whether it balances."""
    viewer = request.actor  # type: ignore[attr-defined]
    agencies = partners.agencies(viewer)
    return render(
        request,
        "console/ledger/index.html",
        presenters.overview(
            balances=queries.trial_balance(viewer),
            statements=queries.statements(viewer),
            remittances=queries.remittances(viewer, limit=50),
            bank_lines=queries.bank_inbox(viewer, limit=50),
            agencies=agencies,
            actor=viewer,
            today=clock.now().date(),
        ),
    )


@access.page(permission="ledger.read")
@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """Recompute everything from entries and show the differences."""
    viewer = request.actor  # type: ignore[attr-defined]
    return render(request, "console/ledger/check.html", presenters.check(queries.check(viewer)))


@access.page(permission="ledger.read")
@require_safe
def entries(request: HttpRequest) -> HttpResponse:
    """Show the latest entries with their legs."""
    viewer = request.actor  # type: ignore[attr-defined]
    return render(
        request,
        "console/ledger/entries.html",
        {
            "entries": presenters.entries(
                queries.entries(viewer, limit=50), agencies=partners.agencies(viewer)
            )
        },
    )


@access.page(permission="ledger.read")
@require_safe
def statement(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Show one statement with the derivation of every line."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.statements(viewer, statement_id=statement_id)
    if not found:
        raise Http404
    return render(
        request,
        "console/ledger/statement.html",
        presenters.statement(
            found[0],
            lines=queries.statement_lines(viewer, statement_id=statement_id),
            agencies=partners.agencies(viewer),
            actor=viewer,
        ),
    )


@access.page(permission="ledger.read")
@require_safe
def payments(request: HttpRequest) -> HttpResponse:
    """Show booked payments with what each paid and the commission on it."""
    viewer = request.actor  # type: ignore[attr-defined]
    agencies = partners.agencies(viewer)
    asked = presenters.asked_payments(request.GET, agencies=agencies)
    found = queries.payments_page(viewer, agency_id=asked["agency"], page=asked["page"])
    return render(
        request,
        "console/ledger/payments.html",
        presenters.payments(found, agencies=agencies, asked=asked),
    )


@access.page(permission="ledger.read")
@require_safe
def line(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Show how one commission came about, computed anew from the payment."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.commission_line(viewer, line_id=line_id)
    if found is None:
        raise Http404
    return render(
        request,
        "console/ledger/line.html",
        presenters.line(
            found,
            legs=queries.entry_legs(viewer, entry_id=found["entry_id"]),
            agencies=partners.agencies(viewer),
            actor=viewer,
        ),
    )


@access.page(permission="ledger.book_payments")
@require_POST
def reverse(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Reverse a payment: the account owes again and the commission is clawed back."""
    viewer, reason = request.actor, request.POST.get("reason", "").strip()  # type: ignore[attr-defined]
    found = queries.commission_line(viewer, line_id=line_id)
    if found is None:
        raise Http404
    if not reason:
        messages.error(request, _("Say why the payment is reversed."))
        return redirect("ledger:line", line_id)
    try:
        services.reverse_payment(actor=viewer, payment_id=found["payment_id"], reason=reason, at=clock.now())
        messages.info(request, _("The payment is reversed and its commission clawed back."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("ledger:line", line_id)


@access.page(permission="ledger.draw_statement")
@require_POST
def draw(request: HttpRequest) -> HttpResponse:
    """Draw up a statement."""
    try:
        statement_id = services.draw_statement(
            actor=request.actor,  # type: ignore[attr-defined]
            agency_id=UUID(request.POST.get("agency", "")),
            period_from=posted.day_within_reach(request.POST.get("period_from", "")),
            period_to=posted.day_within_reach(request.POST.get("period_to", "")),
            at=clock.now(),
        )
    except ValueError:
        messages.error(request, _("Choose an agency and two days."))
        return redirect("ledger:index")
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("ledger:index")
    return redirect("ledger:statement", statement_id)


@access.page(permission="ledger.approve_statement")
@require_POST
def approve(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Approve a statement as a second person and pay it out."""
    try:
        services.approve_statement(actor=request.actor, statement_id=statement_id, at=clock.now())  # type: ignore[attr-defined]
        messages.info(request, _("The statement is approved and its commission booked as paid."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("ledger:statement", statement_id)


@access.page(permission="ledger.book_payments")
@require_POST
def book(request: HttpRequest) -> HttpResponse:
    """Book remittances whose bank lines have arrived."""
    try:
        booked = services.book_remittances(actor=request.actor, at=clock.now())  # type: ignore[attr-defined]
        text = ngettext("%(count)s payment was booked.", "%(count)s payments were booked.", booked)
        messages.info(request, text % {"count": booked})
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("ledger:index")


urlpatterns = [
    path("", index, name="index"),
    path("check/", check, name="check"),
    path("entries/", entries, name="entries"),
    path("book/", book, name="book"),
    path("payments/", payments, name="payments"),
    path("lines/<uuid:line_id>/", line, name="line"),
    path("lines/<uuid:line_id>/reverse/", reverse, name="reverse"),
    path("statements/draw/", draw, name="draw"),
    path("statements/<uuid:statement_id>/", statement, name="statement"),
    path("statements/<uuid:statement_id>/approve/", approve, name="approve"),
]
