"""Whom a run leaves out: every account with all its reasons, counted under the first in the stated order."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import polars as pl
import pytest

from weituo.domain.book import services as book
from weituo.domain.partners import relations
from weituo.domain.partners import services as partners
from weituo.domain.placement import (
    batches,
    exclusions,
    gathering,
    queries,
    rechecking,
    scrubbing,
    services,
)
from weituo.domain.tracking import services as tracking
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import NotAllowed, NotFound
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id
from weituo.foundation.vault import store

from tests.builders import actors
from tests.builders import placement as build
from tests.builders import tracking as promised
from tests.builders.ledger import Placed

CARE = Role.CARE


def hold(desk: build.Desk, number: int, kind: str, *, one: bool = False) -> None:
    book.place_hold(
        actor=actors.staff(CARE), borrower_id=desk.borrowers[number], account_id=desk.accounts[number] if one else None, kind=kind,
        reason="told", at=build.AT,
    )  # fmt: skip


def change(sql: str, values: list[Any]) -> None:
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(sql, values)
        journal.write(actor=actors.worker(), at=build.AT, act="test.change", entries=[])


def left_out(run_id: UUID) -> dict[str, list[str]]:
    rows = [row for block in exclusions.left_out_blocks(actors.staff(), run_id=run_id) for row in block]
    return {str(row["account_id"]): row["reasons"].split(" ") for row in rows}


def test_each_hold_counts_for_itself_and_every_account_is_listed(db: str) -> None:
    desk = build.desk(count=30)
    for number, kind in enumerate(scrubbing.HOLDS):
        hold(desk, number, kind, one=number % 2 == 0)
    run_id = build.solved()
    lin = actors.staff()
    head = queries.run(lin, run_id=run_id)
    assert head["exclusions"] == dict.fromkeys(scrubbing.HOLDS, 1)
    assert head["accounts"] == 30 - len(scrubbing.HOLDS)
    assert left_out(run_id) == {
        str(desk.accounts[number]): [kind] for number, kind in enumerate(scrubbing.HOLDS)
    }
    page = exclusions.left_out_page(lin, run_id=run_id, reason="SOLD")
    assert (page["total"], page["pages"], [row["number"] for row in page["rows"]]) == (
        1,
        1,
        [desk.accounts[scrubbing.HOLDS.index("SOLD")].hex],
    )
    assert sum(exclusions.left_out_page(lin, run_id=run_id)["counts"].values()) == len(scrubbing.HOLDS)


def test_an_account_counts_under_its_first_reason_and_shows_all(db: str) -> None:
    desk = build.desk(count=6)
    hold(desk, 0, "HARDSHIP")
    hold(desk, 0, "DECEASED", one=True)
    hold(desk, 0, "DISPUTE")
    change("UPDATE plans_treatment SET treatment = 'IN_HOUSE' WHERE account_id = %s", [desk.accounts[0]])
    run_id = build.solved()
    assert queries.run(actors.staff(), run_id=run_id)["exclusions"] == {"DECEASED": 1}
    assert left_out(run_id) == {str(desk.accounts[0]): ["DECEASED", "DISPUTE", "HARDSHIP", "OTHER_TREATMENT"]}


def test_what_was_left_out_is_shown_before_anybody_solves(db: str) -> None:
    desk = build.desk(count=6)
    hold(desk, 0, "LEGAL")
    hold(desk, 1, "LEGAL")
    lin = actors.staff()
    told = exclusions.would_leave_out(lin, as_of=build.AS_OF, at=build.AT, reason="LEGAL")
    assert told["counts"] == {"LEGAL": 2}
    assert {row["account_id"] for row in told["rows"]} == set(desk.accounts[:2])
    assert batches.batch(lin, as_of=build.AS_OF, at=build.AT)["borrowers"] == 4


def test_a_time_barred_account_is_not_placed_and_a_payment_starts_the_period_anew(db: str) -> None:
    desk = build.desk(count=6)
    # due three years and a day before the run's day: barred; a year of the last two has a payment known
    due = date(build.AS_OF.year - 3, build.AS_OF.month, build.AS_OF.day) - timedelta(days=1)
    for number in range(4):
        change("UPDATE book_account SET past_due_since = %s WHERE id = %s", [due, desk.accounts[number]])
    change("UPDATE book_account SET last_paid_on = %s WHERE id = %s", [date(2025, 1, 5), desk.accounts[1]])
    change(
        "INSERT INTO book_repayment_history (account_id, newest_month, bill_minor, paid_minor, months_late) VALUES (%s, '2025-03-01', '{100,100}', '{0,100}', '{2,1}')",
        [desk.accounts[2]],
    )
    change(
        "UPDATE book_account SET past_due_since = %s WHERE id = %s",
        [due + timedelta(days=1), desk.accounts[3]],
    )
    run_id = build.solved()
    assert left_out(run_id) == {str(desk.accounts[0]): ["TIME_BARRED"]}


def test_booked_money_is_the_last_acknowledgement_and_a_reversal_takes_it_back(db: str) -> None:
    desk = build.book(1)
    account = desk.accounts[0]

    def move(minor: int, on: date) -> date | None:
        with transactions.transaction(actors.worker()):
            book.reduce_balances(
                parts=pl.DataFrame(
                    {"account_id": [str(account)], "fee_minor": [0], "interest_minor": [0], "principal_minor": [minor], "on": [on]}
                )
            )  # fmt: skip
            journal.write(actor=actors.worker(), at=build.AT, act="test.move", entries=[])
        with transactions.reading(actors.worker()):
            found: date | None = transactions.rows("SELECT last_paid_on AS day FROM book_account WHERE id = %s", [account])[0]["day"]  # fmt: skip
        return found

    assert move(500, date(2026, 2, 3)) == date(2026, 2, 3)
    assert move(500, date(2026, 1, 3)) == date(2026, 2, 3)
    assert move(0, date(2026, 2, 5)) == date(2026, 2, 3)
    assert move(-500, date(2026, 3, 1)) is None


def test_an_open_promise_keeps_the_account_where_it_is_until_it_is_decided(db: str) -> None:
    desk = build.desk(count=8)
    lin = actors.staff()
    build.approved(build.solved(exploration=0))
    row = queries.placements_frame(lin).row(0, named=True)
    case = Placed(
        account_id=UUID(row["account_id"]), borrower_id=UUID(row["borrower_id"]), placement_id=UUID(row["placement_id"]),
        case_ref=row["case_ref"], agency_id=UUID(row["agency_id"]),
    )  # fmt: skip
    tracking.record_promises(
        actor=actors.agency_system(case.agency_id), promises=[promised.promise(case, due_on=date(2026, 3, 6), amount_minor=100)], at=build.AT
    )  # fmt: skip
    services.recall(actor=lin, placement_ids=build.placement_ids(), reason="RETURNED_BY_AGENCY", at=build.AT)
    run_id = build.solved(exploration=0)
    assert left_out(run_id)[row["account_id"]] == ["PROMISE"]
    later = build.AT + timedelta(days=20)
    tracking.decide_promises(actor=actors.worker(), at=later)
    again = services.solve_run(actor=lin, seed=7, at=later, as_of=later.date(), exploration=0)
    assert row["account_id"] not in left_out(again)
    assert len(desk.accounts) == 8


def test_an_agency_puts_a_promise_on_its_own_case_only_and_reads_no_hold(db: str) -> None:
    build.desk(count=6)
    build.approved(build.solved(exploration=0))
    rows = queries.placements_frame(actors.staff()).to_dicts()
    mine, other = rows[0], actors.agency_system(build.agency("GAMMA"))

    def put(actor: Any, kind: str) -> None:
        with transactions.transaction(actor), transactions.connection().cursor() as cursor:
            cursor.execute(
                "INSERT INTO book_hold (id, borrower_id, account_id, kind, reason, source, active_from) VALUES (%s, %s, %s, %s, '', '', %s)",
                [new_id(), mine["borrower_id"], mine["account_id"], kind, build.AT],
            )
            journal.write(actor=actor, at=build.AT, act="test.hold", entries=[])

    owner = actors.agency_system(UUID(mine["agency_id"]))
    put(owner, "PROMISE")
    for actor, kind in ((owner, "DECEASED"), (other, "PROMISE")):
        with pytest.raises(Exception, match="row-level security"):
            put(actor, kind)
    with pytest.raises(Exception, match="permission denied"), transactions.reading(owner):
        transactions.rows("SELECT 1 FROM book_hold")


def test_lists_have_their_permission_and_an_unknown_run_is_not_found(db: str) -> None:
    build.desk(count=3)
    run_id = build.solved()
    with pytest.raises(NotFound):
        exclusions.left_out_page(actors.staff(), run_id=new_id())
    with pytest.raises(NotAllowed):
        exclusions.left_out_page(actors.agency_system(build.agency("GAMMA")), run_id=run_id)
    with pytest.raises(Exception, match="append|refuse|never changed|denied"):
        change("UPDATE placement_run_exclusion SET reason = '' WHERE run_id = %s", [run_id])


# --- who may not get what -----------------------------------------------------------------------------------------------


def whys(run_id: UUID, account_id: UUID) -> dict[str, str]:
    choices = queries.explain(actors.staff(), run_id=run_id, account_id=account_id)["choices"]
    return {row["code"]: row["why_not"] for row in choices}


def test_a_sister_of_the_agency_that_had_an_account_does_not_get_it(db: str) -> None:
    desk = build.desk(count=6)
    lin = actors.staff()
    third = build.agency("GAMMA", tier=3)
    build.approved(build.solved(exploration=0, limits={"agencies": {"BETA": {"accounts_max": 0}, "GAMMA": {"accounts_max": 0}}}))  # fmt: skip
    services.recall(actor=lin, placement_ids=build.placement_ids(), reason="RETURNED_BY_AGENCY", at=build.AT)
    for agency in (desk.agencies["ALPHA"], desk.agencies["BETA"]):
        partners.enter_group(actor=lin, agency_id=agency, group="Holding", reason="register", at=build.AT, active_from=build.AS_OF)  # fmt: skip
    run_id = build.solved(exploration=0)
    assert whys(run_id, desk.accounts[0]) == {"ALPHA": "HAD_IT_BEFORE", "BETA": "SISTER_HAD_IT", "GAMMA": ""}
    assert set(queries.run_items_frame(lin, run_id=run_id)["agency_id"].drop_nulls()) == {str(third)}
    told = {(row["code"], row["why"]): row["accounts"] for row in queries.run(lin, run_id=run_id)["proof"]["barred"]}  # fmt: skip
    assert told == {("ALPHA", "HAD_IT_BEFORE"): 6, ("BETA", "SISTER_HAD_IT"): 6}
    assert queries.replay(lin, run_id=run_id)["same"]


@pytest.mark.parametrize(("again", "expected"), [("NEXT_TIER", {"GAMMA"}), ("OTHER", {"BETA", "GAMMA"}), ("ANY", {"ALPHA", "BETA", "GAMMA"})])  # fmt: skip
def test_the_rule_of_return_says_who_gets_an_account_that_comes_back(
    db: str, again: str, expected: set[str]
) -> None:
    desk = build.desk(count=6)
    build.agency("GAMMA", tier=2)
    change("UPDATE partners_agency SET tier = 1 WHERE code = 'BETA'", [])
    change("UPDATE plans_strategy_row SET again = %s", [again])
    lin = actors.staff()
    build.approved(build.solved(exploration=0, limits={"agencies": {"BETA": {"accounts_max": 0}, "GAMMA": {"accounts_max": 0}}}))  # fmt: skip
    services.recall(actor=lin, placement_ids=build.placement_ids(), reason="RETURNED_BY_AGENCY", at=build.AT)
    told = whys(build.solved(exploration=0), desk.accounts[0])
    assert {code for code, why in told.items() if not why} == expected


def test_after_the_last_tier_any_other_agency_may_get_it(db: str) -> None:
    desk = build.desk(count=4)
    build.agency("GAMMA", tier=2)
    change("UPDATE plans_strategy_row SET again = 'NEXT_TIER', tier_max = 2", [])
    change("UPDATE plans_treatment SET tier_max = 2", [])
    lin = actors.staff()
    build.approved(build.solved(exploration=0, limits={"agencies": {"ALPHA": {"accounts_max": 0}, "GAMMA": {"accounts_max": 0}}}))  # fmt: skip
    services.recall(actor=lin, placement_ids=build.placement_ids(), reason="RETURNED_BY_AGENCY", at=build.AT)
    assert whys(build.solved(exploration=0), desk.accounts[0]) == {
        "ALPHA": "",
        "BETA": "HAD_IT_BEFORE",
        "GAMMA": "",
    }


def test_conflicts_keep_accounts_from_an_agency_and_its_sisters(db: str) -> None:
    desk = build.desk(count=5)
    build.book(2, region="110000", strategy_id=desk.strategy_id)
    lin, alpha, beta = actors.staff(), desk.agencies["ALPHA"], desk.agencies["BETA"]
    for agency in (alpha, beta):
        partners.enter_group(actor=lin, agency_id=agency, group="Holding", reason="register", at=build.AT, active_from=build.AS_OF)  # fmt: skip
    build.agency("GAMMA")
    for kind, subject in (("BORROWER", desk.borrowers[0].hex), ("REGION", "11")):
        partners.enter_conflict(
            actor=lin,
            agency_id=alpha,
            kind=kind,
            subject=subject,
            reason="told",
            at=build.AT,
            active_from=build.AS_OF,
        )
    run_id = build.solved(exploration=0.5)
    assert whys(run_id, desk.accounts[0]) == {"ALPHA": "CONFLICT", "BETA": "CONFLICT", "GAMMA": ""}
    assert whys(run_id, desk.accounts[1]) == {"ALPHA": "", "BETA": "", "GAMMA": ""}
    items = queries.run_items_frame(lin, run_id=run_id)
    assert set(items.filter(pl.col("region") == "110000")["code"]) <= {"GAMMA", ""}
    told = {(row["code"], row["why"]): row["accounts"] for row in batches.batch(lin, as_of=build.AS_OF, at=build.AT)["barred"]}  # fmt: skip
    assert told == {("ALPHA", "CONFLICT"): 3, ("BETA", "CONFLICT"): 3}
    partners.enter_conflict(
        actor=lin,
        agency_id=alpha,
        kind="PRODUCT",
        subject="CARD",
        reason="told",
        at=build.AT,
        active_from=build.AS_OF,
    )
    assert set(queries.run_items_frame(lin, run_id=build.solved())["code"]) <= {"GAMMA", ""}


# --- units ---------------------------------------------------------------------------------------------------------------


def test_a_borrower_is_one_unit_unless_the_strategy_lets_it_be_split(db: str) -> None:
    desk = build.desk(count=4)
    more = build.book(2, strategy_id=desk.strategy_id, borrower_id=desk.borrowers[0])
    lin = actors.staff()
    with transactions.reading(lin):
        whole = gathering.candidates(lin, as_of=build.AS_OF, at=build.AT).accounts
    mine = whole.filter(pl.col("borrower_id") == str(desk.borrowers[0]))
    assert mine.height == 3 and set(mine["unit"]) == {str(desk.borrowers[0])}
    change("UPDATE plans_strategy_row SET split = true WHERE id = (SELECT row_id FROM plans_treatment WHERE account_id = %s)", [more.accounts[0]])  # fmt: skip
    with transactions.reading(lin):
        part = gathering.candidates(lin, as_of=build.AS_OF, at=build.AT).accounts
    units = dict(part.select("account_id", "unit").iter_rows())
    assert units[str(more.accounts[0])] == str(more.accounts[0])
    assert units[str(desk.accounts[0])] == str(desk.borrowers[0])


def test_people_of_an_employer_are_found_by_a_keyed_index(db: str) -> None:
    desk = build.desk(count=3)
    change("UPDATE book_borrower SET subject_id = %s WHERE id = %s", [subject := new_id(), desk.borrowers[1]])
    with transactions.transaction(actors.worker()):
        store.put([store.Person(subject_id=subject, fields={"employer": ["海天造船厂"]})])
        journal.write(actor=actors.worker(), at=build.AT, act="test.employer", entries=[])
    lin, alpha = actors.staff(), desk.agencies["ALPHA"]
    partners.enter_conflict(
        actor=lin, agency_id=alpha, kind="EMPLOYER", subject="海天造船厂", reason="a client of theirs", at=build.AT, active_from=build.AS_OF
    )  # fmt: skip
    run_id = build.solved()
    assert whys(run_id, desk.accounts[1]) == {"ALPHA": "CONFLICT", "BETA": ""}
    assert whys(run_id, desk.accounts[0]) == {"ALPHA": "", "BETA": ""}
    mine = {"region": "44", "product": "CARD", "on": build.AS_OF}
    assert len(relations.conflicts_of_account(lin, borrower_id=desk.borrowers[1], **mine)) == 1
    assert relations.conflicts_of_account(lin, borrower_id=desk.borrowers[0], **mine) == []


def test_what_is_placed_in_spite_of_a_conflict_is_counted(db: str) -> None:
    desk = build.desk(count=5)
    build.book(2, region="110000", strategy_id=desk.strategy_id)
    lin, alpha, today = actors.staff(), desk.agencies["ALPHA"], build.AT.date()
    build.approved(build.solved(exploration=0, limits={"agencies": {"BETA": {"accounts_max": 0}}}))
    assert rechecking.placed_in_conflict(lin, agency_id=alpha, on=today) == {}
    entered = {
        kind: partners.enter_conflict(actor=lin, agency_id=alpha, kind=kind, subject=subject, reason="told", at=build.AT)
        for kind, subject in (
            ("BORROWER", desk.borrowers[0].hex), ("REGION", "110000"), ("PRODUCT", "CARD"), ("EMPLOYER", "nobody"),
        )
    }  # fmt: skip
    assert rechecking.placed_in_conflict(lin, agency_id=alpha, on=today) == {
        entered["BORROWER"]: 1,
        entered["REGION"]: 2,
        entered["PRODUCT"]: 7,
    }
    assert rechecking.placed_in_conflict(lin, agency_id=desk.agencies["BETA"], on=today) == {}


# --- between solving and approving ---------------------------------------------------------------------------------------


def test_what_comes_to_light_after_solving_keeps_an_account_from_its_agency(db: str) -> None:
    desk = build.desk(count=6)
    lin, today = actors.staff(), build.AT.date()
    build.agency("GAMMA", tier=3)
    others = {"BETA": {"accounts_max": 0}, "GAMMA": {"accounts_max": 0}}
    build.approved(build.solved(exploration=0, limits={"agencies": others}))
    services.recall(actor=lin, placement_ids=build.placement_ids(), reason="RETURNED_BY_AGENCY", at=build.AT)
    run_id = build.solved(exploration=0, limits={"agencies": {"BETA": {"accounts_min": 6}}})
    assert rechecking.barred_since(lin, run_id=run_id, on=today) == []
    partners.enter_conflict(
        actor=lin, agency_id=desk.agencies["BETA"], kind="BORROWER", subject=desk.borrowers[2].hex, reason="told", at=build.AT
    )  # fmt: skip
    assert rechecking.barred_since(lin, run_id=run_id, on=today) == [desk.accounts[2]]
    assert build.approved(run_id) == 5, "what came to light stays out"
    assert str(desk.accounts[2]) not in queries.placements_frame(lin).filter(pl.col("state") == "ACTIVE")["account_id"]  # fmt: skip
    for code in ("ALPHA", "BETA"):
        partners.enter_group(
            actor=lin, agency_id=desk.agencies[code], group="Holding", reason="told", at=build.AT
        )
    assert rechecking.barred_since(lin, run_id=run_id, on=today) == sorted(desk.accounts)
