"""The way in, driven for real: password, second factor set up and used, sign-out, and what happens without one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.story import PASSWORD, Told

pytestmark = pytest.mark.browser
STEP_SECONDS = 30


def code_for(secret: str, *, at: float) -> str:
    """Compute the six digits of an authenticator app by RFC 6238 (HMAC-SHA-1, 30 seconds), independent of the program."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(at) // STEP_SECONDS), hashlib.sha1).digest()
    start = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def test_the_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, SHA-1, last six digits."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert [code_for(secret, at=at) for at in (59, 1111111109, 20000000000)] == ["287082", "081804", "353130"]


def sign_in(guest: Any, username: str, password: str = PASSWORD) -> None:
    guest.page.locator("input[name=login]").fill(username)
    guest.page.locator("input[name=password]").fill(password)
    guest.page.locator("main button.btn-primary").click()
    guest.page.wait_for_load_state("load")


def test_a_person_sets_up_a_second_factor_and_signs_in_with_it(
    told: Told, visitor: Callable[..., Any]
) -> None:
    guest = visitor(language="en")
    guest.open("/book/")
    assert "/accounts/login/" in guest.page.url
    sign_in(guest, "lin")
    assert guest.page.url.endswith("/accounts/2fa/totp/activate/"), "a password alone opens nothing"
    assert guest.page.locator(".qr img").bounding_box()["width"] > 100
    guest.picture("sign_in_activate")
    guest.page.locator("details summary", has_text="I cannot scan it").click()
    secret = guest.page.locator("#authenticator-secret").inner_text().strip()
    guest.page.locator("input[name=code]").fill(code_for(secret, at=time.time()))
    guest.page.get_by_role("button", name="Turn it on").click()
    guest.page.wait_for_url("**/recovery-codes/")
    guest.picture("sign_in_recovery")
    codes = guest.page.locator(".codes li").all_inner_texts()
    assert len(codes) == len(set(codes)) == 10
    assert all(re.fullmatch(r"[0-9a-z]+", code) for code in codes)
    guest.page.get_by_role("link", name="I have kept them").click()
    assert guest.page.locator("h1").inner_text() == "Today"
    guest.page.locator("details.person summary").click()
    guest.page.get_by_role("button", name="Sign out").click()
    guest.page.wait_for_load_state("load")
    assert guest.faults == []
    _again_with_a_recovery_code(guest, codes[0])


def _again_with_a_recovery_code(guest: Any, code: str) -> None:
    """The next sign-in asks for the second factor; a recovery code stands in for a lost telephone."""
    guest.open("/accounts/login/")
    sign_in(guest, "lin")
    assert guest.page.url.endswith("/accounts/2fa/authenticate/")
    guest.picture("sign_in_authenticate")
    guest.page.locator("input[name=code]").fill("000000")
    guest.page.get_by_role("button", name="Sign in").click()
    guest.page.wait_for_load_state("load")
    assert guest.page.locator(".field-error").is_visible()
    guest.page.locator("input[name=code]").fill(code)
    guest.page.get_by_role("button", name="Sign in").click()
    guest.page.wait_for_load_state("load")
    assert guest.page.locator("h1").inner_text() == "Today"


def test_a_wrong_password_says_so_and_keeps_the_name(told: Told, visitor: Callable[..., Any]) -> None:
    guest = visitor(language="en")
    guest.open("/accounts/login/")
    sign_in(guest, "lin", "not the password")
    assert guest.page.locator("[role=alert]").is_visible()
    assert guest.page.locator("input[name=login]").input_value() == "lin"


def test_an_agency_lands_in_its_portal_and_not_in_the_console(
    told: Told, visitor: Callable[..., Any]
) -> None:
    guest = visitor("deng", language="en")
    guest.open("/accounts/login/")
    assert guest.page.url.endswith("/agency/")
    assert "Chengxin Collections" in guest.page.locator("h1").inner_text()
    answer = guest.page.goto(guest.address + "/book/")
    assert answer.status == 404


def test_everybody_can_switch_the_language(told: Told, visitor: Callable[..., Any]) -> None:
    guest = visitor(language="zh-hans")
    guest.open("/my/check/?q=B-1")
    guest.page.get_by_role("button", name="English").click()
    guest.page.wait_for_load_state("load")
    assert guest.page.url.endswith("/my/check/?q=B-1"), "the page stays"
    assert guest.page.evaluate("document.documentElement.lang") == "en"
    assert guest.faults == []
