"""Population stability: worked by hand, no drift, and what training never saw."""

from __future__ import annotations

import math

import polars as pl
import pytest

from weituo.core.recovery import drift, features


def rows(balances: list[int], products: list[str]) -> pl.DataFrame:
    frame = {
        feature.name: ["110000"] * len(balances) if feature.dtype == pl.String() else [3] * len(balances)
        for feature in features.FEATURES
    }
    frame |= {"balance_minor": balances, "product": products}
    return pl.DataFrame(frame, schema={feature.name: feature.dtype for feature in features.FEATURES})


def of(frame: pl.DataFrame, name: str) -> dict[str, float]:
    return frame.row(by_predicate=pl.col("feature") == name, named=True)


def test_the_same_rows_have_not_drifted() -> None:
    frame = rows(list(range(100)), ["CARD", "CASH_LOAN"] * 50)
    found = drift.stability(trained=drift.profile(frame=frame), frame=frame)
    assert found["feature"].to_list() == list(features.NAMES)
    assert found.filter(pl.col("feature") != "product")["psi"].max() == pytest.approx(0)
    assert of(found, "product")["psi"] == pytest.approx(0, abs=1e-9)


def test_a_code_is_worked_by_hand() -> None:
    before = rows([1] * 100, ["CARD"] * 50 + ["CASH_LOAN"] * 50)
    now = rows([1] * 200, ["CARD"] * 50 + ["CASH_LOAN"] * 150)
    found = of(drift.stability(trained=drift.profile(frame=before), frame=now), "product")
    assert found["psi"] == pytest.approx(
        (0.25 - 0.5) * math.log(0.25 / 0.5) + (0.75 - 0.5) * math.log(0.75 / 0.5)
    )
    assert found["chance"] == pytest.approx(2 * (1 / 100 + 1 / 200))


def test_what_training_never_saw_counts() -> None:
    before = rows(list(range(100)), ["CARD"] * 100)
    now = rows([1_000] * 50, ["LOAN"] * 50)
    found = drift.stability(trained=drift.profile(frame=before), frame=now)
    assert of(found, "product")["psi"] > drift.PSI_BAD
    assert of(found, "balance_minor")["psi"] > drift.PSI_BAD


def test_without_rows_there_is_no_figure() -> None:
    frame = rows(list(range(10)), ["CARD"] * 10)
    assert drift.stability(trained=drift.profile(frame=frame), frame=frame.clear())[
        "psi"
    ].null_count() == len(features.NAMES)
