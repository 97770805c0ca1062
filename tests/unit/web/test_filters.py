"""The filters of pages: money, days, instants, shares, in both languages; what is missing is never zero."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.template import engines
from django.utils import translation

from weituo.web.templatetags import weituo as filters


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (123_456, "CNY", "¥1,234.56"),
        (-123_456, "CNY", "-¥1,234.56"),
        (0, "CNY", "¥0.00"),
        (1_234, "JPY", "JP¥1,234"),
        (1_234_567, "KWD", "KWD1,234.567"),
        (99, "TWD", "NT$0.99"),
        (2**62, "CNY", "¥46,116,860,184,273,879.04"),
        (None, "CNY", "–"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_money(minor: int | None, currency: str, shown: str, language: str) -> None:
    with translation.override(language):
        assert filters.money(minor, currency) == shown


def test_days_and_instants_as_people_write_them() -> None:
    moment = datetime(2026, 11, 25, 16, 30, tzinfo=UTC)
    with translation.override("en"):
        assert filters.day(date(2026, 3, 9)) == "9 Mar 2026"
        assert filters.day(moment) == "26 Nov 2026", "the day on the lender's wall"
        assert filters.instant(moment) == "26 Nov 2026, 00:30\xa0UTC+8"
    with translation.override("zh-hans"):
        assert filters.day(date(2026, 3, 9)) == "2026年3月9日"
        assert filters.instant(moment) == "2026年11月26日 00:30\xa0UTC+8"
        assert filters.day("2026-03-09") == "2026年3月9日"


def test_numbers_and_shares() -> None:
    with translation.override("en"):
        assert filters.count(20_000) == "20,000"
        assert filters.percent(0.1234) == "12.3%"
        assert filters.percent(Decimal("-0.5")) == "-50.0%"
        assert filters.bps(1_234) == "12.34%"


@pytest.mark.parametrize("name", ["day", "instant", "count", "percent", "bps", "clock"])
def test_what_is_missing_is_a_dash(name: str) -> None:
    assert getattr(filters, name)(None) == "–"


def _drawn(spec: dict[str, object]) -> str:
    return engines["django"].from_string("{% chart spec %}").render({"spec": spec})


def test_a_chart_carries_a_table_of_its_numbers() -> None:
    spec = {
        "id": "curve", "kind": "line", "title": "Agency A is on plan", "subtitle": "liquidation rate", "x": {"name": "Month", "values": [1, 2]},
        "y": {"name": "share", "format": "percent"},
        "series": [{"name": "</script><b>", "values": [0.1, None], "low": [0.05, None], "high": [0.2, None]}],
    }  # fmt: skip
    with translation.override("en"):
        page = _drawn(spec)
    assert "10.0% (5.0% to 20.0%)" in page
    assert page.count("<tr>") == 3
    assert "</script><b>" not in page, "names cannot end the data"


def test_a_heat_map_carries_its_table() -> None:
    spec = {
        "id": "rolls", "kind": "heat", "title": "t", "x": {"name": "to", "values": ["M1", "M2"]}, "y": {"name": "from", "format": "count"},
        "y_values": ["M1"], "cells": [[1, 0, 7]],
    }  # fmt: skip
    page = _drawn(spec)
    assert ">–<" in page
    assert ">7<" in page


def test_an_unknown_kind_of_chart_is_a_fault() -> None:
    with pytest.raises(ValueError, match="pie"):
        _drawn({"kind": "pie", "id": "x", "x": {"values": []}, "y": {}})
