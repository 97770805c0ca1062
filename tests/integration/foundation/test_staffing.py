"""People invited, given a role, stopped and let back by an administrator; an invitation that opens once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator

from weituo.foundation.audit import journal
from weituo.foundation.errors import BadInput, NotAllowed, NotFound
from weituo.foundation.identity import people, staffing
from weituo.foundation.identity.enrolment import UserExists
from weituo.foundation.identity.errors import (
    InvitationRefused,
    LastAdministrator,
    OwnAccount,
    StandsAlready,
    WeakPassword,
)
from weituo.foundation.identity.models import User
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Kind

from tests.builders import actors
from tests.builders.ledger import AT

CHEN = actors.staff(Role.ADMIN, name="chen")
AGENCY = actors.actor_id("agency")
PASSWORD = "a long enough one"


def invitation(username: str = "lin", *, role: Role = Role.ANALYST, agency_id: UUID | None = None) -> staffing.Invitation:  # fmt: skip
    return staffing.invite(actor=CHEN, username=username, name=username.title(), role=role, agency_id=agency_id, at=AT)  # fmt: skip


def joined(username: str = "lin", **given: Any) -> UUID:
    found = invitation(username, **given)
    staffing.accept(token=found.token, password=PASSWORD, at=AT)
    return found.user_id


def test_an_invitation_opens_once_and_its_token_is_kept_nowhere(db: str) -> None:
    found = invitation()
    assert staffing.invited(found.token, at=AT) == staffing.Invited(username="lin", name="Lin")
    assert not User.objects.get(username="lin").has_usable_password()
    with pytest.raises(WeakPassword):
        staffing.accept(token=found.token, password="short", at=AT)
    assert staffing.accept(token=found.token, password=PASSWORD, at=AT) == "lin"
    assert User.objects.get(username="lin").check_password(PASSWORD)
    with pytest.raises(InvitationRefused):
        staffing.accept(token=found.token, password="another long one", at=AT)
    said = journal.entries(CHEN, what="user", ref=str(found.user_id))
    assert [(entry["act"], entry["actor_name"]) for entry in said] == [
        ("identity.accept", "Lin"),
        ("identity.invite", "Chen"),
    ]
    assert found.token not in str(said)
    assert PASSWORD not in str(said)


def test_an_invitation_ends_with_its_time_with_a_newer_one_and_with_the_person(db: str) -> None:
    first = invitation()
    assert first.ends_at == AT + timedelta(hours=staffing.INVITATION_HOURS)
    with pytest.raises(InvitationRefused):
        staffing.invited(first.token, at=first.ends_at)
    for nonsense in ("", "x", first.token[:-1] + ("a" if first.token[-1] != "a" else "b")):
        with pytest.raises(InvitationRefused):
            staffing.invited(nonsense, at=AT)
    second = staffing.renew_sign_in(actor=CHEN, user_id=first.user_id, reason="link lost", at=AT)
    with pytest.raises(InvitationRefused):
        staffing.invited(first.token, at=AT)
    assert staffing.invited(second.token, at=AT).username == "lin"
    staffing.deactivate(actor=CHEN, user_id=first.user_id, reason="left", at=AT)
    with pytest.raises(InvitationRefused):
        staffing.invited(second.token, at=AT)


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"username": "a b"}, BadInput),
        ({"username": " "}, BadInput),
        ({"name": " "}, BadInput),
        ({"role": Role.COLLECTOR}, BadInput),
        ({"agency_id": AGENCY}, BadInput),
        ({"role": Role.BORROWER}, BadInput),
        ({"username": "CHEN"}, UserExists),
    ],
)
def test_what_cannot_be_is_refused(db: str, given: dict[str, Any], refusal: type[Exception]) -> None:
    invitation("chen", role=Role.ADMIN)
    with pytest.raises(refusal):
        staffing.invite(**{"actor": CHEN, "username": "lin", "name": "Lin", "role": Role.ANALYST, "at": AT} | given)  # fmt: skip
    assert User.objects.count() == 1


def test_an_agency_s_person_accepts_with_the_rights_of_the_agency(db: str) -> None:
    joined("wu", role=Role.COLLECTOR, agency_id=AGENCY)
    actor = people.actor_by_username("wu")
    assert (actor.kind, actor.agency_id) == (Kind.AGENCY, AGENCY)


def test_a_lost_telephone_ends_password_and_second_factor(db: str) -> None:
    user_id = joined()
    Authenticator.objects.create(user_id=user_id, type=Authenticator.Type.TOTP, data={"secret": ""})
    Authenticator.objects.create(user_id=user_id, type=Authenticator.Type.RECOVERY_CODES, data={})
    found = staffing.renew_sign_in(actor=CHEN, user_id=user_id, reason="telephone lost", at=AT)
    assert not User.objects.get(id=user_id).check_password(PASSWORD)
    assert not Authenticator.objects.exists()
    row = staffing.person(CHEN, user_id=user_id)
    assert row is not None
    assert row["second_factor"] is False
    assert staffing.accept(token=found.token, password=PASSWORD, at=AT) == "lin"


def test_a_role_holds_at_once_and_only_on_its_side(db: str) -> None:
    user_id = joined()
    assert not people.actor_by_username("lin").may("ledger.book_payments")
    staffing.change_role(actor=CHEN, user_id=user_id, role=Role.FINANCE, reason="moved", at=AT)
    assert people.actor_by_username("lin").may("ledger.book_payments")
    [said] = journal.entries(CHEN, act="identity.change_role")
    assert (said["reason"], said["detail"]) == ("moved", {"before": "ANALYST", "after": "FINANCE"})
    for role, refusal in (
        (Role.FINANCE, StandsAlready),
        (Role.COLLECTOR, BadInput),
        (Role.BORROWER, BadInput),
    ):
        with pytest.raises(refusal):
            staffing.change_role(actor=CHEN, user_id=user_id, role=role, reason="x", at=AT)


def test_a_stopped_person_cannot_act_until_let_back(db: str) -> None:
    user_id = joined()
    staffing.deactivate(actor=CHEN, user_id=user_id, reason="left", at=AT)
    with pytest.raises(NotFound):
        people.actor_by_username("lin")
    for again in (staffing.deactivate, staffing.renew_sign_in):
        with pytest.raises(StandsAlready):
            again(actor=CHEN, user_id=user_id, reason="x", at=AT)
    staffing.reactivate(actor=CHEN, user_id=user_id, reason="came back", at=AT)
    assert people.actor_by_username("lin").id == str(user_id)
    with pytest.raises(StandsAlready):
        staffing.reactivate(actor=CHEN, user_id=user_id, reason="x", at=AT)


def test_nobody_changes_their_own_account_nor_the_only_administrator(db: str) -> None:
    admin = joined("chen", role=Role.ADMIN)
    chen = people.actor_by_username("chen")
    with pytest.raises(OwnAccount):
        staffing.change_role(actor=chen, user_id=admin, role=Role.FINANCE, reason="x", at=AT)
    with pytest.raises(LastAdministrator):
        staffing.deactivate(actor=CHEN, user_id=admin, reason="x", at=AT)
    with pytest.raises(LastAdministrator):
        staffing.change_role(actor=CHEN, user_id=admin, role=Role.FINANCE, reason="x", at=AT)
    joined("deng", role=Role.ADMIN)
    staffing.deactivate(actor=CHEN, user_id=admin, reason="left", at=AT)
    assert staffing.held(CHEN) == {"ADMIN": 1}


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.ADMIN, Role.BORROWER}])
def test_only_an_administrator_changes_people(db: str, role: Role) -> None:
    user_id = joined()
    agency = role in {Role.AGENCY_SUPERVISOR, Role.COLLECTOR, Role.INTEGRATOR}
    other = people.actor_for(
        User.objects.db_manager("owner").create_user(username="other", role=role.value, display_name="Other", agency_id=AGENCY if agency else None)
    )  # fmt: skip
    for doing in (
        lambda: staffing.invite(actor=other, username="x", name="X", role=Role.ANALYST, at=AT),
        lambda: staffing.renew_sign_in(actor=other, user_id=user_id, reason="x", at=AT),
        lambda: staffing.change_role(actor=other, user_id=user_id, role=Role.ADMIN, reason="x", at=AT),
        lambda: staffing.deactivate(actor=other, user_id=user_id, reason="x", at=AT),
        lambda: staffing.reactivate(actor=other, user_id=user_id, reason="x", at=AT),
    ):
        with pytest.raises(NotAllowed):
            doing()


def test_a_reason_and_a_person_are_needed(db: str) -> None:
    with pytest.raises(BadInput):
        staffing.deactivate(actor=CHEN, user_id=joined(), reason=" ", at=AT)
    with pytest.raises(NotFound):
        staffing.deactivate(actor=CHEN, user_id=new_id(), reason="x", at=AT)


def test_the_list_is_filtered_and_comes_a_page_at_a_time(db: str) -> None:
    for number in range(staffing.PAGE_ROWS + 2):
        User.objects.db_manager("owner").create_user(username=f"u{number:03}", role=Role.CARE, display_name="U", is_active=number % 2 == 0)  # fmt: skip
    first, second = (staffing.persons_page(CHEN, page=page) for page in (1, 2))
    assert (len(first["rows"]), len(second["rows"]), first["pages"]) == (staffing.PAGE_ROWS, 2, 2)
    assert len({row["id"] for page in (first, second) for row in page["rows"]}) == staffing.PAGE_ROWS + 2
    assert staffing.persons_page(CHEN, active=False)["total"] == 26
    assert staffing.persons_page(CHEN, role="FINANCE")["total"] == 0
    assert (first["active"], first["without_factor"]) == (26, 26)
