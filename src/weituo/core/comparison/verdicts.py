"""From estimates to verdicts that an honest person would sign: better, worse, cannot be told apart, too early.

Every agency is tested against its peers pooled (weighted by their placements); all tests together err with probability
`alpha` at most: the critical value is the quantile of the largest |z| under their joint normal law (single-step max-t;
Hothorn, Bretz, Westfall 2008). Ranks come as intervals from all pairwise differences held together the same way
(Mogstad, Romano, Shaikh, Wilhelm 2024): a lower rank is claimed only over agencies that are separable.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtri, stdtrit

from weituo.core.comparison.estimate import Estimates, Floats, estimate

#: draws from the joint law; the critical value then stands to about 0.01
DRAWS: Final = 20_000


class Verdict(StrEnum):
    """What may be said of one agency beside its peers."""

    BETTER = "BETTER"
    WORSE = "WORSE"
    CANNOT_BE_TOLD_APART = "CANNOT_BE_TOLD_APART"
    TOO_EARLY = "TOO_EARLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When to speak at all: chance of any wrong claim, least placements, least effective sample, least months; seed of the draws."""

    alpha: float = 0.05
    placements_min: int = 100
    effective_min: float = 60.0
    months_min: float = 1.0
    seed: int = 7

    def as_dict(self) -> dict[str, float | int]:
        """The rules as plain data, stored with every verdict."""
        return {
            "alpha": self.alpha,
            "placements_min": self.placements_min,
            "effective_min": self.effective_min,
            "months_min": self.months_min,
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One agency: its value with the 95 % interval of its own, its difference from peers with the joint interval, its verdict."""

    arm: str
    n: int
    effective: float
    months: float
    raw: float
    value: float
    low: float
    high: float
    #: value less pooled peers; None without peers or when it is too early
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    verdict: Verdict
    rank_low: int
    rank_high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All agencies together; `critical` is the joint critical value of the tests against peers."""

    arms: tuple[Arm, ...]
    critical: float | None
    rules: Rules


def compare(frame: pl.DataFrame, *, rules: Rules | None = None) -> Comparison:
    """Compare arms. frame: `estimate.SCHEMA` and months Float64 since placement; the order of rows does not matter.

    Raises `ComparisonError`.
    """
    rules = rules or Rules()
    found = estimate(frame)
    months = _months(frame, found.arms)
    judged = (
        (found.n >= rules.placements_min)
        & (found.effective >= rules.effective_min)
        & (months >= rules.months_min)
    )
    rng = np.random.default_rng(rules.seed)
    against = _against_peers(found, judged)
    freedom = _freedom(found, judged)
    critical = _critical(against @ found.covariance @ against.T, alpha=rules.alpha, freedom=freedom, rng=rng)
    low, high = _ranks(found, judged, alpha=rules.alpha, rng=rng)
    own = float(ndtri(1 - 0.05 / 2)) * np.sqrt(np.diag(found.covariance))
    place = {int(index): row for row, index in enumerate(np.flatnonzero(judged))}
    arms = []
    for j, code in enumerate(found.arms):
        gap = _gap(found, against, critical, place.get(j))
        arms.append(
            Arm(
                arm=code, n=int(found.n[j]), effective=float(found.effective[j]), months=float(months[j]), raw=float(found.raw[j]),
                value=float(found.values[j]), low=float(found.values[j] - own[j]), high=float(found.values[j] + own[j]),
                difference=gap[0], difference_low=gap[1], difference_high=gap[2],
                verdict=_verdict(bool(judged[j]), gap), rank_low=int(low[j]), rank_high=int(high[j]),
            )
        )  # fmt: skip
    return Comparison(arms=tuple(arms), critical=critical, rules=rules)


Gap = tuple[float | None, float | None, float | None]


def _gap(found: Estimates, against: Floats, critical: float | None, row: int | None) -> Gap:
    if row is None or critical is None:
        return None, None, None
    weights = against[row]
    value = float(weights @ found.values)
    half = critical * float(np.sqrt(weights @ found.covariance @ weights))
    return value, value - half, value + half


def _verdict(judged: bool, gap: Gap) -> Verdict:
    if not judged:
        return Verdict.TOO_EARLY
    _, low, high = gap
    if low is not None and low > 0:
        return Verdict.BETTER
    if high is not None and high < 0:
        return Verdict.WORSE
    return Verdict.CANNOT_BE_TOLD_APART


def _months(frame: pl.DataFrame, arms: tuple[str, ...]) -> Floats:
    means = dict(
        frame.group_by("arm").agg(months=pl.col("months").sort().mean()).select("arm", "months").iter_rows()
    )
    return np.array([means[arm] for arm in arms], dtype=np.float64)


def _against_peers(found: Estimates, judged: npt.NDArray[np.bool_]) -> Floats:
    """Build one contrast a judged arm: itself less its judged peers, weighted by their placements; shape (judged, k)."""
    k = len(found.arms)
    rows = np.zeros((int(judged.sum()), k))
    for row, j in enumerate(np.flatnonzero(judged)):
        peers = np.where(judged & (np.arange(k) != j), found.n, 0).astype(np.float64)
        if peers.sum() > 0:
            rows[row] = -peers / peers.sum()
            rows[row, j] = 1.0
    return rows


def _freedom(found: Estimates, judged: npt.NDArray[np.bool_]) -> float:
    """Give the degrees of freedom of the smallest effective sample: variances are themselves estimated from it."""
    return max(float(found.effective[judged].min()) - 1, 1.0) if judged.any() else 1.0


def _critical(covariance: Floats, *, alpha: float, freedom: float, rng: np.random.Generator) -> float | None:
    """Find c with P(max |t| > c) = alpha for contrasts of this covariance; None without a contrast that varies."""
    spread = np.sqrt(np.diag(covariance)) if covariance.size else np.zeros(0)
    if len(spread) < 2 or (spread <= 0).any():
        return None
    correlation = covariance / np.outer(spread, spread)
    eigenvalues, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(eigenvalues, 0, None))
    scale = np.sqrt(rng.chisquare(freedom, DRAWS) / freedom)
    largest = np.abs(rng.standard_normal((DRAWS, len(spread))) @ root.T).max(axis=1) / scale
    return float(np.quantile(largest, 1 - alpha))


def _ranks(
    found: Estimates, judged: npt.NDArray[np.bool_], *, alpha: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    k = len(found.arms)
    low, high = np.ones(k, dtype=np.int64), np.full(k, k, dtype=np.int64)
    pairs = [(int(a), int(b)) for a in np.flatnonzero(judged) for b in np.flatnonzero(judged) if a < b]
    if not pairs:
        return low, high
    contrasts = np.zeros((len(pairs), k))
    for row, (a, b) in enumerate(pairs):
        contrasts[row, a], contrasts[row, b] = 1.0, -1.0
    covariance = contrasts @ found.covariance @ contrasts.T
    spread = np.sqrt(np.diag(covariance))
    freedom = _freedom(found, judged)
    critical = (
        _critical(covariance, alpha=alpha, freedom=freedom, rng=rng)
        if len(pairs) > 1
        else float(stdtrit(freedom, 1 - alpha / 2))
    )
    if critical is None:
        return low, high
    for (a, b), value, half in zip(pairs, contrasts @ found.values, critical * spread, strict=True):
        if value > half:
            low[b] += 1
            high[a] -= 1
        elif value < -half:
            low[a] += 1
            high[b] -= 1
    return low, high
