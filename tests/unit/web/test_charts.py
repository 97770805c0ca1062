"""A chart is a figure with a table of the same numbers, and a point leads to what is behind it."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from weituo.web import charts


def spec(**given: Any) -> dict[str, Any]:
    return {
        "id": "c", "kind": "bar", "title": "M2 holds most", "x": {"name": "Bucket", "values": ["M1", "M2"]},
        "y": {"name": "Balance", "format": "money", "currency": "JPY"},
        "series": [{"name": "Balance", "values": [5, None], "low": [4, None], "high": [6, None]}],
    } | given  # fmt: skip


def shown(value: Any, form: str, currency: str) -> str:
    return "–" if value is None else f"{value} {form} {currency}"


def test_the_table_holds_the_numbers_of_the_figure_with_their_intervals() -> None:
    with translation.override("en"):
        figure = charts.figure(spec(), shown)
    assert figure["head"] == ["Bucket", "Balance"]
    assert [row["cells"] for row in figure["rows"]] == [["5 money JPY (4 money JPY to 6 money JPY)"], ["–"]]
    assert figure["spec"]["y"]["digits"] == 0, "a yen has no decimals"


def test_a_point_leads_to_what_is_behind_it_and_so_does_its_row() -> None:
    linked = spec(x={"name": "Bucket", "values": ["M1", "M2"], "links": ["?bucket=M1"]})
    assert [row["url"] for row in charts.figure(linked, shown)["rows"]] == ["?bucket=M1", None]
    assert [row["url"] for row in charts.figure(spec(), shown)["rows"]] == [None, None]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="pie"):
        charts.figure(spec(kind="pie"), shown)
