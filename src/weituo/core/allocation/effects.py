"""What an agency adds or takes away, from what it states about its past: taken with reserve, because others' books differ.

A stated liquidation rate of agency j in bucket b is compared with the mean of all agencies in b (weighted by accounts).
y = ln(rate_j / mean_b) is a noisy and foreign witness of the agency's effect here: its sampling variance is
(1 − p) / (p · n), and TRANSPORT² is added, because the accounts were another lender's. With a prior of spread PRIOR
around no effect, the posterior mean is y · PRIOR² / (PRIOR² + TRANSPORT² + s²) (normal-normal shrinkage, Efron and
Morris 1975): even perfect figures count half. The effect is limited to EFFECT_MAX either way. Booked results of the
agencies' own placements are the better witness; comparing them fairly is a matter of its own (`core.comparison`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

#: spread of real differences between agencies, in logs (assumption)
PRIOR: Final = 0.10
#: spread that another lender's accounts add, in logs (assumption)
TRANSPORT: Final = 0.10
EFFECT_MAX: Final = 0.25
BPS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One stated figure: of `accounts` in `bucket`, the share of money `liquidation` came back."""

    agency: str
    bucket: str
    liquidation: float
    accounts: int


def shrunk_effects(
    *, stated: Iterable[Stated], agencies: Iterable[str], buckets: Iterable[str]
) -> Mapping[tuple[str, str], int]:
    """Give the factor on expected recovery in basis points (10,000 = as expected) for every agency and bucket.

    A bucket without figures takes the accounts-weighted mean of the agency's other buckets, shrunk once more by half;
    an agency without figures has no effect.
    """
    usable = [row for row in stated if 0 < row.liquidation < 1 and row.accounts > 0]
    totals: dict[str, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    for row in usable:
        money, count = totals[row.bucket]
        totals[row.bucket] = (money + row.liquidation * row.accounts, count + row.accounts)
    own: dict[tuple[str, str], tuple[float, int]] = {}
    for row in usable:
        money, count = totals[row.bucket]
        noise = (1 - row.liquidation) / (row.liquidation * row.accounts)
        effect = math.log(row.liquidation * count / money) * PRIOR**2 / (PRIOR**2 + TRANSPORT**2 + noise)
        before, weight = own.get((row.agency, row.bucket), (0.0, 0))
        together = weight + row.accounts
        own[row.agency, row.bucket] = ((before * weight + effect * row.accounts) / together, together)
    found = {}
    for agency in agencies:
        mine = [pair for (name, _), pair in own.items() if name == agency]
        weight = sum(accounts for _, accounts in mine)
        typical = sum(effect * accounts for effect, accounts in mine) / weight / 2 if weight else 0.0
        for bucket in buckets:
            effect = own[agency, bucket][0] if (agency, bucket) in own else typical
            effect = min(max(effect, -EFFECT_MAX), EFFECT_MAX)
            found[agency, bucket] = round(BPS * math.exp(effect))
    return found
