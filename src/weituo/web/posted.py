"""Reading what a form sent: each field as what it must be, or a refusal that names the field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from weituo.foundation.errors import BadInput

E = TypeVar("E", bound=StrEnum)
DIGITS_MAX = 13


class Posted:
    """A form's fields; every method raises `BadInput` with the field's name in `where`."""

    def __init__(self, fields: QueryDict) -> None:
        self.fields = fields

    def text(self, key: str) -> str:
        """Give a field as text without outer blanks; an absent one is empty."""
        return str(self.fields.get(key, "")).strip()

    def texts(self, key: str) -> list[str]:
        """Give every value of a field that may be chosen several times."""
        return [str(value).strip() for value in self.fields.getlist(key) if str(value).strip()]

    def words(self, key: str) -> list[str]:
        """Give a field of words apart by blanks or commas (also Chinese ones)."""
        return self.text(key).replace(",", " ").replace("，", " ").replace("、", " ").split()

    def needed(self, key: str) -> str:
        """Give a field that must not be empty."""
        text = self.text(key)
        if not text:
            raise BadInput(problem=_("this field is needed"), where=key)
        return text

    def day(self, key: str) -> date:
        """Give a day."""
        try:
            return day_within_reach(self.text(key))
        except ValueError as wrong:
            raise BadInput(problem=_("a day is needed"), where=key) from wrong

    def day_or_none(self, key: str) -> date | None:
        """Give a day, or None for an empty field."""
        return self.day(key) if self.text(key) else None

    def count(self, key: str) -> int:
        """Give a whole number of at most seven digits."""
        text = self.text(key).replace(",", "")
        if not (text.isascii() and text.isdigit() and len(text) <= 7):
            raise BadInput(problem=_("a whole number is needed"), where=key)
        return int(text)

    def share_bps(self, key: str) -> int:
        """Give per cent with at most two decimals as basis points."""
        return self._hundredths(key, _("per cent with at most two decimals is needed"))

    def minor(self, key: str) -> int:
        """Give an amount with at most two decimals in minor units (currencies of two decimals)."""
        return self._hundredths(key, _("an amount with at most two decimals is needed"))

    def _hundredths(self, key: str, problem: str) -> int:
        found = hundredths(self.text(key))
        if found is None:
            raise BadInput(problem=problem, where=key)
        return found

    def choice(self, key: str, members: type[E]) -> E:
        """Give what was chosen from a fixed list."""
        try:
            return members(self.text(key))
        except ValueError as wrong:
            raise BadInput(problem=_("choose from the list"), where=key) from wrong

    def ids(self, key: str) -> list[UUID]:
        """Give the ids that were chosen."""
        try:
            return [UUID(value) for value in self.texts(key)]
        except ValueError as wrong:
            raise BadInput(problem=_("choose from the list"), where=key) from wrong

    def typed(self) -> dict[str, Any]:
        """Give what was typed, for showing the form again; fields sent several times as lists."""
        many = {
            key for key in self.fields if len(self.fields.getlist(key)) > 1 or key.startswith("evidence_")
        }
        many |= {"fields_allowed"} & set(self.fields)
        return {key: self.texts(key) if key in many else self.text(key) for key in self.fields}


def after(fields: Mapping[str, Any], otherwise: str) -> str:
    """Give the page after an act: the desk where it was begun, else its room's own page."""
    return "today:index" if fields.get("back") == "today" else otherwise


def whole(text: str, *, otherwise: int, digits_max: int = 6) -> int:
    """Read a whole number from an address or a form; `otherwise` when it is none or too long."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits_max else otherwise


def day_within_reach(text: str) -> date:
    """Read a day of the years 2000 to 2199: what is added to it stays a day. Raises `ValueError`."""
    day = date.fromisoformat(text)
    if not 2000 <= day.year < 2200:
        raise ValueError("a day from 2000 to 2199 is needed")
    return day


def hundredths(text: str) -> int | None:
    """Read a number with at most two decimals as hundredths, exactly; None when it is no such number."""
    plain = text.replace(",", "").replace("%", "").replace("¥", "").strip()
    whole, _dot, part = plain.partition(".")
    if not (plain.isascii() and whole.isdigit() and len(whole) <= DIGITS_MAX and len(part) <= 2):
        return None
    if part and not part.isdigit():
        return None
    return int(whole) * 100 + int(part.ljust(2, "0"))
