"""Refusals of evaluation."""

from __future__ import annotations

from weituo.foundation.errors import BadInput, Conflict, NotFound


class NothingToCompare(Conflict):
    """No placement was made in this period, so there is nothing to compare."""

    code = "nothing_to_compare"
    remedy = "Choose a period that holds a placement run."


class EvaluationNotFound(NotFound):
    """There is no such evaluation."""

    code = "evaluation_not_found"


class DecisionRefused(BadInput):
    """The decision is not usable: %(problem)s."""

    code = "decision_refused"
    rule = "GB/T 45251-2025 5.4"


class SeveralCurrencies(Conflict):
    """The placements of this period are in %(currencies)s; agencies are compared in one currency."""

    code = "several_currencies"
    remedy = "Choose a period whose runs were all in one currency."


class ScorecardNotFound(NotFound):
    """There is no such scorecard."""

    code = "scorecard_not_found"
