"""Refusals of plans and strategies."""

from __future__ import annotations

from weituo.foundation.errors import BadInput, Conflict, NotFound


class PlanRefused(BadInput):
    """The plan is not usable: %(problem)s."""

    code = "plan_refused"


class PlanNotFound(NotFound):
    """There is no such plan."""

    code = "plan_not_found"


class PlanChanged(Conflict):
    """The plan's content is not what the other side signed."""

    code = "plan_changed"
    remedy = "Draw up a new version; both sides sign the same content."


class WrongPlanState(Conflict):
    """The plan is %(state)s; this signature is not due."""

    code = "wrong_plan_state"


class StrategyRefused(BadInput):
    """The strategy is not usable: %(problem)s."""

    code = "strategy_refused"
    remedy = "Correct the row named in “where”; the last row must match every account."


class StrategyNotFound(NotFound):
    """There is no such strategy."""

    code = "strategy_not_found"


class StrategyPublished(Conflict):
    """A published strategy is not edited."""

    code = "strategy_published"
    remedy = "Copy it to a new draft and edit that."


class NoStrategy(Conflict):
    """No strategy is in force."""

    code = "no_strategy"
    remedy = "Publish a strategy first."
