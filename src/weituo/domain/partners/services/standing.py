"""An agency's standing: tier, capacity, suspension."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from weituo.domain.partners.errors import SecondPersonNeeded, WrongState
from weituo.domain.partners.events import AgencySuspended
from weituo.domain.partners.models import Agency
from weituo.domain.partners.services.screening import found
from weituo.foundation import events, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput
from weituo.foundation.tenancy.actors import Actor

TIERS = (1, 2, 3)


@transactions.transaction_required
def change_tier(*, agency_id: UUID, tier: int, reason: str, at: datetime) -> None:
    """Move an approved agency to another tier (evaluation calls this inside its own act)."""
    agency = found(agency_id)
    if tier not in TIERS:
        raise BadInput(problem=f"a tier is one of {TIERS}", where="tier")
    if agency.state != Agency.State.APPROVED:
        raise WrongState(agency=agency.code, state=agency.get_state_display())
    Agency.objects.filter(id=agency_id).update(tier=tier)
    note(what="agency", ref=agency_id, reason=reason, tier_before=agency.tier, tier=tier)


@act("partners.set_capacity", permission="partners.set_capacity")
def set_capacity(
    *, actor: Actor, agency_id: UUID, capacity_accounts_max: int, reason: str, at: datetime
) -> None:
    """Set how many accounts an agency may hold: surge or shrink within the day."""
    agency = found(agency_id)
    if capacity_accounts_max < 0:
        raise BadInput(problem="a capacity is not negative", where="capacity_accounts_max")
    Agency.objects.filter(id=agency_id).update(capacity_accounts_max=capacity_accounts_max)
    note(
        what="agency",
        ref=agency_id,
        reason=reason,
        before=agency.capacity_accounts_max,
        capacity=capacity_accounts_max,
    )


@act("partners.suspend", permission="partners.suspend")
def suspend(*, actor: Actor, agency_id: UUID, reason: str, at: datetime) -> None:
    """Stop an agency at once; one person suffices because it only ever protects."""
    agency = found(agency_id)
    if agency.state != Agency.State.APPROVED:
        raise WrongState(agency=agency.code, state=agency.get_state_display())
    Agency.objects.filter(id=agency_id).update(state=Agency.State.SUSPENDED, state_since=at)
    note(what="agency", ref=agency_id, reason=reason, suspended_by=actor.id)
    events.publish(AgencySuspended(agency_id=agency_id, reason=reason, suspended_at=at))


@act("partners.reinstate", permission="partners.decide")
def reinstate(*, actor: Actor, agency_id: UUID, suspended_by: str, reason: str, at: datetime) -> None:
    """Let a suspended agency work again; whoever suspended it cannot be the one."""
    agency = found(agency_id)
    if agency.state != Agency.State.SUSPENDED:
        raise WrongState(agency=agency.code, state=agency.get_state_display())
    if suspended_by == actor.id:
        raise SecondPersonNeeded()
    Agency.objects.filter(id=agency_id).update(state=Agency.State.APPROVED, state_since=at)
    note(what="agency", ref=agency_id, reason=reason)
