"""Next month's file of the same book: known accounts are brought up to it, money that was booked here is never overwritten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from weituo.domain.book import errors, profiles, queries, services
from weituo.domain.ledger import queries as ledger_queries
from weituo.domain.ledger import services as ledger
from weituo.foundation import transactions
from weituo.foundation.identity.roles import Role

from tests.builders import actors

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
HEADER = "customer,account,principal,interest,since,bill,late,disputed"
PROFILE = """
name = "monthly"
currency = "CNY"
[borrower]
id = "customer"
[account]
id = "account"
principal = "principal"
interest = "interest"
past_due_since = "since"
known = "refresh"
[history]
months = [0]
bill = ["bill"]
late = ["late"]
[holds]
disputed = "DISPUTE"
"""
LIN, FINANCE = actors.staff(), actors.staff(Role.FINANCE)
Import = Callable[..., services.ImportReport]


@pytest.fixture
def take(tmp_path: Path, db: str) -> Import:
    """Write lines to a file and import it for a day."""

    def run(*lines: str, on: date = MARCH, profile: str = PROFILE) -> services.ImportReport:
        (tmp_path / "profile.toml").write_text(profile, encoding="utf-8")
        book = tmp_path / f"book-{on}.csv"
        book.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
        return services.import_book(
            actor=LIN, path=book, profile=profiles.read_profile(tmp_path / "profile.toml"), as_of=on,
            at=AT + (on - MARCH),
        )  # fmt: skip

    return run


def pay(number: str, amount_minor: int) -> None:
    account_id = queries.accounts_page(LIN, on=MARCH, filters={"number": number})["rows"][0]["id"]
    payment = pl.DataFrame(
        {"reference": [f"P-{number}"], "account_id": [str(account_id)], "amount_minor": [amount_minor], "currency": ["CNY"],
         "paid_on": [MARCH + timedelta(days=9)], "method": ["BANK"]}
    )  # fmt: skip
    ledger.book_direct_payments(actor=FINANCE, payments=payment, at=AT)


def account(number: str, *, on: date = APRIL) -> dict[str, object]:
    [row] = queries.accounts_page(LIN, on=on, filters={"number": number})["rows"]
    return queries.account(LIN, account_id=row["id"], on=on) or {}


def agrees() -> bool:
    return ledger_queries.check(FINANCE) == []


def test_new_updated_and_unchanged_are_counted_and_the_money_reconciles(take: Import) -> None:
    take("B1,A1,100,0,2026-02-01,100,1,0", "B2,A2,50,5,2026-01-10,50,2,0")
    ledger.open_book(actor=FINANCE, at=AT)
    report = take(
        "B1,A1,100,0,2026-02-01,110,2,0",
        "B2,A2,60,7,2026-01-10,70,3,0",
        "B2,A3,30,0,2026-03-20,30,1,0",
        on=APRIL,
    )
    assert (report.accounts, report.new, report.updated, report.unchanged, report.rejected) == (3, 1, 1, 1, 0)
    assert (report.balance_minor, report.changed_minor, report.differing) == (19_700, 1_200, 0)
    assert report.borrowers == 2
    assert (account("A2")["principal_minor"], account("A2")["interest_minor"]) == (6_000, 700)
    assert account("A2")["as_of"] == APRIL
    assert agrees()
    assert ledger.open_book(actor=FINANCE, at=AT) == 1
    assert sum(row.balance_minor for row in ledger_queries.trial_balance(FINANCE)) == 0
    assert agrees()


def test_months_are_appended_and_a_month_said_again_is_the_files(take: Import) -> None:
    take("B1,A1,100,0,2026-02-01,100,1,0")
    take("B1,A1,100,0,2026-02-01,110,2,0", on=date(2026, 5, 1))
    take("B1,A1,100,0,2026-02-01,115,3,0", on=date(2026, 5, 2))
    months = queries.history_frame(LIN).select("month", "bill_minor", "months_late").rows()
    assert months == [(MARCH, 10_000, 1), (date(2026, 5, 1), 11_500, 3)]
    with transactions.reading(LIN):
        [kept] = transactions.rows("SELECT bill_minor FROM book_repayment_history")
    assert kept["bill_minor"] == [11_500, None, 10_000]


def test_what_was_booked_here_is_reconciled_or_reported_never_overwritten(take: Import) -> None:
    take("B1,A1,100,0,2026-02-01,1,1,0", "B2,A2,100,0,2026-02-01,1,1,0", "B3,A3,100,0,2026-02-01,1,1,0")
    ledger.open_book(actor=FINANCE, at=AT)
    pay("A1", 4_000)
    pay("A2", 4_000)
    pay("A3", 10_000)
    # A1: the lender's core knows the payment; A2: it does not; A3 was paid off here
    report = take(
        "B1,A1,60,0,2026-02-01,1,1,0",
        "B2,A2,103,0,2026-02-01,1,1,0",
        "B3,A3,100,0,2026-02-01,1,1,0",
        on=APRIL,
    )
    assert (report.differing, report.difference_minor, report.changed_minor) == (2, 4_300 + 10_000, 0)
    assert [account(number)["balance_minor"] for number in ("A1", "A2", "A3")] == [6_000, 6_000, 0]
    assert [account(number)["lowered_minor"] for number in ("A1", "A2", "A3")] == [0, 4_000, 10_000]
    assert account("A3")["status"] == "CLOSED"
    listed = pl.read_csv(report.differences_file)
    assert listed.select("account", "file_minor", "book_minor", "booked_minor").rows() == [
        ("A2", 10_300, 6_000, 4_000), ("A3", 10_000, 0, 10_000),
    ]  # fmt: skip
    assert Path(report.differences_file).stat().st_mode & 0o077 == 0
    assert agrees()
    taken = take(
        "B2,A2,103,0,2026-02-01,1,1,0", on=APRIL + timedelta(days=1), profile=PROFILE.replace('known = "refresh"', 'known = "refresh"\nlowered = "take"')
    )  # fmt: skip
    assert (taken.differing, taken.changed_minor, account("A2")["balance_minor"]) == (0, 4_300, 10_300)
    assert account("A2")["lowered_minor"] == 0
    assert agrees()


def test_a_file_that_says_nothing_is_owed_closes_and_one_that_says_more_opens_again(take: Import) -> None:
    take("B1,A1,100,0,2026-02-01,1,1,0")
    ledger.open_book(actor=FINANCE, at=AT)
    take("B1,A1,0,0,,0,0,0".replace(",,", ",2026-02-01,"), on=APRIL)
    assert (
        account("A1")["status"],
        account("A1")["closed_on"],
        account("A1", on=date(2026, 9, 1))["days_past_due"],
    ) == ("CLOSED", APRIL, 59)
    take("B1,A1,20,0,2026-04-20,20,1,0", on=date(2026, 5, 1))
    assert (account("A1")["status"], account("A1")["closed_on"]) == ("OPEN", None)
    assert account("A1", on=date(2026, 5, 1))["days_past_due"] == 11
    assert agrees()


@pytest.mark.parametrize(
    ("line", "on", "rule"),
    [
        ("B9,A1,100,0,2026-02-01,1,1,0", APRIL, "borrower_of_the_book"),
        ("B1,A1,100,0,2026-02-01,1,1,0", date(2026, 2, 20), "not_older_than_the_book"),
    ],
)
def test_a_row_that_contradicts_the_book_is_rejected(take: Import, line: str, on: date, rule: str) -> None:
    take("B1,A1,100,0,2026-02-01,1,1,0")
    report = take(line, "B7,A7,5,0,2026-02-01,1,1,0", on=on)
    assert (report.accounts, report.rejected, report.rejected_balance_minor) == (1, 1, 10_000)
    assert pl.read_csv(report.reject_file)["rule"].to_list() == [rule]
    assert account("A1")["balance_minor"] == 10_000


def test_a_new_hold_of_the_file_is_put_on_once(take: Import) -> None:
    take("B1,A1,100,0,2026-02-01,1,1,0")
    for month in (4, 5):
        take("B1,A1,100,0,2026-02-01,1,1,1", on=date(2026, month, 1))
    assert queries.holds_frame(LIN, at=AT + timedelta(days=90))["kind"].to_list() == ["DISPUTE"]


def test_known_accounts_are_refused_unless_the_profile_says_otherwise(take: Import) -> None:
    refusing = PROFILE.replace('known = "refresh"\n', "")
    take("B1,A1,100,0,2026-02-01,1,1,0", profile=refusing)
    with pytest.raises(errors.AllRowsRejected):
        take("B1,A1,90,0,2026-02-01,1,1,0", on=APRIL, profile=refusing)
    with pytest.raises(errors.ProfileRefused, match="refuse"):
        take("B1,A1,90,0,2026-02-01,1,1,0", on=APRIL, profile=PROFILE.replace('"refresh"', '"overwrite"'))


def test_the_same_file_is_the_same_import_only_by_the_same_profile_and_day(take: Import) -> None:
    line, refusing = "B1,A1,100,7,2026-02-01,1,1,0", PROFILE.replace('known = "refresh"\n', "")
    first = take(line, profile=refusing)
    # laid out otherwise, it says the same
    again = take(line, profile="# the lender's monthly file\n" + refusing)
    assert again.repeated
    assert again.as_dict() | {"repeated": False} == first.as_dict()
    corrected = refusing.replace('interest = "interest"\n', "")
    with pytest.raises(errors.ProfileChanged, match="monthly"):
        take(line, profile=corrected)
    assert account("A1")["interest_minor"] == 700
    report = take(line, profile=corrected.replace("[account]", '[account]\nknown = "refresh"'))
    assert (report.repeated, report.updated, account("A1")["interest_minor"]) == (False, 1, 0)
