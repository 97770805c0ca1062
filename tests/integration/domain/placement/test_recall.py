"""Taking accounts back: coded reasons, permits and packages end with them, a repeat is harmless; terms end."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from weituo.domain.contact import services as contact
from weituo.domain.placement import errors, events, queries, services
from weituo.domain.sharing import queries as sharing_queries
from weituo.domain.sharing import services as sharing
from weituo.foundation import events as happenings
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors
from tests.builders import placement as build
from tests.builders import sharing as sharing_build
from tests.builders.contact import MORNING, bench

LIN = actors.staff(name="lin")


def placed(count: int = 6) -> list[UUID]:
    """Placements of one approved run."""
    build.desk(count=count)
    build.approved(build.solved())
    return build.placement_ids()


def test_recall_ends_placements_once(db: str) -> None:
    ids = placed()
    assert services.recall(actor=LIN, placement_ids=ids[:2], reason="COMPLAINT", at=build.AT) == 2
    assert services.recall(actor=LIN, placement_ids=ids[:2], reason="COMPLAINT", at=build.AT) == 0
    assert services.recall(actor=LIN, placement_ids=ids[:3], reason="CONDUCT", at=build.AT) == 1
    one = queries.placement(LIN, placement_id=ids[0])
    assert (one["state"], one["recall_reason"], one["ended_at"]) == ("RECALLED", "COMPLAINT", build.AT)
    assert one["code"] in {"ALPHA", "BETA"} and one["run_number"] == 1
    entries = journal.entries(
        actors.staff(Role.AUDITOR, name="auditor"), act="placement.recall", what="placements"
    )
    assert [entry["detail"]["placements"] for entry in entries] == [1, 2]


def test_what_cannot_be_recalled_is_refused(db: str) -> None:
    ids = placed(3)
    with pytest.raises(errors.RecallRefused):
        services.recall(actor=LIN, placement_ids=ids, reason="BORED", at=build.AT)
    with pytest.raises(errors.PlacementNotFound):
        services.recall(actor=LIN, placement_ids=[*ids, new_id()], reason="CONDUCT", at=build.AT)
    with pytest.raises(NotAllowed):
        services.recall(actor=actors.staff(Role.ANALYST), placement_ids=ids, reason="CONDUCT", at=build.AT)
    with pytest.raises(errors.PlacementNotFound):
        queries.placement(LIN, placement_id=new_id())
    assert set(queries.placements_frame(LIN)["state"]) == {"ACTIVE"}


def test_granted_permits_are_void_from_the_same_moment(db: str) -> None:
    desk = bench(count=2)
    requests = [
        contact.PermitRequest(
            case_ref=case.case_ref, badge=desk.badge, contact_point_id=desk.point(number), channel="VOICE",
            purpose="COLLECT", planned_at=MORNING,
        )
        for number, case in enumerate(desk.cases)
    ]  # fmt: skip
    answers = contact.ask_permits(actor=actors.agency_system(desk.agency_id), requests=requests, at=MORNING)
    assert all(answer.granted for answer in answers)
    services.recall(actor=LIN, placement_ids=[desk.cases[0].placement_id], reason="CONDUCT", at=MORNING)
    with transactions.reading(LIN), transactions.connection().cursor() as cursor:
        cursor.execute("SELECT placement_id, state FROM contact_permit")
        states = dict(cursor.fetchall())
    assert states == {desk.cases[0].placement_id: "VOID", desk.cases[1].placement_id: "GRANTED"}
    [again] = contact.ask_permits(
        actor=actors.agency_system(desk.agency_id), requests=requests[1:], at=MORNING
    )
    assert again.reasons == [] or again.granted is False


def test_a_recall_takes_its_cases_out_of_the_package_and_leaves_the_others(db: str) -> None:
    desk = sharing_build.desk()
    package_id = sharing.build_package(actor=LIN, agency_id=desk.agency_id, run_id=desk.run_id, at=build.AT)
    services.recall(actor=LIN, placement_ids=[desk.cases[0].placement_id], reason="DISPUTE", at=build.AT)
    found = sharing_queries.package(LIN, package_id=package_id)
    assert (found["state"], found["cases"], found["taken_back"]) == ("BUILT", 2, 1)


def test_a_term_ends_on_its_day(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[events.PlacementsRecalled] = []
    monkeypatch.setitem(happenings._same_transaction, events.PlacementsRecalled, [seen.append])
    ids = placed(4)
    before, on = datetime(2026, 9, 1, 15, 59, tzinfo=UTC), datetime(2026, 9, 1, 16, 0, tzinfo=UTC)
    assert services.expire_placements(actor=LIN, at=before) == 0
    assert services.expire_placements(actor=LIN, at=on) == len(ids)
    assert services.expire_placements(actor=LIN, at=on) == 0
    assert set(queries.placements_frame(LIN)["state"]) == {"EXPIRED"}
    assert [(set(event.placement_ids), event.reason) for event in seen] == [(set(ids), "EXPIRED")]


def test_a_page_of_placements_is_filtered_and_counted(db: str) -> None:
    ids = placed(8)
    services.recall(actor=LIN, placement_ids=ids[:1], reason="CONDUCT", at=build.AT)
    frame = queries.placements_frame(LIN)
    whole = queries.placements_page(LIN, filters={"agency": "", "run": "nonsense", "run_id": "x"}, page=1)
    assert (whole["total"], whole["balance_minor"]) == (frame.height, frame["balance_minor"].sum())
    for filters, expected in (
        ({"state": "RECALLED"}, 1),
        ({"reason": "CONDUCT"}, 1),
        ({"case_ref": frame["case_ref"][2].lower()}, 1),
        ({"run": "1", "bucket": "M2"}, frame.height),
        ({"account_id": frame["account_id"][0], "agency_id": frame["agency_id"][0]}, 1),
        ({"run": "99"}, 0),
    ):
        assert queries.placements_page(LIN, filters=filters, page=1)["total"] == expected, filters
    assert queries.placements_page(LIN, filters={}, page=7)["rows"] == []
