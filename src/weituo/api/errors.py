"""Every failure as application/problem+json (RFC 9457), in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from weituo.foundation.errors import Refusal

#: kind of mismatch → its sentence; others are told in the checker's own words
MISMATCHES = {
    "missing": gettext_noop("This field is needed."),
    "extra_forbidden": gettext_noop("This field is not known here."),
    "string_type": gettext_noop("A text is needed."),
    "string_too_short": gettext_noop("At least %(min_length)s characters are needed."),
    "string_too_long": gettext_noop("At most %(max_length)s characters are allowed."),
    "int_type": gettext_noop("A whole number is needed."),
    "int_parsing": gettext_noop("A whole number is needed."),
    "int_from_float": gettext_noop("A whole number is needed."),
    "greater_than": gettext_noop("It must be above %(gt)s."),
    "greater_than_equal": gettext_noop("It must be at least %(ge)s."),
    "less_than": gettext_noop("It must be below %(lt)s."),
    "less_than_equal": gettext_noop("It must be at most %(le)s."),
    "bool_parsing": gettext_noop("Yes or no (true, false) is needed."),
    "bool_type": gettext_noop("Yes or no (true, false) is needed."),
    "date_from_datetime_parsing": gettext_noop("A day is written 2026-03-31."),
    "date_parsing": gettext_noop("A day is written 2026-03-31."),
    "datetime_from_date_parsing": gettext_noop("An instant is written 2026-03-31T10:00:00+08:00."),
    "datetime_parsing": gettext_noop("An instant is written 2026-03-31T10:00:00+08:00."),
    "timezone_aware": gettext_noop("An instant carries its offset, as in 2026-03-31T10:00:00+08:00."),
    "uuid_parsing": gettext_noop("A reference of 36 characters (UUID) is needed."),
    "too_short": gettext_noop("At least %(min_length)s entries are needed."),
    "too_long": gettext_noop("At most %(max_length)s entries are allowed."),
    "list_type": gettext_noop("A list is needed."),
    "literal_error": gettext_noop("One of %(expected)s is needed."),
    "enum": gettext_noop("One of %(expected)s is needed."),
}


def problem(status: int, **body: Any) -> HttpResponse:
    """Give one problem document."""
    return JsonResponse({"status": status, **body}, status=status, content_type="application/problem+json")


def _message(item: Mapping[str, Any]) -> str:
    """Say what does not fit in the caller's language."""
    template = MISMATCHES.get(item["type"])
    try:
        return _(template) % (item.get("ctx") or {}) if template else str(item["msg"])
    except KeyError:
        return str(item["msg"])


def refused(refusal: Refusal) -> HttpResponse:
    """Give the problem document of a refusal."""
    said = refusal.as_dict()
    return problem(refusal.status, type=f"urn:weituo:{said['code']}", title=said["message"], **said)


def too_big() -> HttpResponse:
    """Give the problem document of a body that is longer than the server reads."""
    return problem(
        413,
        type="urn:weituo:too_big",
        title=_("The body is longer than 2.5 MB."),
        code="too_big",
        remedy=_("Send fewer items in one request."),
    )


def register(api: NinjaAPI) -> None:
    """Translate refusals, bad input and missing keys."""

    @api.exception_handler(Refusal)
    def on_refusal(request: HttpRequest, refusal: Refusal) -> HttpResponse:
        return refused(refusal)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, fault: ValidationError) -> HttpResponse:
        problems = [
            {"where": ".".join(str(part) for part in item["loc"]), "message": _message(item)}
            for item in fault.errors
        ]
        return problem(
            422,
            type="urn:weituo:bad_input",
            title=_("The request does not fit its schema."),
            code="bad_input",
            problems=problems,
        )

    @api.exception_handler(AuthenticationError)
    def unknown(request: HttpRequest, fault: AuthenticationError) -> HttpResponse:
        return problem(
            401,
            type="urn:weituo:key_refused",
            title=_("A live API key is needed."),
            code="key_refused",
            remedy=_("Send “Authorization: Bearer <key>”."),
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
            remedy=_("Send a JSON document in UTF-8."),
        )
