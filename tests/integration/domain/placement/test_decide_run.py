"""Two persons decide; what changed since the run was solved is looked at again; two at once do no harm."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.db import connections

from weituo.domain.book import services as book_services
from weituo.domain.partners import services as partners
from weituo.domain.placement import errors, events, queries, services
from weituo.domain.placement.services.offering import LETTERS, months_later
from weituo.foundation import events as happenings
from weituo.foundation.audit import journal
from weituo.foundation.errors import BadInput, NotAllowed
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors
from tests.builders import placement as build

LIN, ZHAO = actors.staff(name="lin"), actors.staff(name="zhao")


def proposed(**more: object) -> object:
    """A run that waits for its second person."""
    run_id = build.solved(**more)  # type: ignore[arg-type]
    services.propose_run(actor=LIN, run_id=run_id, at=build.AT)
    return run_id


def decide(
    run_id: object, *, actor: object = ZHAO, approved: bool = True, reason: str = "", **more: object
) -> int:
    """Decide as Zhao."""
    return services.decide_run(
        actor=actor,
        run_id=run_id,
        approved=approved,
        reason=reason,
        at=build.AT,
        **more,  # type: ignore[arg-type]
    )


def test_an_approval_places_and_says_so(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setitem(happenings._same_transaction, events.PlacementsMade, [seen.append])
    build.desk(count=30, capacity=10)
    run_id = proposed(exploration=0)
    assert decide(run_id, reason="fine", term_months=3) == 20
    head = queries.run(LIN, run_id=run_id)  # type: ignore[arg-type]
    assert (head["state"], head["placements"], head["decision_reason"]) == ("APPROVED", 20, "fine")
    assert head["proposed_by"] == LIN.id and head["decided_by"] == ZHAO.id
    assert seen == [events.PlacementsMade(run_id=run_id, placed_at=build.AT)]  # type: ignore[arg-type]
    frame = queries.placements_frame(LIN)
    assert set(frame["term_to"]) == {date(2026, 6, 2)} and set(frame["sequence"]) == {1}
    assert (frame["expected_recovery_minor"] <= frame["balance_minor"]).all()
    auditor = actors.staff(Role.AUDITOR, name="auditor")
    [entry] = journal.entries(auditor, act="placement.decide_run")
    assert (entry["ref"], entry["detail"]["placed"], entry["detail"]["left_out"]) == (str(run_id), 20, 0)


def test_accounts_are_placed_as_late_as_they_were_on_the_runs_day(db: str) -> None:
    build.desk(count=12)
    # 45 days late on the day of the file; 76 on that of the run, 91 when it is decided
    run_id = services.solve_run(actor=LIN, seed=7, at=build.AT, as_of=date(2026, 4, 1), exploration=0)
    assert set(queries.run_items_frame(LIN, run_id=run_id)["bucket"]) == {"M3"}
    build.approved(run_id, at=build.AT + timedelta(days=45))
    placed = queries.placements_frame(LIN)
    assert placed.height > 0
    assert set(placed["bucket"]) == {"M3"}


def test_a_case_reference_says_nothing_of_the_account(db: str) -> None:
    build.desk(count=30)
    decide(proposed())
    frame = queries.placements_frame(LIN)
    for row in frame.to_dicts():
        code, letters = row["case_ref"].split("-")
        assert len(row["case_ref"]) <= 20 and len(letters) == 12 and set(letters) <= set(LETTERS)
        assert code in {"ALPHA", "BETA"}
    assert frame["case_ref"].str.split("-").list.get(1).str.slice(0, 2).n_unique() > 10


def test_an_agency_sees_its_own_placements_only(db: str) -> None:
    desk = build.desk(count=30, capacity=10)
    decide(proposed(exploration=0))
    alpha = actors.agency_system(desk.agencies["ALPHA"])
    own = queries.placements_frame(alpha)
    assert own.height == 10 and set(own["agency_id"]) == {str(desk.agencies["ALPHA"])}
    assert queries.placements_frame(LIN, agency_id=desk.agencies["BETA"]).height == 10
    with pytest.raises(NotAllowed):
        queries.runs(alpha)


def test_whoever_proposed_cannot_decide_and_a_rejection_needs_a_reason(db: str) -> None:
    build.desk(count=5)
    run_id = proposed()
    with pytest.raises(errors.SecondPersonNeeded):
        decide(run_id, actor=LIN)
    with pytest.raises(errors.ReasonNeeded):
        decide(run_id, approved=False, reason=" ")
    with pytest.raises(BadInput):
        decide(run_id, term_months=0)
    assert decide(run_id, approved=False, reason="too much with one agency") == 0
    assert queries.run(LIN, run_id=run_id)["state"] == "REJECTED"  # type: ignore[arg-type]
    assert queries.placements_frame(LIN).is_empty()
    with pytest.raises(errors.WrongRunState):
        decide(run_id)
    with pytest.raises(errors.WrongRunState):
        services.propose_run(actor=LIN, run_id=run_id, at=build.AT)  # type: ignore[arg-type]
    with pytest.raises(errors.RunNotFound):
        services.propose_run(actor=LIN, run_id=new_id(), at=build.AT)
    with pytest.raises(NotAllowed):
        decide(run_id, actor=actors.staff(Role.ANALYST, name="wu"))


def test_accounts_put_on_hold_since_are_left_out(db: str) -> None:
    desk = build.desk(count=10)
    run_id = proposed()
    book_services.place_hold(
        actor=LIN, borrower_id=desk.borrowers[4], account_id=None, kind="DISPUTE", reason="told", at=build.AT
    )
    items = queries.run_items_frame(LIN, run_id=run_id)  # type: ignore[arg-type]
    placed = items["agency_id"].is_not_null().sum()
    assert decide(run_id) == placed - 1
    assert str(desk.accounts[4]) not in queries.placements_frame(LIN)["account_id"].to_list()


def room(agency_id: UUID, accounts: int) -> None:
    """Set how many accounts an agency may hold."""
    partners.set_capacity(
        actor=LIN, agency_id=agency_id, capacity_accounts_max=accounts, reason="surge and shrink", at=build.AT
    )


def test_an_account_whose_borrower_has_met_another_agency_since_is_left_out(db: str) -> None:
    desk = build.book(1)
    build.model_in_use()
    alpha = build.agency("ALPHA")
    first = proposed(exploration=0)
    room(alpha, 0)
    build.agency("BETA")
    hold = book_services.place_hold(
        actor=LIN, borrower_id=desk.borrowers[0], account_id=desk.accounts[0], kind="DISPUTE", reason="told", at=build.AT
    )  # fmt: skip
    build.book(2, strategy_id=desk.strategy_id, borrower_id=desk.borrowers[0])
    assert decide(proposed(exploration=0)) == 2
    book_services.release_hold(actor=LIN, hold_id=hold, reason="settled", at=build.AT)
    room(alpha, 50)
    assert decide(first) == 0
    assert queries.placements_frame(LIN)["agency_id"].n_unique() == 1


def test_a_run_that_another_has_overtaken_is_refused_whole(db: str) -> None:
    build.desk(count=10)
    first, second = proposed(), proposed()
    made = decide(first)
    with pytest.raises(errors.AlreadyPlaced) as caught:
        decide(second)
    assert caught.value.facts["accounts"] == str(made)
    assert queries.run(LIN, run_id=second)["state"] == "PROPOSED"  # type: ignore[arg-type]


def test_an_agency_that_shrank_or_fell_out_of_order_is_refused(db: str) -> None:
    desk = build.desk(count=20, capacity=10)
    run_id = proposed(exploration=0)
    partners.set_capacity(
        actor=LIN, agency_id=desk.agencies["BETA"], capacity_accounts_max=3, reason="shrink", at=build.AT
    )
    with pytest.raises(errors.CapacityExceeded) as caught:
        decide(run_id)
    assert (caught.value.facts["agency"], caught.value.facts["room"]) == ("BETA", "3")
    partners.suspend(actor=LIN, agency_id=desk.agencies["BETA"], reason="complaints", at=build.AT)
    with pytest.raises(errors.AgencyNotInOrder):
        decide(run_id)
    assert queries.placements_frame(LIN).is_empty()


def at_once(*works: Callable[[], object]) -> list[str]:
    """Run works at the same moment in threads of their own; give what each came to."""
    barrier, told = threading.Barrier(len(works)), []

    def run(work: Callable[[], object]) -> None:
        try:
            barrier.wait()
            told.append(f"placed {work()}")
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


def test_two_approvals_at_once_place_an_account_once(db: str) -> None:
    build.desk(count=40)
    first, second = proposed(), proposed(seed=8)
    told = at_once(lambda: decide(first), lambda: decide(second))
    assert told[0] == "AlreadyPlaced" and told[1].startswith("placed")
    frame = queries.placements_frame(LIN)
    assert frame["account_id"].n_unique() == frame.height == int(told[1].split()[1])


def test_two_approvals_at_once_cannot_overfill_an_agency(db: str) -> None:
    desk = build.book(12)
    build.model_in_use()
    build.agency("ALPHA", capacity=15)
    one = proposed(exploration=0)
    holds = [
        book_services.place_hold(
            actor=LIN, borrower_id=borrower, account_id=None, kind="DISPUTE", reason="told", at=build.AT
        )
        for borrower in desk.borrowers
    ]
    build.book(12, strategy_id=desk.strategy_id)
    other = proposed(exploration=0)
    for hold in holds:
        book_services.release_hold(actor=LIN, hold_id=hold, reason="settled", at=build.AT)
    first, second = (
        set(queries.run_items_frame(LIN, run_id=run_id)["account_id"])  # type: ignore[arg-type]
        for run_id in (one, other)
    )
    assert not first & second
    assert at_once(lambda: decide(one), lambda: decide(other)) == ["CapacityExceeded", "placed 12"]
    assert queries.placements_frame(LIN).height == 12


def test_one_approval_at_a_time_of_the_same_run(db: str) -> None:
    build.desk(count=15)
    run_id = proposed()
    told = at_once(lambda: decide(run_id), lambda: decide(run_id, actor=actors.staff(name="qian")))
    assert told[0] == "WrongRunState" and told[1].startswith("placed")


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 3, 2), 6, date(2026, 9, 2)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2026, 11, 30), 24, date(2028, 11, 30)),
    ],
)
def test_months_end_on_the_same_or_the_last_day(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later
