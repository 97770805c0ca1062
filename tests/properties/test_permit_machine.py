"""Permits as a machine: everybody acts at once, and every contact is judged at its own instant.

What the program says is held against the test's own list of what was done, written down without the program's rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from weituo.core.conduct import STOPPING_HOLDS
from weituo.domain.book import services as book
from weituo.domain.care import services as care
from weituo.domain.contact import services as contact
from weituo.domain.partners import services as partners
from weituo.domain.placement import services as placement
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders.contact import MORNING, Bench, bench

CARE = actors.staff(Role.CARE)
LIN = actors.staff(Role.VENDOR_MANAGER)
CASES = 2
SHANGHAI = timedelta(hours=8)
MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)
CHANNELS = {"VOICE": "PHONE", "SMS": "SMS"}
SHARES = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))
RESULTS = st.sampled_from(["RIGHT_PARTY", "UNANSWERED"])
WELCOME = st.sets(st.sampled_from(["PHONE", "SMS"]), min_size=1)
HOURS = st.sampled_from([(8, 22), (8, 11), (11, 19), (19, 22)])
EVENTS = ("hold", "wish", "suspend", "collector", "agreement", "recall")
KINDS = st.sampled_from([*sorted(STOPPING_HOLDS), "PROMISE"])


@dataclass
class Granted:
    """A permit as the agency was given it, and as the lender's side took it back."""

    permit_id: UUID
    number: int
    channel: str
    planned_at: datetime
    used: bool = False


@dataclass
class Known:
    """What the test knows of one borrower."""

    holds: dict[UUID, str] = field(default_factory=dict)
    wish: tuple[frozenset[str], int, int] | None = None
    recalled: bool = False
    made: list[datetime] = field(default_factory=list)
    spoken: list[datetime] = field(default_factory=list)


class PermitMachine(RuleBasedStateMachine):
    """Two borrowers of one agency, a clock that goes forward, and everybody acting at once."""

    desk: Bench

    @initialize(most=st.sampled_from([1, 2, 5]))
    def begin(self, most: int) -> None:
        self.most = most
        self.desk = bench(count=CASES, contacts_per_week_max=most)
        self.agency = actors.agency_system(self.desk.agency_id)
        self.now = MORNING
        self.known = [Known() for _ in range(CASES)]
        self.permits: list[Granted] = []
        self.suspended = self.collector_left = self.agreement_ended = False
        self.references = count()

    # --- time and what changes ---------------------------------------------------------------------------------------

    @rule(minutes=st.one_of(st.integers(1, 12), st.integers(1, 900), st.just(7 * 24 * 60 - 5)))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(
        data=st.data(), number=st.integers(0, CASES - 1), event=st.sampled_from([*EVENTS, "release", "mend"])
    )
    def something_happens(self, data: st.DataObject, number: int, event: str) -> None:
        self.happen(event, number, data)

    def happen(self, event: str, number: int, data: st.DataObject) -> None:
        if event == "hold":
            self.hold(number, data.draw(KINDS))
        elif event == "release":
            self.release(number)
        elif event == "wish":
            self.wish(number, data.draw(WELCOME), data.draw(HOURS))
        elif event == "recall":
            self.recall(number)
        elif event == "agreement":
            self.agreement_ends(data.draw(st.sampled_from(["SERVICE", "CONFIDENTIALITY"])))
        elif event == "mend":
            self.mend()
        elif event == "suspend":
            self.suspend()
        elif event == "collector":
            self.collector_leaves()

    def hold(self, number: int, kind: str) -> None:
        if kind in self.known[number].holds.values():
            return  # the same hold stands already: the book refuses it
        case = self.desk.cases[number]
        hold = book.place_hold(
            actor=CARE,
            borrower_id=case.borrower_id,
            account_id=case.account_id,
            kind=kind,
            reason="TOLD_US",
            at=self.now,
        )
        self.known[number].holds[hold] = kind

    def release(self, number: int) -> None:
        if self.known[number].holds:
            hold, _kind = self.known[number].holds.popitem()
            book.release_hold(actor=CARE, hold_id=hold, reason="DECIDED", at=self.now)

    def wish(self, number: int, channels: set[str], hours: tuple[int, int]) -> None:
        care.set_wish(
            actor=CARE,
            borrower_id=self.desk.cases[number].borrower_id,
            channels=sorted(channels),
            hour_from=hours[0],
            hour_to=hours[1],
            language="zh",
            at=self.now,
        )
        self.known[number].wish = (frozenset(channels), *hours)

    def suspend(self) -> None:
        if self.suspended:
            return
        partners.suspend(actor=LIN, agency_id=self.desk.agency_id, reason="complaints", at=self.now)
        self.suspended = True

    def mend(self) -> None:
        """Put everything in order again, so that what was taken back must stay so by itself."""
        mine = self.desk.agency_id
        change(
            "UPDATE partners_agency SET state = 'APPROVED', state_since = %s WHERE id = %s", self.now, mine
        )
        change(
            "UPDATE partners_proposal SET decided_at = %s, decided_by = 'z', approved = true WHERE agency_id = %s",
            self.now,
            mine,
        )
        change("UPDATE partners_collector SET active_to = NULL WHERE agency_id = %s", mine)
        change("UPDATE partners_agreement SET active_to = NULL WHERE agency_id = %s", mine)
        change("UPDATE placement_placement SET state = 'ACTIVE', ended_at = NULL WHERE agency_id = %s", mine)
        self.suspended = self.collector_left = self.agreement_ended = False
        for known in self.known:
            known.recalled = False

    def broken(self) -> bool:
        recalled = any(known.recalled for known in self.known)
        return self.suspended or self.collector_left or self.agreement_ended or recalled

    def collector_leaves(self) -> None:
        if self.collector_left:
            return
        [(found,)] = rows("SELECT id FROM partners_collector WHERE badge = %s", self.desk.badge)
        partners.end_collector(actor=LIN, collector_id=found, reason="left", at=self.now)
        self.collector_left = True

    def agreement_ends(self, kind: str) -> None:
        if self.agreement_ended:
            return
        [(found,)] = rows(
            "SELECT id FROM partners_agreement WHERE agency_id = %s AND kind = %s", self.desk.agency_id, kind
        )
        partners.end_agreement(actor=LIN, agreement_id=found, reason="over", at=self.now)
        self.agreement_ended = True

    def recall(self, number: int) -> None:
        placement.recall(
            actor=LIN,
            placement_ids=[self.desk.cases[number].placement_id],
            reason="CONDUCT",
            at=self.now,
        )
        self.known[number].recalled = True

    # --- the agency --------------------------------------------------------------------------------------------------

    @rule(
        number=st.integers(0, CASES - 1),
        ahead=st.one_of(st.integers(0, 12), st.integers(0, 900), st.integers(7 * 24 * 60 - 12, 7 * 24 * 60)),
        channel=st.sampled_from(["VOICE", "SMS"]),
    )
    def ask(self, number: int, ahead: int, channel: str) -> None:
        self.ask_for(number, self.now + timedelta(minutes=ahead), channel)

    @rule(
        number=st.integers(0, CASES - 1),
        edge=st.sampled_from([11, 19, 22]),
        before=st.integers(1, 9),
        channel=st.sampled_from(["VOICE", "SMS"]),
    )
    def ask_shortly_before_hours_end(self, number: int, edge: int, before: int, channel: str) -> None:
        self.ask_for(number, self.shortly_before(edge, before), channel)

    def shortly_before(self, edge: int, minutes: int) -> datetime:
        """Give the next instant that lies so many minutes before a full hour on the wall."""
        wall = self.now + SHANGHAI
        planned = wall.replace(hour=edge, minute=0, second=0, microsecond=0) - timedelta(minutes=minutes)
        return planned + (DAY if planned < wall else 0 * DAY) - SHANGHAI

    def ask_for(self, number: int, planned: datetime, channel: str) -> Granted | None:
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
            assert answer.expires_at is not None
            assert planned < answer.expires_at <= planned + timedelta(minutes=10)
            assert self.may(number, channel, planned)
            self.permits.append(Granted(answer.permit_id, number, channel, planned))
            return self.permits[-1]
        assert answer.reasons
        assert all(reason["citation"] for reason in answer.reasons)
        return None

    @precondition(lambda self: self.usable_later())
    @rule(data=st.data(), share=SHARES, result=RESULTS)
    def attempt(self, data: st.DataObject, share: float, result: str) -> None:
        """Use any permit at any instant of what is left of its life."""
        self.use(data.draw(st.sampled_from(self.usable_later())), share=share, result=result)

    @rule(
        data=st.data(),
        number=st.integers(0, CASES - 1),
        edge=st.sampled_from([None, 11, 19, 22]),
        before=st.integers(0, 9),
        event=st.sampled_from([None, None, *EVENTS]),
        share=SHARES,
        result=RESULTS,
    )
    def ask_and_use(
        self, data: st.DataObject, number: int, edge: int | None, before: int, event: str | None, share: float, result: str
    ) -> None:  # fmt: skip
        """Tell a whole story: a permit is asked for, something may happen, and the contact is made nevertheless."""
        if self.broken():
            self.mend()
        if edge is None:
            permit = self.ask_for(number, self.now + timedelta(minutes=before), "VOICE")
        else:
            permit = self.ask_for(number, self.shortly_before(edge, before), "VOICE")
        if permit is None:
            return
        if event is not None:
            self.happen(event, number, data)
        self.use(permit, share=share, result=result)

    @rule(
        number=st.integers(0, CASES - 1),
        edge=st.sampled_from([11, 19]),
        minutes=st.integers(0, 9),
        later_first=st.booleans(),
        shares=st.tuples(SHARES, SHARES),
        result=RESULTS,
    )
    def two_a_week_apart(
        self, number: int, edge: int, minutes: int, later_first: bool, shares: tuple[float, float], result: str
    ) -> None:  # fmt: skip
        """Ask for two contacts at the two ends of what is counted, in either order, and make both."""
        if self.broken():
            self.mend()
        self.now = self.shortly_before(edge, 40) + 8 * DAY
        soon = self.now + timedelta(minutes=10)
        wanted = [soon, soon + 7 * DAY + timedelta(minutes=minutes)]
        asked = [self.ask_for(number, one, "VOICE") for one in (reversed(wanted) if later_first else wanted)]
        for permit, share in zip(reversed(asked) if later_first else asked, shares, strict=True):
            if permit is not None:
                self.use(permit, share=share, result=result)

    def use(self, permit: Granted, *, share: float, result: str) -> None:
        """Make a contact at a share of what is left of a permit's life, and report it at once."""
        [(state, ends)] = rows("SELECT state, expires_at FROM contact_permit WHERE id = %s", permit.permit_id)
        first = max(self.now, permit.planned_at)
        self.now = made_at = first + (ends - MOMENT - first) * share if ends > first else first
        found = self.report(permit, made_at=made_at, result=result)
        if state == "VOID":
            assert found == ("PERMIT_VOID",)
        elif made_at >= ends:
            assert "PERMIT_EXPIRED" in found
        else:
            assert found == ()
            assert self.may(permit.number, permit.channel, made_at)
        self.known[permit.number].made.append(made_at)
        if result == "RIGHT_PARTY" and permit.channel == "VOICE":
            self.known[permit.number].spoken.append(made_at)

    def usable_later(self) -> list[Granted]:
        return [
            one for one in self.permits if not one.used and one.planned_at > self.now - timedelta(hours=1)
        ]

    def report(self, permit: Granted, *, made_at: datetime, result: str) -> tuple[str, ...]:
        permit.used = True
        [answer] = contact.log_attempts(
            actor=self.agency,
            attempts=[
                contact.AttemptReport(
                    sender_ref=f"a-{next(self.references)}",
                    case_ref=self.desk.cases[permit.number].case_ref,
                    contact_point_id=self.desk.point(permit.number),
                    channel=permit.channel,
                    made_at=made_at,
                    result=result,
                    permit_id=permit.permit_id,
                )
            ],
            at=self.now,
        )
        return answer.violations

    # --- what must hold ----------------------------------------------------------------------------------------------

    def stopped(self, number: int) -> bool:
        return any(kind in STOPPING_HOLDS for kind in self.known[number].holds.values())

    def may(self, number: int, channel: str, at: datetime) -> bool:
        """Tell, from what the test has seen and done itself, whether a contact at `at` breaks nothing."""
        known, wall = self.known[number], at + SHANGHAI
        if self.stopped(number) or self.suspended or self.collector_left or self.agreement_ended:
            return False
        if known.recalled or not 8 <= wall.hour < 22:
            return False
        if known.wish is not None:
            channels, first, last = known.wish
            if CHANNELS[channel] not in channels or not first <= wall.hour < last:
                return False
        week = sum(at - timedelta(days=7) < one <= at for one in known.made)
        today = sum((one + SHANGHAI).date() == wall.date() for one in known.spoken)
        return week < self.most and (channel != "VOICE" or today < 3)

    @invariant()
    def no_permit_is_usable_where_none_would_be_granted(self) -> None:
        if not hasattr(self, "known"):
            return
        for number, case in enumerate(self.desk.cases):
            if (
                self.stopped(number)
                or self.suspended
                or self.collector_left
                or self.agreement_ended
                or self.known[number].recalled
            ):
                assert usable(case.borrower_id, self.now) == 0

    @invariant()
    def what_is_void_says_why(self) -> None:
        if hasattr(self, "known"):
            assert rows("SELECT 1 FROM contact_permit WHERE (state = 'VOID') <> (void_reasons <> '[]')") == []


def rows(sql: str, *values: object) -> list[tuple[object, ...]]:
    with transactions.reading(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(sql, list(values))
        return list(cursor.fetchall())


def change(sql: str, *values: object) -> None:
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(sql, list(values))
        journal.write(actor=actors.worker(), at=MORNING, act="test.change", entries=[])


def usable(borrower_id: UUID, at: datetime) -> int:
    """Count permits that could still be used."""
    [(found,)] = rows(
        "SELECT count(*) FROM contact_permit WHERE borrower_id = %s AND state = 'GRANTED' AND expires_at > %s",
        borrower_id,
        at,
    )
    assert isinstance(found, int)
    return found


@pytest.mark.slow
def test_no_permit_outlives_what_it_rests_on(db: str) -> None:
    run_state_machine_as_test(
        PermitMachine,
        settings=settings(
            max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
