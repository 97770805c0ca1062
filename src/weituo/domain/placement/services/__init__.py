"""Every write of models, runs and placements."""

from __future__ import annotations

from weituo.domain.placement.services.answering import (
    Accepted,
    accept_placements,
    decline_placements,
    lapse_offers,
)
from weituo.domain.placement.services.deciding import decide_run, propose_run
from weituo.domain.placement.services.objecting import Objected, decide_objections, object_to_recall
from weituo.domain.placement.services.own import BATCH_MAX as ANSWERS_MAX
from weituo.domain.placement.services.recalling import (
    AT_ONCE,
    RECALL_REASONS,
    expire_placements,
    finalise_recalls,
    give_notice,
    recall,
    withdraw_notice,
)
from weituo.domain.placement.services.refilling import Refilled, refill_run
from weituo.domain.placement.services.retaining import retain, set_terms
from weituo.domain.placement.services.solving import solve_run
from weituo.domain.placement.services.training import TrainedModel, promote_model, train_model

__all__ = [
    "ANSWERS_MAX",
    "AT_ONCE",
    "RECALL_REASONS",
    "Accepted",
    "Objected",
    "Refilled",
    "TrainedModel",
    "accept_placements",
    "decide_objections",
    "decide_run",
    "decline_placements",
    "expire_placements",
    "finalise_recalls",
    "give_notice",
    "lapse_offers",
    "object_to_recall",
    "promote_model",
    "propose_run",
    "recall",
    "refill_run",
    "retain",
    "set_terms",
    "solve_run",
    "train_model",
    "withdraw_notice",
]
