"""Every write of screening and partnership."""

from __future__ import annotations

from weituo.domain.partners.services.agreements import end_agreement, register_collector, sign_agreement
from weituo.domain.partners.services.approval import decide_proposal, propose_approval
from weituo.domain.partners.services.collectors import end_collector, set_training
from weituo.domain.partners.services.relations import end_conflict, enter_conflict, enter_group, leave_group
from weituo.domain.partners.services.screening import add_paper, assess, register_agency, verify_paper
from weituo.domain.partners.services.standing import (
    change_capacity,
    change_tier,
    reinstate,
    set_capacity,
    suspend,
)

__all__ = [
    "add_paper", "assess", "change_capacity", "change_tier", "decide_proposal", "end_agreement", "end_conflict", "enter_conflict", "enter_group", "leave_group", "end_collector", "propose_approval", "register_agency", "register_collector",
    "reinstate", "set_capacity", "set_training", "sign_agreement", "suspend", "verify_paper",
]  # fmt: skip
