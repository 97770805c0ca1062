"""The book in the console: buckets, the filter that lives in the address, accounts people recognise, one account's story."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from django.utils import translation

from weituo.domain.book import queries
from weituo.domain.care import queries as care_queries
from weituo.domain.care import services as care
from weituo.domain.ledger import services as ledger
from weituo.foundation import clock, days, transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity.roles import Role
from weituo.foundation.vault import store
from weituo.web.templatetags.weituo import day as day_text

from tests.builders import actors, pages
from tests.builders import ledger as build

LIN = actors.staff()
#: the day of the builders' accounts, 45 days late then
STATED = date(2026, 3, 1)


def external_ref(placed: build.Placed) -> str:
    return placed.account_id.hex


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_first_page_sums_the_book(db: str, language: str) -> None:
    build.placed_accounts(count=4, principal=123_456)
    response = pages.browser(language=language).get("/book/")
    assert response.status_code == 200
    today = days.day_of(clock.now())
    frame = queries.accounts_frame(LIN, on=today)
    assert response.context["totals"] == [{"currency": "CNY", "minor": frame["balance_minor"].sum()}]
    chart = response.context["chart"]
    assert dict(zip(chart["x"]["values"], chart["series"][0]["values"], strict=True)) == {bucket: frame["balance_minor"].sum() for bucket in frame["bucket"].unique()}  # fmt: skip
    assert "¥5,038.24" in pages.words(response)
    then = pages.browser(language=language).get(f"/book/?on={STATED}")
    assert [row["bucket"] for row in then.context["buckets"]] == ["M2"]
    assert then.context["state"]["tone"] == "none"
    with translation.override(language):
        dates = {"today": day_text(today), "then": day_text(STATED)}
    assert dates["today"] in pages.words(response)
    assert dates["then"] in pages.words(then)
    # the accounts are of a file of March: on a day long after, the page says what it cannot know
    late = pages.browser(language=language).get(f"/book/?on={STATED + timedelta(days=36)}")
    assert late.context["state"]["tone"] == "watch"
    assert dates["then"] in str(late.context["state"]["text"])
    assert [row["bucket"] for row in late.context["buckets"]] == ["M3"]


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_filter_is_the_address_and_amounts_are_typed_in_yuan(db: str, language: str) -> None:
    small = build.placed_accounts(count=2, principal=10_000, interest=0, fee=0)
    build.placed_accounts(count=3, principal=500_050, interest=0, fee=0)
    client = pages.browser(language=language)
    response = client.get("/book/?least=5000.50&most=6,000&bucket=M2&sort=balance&on=2026-03-01")
    frame = queries.accounts_frame(LIN, on=STATED).filter(
        pl.col("balance_minor").is_between(500_050, 600_000)
    )
    assert (response.context["found"], response.context["found_minor"]) == (frame.height, frame["balance_minor"].sum())  # fmt: skip
    assert 'value="5000.50"' in response.content.decode()
    assert "least=5000.50" in response.context["columns"][0]["address"]
    assert "on=2026-03-01" in response.context["columns"][0]["address"]
    assert client.get("/book/?bucket=M2&on=2026-04-30").context["found"] == 0
    assert client.get("/book/?least=5000.51").context["found"] == 0
    assert client.get("/book/?least=much").context["found"] == 5
    one = client.get(f"/book/?number={external_ref(small[0])}")
    assert [row["id"] for row in one.context["accounts"]] == [small[0].account_id]
    assert external_ref(small[0]) in pages.words(one)
    assert ("Guangdong" if language == "en" else "广东") in pages.words(one)


def test_names_show_masked_and_only_to_who_may_read_them(db: str) -> None:
    [placed] = build.placed_accounts()
    [subject] = queries.subject_ids(LIN, borrower_ids=[placed.borrower_id]).values()
    with transactions.transaction(actors.worker()):
        store.put([store.Person(subject_id=subject, fields={"name": ["王小明"]})])
        journal.write(actor=actors.worker(), at=build.AT, act="test.person", entries=[])
    assert "王**" in pages.words(pages.browser(Role.CARE, name="he").get("/book/"))
    page = pages.browser().get("/book/").content.decode()
    assert "王" not in page


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_an_accounts_story_holds_placement_payment_case_and_hold(db: str, language: str) -> None:
    [placed] = build.placed_accounts()
    payment = pl.DataFrame({"reference": ["D1"], "account_id": [str(placed.account_id)], "amount_minor": [12_345], "currency": ["CNY"], "paid_on": [build.day(9)], "method": ["BANK"]})  # fmt: skip
    ledger.book_direct_payments(actor=actors.staff(Role.FINANCE), payments=payment, at=build.AT)
    care.open_case(
        actor=actors.staff(Role.CARE), kind="DISPUTE", reason="OTHER", source="PHONE", account_id=placed.account_id, at=build.AT + timedelta(days=9)
    )  # fmt: skip
    story = care_queries.story(LIN, account_id=placed.account_id)
    assert sorted(row["what"] for row in story) == ["CASE_OPENED", "HOLD_BEGINS", "PAID", "PLACED"]
    assert [row["at"] for row in story] == sorted((row["at"] for row in story), reverse=True)
    response = pages.browser(language=language).get(f"/book/accounts/{placed.account_id}/")
    assert response.status_code == 200
    words = pages.words(response)
    assert "¥123.45" in words
    assert placed.case_ref in words
    assert len(response.context["happened"]) == len(story) + 1
    assert response.context["state"]["tone"] == "watch"


def test_holds_are_put_on_and_ended_with_a_reason(db: str) -> None:
    [placed] = build.placed_accounts()
    client, here = pages.browser(), f"/book/accounts/{placed.account_id}/"
    client.post(f"{here}hold/", {"kind": "LEGAL", "reason": ""})
    assert queries.holds_frame(LIN, at=clock.now()).is_empty()
    client.post(f"{here}hold/", {"kind": "LEGAL", "reason": "suit filed"})
    assert queries.holds_frame(LIN, at=clock.now())["kind"].to_list() == ["LEGAL"]
    found = queries.account(LIN, account_id=placed.account_id, on=STATED)
    assert found is not None
    client.post(f"{here}holds/{found['holds'][0]['id']}/release/", {"reason": "suit withdrawn"})
    assert queries.holds_frame(LIN, at=clock.now()).is_empty()


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_imports_open_in_both_languages(db: str, language: str) -> None:
    build.placed_accounts()
    response = pages.browser(language=language).get("/book/imports/")
    assert response.status_code == 200
    assert len(response.context["imports"]) == len(queries.imports(LIN)) == 1


@pytest.mark.parametrize("role", [Role.VENDOR_MANAGER, Role.CARE])
def test_more_accounts_take_no_more_statements(db: str, role: Role) -> None:
    client = pages.browser(role, name=role.value.lower())
    build.placed_accounts(count=5)
    few = pages.statements(client, "/book/")
    build.placed_accounts(count=45)
    assert pages.statements(client, "/book/") == few


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_what_a_newer_file_does_not_agree_with_is_told_and_handed_out(
    db: str, tmp_path: Path, language: str
) -> None:
    build.placed_accounts()
    list_of = tmp_path / "differences.csv"
    list_of.write_text("row,account\n1,A1\n", encoding="utf-8")
    report = {"new": 0, "updated": 1, "unchanged": 0, "differing": 1, "difference_minor": 12_345, "differences_file": str(list_of)}  # fmt: skip
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute("UPDATE book_import_file SET report = %s", [json.dumps(report)])
        journal.write(actor=actors.worker(), at=build.AT, act="test.refreshed", entries=[])
    [imported] = queries.imports(LIN)
    client, address = pages.browser(language=language), f"/book/imports/{imported['id']}/differences/"
    response = client.get("/book/imports/")
    assert "¥123.45" in pages.words(response)
    assert address in response.content.decode()
    assert b"".join(client.get(address)).endswith(b"1,A1\n")  # type: ignore[arg-type]
    assert pages.browser(Role.CARE, name="he").get(address).status_code == 403
