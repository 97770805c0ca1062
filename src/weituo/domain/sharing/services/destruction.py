"""An agency confirms that it destroyed what was taken back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from weituo.domain.sharing.errors import DestructionMiscounted, DestructionNotFound
from weituo.domain.sharing.models import Destruction
from weituo.foundation.acts import act, note
from weituo.foundation.tenancy.actors import Actor


@act("sharing.confirm_destruction", permission="sharing.confirm_destruction")
def confirm_destruction(*, actor: Actor, destruction_id: UUID, cases: int, at: datetime) -> None:
    """Confirm as the agency that every copy of the named cases is destroyed, saying how many they were.

    Confirming again changes nothing. Raises `DestructionNotFound` (also for another agency's), `DestructionMiscounted`.
    """
    demand = Destruction.objects.filter(id=destruction_id).first()
    if demand is None:
        raise DestructionNotFound(what="destruction", where=str(destruction_id))
    if cases != demand.cases:
        raise DestructionMiscounted(confirmed=cases, asked=demand.cases, where="cases")
    changed = Destruction.objects.filter(id=destruction_id, confirmed_at__isnull=True).update(
        confirmed_at=at, confirmed_by=actor.id
    )
    note(
        what="destruction",
        ref=destruction_id,
        agency=str(demand.agency_id),
        package=str(demand.package_id or ""),
        cases=cases,
        repeated=not changed,
    )
