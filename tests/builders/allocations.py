"""Placement problems that are known to have an answer, and a slow plain check of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np


def planted(seed: int, *, most: int = 400, agencies: int = 7) -> dict[str, Any]:
    """Draw a problem around a hidden assignment that keeps all its limits: ties, whole values, empty segments, K = 1."""
    rng = np.random.default_rng(seed)
    n, k, s = int(rng.integers(1, most)), int(rng.integers(1, agencies + 1)), int(rng.integers(1, 6))
    value = rng.normal(10, 30, size=(n, k))
    kind = int(rng.integers(0, 5))
    if kind == 1:
        value = np.round(value)
    elif kind == 2:
        value = np.round(value / 20) * 20
    elif kind == 3:
        value = np.zeros((n, k))
    elif kind == 4:
        value = value * rng.lognormal(3, 2, size=(n, 1))
    plan = rng.integers(0, k, n)
    eligible = rng.random((n, k)) < rng.choice([0.3, 0.7, 1.0])
    if rng.random() < 0.15:
        eligible[:] = False
    eligible[np.arange(n), plan] = True
    segment = rng.integers(0, s, n) * (2 if rng.random() < 0.3 else 1)
    balance = rng.lognormal(6, 1.2, n).astype(np.int64) * (0 if rng.random() < 0.1 else 1)
    count = np.bincount(plan, minlength=k)
    owed = np.bincount(plan, weights=balance, minlength=k).astype(np.int64)
    room, slack = float(rng.choice([0.0, 0.1, 0.5])), float(rng.choice([0.01, 0.05, 0.3, 1.0]))
    made: dict[str, Any] = {
        "value": np.where(eligible, value, -np.inf),
        "balance": balance,
        "segment": segment,
        "count_min": np.floor(count * (1 - room)).astype(np.int64),
        "count_max": np.ceil(count * (1 + room)).astype(np.int64),
        "balance_min": np.floor(owed * (1 - slack)).astype(np.int64),
        "balance_max": np.ceil(owed * (1 + slack)).astype(np.int64),
    }
    if rng.random() < 0.6:
        share = np.bincount(segment) / n
        mix = np.zeros((k, share.size))
        np.add.at(mix, (plan, segment), 1)
        off = np.abs(mix / np.maximum(count, 1)[:, None] - share)[count > 0].max()
        made["segment_tolerance"] = off * (1.0 if rng.random() < 0.3 else 1.3) + 1e-12
    return made


def keeps(arrays: dict[str, Any], agency: Sequence[int]) -> bool:
    """Tell, agency by agency in exact fractions, whether an assignment keeps every limit."""
    value, balance = np.asarray(arrays["value"]), [int(b) for b in arrays["balance"]]
    n, k = value.shape
    segment = [int(s) for s in arrays.get("segment", np.zeros(n, dtype=int))]
    if any(not np.isfinite(value[i, a]) for i, a in enumerate(agency)):
        return False
    tolerance = arrays.get("segment_tolerance")
    for a in range(k):
        mine = [i for i in range(n) if agency[i] == a]
        held = sum(balance[i] for i in mine)
        if not arrays["count_min"][a] <= len(mine) <= arrays["count_max"][a]:
            return False
        if not arrays["balance_min"][a] <= held <= arrays["balance_max"][a]:
            return False
        if tolerance is None or float(tolerance) >= 1:
            continue
        for s in set(segment):
            share = Fraction(segment.count(s), n)
            here = sum(segment[i] == s for i in mine)
            high, low = (
                (share + Fraction(float(tolerance))) * len(mine),
                (share - Fraction(float(tolerance))) * len(mine),
            )
            if not math.floor(low) <= here <= math.ceil(high):
                return False
    return True


def best(arrays: dict[str, Any]) -> float | None:
    """Give the value of the best assignment by looking at all of them; None: there is none."""
    value = np.asarray(arrays["value"])
    found: float | None = None
    for agency in product(*(np.flatnonzero(np.isfinite(row)).tolist() for row in value)):
        if keeps(arrays, agency):
            worth = sum(float(np.float32(value[i, a])) for i, a in enumerate(agency))
            found = worth if found is None else max(found, worth)
    return found
