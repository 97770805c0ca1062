"""How each kind of user enters: whoever is signed in is led to their own start page, nobody to the sign-in page."""

from __future__ import annotations

from unittest import mock
from uuid import UUID

import pytest
from django.test import Client

from weituo.foundation.identity.models import User
from weituo.foundation.identity.roles import KIND_OF, Role
from weituo.foundation.tenancy.actors import Kind
from weituo.web import access

from tests.builders import pages
from tests.builders.contact import bench

PASSWORD = "a long enough word 7"


def browser(role: Role, agency_id: UUID) -> Client:
    own = agency_id if KIND_OF.get(role) == Kind.AGENCY else None
    return pages.browser(role, name=role.value.lower(), agency_id=own)


def borrower() -> Client:
    client = Client()
    session = client.session
    session[access.BORROWER_SESSION_KEY] = str(bench().cases[0].borrower_id)
    session.save()
    return client


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.BORROWER])
def test_whoever_is_signed_in_reaches_their_own_start_page_from_every_door(db: str, role: Role) -> None:
    client = browser(role, bench().agency_id)
    home = "/agency/" if KIND_OF.get(role) == Kind.AGENCY else "/"
    for door in access.FRONT_DOORS:
        response = client.get(door, follow=True)
        assert response.status_code == 200
        assert response.redirect_chain == ([] if door == home else [(home, 302)])


def test_a_borrower_who_has_proved_who_they_are_is_led_to_their_pages(db: str) -> None:
    assert borrower().get("/")["Location"] == "/my/"


def test_nobody_is_led_to_the_sign_in_page(db: str) -> None:
    for door in access.FRONT_DOORS:
        assert Client().get(door)["Location"].startswith("/accounts/login/?next=")


def test_an_agencys_page_inside_the_console_is_still_not_there(db: str) -> None:
    assert browser(Role.AGENCY_SUPERVISOR, bench().agency_id).get("/book/").status_code == 404
    assert browser(Role.VENDOR_MANAGER, bench().agency_id).get("/agency/cases/").status_code == 404


def test_after_the_sign_in_page_an_agencys_person_stands_in_the_portal(db: str) -> None:
    desk = bench()
    User.objects.db_manager("owner").create_user(
        username="deng", password=PASSWORD, role=Role.AGENCY_SUPERVISOR.value, display_name="Deng", agency_id=desk.agency_id
    )  # fmt: skip
    client = Client()
    with mock.patch.object(access, "second_factor_ready", return_value=True):
        opened = client.get("/", follow=True)
        [(address, _status)] = opened.redirect_chain
        signed_in = client.post(address, {"login": "deng", "password": PASSWORD}, follow=True)
    assert signed_in.redirect_chain[-1][0] == "/agency/"
    assert signed_in.status_code == 200
