"""The weighted score of a screening, as a pure function with its derivation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: criterion → weight in basis points; from the mission: qualifications, past performance, client reviews, security, compliance
WEIGHTS: dict[str, int] = {
    "qualifications": 2_000,
    "performance": 2_500,
    "references": 1_500,
    "security": 2_000,
    "compliance": 2_000,
}
#: below this total nobody is proposed (hundredths of a point)
LEAST_TOTAL_BPS = 6_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A total with its parts: criterion → (score 0–100, weight in basis points, contribution in hundredths of a point)."""

    total_bps: int
    parts: Mapping[str, tuple[int, int, int]]


def weighted(*, scores: Mapping[str, int], weights: Mapping[str, int] = WEIGHTS) -> Score:
    """Weigh scores of 0 to 100: total = Σ score × weight ÷ 100, 0 to 10,000.

    Raises ValueError unless every criterion of the weights is scored once within 0–100 and weights sum to 10,000.
    """
    if sum(weights.values()) != 10_000:
        raise ValueError("weights must sum to 10000 basis points")
    if set(scores) != set(weights):
        raise ValueError(f"criteria are {', '.join(weights)}")
    if any(not 0 <= value <= 100 for value in scores.values()):
        raise ValueError("a score lies between 0 and 100")
    parts = {name: (scores[name], weight, scores[name] * weight // 100) for name, weight in weights.items()}
    return Score(total_bps=sum(part[2] for part in parts.values()), parts=parts)


def tier_of(total_bps: int) -> int:
    """Give the tier that a first approval starts from: 1 from 85 points, 2 from 75, else 3."""
    return 1 if total_bps >= 8_500 else 2 if total_bps >= 7_500 else 3
