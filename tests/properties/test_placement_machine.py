"""The life of placements as a machine: offers, answers, deadlines, refills, notices, objections, finals, holds, in any order.

What the test expects of an act is worked out from what it saw and did before, without the program's rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from weituo.domain.book import services as book
from weituo.domain.contact import queries as contact
from weituo.domain.placement import answers, errors, queries, services
from weituo.domain.sharing import errors as sharing_errors
from weituo.domain.sharing import services as sharing
from weituo.foundation import days, transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity.roles import Role
from weituo.foundation.tenancy.actors import Actor

from tests.builders import actors
from tests.builders import placement as build

LIN = actors.staff()
WORKER = actors.worker()
ACCOUNTS = 7
ROOM = 4
CODES = ("ALPHA", "BETA", "GAMMA")
#: GAMMA accepts in advance
ANSWERING = CODES[:2]
DECLINES = st.sampled_from(["NO_CAPACITY", "CONFLICT_OF_INTEREST"])
#: what is drawn does not hang on what stands, so that an example can be played again: it chooses by number
WHICH = st.integers(0, 2**16)
NEVER = ("OFFERED", "DECLINED", "LAPSED", "WITHDRAWN")


class PlacementMachine(RuleBasedStateMachine):
    """Seven accounts of six borrowers, three agencies with room for four each, and a clock that goes forward."""

    @initialize()
    def begin(self) -> None:
        end_the_world_before()
        kept = rows("SELECT id FROM plans_strategy")
        made = build.book(ACCOUNTS - 1, strategy_id=kept[0][0] if kept else None)
        extra = build.book(1, strategy_id=made.strategy_id, borrower_id=made.borrowers[0])
        self.accounts = [*made.accounts, *extra.accounts]
        self.borrowers = dict(zip(self.accounts, [*made.borrowers, *extra.borrowers], strict=True))
        if not rows("SELECT 1 FROM placement_model"):
            build.model_in_use()
        self.number = len(rows("SELECT 1 FROM partners_agency"))
        self.agencies = {code: build.agency(f"{code[0]}{self.number}", capacity=ROOM) for code in CODES}
        for code in ANSWERING:
            build.answers_each(self.agencies[code])
        self.people = {
            code: actors.agency_system(agency, role=Role.AGENCY_SUPERVISOR)
            for code, agency in self.agencies.items()
        }
        self.now = build.AT
        self.runs: list[UUID] = []
        self.holds: dict[UUID, UUID] = {}
        self.entrusted: set[str] = set()
        self.place(7)

    # --- what the lender does ------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 5, 24, 60, 24 * 8]))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(seed=st.integers(0, 50))
    def place_again(self, seed: int) -> None:
        if len(self.runs) < 3:
            self.place(seed)

    def place(self, seed: int) -> None:
        free = self.free()
        try:
            run_id = services.solve_run(
                actor=LIN, seed=seed, at=self.now, as_of=days.day_of(self.now), exploration=0
            )
        except errors.NothingToPlace:
            return
        items = queries.run_items_frame(LIN, run_id=run_id)
        assert set(items["account_id"]) <= {str(one) for one in free}, (
            "an account that is spoken for was a candidate"
        )
        build.approved(run_id, at=self.now)
        self.runs.append(run_id)

    @rule()
    def lapse(self) -> None:
        due = rows(
            "SELECT count(*) FROM placement_placement WHERE state = 'OFFERED' AND answer_by <= %s", self.now
        )
        assert services.lapse_offers(actor=WORKER, at=self.now) == due[0][0]

    @rule(which=WHICH)
    def refill(self, which: int) -> None:
        run_id = one_of(self.runs, which)
        waiting = self.waiting(run_id)
        made = services.refill_run(actor=WORKER, run_id=run_id, at=self.now)
        assert made.placed + made.kept == len(waiting)
        assert self.waiting(run_id) == []

    @rule(which=WHICH, reason=st.sampled_from(["NO_PROGRESS", "STRATEGY_CHANGED"]))
    def notice(self, which: int, reason: str) -> None:
        active = self.placements("ACTIVE")
        if active:
            chosen = some_of(active, which)
            new = [row for row in chosen if row["recall_final_on"] is None]
            told = services.give_notice(
                actor=LIN, placement_ids=[row["id"] for row in chosen], reason=reason, at=self.now
            )
            assert told == len(new)

    @rule(which=WHICH, reason=st.sampled_from(["COMPLAINT", "BORROWER_DECEASED"]))
    def recall(self, which: int, reason: str) -> None:
        live = self.placements("ACTIVE", "OFFERED")
        if live:
            one = one_of(live, which)
            assert services.recall(actor=LIN, placement_ids=[one["id"]], reason=reason, at=self.now) == 1
            [after] = [row for row in self.placements() if row["id"] == one["id"]]
            assert after["state"] == ("RECALLED" if one["state"] == "ACTIVE" else "WITHDRAWN")

    @rule(which=WHICH, upheld=st.booleans(), more=st.integers(1, 10))
    def decide(self, which: int, upheld: bool, more: int) -> None:
        waiting = self.in_order([row for row in answers.notices(LIN) if row["objection_state"] == "OPEN"])
        if not waiting:
            return
        one = one_of(waiting, which)
        until = max(days.day_of(self.now), one["final_on"]) + timedelta(days=more)
        services.decide_objections(
            actor=LIN, objection_ids=[one["objection_id"]], upheld=upheld, reason="looked into", until=until if upheld else None, at=self.now
        )  # fmt: skip
        [after] = [row for row in self.placements() if row["id"] == one["placement_id"]]
        if upheld:
            assert (after["state"], after["recall_final_on"]) == ("ACTIVE", until)
        else:
            over = one["final_on"] <= days.day_of(self.now)
            assert after["state"] == ("RECALLED" if over else "ACTIVE")

    @rule()
    def finalise(self) -> None:
        today = days.day_of(self.now)
        held = {row["placement_id"] for row in answers.notices(LIN) if row["objection_state"] == "OPEN"}
        due = [row["id"] for row in self.placements("ACTIVE") if row["recall_final_on"] and row["recall_final_on"] <= today and row["id"] not in held]  # fmt: skip
        assert services.finalise_recalls(actor=WORKER, at=self.now) == len(due)
        assert services.finalise_recalls(actor=WORKER, at=self.now) == 0
        assert {row["id"] for row in self.placements("RECALLED")} >= set(due)

    @rule(which=WHICH, months=st.integers(1, 3))
    def retain(self, which: int, months: int) -> None:
        active = self.placements("ACTIVE")
        if not active:
            return
        one = one_of(active, which)
        later = one["term_to"] + timedelta(days=28 * months)
        allowed = (
            one["retained"] < 2 and one["recall_final_on"] is None and one["term_to"] > days.day_of(self.now)
        )
        try:
            services.retain(
                actor=LIN, placement_ids=[one["id"]], term_to=later, reason="instalments", at=self.now
            )
        except errors.NotRetainable:
            assert not allowed
        else:
            assert allowed

    @rule()
    def expire(self) -> None:
        over = [row for row in self.placements("ACTIVE") if row["term_to"] <= days.day_of(self.now)]
        assert services.expire_placements(actor=WORKER, at=self.now) == len(over)

    @rule(which=WHICH)
    def hold(self, which: int) -> None:
        borrower = one_of(list(dict.fromkeys(self.borrowers.values())), which)
        if borrower in self.holds:
            book.release_hold(actor=LIN, hold_id=self.holds.pop(borrower), reason="settled", at=self.now)
            return
        self.holds[borrower] = book.place_hold(
            actor=LIN, borrower_id=borrower, account_id=None, kind="DISPUTE", reason="told", at=self.now
        )

    # --- what agencies do ----------------------------------------------------------------------------------------------

    @rule(which=WHICH, code=st.sampled_from(ANSWERING), accepts=st.booleans(), reason=DECLINES)
    def answer(self, which: int, code: str, accepts: bool, reason: str) -> None:
        offers = self.in_order(answers.my_offers(self.people[code]))
        if not offers:
            return
        chosen = some_of(offers, which)
        refs = [row["case_ref"] for row in chosen]
        late = any(row["answer_by"] <= self.now for row in chosen)
        stopped = {
            row["case_ref"] for row in self.placements("OFFERED") if row["borrower_id"] in self.holds
        } & set(refs)
        try:
            if accepts:
                made = services.accept_placements(actor=self.people[code], case_refs=refs, at=self.now)
                assert (made.accepted, made.withdrawn) == (len(refs) - len(stopped), len(stopped))
                self.entrusted |= set(refs) - stopped
            else:
                assert services.decline_placements(
                    actor=self.people[code], case_refs=refs, reason=reason, at=self.now
                ) == len(refs)
        except errors.AnswerTooLate:
            assert late
        else:
            assert not late

    @rule(code=st.sampled_from(ANSWERING), reason=DECLINES)
    def decline_everything_and_refill(self, code: str, reason: str) -> None:
        offers = [row for row in answers.my_offers(self.people[code]) if row["answer_by"] > self.now]
        if offers:
            refs = [row["case_ref"] for row in offers]
            services.decline_placements(actor=self.people[code], case_refs=refs, reason=reason, at=self.now)
        for run_id in self.runs:
            waiting = self.waiting(run_id)
            made = services.refill_run(actor=WORKER, run_id=run_id, at=self.now)
            assert made.placed + made.kept == len(waiting)

    @rule(which=WHICH, code=st.sampled_from(CODES), ahead=st.integers(0, 20))
    def object(self, which: int, code: str, ahead: int) -> None:
        notices = self.in_order(answers.my_notices(self.people[code]))
        if not notices:
            return
        one = one_of(notices, which)
        today = days.day_of(self.now)
        try:
            services.object_to_recall(
                actor=self.people[code], case_refs=[one["case_ref"]], code="PROMISE_DUE",
                evidence_on=today + timedelta(days=ahead), at=self.now,
            )  # fmt: skip
        except errors.ObjectionTooLate:
            assert one["final_on"] <= today
        except errors.ObjectionStands:
            assert one["objection_state"] == "OPEN"
        else:
            assert one["final_on"] > today and one["objection_state"] != "OPEN"

    @rule(which=WHICH, code=st.sampled_from(CODES))
    def meddle(self, which: int, code: str) -> None:
        """Answer for somebody else: their offers do not exist for it."""
        others = [row for row in self.placements("OFFERED") if row["agency_id"] != self.agencies[code]]
        if others:
            one = one_of(others, which)
            with pytest.raises(errors.OfferNotYours):
                services.accept_placements(actor=self.people[code], case_refs=[one["case_ref"]], at=self.now)

    # --- what always holds ---------------------------------------------------------------------------------------------

    @invariant()
    def one_live_placement_an_account_and_one_agency_a_borrower(self) -> None:
        if not hasattr(self, "accounts"):
            return
        live = self.placements("OFFERED", "ACTIVE")
        assert max(Counter(row["account_id"] for row in live).values(), default=0) <= 1
        agencies: dict[UUID, set[UUID]] = {}
        for row in live:
            agencies.setdefault(row["borrower_id"], set()).add(row["agency_id"])
        assert all(len(those) == 1 for those in agencies.values())
        assert max(Counter(row["agency_id"] for row in live).values(), default=0) <= ROOM

    @invariant()
    def nothing_is_shared_unless_entrusted(self) -> None:
        if not hasattr(self, "accounts"):
            return
        for code, agency in self.people.items():
            seen = {case["case_ref"] for case in contact.my_cases(agency, at=self.now, state="ALL")}
            assert code == "GAMMA" or seen == self.entrusted & self.refs(agency)
            assert {case["case_ref"] for case in contact.my_cases(agency, at=self.now)} == {
                row["case_ref"] for row in self.placements("ACTIVE") if row["agency_id"] == agency.agency_id
            }
        for row in self.placements(*NEVER)[:1]:
            code = next(code for code, agency in self.agencies.items() if agency == row["agency_id"])
            with pytest.raises(sharing_errors.CaseNotFound):
                sharing.disclose_case(actor=self.people[code], case_ref=row["case_ref"], at=self.now)

    @invariant()
    def no_account_is_lost(self) -> None:
        """Every offer that came back waits, went on, or stays in-house, and what went on is the next of its chain."""
        if not hasattr(self, "accounts"):
            return
        by_id = {row["id"]: row for row in self.placements()}
        went_on = {
            row[0]: row
            for row in rows(
                "SELECT from_placement_id, to_placement_id, outcome, account_id FROM placement_refill"
            )
        }
        for row in by_id.values():
            if row["id"] in went_on:
                assert row["state"] in {"DECLINED", "LAPSED"}
                _origin, target, outcome, account = went_on[row["id"]]
                assert account == row["account_id"] and (target is None) == (outcome != "OFFERED")
                assert target is None or by_id[target]["account_id"] == row["account_id"]
        asked = Counter((row["run_id"], row["account_id"], row["agency_id"]) for row in by_id.values())
        assert max(asked.values(), default=1) == 1, "an agency was asked twice within a run"

    @invariant()
    def marks_and_notices_agree(self) -> None:
        if not hasattr(self, "accounts"):
            return
        marked = {row["id"]: row["recall_final_on"] for row in self.placements() if row["recall_final_on"]}
        assert marked == {row["placement_id"]: row["final_on"] for row in answers.notices(LIN)}
        assert rows("SELECT 1 FROM placement_objection o JOIN placement_notice n ON n.id = o.notice_id WHERE o.state = 'OPEN' AND n.state <> 'OPEN'") == []  # fmt: skip

    # --- what the test sees --------------------------------------------------------------------------------------------

    def placements(self, *states: str) -> list[dict[str, Any]]:
        with transactions.reading(WORKER):
            found = transactions.rows(
                "SELECT * FROM placement_placement WHERE agency_id = ANY(%s) ORDER BY id",
                [list(self.agencies.values())],
            )
        # ids are made anew in every example: what is drawn from goes by the order of the accounts
        found.sort(key=lambda row: (self.accounts.index(row["account_id"]), row["id"]))
        return [row for row in found if not states or row["state"] in states]

    def in_order(self, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
        known = [row["case_ref"] for row in self.placements()]
        return sorted(cases, key=lambda row: known.index(row["case_ref"]))

    def refs(self, agency: Actor) -> set[str]:
        return {row["case_ref"] for row in self.placements() if row["agency_id"] == agency.agency_id}

    def free(self) -> set[UUID]:
        taken = {row["account_id"] for row in self.placements("OFFERED", "ACTIVE")}
        return {one for one in self.accounts if one not in taken and self.borrowers[one] not in self.holds}

    def waiting(self, run_id: UUID) -> list[UUID]:
        done = {row[0] for row in rows("SELECT from_placement_id FROM placement_refill")}
        return [
            row["id"]
            for row in self.placements("DECLINED", "LAPSED")
            if row["run_id"] == run_id and row["id"] not in done
        ]


def one_of(found: Sequence[Any], which: int) -> Any:
    """Choose one by its number."""
    return found[which % len(found)]


def some_of(found: Sequence[Any], which: int) -> list[Any]:
    """Choose some by the bits of a number, at least one."""
    return [one for place, one in enumerate(found) if which >> place & 1] or [one_of(found, which)]


def rows(sql: str, *values: object) -> list[tuple[Any, ...]]:
    with transactions.reading(WORKER), transactions.connection().cursor() as cursor:
        cursor.execute(sql, list(values))
        return list(cursor.fetchall())


def end_the_world_before() -> None:
    """Take the accounts and agencies of the last example out of everybody's sight."""
    live = [row[0] for row in rows("SELECT id FROM placement_placement WHERE state IN ('OFFERED', 'ACTIVE')")]
    services.recall(
        actor=LIN, placement_ids=live, reason="PLACED_IN_ERROR", at=build.AT + timedelta(days=900)
    )
    with transactions.transaction(WORKER), transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE book_account SET status = 'CLOSED', closed_on = %s WHERE status = 'OPEN'",
            [date(2026, 1, 31)],
        )
        cursor.execute("UPDATE partners_agency SET state = 'ENDED' WHERE state = 'APPROVED'")
        journal.write(actor=WORKER, at=build.AT, act="test.end", entries=[])


@pytest.mark.slow
def test_placements_live_by_their_rules(db: str) -> None:
    run_state_machine_as_test(
        PlacementMachine,
        settings=settings(
            max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
