"""Long work of placement: solving a run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from weituo.domain.placement import services
from weituo.foundation.jobs import kinds
from weituo.foundation.tenancy.actors import Actor

SOLVE = "placement.solve"


def _solve(actor: Actor, at: datetime, arguments: Mapping[str, Any]) -> str:
    run_id = services.solve_run(
        actor=actor,
        seed=arguments["seed"],
        at=at,
        as_of=date.fromisoformat(arguments["as_of"]),
        exploration=arguments["exploration"],
        limits=arguments["limits"],
        hold_out=arguments.get("hold_out", 0.0),
        hold_out_kind=arguments.get("hold_out_kind", "IN_HOUSE"),
    )
    return str(run_id)


kinds.declare(
    kinds.Kind(name=SOLVE, permission="placement.solve", act="placement.solve_run", what="run", work=_solve)
)
