"""Days are the lender's: at the border of a UTC day and a lender's day every room counts the same one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import polars as pl
import pytest
from django.test import override_settings

from weituo.domain.contact import services as contact
from weituo.domain.evaluation import outcomes
from weituo.domain.ledger import services as ledger
from weituo.domain.placement import services as placement
from weituo.domain.sharing import errors as sharing_errors
from weituo.domain.sharing import services as sharing
from weituo.domain.tracking import queries as tracking
from weituo.domain.tracking import services as tracking_services
from weituo.domain.tracking.errors import PromiseRefused
from weituo.foundation import days, transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import sharing as sharing_build
from tests.builders import tracking as build
from tests.builders.contact import bench
from tests.builders.ledger import placed_accounts

MANAGER = actors.staff()
#: the last minute of 30 April and the first of 1 May on the lender's wall: in UTC both lie on 30 April
BEFORE = datetime(2026, 4, 30, 15, 59, tzinfo=UTC)
AFTER = datetime(2026, 4, 30, 16, 1, tzinfo=UTC)
MAY = date(2026, 5, 1)


def change(sql: str, values: list[object], *, at: datetime = BEFORE) -> None:
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(sql, values)
        journal.write(actor=actors.worker(), at=at, act="test.change", entries=[])


def attempted(agency_id: UUID, placement_id: UUID, borrower_id: UUID, point: UUID, *, at: datetime) -> None:
    change(
        "INSERT INTO contact_attempt (agency_id, placement_id, borrower_id, contact_point_id, channel, made_at, reported_at, result, sender_ref) "
        "VALUES (%s, %s, %s, %s, 'VOICE', %s, %s, 'RIGHT_PARTY', %s)",
        [agency_id, placement_id, borrower_id, point, at, at, at.isoformat()],
        at=at,
    )


class TestCalendar:
    def test_an_instant_falls_on_the_day_of_the_lenders_wall(self) -> None:
        assert (days.day_of(BEFORE), days.day_of(AFTER)) == (date(2026, 4, 30), MAY)
        assert days.start_of(MAY) == datetime(2026, 4, 30, 16, tzinfo=UTC)
        frame = pl.DataFrame({"at": [BEFORE, AFTER]}, schema={"at": pl.Datetime("us", "UTC")})
        assert frame.select(days.day_expr("at"))["at"].to_list() == [days.day_of(BEFORE), days.day_of(AFTER)]

    def test_it_follows_the_setting(self) -> None:
        with override_settings(TIME_ZONE="America/New_York"):
            assert days.day_of(AFTER) == date(2026, 4, 30)
            assert days.start_of(MAY) == datetime(2026, 5, 1, 4, tzinfo=UTC)

    def test_an_instant_without_a_zone_is_none(self) -> None:
        with pytest.raises(ValueError, match="aware"):
            days.day_of(datetime(2026, 4, 30))


class TestPeriods:
    def test_evaluation_counts_a_placement_and_what_came_of_it_by_the_lenders_day(self, db: str) -> None:
        desk = bench(count=2)
        for case, at in zip(desk.cases, (BEFORE, AFTER), strict=True):
            change("UPDATE placement_placement SET placed_at = %s WHERE id = %s", [at, case.placement_id])
        april = outcomes.outcomes(MANAGER, period_from=date(2026, 4, 1), period_to=MAY)
        may = outcomes.outcomes(MANAGER, period_from=MAY, period_to=date(2026, 6, 1))
        assert april["placement_id"].to_list() == [str(desk.cases[0].placement_id)]
        assert may["placement_id"].to_list() == [str(desk.cases[1].placement_id)]
        assert april["months"].to_list() == pytest.approx([1 / 30.4375])
        for at in (BEFORE, AFTER):
            attempted(
                desk.agency_id, desk.cases[0].placement_id, desk.cases[0].borrower_id, desk.point(), at=at
            )
        again = outcomes.outcomes(MANAGER, period_from=date(2026, 4, 1), period_to=MAY)
        assert again["attempts"].to_list() == [1]

    def test_a_review_counts_contacts_by_the_lenders_day(self, db: str) -> None:
        desk = bench()
        for at in (BEFORE, AFTER):
            attempted(
                desk.agency_id, desk.cases[0].placement_id, desk.cases[0].borrower_id, desk.point(), at=at
            )
        april = tracking.figures(
            MANAGER, agency_id=desk.agency_id, period_from=date(2026, 4, 1), period_to=MAY
        )
        may = tracking.figures(MANAGER, agency_id=desk.agency_id, period_from=MAY, period_to=date(2026, 6, 1))
        assert (april["attempts"], may["attempts"]) == (1, 1)

    def test_a_case_rests_from_the_lenders_day_on(self, db: str) -> None:
        desk = bench()
        attempted(
            desk.agency_id, desk.cases[0].placement_id, desk.cases[0].borrower_id, desk.point(), at=AFTER
        )
        quiet = MAY + timedelta(days=tracking.QUIET_DAYS)
        assert [row["resting"] for row in tracking.coverage(MANAGER, on=quiet)] == [0]
        assert [row["resting"] for row in tracking.coverage(MANAGER, on=quiet + timedelta(days=1))] == [1]


class TestActs:
    def test_a_promise_for_today_may_be_made_just_after_midnight_and_none_for_yesterday(
        self, db: str
    ) -> None:
        [case] = placed_accounts()
        system = actors.agency_system(case.agency_id)
        with pytest.raises(PromiseRefused):
            tracking_services.record_promises(
                actor=system, promises=[build.promise(case, made_at=AFTER, due_on=MAY - timedelta(days=1))], at=AFTER
            )  # fmt: skip
        [made] = tracking_services.record_promises(
            actor=system, promises=[build.promise(case, made_at=AFTER, due_on=MAY)], at=AFTER
        )
        assert not made.repeated

    def test_a_paper_and_a_training_end_with_the_lenders_day(self, db: str) -> None:
        desk = bench()
        change("UPDATE partners_paper SET valid_to = %s WHERE agency_id = %s", [MAY, desk.agency_id])
        change(
            "UPDATE partners_collector SET trained_until = %s WHERE agency_id = %s",
            [date(2026, 4, 30), desk.agency_id],
        )

        def reasons(at: datetime) -> set[str]:
            request = contact.PermitRequest(
                case_ref=desk.cases[0].case_ref, badge=desk.badge, contact_point_id=desk.point(), channel="VOICE",
                purpose="COLLECT", planned_at=at,
            )  # fmt: skip
            [answer] = contact.ask_permits(
                actor=actors.agency_system(desk.agency_id), requests=[request], at=at - timedelta(hours=8)
            )
            return {one["code"] for one in answer.reasons}

        before, after = reasons(BEFORE), reasons(AFTER)
        assert "GATE-AGENCY" not in before
        assert "GATE-AGENCY" in after
        assert len(after - before) >= 2, "the collector's training is over too"

    def test_no_contact_is_permitted_from_the_first_minute_after_the_term(self, db: str) -> None:
        desk = bench()
        change("UPDATE placement_placement SET term_to = %s WHERE id = %s", [MAY, desk.cases[0].placement_id])
        for planned, over in ((BEFORE, False), (AFTER, True)):
            request = contact.PermitRequest(
                case_ref=desk.cases[0].case_ref, badge=desk.badge, contact_point_id=desk.point(), channel="VOICE",
                purpose="COLLECT", planned_at=planned,
            )  # fmt: skip
            [answer] = contact.ask_permits(
                actor=actors.agency_system(desk.agency_id),
                requests=[request],
                at=planned - timedelta(hours=8),
            )
            assert ("GATE-PLACEMENT" in {one["code"] for one in answer.reasons}) is over
        assert placement.expire_placements(actor=MANAGER, at=BEFORE) == 0
        assert placement.expire_placements(actor=MANAGER, at=AFTER) == 1

    def test_an_agreement_that_ends_today_lets_nothing_out(self, db: str) -> None:
        desk = sharing_build.desk()
        change("UPDATE partners_agreement SET active_to = %s WHERE agency_id = %s", [MAY, desk.agency_id])
        built = sharing.build_package(actor=MANAGER, agency_id=desk.agency_id, run_id=desk.run_id, at=BEFORE)
        with pytest.raises(sharing_errors.NothingMayBeShared):
            sharing.hand_over(actor=actors.agency_system(desk.agency_id), package_id=built, at=AFTER)

    def test_a_payout_is_booked_on_the_lenders_day(self, db: str) -> None:
        from tests.builders import evaluation as paid

        [[case]] = paid.agencies(payers=(1.0,), count=1)
        statement = ledger.draw_statement(
            actor=actors.staff(Role.FINANCE), agency_id=case.agency_id, period_from=date(2026, 3, 1), period_to=date(2026, 4, 1), at=AFTER
        )  # fmt: skip
        ledger.agree_statement(actor=actors.agency_system(case.agency_id), statement_id=statement, at=AFTER)
        ledger.approve_statement(
            actor=actors.staff(Role.FINANCE, name="second"), statement_id=statement, at=AFTER
        )
        with transactions.reading(MANAGER), transactions.connection().cursor() as cursor:
            cursor.execute("SELECT value_on FROM ledger_entry WHERE reason = 'COMMISSION_PAID'")
            assert cursor.fetchall() == [(MAY,)]
