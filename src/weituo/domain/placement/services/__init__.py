"""Every write of models, runs and placements."""

from __future__ import annotations

from weituo.domain.placement.services.deciding import decide_run, propose_run
from weituo.domain.placement.services.recalling import RECALL_REASONS, expire_placements, recall
from weituo.domain.placement.services.solving import solve_run
from weituo.domain.placement.services.training import TrainedModel, promote_model, train_model

__all__ = [
    "RECALL_REASONS",
    "TrainedModel",
    "decide_run",
    "expire_placements",
    "promote_model",
    "propose_run",
    "recall",
    "solve_run",
    "train_model",
]
