"""People 人员: invited, given a role, stopped and let back by an administrator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.partners import queries as partners
from weituo.foundation import clock
from weituo.foundation.audit import journal
from weituo.foundation.errors import Refusal
from weituo.foundation.identity import staffing
from weituo.foundation.identity.roles import Role
from weituo.web import access
from weituo.web.posted import Posted
from weituo.web.presenters import people as presenters

PAST_SHOWN = 20


@access.page(permission="identity.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show who may sign in, a page at a time."""
    return _people(request, typed={})


def _people(request: HttpRequest, *, typed: Mapping[str, str], status: int = 200) -> HttpResponse:
    viewer, ask = request.actor, presenters.asked(request.GET)  # type: ignore[attr-defined]
    context = presenters.people(
        staffing.persons_page(viewer, role=ask.role, active=ask.active, page=ask.page),
        ask=ask,
        agencies=partners.agencies(viewer),
        actor=viewer,
        typed=typed,
    )
    return render(request, "console/settings/index.html", context, status=status)


@access.page(permission="identity.read")
@require_safe
def person(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Show one person and what may be changed."""
    return _person(request, user_id, typed={})


def _person(
    request: HttpRequest, user_id: UUID, *, typed: Mapping[str, str], status: int = 200
) -> HttpResponse:
    viewer = request.actor  # type: ignore[attr-defined]
    row = staffing.person(viewer, user_id=user_id)
    if row is None:
        raise Http404
    past = (
        journal.entries(viewer, what="user", ref=str(user_id), limit=PAST_SHOWN)
        if viewer.may("audit.read")
        else []
    )
    context = presenters.person(row, agencies=partners.agencies(viewer), past=past, actor=viewer, typed=typed)
    return render(request, "console/settings/person.html", context, status=status)


@access.page(permission="identity.manage")
@require_POST
@never_cache
def invite(request: HttpRequest) -> HttpResponse:
    """Invite a person and show the link this once; a refused form keeps what was typed."""
    form = Posted(request.POST)
    try:
        agency_ids = form.ids("agency")
        invitation = staffing.invite(
            actor=request.actor,  # type: ignore[attr-defined]
            username=form.needed("username"),
            name=form.needed("name"),
            role=form.choice("role", Role),
            agency_id=agency_ids[0] if agency_ids else None,
            language=form.text("language") if form.text("language") in presenters.LANGUAGES else "zh-hans",
            at=clock.now(),
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _people(request, typed=request.POST.dict(), status=refusal.status)
    return _link(request, invitation)


def _link(request: HttpRequest, invitation: staffing.Invitation) -> HttpResponse:
    """Show the link: the answer is not kept anywhere, so there is no address to come back to."""
    link = request.build_absolute_uri(reverse("invited", args=[invitation.token]))
    return render(request, "console/settings/invitation.html", {"invitation": invitation, "link": link})


@access.page(permission="identity.manage")
@require_POST
@never_cache
def renew(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """End the password and the second factor and show a new link this once."""
    try:
        invitation = staffing.renew_sign_in(
            actor=request.actor,  # type: ignore[attr-defined]
            user_id=user_id,
            reason=request.POST.get("reason", ""),
            at=clock.now(),
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _person(request, user_id, typed=request.POST.dict(), status=refusal.status)
    return _link(request, invitation)


@access.page(permission="identity.manage")
@require_POST
def change_role(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Give a person another role."""
    form = Posted(request.POST)
    return _acted(
        request,
        user_id,
        lambda given: staffing.change_role(role=form.choice("role", Role), **given),
        said=_("The role is changed; it holds from that person's next page on."),
    )


@access.page(permission="identity.manage")
@require_POST
def stop(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Stop a person's sign-in."""
    said = _("The sign-in is stopped; pages that stand open no longer answer.")
    return _acted(request, user_id, lambda given: staffing.deactivate(**given), said=said)


@access.page(permission="identity.manage")
@require_POST
def restore(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Let a person sign in again."""
    said = _("This person may sign in again.")
    return _acted(request, user_id, lambda given: staffing.reactivate(**given), said=said)


def _acted(
    request: HttpRequest, user_id: UUID, act: Callable[[dict[str, Any]], None], *, said: str
) -> HttpResponse:
    """Do an act on a person for the reason given; a refusal keeps what was typed."""
    try:
        act(
            {
                "actor": request.actor,  # type: ignore[attr-defined]
                "user_id": user_id,
                "reason": Posted(request.POST).text("reason"),
                "at": clock.now(),
            }
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _person(request, user_id, typed=request.POST.dict(), status=refusal.status)
    messages.info(request, said)
    return redirect("settings:person", user_id)


urlpatterns = [
    path("", index, name="index"),
    path("people/invite/", invite, name="invite"),
    path("people/<uuid:user_id>/", person, name="person"),
    path("people/<uuid:user_id>/link/", renew, name="renew"),
    path("people/<uuid:user_id>/role/", change_role, name="change_role"),
    path("people/<uuid:user_id>/stop/", stop, name="stop"),
    path("people/<uuid:user_id>/restore/", restore, name="restore"),
]
