"""Scorecards from outcomes: money, cost and harm of each agency, every rate with its interval and what it rests on."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from weituo.core import comparison
from weituo.core.recovery import intervals

#: what harm is reckoned at, minor units of the lender's currency: a stated choice, shown beside every figure that uses it
HARM_MINOR: Final[dict[str, int]] = {"complaint": 20_000, "complaint_upheld": 100_000, "violation": 50_000}
RESAMPLES: Final = 400
SEED: Final = 7
VERSION: Final = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One agency's figures and verdict, ready to be stored."""

    agency_id: str
    figures: dict[str, Any]
    verdict: str
    rank_low: int
    rank_high: int


def parameters(rules: comparison.Rules) -> dict[str, Any]:
    """Give everything that an evaluation was made with, so that it can be made again."""
    return {
        "version": VERSION,
        "rules": rules.as_dict(),
        "harm_minor": dict(HARM_MINOR),
        "resamples": RESAMPLES,
        "seed": SEED,
    }


def digest_of(outcomes: pl.DataFrame, conduct: pl.DataFrame) -> str:
    """Give the SHA-256 over all rows that an evaluation sees."""
    state = hashlib.sha256()
    for frame, key in ((outcomes, "placement_id"), (conduct, "agency_id")):
        state.update(frame.sort(key).write_csv().encode())
    return state.hexdigest()


def compared(outcomes: pl.DataFrame, *, rules: comparison.Rules) -> comparison.Comparison:
    """Compare agencies on net recovered money as a share of what was placed, weighted by what was placed.

    Placements that were drawn where every open agency had its stated chance (measured) correct what a regression on all says.
    """
    frame = outcomes.filter(pl.col("placed_minor") > 0).select(
        unit="placement_id",
        arm="agency_id",
        outcome=(pl.col("recovered_minor") - pl.col("commission_minor")) / pl.col("placed_minor"),
        weight=pl.col("placed_minor").cast(pl.Float64),
        probability="probability",
        measured="measured",
        bucket="bucket",
        expected=pl.col("expected_minor") / pl.col("placed_minor"),
        months="months",
    )
    return comparison.compare(frame, rules=rules)


def cards(outcomes: pl.DataFrame, *, conduct: pl.DataFrame, rules: comparison.Rules) -> list[Card]:
    """Give one card an agency, the agencies in the order of their ids.

    outcomes: `outcomes.COLUMNS` and currency. conduct: agency_id, asked, refused, violations.
    """
    arms = {arm.arm: arm for arm in compared(outcomes, rules=rules).arms}
    asked = {row["agency_id"]: row for row in conduct.to_dicts()}
    made = []
    for (agency_id,), group in outcomes.sort("agency_id", "placement_id").group_by(
        "agency_id", maintain_order=True
    ):
        key = str(agency_id)
        arm = arms.get(key)
        if arm is None:
            continue
        figures = _money(group) | _fair(arm) | _harm(group, asked.get(key, {}))
        made.append(
            Card(
                agency_id=key,
                figures=figures,
                verdict=arm.verdict.value,
                rank_low=arm.rank_low,
                rank_high=arm.rank_high,
            )
        )
    return made


def _money(group: pl.DataFrame) -> dict[str, Any]:
    sums = {
        name: int(group[name].sum())
        for name in ("placed_minor", "expected_minor", "recovered_minor", "commission_minor")
    }
    return sums | {
        "currency": group["currency"][0],
        "placements": group.height,
        "months": _number(group["months"].mean()),
        "net_minor": sums["recovered_minor"] - sums["commission_minor"],
        "cost_to_collect": _share(sums["commission_minor"], sums["recovered_minor"]),
        "expected_liquidation": _share(sums["expected_minor"], sums["placed_minor"]),
        "liquidation": _interval(
            intervals.bootstrap_ratio(
                numerator=group["recovered_minor"].to_numpy().astype(np.float64),
                denominator=group["placed_minor"].to_numpy().astype(np.float64),
                rng=np.random.default_rng(SEED),
                resamples=RESAMPLES,
            )
        ),
    }


def _fair(arm: comparison.Arm) -> dict[str, Any]:
    return {
        "fair_net": {"value": arm.value, "low": arm.low, "high": arm.high, "n": arm.n},
        "against_peers": {
            "value": arm.difference,
            "low": arm.difference_low,
            "high": arm.difference_high,
            "n": arm.n,
        },
        "raw_net": arm.raw,
        "effective_placements": round(arm.effective, 1),
    }


def _harm(group: pl.DataFrame, conduct: Mapping[str, Any]) -> dict[str, Any]:
    counts = {
        name: int(group[name].sum())
        for name in ("complaints", "complaints_upheld", "disputes", "hardships", "attempts", "right_party")
    }
    asked, refused, violations = (int(conduct.get(name, 0)) for name in ("asked", "refused", "violations"))
    harm = (
        HARM_MINOR["complaint"] * counts["complaints"]
        + HARM_MINOR["complaint_upheld"] * counts["complaints_upheld"]
        + HARM_MINOR["violation"] * violations
    )
    net = int(group["recovered_minor"].sum()) - int(group["commission_minor"].sum())
    return counts | {
        "complaints_per_1000": _per_1000(int((group["complaints"] > 0).sum()), group.height),
        "permits_asked": asked,
        "refusals": refused,
        "refusals_per_1000": _per_1000(refused, asked),
        "violations": violations,
        "harm_minor": harm,
        "net_after_harm_minor": net - harm,
    }


def _per_1000(part: int, whole: int) -> dict[str, Any]:
    """Give part per 1,000 of whole with Wilson's interval."""
    if not whole:
        return {"value": None, "low": None, "high": None, "n": 0}
    found = intervals.wilson(successes=min(part, whole), n=whole)
    return {"value": 1_000 * found.value, "low": 1_000 * found.low, "high": 1_000 * found.high, "n": whole}


def _interval(found: intervals.Interval) -> dict[str, Any]:
    return {
        "value": _number(found.value),
        "low": _number(found.low),
        "high": _number(found.high),
        "n": found.n,
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _number(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
