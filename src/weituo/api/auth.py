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
        actor = people.actor_for_key(token, at=clock.now())
        request.actor = actor  # type: ignore[attr-defined]
        return actor
