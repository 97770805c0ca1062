"""Limitation: periods by place and day due, anew after a payment; the table is checked when it is read."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from weituo.core.recovery import limitation

ON = date(2026, 3, 1)


def barred(region: str | None, due: date | None, paid: date | None = None, *, on: date = ON) -> date | None:
    frame = pl.DataFrame(
        {"account_id": ["a"], "region": [region], "late_since": [due], "paid_on": [paid]},
        schema={"account_id": pl.String, "region": pl.String, "late_since": pl.Date, "paid_on": pl.Date},
    )
    found = limitation.barred(accounts=frame, on=on)
    assert found.columns == ["account_id", "barred_on", "citation"]
    return found["barred_on"][0] if found.height else None


@pytest.mark.parametrize(
    ("region", "due", "paid", "expected"),
    [
        ("440000", date(2023, 2, 28), None, date(2026, 3, 1)),
        ("44", date(2023, 3, 1), None, None),
        ("44", date(2020, 1, 1), date(2023, 2, 27), date(2026, 2, 28)),
        ("44", date(2020, 1, 1), date(2023, 3, 1), None),
        # a payment before the debt fell due acknowledges nothing
        ("44", date(2023, 2, 28), date(2023, 1, 1), date(2026, 3, 1)),
        # two years, over before three came into force; and three where they were not
        ("11", date(2015, 9, 30), None, date(2017, 10, 1)),
        ("11", date(2015, 10, 1), None, date(2018, 10, 2)),
        ("", date(2023, 2, 28), None, date(2026, 3, 1)),
        (None, date(2023, 2, 28), None, date(2026, 3, 1)),
        # a day that the year does not have
        ("44", date(2020, 2, 29), None, date(2023, 3, 1)),
        ("810000", date(2020, 2, 28), None, date(2026, 3, 1)),
        ("HK", date(2020, 2, 28), None, date(2026, 3, 1)),
        ("810000", date(2020, 3, 1), None, None),
        ("71", date(2011, 2, 28), None, date(2026, 3, 1)),
        ("71", date(2011, 3, 1), None, None),
        # no row, nothing barred
        ("82", date(2001, 1, 1), None, None),
        ("US-NY", date(2001, 1, 1), None, None),
        ("44", None, None, None),
    ],
)
def test_an_account_is_barred_from_the_day_after_its_period(
    region: str | None, due: date | None, paid: date | None, expected: date | None
) -> None:
    assert barred(region, due, paid) == expected
    if expected is not None:
        assert barred(region, due, paid, on=date.fromordinal(expected.toordinal() - 1)) is None


def test_every_packaged_row_has_its_source() -> None:
    table = limitation.load()
    assert table.version and table.fewest_years == 2
    assert all(
        row.citation and row.confidence in {"T", "S", "M"} and row.zh and row.en for row in table.periods
    )


GOOD = {"jurisdiction": "X", "years": 3, "payment_interrupts": True, "citation": "c", "confidence": "M", "zh": "z", "en": "e"}  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "version and rows"),
        ([GOOD | {"years": 0}], "whole number"),
        ([GOOD | {"citation": ""}], "citation"),
        ([GOOD | {"due_from": 3}], "is a date"),
        ([GOOD | {"colour": 1}], "unknown key colour"),
        ([{key: value for key, value in GOOD.items() if key != "years"}], "row 1: years"),
        (["x"], "a mapping"),
        ([GOOD, GOOD], "two rows of X"),
        ([GOOD | {"due_to": date(2020, 1, 2)}, GOOD | {"due_from": date(2020, 1, 1)}], "two rows of X"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(rows: list[Any], says: str) -> None:
    import yaml

    with pytest.raises(limitation.LimitationError, match=says):
        limitation.read(text=yaml.safe_dump({"version": "1", "rows": rows}))
