"""Every failure as application/problem+json (RFC 9457), in one place."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from weituo.foundation.errors import Refusal


def _problem(status: int, **body: Any) -> HttpResponse:
    return JsonResponse({"status": status, **body}, status=status, content_type="application/problem+json")


def register(api: NinjaAPI) -> None:
    """Translate refusals, bad input and missing keys."""

    @api.exception_handler(Refusal)
    def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
        said = refusal.as_dict()
        return _problem(refusal.status, type=f"urn:weituo:{said['code']}", title=said["message"], **said)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, fault: ValidationError) -> HttpResponse:
        problems = [
            {"where": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
            for item in fault.errors
        ]
        return _problem(
            422,
            type="urn:weituo:bad_input",
            title="The request does not fit its schema.",
            code="bad_input",
            problems=problems,
        )

    @api.exception_handler(AuthenticationError)
    def unknown(request: HttpRequest, fault: AuthenticationError) -> HttpResponse:
        return _problem(
            401,
            type="urn:weituo:key_refused",
            title="A live API key is needed.",
            code="key_refused",
            remedy="Send “Authorization: Bearer <key>”.",
        )
