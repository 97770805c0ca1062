"""Opening one case online: allowed facts only, opened for this request, every opening logged and counted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from weituo.domain.sharing import fields, gathering
from weituo.domain.sharing.errors import CaseEnded, CaseNotFound, TooManyOpenings
from weituo.domain.sharing.models import Disclosure
from weituo.foundation import days, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor, program

#: house rule: whoever needs more in one hour works from the package
OPENINGS_PER_HOUR_MAX: Final = 120


def disclose_case(*, actor: Actor, case_ref: str, at: datetime) -> dict[str, Any]:
    """Open the allowed facts of one of the agency's own active cases: {fact name: value}.

    The case is first proved with the agency's own eyes; then the program opens the vault on its behalf.
    Raises `CaseNotFound` (also for another agency's case), `CaseEnded`, `NothingMayBeShared`, `TooManyOpenings`.
    """
    actor.require("sharing.open_case")
    with transactions.reading(actor), transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT id, state FROM placement_placement WHERE case_ref = %s AND placed_at IS NOT NULL",
            [case_ref],
        )
        found = cursor.fetchone()
    if found is None or actor.agency_id is None:
        raise CaseNotFound(what=case_ref, where="case_ref")
    if found[1] != "ACTIVE":
        raise CaseEnded(where=case_ref)
    return _open(
        actor=program("sharing"), on_behalf=actor, agency_id=actor.agency_id, placement_id=found[0], at=at
    )


@act("sharing.open_case", permission="sharing.open_case")
def _open(
    *, actor: Actor, on_behalf: Actor, agency_id: UUID, placement_id: UUID, at: datetime
) -> dict[str, Any]:
    ground = gathering.ground(actor, agency_id=agency_id, on=days.day_of(at))
    assert ground is not None
    agreement = ground.require(with_key=False)
    locks.lock(keys=[f"sharing:openings:{on_behalf.id}"])
    _within_the_hour(on_behalf, at=at)
    facts = fields.allowed(agreement.fields_allowed)
    rows = gathering.book_rows(facts, agency_id=agency_id, on=days.day_of(at), placement_id=placement_id)
    if not rows:
        raise CaseEnded(where=str(placement_id))
    [[case]] = list(gathering.whole_rows(actor, facts=facts, rows=rows))
    Disclosure.objects.create(
        id=new_id(), agency_id=agency_id, placement_id=placement_id, purpose="CASE", fields=[fact.name for fact in facts], cases=1,
        disclosed_by=on_behalf.id, disclosed_at=at,
    )  # fmt: skip
    note(
        what="placement",
        ref=placement_id,
        agency=str(agency_id),
        agreement=str(agreement.id),
        fields=[fact.name for fact in facts],
        on_behalf_of=on_behalf.id,
        on_behalf_of_name=on_behalf.name,
    )
    return case


def _within_the_hour(actor: Actor, *, at: datetime) -> None:
    recent = Disclosure.objects.filter(
        disclosed_by=actor.id, purpose="CASE", disclosed_at__gt=at - timedelta(hours=1), disclosed_at__lte=at
    ).order_by("disclosed_at")
    opened = recent.count()
    if opened >= OPENINGS_PER_HOUR_MAX:
        oldest = recent.values_list("disclosed_at", flat=True)[opened - OPENINGS_PER_HOUR_MAX]
        again_at = (oldest + timedelta(hours=1)).isoformat(timespec="seconds")
        raise TooManyOpenings(opened=opened, most=OPENINGS_PER_HOUR_MAX, again_at=again_at)
