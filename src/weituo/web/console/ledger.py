"""Money 资金: what waits, settlement statements, bank lines, remittances, payments, trial balance: each on its own page."""

from __future__ import annotations

from collections.abc import Mapping
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
from weituo.foundation import clock, days
from weituo.foundation.errors import Refusal
from weituo.web import access, posted
from weituo.web.presenters import ledger as presenters
from weituo.web.presenters import ledger_lists as lists

ENTRIES_SHOWN = 20


@access.page(permission="ledger.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show what stands in the books, whether it balances, and what waits."""
    viewer = request.actor  # type: ignore[attr-defined]
    return render(
        request,
        "console/ledger/index.html",
        lists.overview(
            balances=queries.trial_balance(viewer),
            waiting=queries.waiting(viewer),
            statements=queries.statements_page(viewer, state="OPEN"),
            remittances=queries.remittances_page(viewer, state="REPORTED"),
            bank_lines=queries.bank_page(viewer, waiting=True),
            agencies=partners.agencies(viewer),
        ),
    )


@access.page(permission="ledger.read")
@require_safe
def statements(request: HttpRequest) -> HttpResponse:
    """Show statements by state and agency, a page at a time."""
    return _statements(request, typed={})


def _statements(request: HttpRequest, *, typed: Mapping[str, str], status: int = 200) -> HttpResponse:
    viewer = request.actor  # type: ignore[attr-defined]
    agencies = partners.agencies(viewer)
    ask = lists.asked(request.GET, states=lists.STATEMENTS, agencies=agencies)
    context = lists.statements(
        queries.statements_page(viewer, state=ask.state, agency_id=ask.agency_id, page=ask.page),
        ask=ask,
        waiting=queries.waiting(viewer),
        agencies=agencies,
        actor=viewer,
        today=days.day_of(clock.now()),
        typed=typed,
    )
    return render(request, "console/ledger/statements.html", context, status=status)


@access.page(permission="ledger.read")
@require_safe
def bank(request: HttpRequest) -> HttpResponse:
    """Show bank lines, a page at a time."""
    viewer = request.actor  # type: ignore[attr-defined]
    ask = lists.asked(request.GET, states=lists.BANK_LINES)
    found = queries.bank_page(viewer, waiting=ask.state == "waits" if ask.state else None, page=ask.page)
    context = lists.bank(found, ask=ask, waiting=queries.waiting(viewer), agencies=partners.agencies(viewer))
    return render(request, "console/ledger/bank.html", context)


@access.page(permission="ledger.read")
@require_safe
def remittances(request: HttpRequest) -> HttpResponse:
    """Show what agencies reported as paid, a page at a time."""
    viewer = request.actor  # type: ignore[attr-defined]
    agencies = partners.agencies(viewer)
    ask = lists.asked(request.GET, states=lists.REPORTS, agencies=agencies)
    context = lists.remittances(
        queries.remittances_page(viewer, state=ask.state, agency_id=ask.agency_id, page=ask.page),
        ask=ask,
        waiting=queries.waiting(viewer),
        agencies=agencies,
        actor=viewer,
    )
    return render(request, "console/ledger/remittances.html", context)


@access.page(permission="ledger.read")
@require_safe
def balance(request: HttpRequest) -> HttpResponse:
    """Show the trial balance, for all time or before a day."""
    viewer, day = request.actor, lists.until(request.GET)  # type: ignore[attr-defined]
    context = lists.balance(
        queries.trial_balance(viewer, until=day), agencies=partners.agencies(viewer), day=day
    )
    return render(request, "console/ledger/balance.html", context)


@access.page(permission="ledger.read")
@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """Recompute everything from entries and show the differences."""
    viewer = request.actor  # type: ignore[attr-defined]
    context = presenters.check(queries.check(viewer)) | {"places": lists.places("check")}
    return render(request, "console/ledger/check.html", context)


@access.page(permission="ledger.read")
@require_safe
def entries(request: HttpRequest) -> HttpResponse:
    """Show entries with their legs, newest first, a page at a time."""
    viewer, ask = request.actor, lists.asked(request.GET, states={})  # type: ignore[attr-defined]
    found = presenters.entries(
        queries.entries(viewer, limit=ENTRIES_SHOWN + 1, skip=(ask.page - 1) * ENTRIES_SHOWN),
        agencies=partners.agencies(viewer),
    )
    return render(
        request,
        "console/ledger/entries.html",
        {
            "state": presenters.entries_state(found[:ENTRIES_SHOWN]),
            "places": lists.places("entries"),
            "entries": found[:ENTRIES_SHOWN],
            "page": ask.page,
            "previous": ask.address(ask.page - 1) if ask.page > 1 else "",
            "next": ask.address(ask.page + 1) if len(found) > ENTRIES_SHOWN else "",
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
    ask = lists.asked(request.GET, states={}, agencies=agencies)
    found = queries.payments_page(viewer, agency_id=ask.agency_id, page=ask.page)
    return render(request, "console/ledger/payments.html", lists.payments(found, ask=ask, agencies=agencies))


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
    """Draw up a statement; a refused form keeps what was typed."""
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
        return _statements(request, typed=request.POST.dict(), status=422)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _statements(request, typed=request.POST.dict(), status=refusal.status)
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
    if request.POST.get("back"):
        return redirect(posted.after(request.POST, "ledger:index"))
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
    return redirect("ledger:remittances")


urlpatterns = [
    path("", index, name="index"),
    path("statements/", statements, name="statements"),
    path("bank/", bank, name="bank"),
    path("remittances/", remittances, name="remittances"),
    path("balance/", balance, name="balance"),
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
