"""Promises are claims until booked money decides them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from weituo.domain.tracking import queries
from weituo.domain.tracking import services as tracking
from weituo.domain.tracking.errors import PlacementNotYours, PromiseReferenceReused, PromiseRefused
from weituo.domain.tracking.services.promises import judge

from tests.builders import actors
from tests.builders import tracking as build
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
