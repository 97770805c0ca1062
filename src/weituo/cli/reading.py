"""What verbs read and print: settings from TOML or JSON files, money in its own digits."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

#: no settings of ours are longer; what is longer is another file
SETTINGS_BYTES_MAX: Final = 5_000_000


def read_settings(file: Path) -> dict[str, Any]:
    """Read a TOML or JSON file. Raises `BadInput` naming the file."""
    from weituo.foundation.errors import BadInput
    from weituo.foundation.texts import worded

    try:
        if not file.is_file() or file.stat().st_size > SETTINGS_BYTES_MAX:
            raise BadInput(
                problem=worded("a file of at most %(most)s bytes is needed", most=f"{SETTINGS_BYTES_MAX:,}"),
                where=str(file),
            )
        text = file.read_text(encoding="utf-8-sig")
        read = json.loads(text, parse_constant=_no_number) if file.suffix == ".json" else tomllib.loads(text)
    except RecursionError as deep:
        raise BadInput(problem=worded("its tables lie too deep in one another"), where=str(file)) from deep
    except (OSError, ValueError) as wrong:
        raise BadInput(
            problem=worded("it cannot be read: %(fault)s", fault=str(wrong)), where=str(file)
        ) from wrong
    if not isinstance(read, dict):
        raise BadInput(problem=worded("a table of settings is needed"), where=str(file))
    return read


def _no_number(word: str) -> float:
    """Refuse what Python's reader takes as a number and JSON does not know: NaN and infinities."""
    raise ValueError(f"{word} is no number")


def money_text(minor: int, currency: str) -> str:
    """Write minor units in the currency's own digits, exactly."""
    from weituo.core.money.amounts import EXPONENTS

    digits = EXPONENTS.get(currency, 2)
    return f"{Decimal(minor).scaleb(-digits):,.{digits}f} {currency}"


def id_of_run(actor: Any, named: str) -> UUID:
    """Give the id of the run that a number or an id names. Raises `RunNotFound`."""
    from weituo.domain.placement import errors, queries

    for row in queries.runs(actor):
        if named in {str(row["number"]), str(row["id"])}:
            return UUID(str(row["id"]))
    raise errors.RunNotFound(what="run", where=named)
