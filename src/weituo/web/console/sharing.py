"""Sharing 披露: who holds what, packages, preview of what an agency sees, keys, the log, revocation."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from weituo.domain.book import queries as book
from weituo.domain.partners import queries as partners
from weituo.domain.sharing import jobs, queries, services
from weituo.foundation import clock, days
from weituo.foundation.errors import Refusal
from weituo.foundation.identity import staffing
from weituo.web import access
from weituo.web.console.jobs import begin
from weituo.web.posted import whole
from weituo.web.presenters import sharing as presenters

LOG_ROWS = 100
LOG_ROWS_MAX = 5_000


@access.page(permission="sharing.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show who holds what, packages with their age, and what can be built."""
    viewer, now = request.actor, clock.now()  # type: ignore[attr-defined]
    return render(
        request,
        "console/sharing/index.html",
        presenters.overview(
            holders=queries.holders(viewer),
            packages=queries.packages(viewer),
            ready=queries.ready(viewer, on=days.day_of(now)),
            destructions=queries.destructions(viewer),
            digest=request.GET.get("digest", ""),
            actor=viewer,
            at=now,
        ),
    )


@access.page(permission="sharing.build")
@require_POST
def build(request: HttpRequest) -> HttpResponse:
    """Start building one package for an agency and a run."""
    try:
        named = {
            "agency_id": str(UUID(request.POST.get("agency", ""))),
            "run_id": str(UUID(request.POST.get("run", ""))),
        }
    except ValueError:
        messages.error(request, _("Choose a run and an agency."))
        return redirect("sharing:index")
    return begin(request, jobs.BUILD, named)


@access.page(permission="sharing.read")
@require_safe
def package(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """Show one package, what was taken out of it, and what revoking it would do."""
    viewer = request.actor  # type: ignore[attr-defined]
    return render(
        request,
        "console/sharing/package.html",
        presenters.package(
            queries.package(viewer, package_id=package_id),
            destructions=queries.destructions(viewer, package_id=package_id),
            actor=viewer,
            at=clock.now(),
        ),
    )


@access.page(permission="sharing.revoke")
@require_POST
def revoke(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """Revoke a package now; its file is destroyed after the commit."""
    try:
        services.revoke_package(
            actor=request.actor,  # type: ignore[attr-defined]
            package_id=package_id,
            reason=request.POST.get("reason", "").strip(),
            at=clock.now(),
        )
        messages.info(request, _("The package is revoked and its file destroyed."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("sharing:package", package_id)


@access.page(permission="sharing.read")
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """Show public keys; a POST registers one."""
    viewer = request.actor  # type: ignore[attr-defined]
    typed, problem = {"agency": request.GET.get("agency", ""), "public_key": ""}, ""
    if request.method == "POST":
        typed = {key: request.POST.get(key, "").strip() for key in typed}
        try:
            services.register_recipient(
                actor=viewer,
                agency_id=UUID(typed["agency"]),
                public_key=typed["public_key"],
                at=clock.now(),
            )
        except ValueError:
            problem = _("Choose an agency.")
        except Refusal as refusal:
            problem = str(refusal)
            if typed["public_key"].upper().startswith("AGE-SECRET-KEY"):
                typed["public_key"] = ""  # a secret is not shown again
        else:
            messages.info(request, _("The key is in force; packages are sealed for it from now on."))
            return redirect("sharing:keys")
    return render(
        request,
        "console/sharing/keys.html",
        presenters.keys(
            queries.recipients(viewer),
            agencies=partners.agencies(viewer),
            actor=viewer,
            typed=typed,
            problem=problem,
        ),
        status=400 if problem else 200,
    )


@access.page(permission="sharing.read")
@require_safe
def disclosures(request: HttpRequest) -> HttpResponse:
    """Show the log of everything that was shared."""
    asked = request.GET.get("limit", "")
    limit = min(whole(asked, otherwise=LOG_ROWS) or LOG_ROWS, LOG_ROWS_MAX)
    viewer = request.actor  # type: ignore[attr-defined]
    rows = queries.disclosures(viewer, limit=limit + 1)
    context = presenters.disclosures(rows, limit=limit, people=staffing.names(viewer))
    return render(request, "console/sharing/disclosures.html", context)


@access.page(permission="sharing.read")
@require_safe
def preview(request: HttpRequest) -> HttpResponse:
    """Show exactly what an agency would see of an account today."""
    viewer, today = request.actor, days.day_of(clock.now())  # type: ignore[attr-defined]
    agency, account = request.GET.get("agency", "").strip(), request.GET.get("account", "").strip()
    found, holders, problem = None, [], ""
    if agency or account:
        try:
            account_id = book.account_id_of(viewer, number=account) or UUID(account)
            found = queries.preview(viewer, agency_id=UUID(agency), account_id=account_id, on=today)
            holders = queries.account_holders(viewer, account_id=account_id)
        except ValueError:
            problem = _("Choose an agency, and give the account's number as its page shows it.")
        except Refusal as refusal:
            problem = str(refusal)
    return render(
        request,
        "console/sharing/preview.html",
        presenters.preview(
            found,
            holders=holders,
            agencies=partners.agencies(viewer),
            agency=agency,
            account=account,
            problem=problem,
            on=today,
        ),
    )


urlpatterns = [
    path("", index, name="index"),
    path("build/", build, name="build"),
    path("packages/<uuid:package_id>/", package, name="package"),
    path("packages/<uuid:package_id>/revoke/", revoke, name="revoke"),
    path("keys/", keys, name="keys"),
    path("disclosures/", disclosures, name="disclosures"),
    path("preview/", preview, name="preview"),
]
