"""Bearer keys of agencies' systems. Sessions are not trusted here."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer

from weituo.foundation import clock
from weituo.foundation.identity import people
from weituo.foundation.tenancy.actors import Actor


class ApiKey(HttpBearer):
    """“Authorization: Bearer wt_…” → the agency's actor."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        """Give the actor of a live key; remembered for the rest of the request."""
        return actor_of(request, token)


def actor_of(request: HttpRequest, token: str) -> Actor:
    """Look the key up once a request. Raises `KeyRefused`."""
    standing = getattr(request, "actor", None)
    if isinstance(standing, Actor):
        return standing
    actor = people.actor_for_key(token, at=clock.now())
    request.actor = actor  # type: ignore[attr-defined]
    return actor


def caller(request: HttpRequest) -> Actor:
    """Give the authenticated actor of an endpoint."""
    actor: Actor = request.auth  # type: ignore[attr-defined]
    return actor
