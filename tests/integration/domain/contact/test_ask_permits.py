"""The gate answers before a contact is made, over all agencies, and can say later why."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from weituo.domain.book import services as book
from weituo.domain.contact import facts as gate
from weituo.domain.contact import queries
from weituo.domain.contact import services as contact
from weituo.domain.contact.errors import BatchRefused, CollectorUnknown, PlacementNotYours, PointUnknown
from weituo.domain.partners.policies import REQUIRED_PAPERS
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders.contact import MORNING, Bench, bench


def ask(at_bench: Bench, *offsets: timedelta, number: int = 0, channel: str = "VOICE", at=MORNING):  # type: ignore[no-untyped-def]
    return contact.ask_permits(
        actor=actors.agency_system(at_bench.agency_id),
        requests=[
            contact.PermitRequest(
                case_ref=at_bench.cases[number].case_ref,
                badge=at_bench.badge,
                contact_point_id=at_bench.point(number),
                channel=channel,
                purpose="COLLECT",
                planned_at=MORNING + offset,
            )
            for offset in offsets or (timedelta(0),)
        ],
        at=at,
    )


class TestAnswers:
    def test_a_call_by_day_is_granted_for_ten_minutes(self, db: str) -> None:
        [answer] = ask(bench())
        assert answer.granted
        assert answer.reasons == []
        assert answer.expires_at == MORNING + timedelta(minutes=10)

    def test_a_call_at_half_past_ten_at_night_is_refused_with_the_national_standard(self, db: str) -> None:
        [answer] = ask(bench(), timedelta(hours=12, minutes=30))
        assert not answer.granted
        assert answer.expires_at is None
        assert [one["code"] for one in answer.reasons] == ["CN-HOURS"]
        assert "GB/T 45251-2025" in answer.reasons[0]["citation"]
        assert answer.reasons[0]["retry_at"] == "2026-03-10T00:00:00+00:00"
        said = answer.as_dict(language="en")["reasons"][0]
        assert "22:00" in said["message"]

    @pytest.mark.parametrize("kind", REQUIRED_PAPERS)
    def test_a_required_paper_that_ends_today_stops_every_contact(self, db: str, kind: str) -> None:
        desk = bench()
        with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
            cursor.execute(
                "UPDATE partners_paper SET valid_to = %s WHERE agency_id = %s AND kind = %s",
                [MORNING.date(), desk.agency_id, kind],
            )
            journal.write(actor=actors.worker(), at=MORNING, act="test.lapse", entries=[])
        [answer] = ask(desk)
        assert [one["code"] for one in answer.reasons] == ["GATE-AGENCY"]

    def test_a_hold_stops_the_very_next_permit_and_voids_the_one_before(self, db: str) -> None:
        desk = bench()
        [before] = ask(desk)
        book.place_hold(
            actor=actors.staff(Role.CARE), borrower_id=desk.cases[0].borrower_id, account_id=None, kind="DISPUTE", reason="x", at=MORNING
        )  # fmt: skip
        [after] = ask(desk, timedelta(hours=1))
        assert [one["code"] for one in after.reasons] == ["LENDER-DISPUTE"]
        assert _state(before.permit_id) == "VOID"

    def test_within_one_batch_each_request_sees_the_grants_before_it(self, db: str) -> None:
        answers = ask(bench(contacts_per_week_max=2), timedelta(0), timedelta(hours=1), timedelta(hours=2))
        assert [one.granted for one in answers] == [True, True, False]
        assert answers[2].reasons[0]["code"] == "LENDER-INTENSITY"

    def test_asking_backwards_in_time_does_not_help(self, db: str) -> None:
        desk = bench(contacts_per_week_max=2)
        answers = ask(desk, timedelta(days=2), timedelta(days=1), timedelta(0))
        assert [one.granted for one in answers] == [True, True, False]

    def test_a_wish_for_other_hours_is_kept(self, db: str) -> None:
        desk = bench()
        with transactions.transaction(actors.worker()):
            contact.set_preference(
                borrower_id=desk.cases[0].borrower_id,
                channels=["PHONE"],
                hour_from=18,
                hour_to=20,
                at=MORNING,
            )
            journal.write(actor=actors.worker(), at=MORNING, act="test.wish", entries=[])
        refused, granted = ask(desk, timedelta(0), timedelta(hours=8, minutes=30))
        assert [one["code"] for one in refused.reasons] == ["LENDER-WISH"]
        assert granted.granted

    def test_a_recalled_case_is_refused_as_an_answer(self, db: str) -> None:
        desk = bench()
        _recall(desk.cases[0].placement_id)
        [answer] = ask(desk)
        assert answer.reasons[0]["code"] == "GATE-PLACEMENT"
        assert answer.reasons[0]["retry_at"] is None


class TestWhatTheBatchNames:
    def test_another_agencys_case_does_not_exist(self, db: str) -> None:
        mine, theirs = bench(), bench()
        with pytest.raises(PlacementNotYours):
            contact.ask_permits(
                actor=actors.agency_system(mine.agency_id),
                requests=[_request(theirs, badge=mine.badge)],
                at=MORNING,
            )
        assert queries.permits(actors.staff(), state="") == []

    def test_another_agencys_collector_does_not_exist(self, db: str) -> None:
        mine, theirs = bench(), bench()
        with pytest.raises(CollectorUnknown):
            contact.ask_permits(
                actor=actors.agency_system(mine.agency_id),
                requests=[_request(mine, badge=theirs.badge)],
                at=MORNING,
            )

    def test_another_borrowers_phone_does_not_exist(self, db: str) -> None:
        mine, theirs = bench(), bench()
        with pytest.raises(PointUnknown):
            contact.ask_permits(
                actor=actors.agency_system(mine.agency_id),
                requests=[_request(mine, point=theirs.point())],
                at=MORNING,
            )

    def test_more_than_five_hundred_are_refused(self, db: str) -> None:
        desk = bench()
        with pytest.raises(BatchRefused):
            ask(desk, *[timedelta(minutes=n) for n in range(501)])


class TestRaces:
    def test_two_that_ask_for_the_last_permit_at_once_get_one(self, db: str) -> None:
        desk = bench(contacts_per_week_max=1)
        barrier = threading.Barrier(2)
        granted: list[bool] = []

        def run() -> None:
            try:
                barrier.wait()
                granted.append(ask(desk)[0].granted)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=run) for _ in range(2)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sorted(granted) == [False, True]


class TestReplay:
    def test_a_stored_answer_is_given_again(self, db: str) -> None:
        desk = bench()
        day, night = ask(desk, timedelta(0), timedelta(hours=12, minutes=30))
        officer = actors.staff(Role.COMPLIANCE, name="chen")
        for one in (day, night):
            replayed = queries.replay_permit(officer, permit_id=one.permit_id)
            assert replayed["allowed"] is one.granted
            assert replayed["same_answer"]
            assert replayed["digest_fits"]
            assert replayed["same_packs"]

    def test_what_goes_without_saying_is_not_stored_and_is_said_again(self, db: str) -> None:
        desk = bench()
        ask(desk, timedelta(0))
        second = ask(desk, timedelta(days=1))[0]
        stored = _facts(second.permit_id)
        assert not {"consents", "home_zone", "wish_hours"} & set(stored["facts"])
        assert set(stored["facts"]["contacts"][0]) == {"at"}
        officer = actors.staff(Role.COMPLIANCE, name="chen")
        told = queries.replay_permit(officer, permit_id=second.permit_id)["permit"]["facts"]
        assert told["facts"]["home_zone"] == "Asia/Shanghai"
        assert (told["facts"]["consents"], told["facts"]["wish_hours"]) == ([], None)
        assert told["facts"]["contacts"] == [
            {
                "at": stored["facts"]["contacts"][0]["at"],
                "channel": "call",
                "contact_point": str(desk.point()),
                "recipient": "borrower",
                "result": None,
                "until": (MORNING + timedelta(minutes=10)).isoformat(),
            }
        ]

    def test_facts_that_were_stored_in_full_are_replayed_too(self, db: str) -> None:
        day = ask(bench(), timedelta(0))[0]
        full = gate.whole(_facts(day.permit_id))
        _store_facts(day.permit_id, full)
        replayed = queries.replay_permit(actors.staff(Role.COMPLIANCE, name="chen"), permit_id=day.permit_id)
        assert replayed["digest_fits"]
        assert replayed["same_answer"]
        _store_facts(day.permit_id, full, digest="0" * 64)
        replayed = queries.replay_permit(actors.staff(Role.COMPLIANCE, name="chen"), permit_id=day.permit_id)
        assert not replayed["digest_fits"]

    def test_refusals_are_counted_by_reason(self, db: str) -> None:
        ask(bench(), timedelta(hours=12, minutes=30))
        counted = queries.refusals_today(actors.staff(), since=MORNING, until=MORNING + timedelta(days=1))
        assert [(row["code"], row["n"]) for row in counted] == [("CN-HOURS", 1)]

    def test_an_agency_reads_its_own_refusals_only(self, db: str) -> None:
        mine, theirs = bench(), bench()
        ask(mine, timedelta(hours=12, minutes=30))
        assert queries.refusals_frame(actors.agency_system(mine.agency_id)).height == 1
        assert queries.refusals_frame(actors.agency_system(theirs.agency_id)).is_empty()


def _request(desk: Bench, *, badge: str = "", point: UUID | None = None) -> contact.PermitRequest:
    return contact.PermitRequest(
        case_ref=desk.cases[0].case_ref,
        badge=badge or desk.badge,
        contact_point_id=point or desk.point(),
        channel="VOICE",
        purpose="COLLECT",
        planned_at=MORNING,
    )


def _state(permit_id: UUID) -> str:
    with transactions.reading(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute("SELECT state FROM contact_permit WHERE id = %s", [permit_id])
        return str(cursor.fetchone()[0])


def _facts(permit_id: UUID) -> dict[str, Any]:
    with transactions.reading(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute("SELECT facts::text FROM contact_permit WHERE id = %s", [permit_id])
        stored: dict[str, Any] = json.loads(cursor.fetchone()[0])
        return stored


def _store_facts(permit_id: UUID, facts: dict[str, Any], *, digest: str = "") -> None:
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE contact_permit SET facts = %s, facts_digest = %s WHERE id = %s",
            [json.dumps(facts), digest or gate.digest_of(facts), permit_id],
        )
        journal.write(actor=actors.worker(), at=MORNING, act="test.facts", entries=[])


def _recall(placement_id: UUID) -> None:
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE placement_placement SET state = 'RECALLED', ended_at = %s WHERE id = %s",
            [MORNING, placement_id],
        )
        journal.write(actor=actors.worker(), at=MORNING, act="test.recall", entries=[])
