"""Settings in the console: people invited by a link that is shown once, roles, keys, what is in force."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from weituo.foundation.identity.models import User
from weituo.foundation.identity.roles import Role

from tests.builders import ledger as build
from tests.builders import pages

PASSWORD = "a long enough one"


def admin(language: str = "en") -> Client:
    return pages.browser(Role.ADMIN, name="chen", language=language)


def invite(client: Client, **given: str) -> Any:
    return client.post("/settings/people/invite/", {"name": "Lin Wei", "username": "lin", "role": "ANALYST", "language": "en", "agency": ""} | given)  # fmt: skip


def link_of(response: Any) -> str:
    found = re.search(r'id="new-link">http://testserver([^<]+)<', response.content.decode())
    assert found is not None
    return found[1]


@pytest.mark.parametrize("language", pages.LANGUAGES)
@pytest.mark.parametrize("address", ["", "roles/", "keys/", "in-force/"])
def test_every_page_answers_what_the_state_is(db: str, address: str, language: str) -> None:
    response = pages.browser(Role.AUDITOR, name="audit", language=language).get(f"/settings/{address}")
    assert response.status_code == 200
    assert response.context["state"]["text"] in pages.words(response)
    assert [place["here"] for place in response.context["places"]].count(True) == 1
    assert 'method="post" action="/settings' not in response.content.decode()


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_a_person_is_invited_by_a_link_chooses_a_password_and_must_set_up_the_second_factor(
    db: str, language: str
) -> None:
    client = admin(language)
    response = invite(client)
    assert "no-store" in response["Cache-Control"]
    link = link_of(response)
    assert link not in client.get("/settings/").content.decode()
    guest = Client(headers={"Accept-Language": language})
    page = guest.get(link)
    assert "lin" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    for password, again in ((PASSWORD, "another long one"), ("short", "short")):
        assert guest.post(link, {"password": password, "again": again}).status_code == 422
    assert guest.post(link, {"password": PASSWORD, "again": PASSWORD})["Location"] == "/accounts/login/"
    assert guest.get(link).status_code == 410
    assert guest.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 410
    assert guest.post("/accounts/login/", {"login": "lin", "password": PASSWORD}).status_code == 302
    assert guest.get("/")["Location"] == "/accounts/2fa/totp/activate/"
    assert guest.get("/accounts/2fa/totp/activate/").status_code == 200


def test_a_refused_invitation_keeps_what_was_typed(db: str) -> None:
    client = admin()
    invite(client)
    again = invite(client, name="Lin Two", role="COMPLIANCE")
    assert again.status_code == 409
    body = again.content.decode()
    assert 'value="Lin Two"' in body
    assert '<option value="COMPLIANCE" selected>' in body
    assert invite(client, username="x", role="NOBODY").status_code == 422
    assert invite(client, username="x", agency="nonsense").status_code == 422
    assert User.objects.count() == 2


def test_an_agency_s_supervisor_is_invited_with_the_agency(db: str) -> None:
    [placed] = build.placed_accounts(count=1)
    client = admin()
    assert invite(client, role="AGENCY_SUPERVISOR").status_code == 422
    link_of(invite(client, role="AGENCY_SUPERVISOR", agency=str(placed.agency_id)))
    assert User.objects.get(username="lin").agency_id == placed.agency_id


def test_a_role_is_changed_a_sign_in_stopped_and_let_back_with_reasons(db: str) -> None:
    client, guest = admin(), pages.browser(Role.ANALYST, name="lin")
    user = User.objects.get(username="lin")
    address = f"/settings/people/{user.id}/"
    assert guest.get("/settings/").status_code == 200
    assert client.post(f"{address}role/", {"role": "FINANCE", "reason": ""}).status_code == 422
    assert client.post(f"{address}role/", {"role": "FINANCE", "reason": "moved"})["Location"] == address
    assert User.objects.get(username="lin").role == "FINANCE"
    assert client.post(f"{address}role/", {"role": "COLLECTOR", "reason": "x"}).status_code == 422
    assert client.post(f"{address}stop/", {"reason": "left"})["Location"] == address
    assert "/accounts/login/" in guest.get("/settings/")["Location"]
    assert client.post(f"{address}stop/", {"reason": "left"}).status_code == 409
    assert client.post(f"{address}restore/", {"reason": "came back"})["Location"] == address
    said = pages.words(client.get(address))
    assert said.count("came back") == said.count("moved") == 1
    link = link_of(client.post(f"{address}link/", {"reason": "telephone lost"}))
    assert Client().get(link).status_code == 200
    assert not Authenticator.objects.filter(user=user).exists()


def test_nobody_else_changes_people_and_an_administrator_not_their_own_account(db: str) -> None:
    client = admin()
    own = User.objects.get(username="chen")
    page = client.get(f"/settings/people/{own.id}/")
    assert page.context["may_change"] is False
    assert client.post(f"/settings/people/{own.id}/stop/", {"reason": "x"}).status_code == 409
    other = pages.browser(Role.COMPLIANCE, name="deng")
    assert other.get(f"/settings/people/{own.id}/").status_code == 200
    assert other.post(f"/settings/people/{own.id}/stop/", {"reason": "x"}).status_code == 403
    assert invite(other).status_code == 403
    assert client.get(f"/settings/people/{UUID(int=7)}/").status_code == 404


def test_roles_say_where_the_second_person_is_missing(db: str) -> None:
    client = admin()
    assert client.get("/settings/roles/").context["state"]["tone"] == "watch"
    for number, role in enumerate((Role.FINANCE, Role.FINANCE, Role.VENDOR_MANAGER, Role.COMPLIANCE, Role.ADMIN)):  # fmt: skip
        User.objects.db_manager("owner").create_user(username=f"u{number}", role=role.value, display_name="U")
    page = client.get("/settings/roles/")
    assert page.context["state"]["tone"] == "good"
    assert {row["code"]: row["people"] for row in page.context["roles"]}["FINANCE"] == 2


def test_a_refused_key_keeps_what_was_typed(db: str) -> None:
    [placed] = build.placed_accounts(count=1)
    response = admin().post("/settings/keys/issue/", {"agency": str(placed.agency_id), "name": "their system", "days": "soon"})  # fmt: skip
    assert response.status_code == 422
    assert 'value="their system"' in response.content.decode()


@pytest.mark.parametrize("address", ["/settings/", "/settings/roles/", "/settings/keys/", "/settings/in-force/"])  # fmt: skip
def test_more_people_take_no_more_statements(db: str, address: str) -> None:
    client = admin()
    few = pages.statements(client, address)
    for number in range(60):
        User.objects.db_manager("owner").create_user(username=f"u{number}", role=Role.CARE, display_name="U")
    assert pages.statements(client, address) == few
