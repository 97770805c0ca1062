"""Addresses and forms that no honest browser sends: a refusal, never a fault."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client, override_settings

from weituo.web.posted import day_within_reach, whole
from weituo.web.presenters import business_case, evaluation


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
