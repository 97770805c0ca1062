"""What each agency would recover on the whole population, from placements whose probability is known.

Estimand: V_j = sum_i w_i Y_i(j) / sum_i w_i over all compared placements i, Y_i(j) the outcome had agency j worked it.
Estimator: augmented inverse-probability weighting (Robins, Rotnitzky, Zhao 1994) with the stored probability e_i of the
placement that was made, the residual term normalised by its own weights (Hajek), so that one small e_i cannot run away. It
runs over the measured placements M alone, a random slice in which every open agency had its stated chance; all placements
say what agencies are compared on and help the regression:

    V_j = sum w_i m_j(x_i) / sum w_i  +  sum_{i in M, A_i=j} (w_i/e_i) (Y_i - m_j(x_i)) / sum_{i in M, A_i=j} (w_i/e_i)

m_j(x) = x'b + a_j, weighted ridge regression on bucket and expected recovery, fitted on the other folds (cross-fitting, Chernozhukov et al.
2018). An agency that may not work some accounts (licence, region) is weighed on those it could have had; the regression
carries the rest. Only intercepts differ between agencies, so that differences do not depend on which accounts those are
as far as the regression holds. Because e_i is known, V_j is consistent even where m_j is wrong; a good m_j narrows the interval. Variances and
covariances of all V_j come from their influence functions, so that every difference has its own standard error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]

FOLDS: Final = 5
#: keeps the regression solvable in small or one-sided samples; in units of the mean weight
RIDGE: Final = 1.0
#: a placement that is its agency's only one has no spread to speak of; keeps the division finite
LEVERAGE_LEFT_MIN: Final = 0.05
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "unit": pl.String, "arm": pl.String, "outcome": pl.Float64, "weight": pl.Float64, "probability": pl.Float64,
    "bucket": pl.String, "expected": pl.Float64, "measured": pl.Boolean,
}  # fmt: skip


class ComparisonError(ValueError):
    """The frame holds other columns, a missing value, or a number that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Value of every arm with the covariance of all of them.

    arms: codes, sorted; values (k,); covariance (k, k); n (k,) placements; effective (k,) effective sample sizes of the
    inverse-probability weights (Kish 1965), measured placements only; raw (k,) sum(w Y)/sum(w) of the arm's own placements, for comparison.
    """

    arms: tuple[str, ...]
    values: Floats
    covariance: Floats
    n: npt.NDArray[np.int64]
    effective: Floats
    raw: Floats


def estimate(frame: pl.DataFrame) -> Estimates:
    """Estimate every arm's value. frame: columns of `SCHEMA`, one row a placement; the order of rows does not matter.

    outcome is a share (net recovered / placed), weight > 0 (placed money), probability in (0, 1] of the placement that
    was made, expected the expected share recovered; measured: absent, all are. Raises `ComparisonError`.
    """
    rows = _checked(frame)
    arms = tuple(sorted(rows["arm"].unique().to_list()))
    arm = rows["arm"].replace_strict(list(arms), list(range(len(arms))), return_dtype=pl.Int64).to_numpy()
    y, e = rows["outcome"].to_numpy(), rows["probability"].to_numpy()
    w = rows["weight"].to_numpy() / rows["weight"].mean()
    fitted = _predictions(rows, arm=arm, k=len(arms), y=y, w=w)
    own = arm[:, None] == np.arange(len(arms))[None, :]
    weighed = own & rows["measured"].to_numpy()[:, None]
    inverse = np.where(weighed, (w / e)[:, None], 0.0)
    # an agency without a measured placement has its regression only, and no effective placement
    totals = np.maximum(inverse.sum(axis=0), np.finfo(np.float64).tiny)
    residual = np.where(own, y[:, None] - fitted, 0.0)
    model, bias = (w[:, None] * fitted).sum(axis=0) / w.sum(), (inverse * residual).sum(axis=0) / totals
    n = len(y)
    share = inverse / totals
    # one placement that carries much of an agency's weight also pulls the mean it is measured from: its part counts fuller
    # (HC3, MacKinnon and White 1985)
    spread = (residual - np.where(weighed, bias, 0.0)) / np.maximum(1 - share, LEVERAGE_LEFT_MIN)
    influence = w[:, None] * (fitted - model) + n * share * spread
    covariance = influence.T @ influence / n**2
    return Estimates(
        arms=arms,
        values=model + bias,
        covariance=covariance,
        n=own.sum(axis=0).astype(np.int64),
        effective=inverse.sum(axis=0) ** 2 / np.maximum((inverse**2).sum(axis=0), np.finfo(np.float64).tiny),
        raw=(np.where(own, w[:, None], 0.0) * y[:, None]).sum(axis=0)
        / np.where(own, w[:, None], 0.0).sum(axis=0),
    )


def _checked(frame: pl.DataFrame) -> pl.DataFrame:
    if "measured" not in frame.columns:
        frame = frame.with_columns(measured=pl.lit(value=True))
    missing = sorted(set(SCHEMA) - set(frame.columns))
    if missing or frame.is_empty():
        raise ComparisonError(f"columns missing: {missing}" if missing else "no placement to compare")
    rows = frame.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
    if rows.null_count().sum_horizontal()[0] or not all(
        rows[name].is_finite().all() for name in ("outcome", "weight", "probability", "expected")
    ):
        raise ComparisonError("a value is missing or not finite")
    if rows["unit"].n_unique() < rows.height:
        raise ComparisonError("a unit stands twice")
    if rows.filter(
        (pl.col("weight") <= 0) | (pl.col("probability") <= 0) | (pl.col("probability") > 1)
    ).height:
        raise ComparisonError("weights are above 0, probabilities above 0 and at most 1")
    return rows.sort("unit")


def _design(rows: pl.DataFrame, *, arm: npt.NDArray[np.int64], k: int) -> tuple[Floats, Floats]:
    """Build the covariates (n, p) and the arms' columns (n, k); covariates are centred, so that arms are intercepts."""
    buckets = sorted(rows["bucket"].unique().to_list())
    columns = [(rows["bucket"] == bucket).cast(pl.Float64).to_numpy() for bucket in buckets[1:]]
    x = np.column_stack([*columns, rows["expected"].to_numpy()])
    spread = x.std(axis=0)
    x = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return x, (arm[:, None] == np.arange(k)[None, :]).astype(np.float64)


def _predictions(rows: pl.DataFrame, *, arm: npt.NDArray[np.int64], k: int, y: Floats, w: Floats) -> Floats:
    """Predict every unit's outcome under every arm (n, k) from the folds that do not hold the unit."""
    x, arms = _design(rows, arm=arm, k=k)
    # units are sorted by a random id: every fifth one is a random fold, whatever the order of rows was
    fold = np.arange(len(y)) % FOLDS
    fitted = np.empty((len(y), k))
    for number in range(FOLDS):
        out = fold == number
        kept = ~out if (~out).sum() > 0 else out
        design = np.column_stack([x[kept], arms[kept]])
        scaled = design * w[kept][:, None]
        centre = float(np.average(y[kept], weights=w[kept]))
        solved = np.linalg.solve(
            design.T @ scaled + RIDGE * np.eye(design.shape[1]), scaled.T @ (y[kept] - centre)
        )
        fitted[out] = centre + (x[out] @ solved[: x.shape[1]])[:, None] + solved[x.shape[1] :][None, :]
    return fitted
