"""Invented placement problems for benches and tests: licences, skills, fees, harm, and limits that bind.

Balances are lognormal from 25 to 60,000 units; twelve regions, an agency is licensed in a region with 85 % and free of
conflict with an account with 93 %; the last agency is the lender's own desk, open to every account, for at most 30 %.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

SEGMENTS: Final = 6
REGIONS: Final = 12
BLOCK: Final = 1_000_000


def values(*, n: int, k: int, seed: int) -> dict[str, Any]:
    """Make accounts and what each agency makes of them: value (n, k) float32, balance (n,) int64, segment (n,) int16."""
    rng = np.random.default_rng([seed, n, k])
    segment = rng.choice(SEGMENTS, size=n, p=[0.3, 0.25, 0.18, 0.13, 0.09, 0.05]).astype(np.int16)
    region = rng.integers(0, REGIONS, size=n).astype(np.int8)
    balance = np.clip(np.exp(rng.normal(6.8, 1.1, size=n)), 25, 60_000).astype(np.int64)
    licensed = rng.random((REGIONS, k)) < 0.85
    licensed[:, -1] = True
    liquidation = np.linspace(0.28, 0.05, SEGMENTS)
    skill = rng.normal(1.0, 0.18, size=(SEGMENTS, k))
    skill[:, -1] = 0.75
    fee = rng.uniform(0.12, 0.30, size=k)
    fee[-1] = 0.0
    harm = rng.gamma(2.0, 4.0, size=(SEGMENTS, k))
    rate = (liquidation[:, None] * skill * (1 - fee)).astype(np.float32)
    value = np.empty((n, k), dtype=np.float32)
    for first in range(0, n, BLOCK):
        rows = slice(first, min(first + BLOCK, n))
        mine = segment[rows]
        willing = np.exp(rng.normal(0, 0.5, size=(mine.size, 1))).astype(np.float32)
        noise = rng.normal(0, 8.0, size=(mine.size, k)).astype(np.float32)
        block = balance[rows, None].astype(np.float32) * rate[mine] * willing
        block += noise - harm[mine].astype(np.float32)
        barred = ~licensed[region[rows]] | (rng.random((mine.size, k), dtype=np.float32) >= 0.93)
        barred[:, -1] = False
        block[barred] = -np.inf
        value[rows] = block
    return {"value": value, "balance": balance, "segment": segment}


def problem(*, n: int, k: int, seed: int = 0, full: bool = True) -> dict[str, Any]:
    """Make the arrays of a problem; `full`: with balances and mix, otherwise counts only."""
    made = values(n=n, k=k, seed=seed)
    rng = np.random.default_rng([seed, n, k, 1])
    weight = rng.uniform(0.5, 1.5, size=k)
    weight[-1] = 0.0
    most = np.floor(weight / weight.sum() * 0.85 * n).astype(np.int64)
    most[-1] = int(0.30 * n)
    least = np.floor(0.45 * most).astype(np.int64)
    least[-1] = 0
    made |= {"count_min": least, "count_max": most}
    if not full:
        return made
    mean = float(made["balance"].mean())
    total = int(made["balance"].sum())
    return made | {
        "balance_min": np.floor(0.90 * least * mean).astype(np.int64),
        "balance_max": np.minimum(np.ceil(1.04 * most * mean), total).astype(np.int64),
        "segment_tolerance": np.array(0.04),
    }
