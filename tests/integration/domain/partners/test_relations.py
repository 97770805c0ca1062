"""Groups of owners and conflicts: entered and ended with a reason, dated, seen by staff alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError

from weituo.domain.partners import errors, queries, relations, services
from weituo.foundation import days, transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import BadInput, NotAllowed
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors
from tests.builders import placement as build

TODAY = days.day_of(build.AT)
LATER = build.AT + timedelta(days=30)


def test_agencies_of_one_group_are_sisters_while_they_belong_to_it(db: str) -> None:
    lin = actors.staff()
    north, south, alone = (build.agency(code) for code in ("NORTH", "SOUTH", "ALONE"))
    for agency in (north, south):
        services.enter_group(actor=lin, agency_id=agency, group=" Holding ", reason="register", at=build.AT)
    services.enter_group(actor=lin, agency_id=alone, group="Other", reason="register", at=build.AT)
    assert relations.houses(lin, on=TODAY) == {north: "Holding", south: "Holding", alone: "Other"}
    assert relations.sisters(lin, on=TODAY) == {"NORTH": ("SOUTH",), "SOUTH": ("NORTH",)}
    assert relations.sisters(lin, on=TODAY - timedelta(days=1)) == {}
    services.leave_group(actor=lin, agency_id=south, reason="sold", at=LATER)
    assert relations.sisters(lin, on=days.day_of(LATER)) == {}
    assert relations.sisters(lin, on=TODAY) != {}, "what held then is still known"
    [left] = (queries.dossier(lin, agency_id=south) or {})["memberships"]
    assert (left["ended_reason"], left["ended_by_name"]) == ("sold", "Lin")


def test_an_agency_belongs_to_one_group_at_a_time(db: str) -> None:
    lin, agency = actors.staff(), build.agency("NORTH")
    with pytest.raises(errors.NoGroup):
        services.leave_group(actor=lin, agency_id=agency, reason="x", at=build.AT)
    services.enter_group(actor=lin, agency_id=agency, group="A", reason="x", at=build.AT)
    with pytest.raises(errors.GroupStands):
        services.enter_group(actor=lin, agency_id=agency, group="B", reason="x", at=build.AT)
    services.leave_group(actor=lin, agency_id=agency, reason="x", at=LATER)
    with pytest.raises(BadInput):
        services.enter_group(actor=lin, agency_id=agency, group="B", reason="x", active_from=TODAY, at=LATER)
    services.enter_group(actor=lin, agency_id=agency, group="B", reason="x", at=LATER)
    assert relations.houses(lin, on=days.day_of(LATER)) == {agency: "B"}
    for group, reason in (("", "x"), ("C", " ")):
        with pytest.raises(BadInput):
            services.enter_group(actor=lin, agency_id=build.agency(f"X{len(reason)}{len(group)}"), group=group, reason=reason, at=LATER)  # fmt: skip


def test_a_group_stated_at_registration_is_a_membership(db: str) -> None:
    lin = actors.staff()
    agency = services.register_agency(
        actor=lin, code="NEW", name_zh="新", name_en="New", group="Holding", at=build.AT
    )
    assert relations.houses(lin, on=TODAY) == {agency: "Holding"}


def test_conflicts_are_dated_and_ended_with_a_reason(db: str) -> None:
    lin, agency = actors.staff(), build.agency("NORTH")
    desk = build.book(1)
    number = desk.borrowers[0].hex
    by_number = services.enter_conflict(
        actor=lin, agency_id=agency, kind="BORROWER", subject=number, reason="a relative works there", at=build.AT
    )  # fmt: skip
    services.enter_conflict(
        actor=lin, agency_id=agency, kind="REGION", subject="44", reason="exclusivity", active_to=TODAY + timedelta(days=5), at=build.AT
    )  # fmt: skip
    shown = relations.conflicts(lin, on=TODAY)
    assert [(row["kind"], row["subject"]) for row in shown] == [("BORROWER", str(desk.borrowers[0])), ("REGION", "44")]  # fmt: skip
    assert len(relations.conflicts(lin, on=TODAY + timedelta(days=5))) == 1
    assert relations.conflicts(lin, on=TODAY - timedelta(days=1)) == []
    mine = {"borrower_id": desk.borrowers[0], "region": "440000", "product": "CARD", "on": TODAY}
    assert len(relations.conflicts_of_account(lin, **mine)) == 2
    assert len(relations.conflicts_of_account(lin, **mine | {"borrower_id": new_id()})) == 1
    with pytest.raises(errors.ConflictStands):
        services.enter_conflict(
            actor=lin, agency_id=agency, kind="BORROWER", subject=str(desk.borrowers[0]), reason="again", at=build.AT
        )  # fmt: skip
    services.end_conflict(actor=lin, conflict_id=by_number, reason="left", at=LATER)
    with pytest.raises(errors.ConflictNotFound):
        services.end_conflict(actor=lin, conflict_id=by_number, reason="left", at=LATER)
    assert relations.conflicts(lin, on=days.day_of(LATER)) == []
    assert len(relations.conflicts(lin, on=TODAY)) == 2
    acts = [row["act"] for row in journal.entries(actors.staff(Role.AUDITOR), limit=10)]
    assert {"partners.enter_conflict", "partners.end_conflict"} <= set(acts)


@pytest.mark.parametrize(
    ("kind", "subject", "reason"),
    [
        ("BORROWER", "nobody", "x"),
        ("BORROWER", "01a213bb-c788-7fc3-8015-2c38a6c4a757", "x"),
        ("REGION", " ", "x"),
        ("WEATHER", "rain", "x"),
        ("PRODUCT", "CARD", " "),
        ("EMPLOYER", "y" * 121, "x"),
    ],
)
def test_a_conflict_with_nothing_or_nobody_is_refused(db: str, kind: str, subject: str, reason: str) -> None:
    with pytest.raises(BadInput):
        services.enter_conflict(
            actor=actors.staff(), agency_id=build.agency("NORTH"), kind=kind, subject=subject, reason=reason, at=build.AT
        )  # fmt: skip


def test_staff_alone_enter_and_see_relations(db: str) -> None:
    agency = build.agency("NORTH")
    with pytest.raises(NotAllowed):
        services.enter_group(
            actor=actors.staff(Role.CARE), agency_id=agency, group="A", reason="x", at=build.AT
        )
    with pytest.raises(NotAllowed):
        services.enter_conflict(
            actor=actors.agency_system(agency),
            agency_id=agency,
            kind="REGION",
            subject="44",
            reason="x",
            at=build.AT,
        )
    with pytest.raises(NotAllowed):
        relations.conflicts(actors.agency_system(agency), on=TODAY)
    for table in ("partners_conflict", "partners_membership"):
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transactions.reading(actors.agency_system(agency)),
        ):
            transactions.rows(f"SELECT 1 FROM {table}")
