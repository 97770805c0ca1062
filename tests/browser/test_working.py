"""A form that takes its time says so in words, and is sent once only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.browser.story import Told

#: hold back what the page would send, and count it
HELD = """
window.sent = 0;
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) window.sent += 1;
  event.preventDefault();
});
"""


def test_a_slow_form_says_that_work_goes_on_and_is_sent_once(told: Told, visitor: Callable[..., Any]) -> None:
    guest = visitor("sun", language="en")
    guest.open("/money/remittances/")
    words = guest.page.locator("[data-working]")
    assert not words.is_visible()
    guest.page.evaluate(HELD)
    button = guest.page.get_by_role("button", name="Book what the bank confirms")
    button.click()
    button.click()
    words.wait_for(state="visible")
    assert "You may leave this page" in words.inner_text()
    assert guest.page.evaluate("window.sent") == 1
    guest.open("/money/")
    assert not guest.page.locator("[data-working]").is_visible()
    assert guest.faults == []
