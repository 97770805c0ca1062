"""Six invented agencies 催收机构 with what screening asks for, and with the manners that the simulation plays.

Names, numbers and figures are invented. The unified social credit codes follow GB 32100-2015 (check character
included) but carry division 19, which GB/T 2260 never assigned. Fees rise with age and stay within the 15-50 % that
the literature reports; skill moves money by at most about a quarter.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

#: buckets a skill is stated for
SEGMENTS: Final[dict[str, str]] = {
    "CURRENT": "EARLY", "M1": "EARLY", "M2": "EARLY", "M3": "MIDDLE", "M4": "MIDDLE",
    "M5": "LATE", "M6": "LATE", "M7+": "LATE",
}  # fmt: skip
_CODE_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A piece of evidence for screening: kind code, title in both languages, dates as days around the start."""

    kind: str
    title_zh: str
    title_en: str
    issued_days_before: int
    valid_days_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """One agency.

    coverage: province codes (GB/T 2260, six digits), empty = the whole country. capacity: accounts at a time.
    fee_bps: bucket → contingency fee. skill: segment → log factor on payments that contact brings about.
    attempts_per_week: an account and week at intensity 1. reach: P(right party | call). night_share: share of attempts
    it tries at 22:30. complaints_per_1000: complaints a thousand persons spoken to, at lawful hours.
    past: performance figures stated to the lender; references: client reviews, rating 1 to 5.
    """

    code: str
    name_zh: str
    name_en: str
    credit_code: str
    licence_number: str
    founded: int
    collectors: int
    coverage: tuple[str, ...]
    capacity: int
    fee_bps: dict[str, int]
    skill: dict[str, float]
    attempts_per_week: float
    reach: float
    night_share: float
    complaints_per_1000: float
    documents: tuple[Document, ...]
    past: tuple[dict[str, Any], ...]
    references: tuple[dict[str, Any], ...]


@cache
def all_agencies() -> tuple[Agency, ...]:
    """Read the six packaged agencies, in the order of their codes."""
    text = (resources.files("weituo.core.twin") / "data" / "agencies.json").read_text("utf-8")
    raw = json.loads(text)
    return tuple(_agency(row, raw["documents"]) for row in raw["agencies"])


def agency(*, code: str) -> Agency:
    """Give one agency by its code; raises KeyError for an unknown code."""
    return {one.code: one for one in all_agencies()}[code]


def credit_code(*, body: str) -> str:
    """Append the GB 32100-2015 check character (ISO 7064 MOD 31 with weights 3^i) to 17 characters."""
    total = sum(_CODE_CHARACTERS.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + _CODE_CHARACTERS[(31 - total % 31) % 31]


def _agency(row: dict[str, Any], kinds: dict[str, list[str]]) -> Agency:
    documents = tuple(
        Document(kind=kind, title_zh=kinds[kind][0], title_en=kinds[kind][1], issued_days_before=ago,
                 valid_days_after=ahead)
        for kind, ago, ahead in row["documents"]
    )  # fmt: skip
    plain = {
        key: row[key] for key in row if key not in ("documents", "coverage", "past", "references", "serial")
    }
    return Agency(
        **plain,
        credit_code=credit_code(body=f"91190000MA{row['serial']}"),
        coverage=tuple(row["coverage"]),
        documents=documents,
        past=tuple(row["past"]),
        references=tuple(row["references"]),
    )
