"""Holds that stop contact: the one list, by the name a hold has in the book and the status that the rules speak of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: kind of a hold under which nobody is contacted and nothing is entrusted → the borrower's status in the rule packs
STOPPING_HOLDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "DISPUTE": "disputed",
        "HARDSHIP": "hardship",
        "DECEASED": "deceased",
        "MINOR": "minor",
        "BANKRUPT": "bankrupt",
        "REPRESENTED": "represented",
        "CEASED": "ceased",
        "LEGAL": "legal",
        "SOLD": "sold",
        "COMPLAINT": "complaint",
    }
)


def status_of(hold: str) -> str:
    """Give the status that rules know a hold by; one that stops nothing keeps its own name."""
    return STOPPING_HOLDS.get(hold, hold.lower())
