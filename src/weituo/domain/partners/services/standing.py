"""An agency's standing: tier, capacity, suspension."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from weituo.domain.partners import admission
from weituo.domain.partners.errors import NotAdmissible, SecondPersonNeeded, WrongState
from weituo.domain.partners.events import AgencySuspended
from weituo.domain.partners.models import Agency, Proposal
from weituo.domain.partners.services.screening import found
from weituo.foundation import days, events, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded, worded_list

TIERS = (1, 2, 3)
SUSPEND = "SUSPEND"


@transactions.transaction_required
def change_tier(*, agency_id: UUID, tier: int, reason: str, at: datetime) -> None:
    """Move an approved agency to another tier (evaluation calls this inside its own act)."""
    agency = found(agency_id)
    if tier not in TIERS:
        raise BadInput(
            problem=worded("a tier is one of %(names)s", names=", ".join(str(tier) for tier in TIERS)),
            where="tier",
        )
    if agency.state != Agency.State.APPROVED:
        raise WrongState(agency=agency.code, state=agency.get_state_display())
    Agency.objects.filter(id=agency_id).update(tier=tier)
    note(what="agency", ref=agency_id, reason=reason, tier_before=agency.tier, tier=tier)


@transactions.transaction_required
def change_capacity(*, agency_id: UUID, capacity_accounts_max: int, reason: str, at: datetime) -> None:
    """Set how many accounts an agency may hold (evaluation calls this inside its own act)."""
    agency = found(agency_id)
    if capacity_accounts_max < 0:
        raise BadInput(problem=worded("a capacity is not negative"), where="capacity_accounts_max")
    Agency.objects.filter(id=agency_id).update(capacity_accounts_max=capacity_accounts_max)
    note(
        what="agency",
        ref=agency_id,
        reason=reason,
        before=agency.capacity_accounts_max,
        capacity=capacity_accounts_max,
    )


@act("partners.set_capacity", permission="partners.set_capacity")
def set_capacity(
    *, actor: Actor, agency_id: UUID, capacity_accounts_max: int, reason: str, at: datetime
) -> None:
    """Set how many accounts an agency may hold: surge or shrink within the day."""
    change_capacity(agency_id=agency_id, capacity_accounts_max=capacity_accounts_max, reason=reason, at=at)


@act("partners.suspend", permission="partners.suspend")
def suspend(*, actor: Actor, agency_id: UUID, reason: str, at: datetime) -> None:
    """Stop an agency at once; one person suffices because it only ever protects. A second one must lift it."""
    agency = found(agency_id)
    if agency.state != Agency.State.APPROVED:
        raise WrongState(agency=agency.code, state=agency.get_state_display())
    _needs_reason(reason)
    Agency.objects.filter(id=agency_id).update(state=Agency.State.SUSPENDED, state_since=at)
    Proposal.objects.create(
        id=new_id(), agency_id=agency_id, change=SUSPEND, reason=reason, proposed_by=actor.id, proposed_by_name=actor.name, proposed_at=at
    )  # fmt: skip
    note(what="agency", ref=agency_id, reason=reason, suspended_by=actor.id)
    events.publish(AgencySuspended(agency_id=agency_id, reason=reason, suspended_at=at))


@act("partners.reinstate", permission="partners.decide")
def reinstate(*, actor: Actor, agency_id: UUID, reason: str, at: datetime) -> None:
    """Let a suspended agency work again; whoever suspended it cannot be the one.

    Raises `WrongState`, `SecondPersonNeeded`, and `NotAdmissible` when a licence or agreement has lapsed meanwhile.
    """
    agency = found(agency_id)
    if agency.state != Agency.State.SUSPENDED:
        raise WrongState(agency=agency.code, state=agency.get_state_display())
    _needs_reason(reason)
    suspensions = Proposal.objects.select_for_update().filter(
        agency_id=agency_id, change=SUSPEND, decided_at__isnull=True
    )
    if any(suspension.proposed_by == actor.id for suspension in suspensions):
        raise SecondPersonNeeded()
    if missing := admission.missing(on=days.day_of(at), agency_id=agency_id)[agency_id]:
        raise NotAdmissible(agency=agency.code, lacking=worded_list(missing.values()))
    suspensions.update(
        decided_by=actor.id, decided_by_name=actor.name, decided_at=at, approved=True, decision_reason=reason
    )
    Agency.objects.filter(id=agency_id).update(state=Agency.State.APPROVED, state_since=at)
    note(what="agency", ref=agency_id, reason=reason)


def _needs_reason(reason: str) -> None:
    if not reason.strip():
        raise BadInput(problem=worded("a reason is needed"), where="reason")
