"""Log 审计: who did what and why, with the chain that proves that nothing was altered or left out."""

from __future__ import annotations

from dataclasses import asdict

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from weituo.domain.partners import queries as partners
from weituo.foundation.audit import journal
from weituo.foundation.tenancy.actors import Actor
from weituo.web import access
from weituo.web.presenters import log as presenters


def _names(viewer: Actor) -> dict[str, str]:
    return presenters.names_of(partners.agencies(viewer)) if viewer.may("partners.read") else {}


@access.page(permission="audit.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the latest acts, filtered."""
    viewer = request.actor  # type: ignore[attr-defined]
    asked = presenters.asked(request.GET)
    rows = journal.entries(viewer, **asked.filters, before_seq=asked.before, limit=presenters.PAGE + 1)
    return render(
        request,
        "console/log/index.html",
        presenters.page(rows, asked=asked, actor=viewer, names=_names(viewer)),
    )


@access.page(permission="audit.read")
@require_safe
def entry(request: HttpRequest, seq: int) -> HttpResponse:
    """Show one entry with its figures and its place in the chain."""
    viewer = request.actor  # type: ignore[attr-defined]
    rows = journal.entries(viewer, seq=seq, limit=1)
    if not rows:
        raise Http404
    context = presenters.one(
        rows[0],
        names=_names(viewer),
        problem=journal.problem_of(viewer, seq=seq) if viewer.may("audit.verify") else None,
    )
    return render(request, "console/log/entry.html", context)


@access.page(permission="audit.verify")
@require_safe
@never_cache
def verify(request: HttpRequest) -> HttpResponse:
    """Recompute the whole chain now and show the verdict."""
    verdict = journal.verify(request.actor)  # type: ignore[attr-defined]
    return render(request, "console/log/verify.html", presenters.verdict(asdict(verdict)))


@access.page(permission="audit.read")
@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Send the filtered entries as CSV, at most `EXPORT_MAX`, newest first, each with its hash."""
    asked = presenters.asked(request.GET)
    rows = journal.entries(
        request.actor,  # type: ignore[attr-defined]
        **asked.filters,
        before_seq=asked.before,
        limit=presenters.EXPORT_MAX,
    )
    response = HttpResponse(presenters.as_csv(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="weituo-log.csv"'
    return response


urlpatterns = [
    path("", index, name="index"),
    path("<int:seq>/", entry, name="entry"),
    path("verify/", verify, name="verify"),
    path("export/", export, name="export"),
]
