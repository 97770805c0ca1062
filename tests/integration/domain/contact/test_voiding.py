"""No permit outlives what it rests on: what changes afterwards voids it, with the reason, in the same transaction."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from weituo.domain.book import services as book
from weituo.domain.care import services as care
from weituo.domain.contact import queries, worklist
from weituo.domain.contact import services as contact
from weituo.domain.partners import services as partners
from weituo.domain.partners.errors import CollectorLeft
from weituo.domain.placement import services as placement
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import BadInput
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders.contact import MORNING, Bench, bench

LIN = actors.staff(Role.VENDOR_MANAGER)
CHEN = actors.staff(Role.COMPLIANCE, name="chen")
CARE = actors.staff(Role.CARE, name="mei")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def ask(desk: Bench, *offsets: timedelta, number: int = 0, at: datetime = MORNING) -> list[contact.PermitAnswer]:  # fmt: skip
    return contact.ask_permits(
        actor=actors.agency_system(desk.agency_id),
        requests=[
            contact.PermitRequest(
                case_ref=desk.cases[number].case_ref, badge=desk.badge, contact_point_id=desk.point(number), channel="VOICE", purpose="COLLECT",
                planned_at=MORNING + offset,
            )
            for offset in offsets
        ],
        at=at,
    )  # fmt: skip


def attempt(desk: Bench, permit_id: UUID, *, made_at: datetime, number: int = 0, minutes: int = 0, at: datetime | None = None) -> tuple[str, ...]:  # fmt: skip
    [answer] = contact.log_attempts(
        actor=actors.agency_system(desk.agency_id),
        attempts=[
            contact.AttemptReport(
                sender_ref=f"{permit_id}", case_ref=desk.cases[number].case_ref, contact_point_id=desk.point(number), channel="VOICE", made_at=made_at,
                result="RIGHT_PARTY", permit_id=permit_id, duration_s=60 * minutes,
            )
        ],
        at=at or made_at + 20 * timedelta(minutes=1),
    )  # fmt: skip
    return answer.violations


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with transactions.reading(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(sql, list(values))
        return list(cursor.fetchall())


def change(sql: str, *values: Any) -> None:
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(sql, list(values))
        journal.write(actor=actors.worker(), at=MORNING, act="test.change", entries=[])


def state(permit_id: UUID) -> tuple[str, list[str]]:
    [(found, reasons)] = rows("SELECT state, void_reasons::text FROM contact_permit WHERE id = %s", permit_id)
    return found, [one["code"] for one in json.loads(reasons)]


def noted() -> list[tuple[str, int]]:
    """Give what the log says of permits taken back: why, and how many."""
    return rows(
        "SELECT reason, (detail->>'voided')::int FROM audit_entry WHERE what = 'permits' AND detail ? 'voided' ORDER BY seq"
    )


def collector(desk: Bench) -> UUID:
    found: UUID = rows("SELECT id FROM partners_collector WHERE badge = %s", desk.badge)[0][0]
    return found


def agreement(desk: Bench, kind: str) -> UUID:
    found: UUID = rows(
        "SELECT id FROM partners_agreement WHERE agency_id = %s AND kind = %s", desk.agency_id, kind
    )[0][0]
    return found


def suspend(desk: Bench, at: datetime) -> None:
    partners.suspend(actor=LIN, agency_id=desk.agency_id, reason="complaints", at=at)


def end_service(desk: Bench, at: datetime) -> None:
    partners.end_agreement(actor=LIN, agreement_id=agreement(desk, "SERVICE"), reason="over", at=at)


def end_confidentiality(desk: Bench, at: datetime) -> None:
    partners.end_agreement(actor=LIN, agreement_id=agreement(desk, "CONFIDENTIALITY"), reason="over", at=at)


def leave(desk: Bench, at: datetime) -> None:
    partners.end_collector(actor=LIN, collector_id=collector(desk), reason="left", at=at)


def untrain(desk: Bench, at: datetime) -> None:
    partners.set_training(
        actor=LIN, collector_id=collector(desk), trained_until=date(2026, 3, 8), reason="failed", at=at
    )


def recall(desk: Bench, at: datetime) -> None:
    placement.recall(
        actor=LIN, placement_ids=[case.placement_id for case in desk.cases], reason="CONDUCT", at=at
    )


ENDINGS = [
    (suspend, "GATE-AGENCY", "AGENCY_SUSPENDED"),
    (end_service, "CN-ADMIT", "AGREEMENT_ENDED"),
    (end_confidentiality, "CN-ADMIT", "AGREEMENT_ENDED"),
    (leave, "LENDER-COLLECTOR", "COLLECTOR_LEFT"),
    (untrain, "CN-TRAIN", "TRAINING_CHANGED"),
    (recall, "GATE-PLACEMENT", "CONDUCT"),
]


class TestWhenTheAgencyMayNoLongerWork:
    @pytest.mark.parametrize(("end", "rule", "because"), ENDINGS)
    def test_unused_permits_are_void_at_once_and_a_contact_on_one_is_a_violation(
        self, db: str, end: Callable[[Bench, datetime], None], rule: str, because: str
    ) -> None:
        desk, other = bench(count=2), bench()
        soon, tomorrow = ask(desk, HOUR, DAY)
        [second] = ask(desk, HOUR, number=1)
        [theirs] = ask(other, HOUR)
        end(desk, MORNING + HOUR / 2)
        for one in (soon, tomorrow, second):
            assert state(one.permit_id) == ("VOID", [rule])
        assert state(theirs.permit_id) == ("GRANTED", [])
        assert noted() == [(because, 3)]
        assert attempt(desk, tomorrow.permit_id, made_at=MORNING + DAY) == ("PERMIT_VOID",)

    def test_a_contact_made_before_is_covered_although_it_is_reported_after(self, db: str) -> None:
        desk = bench()
        [now] = ask(desk, timedelta(0))
        suspend(desk, MORNING + timedelta(minutes=5))
        assert attempt(desk, now.permit_id, made_at=MORNING + timedelta(minutes=4)) == ()
        assert state(now.permit_id)[0] == "USED"

    def test_a_contact_from_the_very_moment_on_is_not(self, db: str) -> None:
        desk = bench()
        [now] = ask(desk, timedelta(0))
        suspend(desk, MORNING + timedelta(minutes=5))
        assert attempt(desk, now.permit_id, made_at=MORNING + timedelta(minutes=5)) == ("PERMIT_VOID",)

    def test_a_permit_that_had_ended_is_left_alone(self, db: str) -> None:
        desk = bench()
        [gone] = ask(desk, timedelta(0))
        suspend(desk, MORNING + HOUR)
        assert state(gone.permit_id) == ("GRANTED", [])
        assert noted() == []

    def test_an_agreement_that_is_followed_by_another_takes_nothing_back(self, db: str) -> None:
        desk = bench()
        [soon] = ask(desk, HOUR)
        change(
            "INSERT INTO partners_agreement (id, agency_id, kind, version, fields_allowed, fee_bps_by_bucket, active_from, active_to, ended_reason) "
            "VALUES (uuidv7(), %s, 'SERVICE', 2, '{}', '{}', '2026-03-01', NULL, '')",
            desk.agency_id,
        )
        partners.end_agreement(
            actor=LIN, agreement_id=agreement(desk, "SERVICE"), reason="renewed", at=MORNING
        )
        assert state(soon.permit_id) == ("GRANTED", [])

    def test_training_that_is_renewed_takes_nothing_back_and_lets_later_days_in(self, db: str) -> None:
        desk = bench()
        partners.set_training(
            actor=LIN, collector_id=collector(desk), trained_until=date(2026, 3, 9), reason="test", at=MORNING
        )
        assert [one.granted for one in ask(desk, HOUR, DAY)] == [True, False]
        partners.set_training(
            actor=LIN, collector_id=collector(desk), trained_until=date(2027, 3, 9), reason="test", at=MORNING
        )
        assert [one.granted for one in ask(desk, DAY)] == [True]

    def test_who_has_left_cannot_leave_again_and_a_reason_is_needed(self, db: str) -> None:
        desk = bench()
        with pytest.raises(BadInput):
            partners.end_collector(actor=LIN, collector_id=collector(desk), reason=" ", at=MORNING)
        leave(desk, MORNING)
        with pytest.raises(CollectorLeft):
            leave(desk, MORNING)

    def test_a_permit_being_decided_while_the_agency_is_suspended_does_not_slip_through(
        self, db: str
    ) -> None:
        desk = bench(count=6)
        barrier = threading.Barrier(2)
        done: list[bool] = []

        def run(work: Callable[[], object]) -> None:
            try:
                barrier.wait()
                work()
                done.append(True)
            finally:
                connections.close_all()

        def ask_all() -> None:
            for number in range(6):
                ask(desk, HOUR, number=number)

        threads = [
            threading.Thread(target=run, args=[ask_all]),
            threading.Thread(target=run, args=[lambda: suspend(desk, MORNING)]),
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert done == [True, True]
        assert rows("SELECT count(*) FROM contact_permit WHERE state = 'GRANTED'") == [(0,)]


class TestPermitsAskedAhead:
    """What has a term is judged as it will stand when the contact is planned."""

    @pytest.mark.parametrize(
        ("sql", "rule"),
        [
            ("UPDATE partners_paper SET valid_to = '2026-03-11' WHERE agency_id = %s", "GATE-AGENCY"),
            ("UPDATE partners_agreement SET active_to = '2026-03-11' WHERE agency_id = %s", "CN-ADMIT"),
            ("UPDATE partners_collector SET active_to = '2026-03-11' WHERE agency_id = %s", "LENDER-COLLECTOR"),
            ("UPDATE partners_collector SET trained_until = '2026-03-10' WHERE agency_id = %s", "CN-TRAIN"),
            ("UPDATE placement_placement SET term_to = '2026-03-11' WHERE agency_id = %s", "GATE-PLACEMENT"),
        ],
    )  # fmt: skip
    def test_the_day_of_the_contact_counts(self, db: str, sql: str, rule: str) -> None:
        desk = bench()
        change(sql, desk.agency_id)
        day_before, on_the_day = ask(desk, DAY, 2 * DAY)
        assert day_before.granted
        assert [one["code"] for one in on_the_day.reasons] == [rule]

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE partners_paper SET valid_to = '2026-03-10' WHERE agency_id = %s",
            "UPDATE partners_agreement SET active_to = '2026-03-09' WHERE agency_id = %s",
            "UPDATE partners_collector SET active_to = '2026-03-09' WHERE agency_id = %s",
            "UPDATE partners_collector SET trained_until = '2026-03-08' WHERE agency_id = %s",
            "UPDATE placement_placement SET term_to = '2026-03-10' WHERE agency_id = %s",
            "UPDATE partners_agency SET state = 'ENDED', state_since = '2026-03-09' WHERE id = %s",
        ],
    )
    def test_it_is_looked_at_again_when_the_attempt_is_reported(self, db: str, sql: str) -> None:
        desk = bench()
        [ahead] = ask(desk, DAY)
        change(sql, desk.agency_id)
        assert attempt(desk, ahead.permit_id, made_at=MORNING + DAY) == ("GROUND_GONE",)
        [(detail,)] = rows("SELECT detail::text FROM contact_violation")
        assert json.loads(detail)["lacking"] != []

    def test_a_contact_in_the_morning_of_the_day_on_which_an_agreement_ends_is_covered(self, db: str) -> None:
        desk = bench()
        [now] = ask(desk, timedelta(0))
        end_service(desk, MORNING + HOUR)
        assert (
            attempt(desk, now.permit_id, made_at=MORNING + timedelta(minutes=1), at=MORNING + 2 * HOUR) == ()
        )


class TestQuietHours:
    EVENING = timedelta(hours=11, minutes=58)

    def test_a_permit_asked_at_two_minutes_to_ten_ends_at_ten(self, db: str) -> None:
        [answer] = ask(bench(), self.EVENING)
        assert answer.expires_at == MORNING + timedelta(hours=12)

    @pytest.mark.parametrize(
        ("after", "minutes", "found"),
        [
            (1, 0, ()),
            (1, 1, ()),
            (1, 2, ("QUIET_HOURS",)),
            (8, 0, ("PERMIT_EXPIRED", "QUIET_HOURS")),
        ],
    )
    def test_what_begins_or_goes_on_after_ten_is_a_violation(
        self, db: str, after: int, minutes: int, found: tuple[str, ...]
    ) -> None:
        desk = bench()
        [answer] = ask(desk, self.EVENING)
        made_at = MORNING + self.EVENING + timedelta(minutes=after)
        assert attempt(desk, answer.permit_id, made_at=made_at, minutes=minutes) == found

    def test_a_long_call_by_day_is_none(self, db: str) -> None:
        desk = bench()
        [answer] = ask(desk, timedelta(0))
        made_at = MORNING + timedelta(minutes=9)
        assert attempt(desk, answer.permit_id, made_at=made_at, minutes=25, at=MORNING + HOUR) == ()

    def test_a_permit_ends_when_a_later_one_would_lose_its_place(self, db: str) -> None:
        desk = bench(contacts_per_week_max=1)
        [later] = ask(desk, 7 * DAY + timedelta(minutes=3))
        [now] = ask(desk, timedelta(0))
        assert later.granted
        assert now.expires_at == MORNING + timedelta(minutes=3, microseconds=1)


class TestWhenTheBorrowerSpeaks:
    def wish(self, desk: Bench, *, channels: list[str], hours: tuple[int, int], at: datetime) -> None:
        care.set_wish(
            actor=CARE, borrower_id=desk.cases[0].borrower_id, channels=channels, hour_from=hours[0], hour_to=hours[1], language="zh", at=at
        )  # fmt: skip

    def test_a_wish_voids_what_it_denies_and_leaves_what_it_allows(self, db: str) -> None:
        desk = bench(count=2)
        eleven, evening = ask(desk, HOUR, 8 * HOUR)
        [others] = ask(desk, HOUR, number=1)
        self.wish(desk, channels=["PHONE"], hours=(18, 20), at=MORNING)
        assert state(eleven.permit_id) == ("VOID", ["LENDER-WISH"])
        assert state(evening.permit_id) == ("GRANTED", [])
        assert state(others.permit_id) == ("GRANTED", [])
        assert noted() == [("WISH", 1)]
        assert attempt(desk, eleven.permit_id, made_at=MORNING + HOUR) == ("PERMIT_VOID",)
        assert attempt(desk, evening.permit_id, made_at=MORNING + 8 * HOUR) == ()

    def test_a_wish_for_letters_only_voids_calls(self, db: str) -> None:
        desk = bench()
        [call] = ask(desk, HOUR)
        self.wish(desk, channels=["LETTER"], hours=(8, 9), at=MORNING)
        assert state(call.permit_id) == ("VOID", ["LENDER-WISH"])

    def test_a_wish_shortens_a_permit_that_is_in_use(self, db: str) -> None:
        desk = bench()
        [now] = ask(desk, HOUR - timedelta(minutes=4))
        self.wish(desk, channels=["PHONE"], hours=(8, 11), at=MORNING + HOUR - timedelta(minutes=2))
        assert state(now.permit_id) == ("GRANTED", [])
        assert rows("SELECT expires_at FROM contact_permit") == [(MORNING + HOUR,)]

    @pytest.mark.parametrize(
        ("kind", "rule"),
        [
            ("DISPUTE", "LENDER-DISPUTE"),
            ("HARDSHIP", "LENDER-HARDSHIP"),
            ("REPRESENTED", "LENDER-REPRESENTED"),
            ("CEASED", "LENDER-CEASED"),
            ("DECEASED", "LENDER-STATUS"),
        ],
    )
    def test_a_hold_voids_with_its_reason(self, db: str, kind: str, rule: str) -> None:
        desk = bench(count=2)
        [mine] = ask(desk, HOUR)
        [others] = ask(desk, HOUR, number=1)
        case = desk.cases[0]
        book.place_hold(actor=CARE, borrower_id=case.borrower_id, account_id=case.account_id, kind=kind, reason="told", at=MORNING)  # fmt: skip
        assert state(mine.permit_id) == ("VOID", [rule])
        assert state(others.permit_id) == ("GRANTED", [])
        assert attempt(desk, mine.permit_id, made_at=MORNING + HOUR) == ("PERMIT_VOID",)

    def test_a_hold_that_stops_nothing_leaves_permits(self, db: str) -> None:
        desk = bench()
        [mine] = ask(desk, HOUR)
        book.place_hold(actor=CARE, borrower_id=desk.cases[0].borrower_id, account_id=None, kind="PROMISE", reason="told", at=MORNING)  # fmt: skip
        assert state(mine.permit_id) == ("GRANTED", [])

    def test_the_first_answer_stays_and_is_given_again(self, db: str) -> None:
        desk = bench()
        [mine] = ask(desk, HOUR)
        self.wish(desk, channels=["LETTER"], hours=(8, 9), at=MORNING)
        replayed = queries.replay_permit(CHEN, permit_id=mine.permit_id)
        assert (replayed["allowed"], replayed["same_answer"], replayed["digest_fits"]) == (True, True, True)
        assert [one["code"] for one in replayed["permit"]["void_reasons"]] == ["LENDER-WISH"]

    def test_the_agency_reads_why_and_nobody_else_does(self, db: str) -> None:
        desk, other = bench(), bench()
        [mine] = ask(desk, HOUR)
        self.wish(desk, channels=["LETTER"], hours=(8, 9), at=MORNING)
        case_ref = desk.cases[0].case_ref
        [row] = worklist.permits(actors.agency_system(desk.agency_id), case_ref=case_ref)
        assert (row["id"], row["state"]) == (mine.permit_id, "VOID")
        assert [one["code"] for one in row["void_reasons"]] == ["LENDER-WISH"]
        assert worklist.permits(actors.agency_system(other.agency_id), case_ref=case_ref) == []

    def test_a_permit_void_in_its_life_keeps_its_place_in_the_count(self, db: str) -> None:
        desk = bench(contacts_per_week_max=1)
        [now] = ask(desk, timedelta(0))
        book.place_hold(actor=CARE, borrower_id=desk.cases[0].borrower_id, account_id=None, kind="DISPUTE", reason="told", at=MORNING + timedelta(minutes=2))  # fmt: skip
        change("UPDATE book_hold SET active_to = %s", MORNING + timedelta(minutes=3))
        [again] = ask(desk, HOUR, at=MORNING + timedelta(minutes=4))
        assert [one["code"] for one in again.reasons] == ["LENDER-INTENSITY"]
        assert attempt(desk, now.permit_id, made_at=MORNING + timedelta(minutes=1), at=MORNING + HOUR) == ()
