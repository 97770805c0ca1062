"""“Idempotency-Key” on POST: the same key and body give the same answer again; another body is refused."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from weituo.api import errors
from weituo.api.auth import actor_of
from weituo.foundation.errors import Refusal
from weituo.foundation.idempotency import keeper

HEADER = "Idempotency-Key"
#: for the OpenAPI text of every operation that honours the header
PARAMETER = {
    "parameters": [
        {
            "in": "header",
            "name": HEADER,
            "required": False,
            "schema": {"type": "string", "maxLength": keeper.KEY_CHARACTERS_MAX},
            "description": "A new value for every new request. Repeating a request with the same value and body gives the first answer again, for 30 days; with another body it is refused (409).",
        }
    ]
}
Run = Callable[..., HttpResponse]


def repeatable(run: Run) -> Run:
    """Answer a repeated request from what was kept; keep a new answer once its act has committed.

    Answers of 5xx and 401 are not kept: such a request may be repeated with the same key.
    """

    @functools.wraps(run)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key = request.headers.get(HEADER)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if key is None or scheme.lower() != "bearer":
            return run(request, *args, **kwargs)
        try:
            actor = actor_of(request, token.strip())
            digest = keeper.digest_of(method=request.method or "", path=request.path, body=request.body)
            kept = keeper.claim(actor=actor, key=key, request_digest=digest)
        except Refusal as refusal:
            return errors.refused(refusal)
        except RequestDataTooBig:
            return errors.too_big()
        if kept is not None:
            answer = HttpResponse(kept.body, status=kept.status, content_type=kept.content_type)
            answer.headers["Idempotency-Replayed"] = "true"
            return answer
        try:
            response = run(request, *args, **kwargs)
        except BaseException:
            keeper.release(actor=actor, key=key)
            raise
        if response.status_code >= 500 or response.status_code == 401:
            keeper.release(actor=actor, key=key)
        else:
            keeper.keep(
                actor=actor,
                key=key,
                status=response.status_code,
                body=response.content,
                content_type=response.headers["Content-Type"],
            )
        return response

    return inner
