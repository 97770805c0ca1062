"""Drawing a consequence from a scorecard: a person, with a reason, and the change itself in the same act."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weituo.domain.evaluation.errors import DecisionRefused, ScorecardNotFound
from weituo.domain.evaluation.events import DecisionTaken
from weituo.domain.evaluation.models import Decision, Scorecard
from weituo.domain.partners import queries as partners
from weituo.domain.partners import services as partner_acts
from weituo.foundation import events
from weituo.foundation.acts import act, note
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

#: TIER and CAPACITY change the agency, EXIT takes its capacity to nothing, IMPROVE and RENEW are recorded
DECISIONS: Final = ("TIER", "CAPACITY", "IMPROVE", "RENEW", "EXIT")
REASON_CHARACTERS_MIN: Final = 5


@act("evaluation.decide", permission="evaluation.decide")
def decide(
    *,
    actor: Actor,
    scorecard_id: UUID,
    decision: str,
    reason: str,
    at: datetime,
    tier: int | None = None,
    capacity: int | None = None,
) -> UUID:
    """Decide on a scorecard and change the agency accordingly, all in one act.

    TIER needs `tier`, CAPACITY needs `capacity`; EXIT lets no further account in: recalling what is placed and ending the
    agreements are acts of their own, with their own numbers shown. Raises `DecisionRefused`, `ScorecardNotFound`, and what
    the change itself refuses (a tier of an agency that is not approved).
    """
    card = Scorecard.objects.filter(id=scorecard_id).first()
    if card is None:
        raise ScorecardNotFound(what="scorecard", where=str(scorecard_id))
    _check(decision, reason, tier=tier, capacity=capacity)
    agency = next(row for row in partners.agencies(actor) if row.id == card.agency_id)
    detail: dict[str, Any] = {"verdict": card.verdict}
    if decision == "TIER" and tier is not None:
        detail |= {"tier_before": agency.tier, "tier": tier}
        partner_acts.change_tier(agency_id=agency.id, tier=tier, reason=reason, at=at)
    elif decision in {"CAPACITY", "EXIT"}:
        wanted = 0 if decision == "EXIT" or capacity is None else capacity
        detail |= {"capacity_before": agency.capacity_accounts_max, "capacity": wanted}
        partner_acts.change_capacity(agency_id=agency.id, capacity_accounts_max=wanted, reason=reason, at=at)
    made = Decision.objects.create(
        id=new_id(), scorecard=card, agency_id=agency.id, decision=decision, detail=detail, reason=reason, decided_by=actor.id, decided_at=at
    )  # fmt: skip
    note(what="decision", ref=made.id, reason=reason, agency=str(agency.id), scorecard=str(scorecard_id), decision=decision, **detail)  # fmt: skip
    events.publish(DecisionTaken(agency_id=agency.id, decision=decision, decided_at=at))
    return made.id


def _check(decision: str, reason: str, *, tier: int | None, capacity: int | None) -> None:
    if decision not in DECISIONS:
        raise DecisionRefused(
            problem=worded("one of %(names)s is needed", names=", ".join(DECISIONS)), where="decision"
        )
    if len(reason.strip()) < REASON_CHARACTERS_MIN:
        raise DecisionRefused(problem=worded("a reason is needed"), where="reason")
    if decision == "TIER" and tier is None:
        raise DecisionRefused(problem=worded("the new tier is needed"), where="tier")
    if decision == "CAPACITY" and capacity is None:
        raise DecisionRefused(problem=worded("the new capacity is needed"), where="capacity")
