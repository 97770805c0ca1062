"""Profiles: how a lender's file maps to borrowers, accounts and history. TOML; unknown keys are refused."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings

from weituo.domain.book.errors import ProfileRefused
from weituo.domain.book.models import Hold
from weituo.foundation.reach import END_YEAR, FIRST_YEAR
from weituo.foundation.texts import worded

KEYS = {
    "name", "currency", "as_of", "unit", "separator", "filter", "borrower", "account", "history", "holds", "zone",
}  # fmt: skip
BORROWER_KEYS = {
    "id",
    "name",
    "phone",
    "identity_number",
    "email",
    "address",
    "employer",
    "region",
    "language",
    "organisation",
}
ACCOUNT_KEYS = {
    "id", "product", "principal", "interest", "fee", "balance", "credit_limit", "opened_on", "past_due_since", "days_past_due", "months_late", "region",
    "currency",
}  # fmt: skip
#: what is done with accounts that stand in the book, and with balances that booked payments have lowered since; the default first
RULES = {"known": ("refuse", "refresh"), "lowered": ("report", "take")}
HISTORY_KEYS = {"months", "bill", "paid", "late"}
UNITS = {"major", "minor"}
BYTES_MAX = 1_000_000
DEFAULTS = {"separator": ",", "zone": "Asia/Shanghai", "unit": "major"}
NAME_LENGTH = 64
#: keys of a borrower that may name several columns
LISTED = {"name", "phone", "identity_number", "email", "address", "employer"}
LEAST_MOST = 10**15
MONTHS_MOST = 600
Refuse = Callable[[str, str], ProfileRefused]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which rows become accounts: `column` at least `at_least` (whole numbers); others are out of scope, not rejected."""

    column: str
    at_least: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A checked profile. Columns are names in the file; `=text` is a constant."""

    name: str
    currency: str
    unit: str
    as_of: date | None
    separator: str
    zone: str
    filter: Filter | None
    borrower: dict[str, Any]
    account: dict[str, str]
    #: (first of the month, or months before the month of as_of; bill column, paid column, late column)
    history: tuple[tuple[date | int, str, str, str], ...]
    #: column → hold kind, for columns that hold 1/true/yes
    holds: dict[str, str] = field(default_factory=dict)
    #: refuse: an account that stands in the book is a rejected row; refresh: the file's figures are taken over
    known: str = "refuse"
    #: report: a balance that booked payments lowered is kept, and a difference reported; take: the file's is taken over
    lowered: str = "report"
    #: SHA-256 of what the profile says, however it is laid out
    digest: str = ""

    def columns(self) -> set[str]:
        """Give every column of the file that is mapped."""
        named = [
            *self.account.values(),
            *(
                column
                for value in self.borrower.values()
                for column in ([value] if isinstance(value, str) else value)
            ),
        ]
        named += [column for _, *columns in self.history for column in columns if column]
        named += list(self.holds)
        if self.filter:
            named.append(self.filter.column)
        return {column for column in named if not column.startswith("=")}

    def months(self, *, as_of: date) -> list[date]:
        """Give the first day of each month of the history."""
        number = as_of.year * 12 + as_of.month - 1
        return [
            month if isinstance(month, date) else date((number - month) // 12, (number - month) % 12 + 1, 1)
            for month, *_ in self.history
        ]

    @property
    def personal(self) -> dict[str, list[str]]:
        """Give the columns with personal data by vault field."""
        fields = ("name", "phone", "identity_number", "email", "address", "employer")
        return {
            key: [self.borrower[key]] if isinstance(self.borrower[key], str) else list(self.borrower[key])
            for key in fields
            if key in self.borrower
        }


def names() -> list[str]:
    """Give the names of the profiles on hand: those that ship, and the lender's own in WEITUO_HOME/profiles."""
    return sorted(
        {
            file.stem
            for folder in settings.WEITUO_PROFILES
            if folder.is_dir()
            for file in folder.glob("*.toml")
        }
    )


def on_hand(name: str) -> Path:
    """Give the file of a profile by its name; the lender's own wins. Raises `ProfileRefused`."""
    if name not in names():
        raise ProfileRefused(problem=worded("there is no such profile"), where="profile")
    return next(file for folder in settings.WEITUO_PROFILES if (file := folder / f"{name}.toml").is_file())


def read_profile(path: Path) -> Profile:
    """Read and check a profile. Raises `ProfileRefused` naming file and key."""
    try:
        if not path.is_file():
            raise ProfileRefused(problem=worded("there is no such file"), where=str(path))
        if path.stat().st_size > BYTES_MAX:
            raise ProfileRefused(problem=worded("no profile is that long"), where=str(path))
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except RecursionError as deep:
        raise ProfileRefused(
            problem=worded("its tables lie too deep in one another"), where=str(path)
        ) from deep
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise ProfileRefused(
            problem=worded("it is no TOML: %(fault)s", fault=str(broken)), where=str(path)
        ) from broken
    return _checked(raw, where=path.name)


def _checked(raw: dict[str, Any], *, where: str) -> Profile:
    def refuse(problem: str, key: str) -> ProfileRefused:
        return ProfileRefused(problem=problem, where=f"{where}: {key}")

    for table, known in (
        ("", KEYS),
        ("borrower", BORROWER_KEYS),
        ("account", ACCOUNT_KEYS | set(RULES)),
        ("history", HISTORY_KEYS),
        ("filter", {"column", "at_least"}),
    ):
        given = raw if not table else raw.get(table, {})
        if not isinstance(given, dict):
            raise refuse(worded("a table is expected"), table)
        if unknown := sorted(set(given) - known):
            raise refuse(worded("unknown key %(key)s", key=unknown[0]), table or "top")
    for key in ("name", "currency", "borrower", "account"):
        if key not in raw:
            raise refuse(worded("the key is missing"), key)
    _check_words(raw, refuse)
    _check_tables(raw, refuse)
    borrower, account = raw["borrower"], raw["account"]
    if "id" not in borrower or "id" not in account:
        raise refuse(worded("the key id is missing"), "borrower, account")
    if not {"balance", "principal"} & set(account):
        raise refuse(worded("balance or principal is missing"), "account")
    if not {"days_past_due", "months_late", "past_due_since"} & set(account):
        raise refuse(worded("days_past_due, months_late or past_due_since is missing"), "account")
    for key, words in RULES.items():
        if account.get(key, words[0]) not in words:
            raise refuse(worded("%(first)s or %(second)s is expected", first=words[0], second=words[1]), f"account.{key}")  # fmt: skip
    return Profile(
        name=str(raw["name"]),
        currency=str(raw["currency"]),
        unit=raw.get("unit", "major"),
        as_of=raw.get("as_of"),
        separator=str(raw.get("separator", ",")),
        zone=str(raw.get("zone", "Asia/Shanghai")),
        filter=Filter(column=raw["filter"]["column"], at_least=int(raw["filter"]["at_least"]))
        if "filter" in raw
        else None,
        borrower=dict(borrower),
        account={key: column for key, column in account.items() if key not in RULES},
        history=_history(raw.get("history", {}), refuse),
        holds=dict(raw.get("holds", {})),
        known=account.get("known", RULES["known"][0]),
        lowered=account.get("lowered", RULES["lowered"][0]),
        digest=hashlib.sha256(
            json.dumps(raw, default=str, ensure_ascii=False, sort_keys=True).encode()
        ).hexdigest(),
    )


def _check_words(raw: dict[str, Any], refuse: Refuse) -> None:
    """Refuse a word, a day or a sign that is none of those that a profile knows."""
    for key in ("name", "currency", "separator", "zone", "unit"):
        value = raw.get(key, DEFAULTS.get(key))
        if not isinstance(value, str) or not 1 <= len(value) <= NAME_LENGTH:
            raise refuse(worded("a text of 1 to %(most)s signs is expected", most=NAME_LENGTH), key)
    if raw.get("unit", "major") not in UNITS:
        raise refuse(worded("major or minor is expected"), "unit")
    separator = raw.get("separator", ",")
    if len(separator) != 1 or not separator.isascii() or separator.isalnum() or separator in '"\r\n\0 .-+':
        raise refuse(
            worded("one sign is expected that stands in no number, such as , ; | or a tab"), "separator"
        )
    if raw.get("zone", DEFAULTS["zone"]) not in available_timezones():
        raise refuse(worded("a zone such as Asia/Shanghai is expected"), "zone")
    as_of = raw.get("as_of")
    if as_of is not None and (type(as_of) is not date or not FIRST_YEAR <= as_of.year < END_YEAR):
        raise refuse(worded("a date is expected"), "as_of")


def _check_tables(raw: dict[str, Any], refuse: Refuse) -> None:
    """Refuse a table in which a column is no text, or a hold no kind of hold."""
    for key, value in raw["borrower"].items():
        listed = [value] if isinstance(value, str) else value if key in LISTED and value else None
        if not isinstance(listed, list) or not all(isinstance(column, str) and column for column in listed):
            raise refuse(worded("the name of a column is expected"), f"borrower.{key}")
    for key, value in raw["account"].items():
        if not isinstance(value, str) or not value:
            raise refuse(worded("the name of a column is expected"), f"account.{key}")
    if "filter" in raw:
        least = raw["filter"].get("at_least")
        if not isinstance(raw["filter"].get("column"), str):
            raise refuse(worded("the name of a column is expected"), "filter.column")
        if not isinstance(least, int) or isinstance(least, bool) or abs(least) > LEAST_MOST:
            raise refuse(worded("a whole number is expected"), "filter.at_least")
    holds = raw.get("holds", {})
    if not isinstance(holds, dict) or not set(map(str, holds.values())) <= set(Hold.Kind.values):
        raise refuse(
            worded("column = kind is expected, with a kind of %(kinds)s", kinds=", ".join(Hold.Kind.values)),
            "holds",
        )


def _history(raw: dict[str, Any], refuse: Refuse) -> tuple[tuple[date | int, str, str, str], ...]:
    months = raw.get("months", [])
    columns = {
        key: raw.get(key, [""] * len(months) if isinstance(months, list) else [])
        for key in ("bill", "paid", "late")
    }
    for key, values in {"months": months, **columns}.items():
        if not isinstance(values, list) or (
            key != "months" and not all(isinstance(one, str) for one in values)
        ):
            raise refuse(worded("a list is expected, one column a month"), f"history.{key}")
        if len(values) != len(months):
            raise refuse(
                worded(
                    "%(key)s has %(columns)s columns for %(months)s months",
                    key=key,
                    columns=len(values),
                    months=len(months),
                ),
                "history",
            )
    try:
        days = [_month(month) for month in months]
    except (ValueError, TypeError) as wrong:
        raise refuse(
            worded("a month is written YYYY-MM, or as the number of months before as_of"), "history.months"
        ) from wrong
    if len(set(days)) != len(days):
        raise refuse(worded("a month stands twice"), "history.months")
    return tuple(zip(days, columns["bill"], columns["paid"], columns["late"], strict=True))


def _month(month: object) -> date | int:
    """Read a month; raises `ValueError` or `TypeError`."""
    if isinstance(month, int) and not isinstance(month, bool):
        if not 0 <= month <= MONTHS_MOST:
            raise ValueError(month)
        return month
    found = month if type(month) is date else date.fromisoformat(f"{month}-01")
    if not FIRST_YEAR <= found.year < END_YEAR:
        raise ValueError(month)
    return found
