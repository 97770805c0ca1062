"""Recall in two steps: notice, objection, decision by a person or the lender's rule, final on its day."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connections

from weituo.domain.placement import answers, errors, events, queries, services, terms
from weituo.foundation import events as happenings
from weituo.foundation.audit import journal
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors
from tests.builders import placement as build

LIN, ZHAO = actors.staff(name="lin"), actors.staff(name="zhao")
WORKER = actors.worker()
#: seven days after 2 March, the usual terms
FINAL_ON = date(2026, 3, 9)
ON_THE_DAY = datetime.fromisoformat("2026-03-09T00:00+08:00")
BEFORE = ON_THE_DAY - timedelta(minutes=1)


class Case:
    """Placements of one agency, active."""

    def __init__(self, count: int = 4) -> None:
        build.book(count)
        build.model_in_use()
        self.agency_id = build.agency("ALPHA")
        self.agency = actors.agency_system(self.agency_id, role=Role.AGENCY_SUPERVISOR)
        build.approved(build.solved(exploration=0))
        self.ids = build.placement_ids()
        self.refs = [queries.placement(LIN, placement_id=one)["case_ref"] for one in self.ids]

    def notice(
        self, ids: list[UUID] | None = None, *, reason: str = "NO_PROGRESS", final_on: date | None = None
    ) -> int:
        return services.give_notice(
            actor=LIN, placement_ids=ids or self.ids, reason=reason, final_on=final_on, at=build.AT
        )

    def objects(self, refs: list[str] | None = None, *, code: str = "PROMISE_DUE", on: date | None = date(2026, 3, 12), **more: object) -> services.Objected:  # fmt: skip
        given = {"at": build.AT + timedelta(days=1)} | more
        return services.object_to_recall(
            actor=self.agency,
            case_refs=refs or self.refs,
            code=code,
            evidence_on=on,
            **given,  # type: ignore[arg-type]
        )

    def states(self) -> list[str]:
        return [str(queries.placement(LIN, placement_id=one)["state"]) for one in self.ids]

    def waiting(self) -> list[UUID]:
        return [row["objection_id"] for row in answers.notices(LIN) if row["objection_state"] == "OPEN"]


def rules(**upheld: int) -> None:
    """Set the lender's terms."""
    services.set_terms(
        actor=ZHAO, answer_days=3, notice_days=7, retention_times_max=2, retention_months_max=3, upheld_days=upheld,
        reason="as agreed with the agencies", at=build.AT,
    )  # fmt: skip


def test_notice_leaves_the_placements_active_and_is_seen_at_once(
    db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    monkeypatch.setitem(happenings._same_transaction, events.RecallNoticed, [seen.append])
    case = Case()
    assert case.notice(case.ids[:2]) == 2
    assert case.states() == ["ACTIVE"] * 4
    assert seen == [
        events.RecallNoticed(placement_ids=tuple(case.ids[:2]), reason="NO_PROGRESS", final_on=FINAL_ON, noticed_at=build.AT)
    ]  # fmt: skip
    mine = answers.my_notices(case.agency)
    assert {row["case_ref"] for row in mine} == set(case.refs[:2])
    assert {row["final_on"] for row in mine} == {FINAL_ON}
    assert queries.placements_page(LIN, filters={"state": "RECALL_NOTICE"})["total"] == 2
    assert answers.my_counts(case.agency)["notices"] == 2
    assert answers.my_notices(actors.agency_system(build.agency("BETA"))) == []


def test_what_cannot_be_told_is_refused(db: str) -> None:
    case = Case()
    with pytest.raises(errors.RecallRefused):
        case.notice(reason="COMPLAINT")
    with pytest.raises(errors.NoticeRefused):
        case.notice(final_on=FINAL_ON - timedelta(days=1))
    with pytest.raises(errors.PlacementNotFound):
        case.notice([*case.ids, new_id()])
    with pytest.raises(errors.NoticeNeeded):
        services.recall(actor=LIN, placement_ids=case.ids, reason="NO_PROGRESS", at=build.AT)
    services.recall(actor=LIN, placement_ids=case.ids[3:], reason="CONDUCT", at=build.AT)
    assert case.notice(case.ids[:1]) == 1
    # what is under notice or has ended stays as it is
    assert case.notice() == 2
    with pytest.raises(NotAllowed):
        services.give_notice(actor=case.agency, placement_ids=case.ids, reason="NO_PROGRESS", at=build.AT)
    assert case.states() == ["ACTIVE", "ACTIVE", "ACTIVE", "RECALLED"]


def test_a_recall_is_final_on_its_day_and_a_repeat_is_harmless(
    db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[events.PlacementsRecalled] = []
    monkeypatch.setitem(happenings._same_transaction, events.PlacementsRecalled, [seen.append])
    case = Case()
    case.notice(case.ids[:2])
    case.notice(case.ids[2:3], reason="STRATEGY_CHANGED")
    assert services.finalise_recalls(actor=WORKER, at=BEFORE) == 0
    assert services.finalise_recalls(actor=WORKER, at=ON_THE_DAY) == 3
    assert services.finalise_recalls(actor=WORKER, at=ON_THE_DAY) == 0
    assert case.states() == ["RECALLED"] * 3 + ["ACTIVE"]
    assert {event.reason: len(event.placement_ids) for event in seen} == {
        "NO_PROGRESS": 2,
        "STRATEGY_CHANGED": 1,
    }
    one = queries.placement(LIN, placement_id=case.ids[0])
    assert (one["recall_reason"], one["recall_final_on"], one["ended_at"]) == (
        "NO_PROGRESS",
        None,
        ON_THE_DAY,
    )
    assert {row["state"] for row in answers.notices(LIN, open_only=False)} == {"FINAL"}


def test_what_protects_the_customer_is_final_at_once_and_overtakes_a_notice(db: str) -> None:
    case = Case()
    case.notice(case.ids[:2])
    case.objects(case.refs[:1])
    assert (
        services.recall(actor=LIN, placement_ids=case.ids[:1], reason="BORROWER_DECEASED", at=build.AT) == 1
    )
    [overtaken] = [row for row in answers.notices(LIN, open_only=False) if row["state"] == "OVERTAKEN"]
    assert overtaken["objection_state"] == "OVERTAKEN"
    assert answers.overview(LIN, at=ON_THE_DAY) == {
        "offered": 0, "overdue": 0, "to_refill": 0, "notices": 1, "due": 1, "objections": 0,
    }  # fmt: skip


def test_a_notice_is_withdrawn_and_the_placement_stays(db: str) -> None:
    case = Case()
    case.notice(case.ids[:2])
    with pytest.raises(errors.NoticeRefused):
        services.withdraw_notice(actor=LIN, placement_ids=case.ids[:1], reason=" ", at=build.AT)
    with pytest.raises(errors.NoticeNotFound):
        services.withdraw_notice(
            actor=LIN, placement_ids=case.ids[1:3], reason="they work again", at=build.AT
        )
    assert (
        services.withdraw_notice(actor=LIN, placement_ids=case.ids[:1], reason="they work again", at=build.AT)
        == 1
    )
    assert services.finalise_recalls(actor=WORKER, at=ON_THE_DAY) == 1
    assert case.states() == ["ACTIVE", "RECALLED", "ACTIVE", "ACTIVE"]
    assert case.notice(case.ids[:1]) == 1


def test_an_open_objection_holds_the_recall_until_a_person_decides(db: str) -> None:
    case = Case()
    case.notice()
    assert case.objects(case.refs[:3]) == services.Objected(waiting=3, upheld=0)
    assert services.finalise_recalls(actor=WORKER, at=ON_THE_DAY) == 1
    first, second, third = case.waiting()
    decide = services.decide_objections
    with pytest.raises(errors.ObjectionRefused):
        decide(
            actor=LIN,
            objection_ids=[first],
            upheld=True,
            reason="they have a promise",
            at=BEFORE,
            until=FINAL_ON,
        )
    with pytest.raises(errors.ObjectionRefused):
        decide(actor=LIN, objection_ids=[first], upheld=True, reason="", at=BEFORE, until=date(2026, 3, 20))
    with pytest.raises(errors.ObjectionNotFound):
        decide(actor=LIN, objection_ids=[new_id()], upheld=False, reason="no", at=BEFORE)
    decide(
        actor=LIN, objection_ids=[first], upheld=True, reason="a promise", at=BEFORE, until=date(2026, 3, 20)
    )
    # rejected before its day: final on its day; rejected after it: final now
    decide(actor=LIN, objection_ids=[second], upheld=False, reason="nothing was paid", at=BEFORE)
    assert case.states().count("ACTIVE") == 3
    decide(actor=LIN, objection_ids=[third], upheld=False, reason="nothing was paid", at=ON_THE_DAY)
    assert case.states().count("ACTIVE") == 2
    with pytest.raises(errors.ObjectionDecided):
        decide(actor=LIN, objection_ids=[third], upheld=False, reason="again", at=ON_THE_DAY)
    assert services.finalise_recalls(actor=WORKER, at=ON_THE_DAY) == 1
    [stays] = answers.notices(LIN)
    assert (stays["final_on"], stays["told_final_on"], stays["objection_state"]) == (
        date(2026, 3, 20),
        FINAL_ON,
        "UPHELD",
    )
    assert services.finalise_recalls(actor=WORKER, at=datetime.fromisoformat("2026-03-20T00:00+08:00")) == 1
    assert case.states() == ["RECALLED"] * 4


def test_the_lenders_rule_upholds_what_is_near_enough_once(db: str) -> None:
    case = Case()
    rules(PROMISE_DUE=10)
    case.notice()
    assert case.objects(case.refs[:1], on=date(2026, 3, 12)) == services.Objected(waiting=0, upheld=1)
    # too far, before the day itself, without a day, or of another code: a person decides
    assert case.objects(case.refs[1:2], on=date(2026, 3, 19)).waiting == 1
    assert case.objects(case.refs[2:3], on=date(2026, 3, 8)).waiting == 1
    assert case.objects(case.refs[3:], code="PAYMENT_UNDER_WAY").waiting == 1
    moved = queries.placement(LIN, placement_id=case.ids[0])
    assert moved["recall_final_on"] == date(2026, 3, 13)
    [row] = [row for row in answers.notices(LIN) if row["decided_how"] == "RULE"]
    assert (row["objection_state"], row["stays_until"]) == ("UPHELD", date(2026, 3, 13))
    # the rule moves a recall once; the next objection is a person's to decide
    assert case.objects(case.refs[:1], on=date(2026, 3, 14)).waiting == 1


def test_what_is_no_usable_objection_is_refused(db: str) -> None:
    case = Case()
    case.notice(case.ids[:2])
    for wrong in (
        {"code": "BORED"},
        {"code": "OTHER"},
        {"on": None},
        {"text": "his number is 13800138000"},
        {"text": "x" * 201},
        {"evidence_minor": 0},
        {"refs": []},
    ):
        with pytest.raises(errors.ObjectionRefused):
            services.object_to_recall(
                actor=case.agency, case_refs=wrong.get("refs", case.refs[:1]), code=wrong.get("code", "PROMISE_DUE"),
                evidence_on=wrong.get("on", FINAL_ON), text=wrong.get("text", ""), evidence_minor=wrong.get("evidence_minor"),
                at=BEFORE,
            )  # fmt: skip
    with pytest.raises(errors.NoticeNotFound):
        case.objects(case.refs[2:3])
    with pytest.raises(errors.NoticeNotFound):
        case.objects(["BETA-123"])
    with pytest.raises(errors.ObjectionTooLate):
        case.objects(case.refs[:1], at=ON_THE_DAY)
    case.objects(case.refs[:1])
    with pytest.raises(errors.ObjectionStands):
        case.objects(case.refs[:1])
    other = actors.agency_system(build.agency("BETA"))
    with pytest.raises(errors.NoticeNotFound):
        services.object_to_recall(
            actor=other, case_refs=case.refs[1:2], code="PROMISE_DUE", evidence_on=FINAL_ON, at=build.AT
        )
    assert len(case.waiting()) == 1


def test_both_sides_see_the_whole_history(db: str) -> None:
    case = Case(1)
    rules(PROMISE_DUE=10)
    case.notice()
    case.objects(text="two thousand promised", evidence_minor=200_000)
    services.finalise_recalls(actor=WORKER, at=datetime.fromisoformat("2026-03-13T00:00+08:00"))
    lender = answers.history(LIN, placement_id=case.ids[0])
    assert lender == answers.my_history(case.agency, case_ref=case.refs[0])
    assert [row["what"] for row in lender] == [
        "RECALLED",
        "OBJECTION_UPHELD",
        "OBJECTION",
        "NOTICE",
        "PLACED",
    ]
    assert answers.history(actors.agency_system(build.agency("BETA")), placement_id=case.ids[0]) == []
    acts = {entry["act"] for entry in journal.entries(actors.staff(Role.AUDITOR), act="placement.")}
    assert {"placement.give_notice", "placement.object", "placement.finalise_recalls"} <= acts


def test_terms_are_versions_with_bounds(db: str) -> None:
    assert terms.current(LIN) == terms.InForce()
    rules(PROMISE_DUE=10, PAYMENT_UNDER_WAY=0)
    now = terms.current(LIN)
    assert (now.version, dict(now.upheld_days), now.set_by) == (1, {"PROMISE_DUE": 10}, ZHAO.id)
    for wrong in ({"BORED": 3}, {"OTHER": 3}, {"PROMISE_DUE": 61}):
        with pytest.raises(errors.TermsRefused):
            rules(**wrong)
    with pytest.raises(NotAllowed):
        services.set_terms(
            actor=actors.staff(Role.ANALYST), answer_days=1, notice_days=1, retention_times_max=0, retention_months_max=0,
            upheld_days={}, reason="x", at=build.AT,
        )  # fmt: skip
    rules()
    assert [row["version"] for row in terms.versions(LIN)] == [2, 1]


class TestAtOnce:
    """Two acts on the same placement in the same moment: one comes wholly before the other."""

    def at_once(self, *works: Callable[[], object]) -> list[str]:
        barrier, told = threading.Barrier(len(works)), []

        def run(work: Callable[[], object]) -> None:
            try:
                barrier.wait()
                told.append(f"did {work()}")
            except Exception as refused:  # noqa: BLE001 - what came of it is the result
                told.append(type(refused).__name__)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(told)

    def test_a_recall_at_once_against_a_final_one(self, db: str) -> None:
        case = Case(3)
        case.notice()
        told = self.at_once(
            lambda: services.recall(
                actor=LIN, placement_ids=case.ids, reason="BORROWER_DECEASED", at=ON_THE_DAY
            ),
            lambda: services.finalise_recalls(actor=WORKER, at=ON_THE_DAY),
            lambda: services.finalise_recalls(actor=WORKER, at=ON_THE_DAY),
        )
        assert told == ["did 0", "did 0", "did 3"]
        assert len({queries.placement(LIN, placement_id=one)["recall_reason"] for one in case.ids}) == 1
        assert {row["state"] for row in answers.notices(LIN, open_only=False)} <= {"FINAL", "OVERTAKEN"}

    def test_a_decision_against_a_recall_at_once(self, db: str) -> None:
        case = Case(1)
        case.notice()
        case.objects()
        [objection] = case.waiting()
        told = self.at_once(
            lambda: services.recall(actor=LIN, placement_ids=case.ids, reason="CONDUCT", at=BEFORE),
            lambda: services.decide_objections(
                actor=LIN,
                objection_ids=[objection],
                upheld=True,
                reason="x",
                until=date(2026, 3, 20),
                at=BEFORE,
            ),
        )
        assert told in (["did 1", "did 1"], ["ObjectionDecided", "did 1"])
        assert case.states() == ["RECALLED"]
        assert answers.notices(LIN) == []

    def test_two_objections_to_the_same_recall(self, db: str) -> None:
        case = Case(1)
        case.notice()
        assert self.at_once(case.objects, case.objects)[0] == "ObjectionStands"
        assert len(case.waiting()) == 1
