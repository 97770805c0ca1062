"""Plans in the console: draft, sign, follow; and strategies edited as a table, tried, published, applied."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import polars as pl
import pytest

from weituo.domain.book import queries as book
from weituo.domain.ledger import services as ledger
from weituo.domain.plans import queries, services, treating
from weituo.foundation import clock, days
from weituo.foundation.identity.roles import Role

from tests.builders import actors, pages
from tests.builders import ledger as build
from tests.builders import tracking as build_tracking

LIN = actors.staff()
DRAFT = {
    "active_from": "2026-01-01",
    "note": "first year",
    "target_M2": "3 7.25 9.5",
    "m0_title_zh": "系统联调",
    "m0_title_en": "Systems connected",
    "m0_owner": "AGENCY",
    "m0_due_on": "2026-01-15",
}


def form_of(rows: list[treating.Row]) -> dict[str, Any]:
    """What a browser would send for a table of these rows."""
    from weituo.web.presenters import strategies

    sent: dict[str, Any] = {"rows": str(len(rows))}
    for number, row in enumerate(rows):
        sent |= {f"r{number}-{name}": value for name, value in strategies.typed_row(row).items()}
    return sent


def draft(rows: list[treating.Row] | tuple[treating.Row, ...] = treating.DEFAULT_ROWS) -> UUID:
    return services.draft_strategy(actor=LIN, rows=rows, at=clock.now())


def rows_of(strategy: UUID) -> list[treating.Row]:
    found = queries.strategy(LIN, strategy_id=strategy)
    assert found is not None
    return list(found["rows"])


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_first_page_counts_plans_milestones_and_treatments(db: str, language: str) -> None:
    placed = build.placed_accounts(count=3)
    client = pages.browser(language=language)
    client.post(f"/plans/agencies/{placed[0].agency_id}/draft/", DRAFT)
    [plan] = queries.plans(LIN)
    client.post(f"/plans/{plan['id']}/sign/")
    response = client.get("/plans/")
    assert response.status_code == 200
    [row] = response.context["agencies"]
    assert (row["milestones"], row["done"], row["late"]) == (1, 0, 1)
    [total] = response.context["totals"]
    frame = book.accounts_frame(LIN, on=days.day_of(clock.now()))
    assert (total["treatment"], total["accounts"], total["balance_minor"]) == ("", frame.height, frame["balance_minor"].sum())  # fmt: skip
    assert ("Systems connected" if language == "en" else "系统联调") in pages.words(response)


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_a_plan_is_drawn_up_and_signed_for_the_lender(db: str, language: str) -> None:
    [placed] = build.placed_accounts()
    client = pages.browser(language=language)
    response = client.post(f"/plans/agencies/{placed.agency_id}/draft/", DRAFT)
    [plan] = queries.plans(LIN)
    assert response["Location"] == f"/plans/{plan['id']}/"
    words = pages.words(client.get(response["Location"]))
    for shown in ("3.00%", "7.25%", "9.50%", plan["digest"]):
        assert shown in words
    client.post(f"/plans/{plan['id']}/sign/")
    assert [one["state"] for one in queries.plans(LIN)] == ["OFFERED"]
    [milestone] = queries.milestones(LIN)
    client.post(f"/plans/{plan['id']}/milestones/{milestone['id']}/done/")
    assert queries.milestones(LIN)[0]["done_at"] is not None


def test_a_refused_draft_keeps_what_was_typed(db: str) -> None:
    [placed] = build.placed_accounts()
    client = pages.browser()
    response = client.post(f"/plans/agencies/{placed.agency_id}/draft/", DRAFT | {"target_M2": "9 3"})
    assert response.status_code == 422
    page = response.content.decode()
    assert 'value="9 3"' in page
    assert 'value="Systems connected"' in page
    assert queries.plans(LIN) == []


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_plan_against_actual_is_the_curve_of_booked_money(db: str, language: str) -> None:
    placed = build.placed_accounts(count=40)
    build_tracking.signed_plan(placed[0].agency_id, bps_by_month={1: 500, 2: 900})
    paid = pl.DataFrame({"reference": ["D1", "D2"], "account_id": [str(one.account_id) for one in placed[:2]], "amount_minor": [10_000, 20_000], "currency": ["CNY"] * 2, "paid_on": [date(2026, 3, 9), date(2026, 4, 20)], "method": ["BANK"] * 2})  # fmt: skip
    ledger.book_direct_payments(actor=actors.staff(Role.FINANCE), payments=paid, at=build.AT)
    response = pages.browser(language=language).get(f"/plans/agencies/{placed[0].agency_id}/")
    assert response.status_code == 200
    own, plan = response.context["chart"]["series"][:2]
    assert own["values"] == [pytest.approx(10_000 / (40 * 102_500))]
    assert plan["values"] == [pytest.approx(0.05)]
    assert response.context["plans"][0]["state"] == "SIGNED"
    assert response.context["state"]["tone"] == "bad"


def test_milestones_are_reached_from_the_agencys_page_too(db: str) -> None:
    [placed] = build.placed_accounts()
    client, here = pages.browser(), f"/plans/agencies/{placed.agency_id}/"
    client.post(f"{here}draft/", DRAFT)
    [plan] = queries.plans(LIN)
    client.post(f"/plans/{plan['id']}/sign/")
    [milestone] = queries.milestones(LIN)
    address = f"/plans/{plan['id']}/milestones/{milestone['id']}/done/"
    for page in (here, f"/plans/{plan['id']}/"):
        assert f'action="{address}"' in client.get(page).content.decode()


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_what_a_draft_would_do_equals_a_count_of_the_book(db: str, language: str) -> None:
    build.placed_accounts(count=4, principal=500_000)
    build.placed_accounts(count=2, principal=3_000_000)
    strategy = draft()
    with clock.at_instant(build.AT):
        response = pages.browser(language=language).get(f"/plans/strategies/{strategy}/?try=1")
    assert response.status_code == 200
    frame = book.accounts_frame(LIN, on=days.day_of(build.AT))
    large = frame.filter(pl.col("balance_minor") >= 2_000_000)
    rows = {row["number"]: (row["accounts"], row["balance_minor"]) for row in response.context["rows"]}
    assert rows[4] == (large.height, large["balance_minor"].sum())
    assert rows[5] == (4, frame["balance_minor"].sum() - large["balance_minor"].sum())
    assert sum(accounts for accounts, _money in rows.values()) == frame.height
    assert response.context["may_publish"] is True
    # half a year later the same accounts are too late for the rows of the second and third month
    with clock.at_instant(build.AT + timedelta(days=180)):
        later = pages.browser(language=language).get(f"/plans/strategies/{strategy}/?try=1")
    counts = {row["number"]: row["accounts"] for row in later.context["rows"]}
    assert (counts[4], counts[5], sum(counts.values())) == (0, 0, frame.height)


def test_rows_are_added_moved_removed_and_saved_as_typed(db: str) -> None:
    client, strategy = pages.browser(), draft()
    address = f"/plans/strategies/{strategy}/rows/"
    before = rows_of(strategy)
    client.post(address, form_of(before) | {"do": "up-1"})
    assert rows_of(strategy) == [before[1], before[0], *before[2:]]
    client.post(address, form_of(before) | {"do": "down-0"})
    assert rows_of(strategy) == [before[1], before[0], *before[2:]]
    client.post(address, form_of(before) | {"do": "remove-2"})
    assert rows_of(strategy) == [*before[:2], *before[3:]]
    client.post(address, form_of(before) | {"do": "add"})
    assert len(rows_of(strategy)) == len(before) + 1
    edited = form_of(before) | {"do": "save", "r0-settlement": "12.5", "r0-balance_from": "1,000.50", "r0-buckets": ["M3", "M4"]}  # fmt: skip
    client.post(address, edited)
    first = rows_of(strategy)[0]
    assert (first.settlement_bps_max, first.balance_minor_min, first.buckets) == (
        1_250,
        100_050,
        ("M3", "M4"),
    )


def test_unreadable_rows_stay_as_typed_and_nothing_is_saved(db: str) -> None:
    client, strategy = pages.browser(), draft()
    before = rows_of(strategy)
    response = client.post(
        f"/plans/strategies/{strategy}/rows/", form_of(before) | {"r1-balance_from": "much", "do": "save"}
    )
    assert response.status_code == 422
    assert 'value="much"' in response.content.decode()
    assert "Row 2" in pages.words(response)
    assert rows_of(strategy) == before


def test_problems_stand_beside_their_row_and_stop_publishing(db: str) -> None:
    build.placed_accounts()
    strategy = draft([treating.Row(treatment="AGENCY"), treating.Row(treatment="HOLD", buckets=("M1",))])
    client = pages.browser()
    response = client.get(f"/plans/strategies/{strategy}/?try=1")
    assert [len(row["problems"]) for row in response.context["rows"]] == [2, 1]
    assert response.context["may_publish"] is False
    client.post(f"/plans/strategies/{strategy}/publish/")
    assert queries.current_strategy(LIN) is None


def test_publishing_and_applying_treats_the_book_and_says_the_counts(db: str) -> None:
    build.placed_accounts(count=3)
    client, strategy = pages.browser(), draft()
    client.post(f"/plans/strategies/{strategy}/publish/")
    page = client.post("/plans/strategies/apply/", follow=True)
    assert "3 accounts have their treatment: agency 3" in pages.words(page)
    assert queries.treatments_frame(LIN)["treatment"].to_list() == ["AGENCY"] * 3
    assert client.post(f"/plans/strategies/{strategy}/rows/", form_of(rows_of(strategy)) | {"do": "save"}).status_code == 409  # fmt: skip
    copy = client.post("/plans/strategies/new/", {"copy": str(strategy), "note": "gentler"})
    assert rows_of(UUID(copy["Location"].rstrip("/").split("/")[-1])) == rows_of(strategy)


def test_who_may_only_read_finds_no_form(db: str) -> None:
    client, strategy = pages.browser(Role.AUDITOR, name="audit"), draft()
    page = client.get(f"/plans/strategies/{strategy}/")
    assert page.status_code == 200
    assert "/rows/" not in page.content.decode()
    assert client.post(f"/plans/strategies/{strategy}/publish/").status_code == 403


def test_more_plans_take_no_more_statements(db: str) -> None:
    client = pages.browser()

    def grow(times: int) -> None:
        for _more in range(times):
            [placed] = build.placed_accounts()
            services.draft_plan(
                actor=LIN, agency_id=placed.agency_id, active_from=date(2026, 1, 1), active_to=None, targets={"M2": [100]},
                milestones=[{"title_zh": "一", "title_en": "one", "owner": "LENDER", "due_on": date(2026, 5, 1)}], at=clock.now(),
            )  # fmt: skip
            draft()

    grow(5)
    few = pages.statements(client, "/plans/")
    grow(45)
    assert pages.statements(client, "/plans/") == few
