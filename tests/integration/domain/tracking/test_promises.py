"""Promises are claims until booked money decides them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from weituo.domain.ledger import services as ledger
from weituo.domain.tracking import queries
from weituo.domain.tracking import services as tracking
from weituo.domain.tracking.errors import PlacementNotYours, PromiseReferenceReused, PromiseRefused
from weituo.domain.tracking.services.promises import judge
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import tracking as build
from tests.builders.evaluation import direct
from tests.builders.ledger import AT, placed_accounts

DUE = date(2026, 3, 6)


class TestRecordPromises:
    def test_a_repeat_is_recognised(self, db: str) -> None:
        [case] = placed_accounts()
        agency = actors.agency_system(case.agency_id)
        first = tracking.record_promises(actor=agency, promises=[build.promise(case, due_on=DUE)], at=AT)
        again = tracking.record_promises(actor=agency, promises=[build.promise(case, due_on=DUE)], at=AT)
        assert (first[0].repeated, again[0].repeated) == (False, True)
        assert first[0].promise_id == again[0].promise_id
        assert queries.promises_frame(agency).height == 1

    def test_the_same_reference_for_another_promise_is_refused(self, db: str) -> None:
        [case] = placed_accounts()
        agency = actors.agency_system(case.agency_id)
        tracking.record_promises(actor=agency, promises=[build.promise(case, due_on=DUE)], at=AT)
        with pytest.raises(PromiseReferenceReused):
            tracking.record_promises(
                actor=agency, promises=[build.promise(case, due_on=DUE, amount_minor=5)], at=AT
            )

    def test_another_agencys_case_does_not_exist(self, db: str) -> None:
        [mine], [theirs] = placed_accounts(), placed_accounts()
        with pytest.raises(PlacementNotYours):
            tracking.record_promises(
                actor=actors.agency_system(mine.agency_id),
                promises=[build.promise(theirs, due_on=DUE)],
                at=AT,
            )
        assert queries.promises_frame(actors.worker()).is_empty()

    def test_what_was_paid_since_counts_as_owed_on_the_day_of_a_promise(self, db: str) -> None:
        [case] = placed_accounts()
        agency, finance = actors.agency_system(case.agency_id), actors.staff(Role.FINANCE)
        ledger.open_book(actor=finance, at=AT)
        ledger.book_direct_payments(
            actor=finance, payments=direct(case.account_id, amount_minor=100_000), at=AT
        )
        whole = build.promise(case, due_on=DUE, amount_minor=102_500)
        later = build.promise(case, due_on=DUE + timedelta(days=14), amount_minor=2_501, made_at=AT + timedelta(days=14), ref="P-2")  # fmt: skip

        tracking.record_promises(actor=agency, promises=[whole], at=AT + timedelta(days=14))
        with pytest.raises(PromiseRefused) as refusal:
            tracking.record_promises(actor=agency, promises=[later], at=AT + timedelta(days=14))

        assert refusal.value.where == "promises[0].amount_minor"
        tracking.record_promises(actor=agency, promises=[replace(later, amount_minor=2_500)], at=AT + timedelta(days=14))  # fmt: skip

    def test_a_repeat_is_recognised_though_less_is_owed_now(self, db: str) -> None:
        [case] = placed_accounts()
        agency, finance = actors.agency_system(case.agency_id), actors.staff(Role.FINANCE)
        first = build.promise(case, due_on=DUE, amount_minor=102_500, made_at=AT - timedelta(days=1))
        tracking.record_promises(actor=agency, promises=[first], at=AT)
        with transactions.transaction(finance), transactions.connection().cursor() as cursor:
            cursor.execute(
                "UPDATE book_account SET principal_minor = 1, interest_minor = 0, fee_minor = 0, balance_minor = 1"
            )
            journal.write(actor=finance, at=AT, act="test", entries=[])

        assert tracking.record_promises(actor=agency, promises=[first], at=AT)[0].repeated

    def test_of_an_ended_case_nothing_new_is_learnt(self, db: str) -> None:
        [case] = placed_accounts()
        agency, lender = actors.agency_system(case.agency_id), actors.staff()
        with transactions.transaction(lender), transactions.connection().cursor() as cursor:
            cursor.execute("UPDATE placement_placement SET state = 'RECALLED', ended_at = %s", [AT])
            cursor.execute(
                "UPDATE book_account SET principal_minor = 1, interest_minor = 0, fee_minor = 0, balance_minor = 1"
            )
            journal.write(actor=lender, at=AT, act="test", entries=[])

        made = AT - timedelta(hours=1)
        tracking.record_promises(actor=agency, promises=[build.promise(case, due_on=DUE, amount_minor=102_500, made_at=made)], at=AT)  # fmt: skip
        with pytest.raises(PromiseRefused):
            tracking.record_promises(actor=agency, promises=[build.promise(case, due_on=DUE, amount_minor=102_501, made_at=made, ref="P-2")], at=AT)  # fmt: skip

    def test_a_promise_in_the_future_is_refused(self, db: str) -> None:
        [case] = placed_accounts()
        with pytest.raises(PromiseRefused) as refusal:
            tracking.record_promises(
                actor=actors.agency_system(case.agency_id),
                promises=[build.promise(case, due_on=DUE, made_at=AT + timedelta(hours=1))],
                at=AT,
            )
        assert refusal.value.where == "promises[0].made_at"


def _payments(*rows: tuple[str, str, int, date]) -> pl.DataFrame:
    return pl.DataFrame(
        rows,
        schema={
            "payment_id": pl.String,
            "placement_id": pl.String,
            "amount_minor": pl.Int64,
            "paid_on": pl.Date,
        },
        orient="row",
    )


def _promises(*rows: tuple[str, str, int, date]) -> pl.DataFrame:
    frame = pl.DataFrame(
        rows,
        schema={
            "promise_id": pl.String,
            "placement_id": pl.String,
            "amount_minor": pl.Int64,
            "due_on": pl.Date,
        },
        orient="row",
    )
    made = datetime(2026, 3, 2, 2, tzinfo=UTC)
    return frame.with_columns(made_at=pl.lit(made, dtype=pl.Datetime("us", "UTC")))


class TestJudge:
    def test_nine_tenths_within_the_grace_days_keep_a_promise(self) -> None:
        judged = judge(
            promises=_promises(("a", "p", 1_000, DUE)),
            payments=_payments(("x", "p", 900, DUE + timedelta(days=5))),
            today=DUE,
        )
        assert judged.rows() == [("a", "KEPT")]

    def test_money_after_the_grace_days_does_not_count(self) -> None:
        judged = judge(
            promises=_promises(("a", "p", 1_000, DUE)),
            payments=_payments(("x", "p", 1_000, DUE + timedelta(days=6))),
            today=DUE + timedelta(days=6),
        )
        assert judged.rows() == [("a", "BROKEN")]

    def test_one_payment_keeps_one_promise_only(self) -> None:
        judged = judge(
            promises=_promises(("a", "p", 1_000, DUE), ("b", "p", 1_000, DUE + timedelta(days=1))),
            payments=_payments(("x", "p", 1_000, DUE)),
            today=DUE + timedelta(days=30),
        )
        assert dict(judged.rows()) == {"a": "KEPT", "b": "BROKEN"}

    def test_before_the_time_is_over_an_unpaid_promise_stays_open(self) -> None:
        judged = judge(
            promises=_promises(("a", "p", 1_000, DUE)), payments=_payments(), today=DUE + timedelta(days=5)
        )
        assert judged.is_empty()


def test_deciding_marks_a_promise_without_money_as_broken(db: str) -> None:
    [case] = placed_accounts()
    agency = actors.agency_system(case.agency_id)
    tracking.record_promises(actor=agency, promises=[build.promise(case, due_on=DUE)], at=AT)
    counts = tracking.decide_promises(actor=actors.worker(), at=AT + timedelta(days=30))
    assert counts == {"KEPT": 0, "BROKEN": 1}
    assert queries.promises_frame(agency)["state"].to_list() == ["BROKEN"]
