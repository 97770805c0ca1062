"""Offers: nothing is entrusted before the agency accepts; what it declines or leaves is placed again within the run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import polars as pl
import pytest
from django.db import connections

from weituo.domain.book import services as book
from weituo.domain.care import errors as care_errors
from weituo.domain.care import services as care
from weituo.domain.contact import errors as contact_errors
from weituo.domain.contact import queries as contact
from weituo.domain.placement import answers, errors, events, queries, services
from weituo.domain.sharing import errors as sharing_errors
from weituo.domain.sharing import queries as sharing_queries
from weituo.domain.sharing import services as sharing
from weituo.domain.tracking import queries as tracking
from weituo.foundation import events as happenings
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors
from tests.builders import placement as build

LIN = actors.staff(name="lin")
HOUR = timedelta(hours=1)
LATER = build.AT + HOUR
#: 2 March in Shanghai and three whole days after it
DEADLINE = datetime.fromisoformat("2026-03-06T00:00+08:00")


class Desk:
    """Two agencies of which ALPHA answers each offer and BETA accepts in advance, and an approved run."""

    def __init__(
        self,
        *,
        count: int = 20,
        capacity: int = 12,
        beta_answers: bool = False,
        beta_max: int | None = None,
    ) -> None:
        self.made = build.desk(count=count, capacity=capacity)
        self.alpha_id, self.beta_id = (self.made.agencies[code] for code in ("ALPHA", "BETA"))
        build.answers_each(self.alpha_id)
        if beta_answers:
            build.answers_each(self.beta_id)
        self.alpha = actors.agency_system(self.alpha_id, role=Role.AGENCY_SUPERVISOR)
        self.beta = actors.agency_system(self.beta_id, role=Role.INTEGRATOR)
        limits: dict[str, dict[str, int]] = {"ALPHA": {"accounts_min": min(count, capacity)}}
        if beta_max is not None:
            limits["BETA"] = {"accounts_max": beta_max}
        self.run_id = build.solved(exploration=0, limits={"agencies": limits})
        self.total = build.approved(self.run_id)

    def offers(self, agency: object = None) -> list[str]:
        """The case references that wait for an agency's answer."""
        return [row["case_ref"] for row in answers.my_offers(agency or self.alpha)]  # type: ignore[arg-type]

    def decline(
        self, refs: list[str], *, reason: str = "NO_CAPACITY", at: datetime = LATER, **more: str
    ) -> int:
        return services.decline_placements(actor=self.alpha, case_refs=refs, reason=reason, at=at, **more)

    def accept(self, refs: list[str], *, at: datetime = LATER) -> services.Accepted:
        return services.accept_placements(actor=self.alpha, case_refs=refs, at=at)


def placed() -> pl.DataFrame:
    """The placements that are or were entrusted."""
    return queries.placements_frame(LIN)


def test_an_approval_offers_and_nothing_is_entrusted_before_the_answer(
    db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    monkeypatch.setitem(happenings._same_transaction, events.PlacementsOffered, [seen.append])
    desk = Desk()
    offers = answers.my_offers(desk.alpha)
    assert len(offers) == 12 and desk.total == 20
    assert seen == [events.PlacementsOffered(run_id=desk.run_id, answer_by=DEADLINE, offered_at=build.AT)]
    assert {row["answer_by"] for row in offers} == {DEADLINE}
    assert set(offers[0]) == {
        "case_ref", "state", "offered_at", "answer_by", "answered_at", "answer_reason", "balance_minor", "currency", "bucket",
        "region", "fee_bps",
    }  # fmt: skip
    # only what began with the approval is a placement to everybody else
    assert set(placed()["agency_id"]) == {str(desk.beta_id)} and placed().height == 8
    assert queries.run(LIN, run_id=desk.run_id)["placements"] == 8
    assert queries.placements_page(LIN, filters={"state": "OFFERED"})["total"] == 12


def test_nothing_is_shared_of_an_offer(db: str) -> None:
    desk = Desk()
    [ref, *_others] = desk.offers()
    assert contact.my_cases(desk.alpha, at=LATER, state="ALL") == []
    with pytest.raises(contact_errors.PlacementNotYours):
        contact.my_case(desk.alpha, case_ref=ref, at=LATER)
    with pytest.raises(sharing_errors.CaseNotFound):
        sharing.disclose_case(actor=desk.alpha, case_ref=ref, at=LATER)
    sharing.register_recipient(actor=LIN, agency_id=desk.alpha_id, public_key=build_key(), at=LATER)
    with pytest.raises(sharing_errors.NoCasesToShare):
        sharing.build_package(actor=LIN, agency_id=desk.alpha_id, run_id=desk.run_id, at=LATER)
    with pytest.raises(care_errors.AccountNotYours):
        care.open_case(actor=desk.alpha, kind="DISPUTE", reason="ALREADY_PAID", text="", case_ref=ref, source="AGENCY", at=LATER)  # fmt: skip
    assert {row["agency_id"] for row in sharing_queries.ready(LIN, on=build.AS_OF)} == {desk.beta_id}
    assert all(row["agency_id"] != desk.alpha_id for row in tracking.coverage(LIN))


def build_key() -> str:
    """A public key of age."""
    import pyrage

    return str(pyrage.x25519.Identity.generate().to_public())


def test_acceptance_entrusts_from_that_moment(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[events.PlacementsAccepted] = []
    monkeypatch.setitem(happenings._same_transaction, events.PlacementsAccepted, [seen.append])
    desk = Desk()
    refs = desk.offers()
    day_after = build.AT + timedelta(days=2)
    assert desk.accept(refs[:5], at=day_after) == services.Accepted(accepted=5, withdrawn=0)
    assert desk.accept(refs[:5], at=day_after) == services.Accepted(accepted=0, withdrawn=0)
    [event] = seen
    assert len(event.placement_ids) == 5 and event.agency_id == desk.alpha_id
    mine = placed().filter(pl.col("agency_id") == str(desk.alpha_id))
    assert set(mine["state"]) == {"ACTIVE"} and set(mine["placed_at"]) == {day_after}
    # the term runs from the acceptance
    assert {str(day) for day in mine["term_to"]} == {"2026-09-04"}
    assert [row["case_ref"] for row in contact.my_cases(desk.alpha, at=day_after)] == sorted(refs[:5])
    assert desk.offers() == refs[5:]
    [entry] = journal.entries(actors.staff(Role.AUDITOR), act="placement.accept")[1:]
    assert entry["detail"]["placements"] == 5 and entry["detail"]["on_behalf_of"] == desk.alpha.id


def test_a_package_is_sealed_after_acceptance_and_again_for_what_is_accepted_later(db: str) -> None:
    desk = Desk()
    refs = desk.offers()
    desk.accept(refs[:3])
    sharing.register_recipient(actor=LIN, agency_id=desk.alpha_id, public_key=build_key(), at=LATER)
    first = sharing.build_package(actor=LIN, agency_id=desk.alpha_id, run_id=desk.run_id, at=LATER + HOUR)
    assert sharing_queries.package(LIN, package_id=first)["cases"] == 3
    with pytest.raises(sharing_errors.PackageStands):
        sharing.build_package(actor=LIN, agency_id=desk.alpha_id, run_id=desk.run_id, at=LATER + HOUR)
    desk.decline(refs[3:5], at=LATER + 2 * HOUR)
    desk.accept(refs[5:7], at=LATER + 2 * HOUR)
    [waiting] = [
        row for row in sharing_queries.ready(LIN, on=build.AS_OF) if row["agency_id"] == desk.alpha_id
    ]
    assert (waiting["cases"], waiting["replaces"]) == (5, first)
    second = sharing.build_package(
        actor=LIN, agency_id=desk.alpha_id, run_id=desk.run_id, at=LATER + 3 * HOUR
    )
    assert sharing_queries.package(LIN, package_id=second)["cases"] == 5
    assert sharing_queries.package(LIN, package_id=first)["state"] == "REVOKED"
    [held] = [row for row in sharing_queries.holders(LIN) if row["agency_id"] == desk.alpha_id]
    assert (held["cases"], held["to_destroy"]) == (5, 0)


def test_an_account_that_was_stopped_since_is_withdrawn_not_entrusted(db: str) -> None:
    desk = Desk()
    [row, *_rest] = queries.placements_page(LIN, filters={"state": "OFFERED"})["rows"]
    borrower = queries.placement(LIN, placement_id=row["id"])["borrower_id"]
    book.place_hold(actor=LIN, borrower_id=borrower, account_id=None, kind="DISPUTE", reason="told", at=LATER)
    assert desk.accept(desk.offers()) == services.Accepted(accepted=11, withdrawn=1)
    one = queries.placement(LIN, placement_id=row["id"])
    assert (one["state"], one["answer_reason"], one["placed_at"]) == ("WITHDRAWN", "ON_HOLD", None)
    assert answers.overview(LIN, at=LATER)["to_refill"] == 0


def test_what_is_no_usable_answer_is_refused(db: str) -> None:
    desk = Desk(beta_answers=True)
    refs, others = desk.offers(), desk.offers(desk.beta)
    with pytest.raises(errors.AnswerRefused):
        desk.decline(refs, reason="BORED")
    with pytest.raises(errors.AnswerRefused):
        desk.decline(refs, reason="OTHER")
    with pytest.raises(errors.AnswerRefused):
        desk.decline(refs, reason="OTHER", text="call him at 138 0013 8000")
    with pytest.raises(errors.AnswerRefused):
        desk.accept([])
    # another agency's offer does not exist for it
    with pytest.raises(errors.OfferNotYours):
        desk.accept([refs[0], others[0]])
    with pytest.raises(NotAllowed):
        services.accept_placements(
            actor=actors.agency_system(desk.alpha_id, role=Role.COLLECTOR), case_refs=refs, at=LATER
        )
    with pytest.raises(NotAllowed):
        services.accept_placements(actor=LIN, case_refs=refs, at=LATER)
    desk.accept(refs[:1])
    desk.decline(refs[1:2], reason="OTHER", text="our team for this region is full")
    with pytest.raises(errors.OfferAnswered):
        desk.decline(refs[:1])
    with pytest.raises(errors.OfferAnswered):
        desk.accept(refs[1:2])
    with pytest.raises(errors.AnswerTooLate):
        desk.accept(refs[2:], at=DEADLINE)
    assert len(desk.offers()) == len(refs) - 2
    assert len(desk.offers(desk.beta)) == len(others)


def test_an_agency_that_fell_out_of_order_cannot_accept(db: str) -> None:
    from weituo.domain.partners import services as partners

    desk = Desk()
    partners.suspend(actor=LIN, agency_id=desk.alpha_id, reason="complaints", at=LATER)
    with pytest.raises(errors.AgencyNotInOrder):
        desk.accept(desk.offers())
    assert len(desk.offers()) == 12


def test_offers_lapse_at_their_deadline_once(db: str) -> None:
    desk = Desk()
    worker = actors.worker()
    assert services.lapse_offers(actor=worker, at=DEADLINE - timedelta(microseconds=1)) == 0
    assert services.lapse_offers(actor=worker, at=DEADLINE) == 12
    assert services.lapse_offers(actor=worker, at=DEADLINE) == 0
    assert desk.offers() == []
    assert queries.placements_page(LIN, filters={"state": "LAPSED"})["total"] == 12


def test_an_offer_takes_up_its_account_and_its_agencys_capacity(db: str) -> None:
    desk = Desk(count=12, capacity=12)
    again = build.book(5, strategy_id=desk.made.strategy_id)
    run_id = build.solved(exploration=0)
    items = queries.run_items_frame(LIN, run_id=run_id)
    # ALPHA is full of offers, so that only BETA is left; accounts under offer are no candidates
    assert set(items["account_id"]) == {str(one) for one in again.accounts}
    assert set(items["code"]) <= {"BETA", ""}


def test_a_refill_goes_to_others_within_the_runs_terms_and_keeps_every_way(db: str) -> None:
    desk = Desk(count=20, capacity=12)
    refs = desk.offers()
    desk.accept(refs[:6])
    desk.decline(refs[6:9], reason="NO_CAPACITY")
    desk.decline(refs[9:12], reason="CONFLICT_OF_INTEREST")
    made = services.refill_run(actor=LIN, run_id=desk.run_id, at=LATER + HOUR)
    # BETA has 8 of 12: four of the six find a place, at once since it accepts in advance; two stay in-house
    assert (made.number, made.placed, made.kept) == (1, 4, 2)
    rows = answers.refills(LIN, run_id=desk.run_id)
    assert {row["from_code"] for row in rows} == {"ALPHA"}
    assert {row["to_code"] for row in rows if row["outcome"] == "OFFERED"} == {"BETA"}
    assert [row["outcome"] for row in rows].count("NO_PLACE") == 2
    assert sum(row["net_after_minor"] for row in rows) == made.net_after_minor <= made.net_before_minor
    again = placed().filter(pl.col("agency_id") == str(desk.beta_id))
    assert again.height == 12 and set(again["sequence"]) == {1} and (again["probability"] > 0).all()
    # nothing is left to do, and a repeat does nothing
    assert services.refill_run(actor=LIN, run_id=desk.run_id, at=LATER + HOUR).number == 0
    [totals] = answers.refill_totals(LIN, run_id=desk.run_id)
    assert (totals["placed"], totals["kept"]) == (4, 2)
    entries = journal.entries(actors.staff(Role.AUDITOR), act="placement.refill")
    assert [entry["detail"]["placed"] for entry in entries] == [0, 4]
    # the run itself replays as before
    assert queries.replay(LIN, run_id=desk.run_id)["same"] is True


def test_a_refill_is_offered_and_may_be_declined_in_turn(db: str) -> None:
    desk = Desk(count=10, capacity=10, beta_answers=True)
    refs = desk.offers()
    assert len(refs) == 10
    desk.decline(refs)
    first = services.refill_run(actor=LIN, run_id=desk.run_id, at=LATER + HOUR)
    assert (first.placed, first.kept) == (10, 0)
    others = desk.offers(desk.beta)
    services.decline_placements(
        actor=desk.beta, case_refs=others[:4], reason="DATA_INCOMPLETE", at=LATER + 2 * HOUR
    )
    second = services.refill_run(actor=LIN, run_id=desk.run_id, at=LATER + 3 * HOUR)
    # nobody is asked twice in a run
    assert (second.number, second.placed, second.kept) == (2, 0, 4)
    assert {row["outcome"] for row in answers.refills(LIN, run_id=desk.run_id) if row["number"] == 2} == {
        "NO_AGENCY"
    }
    assert placed().is_empty()
    # the accounts are not lost: the next run has them, and may ask those who had no room
    third = build.solved(exploration=0)
    assert queries.run_items_frame(LIN, run_id=third).height == 4


def test_an_agency_with_a_lasting_reason_is_not_asked_again_by_a_later_run(db: str) -> None:
    desk = Desk(count=4, capacity=4)
    desk.decline(desk.offers(), reason="CONFLICT_OF_INTEREST")
    run_id = build.solved(exploration=0)
    assert set(queries.run_items_frame(LIN, run_id=run_id)["code"]) == {"BETA"}


def test_what_was_stopped_meanwhile_is_not_placed_again(db: str) -> None:
    desk = Desk(count=8, capacity=8)
    refs = desk.offers()
    desk.decline(refs)
    [row, *_rest] = queries.placements_page(LIN, filters={"state": "DECLINED"})["rows"]
    borrower = queries.placement(LIN, placement_id=row["id"])["borrower_id"]
    book.place_hold(
        actor=LIN, borrower_id=borrower, account_id=None, kind="DECEASED", reason="told", at=LATER
    )
    made = services.refill_run(actor=actors.worker(), run_id=desk.run_id, at=LATER + HOUR)
    assert (made.placed, made.kept) == (7, 1)
    [stopped] = [one for one in answers.refills(LIN, run_id=desk.run_id) if one["outcome"] == "STOPPED"]
    assert stopped["account_id"] == row["account_id"]


def test_limits_of_the_run_hold_for_its_refills(db: str) -> None:
    desk = Desk(count=10, capacity=10, beta_max=3)
    desk.decline(desk.offers())
    made = services.refill_run(actor=LIN, run_id=desk.run_id, at=LATER + HOUR)
    beta = placed().filter(pl.col("agency_id") == str(desk.beta_id)).height
    assert beta == 3 and made.placed + made.kept == 10


def test_only_an_approved_run_is_refilled(db: str) -> None:
    build.desk(count=4)
    run_id = build.solved()
    with pytest.raises(errors.NotRefillable):
        services.refill_run(actor=LIN, run_id=run_id, at=LATER)
    with pytest.raises(errors.RunNotFound):
        services.refill_run(actor=LIN, run_id=new_id(), at=LATER)
    with pytest.raises(NotAllowed):
        services.refill_run(actor=actors.staff(Role.FINANCE), run_id=UUID(str(run_id)), at=LATER)


def test_two_answers_at_once_are_one(db: str) -> None:
    desk = Desk()
    refs = desk.offers()
    told = at_once(lambda: desk.accept(refs).accepted, lambda: desk.decline(refs))
    assert told in (["OfferAnswered", "did 12"],)
    told = at_once(
        lambda: services.refill_run(actor=LIN, run_id=desk.run_id, at=LATER).placed,
        lambda: services.refill_run(actor=LIN, run_id=desk.run_id, at=LATER).placed,
    )
    states = {row["state"] for row in queries.placements_page(LIN, filters={"agency": "ALPHA"})["rows"]}
    assert states in ({"ACTIVE"}, {"DECLINED"})
    assert told == (["did 0", "did 0"] if states == {"ACTIVE"} else ["did 0", "did 4"])


def at_once(*works: Callable[[], object]) -> list[str]:
    """Run works at the same moment in threads of their own; give what each came to."""
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


def change(sql: str, *values: object) -> None:
    """Change rows as the program."""
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(sql, list(values))
        journal.write(actor=actors.worker(), at=build.AT, act="test.change", entries=[])


def test_accounts_of_a_borrower_who_may_be_split_are_entrusted_to_several(db: str) -> None:
    made = build.book(2, borrower_id=new_id())
    build.model_in_use()
    change("UPDATE plans_strategy_row SET split = true")
    agencies = {code: build.agency(code, capacity=1) for code in ("ALPHA", "BETA")}
    people = []
    for agency_id in agencies.values():
        build.answers_each(agency_id)
        people.append(actors.agency_system(agency_id))
    build.approved(build.solved(exploration=0))
    for person in people:
        [offer] = answers.my_offers(person)
        done = services.accept_placements(actor=person, case_refs=[offer["case_ref"]], at=LATER)
        assert done == services.Accepted(accepted=1, withdrawn=0)
    assert set(placed()["account_id"]) == {str(one) for one in made.accounts}


def test_accounts_of_one_borrower_stay_together_when_one_is_declined(db: str) -> None:
    build.book(2, borrower_id=new_id())
    build.model_in_use()
    agencies = {code: build.agency(code) for code in ("ALPHA", "BETA")}
    for agency_id in agencies.values():
        build.answers_each(agency_id)
    run_id = build.solved(exploration=0)
    build.approved(run_id)
    [agency] = [
        actors.agency_system(one) for one in agencies.values() if answers.my_offers(actors.agency_system(one))
    ]
    first, second = [row["case_ref"] for row in answers.my_offers(agency)]
    services.accept_placements(actor=agency, case_refs=[first], at=LATER)
    services.decline_placements(actor=agency, case_refs=[second], reason="DATA_INCOMPLETE", at=LATER)
    assert services.refill_run(actor=LIN, run_id=run_id, at=LATER).kept == 1
    [row] = answers.refills(LIN, run_id=run_id)
    assert (row["outcome"], row["to_code"]) == ("NO_AGENCY", None)


@pytest.mark.parametrize(
    ("reason", "outcome"), [("CONFLICT_OF_INTEREST", "NO_AGENCY"), ("NO_CAPACITY", "OFFERED")]
)
def test_a_conflict_of_interest_keeps_the_whole_group_away(db: str, reason: str, outcome: str) -> None:
    from weituo.domain.partners import services as partners

    desk = Desk(count=3, capacity=3)
    change("UPDATE plans_strategy_row SET again = 'ANY'")
    for agency_id in (desk.alpha_id, desk.beta_id):
        partners.enter_group(
            actor=LIN,
            agency_id=agency_id,
            group="Great Wall",
            active_from=build.AS_OF,
            reason="register",
            at=build.AT,
        )
    desk.decline(desk.offers(), reason=reason)
    services.refill_run(actor=LIN, run_id=desk.run_id, at=LATER)
    assert {row["outcome"] for row in answers.refills(LIN, run_id=desk.run_id)} == {outcome}


def test_a_conflict_that_came_up_since_stops_acceptance_and_refill(db: str) -> None:
    from weituo.domain.partners import services as partners

    desk = Desk(count=4, capacity=4)
    refs = desk.offers()
    desk.decline(refs[:2], reason="NO_CAPACITY")
    for agency_id in (desk.alpha_id, desk.beta_id):
        partners.enter_conflict(
            actor=LIN, agency_id=agency_id, kind="PRODUCT", subject="CARD", reason="owns the shop", active_from=build.AS_OF, at=LATER
        )  # fmt: skip
    assert desk.accept(refs[2:]) == services.Accepted(accepted=0, withdrawn=2)
    assert services.refill_run(actor=LIN, run_id=desk.run_id, at=LATER).kept == 2
    assert {row["outcome"] for row in answers.refills(LIN, run_id=desk.run_id)} == {"NO_AGENCY"}
    withdrawn = queries.placements_page(LIN, filters={"state": "WITHDRAWN"})["rows"]
    assert {row["answer_reason"] for row in withdrawn} == {"CONFLICT"}
