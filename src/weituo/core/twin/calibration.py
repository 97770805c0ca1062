"""What was measured once on real card clients, and kept as constants inside the package.

Source: "Default of credit card clients", I-Cheng Yeh, UCI Machine Learning Repository, doi 10.24432/C55S3H, CC BY 4.0
(Taiwan, April to September 2005). Scope: the clients one or more months late in September (PAY_0 >= 1). The file's
status 1 hardly occurs before September, so 1 -> x must not be read as a true roll rate; the twin copies the counts
as they are, quirk included.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt

#: statuses: 0 = current, 1 ... 8 months late
STATES: Final = 9
#: months of history
MONTHS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The measured figures.

    clients: size of the measured book. months_late_counts: shape (8,), clients 1 ... 8 months late in the last month.
    transition_counts: shape (5, 9, 9), [step, from, to], clients, step 0 = April to May.
    paid_share: shape (9,), share of client-months with a payment > 0 by status.
    utilisation: shape (8, 5), bill / limit at the quantiles 0.1, 0.25, 0.5, 0.75, 0.9 by months late 1 ... 8,
    clients with a bill > 0.
    """

    source: str
    clients: int
    months_late_counts: npt.NDArray[np.int64]
    transition_counts: npt.NDArray[np.int64]
    paid_share: npt.NDArray[np.float64]
    utilisation: npt.NDArray[np.float64]

    @property
    def months_late_shares(self) -> npt.NDArray[np.float64]:
        """Shares of the book by months late 1 ... 8, shape (8,), summing to one."""
        return self.months_late_counts / self.months_late_counts.sum()

    @property
    def roll_rates(self) -> npt.NDArray[np.float64]:
        """Pooled month-to-month roll rates, shape (9, 9), rows sum to one (zero where a status never occurs)."""
        pooled = self.transition_counts.sum(axis=0)
        return pooled / np.maximum(pooled.sum(axis=1, keepdims=True), 1)


@cache
def load() -> Calibration:
    """Read the packaged calibration file."""
    text = (resources.files("weituo.core.twin") / "data" / "uci_card_calibration.json").read_text("utf-8")
    raw = json.loads(text)
    paid = np.array(raw["paid_months_by_status"], dtype=np.float64)
    return Calibration(
        source=raw["source"],
        clients=raw["clients"],
        months_late_counts=np.array(raw["months_late_counts"], dtype=np.int64),
        transition_counts=np.array(raw["transition_counts"], dtype=np.int64),
        paid_share=paid[:, 0] / paid[:, 1],
        utilisation=np.array(raw["utilisation_quantiles"], dtype=np.float64),
    )
