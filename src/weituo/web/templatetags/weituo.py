"""Template filters and tags of the house: money, dates, shares, icons, assets, charts.

Every filter shows a missing value as an en dash, so that an unknown figure never reads as zero.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent
from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from weituo.core.money import BPS, EXPONENTS
from weituo.domain import permission_texts
from weituo.domain.contact import words
from weituo.web import assets, charts, names

register = template.Library()

MISSING = "–"
#: both languages show a currency by the sign that Chinese readers know: ¥ is the yuan, JP¥ the yen
_SIGNS = Locale.parse("zh_Hans").currency_symbols
_DAYS = {"zh_Hans": "y年M月d日", "en": "d MMM y"}
_MONTHS = {"zh_Hans": "y年M月", "en": "MMM y"}
_INSTANTS = {"zh_Hans": "y年M月d日 HH:mm", "en": "d MMM y, HH:mm"}


def _locale() -> str:
    return "zh_Hans" if (get_language() or "zh").startswith("zh") else "en"


@functools.lru_cache(maxsize=128)
def _money_pattern(locale: str, currency: str) -> str:
    pattern = Locale.parse(locale).currency_formats["standard"].pattern
    sign = _SIGNS.get(currency, currency)
    return pattern.replace("¤", f"'{sign}'").replace("\xa0", "")


@register.filter
def money(minor: int | None, currency: str) -> str:
    """Show minor units as an amount of `currency`: ¥1,234.56."""
    if minor is None:
        return MISSING
    digits = EXPONENTS.get(currency, 2)
    amount = Decimal(int(minor)).scaleb(-digits)
    locale = _locale()
    return format_currency(amount, currency, format=_money_pattern(locale, currency), locale=locale)  # type: ignore[no-any-return]


@register.filter
def day(value: date | datetime | str | None) -> str:
    """Show a calendar day as people write it: 25 Nov 2026, 2026年11月25日."""
    if value is None or value == "":
        return MISSING
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if isinstance(value, datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    locale = _locale()
    return format_date(value, format=_DAYS[locale], locale=locale)  # type: ignore[no-any-return]


@register.filter
def instant(value: datetime | str | None) -> str:
    """Show an instant on the lender's wall with its zone: 25 Nov 2026, 18:21 UTC+8."""
    if value is None or value == "":
        return MISSING
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    locale = _locale()
    zone = timezone.get_current_timezone()
    shown = format_datetime(value, format=_INSTANTS[locale], tzinfo=zone, locale=locale)
    return f"{shown}\xa0{_offset(value.astimezone(zone))}"


def _offset(local: datetime) -> str:
    shift = local.utcoffset()
    minutes = int(shift.total_seconds() // 60) if shift is not None else 0
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")


@register.filter
def clock(value: datetime | None) -> str:
    """Show the wall time of an instant alone, where the day and the zone stand beside it."""
    return MISSING if value is None else timezone.localtime(value).strftime("%H:%M")


@register.filter
def count(value: float | None) -> str:
    """Show a whole number with thousands apart: 20,000."""
    return MISSING if value is None else format_decimal(round(value), locale=_locale())  # type: ignore[no-any-return]


@register.filter
def percent(value: float | Decimal | None) -> str:
    """Show a share as per cent with one decimal: 0.123 → 12.3%."""
    return MISSING if value is None else format_percent(value, format="#,##0.0%", locale=_locale())  # type: ignore[no-any-return]


@register.filter
def bps(value: int | None) -> str:
    """Show basis points as per cent with two decimals: 1234 → 12.34%."""
    if value is None:
        return MISSING
    return format_percent(Decimal(int(value)) / BPS, format="#,##0.00%", locale=_locale())  # type: ignore[no-any-return]


@register.filter
def month(value: date | None) -> str:
    """Show a month as people write it: Nov 2026, 2026年11月."""
    locale = _locale()
    return MISSING if value is None else format_date(value, format=_MONTHS[locale], locale=locale)  # type: ignore[no-any-return]


@register.filter
def listed(values: Iterable[Any]) -> str:
    """Show several words as one list, separated as the language does it."""
    return names.listed(values)


@register.filter
def cited(citation: str) -> str:
    """Show the source of a rule in the reader's language."""
    return words.cited(citation or "")


@register.filter
def rule(code: str) -> str:
    """Show a rule by its plain name."""
    return words.rule_name(code)


@register.filter
def permission(name: str) -> str:
    """Show what a permission allows."""
    return permission_texts.allows(name)


@register.filter
def pack(name: str) -> str:
    """Show a rule pack by what it is."""
    return words.pack_name(name)


@register.filter
def bucket(code: str) -> str:
    """Show a bucket by its name: M2, not overdue."""
    return names.bucket_name(code)


@register.filter
def tone(value: str) -> str:
    """Give the badge class of a state's tone: good, watch (act, wait), bad, none."""
    known = {"good": "good", "bad": "bad", "watch": "watch", "act": "watch", "wait": "none"}
    return f"tone-{known.get(value, 'none')}"


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw a symbol of the sprite; with `label` it speaks, without it is decoration."""
    address = asset("icons.svg")
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"/></svg>', label, address, name
        )
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', address, name)


@register.simple_tag
def asset(name: str) -> str:
    """Give the address of a fetched front-end file by its logical name (“tabler.css”)."""
    return static(assets.path_of(name))


@register.inclusion_tag("console/_chart.html")
def chart(spec: dict[str, Any]) -> dict[str, Any]:
    """Draw a chart: figure, finding, measure, and a table of the same numbers."""
    return charts.figure(spec, _shown)


def _shown(value: float | int | None, form: str, currency: str) -> str:
    if form == "money":
        return money(None if value is None else round(value), currency)
    return percent(value) if form == "percent" else count(value)
