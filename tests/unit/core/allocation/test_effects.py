"""What agencies state of their past is taken with reserve."""

from __future__ import annotations

import numpy as np

from weituo.core.allocation.effects import EFFECT_MAX, Stated, shrunk_effects


def test_stated_figures_count_half_at_most_and_stay_within_their_limit() -> None:
    rows = [
        Stated(agency="A", bucket="M2", liquidation=0.22, accounts=50_000),
        Stated(agency="B", bucket="M2", liquidation=0.18, accounts=50_000),
        Stated(agency="C", bucket="M2", liquidation=0.90, accounts=3),
    ]
    found = shrunk_effects(stated=rows, agencies="ABCD", buckets=("M2", "M5"))
    assert 10_000 < found["A", "M2"] < 10_000 * (0.22 / 0.20) ** 0.55
    assert found["B", "M2"] < 10_000 == found["D", "M2"] == found["D", "M5"]
    assert 10_000 < found["A", "M5"] < found["A", "M2"]
    assert found["C", "M2"] <= 10_000 * np.exp(EFFECT_MAX) + 1
