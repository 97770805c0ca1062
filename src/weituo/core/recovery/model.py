"""Expected recovery 预期回收: P(any payment within the horizon) times the fraction paid if any.

Two-part (hurdle) model: E[R | x] = P(R > 0 | x) * E[R | x, R > 0], R = recovered / balance at placement. The first
part is gradient boosting with calibration by cross-fitting (the calibrator sees out-of-fold scores only), the second
gradient boosting on payers. Only the columns of `features.FEATURES` enter, known at placement.
What to expect: on real card clients one or more months late the discrimination was AUC 0.739; R2 of recovered
fractions in the literature lies between 0.04 and 0.43 (Loterman et al. 2012), so money is judged by totals and deciles.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import joblib  # type: ignore[import-untyped]  # ships no types
import numpy as np
import numpy.typing as npt
import polars as pl
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from weituo.core.recovery import features

Floats = npt.NDArray[np.float64]

#: first bytes of an artefact; the number is the format's
MAGIC: Final = b"WEITUO-RECOVERY-MODEL 1\n"
#: fewer rows, or fewer payers or non-payers, cannot be cross-fitted honestly
LEAST_ROWS: Final = 200
LEAST_CLASS: Final = 50
#: from this many rows on isotonic calibration has enough to stand on (Niculescu-Mizil and Caruana 2005)
ISOTONIC_ROWS: Final = 5_000
#: probabilities stay inside: nobody is certain to pay, or not to
LEAST_PROBABILITY: Final = 1e-4


class ModelError(ValueError):
    """The training data or the artefact cannot be used: too few rows, outcomes outside 0 to 1, wrong digest.

    code: TOO_FEW, OUTCOMES, NOT_FITTED, DIGEST, FORMAT, OTHER_VERSIONS, SAME_ROWS or BINS; facts: what the sentence
    names. Faces say it in the reader's language.
    """

    def __init__(self, text: str, *, code: str, **facts: Any) -> None:
        super().__init__(text)
        self.code, self.facts = code, facts


@dataclass(kw_only=True)
class RecoveryModel:
    """An estimator in scikit-learn's shape: parameters here, learned values end in an underscore.

    horizon_weeks: the outcome's horizon, recorded only. calibration: auto = isotonic from ISOTONIC_ROWS rows on,
    sigmoid below. seed: every random choice; same rows and seed give the same predictions.
    """

    horizon_weeks: int = 26
    calibration: Literal["auto", "isotonic", "sigmoid"] = "auto"
    folds: int = 5
    seed: int = 7
    payer_: Any = field(default=None, init=False, repr=False)
    fraction_: Any = field(default=None, init=False, repr=False)
    inputs_digest_: str = field(default="", init=False)
    rows_: int = field(default=0, init=False)
    calibration_: str = field(default="", init=False)

    def fit(self, *, frame: pl.DataFrame, paid_fraction: Floats) -> RecoveryModel:
        """Learn from n placed accounts with known outcomes; returns itself.

        frame: exactly the registry's columns. paid_fraction: shape (n,), recovered / balance, in [0, 1].
        Raises FeatureError for other columns, ModelError for outcomes out of range or too few rows of either kind.
        """
        x = features.matrix(frame=frame)
        y = _outcomes(paid_fraction, len(x))
        paid = y > 0
        if len(x) < LEAST_ROWS or min(paid.sum(), (~paid).sum()) < LEAST_CLASS:
            raise ModelError(
                f"need {LEAST_ROWS} rows with {LEAST_CLASS} payers and {LEAST_CLASS} others",
                code="TOO_FEW", rows=LEAST_ROWS, each=LEAST_CLASS,
            )  # fmt: skip
        method = self.calibration
        if method == "auto":
            method = "isotonic" if len(x) >= ISOTONIC_ROWS else "sigmoid"
        names = [features.NAMES.index(name) for name in features.CATEGORICAL]
        common = {
            "learning_rate": 0.05, "max_leaf_nodes": 15, "l2_regularization": 1.0, "early_stopping": False,
            "categorical_features": names, "random_state": self.seed,
        }  # fmt: skip
        # trees this small gain nothing by threads, and threads that wait for a busy machine's cores cost minutes
        with threadpool_limits(limits=1):
            self.payer_ = CalibratedClassifierCV(
                HistGradientBoostingClassifier(max_iter=120, min_samples_leaf=40, **common),
                method=method,
                cv=StratifiedKFold(self.folds, shuffle=True, random_state=self.seed),
                ensemble=False,
            ).fit(x, paid)
            self.fraction_ = HistGradientBoostingRegressor(max_iter=80, min_samples_leaf=30, **common).fit(
                x[paid], y[paid]
            )
        self.inputs_digest_ = inputs_digest(frame=frame, paid_fraction=y)
        self.rows_, self.calibration_ = len(x), method
        return self

    def predict(self, *, frame: pl.DataFrame) -> pl.DataFrame:
        """Predict n accounts, in the frame's order.

        Returns p_pay (probability of any payment within the horizon), fraction_if_paid, expected_fraction (their
        product), all Float64 in [0, 1], and expected_minor Int64 = expected_fraction * balance_minor, rounded.
        Raises ModelError before fit, FeatureError for other columns.
        """
        if self.payer_ is None:
            raise ModelError("the model is not fitted", code="NOT_FITTED")
        if frame.is_empty():
            features.check(frame=frame)
            empty = {"p_pay": pl.Float64, "fraction_if_paid": pl.Float64, "expected_fraction": pl.Float64}
            return pl.DataFrame(schema=empty | {"expected_minor": pl.Int64})
        x = features.matrix(frame=frame)
        with threadpool_limits(limits=1):
            chance = np.clip(self.payer_.predict_proba(x)[:, 1], LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
            fraction = np.clip(self.fraction_.predict(x), 0.0, 1.0)
        return pl.DataFrame(
            {"p_pay": chance, "fraction_if_paid": fraction, "expected_fraction": chance * fraction}
        ).with_columns(
            expected_minor=(pl.col("expected_fraction") * frame["balance_minor"]).round(0).cast(pl.Int64)
        )

    def to_bytes(self) -> bytes:
        """Serialise: MAGIC, one line of JSON (digest of the rest, versions, parameters), a joblib pickle.

        Raises ModelError before fit. Keep `artefact_digest` of the result beside it in a trusted place.
        """
        if self.payer_ is None:
            raise ModelError("the model is not fitted", code="NOT_FITTED")
        buffer = io.BytesIO()
        joblib.dump(self, buffer, compress=3)
        body = buffer.getvalue()
        header = {
            "body_sha256": hashlib.sha256(body).hexdigest(), "versions": versions(), "rows": self.rows_,
            "inputs_digest": self.inputs_digest_, "seed": self.seed, "horizon_weeks": self.horizon_weeks,
            "calibration": self.calibration_, "features": list(features.NAMES),
        }  # fmt: skip
        return MAGIC + json.dumps(header, sort_keys=True).encode() + b"\n" + body


def artefact_digest(*, artefact: bytes) -> str:
    """Compute the SHA-256 of an artefact, hexadecimal: what `from_bytes` must be given from a trusted place."""
    return hashlib.sha256(artefact).hexdigest()


def read_header(*, artefact: bytes) -> dict[str, Any]:
    """Read the JSON header of an artefact without unpickling anything; raises ModelError for another format."""
    if not artefact.startswith(MAGIC) or b"\n" not in artefact[len(MAGIC) :]:
        raise ModelError("not a recovery model of this format", code="FORMAT")
    header = json.loads(artefact[len(MAGIC) :].split(b"\n", 1)[0])
    if not isinstance(header, dict):
        raise ModelError("not a recovery model of this format", code="FORMAT")
    return header


def from_bytes(*, artefact: bytes, expected_digest: str) -> RecoveryModel:
    """Load an artefact; nothing is unpickled unless its SHA-256 equals `expected_digest`.

    A pickle can run code, so the digest must come from where only the program writes (its database), not from beside
    the file. Raises ModelError for another digest, another format, other features or another scikit-learn version.
    """
    if artefact_digest(artefact=artefact) != expected_digest:
        raise ModelError("the artefact's digest is not the expected one", code="DIGEST")
    header = read_header(artefact=artefact)
    if (
        header["features"] != list(features.NAMES)
        or header["versions"]["scikit-learn"] != sklearn.__version__
    ):
        raise ModelError(
            "the artefact was made with other features or another scikit-learn: train again",
            code="OTHER_VERSIONS",
        )
    model = joblib.load(io.BytesIO(artefact[len(MAGIC) :].split(b"\n", 1)[1]))
    if not isinstance(model, RecoveryModel):
        raise ModelError("not a recovery model", code="FORMAT")
    return model


def inputs_digest(*, frame: pl.DataFrame, paid_fraction: Floats) -> str:
    """Compute the SHA-256 of features and outcomes, hexadecimal, in row order."""
    total = hashlib.sha256("\n".join(features.NAMES).encode())
    total.update(np.ascontiguousarray(features.matrix(frame=frame)).tobytes())
    total.update(np.ascontiguousarray(paid_fraction, dtype=np.float64).tobytes())
    return total.hexdigest()


def versions() -> dict[str, str]:
    """Name the versions that a result depends on."""
    return {
        "python": platform.python_version(), "numpy": np.__version__, "polars": pl.__version__,
        "scikit-learn": sklearn.__version__,
    }  # fmt: skip


def _outcomes(paid_fraction: Floats, n: int) -> Floats:
    y = np.asarray(paid_fraction, dtype=np.float64)
    if y.shape != (n,) or not np.isfinite(y).all() or (y < 0).any() or (y > 1).any():
        raise ModelError("paid_fraction must be one number in [0, 1] a row", code="OUTCOMES")
    return y
