"""Pages for what is not there, not allowed or broken: the same words in both languages, the demonstration's banner too."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist

from weituo.foundation.audit import journal

log = logging.getLogger(__name__)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    return render(request, "errors/404.html", status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    return render(request, "errors/403.html", status=403)


def broken(request: HttpRequest) -> HttpResponse:
    """Answer 500 with the request's number; where even that page cannot be drawn, with plain words."""
    reference = journal.request_id.get()
    try:
        return render(request, "errors/500.html", {"reference": reference}, status=500)
    except TemplateDoesNotExist:
        log.exception("the page for faults is missing")
        return HttpResponse(f"500 {reference}", status=500, content_type="text/plain; charset=utf-8")


def not_from_here(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose proof of origin is missing or too old."""
    return render(request, "errors/old_form.html", status=403)
