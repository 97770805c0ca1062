"""Every page in both languages: quiet console, no failed request, nothing serious from axe, no sideways scroll at 320 px."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.story import Told

pytestmark = pytest.mark.browser

LANGUAGES = ("zh-hans", "en")
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 320, "height": 720}
#: (who, address); {…} are filled in from the story
PAGES = (
    ("lin", "/"),
    ("lin", "/book/"),
    ("lin", "/book/imports/"),
    ("lin", "/jobs/"),
    ("lin", "/agencies/"),
    ("lin", "/agencies/{agency_id}/"),
    ("lin", "/book/accounts/{account_id}/"),
    ("lin", "/plans/"),
    ("lin", "/plans/{plan_id}/"),
    ("lin", "/placement/"),
    ("lin", "/placement/placements/"),
    ("lin", "/models/"),
    ("lin", "/sharing/"),
    ("lin", "/sharing/packages/{package_id}/"),
    ("lin", "/sharing/keys/"),
    ("lin", "/sharing/disclosures/"),
    ("zhao", "/conduct/"),
    ("zhao", "/conduct/permits/"),
    ("zhao", "/conduct/rules/"),
    ("zhao", "/conduct/violations/"),
    ("lin", "/progress/"),
    ("lin", "/progress/reviews/"),
    ("sun", "/money/"),
    ("sun", "/money/statements/"),
    ("sun", "/money/bank/"),
    ("sun", "/money/remittances/"),
    ("sun", "/money/balance/"),
    ("sun", "/money/check/"),
    ("sun", "/money/entries/"),
    ("sun", "/money/payments/"),
    ("sun", "/money/statements/{statement_id}/"),
    ("zhou", "/care/"),
    ("zhou", "/care/{care_case_id}/"),
    ("lin", "/evaluation/"),
    ("lin", "/business-case/"),
    ("zhao", "/"),
    ("zhao", "/log/"),
    ("zhao", "/log/2/"),
    ("zhao", "/log/verify/"),
    ("chen", "/settings/"),
    ("chen", "/settings/roles/"),
    ("chen", "/settings/keys/"),
    ("chen", "/settings/in-force/"),
    ("deng", "/agency/"),
    ("deng", "/agency/cases/"),
    ("deng", "/agency/cases/{case_ref}/"),
    ("deng", "/agency/offers/"),
    ("deng", "/agency/recalls/"),
    ("deng", "/agency/promises/"),
    ("deng", "/agency/statements/"),
    ("deng", "/agency/statements/{statement_id}/"),
    ("deng", "/agency/plan/"),
    ("deng", "/agency/packages/"),
    ("borrower", "/my/"),
    ("borrower", "/my/check/"),
    ("borrower", "/my/accounts/"),
    ("borrower", "/my/accounts/{account_id}/"),
    ("borrower", "/my/cases/"),
    ("borrower", "/my/wishes/"),
    ("borrower", "/my/tell/dispute/"),
    ("", "/my/sign-in/"),
    ("", "/accounts/login/"),
    ("lin", "/accounts/2fa/"),
)


def seated(visitor: Callable[..., Any], who: str, told: Told, **options: Any) -> Any:
    """Seat somebody of the story."""
    if who == "borrower":
        return visitor(borrower=told.borrower_id, **options)
    return visitor(who, **options)


def filled(address: str, told: Told) -> str:
    """Fill an address in from the story."""
    return address.format(**{name: getattr(told, name) for name in Told.__slots__})


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_a_page_is_sound_in_both_languages(
    who: str, path: str, told: Told, visitor: Callable[..., Any], axe: str
) -> None:
    guest = seated(visitor, who, told)
    for language in LANGUAGES:
        guest.speak(language)
        guest.page.set_viewport_size(WIDE)
        guest.open(filled(path, told))
        assert guest.page.locator("h1").count() == 1, language
        assert guest.page.locator(".demo-banner").is_visible(), (
            "every page says that the persons are invented"
        )
        assert guest.page.evaluate("document.documentElement.lang") == language
        assert guest.axe(axe) == [], language
        guest.picture(f"{who or 'nobody'}{path.replace('/', '_')}{language}")
        guest.page.set_viewport_size(NARROW)
        assert guest.overflow() == [], language
    assert guest.faults == []


@pytest.mark.parametrize("who", ["lin", "deng", "borrower"])
def test_dark_pages_can_be_read(who: str, told: Told, visitor: Callable[..., Any], axe: str) -> None:
    guest = seated(visitor, who, told, language="en", color_scheme="dark")
    starts = {"lin": "/", "deng": "/agency/cases/", "borrower": "/my/accounts/"}
    guest.open(starts[who])
    assert guest.page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    assert guest.axe(axe) == []
    assert guest.faults == []
