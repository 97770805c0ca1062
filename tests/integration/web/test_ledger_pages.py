"""Money in the console: balances, bank lines, payments, one commission computed anew, statements by two persons."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

import polars as pl
import pytest

from weituo.domain.ledger import queries, services
from weituo.foundation.identity.roles import Role
from weituo.foundation.tenancy.actors import Actor

from tests.builders import actors, pages
from tests.builders import ledger as build

AT = build.AT
SUN: Actor = actors.staff(Role.FINANCE, name="sun")


def remitted(count: int = 3, *, ref: str = "R1", amount: int = 10_333, bank: bool = True, placed: list[build.Placed] | None = None) -> list[build.Placed]:  # fmt: skip
    """Place accounts, report one payment each, let the bank line arrive and book."""
    placed = placed or build.placed_accounts(count=count)
    services.open_book(actor=SUN, at=AT)
    services.report_remittance(
        actor=actors.agency_system(placed[0].agency_id), sender_ref=ref, currency="CNY", total_minor=amount * len(placed), at=build.REPORTED,
        lines=[services.RemittanceLine(case_ref=row.case_ref, amount_minor=amount, paid_on=build.day(5), method="BANK", bank_ref=f"{ref}-{number}") for number, row in enumerate(placed)],
    )  # fmt: skip
    if bank:
        line = pl.DataFrame({"reference": [ref], "booked_on": [build.day(5)], "amount_minor": [amount * len(placed)], "currency": ["CNY"], "remittance_text": [""]})  # fmt: skip
        services.receive_bank_lines(actor=SUN, lines=line, at=AT)
        services.book_remittances(actor=SUN, at=AT)
    return placed


def drawn(agency_id: UUID, *, agreed: bool = True) -> UUID:
    statement = services.draw_statement(actor=SUN, agency_id=agency_id, period_from=build.day(1), period_to=build.day(31), at=AT)  # fmt: skip
    if agreed:
        services.agree_statement(actor=actors.agency_system(agency_id), statement_id=statement, at=AT)
    return statement


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_first_page_names_what_waits_and_what_stands_in_the_books(db: str, language: str) -> None:
    placed = remitted()
    remitted(ref="R2", bank=False, placed=placed)
    response = pages.browser(Role.FINANCE, name="zhou", language=language).get("/money/")
    assert response.status_code == 200
    figures = [figure["minor"] for figure in response.context["figures"]]
    commission = sum(int((Decimal(10_333) * 2_000 / 10_000).quantize(0, ROUND_HALF_UP)) for _each in placed)
    assert figures[1] == figures[2] == commission
    assert [row["sender_ref"] for row in response.context["remittances"]] == ["R2"]
    assert response.context["waiting"] == {
        "bank_lines": 0, "reports": 1, "drawn": 0, "agreed": 0, "statements": 0,
    }  # fmt: skip
    assert "¥62.01" in pages.words(response)


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_trial_balance_sums_to_zero_for_all_time_and_before_a_day(db: str, language: str) -> None:
    remitted()
    client = pages.browser(Role.FINANCE, name="zhou", language=language)
    response = client.get("/money/balance/")
    assert [row["minor"] for row in response.context["totals"]] == [0]
    assert sum(row["balance_minor"] for row in response.context["balances"]) == 0
    assert [row["balance_minor"] for row in response.context["by_agency"]] == [-3 * 2_067]
    assert "¥62.01" in pages.words(response)
    before = client.get("/money/balance/?until=2026-03-05")
    assert [row["minor"] for row in before.context["totals"]] == [0]
    assert "¥62.01" not in pages.words(before)
    assert client.get("/money/balance/?until=2026-02-31").context["until"] is None


def test_lists_are_filtered_and_come_a_page_at_a_time(db: str) -> None:
    placed = remitted()
    remitted(ref="R2", bank=False, placed=placed)
    client = pages.browser(Role.FINANCE, name="zhou")
    states = {
        asked: [
            row["state"] for row in client.get(f"/money/remittances/?state={asked}").context["remittances"]
        ]
        for asked in ("", "BOOKED", "REPORTED", "REFUSED", "NONSENSE")
    }
    assert states == {
        "": ["REPORTED", "BOOKED"], "BOOKED": ["BOOKED"], "REPORTED": ["REPORTED"], "REFUSED": [], "NONSENSE": ["REPORTED", "BOOKED"],
    }  # fmt: skip
    lines = pl.DataFrame({"reference": [f"B-{number:03}" for number in range(60)], "booked_on": [build.day(6)] * 60, "amount_minor": [500] * 60, "currency": ["CNY"] * 60, "remittance_text": [""] * 60})  # fmt: skip
    services.receive_bank_lines(actor=SUN, lines=lines, at=AT)
    first = client.get("/money/bank/?state=waits")
    second = client.get(f"/money/bank/{first.context['next']}")
    assert (len(first.context["bank_lines"]), len(second.context["bank_lines"])) == (50, 10)
    assert (second.context["page"], second.context["pages"], second.context["next"]) == (2, 2, "")
    references = {row["reference"] for page in (first, second) for row in page.context["bank_lines"]}
    assert references == {f"B-{number:03}" for number in range(60)}
    matched = client.get("/money/bank/?state=matched").context["bank_lines"]
    assert [row["reference"] for row in matched] == ["R1"]
    assert "60 bank lines wait" in pages.words(client.get("/money/"))
    assert client.get("/money/statements/?state=PAID&agency=nonsense&page=99").context["statements"] == []


def test_entries_come_a_page_at_a_time_and_none_is_left_out(db: str) -> None:
    remitted(9)
    client = pages.browser(Role.AUDITOR, name="audit")
    found, address = [], ""
    while True:
        page = client.get(f"/money/entries/{address}")
        found += [entry["key"] for entry in page.context["entries"]]
        if not (address := page.context["next"]):
            break
    assert found == list(dict.fromkeys(row["idempotency_key"] for row in queries.entries(SUN, limit=1_000)))


@pytest.mark.parametrize("typed", [{"period_from": "2026-03-31", "period_to": "2026-03-01"}, {"period_from": "soon", "period_to": ""}])  # fmt: skip
def test_a_refused_settlement_keeps_what_was_typed(db: str, typed: dict[str, str]) -> None:
    placed = remitted(1)
    response = pages.browser(Role.FINANCE, name="sun").post("/money/statements/draw/", {"agency": str(placed[0].agency_id)} | typed)  # fmt: skip
    assert response.status_code in {409, 422}
    assert [agency["chosen"] for agency in response.context["agencies"]].count(True) == 1
    assert response.context["period_from"] == typed["period_from"]
    assert queries.statements(SUN) == []


@pytest.mark.parametrize("language", pages.LANGUAGES)
@pytest.mark.parametrize(
    "address", ["check/", "entries/", "payments/", "statements/", "bank/", "remittances/"]
)
def test_the_lists_open_in_both_languages(db: str, address: str, language: str) -> None:
    remitted()
    response = pages.browser(Role.AUDITOR, name="audit", language=language).get(f"/money/{address}")
    assert response.status_code == 200
    if address == "check/":
        assert response.context["differences"] == queries.check(SUN) == []
    elif address == "payments/":
        assert [row["amount_minor"] for row in response.context["payments"]] == [10_333] * 3
        assert pages.words(response).count("¥103.33") == 3
    elif address == "entries/":
        for entry in response.context["entries"]:
            assert sum((leg["debit_minor"] or 0) - (leg["credit_minor"] or 0) for leg in entry["legs"]) == 0


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_a_commission_line_is_computed_anew(db: str, language: str) -> None:
    remitted(1)
    client = pages.browser(Role.FINANCE, name="zhou", language=language)
    [row] = client.get("/money/payments/").context["payments"]
    response = client.get(f"/money/lines/{row['line_id']}/")
    assert response.status_code == 200
    words = pages.words(response)
    assert "¥20.67" in words
    assert "2,066.6000" in words
    assert "20.00%" in words
    assert response.context["line"]["same"] is True


def test_a_payment_is_reversed_with_a_reason_once(db: str) -> None:
    remitted(1)
    client = pages.browser(Role.FINANCE, name="zhou")
    [row] = client.get("/money/payments/").context["payments"]
    address = f"/money/lines/{row['line_id']}/"
    client.post(f"{address}reverse/", {"reason": " "})
    assert queries.payments_frame(SUN).height == 1
    client.post(f"{address}reverse/", {"reason": "bounced"})
    assert queries.payments_frame(SUN).is_empty()
    assert "was reversed" in pages.words(client.get(address))
    again = client.post(f"{address}reverse/", {"reason": "bounced"}, follow=True)
    assert "reversed before" in pages.words(again)


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_a_statement_shows_each_line_and_needs_a_second_person(db: str, language: str) -> None:
    placed = remitted()
    client = pages.browser(Role.FINANCE, name="sun", language=language)
    response = client.post("/money/statements/draw/", {"agency": str(placed[0].agency_id), "period_from": "2026-03-01", "period_to": "2026-04-01"})  # fmt: skip
    page = client.get(response["Location"])
    [statement] = queries.statements(SUN)
    assert page.context["sum_minor"] == statement["commission_minor"] == 3 * 2_067
    assert page.context["sum_base_minor"] == statement["collected_minor"] == 3 * 10_333
    services.agree_statement(actor=actors.agency_system(placed[0].agency_id), statement_id=statement["id"], at=AT)  # fmt: skip
    assert client.get(response["Location"]).context["may_approve"] is False
    client.post(f"{response['Location']}approve/")
    assert queries.statements(SUN)[0]["state"] == "AGREED"
    other = pages.browser(Role.FINANCE, name="zhou")
    assert other.get(response["Location"]).context["may_approve"] is True
    other.post(f"{response['Location']}approve/")
    assert queries.statements(SUN)[0]["state"] == "PAID"
    assert queries.check(SUN) == []


def test_booking_by_button_books_what_the_bank_confirms(db: str) -> None:
    placed = build.placed_accounts()
    remitted(ref="R9", bank=False, placed=placed)
    line = pl.DataFrame({"reference": ["R9"], "booked_on": [build.day(5)], "amount_minor": [10_333], "currency": ["CNY"], "remittance_text": [""]})  # fmt: skip
    services.receive_bank_lines(actor=SUN, lines=line, at=AT)
    client = pages.browser(Role.FINANCE, name="sun")
    assert "1 bank line waits" in pages.words(client.get("/money/"))
    assert "1 payment was booked" in pages.words(client.post("/money/book/", follow=True))
    assert pages.browser().post("/money/book/").status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "/money/",
        "/money/payments/",
        "/money/entries/",
        "/money/bank/",
        "/money/remittances/",
        "/money/statements/",
        "/money/balance/",
        "statement",
    ],
)
def test_more_rows_take_no_more_statements(db: str, address: str) -> None:
    placed = build.placed_accounts(count=50, principal=5_000_000)
    remitted(placed=placed[:5])
    client = pages.browser(Role.FINANCE, name="sun")
    page = address if address.startswith("/") else f"/money/statements/{drawn(placed[0].agency_id)}/"
    few = pages.statements(client, page)
    for number in range(3):
        remitted(ref=f"M{number}", placed=placed)
    assert pages.statements(client, page) == few


def test_a_statement_is_approved_from_the_desk_without_opening_it(db: str) -> None:
    placed = remitted()
    drawn(placed[0].agency_id)
    other = pages.browser(Role.FINANCE, name="zhou")
    [item] = [item for item in other.get("/").context["mine"] if item["icon"] == "file-invoice"]
    assert "¥62.01" in item["here"]["confirm"]
    response = other.post(item["here"]["url"], {"back": "today"})
    assert response["Location"] == "/"
    assert queries.statements(SUN)[0]["state"] == "PAID"
    assert [item["icon"] for item in other.get("/").context["mine"]] == []


def test_a_bank_line_says_why_it_waits(db: str) -> None:
    placed = remitted(2, bank=False)
    lines = {"R1": 20_000, "NOBODY": 500, "R2": 300}
    frame = pl.DataFrame({"reference": list(lines), "booked_on": [build.day(5)] * 3, "amount_minor": list(lines.values()), "currency": ["CNY"] * 3, "remittance_text": [""] * 3})  # fmt: skip
    remitted(ref="R2", amount=150, bank=False, placed=placed)
    services.receive_bank_lines(actor=SUN, lines=frame, at=AT)
    client = pages.browser(Role.FINANCE, name="sun")
    page = client.get("/money/bank/")
    found = {row["reference"]: (row["more_minor"], row["less_minor"], row["ready"]) for row in page.context["bank_lines"]}  # fmt: skip
    assert found == {"R1": (666, None, False), "NOBODY": (None, None, False), "R2": (None, None, True)}
    said = pages.words(page)
    assert "reported ¥6.66 more" in said
    assert "No report has this reference." in said
    assert "It fits a report: book it." in said
    client.post("/money/book/")
    waiting = client.get("/money/bank/?state=waits").context["bank_lines"]
    assert {row["reference"] for row in waiting} == {"R1", "NOBODY"}
