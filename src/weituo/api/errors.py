"""Every failure as application/problem+json (RFC 9457), in one place."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from weituo.foundation.errors import Refusal


def problem(status: int, **body: Any) -> HttpResponse:
    """Give one problem document."""
    return JsonResponse({"status": status, **body}, status=status, content_type="application/problem+json")


def refused(refusal: Refusal) -> HttpResponse:
    """Give the problem document of a refusal."""
    said = refusal.as_dict()
    return problem(refusal.status, type=f"urn:weituo:{said['code']}", title=said["message"], **said)


def too_big() -> HttpResponse:
    """Give the problem document of a body that is longer than the server reads."""
    return problem(
        413,
        type="urn:weituo:too_big",
        title="The body is longer than 2.5 MB.",
        code="too_big",
        remedy="Send fewer items in one request.",
    )


def register(api: NinjaAPI) -> None:
    """Translate refusals, bad input and missing keys."""

    @api.exception_handler(Refusal)
    def on_refusal(request: HttpRequest, refusal: Refusal) -> HttpResponse:
        return refused(refusal)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, fault: ValidationError) -> HttpResponse:
        problems = [
            {"where": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
            for item in fault.errors
        ]
        return problem(
            422,
            type="urn:weituo:bad_input",
            title="The request does not fit its schema.",
            code="bad_input",
            problems=problems,
        )

    @api.exception_handler(AuthenticationError)
    def unknown(request: HttpRequest, fault: AuthenticationError) -> HttpResponse:
        return problem(
            401,
            type="urn:weituo:key_refused",
            title="A live API key is needed.",
            code="key_refused",
            remedy="Send “Authorization: Bearer <key>”.",
        )

    @api.exception_handler(RequestDataTooBig)
    def too_long(request: HttpRequest, fault: RequestDataTooBig) -> HttpResponse:
        return too_big()

    @api.exception_handler(HttpError)
    def unreadable(request: HttpRequest, fault: HttpError) -> HttpResponse:
        return problem(
            fault.status_code,
            type="urn:weituo:bad_request",
            title=str(fault),
            code="bad_request",
            remedy="Send a JSON document in UTF-8.",
        )
