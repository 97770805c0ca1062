"""Book 账户: buckets, roll rates, accounts, one account's timeline, imports."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.book import jobs, profiles, queries, services
from weituo.domain.care import queries as care
from weituo.domain.partners import queries as partners
from weituo.domain.partners import relations
from weituo.foundation import clock, days
from weituo.foundation.errors import Refusal
from weituo.web import access, uploading
from weituo.web.console.jobs import begin_with_file
from weituo.web.posted import Posted
from weituo.web.presenters import book as presenters
from weituo.web.presenters.book_words import HOLDS


@access.page(permission="book.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show buckets, roll rates and the accounts that pass the filter."""
    viewer = request.actor  # type: ignore[attr-defined]
    asked = presenters.asked(request.GET, today=days.day_of(clock.now()))
    on = asked["on"]
    page = queries.accounts_page(
        viewer, on=on, filters=asked["filters"], sort=asked["sort"], page=asked["page"]
    )
    # the matrix reads the whole history: it belongs to the whole book, not to a filtered list
    whole = not asked["filters"] and asked["page"] == 1
    return render(
        request,
        "console/book/index.html",
        presenters.overview(
            buckets=queries.buckets(viewer, on=on),
            rolls=queries.rolls(viewer) if whole else None,
            page=page,
            names=queries.masked_names(viewer, borrower_ids=[row["borrower_id"] for row in page["rows"]]),
            choices=queries.choices(viewer, on=on),
            asked=asked,
            stated=queries.stated(viewer),
            actor=viewer,
        ),
    )


@access.page(permission="book.read")
@require_safe
def account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Show one account's whole timeline."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.account(viewer, account_id=account_id, on=days.day_of(clock.now()))
    if found is None:
        raise Http404
    return render(
        request,
        "console/book/account.html",
        presenters.account(
            found,
            history=queries.history_frame(viewer, account_ids=[account_id]),
            story=care.story(viewer, account_id=account_id),
            names=queries.masked_names(viewer, borrower_ids=[found["borrower_id"]]),
            agencies=partners.agencies(viewer),
            conflicts=relations.conflicts_of_account(
                viewer,
                borrower_id=found["borrower_id"],
                region=found["region"],
                product=found["product"],
                on=days.day_of(clock.now()),
            ),
            on=days.day_of(clock.now()),
            actor=viewer,
        ),
    )


@access.page(permission="book.read")
@require_safe
def imports(request: HttpRequest) -> HttpResponse:
    """List imported files with their totals; whoever may import sends another one here."""
    viewer = request.actor  # type: ignore[attr-defined]
    context = presenters.imports(queries.imports(viewer), profiles=profiles.names(), actor=viewer)
    return render(request, "console/book/imports.html", context)


@access.page(permission="book.import")
@require_POST
def begin_import(request: HttpRequest) -> HttpResponse:
    """Start importing a file that was sent; it is kept for its owner alone until the job has ended."""
    try:
        uploading.check(request)
        form = Posted(request.POST)
        day = form.day_or_none("as_of")
        order = {"profile": form.needed("profile"), "as_of": day.isoformat() if day else ""}
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("book:imports")
    return begin_with_file(request, jobs.IMPORT, order, otherwise="book:imports")


@access.page(permission="book.import")
@require_safe
def rejects(request: HttpRequest, import_id: UUID) -> HttpResponseBase:
    """Hand out the reject file of one import; values in it may be personal, so only who may import sees it."""
    return _file_of(request, import_id, kept="reject_file", name="rejects")


@access.page(permission="book.import")
@require_safe
def differences(request: HttpRequest, import_id: UUID) -> HttpResponseBase:
    """Hand out the list of accounts whose booked payments one import does not agree with."""
    return _file_of(request, import_id, kept="differences_file", name="differences")


def _file_of(request: HttpRequest, import_id: UUID, *, kept: str, name: str) -> HttpResponseBase:
    found = [row for row in queries.imports(request.actor) if row["id"] == import_id]  # type: ignore[attr-defined]
    file = Path(found[0]["report"].get(kept) or "/nonexistent") if found else None
    if file is None or not file.is_file():
        raise Http404
    return FileResponse(
        file.open("rb"),
        as_attachment=True,
        filename=f"{name}-{file.name}",
        content_type="text/csv; charset=utf-8",
    )


@access.page(permission="book.hold")
@require_POST
def hold(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Put a hold on the account's borrower; contact stops at once where the kind says so."""
    viewer = request.actor  # type: ignore[attr-defined]
    found = queries.account(viewer, account_id=account_id, on=days.day_of(clock.now()))
    kind, reason = request.POST.get("kind", ""), request.POST.get("reason", "").strip()
    if found is None:
        raise Http404
    if kind not in HOLDS or not reason:
        messages.error(request, _("Choose a kind of hold and say why."))
        return redirect("book:account", account_id)
    try:
        services.place_hold(
            actor=viewer,
            borrower_id=found["borrower_id"],
            account_id=account_id,
            kind=kind,
            reason=reason,
            at=clock.now(),
        )
        messages.info(request, _("The hold is in force."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("book:account", account_id)


@access.page(permission="book.hold")
@require_POST
def release(request: HttpRequest, account_id: UUID, hold_id: UUID) -> HttpResponse:
    """End a hold."""
    reason = request.POST.get("reason", "").strip()
    found = queries.account(request.actor, account_id=account_id, on=days.day_of(clock.now()))  # type: ignore[attr-defined]
    if found is None or hold_id not in {one["id"] for one in found["holds"]}:
        raise Http404
    if not reason:
        messages.error(request, _("Say why the hold ends."))
        return redirect("book:account", account_id)
    try:
        services.release_hold(actor=request.actor, hold_id=hold_id, reason=reason, at=clock.now())  # type: ignore[attr-defined]
        messages.info(request, _("The hold has ended."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("book:account", account_id)


urlpatterns = [
    path("", index, name="index"),
    path("imports/", imports, name="imports"),
    path("imports/begin/", begin_import, name="begin_import"),
    path("imports/<uuid:import_id>/rejects/", rejects, name="rejects"),
    path("imports/<uuid:import_id>/differences/", differences, name="differences"),
    path("accounts/<uuid:account_id>/", account, name="account"),
    path("accounts/<uuid:account_id>/hold/", hold, name="hold"),
    path("accounts/<uuid:account_id>/holds/<uuid:hold_id>/release/", release, name="release"),
]
