"""A filter is saved under a name in the person's own browser, and opens the same list again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.browser.story import Told


def test_a_filter_is_saved_opened_again_and_forgotten(told: Told, visitor: Callable[..., Any]) -> None:
    guest = visitor("lin", language="en")
    guest.open("/book/")
    kept = guest.page.locator("[data-kept]")
    assert not kept.is_visible()
    guest.open("/book/?bucket=M2&page=1&least=")
    found = guest.page.locator("#accounts tbody tr").count()
    guest.page.locator("#kept-name").fill("<b>only M2</b>")
    guest.page.get_by_role("button", name="Save this filter").click()
    assert not guest.page.locator("#kept-name").is_visible()
    guest.open("/book/")
    link = kept.get_by_role("link", name="<b>only M2</b>")
    assert link.get_attribute("href") == "?bucket=M2"
    link.click()
    guest.page.wait_for_load_state("load")
    assert guest.page.url.endswith("/book/?bucket=M2")
    assert guest.page.locator("#accounts tbody tr").count() == found
    kept.get_by_role("button", name="Forget this filter").click()
    assert kept.get_by_role("link").count() == 0
    guest.open("/money/statements/?state=PAID")
    assert guest.page.locator("[data-kept-list] a").count() == 0
    assert guest.faults == []
