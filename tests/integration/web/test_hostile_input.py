"""Addresses and forms that no honest browser sends: a refusal, never a fault."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client, override_settings

from weituo.domain.book import services as book
from weituo.domain.care import services as care
from weituo.domain.plans import queries as plans
from weituo.foundation.identity.roles import Role
from weituo.web.posted import day_within_reach, whole
from weituo.web.presenters import business_case, evaluation

from tests.builders import actors
from tests.builders.contact import MORNING, bench
from tests.builders.pages import browser
from tests.permissions import walk


@pytest.mark.parametrize(
    "address", ["/my/check/?q=%00", "/my/check/?%00=1", "/agency/cases/%00/", "/my/tell/%00/"]
)
def test_nul_in_an_address_is_refused(db: str, address: str) -> None:
    assert Client().get(address).status_code == 400


def test_nul_in_a_form_is_refused(db: str) -> None:
    answer = Client().post("/my/sign-in/", {"code": "AB\0CD", "last_four": "0000"})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "stated",
    ["x", "2026-11-25", "2026-11-25T10:00:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"],
)
def test_a_wrong_time_of_the_demonstration_is_refused(db: str, stated: str) -> None:
    with override_settings(WEITUO_DEMO=True):
        assert Client().get("/my/", headers={"Weituo-Demo-Time": stated}).status_code == 400


def test_outside_the_demonstration_its_time_is_not_even_read(db: str) -> None:
    with override_settings(WEITUO_DEMO=False):
        assert Client().get("/my/", headers={"Weituo-Demo-Time": "x"}).status_code == 200


@pytest.mark.parametrize("text", ["", "-1", "²", "٣", "1.5", "9" * 5000, "1234567"])
def test_what_is_no_short_whole_number_is_read_otherwise(text: str) -> None:
    assert whole(text, otherwise=7) == 7


def test_a_whole_number_is_read() -> None:
    assert whole("042", otherwise=7) == 42


@pytest.mark.parametrize("text", ["", "x", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_a_day_at_the_ends_of_the_calendar_is_no_day(text: str) -> None:
    with pytest.raises(ValueError, match=r"day|isoformat"):
        day_within_reach(text)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "x"])
def test_pages_with_a_period_leave_a_day_out_of_reach_aside(day: str) -> None:
    today = date(2026, 3, 2)
    usual = {"period_from": today - timedelta(days=evaluation.PERIOD_DAYS), "period_to": today}

    assert evaluation.period_form({"period_from": day, "period_to": day}, today=today) == usual
    assert set(business_case.period({"period_from": day}).values()) == {None}


@pytest.mark.parametrize("ref", ["<b>x</b>", "a/b", "../..", "a?b", "a#b", "///"])
def test_a_case_reference_with_signs_of_an_address_leads_to_no_fault(db: str, ref: str) -> None:
    client = walk.client_of(Role.COLLECTOR.value, agency_id=bench().agency_id)

    assert client.get("/agency/cases/", {"ref": ref}).status_code in (200, 302)


def test_a_strategy_row_with_what_no_form_offers_is_shown_again(db: str) -> None:
    client = browser()
    client.post("/plans/strategies/new/", {"note": "mine"})
    draft = plans.strategies(actors.staff())[0]["id"]
    row = {
        "treatment": "AGENCY",
        "tone": "FIRM",
        "contacts_per_week_max": "3",
        "settlement": "5",
        "tier_max": "3",
    }
    for field, value in [("treatment", "A" * 300), ("tone", "x" * 13), ("settlement", "9999999999999.99")]:
        sent = {f"r0-{name}": text for name, text in (row | {field: value}).items()} | {
            "rows": "1",
            "do": "save",
        }

        answer = client.post(f"/plans/strategies/{draft}/rows/", sent)

        assert answer.status_code == 422, field


def test_a_form_of_a_borrower_that_is_sent_twice_opens_one_case(db: str) -> None:
    case = bench().cases[0]
    told = {"actor": actors.borrower(case.borrower_id), "kind": "DISPUTE", "reason": "WRONG_AMOUNT", "account_id": case.account_id, "source": "BORROWER_PAGE"}  # fmt: skip

    first = care.open_case(**told, at=MORNING)

    assert care.open_case(**told, at=MORNING + timedelta(seconds=3)) == first
    assert care.open_case(**told | {"reason": "ALREADY_PAID"}, at=MORNING + timedelta(seconds=3)) != first
    assert care.open_case(**told, at=MORNING + timedelta(minutes=5)) != first


def test_a_hold_is_released_on_its_own_account_only(db: str) -> None:
    mine, other = bench().cases[0], bench().cases[0]
    hold = book.place_hold(
        actor=actors.staff(Role.CARE), borrower_id=mine.borrower_id, account_id=mine.account_id, kind="DISPUTE", reason="r", at=MORNING
    )  # fmt: skip
    client = browser(Role.CARE, name="he")

    wrong = client.post(f"/book/accounts/{other.account_id}/holds/{hold}/release/", {"reason": "r"})
    right = client.post(f"/book/accounts/{mine.account_id}/holds/{hold}/release/", {"reason": "r"})

    assert (wrong.status_code, right.status_code) == (404, 302)
