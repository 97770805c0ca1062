"""What every portal page carries: whose portal it is, and who works there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from weituo.domain.contact import queries as contact
from weituo.foundation import clock, days
from weituo.web.presenters.naming import name_of


def agency_of(request: HttpRequest, *, at: datetime) -> dict[str, Any]:
    """Give the agency's own record with its collectors."""
    return contact.my_agency(request.actor, on=days.day_of(at))  # type: ignore[attr-defined]


def show(
    request: HttpRequest, template: str, context: dict[str, Any], *, agency: dict[str, Any] | None = None
) -> HttpResponse:
    """Render a portal page under the agency's name."""
    own = agency or agency_of(request, at=clock.now())
    return render(request, f"agency/{template}", context | {"agency_name": name_of(own)})
