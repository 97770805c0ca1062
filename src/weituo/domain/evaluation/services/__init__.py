"""Acts of evaluation: compare all agencies of a period, and draw consequences."""

from __future__ import annotations

from weituo.domain.evaluation.services.deciding import DECISIONS, decide
from weituo.domain.evaluation.services.evaluating import evaluate

__all__ = ["DECISIONS", "decide", "evaluate"]
