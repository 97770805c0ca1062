"""What every template may show: the lender, the language, whether this is the demonstration, the menu."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from weituo.web import access, menu


def house(request: HttpRequest) -> dict[str, Any]:
    """Give the page frame's data."""
    actor = getattr(request, "actor", None)
    return {
        "actor": actor,
        "demo": settings.WEITUO_DEMO,
        "home": access.home_of(request),
        "lender_name": settings.WEITUO_LENDER.get(get_language() or "", settings.WEITUO_LENDER["en"]),
        "menu": menu.entries_for(actor, request.path) if actor else [],
    }
