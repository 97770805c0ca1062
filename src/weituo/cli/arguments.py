"""What stands behind a verb: days, ids and numbers are read here, and a wrong one is named in one sentence."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, NoReturn
from uuid import UUID

#: days beyond leave no room for the terms and zones that are added to them
YEARS: Final = (2000, 2199)
#: what a whole number of the database may be
WHOLE_MAX: Final = 2**31 - 1
#: most rows that a list gives in one go
ROWS_MAX: Final = 100_000
SHOWN_MAX: Final = 60


class Misused(Exception):
    """The words of a command, or what it stands on here, do not allow it: one sentence, exit code 2."""

    def __init__(self, message: str, *, where: str = "", remedy: str = "", code: str = "bad_usage") -> None:
        self.code, self.message, self.where, self.remedy = code, message, where, remedy
        super().__init__(message)

    def as_dict(self) -> dict[str, Any]:
        """The shape that every refusal has."""
        return {"code": self.code, "message": self.message, "where": self.where, "rule": "", "remedy": self.remedy}  # fmt: skip

    def __str__(self) -> str:
        message = self.message if self.message.endswith(".") else f"{self.message}."
        where = f"[{self.where}]" if self.where else ""
        return " ".join(part for part in (message, where, self.remedy) if part)


def shown(text: str) -> str:
    """Give what was typed as a message can show it: on one line and not too long."""
    plain = "".join(sign if sign.isprintable() else "�" for sign in text)
    return f"“{plain[:SHOWN_MAX]}…”" if len(plain) > SHOWN_MAX else f"“{plain}”"


def day(text: str) -> date:
    """Read a day written YYYY-MM-DD."""
    try:
        found = date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        found = None
    if found is None or not YEARS[0] <= found.year <= YEARS[1]:
        raise argparse.ArgumentTypeError(
            f"{shown(text)} is no day; write it YYYY-MM-DD, from {YEARS[0]}-01-01 to {YEARS[1]}-12-31"
        )
    return found


def identifier(text: str) -> UUID:
    """Read an id."""
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        raise argparse.ArgumentTypeError(
            f"{shown(text)} is no id; copy the whole id, 36 characters with four hyphens, as lists print it"
        )
    return UUID(text)


def whole(text: str) -> int:
    """Read a whole number that a column of the database can hold."""
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", text) or abs(int(text)) > WHOLE_MAX:
        raise argparse.ArgumentTypeError(
            f"{shown(text)} is no whole number from -{WHOLE_MAX:,} to {WHOLE_MAX:,}"
        )
    return int(text)


def row_count(text: str) -> int:
    """Read how many rows to give."""
    if not re.fullmatch(r"[0-9]{1,7}", text) or not 1 <= int(text) <= ROWS_MAX:
        raise argparse.ArgumentTypeError(f"{shown(text)} is no number of rows from 1 to {ROWS_MAX:,}")
    return int(text)


def fraction(text: str) -> float:
    """Read a number with decimals."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise argparse.ArgumentTypeError(f"{shown(text)} is no number")
    return found


#: the type that a verb names → how it is read
READERS: Final[Mapping[Callable[[str], Any], Callable[[str], Any]]] = {
    date.fromisoformat: day,
    UUID: identifier,
    int: whole,
    float: fraction,
}


class Parser(argparse.ArgumentParser):
    """The parser of every verb: reads as above, and says what is wrong as every other refusal does."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for known, reads in READERS.items():
            self.register("type", known, reads)

    def error(self, message: str) -> NoReturn:
        """Refuse the words instead of printing the usage and leaving."""
        raise Misused(message, where=self.prog, remedy=f"`{self.prog} --help` shows what it takes.")
