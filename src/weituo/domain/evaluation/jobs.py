"""Long work of evaluation: comparing all agencies of a period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from weituo.domain.evaluation import services
from weituo.foundation.jobs import kinds
from weituo.foundation.tenancy.actors import Actor

EVALUATE = "evaluation.evaluate"


def _evaluate(actor: Actor, at: datetime, arguments: Mapping[str, Any]) -> str:
    made = services.evaluate(
        actor=actor,
        period_from=date.fromisoformat(arguments["period_from"]),
        period_to=date.fromisoformat(arguments["period_to"]),
        at=at,
    )
    return str(made)


kinds.declare(
    kinds.Kind(
        name=EVALUATE,
        permission="evaluation.evaluate",
        act="evaluation.evaluate",
        what="evaluation",
        work=_evaluate,
    )
)
