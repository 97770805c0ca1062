"""Every write of plans and strategies."""

from __future__ import annotations

from weituo.domain.plans.services.planning import draft_plan, finish_milestone, sign_as_agency, sign_as_lender
from weituo.domain.plans.services.strategies import (
    apply_strategy,
    draft_strategy,
    publish_strategy,
    save_rows,
)

__all__ = [
    "apply_strategy",
    "draft_plan",
    "draft_strategy",
    "finish_milestone",
    "publish_strategy",
    "save_rows",
    "sign_as_agency",
    "sign_as_lender",
]
