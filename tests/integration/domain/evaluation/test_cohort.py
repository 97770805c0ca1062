"""What a model learns from: what was known at placement, and the money booked within the horizon after it."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import polars as pl
import pytest

from weituo.core.recovery import features
from weituo.domain.evaluation import queries as evaluation
from weituo.domain.ledger import services as ledger
from weituo.domain.placement import queries as placement
from weituo.domain.placement import services
from weituo.domain.placement.errors import CohortRefused
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import placement as build

WEEKS = 10
LATER = build.AT + timedelta(weeks=WEEKS, days=1)
WU = actors.staff(Role.ANALYST, name="wu")


def pay(account_id: str, amount_minor: int, on: date) -> dict[str, object]:
    return {
        "reference": f"{account_id[-8:]} {on}", "account_id": account_id, "amount_minor": amount_minor, "currency": "CNY",
        "paid_on": on, "method": "TRANSFER",
    }  # fmt: skip


def test_known_facts_and_money_within_the_horizon_make_the_cohort(db: str) -> None:
    build.desk(count=12)
    build.approved(build.solved())
    placed = placement.placements_frame(WU)
    placed_on = placed["placed_at"][0].date()
    ledger.open_book(actor=actors.staff(Role.FINANCE), at=build.AT)
    first, second, third = placed["account_id"].to_list()[:3]
    owed = dict(placed.select("account_id", "balance_minor").iter_rows())
    payments = [
        pay(first, 30_000, placed_on),
        pay(first, 20_000, placed_on + timedelta(weeks=WEEKS, days=-1)),
        pay(second, 50_000, placed_on + timedelta(weeks=WEEKS)),
        pay(third, owed[third] + 5_000, placed_on + timedelta(days=9)),
    ]
    ledger.book_direct_payments(actor=actors.staff(Role.FINANCE), payments=pl.DataFrame(payments), at=LATER)

    cohort = evaluation.cohort_frame(WU, at=LATER, horizon_weeks=WEEKS)
    assert cohort.columns == [*features.NAMES, "paid_fraction"]
    assert features.check(frame=cohort.drop("paid_fraction")).height == placed.height
    assert cohort["balance_minor"].sum() == placed["balance_minor"].sum()
    expected = sorted([50_000 / owed[first], 0.0, 1.0, *[0.0] * (placed.height - 3)])
    assert sorted(cohort["paid_fraction"].to_list()) == pytest.approx(expected)


def test_what_was_known_stays_as_it_was_when_the_account_changes(db: str) -> None:
    build.desk(count=6)
    build.approved(build.solved())
    before = placement.known_at_placement(WU, placed_before=LATER)
    ledger.open_book(actor=actors.staff(Role.FINANCE), at=build.AT)
    account = before["account_id"][0]
    ledger.book_direct_payments(
        actor=actors.staff(Role.FINANCE),
        payments=pl.DataFrame([pay(account, 1_000, build.AS_OF)]),
        at=build.AT,
    )
    assert placement.known_at_placement(WU, placed_before=LATER).equals(before)


def test_placements_younger_than_the_horizon_stay_out(db: str) -> None:
    build.desk(count=6)
    build.approved(build.solved())
    young = build.AT + timedelta(weeks=WEEKS)
    assert evaluation.cohort_frame(WU, at=young, horizon_weeks=WEEKS).is_empty()
    with pytest.raises(CohortRefused, match="300"):
        services.train_model(
            actor=WU,
            cohort=evaluation.cohort_frame(WU, at=young, horizon_weeks=WEEKS),
            seed=7,
            at=young,
            source="PLACEMENTS",
        )


def test_a_run_that_was_not_approved_teaches_nothing(db: str) -> None:
    build.desk(count=6)
    build.solved()
    assert placement.known_at_placement(WU, placed_before=LATER).is_empty()


def test_who_may_not_train_sees_no_cohort(db: str) -> None:
    with pytest.raises(NotAllowed):
        evaluation.cohort_frame(actors.staff(Role.CARE), at=LATER, horizon_weeks=WEEKS)


def test_where_a_model_learnt_stands_on_its_card(db: str) -> None:
    trained = services.train_model(
        actor=WU, cohort=build.cohort(), seed=11, at=build.AT, source="PLACEMENTS", horizon_weeks=13
    )
    found = placement.model(WU, model_id=UUID(str(trained.model_id)))
    assert (found["parameters"]["source"], found["parameters"]["horizon_weeks"]) == ("PLACEMENTS", 13)
    with pytest.raises(CohortRefused):
        services.train_model(actor=WU, cohort=build.cohort(), seed=11, at=build.AT, source="HEARSAY")
