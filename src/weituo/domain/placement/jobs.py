"""Long work of placement, and what is done when its day has come: solving and refilling runs, lapsing offers, final recalls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from weituo.domain.placement import services
from weituo.foundation.jobs import kinds
from weituo.foundation.tenancy.actors import Actor

SOLVE = "placement.solve"
REFILL = "placement.refill"
LAPSE = "placement.lapse"
FINALISE = "placement.finalise"


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


def _refill(actor: Actor, at: datetime, arguments: Mapping[str, Any]) -> str:
    services.refill_run(actor=actor, run_id=UUID(arguments["run_id"]), at=at)
    return str(arguments["run_id"])


def _lapse(actor: Actor, at: datetime, arguments: Mapping[str, Any]) -> str:
    services.lapse_offers(actor=actor, at=at)
    return "lapsed"


def _finalise(actor: Actor, at: datetime, arguments: Mapping[str, Any]) -> str:
    services.finalise_recalls(actor=actor, at=at)
    return "final"


kinds.declare(
    kinds.Kind(name=REFILL, permission="placement.refill", act="placement.refill", what="run", work=_refill)
)
kinds.declare(
    kinds.Kind(name=LAPSE, permission="placement.refill", act="placement.lapse", what="offers", work=_lapse)
)
kinds.declare(
    kinds.Kind(
        name=FINALISE,
        permission="placement.recall",
        act="placement.finalise_recalls",
        what="notices",
        work=_finalise,
    )
)
