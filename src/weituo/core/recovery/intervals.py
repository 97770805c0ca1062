"""Intervals for shares and ratios: Wilson for counts; for money the bootstrap over accounts, or its closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

#: most resamples a bootstrap takes: beyond it the ends no longer move
MOST_RESAMPLES: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with its interval, and how many units it rests on. nan where n = 0."""

    value: float
    low: float
    high: float
    n: int


def wilson(*, successes: int, n: int, level: float = 0.95) -> Interval:
    """Compute a share's score interval (Wilson 1927); good for small n and shares near 0 and 1.

    Raises ValueError unless 0 <= successes <= n and 0 < level < 1.
    """
    low, high = wilson_columns(successes=np.array([successes]), n=np.array([n]), level=level)
    value = successes / n if n else float("nan")
    return Interval(value=value, low=float(low[0]), high=float(high[0]), n=n)


def wilson_columns(
    *, successes: npt.NDArray[np.int64], n: npt.NDArray[np.int64], level: float = 0.95
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Compute Wilson's ends by column: shapes (k,) in and out; nan where n = 0."""
    if not 0 < level < 1 or (successes < 0).any() or (successes > n).any():
        raise ValueError("need 0 <= successes <= n and 0 < level < 1")
    z2 = float(ndtri(0.5 + level / 2)) ** 2
    trials = np.where(n > 0, n, np.nan).astype(np.float64)
    p = successes / trials
    centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = np.sqrt(z2 * (p * (1 - p) / trials + z2 / (4 * trials**2))) / (1 + z2 / trials)
    # rounding must not push an end past the estimate at 0 and 1
    return np.minimum(np.maximum(centre - half, 0.0), p), np.maximum(np.minimum(centre + half, 1.0), p)


def bootstrap_ratio(
    *,
    numerator: npt.NDArray[np.float64],
    denominator: npt.NDArray[np.float64],
    rng: np.random.Generator,
    resamples: int = 1_000,
    level: float = 0.95,
) -> Interval:
    """Compute sum(numerator) / sum(denominator) with the percentile bootstrap over accounts (Efron 1979).

    numerator, denominator: shape (n,), for instance recovered and placed money of each account, denominator >= 0.
    Accounts are weighted by multinomial counts; identical accounts are not merged. nan for n = 0 or a zero denominator.
    """
    if numerator.shape != denominator.shape or not 1 <= resamples <= MOST_RESAMPLES:
        raise ValueError(f"shapes must agree and resamples be 1 to {MOST_RESAMPLES}")
    n = int(numerator.size)
    if n == 0 or denominator.sum() <= 0:
        return Interval(value=float("nan"), low=float("nan"), high=float("nan"), n=n)
    draws = np.empty(resamples)
    for i in range(resamples):
        times = np.bincount(rng.integers(0, n, size=n), minlength=n)
        below = times @ denominator
        draws[i] = (times @ numerator) / below if below > 0 else np.nan
    low, high = np.nanquantile(draws, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(value=float(numerator.sum() / denominator.sum()), low=float(low), high=float(high), n=n)


def linear_ratio(
    *, numerator: npt.NDArray[np.float64], denominator: npt.NDArray[np.float64], level: float = 0.95
) -> Interval:
    """Compute sum(numerator) / sum(denominator) with the linearised (delta-method) interval over accounts, in one pass.

    With residuals e = numerator - ratio * denominator, the standard error is sqrt(n / (n - 1) * sum(e^2)) / sum(denominator)
    (Cochran, Sampling Techniques, 1977, 6.4); it agrees with `bootstrap_ratio` where n is large, and costs no resamples.
    numerator >= 0, denominator >= 0, shape (n,); the lower end is not below 0. nan for n = 0 or a zero denominator; for n = 1
    nothing is known of the spread and the ends are nan.
    """
    if numerator.shape != denominator.shape or not 0 < level < 1:
        raise ValueError("shapes must agree and 0 < level < 1")
    n, below = int(numerator.size), float(denominator.sum())
    if n == 0 or below <= 0:
        return Interval(value=float("nan"), low=float("nan"), high=float("nan"), n=n)
    value = float(numerator.sum()) / below
    if n == 1:
        return Interval(value=value, low=float("nan"), high=float("nan"), n=n)
    spread = float(np.square(numerator - value * denominator).sum())
    half = float(ndtri(0.5 + level / 2)) * float(np.sqrt(n / (n - 1) * spread)) / below
    return Interval(value=value, low=max(value - half, 0.0), high=value + half, n=n)
