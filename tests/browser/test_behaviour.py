"""What scripts add: keys, themes, charts and dialogs; and the agency's morning, driven through its pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.story import Told

pytestmark = pytest.mark.browser


def test_keys_lead_to_pages_lists_and_help(told: Told, visitor: Callable[..., Any]) -> None:
    guest = visitor("zhao", language="en")
    guest.open("/")
    guest.page.keyboard.press("g")
    guest.page.keyboard.press("g")
    guest.page.wait_for_url("**/log/")
    guest.page.keyboard.press("j")
    guest.page.keyboard.press("j")
    second = guest.page.locator("tbody tr").nth(1).locator("a").first
    assert second.evaluate("node => node === document.activeElement")
    guest.page.keyboard.press("k")
    assert guest.page.locator("tbody tr a").first.evaluate("node => node === document.activeElement")
    guest.page.keyboard.press("/")
    assert (
        guest.page.evaluate("document.activeElement.form !== null && document.activeElement.form.method")
        == "get"
    )
    guest.page.keyboard.press("Escape")
    guest.page.evaluate("document.activeElement.blur()")
    guest.page.keyboard.press("?")
    assert guest.page.locator("#keys-dialog").is_visible()
    assert guest.faults == []


def test_the_theme_is_kept(told: Told, visitor: Callable[..., Any]) -> None:
    guest = visitor("lin", language="en")
    guest.open("/")
    theme = "document.documentElement.dataset.bsTheme"
    assert guest.page.evaluate(theme) == "light"
    guest.page.locator("details.person summary").click()
    switch = guest.page.locator("[data-theme-switch]")
    switch.click()
    switch.click()
    assert guest.page.evaluate(theme) == "dark"
    guest.open("/book/")
    assert guest.page.evaluate(theme) == "dark"


def test_a_chart_is_drawn_and_leaves_as_numbers(
    told: Told, visitor: Callable[..., Any], tmp_path: Path
) -> None:
    guest = visitor("zhao", language="en", accept_downloads=True)
    guest.open("/conduct/?from=2026-03-09&through=2026-03-09")
    figure = guest.page.locator("figure.chart").first
    assert figure.locator("canvas").count() == 1
    figure.locator("summary").click()
    assert figure.locator("table tbody tr").count() > 0
    with guest.page.expect_download() as waiting:
        figure.locator("[data-export=csv]").click()
    kept = tmp_path / "chart.csv"
    waiting.value.save_as(kept)
    lines = kept.read_text(encoding="utf-8-sig").strip().splitlines()
    assert len(lines) >= 2
    assert "," in lines[0]
    with guest.page.expect_download() as waiting:
        figure.locator("[data-export=png]").click()
    picture = tmp_path / "chart.png"
    waiting.value.save_as(picture)
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert guest.faults == []


def test_a_destructive_form_says_what_will_happen_first(told: Told, visitor: Callable[..., Any]) -> None:
    guest = visitor("chen", language="en")
    guest.open("/settings/keys/")
    row = guest.page.locator("#keys tbody tr").first
    row.locator("input[name=reason]").fill("lost")
    row.get_by_role("button", name="End").click()
    dialog = guest.page.locator("#confirm-dialog")
    assert "Chengxin Collections" in dialog.inner_text()
    assert "ends now" in dialog.inner_text()
    dialog.get_by_role("button", name="Go back").click()
    assert row.get_by_role("button", name="End").is_visible()
    row.get_by_role("button", name="End").click()
    dialog.get_by_role("button", name="Do it").click()
    guest.page.wait_for_load_state("load")
    assert guest.page.locator(".note").inner_text().startswith("The key has ended.")
    assert guest.faults == []


def test_a_key_is_shown_once(told: Told, visitor: Callable[..., Any]) -> None:
    guest = visitor("chen", language="en")
    guest.open("/settings/keys/")
    guest.page.locator("#k-name").fill("second system")
    guest.page.get_by_role("button", name="Issue a key").click()
    secret = guest.page.locator("#new-key").inner_text()
    assert secret.startswith("wt_")
    guest.page.get_by_role("link", name="I have kept it").click()
    guest.page.wait_for_load_state("load")
    assert secret not in guest.page.content()
    assert secret[:11] in guest.page.content()


def test_an_agency_asks_is_refused_with_the_rule_and_is_granted(
    told: Told, visitor: Callable[..., Any]
) -> None:
    guest = visitor("deng", language="en")
    page = guest.page
    guest.open(f"/agency/cases/{told.case_ref}/")
    assert page.locator(".verdict-good").is_visible(), "the permit of the story is live"
    page.locator("#p-when").fill("2026-03-09T23:30")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_load_state("load")
    refused = page.locator("section", has_text="Permits").locator("tbody tr", has_text="refused").first
    assert "again from" in refused.inner_text()
    assert refused.locator("small").first.inner_text().strip(), "the rule is cited"
    page.locator("#a-result").select_option("RIGHT_PARTY")
    page.get_by_role("button", name="Report", exact=True).click()
    page.wait_for_load_state("load")
    assert page.locator(".note").inner_text() == "The contact is reported."
    page.get_by_role("button", name="Open the facts").click()
    page.wait_for_load_state("load")
    assert "张0" in page.locator("dl.facts").first.inner_text()
    assert guest.faults == []


def test_an_agency_signs_its_plan_and_agrees_to_its_statement(
    told: Told, visitor: Callable[..., Any]
) -> None:
    guest = visitor("deng", language="en")
    page = guest.page
    for path, button in (
        ("/agency/plan/", "Sign this plan"),
        (f"/agency/statements/{told.statement_id}/", "Agree to this statement"),
    ):
        guest.open(path)
        page.get_by_role("button", name=button).click()
        page.locator("#confirm-dialog").get_by_role("button", name="Do it").click()
        page.wait_for_load_state("load")
        assert page.locator(".note-info").is_visible()
        assert page.get_by_role("button", name=button).count() == 0
    assert guest.faults == []
