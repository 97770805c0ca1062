"""A contact without leave is recorded, and becomes a violation with a clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from weituo.domain.contact import queries
from weituo.domain.contact import services as contact
from weituo.domain.contact.errors import PlacementNotYours, ReferenceReused, ViolationClosed
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders.contact import MORNING, Bench, bench

LATER = MORNING + timedelta(hours=10)


def permit(desk: Bench, *, at: datetime = MORNING) -> UUID:
    [answer] = contact.ask_permits(
        actor=actors.agency_system(desk.agency_id),
        requests=[
            contact.PermitRequest(
                case_ref=desk.cases[0].case_ref,
                badge=desk.badge,
                contact_point_id=desk.point(),
                channel="VOICE",
                purpose="COLLECT",
                planned_at=at,
            )
        ],
        at=MORNING,
    )
    return answer.permit_id


def report(desk: Bench, permit_id: UUID | None, *, made_at: datetime = MORNING, ref: str = "a-1", case: int = 0) -> contact.AttemptReport:  # fmt: skip
    return contact.AttemptReport(
        sender_ref=ref,
        case_ref=desk.cases[case].case_ref,
        contact_point_id=desk.point(case),
        channel="VOICE",
        made_at=made_at,
        result="RIGHT_PARTY",
        permit_id=permit_id,
        duration_s=60,
    )


def log(desk: Bench, *reports: contact.AttemptReport) -> list[contact.AttemptAnswer]:
    return contact.log_attempts(actor=actors.agency_system(desk.agency_id), attempts=reports, at=LATER)


def codes(answers: list[contact.AttemptAnswer]) -> list[tuple[str, ...]]:
    return [one.violations for one in answers]


class TestFindings:
    def test_a_contact_under_its_permit_is_clean(self, db: str) -> None:
        desk = bench()
        assert codes(log(desk, report(desk, permit(desk), made_at=MORNING + timedelta(minutes=9)))) == [()]

    def test_a_contact_without_a_permit_is_a_violation_due_in_three_days(self, db: str) -> None:
        desk = bench()
        assert codes(log(desk, report(desk, None))) == [("NO_PERMIT",)]
        [row] = queries.violations(actors.staff())
        assert (row["severity"], row["answer_due_at"]) == (4, LATER + timedelta(days=3))
        assert "GB/T 45251-2025" in row["rule"]

    def test_a_contact_after_the_permit_ended_is_a_violation(self, db: str) -> None:
        desk = bench()
        late = report(desk, permit(desk), made_at=MORNING + timedelta(minutes=10))
        assert codes(log(desk, late)) == [("PERMIT_EXPIRED",)]

    def test_a_contact_before_the_planned_time_is_a_violation(self, db: str) -> None:
        desk = bench()
        early = report(desk, permit(desk, at=MORNING + timedelta(hours=1)), made_at=MORNING)
        assert codes(log(desk, early)) == [("OTHER_TIME",)]

    def test_a_permit_serves_once(self, db: str) -> None:
        desk = bench()
        one = permit(desk)
        first, second = report(desk, one), report(desk, one, ref="a-2")
        assert codes(log(desk, first, second)) == [(), ("PERMIT_USED_TWICE",)]

    def test_a_contact_after_a_refusal_is_the_gravest(self, db: str) -> None:
        desk = bench()
        night = MORNING + timedelta(hours=12, minutes=30)
        refused = permit(desk, at=night)
        answers = contact.log_attempts(
            actor=actors.agency_system(desk.agency_id),
            attempts=[report(desk, refused, made_at=night)],
            at=night + timedelta(hours=1),
        )
        assert codes(answers) == [("PERMIT_REFUSED",)]
        assert queries.violations(actors.staff())[0]["severity"] == 5

    def test_another_cases_permit_does_not_serve(self, db: str) -> None:
        desk = bench(count=2)
        assert codes(log(desk, report(desk, permit(desk), case=1))) == [("PERMIT_OF_OTHER_CASE",)]


class TestRepeats:
    def test_the_same_report_again_changes_nothing(self, db: str) -> None:
        desk = bench()
        [first] = log(desk, report(desk, None))
        [again] = log(desk, report(desk, None))
        assert again.repeated
        assert (again.attempt_id, again.violations) == (first.attempt_id, first.violations)
        assert queries.attempts_frame(actors.staff()).height == 1

    def test_the_reference_for_another_contact_is_refused(self, db: str) -> None:
        desk = bench()
        log(desk, report(desk, None))
        with pytest.raises(ReferenceReused):
            log(desk, report(desk, None, made_at=MORNING + timedelta(hours=1)))

    def test_another_agencys_case_does_not_exist(self, db: str) -> None:
        mine, theirs = bench(), bench()
        with pytest.raises(PlacementNotYours):
            log(mine, report(theirs, None))


def test_compliance_closes_a_violation_once(db: str) -> None:
    desk = bench()
    log(desk, report(desk, None))
    officer = actors.staff(Role.COMPLIANCE, name="chen")
    [row] = queries.violations(officer)
    contact.close_violation(actor=officer, violation_id=row["id"], outcome="warned", at=LATER)
    assert queries.violations(officer) == []
    with pytest.raises(ViolationClosed):
        contact.close_violation(actor=officer, violation_id=row["id"], outcome="again", at=LATER)
