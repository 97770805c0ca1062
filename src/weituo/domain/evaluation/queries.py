"""Reading evaluations, scorecards and decisions; making an evaluation again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import polars as pl

from weituo.core import comparison
from weituo.core.recovery import features
from weituo.domain.evaluation import cases, outcomes, scoring
from weituo.domain.evaluation.errors import EvaluationNotFound, ScorecardNotFound
from weituo.domain.ledger import queries as ledger
from weituo.domain.placement import queries as placement
from weituo.foundation import days, transactions
from weituo.foundation.tenancy.actors import Actor

_HEAD = "SELECT e.id, e.period_from, e.period_to, e.inputs_digest, e.parameters, e.made_by, e.made_at, "
_CARD = (
    "SELECT s.id, s.evaluation_id, s.agency_id, g.code AS agency_code, g.name_zh, g.name_en, g.state AS agency_state, g.tier, g.capacity_accounts_max, "
    "s.figures, s.verdict, s.rank_low, s.rank_high FROM evaluation_scorecard s JOIN partners_agency g ON g.id = s.agency_id "
)


@transactions.reads
def evaluations(viewer: Actor) -> list[dict[str, Any]]:
    """List evaluations, the newest first, with how many agencies got which verdict."""
    viewer.require("evaluation.read")
    return transactions.rows(
        _HEAD
        + "count(s.id) AS agencies, count(s.id) FILTER (WHERE s.verdict = 'BETTER') AS better, count(s.id) FILTER (WHERE s.verdict = 'WORSE') AS worse, "
        "count(s.id) FILTER (WHERE s.verdict = 'CANNOT_BE_TOLD_APART') AS undecided, count(s.id) FILTER (WHERE s.verdict = 'TOO_EARLY') AS too_early "
        "FROM evaluation_evaluation e LEFT JOIN evaluation_scorecard s ON s.evaluation_id = e.id GROUP BY e.id ORDER BY e.made_at DESC, e.id DESC"
    )


@transactions.reads
def cohort_frame(viewer: Actor, *, at: datetime, horizon_weeks: int) -> pl.DataFrame:
    """Give what a model can learn from: what was known at each placement that is old enough, and what was booked since.

    Columns: `core.recovery.features.NAMES` and paid_fraction, the account's money booked within `horizon_weeks` of the
    placement over its balance then, at most 1, whoever received it. Placements that ended early stay in: leaving
    them out would leave out those that paid at once or never could.
    """
    viewer.require("placement.train")
    horizon = timedelta(weeks=horizon_weeks)
    known = placement.known_at_placement(viewer, placed_before=at - horizon).with_columns(
        placed_on=days.day_expr("placed_at")
    )
    paid = (
        known.select("placement_id", "account_id", "placed_on")
        .join(
            ledger.payments_frame(viewer).select("account_id", "amount_minor", "paid_on"),
            on="account_id",
            how="inner",
        )
        .filter(
            (pl.col("paid_on") >= pl.col("placed_on")) & (pl.col("paid_on") < pl.col("placed_on") + horizon)
        )
        .group_by("placement_id")
        .agg(paid_minor=pl.sum("amount_minor"))
    )
    share = pl.col("paid_minor").fill_null(0) / pl.col("balance_minor")
    return (
        known.join(paid, on="placement_id", how="left", maintain_order="left")
        .filter(pl.col("balance_minor") > 0)
        .select(*features.NAMES, paid_fraction=share.clip(0, 1))
    )


@transactions.reads
def evaluation(viewer: Actor, *, evaluation_id: UUID) -> dict[str, Any]:
    """Give one evaluation and its `scorecards`, the best possible rank first. Raises `EvaluationNotFound`."""
    viewer.require("evaluation.read")
    found = transactions.rows(
        _HEAD + "true AS kept FROM evaluation_evaluation e WHERE e.id = %s", [evaluation_id]
    )
    if not found:
        raise EvaluationNotFound(what="evaluation", where=str(evaluation_id))
    cards = transactions.rows(
        _CARD + "WHERE s.evaluation_id = %s ORDER BY s.rank_low, s.rank_high, g.code", [evaluation_id]
    )
    return found[0] | {"scorecards": cards}


@transactions.reads
def scorecard(viewer: Actor, *, scorecard_id: UUID) -> dict[str, Any]:
    """Give one scorecard with its period and the `decisions` drawn from it. Raises `ScorecardNotFound`."""
    viewer.require("evaluation.read")
    found = transactions.rows(_CARD + "WHERE s.id = %s", [scorecard_id])
    if not found:
        raise ScorecardNotFound(what="scorecard", where=str(scorecard_id))
    head = evaluation(viewer, evaluation_id=found[0]["evaluation_id"])
    return found[0] | {
        "period_from": head["period_from"],
        "period_to": head["period_to"],
        "made_at": head["made_at"],
        "parameters": head["parameters"],
        "peers": len(head["scorecards"]) - 1,
        "decisions": _decisions(scorecard_id=scorecard_id),
    }


def _decisions(*, scorecard_id: UUID | None) -> list[dict[str, Any]]:
    return transactions.rows(
        "SELECT d.id, d.scorecard_id, d.agency_id, g.code AS agency_code, g.name_zh, g.name_en, d.decision, d.detail, d.reason, d.decided_by, u.display_name AS decided_by_name, d.decided_at, "
        "s.verdict, e.period_from, e.period_to FROM evaluation_decision d JOIN evaluation_scorecard s ON s.id = d.scorecard_id JOIN evaluation_evaluation e ON e.id = s.evaluation_id "
        "JOIN partners_agency g ON g.id = d.agency_id LEFT JOIN identity_person u ON u.id::text = d.decided_by WHERE %s::uuid IS NULL OR d.scorecard_id = %s::uuid ORDER BY d.decided_at DESC, d.id DESC",
        [scorecard_id, scorecard_id],
    )


@transactions.reads
def decisions(viewer: Actor) -> list[dict[str, Any]]:
    """List what was decided, the newest first: on which verdict, with which reason, and what it changed."""
    viewer.require("evaluation.read")
    return _decisions(scorecard_id=None)


@transactions.reads
def replay(viewer: Actor, *, evaluation_id: UUID) -> dict[str, Any]:
    """Make an evaluation again from today's rows with its own rules: `same_inputs`, `same_verdicts`, and what differs.

    Rows booked or decided later for the same period change the inputs; then the verdicts may rightly differ.
    """
    kept = evaluation(viewer, evaluation_id=evaluation_id)
    period = {"period_from": kept["period_from"], "period_to": kept["period_to"]}
    seen = outcomes.outcomes(viewer, **period)
    conduct = outcomes.conduct(viewer, **period)
    made = scoring.cards(seen, conduct=conduct, rules=comparison.Rules(**kept["parameters"]["rules"]))
    now = {card.agency_id: (card.verdict, card.rank_low, card.rank_high) for card in made}
    before = {
        str(row["agency_id"]): (row["verdict"], row["rank_low"], row["rank_high"])
        for row in kept["scorecards"]
    }
    return {
        "same_inputs": scoring.digest_of(seen, conduct) == kept["inputs_digest"],
        "same_verdicts": now == before,
        "differences": sorted(
            agency for agency in now.keys() | before.keys() if now.get(agency) != before.get(agency)
        ),
    }


@transactions.reads
def business_case(
    viewer: Actor, *, on: date, period_from: date | None = None, period_to: date | None = None
) -> dict[str, Any]:
    """Compare collecting in-house with agencies, by bucket, from booked money alone (see `cases.business_case`).

    on: the day for which non-performing loans are counted.
    """
    viewer.require("evaluation.read")
    return cases.business_case(viewer, on=on, period_from=period_from, period_to=period_to)
