"""Every address × everybody, against the table in this folder; and what the table itself must keep to."""

from __future__ import annotations

import os
import tomllib
from collections import defaultdict

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from weituo.foundation.identity.roles import KIND_OF, Role
from weituo.foundation.tenancy.actors import Kind
from weituo.web import access, middleware

from tests.builders.contact import bench
from tests.permissions import walk

AGENCY = {role.value for role in Role if KIND_OF.get(role) == Kind.AGENCY}
LENDER = {role.value for role in Role if KIND_OF.get(role, Kind.LENDER) == Kind.LENDER}
#: addresses of our own that anybody may open, with the reason
FOR_EVERYBODY = {
    "/my/": "a borrower proves who they are here",
    "/my/check/": "is this collector genuine: asked before anybody signs in",
    "/my/sign-in/": "a borrower proves who they are here",
    "/my/sign-out/": "ending a session harms nobody",
    "/language/": "the language is chosen before anybody signs in",
}
Table = dict[str, dict[str, list[str]]]


def walked() -> Table:
    """Visit every address as everybody."""
    table: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    agency_id = bench().agency_id
    for walker in walk.WALKERS:
        client = walk.client_of(walker, agency_id=agency_id)
        session = dict(client.session)
        for address in walk.addresses():
            table[address.route][walk.visit(client, address)].append(walker)
            if (
                dict(client.session) != session and walker != walk.NOBODY
            ):  # a page that ends sessions, or notes
                client = _again(client, session)
    return {route: dict(outcomes) for route, outcomes in table.items()}


def _again(client: Client, session: dict[str, object]) -> Client:
    """Give the same session its first content back."""
    kept = client.session
    kept.clear()
    kept.update(session)
    kept.save()
    return client


def kept() -> Table:
    return tomllib.loads(walk.KEPT.read_text(encoding="utf-8")) if walk.KEPT.exists() else {}


@pytest.mark.slow
def test_every_address_answers_everybody_as_the_table_says(db: str) -> None:
    found = walked()
    if os.environ.get("WEITUO_WRITE_SNAPSHOTS") == "1":
        walk.KEPT.write_text(walk.as_toml(found), encoding="utf-8")
    table = kept()
    assert sorted(set(found) - set(table)) == [], (
        "addresses without an entry: run `make snapshots` and review"
    )
    assert sorted(set(table) - set(found)) == [], "entries without an address"
    differing = {route: (found[route], table[route]) for route in found if found[route] != table[route]}
    assert differing == {}


def test_the_table_names_everybody_at_every_address() -> None:
    for route, outcomes in kept().items():
        assert sorted(who for those in outcomes.values() for who in those) == sorted(walk.WALKERS), route


def test_the_table_keeps_to_the_rules_of_the_house() -> None:
    """Whatever the program does, these would be wrong."""
    wrong = []
    for route, outcomes in kept().items():
        ours = not route.startswith("/accounts/")
        for outcome, who in outcomes.items():
            those = set(who)
            if outcome.startswith("public") and ours and route not in FOR_EVERYBODY:
                wrong.append(f"{route}: public, and not on the list with a reason")
            if outcome[-3:].startswith("5") or outcome.startswith(("sent to", "fault")):
                wrong.append(f"{route}: {outcome} for {who}")
            if outcome == "open 405" and Role.AUDITOR.value in those:
                wrong.append(f"{route}: an auditor may post")
            if not outcome.startswith("open"):
                continue
            if walk.NOBODY in those:
                wrong.append(f"{route}: open to nobody in particular")
            if route.startswith("/my/") and those - {Role.BORROWER.value}:
                wrong.append(f"{route}: a borrower's page is open to {those}")
            if route.startswith("/agency/") and those - AGENCY:
                wrong.append(f"{route}: a portal page is open to {those - AGENCY}")
            if not route.startswith(("/my/", "/agency/")) and those & (AGENCY | {Role.BORROWER.value}):
                wrong.append(f"{route}: a console page is open to {those & (AGENCY | {Role.BORROWER.value})}")
    assert wrong == []


def test_whoever_may_not_read_a_page_may_not_post_to_it(db: str) -> None:
    table, agency_id = kept(), bench().agency_id
    for walker in (walk.NOBODY, Role.COLLECTOR.value, Role.ANALYST.value, Role.BORROWER.value):
        client = walk.client_of(walker, agency_id=agency_id)
        for address in walk.addresses():
            [outcome] = [name for name, who in table[address.route].items() if walker in who]
            if not outcome.startswith(("open", "public")):
                assert walk.visit(client, address, method="POST") == outcome, (walker, address.route)


def test_a_view_without_a_rule_is_denied_to_everybody(db: str) -> None:
    def bare(request: HttpRequest) -> HttpResponse:
        raise AssertionError("a view without a rule ran")

    assert access.rule_of(bare) is None
    guard = middleware.AccessMiddleware(lambda request: HttpResponse())
    for method in ("GET", "POST"):
        request = RequestFactory().generic(method, "/bare/")
        response = guard.process_view(request, bare, (), {})
        assert response is not None
        assert response.status_code == 403


def test_every_view_of_ours_has_a_rule() -> None:
    assert [one.route for one in walk.addresses() if access.rule_of(one.view) is None] == []


def test_without_a_second_factor_a_person_is_sent_to_set_one_up(db: str) -> None:
    client = walk.client_of(Role.VENDOR_MANAGER.value, second_factor=False)
    session = client.session
    del session["second_factor_ready"]
    session.save()
    for address in walk.addresses():
        rule = access.rule_of(address.view)
        assert rule is not None
        if not rule.public and Kind.BORROWER not in rule.kinds:
            assert walk.visit(client, address) == "sent to /accounts/2fa/totp/activate/", address.route
