"""What verbs read and print: settings from TOML or JSON files, money in its own digits."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any


def read_settings(file: Path) -> dict[str, Any]:
    """Read a TOML or JSON file. Raises `BadInput` naming the file."""
    from weituo.foundation.errors import BadInput
    from weituo.foundation.texts import worded

    try:
        text = file.read_text(encoding="utf-8-sig")
        read = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as wrong:
        raise BadInput(
            problem=worded("it cannot be read: %(fault)s", fault=str(wrong)), where=str(file)
        ) from wrong
    if not isinstance(read, dict):
        raise BadInput(problem=worded("a table of settings is needed"), where=str(file))
    return read


def money_text(minor: int, currency: str) -> str:
    """Write minor units in the currency's own digits."""
    from weituo.core.money.amounts import EXPONENTS

    digits = EXPONENTS.get(currency, 2)
    return f"{minor / 10**digits:,.{digits}f} {currency}"
