"""Rows of a query and days of an instant have one home each."""

from __future__ import annotations

from tests.tidy import house


def test_rows_of_a_query_are_made_in_foundation_alone() -> None:
    found = [
        f"{house.name(path)}: cursor.description"
        for path in house.python("src/weituo/domain")
        if "cursor.description" in house.text(path)
    ]
    assert found == [], "use transactions.rows"


def test_no_room_takes_the_day_of_an_instant_in_utc() -> None:
    found = []
    for path in house.python("src/weituo/domain"):
        found += [
            f"{house.name(path)}:{line} {call}" for line, call in house.calls(path) if call.endswith(".date")
        ]
        found += [
            f"{house.name(path)}:{number} {text.strip()[:60]}"
            for number, text in enumerate(house.text(path).splitlines(), start=1)
            if "_at::date" in text or "AT TIME ZONE 'UTC'" in text
        ]
    assert found == [], "use days.day_of, days.day_expr or days.start_of"
