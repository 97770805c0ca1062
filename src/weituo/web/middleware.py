"""What every request passes: an id, a language, a clock, and the access rule that denies by default."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import translation

from weituo.foundation import clock, transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import Refusal
from weituo.web import access

Handler = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Give each request an id that its audit entries and logs share; set the headers that every answer carries."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = journal.request_id.set(uuid.uuid4().hex)
        try:
            response = self.handler(request)
        finally:
            journal.request_id.reset(token)
        response.headers.setdefault(
            "Content-Security-Policy",
            "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
            "font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'",
        )
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response


class LanguageMiddleware:
    """Choose the language: the person's own choice (cookie), else what the browser asks for, else Chinese."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = translation.get_language_from_request(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
        response = self.handler(request)
        response.headers.setdefault("Content-Language", language)
        return response


class DemoClockMiddleware:
    """Let the demonstration's own agencies live through months in minutes: honoured only when WEITUO_DEMO is set."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        stated = request.headers.get("Weituo-Demo-Time")
        if not (stated and settings.WEITUO_DEMO):
            return self.handler(request)
        try:
            instant = datetime.fromisoformat(stated)
        except ValueError:
            instant = None
        # far years leave no room for the terms and zones that pages add to the present
        if instant is None or instant.tzinfo is None or not 2000 <= instant.year < 2200:
            return HttpResponseBadRequest(
                "Weituo-Demo-Time: an instant with its offset is needed", content_type="text/plain"
            )
        with clock.at_instant(instant):
            return self.handler(request)


class PlainTextMiddleware:
    """Refuse a page's address or form that carries NUL, which no text column can hold; the API's schemas say it themselves."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.handler(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: object, kwargs: dict[str, object]
    ) -> HttpResponse | None:
        if request.path_info.startswith("/api/"):
            return None
        sent = [request.path_info]
        for fields in (request.GET, request.POST):
            sent += [text for key, values in fields.lists() for text in (key, *values)]
        if any("\0" in text for text in sent):
            return HttpResponseBadRequest("NUL is no text", content_type="text/plain")
        return None


class AccessMiddleware:
    """Deny every page that does not say who may see it; give the view its actor; read under one snapshot."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.handler(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: object, kwargs: dict[str, object]
    ) -> HttpResponse | None:
        rule = access.rule_of(view)
        if rule is None:
            return render(request, "errors/403.html", status=403)
        if rule.public:
            return None
        actor = access.actor_of(request, rule)
        if actor is None:
            return redirect(access.sign_in_for(request, rule))
        if not access.second_factor_ready(request):
            return redirect("mfa_activate_totp")
        if actor.kind not in rule.kinds:
            if request.path in access.FRONT_DOORS:
                return redirect(access.home_of(request))
            raise Http404
        if rule.permission and not actor.may(rule.permission):
            return render(request, "errors/403.html", {"permission": rule.permission}, status=403)
        request.actor = actor  # type: ignore[attr-defined]
        if request.method in {"GET", "HEAD"} and rule.one_snapshot:
            with transactions.reading(actor):
                try:
                    response = view(request, *args, **kwargs)  # type: ignore[misc]
                except Refusal as refusal:
                    return access.refusal_page(request, refusal)
                if hasattr(response, "render") and callable(response.render):
                    response = response.render()
                return response
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refusal):
            return access.refusal_page(request, exception)
        return None
