"""Pages of one thing (a run, a model, a scorecard, a permit): as sound as the lists that lead to them, and none forgotten."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from tests.browser import story
from tests.browser.test_pages import LANGUAGES, NARROW, PAGES, WIDE

pytestmark = pytest.mark.browser

#: (story, who, address, SQL that gives the parts of the address)
DEEPER = (
    ("placing", "lin", "/placement/new/batch/", ""),
    ("placing", "lin", "/placement/new/batch/left-out/", ""),
    ("placing", "lin", "/placement/new/value/", ""),
    ("placing", "lin", "/placement/new/limits/", ""),
    ("placing", "lin", "/placement/recall/", ""),
    ("placing", "lin", "/placement/offers/", ""),
    ("placing", "lin", "/placement/recalls/", ""),
    ("placing", "lin", "/placement/terms/", ""),
    ("placing", "lin", "/placement/runs/{}/refills/", "SELECT id FROM placement_run WHERE state = 'APPROVED'"),
    ("placing", "lin", "/placement/placements/{}/retain/", "SELECT id FROM placement_placement WHERE state = 'ACTIVE' AND recall_final_on IS NULL LIMIT 1"),
    ("placing", "lin", "/placement/placements/{}/", "SELECT id FROM placement_placement LIMIT 1"),
    ("placing", "lin", "/placement/runs/{}/", "SELECT id FROM placement_run WHERE state = 'APPROVED'"),
    ("placing", "lin", "/placement/runs/{}/left-out/", "SELECT id FROM placement_run WHERE state = 'SOLVED'"),
    ("placing", "lin", "/agencies/{}/relations/", "SELECT agency_id FROM partners_conflict"),
    ("placing", "lin", "/placement/runs/{}/accounts/", "SELECT id FROM placement_run WHERE state = 'APPROVED'"),
    ("placing", "lin", "/placement/runs/{}/accounts/{}/", "SELECT run_id, account_id FROM placement_run_item ORDER BY explored DESC LIMIT 1"),
    ("placing", "lin", "/placement/runs/{}/approve/", "SELECT id FROM placement_run WHERE state = 'SOLVED'"),
    ("placing", "lin", "/placement/runs/{}/compare/", "SELECT id FROM placement_run WHERE state = 'SOLVED'"),
    ("placing", "lin", "/placement/runs/{}/replay/", "SELECT id FROM placement_run WHERE state = 'APPROVED'"),
    ("placing", "wu", "/models/{}/", "SELECT id FROM placement_model"),
    ("placing", "lin", "/plans/strategies/{}/", "SELECT id FROM plans_strategy"),
    ("placing", "chen", "/settings/people/{}/", "SELECT id FROM identity_user WHERE username = 'lin'"),
    ("judging", "zhao", "/evaluation/{}/", "SELECT id FROM evaluation_evaluation"),
    ("judging", "zhao", "/evaluation/scorecards/{}/", "SELECT id FROM evaluation_scorecard ORDER BY verdict LIMIT 1"),
    ("browser", "lin", "/plans/agencies/{}/", "SELECT agency_id FROM plans_plan LIMIT 1"),
    ("browser", "lin", "/sharing/preview/", ""),
    ("browser", "zhao", "/conduct/permits/{}/", "SELECT id FROM contact_permit LIMIT 1"),
    ("browser", "sun", "/money/lines/{}/", "SELECT id FROM ledger_commission_line LIMIT 1"),
)  # fmt: skip
#: files to keep and pieces of pages, which are no pages; and pages that tests of their own open
NO_PAGES = {
    "/book/imports/*/differences/", "/placement/runs/*/left-out/file/", "/book/imports/*/rejects/", "/log/export/", "/jobs/*/progress/", "/jobs/*/", "/my/tell/*/",
}  # fmt: skip
STORIES = {"browser": story.tell, "placing": story.tell_of_placing, "judging": story.tell_of_judging}


@pytest.fixture
def tell(
    story_template: Callable[[str, Callable[[], object]], str], clone_of: Callable[[str], str]
) -> Callable[[str], None]:
    """Give a function that puts this test into the database of a story."""
    return lambda name: clone_of(story_template(f"deeper_{name}", STORIES[name])) and None


@pytest.mark.parametrize(("name", "who", "address", "parts"), DEEPER)
def test_a_deeper_page_is_sound_in_both_languages(
    name: str,
    who: str,
    address: str,
    parts: str,
    tell: Callable[[str], None],
    visitor: Callable[..., Any],
    axe: str,
) -> None:
    tell(name)
    if parts:
        with connections["owner"].cursor() as cursor:
            cursor.execute(parts)
            address = address.format(*cursor.fetchone())
    guest = visitor(who)
    for language in LANGUAGES:
        guest.speak(language)
        guest.page.set_viewport_size(WIDE)
        guest.open(address)
        assert guest.page.locator("h1").count() == 1, language
        assert guest.axe(axe) == [], language
        guest.picture(f"{who}{re.sub('[0-9a-f-]{36}', 'id', address).replace('/', '_')}{language}")
        guest.page.set_viewport_size(NARROW)
        assert guest.overflow() == [], language
    assert guest.faults == []


def test_every_address_with_a_page_is_opened_in_the_browser() -> None:
    file = Path(__file__).resolve().parents[1] / "permissions" / "pages.toml"
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    pattern = re.compile(r"<[^>]+>|\{[^}]*\}|(?<=/log/)2(?=/)")
    opened = {pattern.sub("*", row[1]) for row in PAGES} | {pattern.sub("*", row[2]) for row in DEEPER}
    pages = {
        pattern.sub("*", address)
        for address, answers in table.items()
        if any(answer.startswith("open") and not answer.endswith("405") for answer in answers)
    }
    assert pages - opened - NO_PAGES == set()
    assert pages >= NO_PAGES
