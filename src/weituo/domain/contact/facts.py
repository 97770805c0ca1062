"""From gathered rows to the facts that `core.conduct` decides on, and back to reasons people can read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

CHANNELS: Final = ("VOICE", "SMS", "EMAIL", "LETTER", "VISIT")
PURPOSES: Final = ("COLLECT", "REMIND", "ANSWER", "LOCATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision: allowed or not, every reason against, and the facts it rests on as canonical JSON."""

    allowed: bool
    facts: str
    facts_digest: str
    reasons: list[dict[str, Any]] = field(default_factory=list)
    packs: dict[str, str] = field(default_factory=dict)


def decide(*, rows: pl.DataFrame, contacts: pl.DataFrame) -> list[Decision]:
    """Decide a batch in the order of asking; within a borrower, each request sees the grants before it."""
    raise NotImplementedError
