"""Comparing all agencies of a period and keeping what was seen, with what rules, and what came of it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from weituo.core import comparison
from weituo.domain.evaluation import outcomes, scoring
from weituo.domain.evaluation.errors import NothingToCompare, SeveralCurrencies
from weituo.domain.evaluation.events import AgenciesEvaluated
from weituo.domain.evaluation.models import Evaluation, Scorecard
from weituo.foundation import events
from weituo.foundation.acts import act, note
from weituo.foundation.ids import new_id
from weituo.foundation.jobs import progress
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

#: parts of the work, as a waiting person is told
STEPS = 3


@act("evaluation.evaluate", permission="evaluation.evaluate")
def evaluate(*, actor: Actor, period_from: date, period_to: date, at: datetime) -> UUID:
    """Compare the agencies on placements made in [period_from, period_to) and what became of them before period_to.

    Stores a scorecard an agency, the rules, and the digest of every row seen, so that it can be made again.
    Raises `NothingToCompare`, `SeveralCurrencies`.
    """
    rules = comparison.Rules()
    progress.tell(0, STEPS, worded("Placements and what came of them are gathered"))
    seen = outcomes.outcomes(actor, period_from=period_from, period_to=period_to)
    if seen.filter(seen["placed_minor"] > 0).is_empty():
        raise NothingToCompare(where=f"{period_from}–{period_to}")
    currencies = sorted(seen["currency"].unique().to_list())
    if len(currencies) > 1:
        raise SeveralCurrencies(currencies=", ".join(currencies), where=f"{period_from}–{period_to}")
    conduct = outcomes.conduct(actor, period_from=period_from, period_to=period_to)
    progress.tell(1, STEPS, worded("The agencies are compared"))
    made = scoring.cards(seen, conduct=conduct, rules=rules)
    progress.tell(2, STEPS, worded("The scorecards are kept"))
    evaluation = Evaluation.objects.create(
        id=new_id(),
        period_from=period_from,
        period_to=period_to,
        inputs_digest=scoring.digest_of(seen, conduct),
        parameters=scoring.parameters(rules),
        made_by=actor.id,
        made_at=at,
    )
    Scorecard.objects.bulk_create(
        Scorecard(
            id=new_id(), evaluation=evaluation, agency_id=UUID(card.agency_id), figures=card.figures, verdict=card.verdict,
            rank_low=card.rank_low, rank_high=card.rank_high,
        )
        for card in made
    )  # fmt: skip
    note(
        what="evaluation",
        ref=evaluation.id,
        period_from=period_from,
        period_to=period_to,
        placements=seen.height,
        agencies=len(made),
        inputs_digest=evaluation.inputs_digest,
        verdicts={card.agency_id: card.verdict for card in made},
    )
    events.publish(AgenciesEvaluated(evaluation_id=evaluation.id, evaluated_at=at))
    return evaluation.id
