"""How good a recovery model is, on accounts it has not seen: discrimination, calibration, money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import expit, logit
from scipy.stats import rankdata

from weituo.core.recovery import features
from weituo.core.recovery.intervals import wilson_columns
from weituo.core.recovery.model import ModelError, RecoveryModel, inputs_digest, versions

Floats = npt.NDArray[np.float64]

#: Newton steps of the calibration line; it converges in fewer than ten
NEWTON_STEPS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The verdict.

    auc, calibration_slope and _intercept are None when all or none paid. brier, log_loss: lower is better;
    brier_baseline: of predicting the base rate for everybody. calibration: logit P(paid) = intercept + slope *
    logit(p), ideal 0 and 1. r2: of the paid fraction (baseline 0 = its mean). reliability: one row a bin, see
    `reliability_table`. money: one row a decile of expected fraction: n, expected_minor, actual_minor.
    inputs_digest: SHA-256 of the evaluated rows; trained_on: of the training rows.
    """

    n: int
    base_rate: float
    auc: float | None
    brier: float
    brier_baseline: float
    log_loss: float
    calibration_slope: float | None
    calibration_intercept: float | None
    r2: float | None
    expected_minor: int
    actual_minor: int
    reliability: pl.DataFrame
    money: pl.DataFrame
    inputs_digest: str
    trained_on: str
    seed: int
    horizon_weeks: int
    versions: dict[str, str]

    @property
    def money_ratio(self) -> float | None:
        """Expected over actual money, ideal 1; None when nothing was recovered."""
        return self.expected_minor / self.actual_minor if self.actual_minor else None


def evaluate(
    *, model: RecoveryModel, frame: pl.DataFrame, paid_fraction: Floats, bins: int = 10
) -> Evaluation:
    """Evaluate a fitted model on n held-out accounts.

    frame: the registry's columns; paid_fraction: shape (n,), in [0, 1]. Raises ModelError for no rows, for a shape that
    differs, and for rows that are the training rows themselves.
    """
    known = features.check(frame=frame)
    fraction = np.asarray(paid_fraction, dtype=np.float64)
    if known.is_empty() or fraction.shape != (known.height,):
        raise ModelError("need one outcome for each of at least one row", code="OUTCOMES")
    digest = inputs_digest(frame=known, paid_fraction=fraction)
    if digest == model.inputs_digest_:
        raise ModelError("these are the training rows: evaluate on others", code="SAME_ROWS")
    predicted = model.predict(frame=known)
    p, expected = predicted["p_pay"].to_numpy(), predicted["expected_fraction"].to_numpy()
    paid = fraction > 0
    base = float(paid.mean())
    line = calibration_line(p=p, paid=paid)
    actual = np.rint(fraction * known["balance_minor"].to_numpy()).astype(np.int64)
    spread = float(((fraction - fraction.mean()) ** 2).sum())
    return Evaluation(
        n=known.height, base_rate=base, auc=auc(score=p, paid=paid),
        brier=float(((p - paid) ** 2).mean()), brier_baseline=base * (1 - base),
        log_loss=float(-np.log(np.where(paid, p, 1 - p)).mean()),
        calibration_slope=line[1] if line else None, calibration_intercept=line[0] if line else None,
        r2=1 - float(((fraction - expected) ** 2).sum()) / spread if spread else None,
        expected_minor=int(predicted["expected_minor"].sum()), actual_minor=int(actual.sum()),
        reliability=reliability_table(p=p, paid=paid, bins=bins),
        money=_money_by_decile(expected, predicted["expected_minor"].to_numpy(), actual),
        inputs_digest=digest, trained_on=model.inputs_digest_, seed=model.seed,
        horizon_weeks=model.horizon_weeks, versions=versions(),
    )  # fmt: skip


def auc(*, score: Floats, paid: npt.NDArray[np.bool_]) -> float | None:
    """Compute the area under the ROC curve (Mann-Whitney, ties half); None when all or none paid."""
    positives = int(paid.sum())
    negatives = paid.size - positives
    if not positives or not negatives:
        return None
    ranks = rankdata(score)[paid].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def calibration_line(*, p: Floats, paid: npt.NDArray[np.bool_]) -> tuple[float, float] | None:
    """Fit logit P(paid) = a + b * logit(p) by Newton's method (Cox 1958); gives (a, b).

    None when all or none paid, when the predictions do not vary, or when no finite line exists.
    """
    if paid.all() or not paid.any() or np.ptp(p) < 1e-12:
        return None
    x = np.column_stack([np.ones(p.size), logit(p)])
    beta = np.array([0.0, 1.0])
    for _ in range(NEWTON_STEPS):
        fitted = expit(x @ beta)
        hessian = (x * (fitted * (1 - fitted))[:, None]).T @ x
        if not np.isfinite(hessian).all() or np.linalg.cond(hessian) > 1e12:
            return None
        step = np.linalg.solve(hessian, x.T @ (paid - fitted))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            return float(beta[0]), float(beta[1])
    return None


def reliability_table(*, p: Floats, paid: npt.NDArray[np.bool_], bins: int = 10) -> pl.DataFrame:
    """Lay predictions beside outcomes in bins of nearly equal size, from the least to the most likely.

    Returns bin, n, paid Int64, mean_predicted, observed, low, high Float64 (Wilson, 95 %). At most n bins.
    Raises ModelError for fewer than one bin.
    """
    if bins < 1:
        raise ModelError("need at least one bin", code="BINS")
    order = np.argsort(p, kind="stable")
    rows = []
    for number, part in enumerate(np.array_split(order, min(bins, p.size)), start=1):
        rows.append((number, part.size, int(paid[part].sum()), float(p[part].mean())))
    frame = pl.DataFrame(
        rows,
        schema={"bin": pl.Int64, "n": pl.Int64, "paid": pl.Int64, "mean_predicted": pl.Float64},
        orient="row",
    )
    low, high = wilson_columns(successes=frame["paid"].to_numpy(), n=frame["n"].to_numpy())
    return frame.with_columns(observed=pl.col("paid") / pl.col("n"), low=pl.Series(low), high=pl.Series(high))


def _money_by_decile(
    expected: Floats, expected_minor: npt.NDArray[np.int64], actual_minor: npt.NDArray[np.int64]
) -> pl.DataFrame:
    order = np.argsort(expected, kind="stable")
    rows = [
        (number, part.size, int(expected_minor[part].sum()), int(actual_minor[part].sum()))
        for number, part in enumerate(np.array_split(order, min(10, expected.size)), start=1)
    ]
    names = ("decile", "n", "expected_minor", "actual_minor")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int64), orient="row")
