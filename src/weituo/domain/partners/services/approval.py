"""Approval by two persons, and what must stand before it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from weituo.domain.partners import admission, scoring
from weituo.domain.partners.errors import NotAdmissible, NothingProposed, SecondPersonNeeded, WrongState
from weituo.domain.partners.events import AgencyApproved
from weituo.domain.partners.models import Agency, Assessment, Proposal
from weituo.domain.partners.services.screening import found
from weituo.foundation import days, events
from weituo.foundation.acts import act, note
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded_list

APPROVE = "APPROVE"


def lacking(agency: Agency, *, on: date) -> list[str]:
    """List what is missing for an approval on this day, as sentences."""
    return list(admission.missing(on=on, agency_id=agency.id)[agency.id].values())


@act("partners.propose_approval", permission="partners.propose")
def propose_approval(
    *, actor: Actor, agency_id: UUID, capacity_accounts_max: int, reason: str, at: datetime
) -> UUID:
    """Propose to let an agency in. Raises `NotAdmissible` naming everything that is missing, `WrongState`."""
    agency = found(agency_id)
    if agency.state != Agency.State.SCREENED:
        raise WrongState(agency=agency.code, state=agency.get_state_display())
    if missing := lacking(agency, on=days.day_of(at)):
        raise NotAdmissible(agency=agency.code, lacking=worded_list(missing))
    proposal = Proposal.objects.create(
        id=new_id(), agency_id=agency_id, change=APPROVE, detail={"capacity_accounts_max": capacity_accounts_max}, reason=reason, proposed_by=actor.id,
        proposed_by_name=actor.name, proposed_at=at,
    )  # fmt: skip
    Agency.objects.filter(id=agency_id).update(state=Agency.State.PROPOSED, state_since=at)
    note(
        what="proposal", ref=proposal.id, reason=reason, agency=str(agency_id), capacity=capacity_accounts_max
    )
    return proposal.id


@act("partners.decide_proposal", permission="partners.decide")
def decide_proposal(*, actor: Actor, proposal_id: UUID, approved: bool, reason: str, at: datetime) -> None:
    """Decide as a second person. The papers are looked at again on this day.

    Raises `NothingProposed`, `SecondPersonNeeded`, `NotAdmissible`.
    """
    proposal = (
        Proposal.objects.select_for_update()
        .filter(id=proposal_id, change=APPROVE, decided_at__isnull=True)
        .first()
    )
    if proposal is None:
        raise NothingProposed(what="proposal")
    if proposal.proposed_by == actor.id:
        raise SecondPersonNeeded()
    agency = found(proposal.agency_id)
    if approved and (missing := lacking(agency, on=days.day_of(at))):
        raise NotAdmissible(agency=agency.code, lacking=worded_list(missing))
    Proposal.objects.filter(id=proposal_id).update(
        decided_by=actor.id,
        decided_by_name=actor.name,
        decided_at=at,
        approved=approved,
        decision_reason=reason,
    )
    if approved:
        assessment = Assessment.objects.filter(agency=agency).order_by("-assessed_at", "-id").first()
        assert assessment is not None
        Agency.objects.filter(id=agency.id).update(
            state=Agency.State.APPROVED,
            state_since=at,
            tier=scoring.tier_of(assessment.total_bps),
            capacity_accounts_max=proposal.detail["capacity_accounts_max"],
        )
        events.publish(AgencyApproved(agency_id=agency.id, approved_at=at))
    else:
        Agency.objects.filter(id=agency.id).update(state=Agency.State.REJECTED, state_since=at)
    note(what="proposal", ref=proposal_id, reason=reason, agency=str(agency.id), approved=approved)
