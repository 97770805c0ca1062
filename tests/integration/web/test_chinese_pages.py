"""Every page in Chinese is Chinese: no English word, no code and no id where a name would do."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from django.test import Client, override_settings

from weituo.foundation.identity.models import User
from weituo.web import access

from tests.browser import story
from tests.browser.test_pages import PAGES, filled

#: the morning of the story, told by the demonstration's clock
MORNING = "2026-03-09T02:00:00+00:00"
#: what Chinese readers read in Latin letters too: names of standards, file kinds, currencies and measures
LATIN = {
    "Weituo", "English", "CNY", "UTC", "CSV", "PNG", "PDF", "API", "ID", "SHA", "GB", "AUC", "Brier", "Wilson", "TOTP", "KB", "MB", "age",
    "weituo", "audit", "verify", "XLSX", "Parquet",
    # a column of the cohort's file, and profiles by the names of their files
    "paid_fraction", "demo_book", "uci_credit_card",
}  # fmt: skip
#: what the story itself calls people, agencies, files and keys
TOLD = {"Deng", "Chengxin", "Collections", "collection", "agency", "system", "deng", "test", "tests", *story.PEOPLE, *(name.title() for name in story.PEOPLE)}  # fmt: skip
WORD = re.compile(r"(?<![\w.\-…/])[A-Za-z][A-Za-z_]+(?![\w\-]|\.\w)")
#: references, digests, keys and the like: letters and digits mixed, or hyphenated capitals
MIXED = re.compile(r"…?\b(?=[\w\-]*\d)[A-Za-z0-9_][\w\-…]*|\b[A-Z]+(?:-[A-Z0-9]+)+\b|\bwt_\w+")
UUID_SHOWN = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
#: where an id is the thing itself, or belongs to somebody whom the story does not name
IDS_ALLOWED = ("/log/2/", "/money/check/", "/sharing/disclosures/")


def guest(who: str, told: story.Told) -> Client:
    """Give a Chinese reader's browser in which `who` of the story has signed in."""
    client = Client(headers={"Accept-Language": "zh-CN,zh;q=0.9", "Weituo-Demo-Time": MORNING})
    if who not in {"", "borrower"}:
        client.force_login(
            User.objects.get(username=who), backend="django.contrib.auth.backends.ModelBackend"
        )
    session = client.session
    session[access.SECOND_FACTOR_KEY] = True
    if who == "borrower":
        session[access.BORROWER_SESSION_KEY] = str(told.borrower_id)
    session.save()
    return client


def shown(response: Any) -> str:
    """Give what a page shows or reads aloud: its words, the labels of buttons and fields, the texts of charts."""
    page = response.content.decode()
    labels = " ".join(re.findall(r'\b(?:title|aria-label|placeholder|alt)="([^"]*)"', page))
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return html.unescape(f"{re.sub(r'<[^>]+>', ' ', text)} {labels} {' '.join(charts(page))}")


def charts(page: str) -> Iterator[str]:
    """Give the texts of a page's charts: titles, measures, notes, names of axes and series, labels of values."""
    for script in re.findall(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL):
        spec = json.loads(script)
        if not isinstance(spec, dict) or "series" not in spec:
            continue
        yield from (str(spec.get(key) or "") for key in ("title", "subtitle", "note"))
        for named in (spec.get("x") or {}, spec.get("y") or {}, *spec["series"]):
            yield str(named.get("name") or "")
        yield from (str(value) for value in (spec.get("x") or {}).get("values", []))


def english(text: str) -> list[str]:
    """Give the English words and codes of a text."""
    return sorted(set(WORD.findall(MIXED.sub(" ", text))) - LATIN - TOLD)


def test_no_page_in_chinese_holds_english(
    story_template: Callable[[str, Callable[[], None]], str], clone_of: Callable[[str], str]
) -> None:
    told: list[story.Told] = []
    clone_of(story_template("chinese", lambda: told.append(story.tell())))
    found = []
    with override_settings(WEITUO_DEMO=True):
        for who, path in PAGES:
            response = guest(who, told[0]).get(filled(path, told[0]), follow=True)
            assert response.status_code == 200, path
            text = shown(response)
            found += [
                f"{path}: {word} in {text[max(text.find(word) - 40, 0) : text.find(word) + 40]!r}"
                for word in english(text)
            ]
            if path not in IDS_ALLOWED:
                found += [f"{path}: {one}" for one in UUID_SHOWN.findall(text)]
    assert found == [], "\n".join(found)


def test_english_is_noticed() -> None:
    assert english("案件 in force · CN-HOURS · 3f2a9c 编号 HENGAN-R2 amount_minor 结算单 UTC+8") == [
        "amount_minor", "force", "in",
    ]  # fmt: skip
