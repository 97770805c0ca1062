"""What nobody can see: the simulated willingness and means of each borrower, by keyed hashing.

A case's latent numbers are functions of (seed, case reference) alone, so that they are the same for every agency, in
every week and in every process, and need no table. FNV-1a (Fowler, Noll, Vo) over the reference's bytes, then the
splitmix64 finaliser (Steele, Lea, Flood 2014) for as many independent numbers as wanted.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtri

Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.uint64]

#: log-odds of any payment within 26 weeks at the median balance, by bucket
BUCKET_LOGIT: Final[dict[str, float]] = {
    "CURRENT": 1.2, "M1": 0.65, "M2": 0.20, "M3": -0.20, "M4": -0.55, "M5": -0.80, "M6": -0.95, "M7+": -1.1,
}  # fmt: skip
#: log-odds a unit of log balance above the median of 9,400 yuan: larger debts are paid less often
BALANCE_SLOPE: Final = -0.45
MEDIAN_BALANCE_MINOR: Final = 940_000.0
#: log-odds a month with a payment among the last six, around the bucket's mean
PAID_SLOPE: Final = 0.52
PAID_MEAN: Final[dict[str, float]] = {
    "CURRENT": 4.0, "M1": 3.7, "M2": 4.0, "M3": 3.7, "M4": 3.0, "M5": 2.5, "M6": 1.9, "M7+": 1.1,
}  # fmt: skip
PRODUCT_LOGIT: Final[dict[str, float]] = {
    "CASH_LOAN": -0.10,
    "INSTALMENT": 0.20,
    "CARD": 0.10,
    "MICRO_BUSINESS": -0.25,
}
#: spread of what no recorded fact explains
UNSEEN_SPREAD: Final = 0.55
#: weeks of the horizon, and the share of responsiveness lost each week (about 1 % a week is reported by agencies)
HORIZON_WEEKS: Final = 26
WEEKLY_DECAY: Final = 0.99


def keys(*, references: pl.Series, seed: int) -> Keys:
    """Hash references with the seed: uint64 of shape (n,)."""
    raw = references.cast(pl.String).to_numpy().astype("S")
    octets = np.frombuffer(raw.tobytes(), dtype=np.uint8).reshape(len(raw), max(raw.dtype.itemsize, 1))
    state = np.full(len(raw), 0xCBF29CE484222325, dtype=np.uint64)
    for column in range(octets.shape[1]):
        octet = octets[:, column]
        state = np.where(octet == 0, state, (state ^ octet) * np.uint64(0x100000001B3))
    return mix(state, seed)


def mix(state: Keys, *salts: int) -> Keys:
    """Scramble keys with whole numbers, one splitmix64 round a salt."""
    for salt in salts:
        state = state + np.uint64((salt * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return state


def uniform(state: Keys, *salts: int) -> Floats:
    """Give uniform numbers in (0, 1), shape of the keys, a different one for each tuple of salts."""
    return ((mix(state, *salts) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def pay_probability(*, cases: pl.DataFrame, case_keys: Keys) -> Floats:
    """Compute P(any payment within 26 weeks) at the usual effort of an average agency, shape (n,).

    cases: bucket String, balance_minor Int64, province_code String; paid_months_6 Int64 and product String where the
    disclosure holds them (absent: taken at their mean).
    """
    logit = _of_bucket(BUCKET_LOGIT, cases["bucket"])
    log_balance = np.log(np.maximum(cases["balance_minor"].to_numpy(), 1) / MEDIAN_BALANCE_MINOR)
    logit = logit + BALANCE_SLOPE * np.clip(log_balance, -3.0, 3.0)
    province = cases["province_code"].str.slice(0, 2).cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    logit = logit + 0.15 * np.sin(province.astype(np.float64))
    if "paid_months_6" in cases.columns:
        logit = logit + PAID_SLOPE * (
            cases["paid_months_6"].to_numpy() - _of_bucket(PAID_MEAN, cases["bucket"])
        )
    if "product" in cases.columns:
        effect = cases["product"].replace_strict(PRODUCT_LOGIT, default=0.0, return_dtype=pl.Float64)
        logit = logit + effect.to_numpy()
    logit = logit + UNSEEN_SPREAD * ndtri(uniform(case_keys, 1))
    return 1.0 / (1.0 + np.exp(-logit))


def weekly_hazard(*, pay_probability: Floats, week: int) -> Floats:
    """Spread a 26-week probability over weeks 0, 1, ...: hazards that decline by 1 % a week and sum to -ln(1 - p)."""
    whole = (1 - WEEKLY_DECAY**HORIZON_WEEKS) / (1 - WEEKLY_DECAY)
    return -np.log1p(-pay_probability) * WEEKLY_DECAY**week / whole


def _of_bucket(table: dict[str, float], bucket: pl.Series) -> Floats:
    return bucket.replace_strict(table, return_dtype=pl.Float64).to_numpy()
