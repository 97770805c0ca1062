"""A real server over a real database, and a real Chromium in front of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

if TYPE_CHECKING:
    from tests.browser.story import Told

PROJECT = Path(__file__).resolve().parents[2]
#: the morning of the story (tests.builders.contact.MORNING), told to the server by the demonstration's clock
MORNING = "2026-03-09T02:00:00+00:00"
CHROMIUM_OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 800}
PICTURES = PROJECT / "var" / "pictures"
#: what Chromium says about every site and is no fault of a page
NOISE = ("Failed to load resource: net::ERR_ABORTED",)
#: elements that reach beyond the window, outside parts that scroll by themselves
TOO_WIDE = """
(() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const wide = [...document.querySelectorAll("body *")].filter(
    (node) => node.getBoundingClientRect().right > room + 0.5 && !node.closest(".table-responsive, .tabs, canvas, .visually-hidden"));
  return wide.slice(0, 5).map((node) => node.outerHTML.slice(0, 140)).concat([`page ${document.documentElement.scrollWidth} wide, window ${room}`]);
})()
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the session."""
    path = os.environ.get("WEITUO_CHROMIUM") or _find_browser()
    # Playwright keeps an event loop in this thread; Django takes that for a coroutine, which it is not
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_OPTIONS))
        yield running
        running.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def _find_browser() -> str:
    found = subprocess.run(
        [sys.executable, str(PROJECT / "tools" / "browser.py")], capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.fail(f"no Chromium: {found.stderr.strip()}")
    return found.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe, fetched at set-up."""
    path = PROJECT / "var" / "test-assets" / "axe.min.js"
    if not path.exists():
        pytest.fail("axe is missing: run `python tools/assets.py --tests`")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def site(databases: Any) -> Iterator[str]:
    """Serve the program on loopback in threads of this process; requests see the database of the running test."""
    from django.conf import settings
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    from weituo.config import static

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *given: Any) -> None:  # noqa: A002 - the parent's name
            pass

    before, settings.WEITUO_DEMO = settings.WEITUO_DEMO, True
    static.collect()
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.daemon_threads = True
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    settings.WEITUO_DEMO = before


_told: dict[str, Told] = {}


@pytest.fixture
def told(story_template: Callable[[str, Callable[[], None]], str], clone_of: Callable[[str], str]) -> Told:
    """The story, in a database of this test's own."""

    from tests.browser import story  # once Django's apps are loaded

    def tell() -> None:
        _told["browser"] = story.tell()

    clone_of(story_template("browser", tell))
    return _told["browser"]


class Visitor:
    """One person at one browser; everything that goes wrong on a page is kept in `faults`."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)

    def _failed(self, request: Any) -> None:
        # whoever leaves a page gives up what it was still loading: that is no fault of the page
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed: {request.url} {request.failure}")

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(NOISE):
            self.faults.append(f"console: {message.text}")

    def _response(self, response: Any) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.url}")

    def speak(self, language: str) -> None:
        """Choose the language of the next pages."""
        self.context.add_cookies([{"name": "django_language", "value": language, "url": self.address}])

    def open(self, path: str) -> None:
        """Open a page and wait until it is quiet."""
        self.page.goto(self.address + path, wait_until="load")
        self.page.evaluate("document.fonts.ready")

    def axe(self, source: str) -> list[str]:
        """Give what axe calls serious or critical on the present page."""
        self.page.evaluate(source)
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {one['help']} — {node['html'][:160]}"
            for one in found["violations"]
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"][:3]
        ]

    def picture(self, name: str) -> None:
        """Keep pictures of the present page (desktop, telephone, dark) under var/pictures when WEITUO_PICTURES is set."""
        if not os.environ.get("WEITUO_PICTURES"):
            return
        PICTURES.mkdir(parents=True, exist_ok=True)
        for kind, size, scheme in (
            ("desktop", DESKTOP, "light"),
            ("phone", PHONE, "light"),
            ("dark", DESKTOP, "dark"),
        ):
            self.page.set_viewport_size(size)
            self.page.emulate_media(color_scheme=scheme)
            self.page.screenshot(path=PICTURES / f"{name}-{kind}.png", full_page=True)
        self.page.emulate_media(color_scheme="light")

    def overflow(self) -> list[str]:
        """Name what makes the page wider than the window; nothing when it is not."""
        found: list[str] = self.page.evaluate(TOO_WIDE)
        return found


@pytest.fixture
def visitor(browser: Browser, site: str) -> Iterator[Callable[..., Visitor]]:
    """Give a function that seats somebody at a browser: `visitor("lin", language="en")`, or nobody, or a borrower."""
    contexts: list[BrowserContext] = []

    def seat(
        username: str = "",
        *,
        language: str = "zh-hans",
        borrower: Any = None,
        at: str | None = MORNING,
        **options: Any,
    ) -> Visitor:
        context = browser.new_context(
            viewport=options.pop("viewport", DESKTOP),
            locale="en-GB" if language == "en" else "zh-CN",
            extra_http_headers={"Weituo-Demo-Time": at} if at else {},
            **options,
        )
        contexts.append(context)
        cookies = [{"name": "django_language", "value": language, "url": site}]
        if username or borrower:
            cookies.append({"name": "sessionid", "value": _session(username, borrower), "url": site})
        context.add_cookies(cookies)
        return Visitor(context, site)

    yield seat
    for context in contexts:
        context.close()


def _session(username: str, borrower: Any) -> str:
    from django.test import Client

    from weituo.foundation.identity.models import User
    from weituo.web import access

    client = Client()
    if username:
        client.force_login(
            User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend"
        )
    session = client.session
    session[access.SECOND_FACTOR_KEY] = True
    if borrower:
        session[access.BORROWER_SESSION_KEY] = str(borrower)
    session.save()
    return str(session.session_key)
