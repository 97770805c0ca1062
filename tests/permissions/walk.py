"""Walking every address of the resolver as somebody, and saying what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from weituo.foundation.identity.models import User
from weituo.foundation.identity.roles import KIND_OF, Role
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Kind
from weituo.web import access

KEPT = Path(__file__).with_name("pages.toml")
NOBODY = "nobody"
WALKERS = (NOBODY, *(role.value for role in Role))
#: an address that leads to nothing, for each kind of part of an address
NOTHING = {
    "uuid": str(UUID(int=7)), "int": "7", "str": "7", "slug": "none", "path": "none", None: "7",
}  # fmt: skip
PART = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")


@dataclass(frozen=True, slots=True)
class Address:
    """One pattern of the resolver and its whole route as written."""

    route: str
    pattern: URLPattern

    @property
    def view(self) -> Callable[..., HttpResponse]:
        """The view behind the address."""
        view: Callable[..., HttpResponse] = self.pattern.callback
        return view

    @property
    def path(self) -> str:
        """An address of this pattern that leads to no object."""
        filled = PART.sub(lambda part: NOTHING[part["kind"]], self.route)
        return (
            re.sub(r"\(\?P<\w+>[^)]*\)", "7-7", filled).replace("^", "").replace("$", "").replace("\\Z", "")
        )


def addresses() -> list[Address]:
    """Give every address outside the API, which has its own table of operations, in order."""

    def walk(patterns: list[Any], before: str) -> Iterator[Address]:
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern):
                yield Address("/" + route, pattern)

    found = [one for one in walk(get_resolver().url_patterns, "") if not one.route.startswith("/api/")]
    return sorted(found, key=lambda one: one.route)


def client_of(walker: str, *, agency_id: UUID | None = None, second_factor: bool = True) -> Client:
    """Give a browser in which `walker` has signed in: a role's name, or nobody. Agencies' people need their agency."""
    client = Client(raise_request_exception=False, headers={"Accept-Language": "en"})
    if walker == NOBODY:
        return client
    if walker == Role.BORROWER:
        session = client.session
        session[access.BORROWER_SESSION_KEY] = str(new_id())
        session.save()
        return client
    role = Role(walker)
    user = User.objects.db_manager("owner").create_user(
        username=f"walker-{walker.lower()}",
        password=None,
        role=role.value,
        display_name=walker.title(),
        agency_id=agency_id if KIND_OF.get(role) == Kind.AGENCY else None,
    )
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["second_factor_ready"] = second_factor
    session.save()
    return client


def visit(client: Client, address: Address, *, method: str = "GET") -> str:
    """Give what came of one request: sign-in, led home, 403, 404, “open 200” (the view ran), “public 200” (no rule asked)."""
    view, rule, reached = address.view, access.rule_of(address.view), []

    def noted(*given: Any, **named: Any) -> Any:
        reached.append(True)
        return view(*given, **named)

    noted.weituo_access = rule  # type: ignore[attr-defined]
    with mock.patch.object(address.pattern, "callback", noted):
        response = client.generic(method, address.path)
    if response.exc_info:
        return f"fault: {response.exc_info[1]!r}"[:200]
    if rule is not None and rule.public:
        return f"public {response.status_code}"
    if reached:
        return f"open {response.status_code}"
    if response.status_code == 302:
        if response["Location"] in access.FRONT_DOORS:
            return "led home"
        signs_in = response["Location"].startswith(("/accounts/login/", "/my/"))
        return "sign-in" if signs_in else f"sent to {response['Location']}"
    return str(response.status_code)


def _line(outcome: str, who: list[str]) -> str:
    return f"{json.dumps(outcome)} = {json.dumps(who)}"


def as_toml(table: dict[str, dict[str, list[str]]]) -> str:
    """Write the table as people review it: address → outcome → who."""
    lines = [
        "# Who gets what at every address (GET). Written by `make snapshots`; a change here is reviewed like code.",
        "# open N = the view ran and answered N (404: the object in the address does not exist; 405: POST only)",
        "# public N = no sign-in asked by us; sign-in = sent there; led home = to their own start page; 403, 404 = refused by the access rule",
    ]
    for route in sorted(table):
        lines += ["", f"['{route}']"]
        lines += [_line(outcome, table[route][outcome]) for outcome in sorted(table[route])]
    return "\n".join(lines) + "\n"
