"""How late an account is belongs to a day: one rule, in the database and by column, on every day that is asked about."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weituo.core.recovery import buckets
from weituo.domain.book import queries
from weituo.domain.ledger import services as ledger
from weituo.domain.ledger.queries import payments_frame
from weituo.foundation import transactions
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import ledger as build

STATED = date(2026, 3, 1)
LIN = actors.staff()
#: days around the builders' accounts, which were stated as 45 days late on 1 March
EXPECTED = {
    date(2026, 1, 14): (0, "CURRENT"), date(2026, 1, 16): (1, "M1"), STATED: (45, "M2"), date(2026, 3, 16): (60, "M2"),
    date(2026, 3, 17): (61, "M3"), date(2026, 7, 14): (180, "M6"), date(2026, 7, 15): (181, "M7+"),
}  # fmt: skip
DAYS = st.dates(min_value=date(2025, 1, 1), max_value=date(2027, 1, 1))
ACCOUNTS = st.fixed_dictionaries(
    {
        "past_due_since": st.none() | DAYS,
        "stated": st.integers(min_value=0, max_value=400),
        "as_of": DAYS,
        "closed_on": st.none() | DAYS,
    }
)


@pytest.mark.parametrize(("on", "expected"), EXPECTED.items())
def test_an_account_ages_day_by_day(db: str, on: date, expected: tuple[int, str]) -> None:
    build.placed_accounts()
    [account] = queries.accounts_frame(LIN, on=on).to_dicts()
    assert (account["days_past_due"], account["bucket"]) == expected
    assert [row["bucket"] for row in queries.buckets(LIN, on=on)] == [expected[1]]
    found = {
        bucket: queries.accounts_page(LIN, on=on, filters={"bucket": bucket})["total"]
        for bucket in buckets.BUCKETS
    }
    assert found == {bucket: int(bucket == expected[1]) for bucket in buckets.BUCKETS}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ACCOUNTS, min_size=1, max_size=30), on=DAYS)
def test_the_database_and_the_columns_know_the_same_rule(
    db: str, rows: list[dict[str, Any]], on: date
) -> None:
    with transactions.reading(LIN), transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT book_days_past_due(book_late_since(s, n, a), c, %s), book_bucket(book_days_past_due(book_late_since(s, n, a), c, %s)) "
            "FROM unnest(%s::date[], %s::int[], %s::date[], %s::date[]) WITH ORDINALITY AS r(s, n, a, c, place) ORDER BY place",
            [
                on,
                on,
                *([row[name] for row in rows] for name in ("past_due_since", "stated", "as_of", "closed_on")),
            ],
        )
        kept = cursor.fetchall()
    frame = pl.DataFrame(
        rows, schema={"past_due_since": pl.Date, "stated": pl.Int64, "as_of": pl.Date, "closed_on": pl.Date}
    )
    since = buckets.late_since_expr(pl.col("past_due_since"), pl.col("stated"), pl.col("as_of"))
    days = buckets.days_past_due_expr(since, pl.col("closed_on"), on=on)
    assert frame.select(days, bucket=buckets.bucket_expr(days)).rows() == kept


def test_a_paid_off_account_ages_no_further_and_a_reversal_lets_it_age_again(db: str) -> None:
    [placed] = build.placed_accounts(principal=10_000, interest=0, fee=0)
    finance = actors.staff(Role.FINANCE)
    ledger.open_book(actor=finance, at=build.AT)
    payment = pl.DataFrame(
        {"reference": ["P"], "account_id": [str(placed.account_id)], "amount_minor": [10_000], "currency": ["CNY"],
         "paid_on": [build.day(10)], "method": ["BANK"]}
    )  # fmt: skip
    ledger.book_direct_payments(actor=finance, payments=payment, at=build.AT)
    later = STATED + timedelta(days=200)
    [account] = queries.accounts_frame(LIN, on=later).to_dicts()
    assert (account["status"], account["closed_on"]) == ("CLOSED", build.day(10))
    assert (account["days_past_due"], account["bucket"]) == (54, "M2")
    assert queries.accounts_page(LIN, on=later, filters={"bucket": "M2"})["total"] == 1
    assert queries.accounts_page(LIN, on=later, filters={"bucket": "M7+"})["total"] == 0
    assert queries.buckets(LIN, on=later) == []
    [booked] = payments_frame(LIN).to_dicts()
    ledger.reverse_payment(actor=finance, payment_id=booked["payment_id"], reason="bounced", at=build.AT)
    [account] = queries.accounts_frame(LIN, on=later).to_dicts()
    assert (account["status"], account["closed_on"], account["days_past_due"]) == ("OPEN", None, 245)


def test_a_bucket_is_found_by_the_index_on_the_day_it_began(db: str) -> None:
    build.placed_accounts(count=3)
    clause, values = queries._in_bucket("M2", on=STATED)
    with transactions.reading(LIN), transactions.connection().cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            f"EXPLAIN SELECT a.id FROM book_account_on(%s) a WHERE a.status = 'OPEN' AND {clause.split(' OR ')[0]})",
            [STATED, *values[:2]],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "book_account_late" in plan
