"""People and keys: made, ended and listed by an administrator, each as an act with its audit entry."""

from __future__ import annotations

from datetime import timedelta

import pytest

from weituo.foundation.audit import journal
from weituo.foundation.errors import BadInput, NotAllowed, NotFound
from weituo.foundation.identity import enrolment, keys, people
from weituo.foundation.identity.errors import KeyEnded, WeakPassword
from weituo.foundation.identity.models import User
from weituo.foundation.identity.people import KeyRefused
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders.ledger import AT

CHEN = actors.staff(Role.ADMIN, name="chen")
AGENCY = actors.actor_id("agency")


def test_a_key_works_until_it_is_ended_and_its_secret_is_never_stored(db: str) -> None:
    issued = keys.issue_key(actor=CHEN, agency_id=AGENCY, name=" system ", at=AT)
    assert people.actor_for_key(issued.secret, at=AT).agency_id == AGENCY
    [row] = keys.keys(CHEN)
    assert row["name"] == "system"
    assert issued.secret not in str(row)
    assert issued.secret.startswith(row["prefix"])
    later = AT + timedelta(hours=1)
    keys.end_key(actor=CHEN, key_id=issued.key_id, reason="lost", at=later)
    with pytest.raises(KeyRefused):
        people.actor_for_key(issued.secret, at=later)
    with pytest.raises(KeyEnded):
        keys.end_key(actor=CHEN, key_id=issued.key_id, reason="again", at=later)
    [ended, made] = journal.entries(CHEN, what="api_key")
    assert (made["act"], ended["act"], ended["reason"]) == ("identity.issue_key", "identity.end_key", "lost")
    assert issued.secret not in str(made)


def test_a_key_without_a_name_or_with_an_end_in_the_past_is_refused(db: str) -> None:
    with pytest.raises(BadInput):
        keys.issue_key(actor=CHEN, agency_id=AGENCY, name=" ", at=AT)
    with pytest.raises(BadInput):
        keys.issue_key(actor=CHEN, agency_id=AGENCY, name="x", at=AT, active_to=AT)
    with pytest.raises(NotFound):
        keys.end_key(actor=CHEN, key_id=AGENCY, reason="x", at=AT)
    assert keys.keys(CHEN) == []


def test_only_an_administrator_issues_keys(db: str) -> None:
    with pytest.raises(NotAllowed):
        keys.issue_key(actor=actors.staff(), agency_id=AGENCY, name="x", at=AT)


def test_a_password_is_set_when_it_holds(db: str) -> None:
    enrolment.add_person(
        actor=CHEN, username="lin", name="Lin", role=Role.VENDOR_MANAGER, password="a long enough one", at=AT
    )
    with pytest.raises(WeakPassword):
        keys.set_password(actor=CHEN, username="lin", password="short", at=AT)
    keys.set_password(actor=CHEN, username="lin", password="another long one", at=AT)
    assert User.objects.get(username="lin").check_password("another long one")
    [row] = keys.persons(CHEN)
    assert (row["username"], row["role"], row["second_factor"]) == ("lin", "VENDOR_MANAGER", False)
    with pytest.raises(NotFound):
        keys.set_password(actor=CHEN, username="nobody", password="another long one", at=AT)
