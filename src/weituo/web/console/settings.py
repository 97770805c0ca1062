"""Settings 设置: people and roles, keys of agencies' systems, and what is in force, read-only, as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.book import queries as book
from weituo.domain.contact import queries as contact
from weituo.domain.partners import queries as partners
from weituo.foundation import clock, days
from weituo.foundation.errors import Refusal
from weituo.foundation.identity import keys as identity
from weituo.foundation.identity import staffing
from weituo.web import access
from weituo.web.console import people
from weituo.web.posted import Posted
from weituo.web.presenters import settings as presenters


@access.page(permission="identity.read")
@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    """Show what each role may do and how many people hold it."""
    viewer = request.actor  # type: ignore[attr-defined]
    return render(
        request, "console/settings/roles.html", presenters.roles_page(staffing.held(viewer), actor=viewer)
    )


@access.page(permission="identity.read")
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Show the keys of agencies' systems."""
    return _keys(request, typed={})


def _keys(request: HttpRequest, *, typed: Mapping[str, str], status: int = 200) -> HttpResponse:
    viewer = request.actor  # type: ignore[attr-defined]
    context = presenters.keys_page(
        identity.keys(viewer), agencies=partners.agencies(viewer), actor=viewer, at=clock.now(), typed=typed
    )
    return render(request, "console/settings/keys.html", context, status=status)


@access.page(permission="identity.read")
@require_safe
def in_force(request: HttpRequest) -> HttpResponse:
    """Show fees, rule packs and import profiles as they stand, read-only."""
    viewer, at = request.actor, clock.now()  # type: ignore[attr-defined]
    return render(
        request,
        "console/settings/in_force.html",
        presenters.in_force(
            agencies=partners.agencies(viewer),
            rules=contact.rules_in_force(viewer, at=at),
            imports=book.imports(viewer),
            agreements=partners.live_agreements(viewer, kind="SERVICE", on=days.day_of(at)),
        ),
    )


@access.page(permission="identity.manage")
@require_POST
@never_cache
def issue_key(request: HttpRequest) -> HttpResponse:
    """Issue a key and show it this once: the answer is not kept anywhere, so there is no address to come back to."""
    at = clock.now()
    try:
        form = Posted(request.POST)
        agency_ids = form.ids("agency")
        issued = identity.issue_key(
            actor=request.actor,  # type: ignore[attr-defined]
            agency_id=agency_ids[0] if agency_ids else UUID(int=0),
            name=form.needed("name"),
            at=at,
            active_to=at + timedelta(days=form.count("days")),
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _keys(request, typed=request.POST.dict(), status=refusal.status)
    return render(request, "console/settings/key.html", {"secret": issued.secret})


@access.page(permission="identity.manage")
@require_POST
def end_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """End a key at once."""
    try:
        identity.end_key(
            actor=request.actor,  # type: ignore[attr-defined]
            key_id=key_id,
            reason=Posted(request.POST).needed("reason"),
            at=clock.now(),
        )
        messages.info(request, _("The key has ended. Requests with it are refused from now on."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("settings:keys")


urlpatterns = [
    *people.urlpatterns,
    path("roles/", roles, name="roles"),
    path("keys/", keys, name="keys"),
    path("in-force/", in_force, name="in_force"),
    path("keys/issue/", issue_key, name="issue_key"),
    path("keys/<uuid:key_id>/end/", end_key, name="end_key"),
]
