"""A job's page in a real browser: it looks again by itself, leads on to the result, and works without script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from weituo.foundation import clock
from weituo.foundation.jobs import queue, worker

from tests.browser.conftest import MORNING
from tests.browser.story import Told

pytestmark = pytest.mark.browser


def test_agencies_are_compared_while_its_page_waits_and_leads_on(
    told: Told, visitor: Callable[..., Any], axe: str
) -> None:
    guest = visitor("wu", language="en")
    guest.open("/models/")
    guest.open("/evaluation/")
    guest.page.locator("#run form button").click()
    guest.page.wait_for_url("**/jobs/*/")
    assert (
        guest.page.locator(".state-text").inner_text() == "It waits for the worker; you may leave this page."
    )
    with clock.at_instant(datetime.fromisoformat(MORNING)):
        taken = queue.take(at=clock.now())
        assert taken is not None
        queue.progressed(taken, part=1, parts=4, words="half way there")
        bar = guest.page.locator("progress")
        bar.wait_for()
        assert (bar.get_attribute("value"), bar.get_attribute("max")) == ("1", "4")
        assert guest.page.get_by_label("half way there").count() == 1
        assert guest.axe(axe) == []
        guest.picture("job")
        guest.page.set_viewport_size({"width": 320, "height": 800})
        assert guest.overflow() == []
        queue.give_back(taken)
        assert worker.work_off() == 1
    row = queue.jobs(queue.WORKER)[0]
    guest.page.wait_for_url(lambda url: "/jobs/" not in url, timeout=20_000)
    assert row["state"] == "DONE"
    assert guest.page.url.endswith(f"/evaluation/{row['ref']}/")
    assert guest.faults == []


def test_without_script_the_link_looks_again(told: Told, visitor: Callable[..., Any], tmp_path: Path) -> None:
    guest = visitor("lin", language="en", java_script_enabled=False)
    guest.page.goto(guest.address + "/book/imports/")
    book = tmp_path / "book.csv"
    book.write_text("a,b\n1,2\n", encoding="utf-8")
    guest.page.locator("#import-file").set_input_files(book)
    guest.page.locator("#import-profile").select_option("demo_book")
    guest.page.locator("#import button").click()
    guest.page.wait_for_url("**/jobs/*/")
    assert guest.page.get_by_role("link", name="Look again").is_visible()
    assert worker.work_off() == 1
    guest.page.get_by_role("link", name="Look again").click()
    guest.page.wait_for_load_state()
    assert guest.page.locator(".state-text").inner_text().startswith("Nothing was changed:")
    guest.page.get_by_role("link", name="Back to the form").click()
    guest.page.wait_for_url("**/book/imports/*")
    assert guest.faults == []
