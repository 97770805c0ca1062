"""Permits and holds as a machine: no permit is granted, and none stays usable, while a stopping hold is in force."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from weituo.domain.book import services as book
from weituo.domain.contact import services as contact
from weituo.domain.reactions import STOPPING
from weituo.foundation import transactions
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders.contact import MORNING, bench

CARE = actors.staff(Role.CARE)
CASES = 2


class PermitMachine(RuleBasedStateMachine):
    """Two borrowers of one agency, a clock that goes forward, and everybody acting at once."""

    @initialize()
    def begin(self) -> None:
        self.desk = bench(count=CASES, contacts_per_week_max=50)
        self.agency = actors.agency_system(self.desk.agency_id)
        self.now = MORNING
        self.holds: dict[int, dict[UUID, str]] = {number: {} for number in range(CASES)}

    @rule(minutes=st.integers(1, 900))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(number=st.integers(0, CASES - 1), kind=st.sampled_from([*sorted(STOPPING), "PROMISE"]))
    def hold(self, number: int, kind: str) -> None:
        case = self.desk.cases[number]
        hold = book.place_hold(
            actor=CARE,
            borrower_id=case.borrower_id,
            account_id=case.account_id,
            kind=kind,
            reason="TOLD_US",
            at=self.now,
        )
        self.holds[number][hold] = kind

    @rule(number=st.integers(0, CASES - 1))
    def release(self, number: int) -> None:
        if self.holds[number]:
            hold, _kind = self.holds[number].popitem()
            book.release_hold(actor=CARE, hold_id=hold, reason="DECIDED", at=self.now)

    def stopped(self, number: int) -> bool:
        return any(kind in STOPPING for kind in self.holds[number].values())

    @rule(
        number=st.integers(0, CASES - 1), ahead=st.integers(0, 600), channel=st.sampled_from(["VOICE", "SMS"])
    )
    def ask(self, number: int, ahead: int, channel: str) -> None:
        planned = self.now + timedelta(minutes=ahead)
        [answer] = contact.ask_permits(
            actor=self.agency,
            requests=[
                contact.PermitRequest(
                    case_ref=self.desk.cases[number].case_ref,
                    badge=self.desk.badge,
                    contact_point_id=self.desk.point(number),
                    channel=channel,
                    purpose="COLLECT",
                    planned_at=planned,
                )
            ],
            at=self.now,
        )
        if answer.granted:
            assert not self.stopped(number)
            local = planned + timedelta(hours=8)
            assert 8 <= local.hour < 22
        else:
            assert answer.reasons
            assert all(reason["citation"] for reason in answer.reasons)

    @invariant()
    def no_permit_is_usable_under_a_stopping_hold(self) -> None:
        if not hasattr(self, "desk"):
            return
        for number, case in enumerate(self.desk.cases):
            if self.stopped(number):
                assert usable(case.borrower_id, self.now) == 0


def usable(borrower_id: UUID, at: datetime) -> int:
    """Count permits that could still be used."""
    with transactions.reading(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM contact_permit WHERE borrower_id = %s AND state = 'GRANTED' AND expires_at > %s",
            [borrower_id, at],
        )
        return int(cursor.fetchone()[0])


@pytest.mark.slow
def test_no_permit_outlives_a_hold(db: str) -> None:
    run_state_machine_as_test(
        PermitMachine,
        settings=settings(
            max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
