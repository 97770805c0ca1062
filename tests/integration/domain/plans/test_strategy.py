"""The strategy in columns equals the plain reference, and a bad table is not published."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from weituo.domain.plans import errors, queries, services, treating
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import ledger as build

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACCOUNT = {
    "account_id": pl.String,
    "bucket": pl.String,
    "product": pl.String,
    "balance_minor": pl.Int64,
    "hardship": pl.Boolean,
}
rows = st.builds(
    treating.Row,
    treatment=st.sampled_from(treating.TREATMENTS),
    buckets=st.lists(st.sampled_from(["M1", "M2", "M3"]), max_size=2, unique=True).map(tuple),
    products=st.lists(st.sampled_from(["CARD", "LOAN"]), max_size=1).map(tuple),
    balance_minor_min=st.one_of(st.none(), st.integers(0, 1_000)),
    balance_minor_max=st.one_of(st.none(), st.integers(0, 1_000)),
    hardship=st.one_of(st.none(), st.booleans()),
)
accounts = st.fixed_dictionaries(
    {
        "bucket": st.sampled_from(["M1", "M2", "M4"]),
        "product": st.sampled_from(["CARD", "LOAN"]),
        "balance_minor": st.integers(0, 1_000),
        "hardship": st.booleans(),
    }
)


def plain(row: treating.Row, account: dict[str, object]) -> bool:
    """The rule in one sentence: every stated condition holds."""
    balance = int(account["balance_minor"])  # type: ignore[call-overload]
    return (
        (not row.buckets or account["bucket"] in row.buckets)
        and (not row.products or account["product"] in row.products)
        and (row.balance_minor_min is None or balance >= row.balance_minor_min)
        and (row.balance_minor_max is None or balance < row.balance_minor_max)
        and (row.hardship is None or account["hardship"] == row.hardship)
    )


@settings(max_examples=200, deadline=None)
@given(table=st.lists(rows, min_size=1, max_size=6), book=st.lists(accounts, max_size=15))
def test_the_first_matching_row_decides(table: list[treating.Row], book: list[dict[str, object]]) -> None:
    frame = pl.DataFrame(
        [{"account_id": str(number), **account} for number, account in enumerate(book)], schema=ACCOUNT
    )
    treated = treating.apply(table, frame)
    expected = [
        next((index for index, row in enumerate(table) if plain(row, account)), None) for account in book
    ]
    assert treated["row"].to_list() == expected


def test_the_default_strategy_has_no_problem() -> None:
    assert treating.problems(treating.DEFAULT_ROWS) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ([treating.Row(treatment="AGENCY", buckets=("M1",), tier_max=2)], "must match every account"),
        ([treating.Row(treatment="AGENCY")], "worst tier"),
        ([treating.Row(treatment="HOLD"), treating.Row(treatment="LEGAL")], "never reached"),
        (
            [
                treating.Row(treatment="HOLD", balance_minor_min=5, balance_minor_max=5),
                treating.Row(treatment="HOLD"),
            ],
            "empty",
        ),
    ],
)
def test_a_bad_table_is_not_published(db: str, broken: list[treating.Row], said: str) -> None:
    lin = actors.staff()
    draft = services.draft_strategy(actor=lin, rows=broken, at=AT)
    with pytest.raises(errors.StrategyRefused) as caught:
        services.publish_strategy(actor=lin, strategy_id=draft, at=AT)
    with translation.override("en"):
        assert said in caught.value.facts["problem"]


def test_a_published_strategy_treats_the_whole_book_and_is_not_edited(db: str) -> None:
    build.placed_accounts(count=3, principal=500_000)
    lin = actors.staff()
    draft = services.draft_strategy(actor=lin, rows=treating.DEFAULT_ROWS, at=AT)
    assert queries.try_strategy(lin, rows=treating.DEFAULT_ROWS, at=AT)["by_treatment"][0]["accounts"] == 3
    services.publish_strategy(actor=lin, strategy_id=draft, at=AT)
    assert services.apply_strategy(actor=lin, at=AT) == {"AGENCY": 3}
    assert services.apply_strategy(actor=lin, at=AT) == {"AGENCY": 3}
    assert set(queries.treatments_frame(lin)["tier_max"]) == {3}
    with pytest.raises(errors.StrategyPublished):
        services.save_rows(actor=lin, strategy_id=draft, rows=treating.DEFAULT_ROWS, at=AT)


def test_both_sides_sign_the_same_content(db: str) -> None:
    [placed] = build.placed_accounts(count=1)
    lin, agency = actors.staff(), actors.agency_system(placed.agency_id)
    milestone = {
        "title_zh": "系统联调",
        "title_en": "Systems connected",
        "owner": "AGENCY",
        "due_on": AT.date(),
    }
    plan = services.draft_plan(
        actor=lin,
        agency_id=placed.agency_id,
        active_from=AT.date(),
        active_to=None,
        targets={"M2": [300, 700, 900]},
        milestones=[milestone],
        at=AT,
    )
    digest = queries.plan(lin, plan_id=plan)["digest"]  # type: ignore[index]
    with pytest.raises(errors.WrongPlanState):
        services.sign_as_agency(actor=agency, plan_id=plan, digest=digest, at=AT)
    services.sign_as_lender(actor=lin, plan_id=plan, at=AT)
    with pytest.raises(errors.PlanChanged):
        services.sign_as_agency(actor=agency, plan_id=plan, digest="other", at=AT)
    [other] = build.placed_accounts(count=1)
    with pytest.raises(errors.PlanNotFound):
        services.sign_as_agency(
            actor=actors.agency_system(other.agency_id), plan_id=plan, digest=digest, at=AT
        )
    services.sign_as_agency(actor=agency, plan_id=plan, digest=digest, at=AT)
    assert queries.plan_targets(lin, on=AT.date())["liquidation_bps"].to_list() == [300, 700, 900]


def test_targets_never_fall(db: str) -> None:
    [placed] = build.placed_accounts(count=1)
    with pytest.raises(errors.PlanRefused):
        services.draft_plan(
            actor=actors.staff(Role.ANALYST),
            agency_id=placed.agency_id,
            active_from=AT.date(),
            active_to=None,
            targets={"M2": [300, 200]},
            milestones=[],
            at=AT,
        )
