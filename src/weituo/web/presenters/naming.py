"""Names in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel.dates import get_timezone_name
from django.utils.translation import get_language


def reads_chinese() -> bool:
    """Tell whether the page is read in Chinese."""
    return (get_language() or "").startswith("zh")


def name_of(row: Mapping[str, Any]) -> str:
    """Give an agency's name (keys name_zh, name_en) in the reader's language; the other one where it is missing."""
    first, second = ("name_zh", "name_en") if reads_chinese() else ("name_en", "name_zh")
    return str(row.get(first) or row.get(second) or row.get("agency_code") or row.get("code") or "")


def zone_name(key: str) -> str:
    """Give a zone's name in the reader's language: China Time, 中国时间."""
    return str(get_timezone_name(key, locale="zh_Hans" if reads_chinese() else "en"))


def said(row: Mapping[str, Any]) -> str:
    """Give a rule's sentence (zh, en or text_zh, text_en) in the reader's language."""
    language = "zh" if reads_chinese() else "en"
    return str(row.get(language) or row.get(f"text_{language}") or "")
