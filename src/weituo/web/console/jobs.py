"""Jobs 任务: long work that pages start; how far it has come, what came of it, why it was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from weituo.foundation import clock
from weituo.foundation.errors import Refusal
from weituo.foundation.files import uploads
from weituo.foundation.jobs import queue
from weituo.web import access, uploading
from weituo.web.presenters import jobs as presenters

ROWS = 100


def begin(request: HttpRequest, kind: str, arguments: Mapping[str, Any]) -> HttpResponse:
    """Start a job as whoever asks, and lead to its page."""
    actor = request.actor  # type: ignore[attr-defined]
    return redirect("jobs:job", queue.ask(actor=actor, kind=kind, arguments=arguments, at=clock.now()))


def begin_with_file(
    request: HttpRequest, kind: str, arguments: Mapping[str, Any], *, otherwise: str, optional: bool = False
) -> HttpResponse:
    """Start a job with the file of the form's field “file”; without one, or for one too large, lead back with the reason."""
    try:
        given = {} if optional else {"file": uploading.kept(request, "file")}
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(otherwise)
    try:
        return begin(request, kind, {**arguments, **given})
    except BaseException:
        for token in given.values():
            uploads.remove(token)
        raise


@access.page(permission="book.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List jobs, newest first."""
    viewer = request.actor  # type: ignore[attr-defined]
    return render(request, "console/jobs/index.html", presenters.index(queue.jobs(viewer, limit=ROWS)))


@access.page(permission="book.read")
@require_safe
@never_cache
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Show one job; the page looks again by itself, and by its link where no script runs."""
    return _shown(request, job_id, "console/jobs/job.html")


@access.page(permission="book.read")
@require_safe
@never_cache
def progress(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Give the part of a job's page that changes."""
    return _shown(request, job_id, "console/jobs/_job.html")


def _shown(request: HttpRequest, job_id: UUID, template: str) -> HttpResponse:
    viewer = request.actor  # type: ignore[attr-defined]
    return render(request, template, presenters.job(queue.job(viewer, job_id=job_id), at=clock.now()))


urlpatterns = [
    path("", index, name="index"),
    path("<uuid:job_id>/", job, name="job"),
    path("<uuid:job_id>/progress/", progress, name="progress"),
]
