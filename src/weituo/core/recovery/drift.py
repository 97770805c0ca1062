"""Drift of features: how far today's book lies from the accounts that a model learnt from.

Population stability index over bins of the training rows, PSI = sum((a - e) * ln(a / e)) with e the training share and a
the present share of a bin (Siddiqi 2006; 0.1 and 0.25 are the usual marks). With n and m rows in B bins a PSI of about
(B - 1) * (1/n + 1/m) is what chance alone gives (Yurdakul and Naranjo 2020), so that figure stands beside each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from weituo.core.recovery import features

#: bins of a quantity: deciles of the training rows
BINS: Final = 10
#: an empty bin counts as this share, so that the logarithm stands
LEAST_SHARE: Final = 1e-4
#: the usual marks: below the first nothing happened, above the second look at the model again
PSI_WATCH: Final = 0.10
PSI_BAD: Final = 0.25


def profile(*, frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Describe n training rows (the registry's columns) as plain data, one entry a feature.

    A quantity gives `edges` (inner cut points, ascending) and `shares` (one more than edges); a code gives `values` and
    `shares`. Both give `name` and `n`. Raises FeatureError for other columns.
    """
    known = features.check(frame=frame)
    found: list[dict[str, Any]] = []
    for name in features.NAMES:
        column = known[name]
        if name in features.CATEGORICAL:
            counts = column.value_counts().sort(name)
            shares = (counts["count"] / max(known.height, 1)).to_list()
            found.append(
                {"name": name, "n": known.height, "values": counts[name].to_list(), "shares": shares}
            )
            continue
        numbers = column.to_numpy().astype(np.float64)
        cuts = np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]) if numbers.size else np.empty(0)
        edges = np.unique(cuts)
        found.append(
            {"name": name, "n": known.height, "edges": edges.tolist(), "shares": _shares(numbers, edges).tolist()}
        )  # fmt: skip
    return found


def stability(*, trained: Sequence[Mapping[str, Any]], frame: pl.DataFrame) -> pl.DataFrame:
    """Compare m present rows (the registry's columns) with a training profile.

    Returns feature String, psi, chance Float64 (the PSI that chance alone gives), bins, n_trained, n_now Int64, in the
    profile's order; psi is null where either side has no row.
    """
    known = features.check(frame=frame)
    rows = []
    for entry in trained:
        expected = np.asarray(entry["shares"], dtype=np.float64)
        column = known[entry["name"]]
        if "edges" in entry:
            actual = _shares(column.to_numpy().astype(np.float64), np.asarray(entry["edges"]))
        else:
            counts = np.array([(column == value).sum() for value in entry["values"]], dtype=np.float64)
            # codes that training never saw make a bin of their own
            actual = np.append(counts, known.height - counts.sum()) / max(known.height, 1)
            expected = np.append(expected, 0.0)
        there = entry["n"] > 0 and known.height > 0
        chance = (expected.size - 1) * (1 / entry["n"] + 1 / known.height) if there else None
        rows.append(
            (entry["name"], _psi(expected, actual) if there else None, chance, expected.size, entry["n"], known.height)
        )  # fmt: skip
    return pl.DataFrame(
        rows,
        schema={"feature": pl.String, "psi": pl.Float64, "chance": pl.Float64, "bins": pl.Int64, "n_trained": pl.Int64, "n_now": pl.Int64},
        orient="row",
    )  # fmt: skip


def _shares(numbers: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    counts = np.bincount(np.searchsorted(edges, numbers, side="left"), minlength=edges.size + 1)
    return counts / max(numbers.size, 1)


def _psi(expected: npt.NDArray[np.float64], actual: npt.NDArray[np.float64]) -> float:
    e, a = np.maximum(expected, LEAST_SHARE), np.maximum(actual, LEAST_SHARE)
    return float(((a - e) * np.log(a / e)).sum())
