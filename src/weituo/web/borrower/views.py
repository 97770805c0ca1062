"""The borrower's pages: is this collector genuine, what do I owe and why, who handles it, my wishes, dispute, hardship, complaint."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from weituo.domain.care import queries, services
from weituo.domain.partners import queries as partners
from weituo.foundation import clock, days
from weituo.foundation.errors import Refusal
from weituo.foundation.tenancy.actors import program
from weituo.web import access
from weituo.web.posted import whole
from weituo.web.presenters import borrower as presenters

KINDS = {"dispute": "DISPUTE", "hardship": "HARDSHIP", "complaint": "COMPLAINT"}


@access.public_page
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Show the front page: check a collector, or sign in with the code in the letter."""
    return render(
        request, "borrower/start.html", {"signed_in": bool(request.session.get(access.BORROWER_SESSION_KEY))}
    )


@access.public_page
@require_safe
def check_collector(request: HttpRequest) -> HttpResponse:
    """Say whether a badge number or telephone number belongs to an agency that works for this lender today."""
    asked = request.GET.get("q", "").strip()[:40]
    found = (
        presenters.genuine(
            partners.verify_collector(program("public check"), asked=asked, on=days.day_of(clock.now()))
        )
        if asked
        else None
    )
    return render(
        request,
        "borrower/check.html",
        {
            "asked": asked,
            "found": found,
            "agencies": presenters.published(partners.public_agencies(program("public check"))),
        },
    )


@access.public_page
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Let a borrower in with the code in the letter and the end of the identity number."""
    page: dict[str, Any] = {"code": ""}
    if request.method == "POST":
        page["code"] = request.POST.get("code", "")[:20]
        try:
            borrower_id = services.sign_in_borrower(
                code=page["code"], last_four=request.POST.get("last_four", "")[:4], at=clock.now()
            )
        except Refusal as refusal:
            page["refusal"] = refusal.as_dict()
            return render(request, "borrower/sign_in.html", page, status=refusal.status)
        request.session.cycle_key()
        request.session[access.BORROWER_SESSION_KEY] = str(borrower_id)
        request.session.set_expiry(30 * 60)
        return redirect("borrower:accounts")
    return render(request, "borrower/sign_in.html", page)


@access.public_page
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Forget the borrower."""
    request.session.pop(access.BORROWER_SESSION_KEY, None)
    return redirect("borrower:start")


@access.borrower_page
@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    """Show what is owed and who handles it."""
    viewer = request.actor  # type: ignore[attr-defined]
    return render(
        request,
        "borrower/accounts.html",
        presenters.accounts(
            queries.my_accounts(viewer), contacts=queries.my_contacts(viewer), cases=queries.my_cases(viewer)
        ),
    )


@access.borrower_page
@require_safe
def account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Show why it is owed: parts, months, payments."""
    viewer = request.actor  # type: ignore[attr-defined]
    row = next((row for row in queries.my_accounts(viewer) if row["id"] == account_id), None)
    if row is None:
        raise Http404
    payments = [payment for payment in queries.my_payments(viewer) if payment["account_id"] == account_id]
    return render(
        request,
        "borrower/account.html",
        presenters.account(row, history=queries.my_history(viewer, account_id=account_id), payments=payments),
    )


@access.borrower_page
@require_http_methods(["GET", "POST"])
def wishes(request: HttpRequest) -> HttpResponse:
    """Let the borrower say when and how to be contacted."""
    viewer = request.actor  # type: ignore[attr-defined]
    chosen: dict[str, Any] = {
        "channels": request.POST.getlist("channels"),
        "hour_from": request.POST.get("hour_from", "9"),
        "hour_to": request.POST.get("hour_to", "18"),
    }
    page = presenters.wishes(chosen if request.method == "POST" else queries.my_wish(viewer))
    if request.method == "POST":
        try:
            services.set_wish(
                actor=viewer,
                channels=chosen["channels"],
                hour_from=whole(chosen["hour_from"], otherwise=-1),
                hour_to=whole(chosen["hour_to"], otherwise=-1),
                language=request.LANGUAGE_CODE,  # type: ignore[attr-defined]
                at=clock.now(),
            )
        except Refusal as refusal:
            return render(
                request, "borrower/wishes.html", page | {"refusal": refusal.as_dict()}, status=refusal.status
            )
        messages.info(request, _("Your wish is in force from now on."))
        return redirect("borrower:wishes")
    return render(request, "borrower/wishes.html", page)


@access.borrower_page
@require_http_methods(["GET", "POST"])
def tell(request: HttpRequest, kind: str) -> HttpResponse:
    """Take a dispute, a hardship application or a complaint; contact stops with the click."""
    if kind not in KINDS:
        raise Http404
    viewer = request.actor  # type: ignore[attr-defined]
    page = presenters.tell(
        kind=KINDS[kind], address=kind, accounts=queries.my_accounts(viewer), said=request.POST
    )
    if request.method == "POST":
        try:
            services.open_case(
                actor=viewer,
                kind=KINDS[kind],
                reason=request.POST.get("reason", ""),
                account_id=UUID(request.POST["account"]) if request.POST.get("account") else None,
                text=request.POST.get("text", ""),
                source="BORROWER_PAGE",
                at=clock.now(),
            )
        except (Refusal, ValueError) as refusal:
            said = (
                refusal.as_dict()
                if isinstance(refusal, Refusal)
                else {"message": _("Choose an account and a reason."), "remedy": ""}
            )
            return render(request, "borrower/tell.html", page | {"refusal": said}, status=422)
        messages.info(request, _("We have it. Collectors may not contact you about it from this moment."))
        return redirect("borrower:cases")
    return render(request, "borrower/tell.html", page)


@access.borrower_page
@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """Show what the borrower told us, until when we answer, and the answers."""
    viewer = request.actor  # type: ignore[attr-defined]
    return render(request, "borrower/cases.html", {"cases": presenters.cases(queries.my_cases(viewer))})
