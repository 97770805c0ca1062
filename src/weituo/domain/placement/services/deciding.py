"""Two persons decide a run; an approved run becomes placements and offers."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from weituo.domain.placement import gathering, rechecking, terms
from weituo.domain.placement.errors import (
    AlreadyPlaced,
    ReasonNeeded,
    RunNotFound,
    SecondPersonNeeded,
    WrongRunState,
)
from weituo.domain.placement.events import PlacementsMade, PlacementsOffered
from weituo.domain.placement.models import Run
from weituo.domain.placement.services import offering
from weituo.foundation import days, events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

TERM_MONTHS_MAX: Final = 24


@act("placement.propose_run", permission="placement.propose")
def propose_run(*, actor: Actor, run_id: UUID, at: datetime) -> None:
    """Ask a second person to decide a solved run. Raises `RunNotFound`, `WrongRunState`."""
    run = _locked(run_id, Run.State.SOLVED)
    Run.objects.filter(id=run_id).update(state=Run.State.PROPOSED, proposed_by=actor.id, proposed_at=at)
    note(what="run", ref=run_id, number=run.number, result_digest=run.result_digest)


@act("placement.decide_run", permission="placement.decide")
def decide_run(
    *, actor: Actor, run_id: UUID, approved: bool, reason: str, at: datetime, term_months: int = 6
) -> int:
    """Approve or reject a proposed run as a second person; return how many accounts were placed or offered.

    Placements of agencies that accept in advance begin at once; the others are offered, to be answered within the days of
    the lender's terms (`services.set_terms`).

    One approval at a time: what has changed since the run was solved is looked at again under a lock. Accounts that
    were closed or put on hold since, whose borrower another agency works for by now, or who came into conflict with their
    agency, are left out and counted in the
    audit entry. Raises `RunNotFound`, `WrongRunState`,
    `SecondPersonNeeded`, `ReasonNeeded`, `AlreadyPlaced`, `CapacityExceeded`, `AgencyNotInOrder`.
    """
    locks.lock(keys=["placement:places"])
    run = _locked(run_id, Run.State.PROPOSED)
    if run.proposed_by == actor.id:
        raise SecondPersonNeeded()
    if not approved and not reason.strip():
        raise ReasonNeeded(where="reason")
    if not 1 <= term_months <= TERM_MONTHS_MAX:
        raise BadInput(
            problem=worded("a term lies between 1 and %(most)s months", most=TERM_MONTHS_MAX),
            where="term_months",
        )
    state = Run.State.APPROVED if approved else Run.State.REJECTED
    answer_days = terms.current(actor).answer_days
    Run.objects.filter(id=run_id).update(
        state=state, decided_by=actor.id, decided_at=at, decision_reason=reason,
        terms={"term_months": term_months, "answer_days": answer_days} if approved else {},
    )  # fmt: skip
    made, left_out = offering.Made(begun=0, offered=0, answer_by=at), 0
    if approved:
        made, left_out = _place(actor, run, at=at, term_months=term_months, answer_days=answer_days)
    note(
        what="run",
        ref=run_id,
        reason=reason,
        number=run.number,
        state=state.value,
        placed=made.begun,
        offered=made.offered,
        left_out=left_out,
    )
    if approved:
        events.publish(PlacementsMade(run_id=run_id, placed_at=at))
    if made.offered:
        events.publish(PlacementsOffered(run_id=run_id, answer_by=made.answer_by, offered_at=at))
    return made.total


def _locked(run_id: UUID, state: Run.State) -> Run:
    run = Run.objects.select_for_update().filter(id=run_id).first()
    if run is None:
        raise RunNotFound(what="run")
    if run.state != state:
        raise WrongRunState(state=run.get_state_display())
    return run


#: what became of the run's accounts since it was solved; the bucket, and with it the fee, is that of the day the run was solved for
SINCE: Final = """
CREATE TEMP TABLE to_place ON COMMIT DROP AS
SELECT i.account_id, i.agency_id, i.expected_recovery_minor, i.probability, i.measured, a.borrower_id, a.currency, a.balance_minor, a.bucket, a.region,
       row_number() OVER (ORDER BY i.account_id) AS number
FROM placement_run_item i JOIN book_account_on(%s) a ON a.id = i.account_id
WHERE i.run_id = %s AND i.agency_id IS NOT NULL AND a.status = 'OPEN' AND a.balance_minor > 0
  AND NOT EXISTS (
    SELECT 1 FROM book_hold h WHERE h.borrower_id = a.borrower_id AND (h.account_id IS NULL OR h.account_id = a.id)
      AND h.kind = ANY(%s) AND h.active_from <= %s AND (h.active_to IS NULL OR h.active_to > %s))
  AND NOT EXISTS (
    SELECT 1 FROM placement_placement o WHERE o.borrower_id = a.borrower_id AND o.account_id <> a.id AND o.state IN ('OFFERED', 'ACTIVE')
      AND o.agency_id <> i.agency_id AND NOT <split>)
  AND i.account_id <> ALL(%s::uuid[])
""".replace("<split>", offering.SPLIT)


def _place(
    actor: Actor, run: Run, *, at: datetime, term_months: int, answer_days: int
) -> tuple[offering.Made, int]:
    """Make the run's placements; give them and how many accounts were left out."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM placement_run_item WHERE run_id = %s AND agency_id IS NOT NULL", [run.id]
        )
        planned = int(cursor.fetchone()[0])
        barred = rechecking.barred_since(actor, run_id=run.id, on=days.day_of(at))
        cursor.execute(SINCE, [run.as_of, run.id, list(gathering.STOPPING_HOLDS), at, at, barred])
        cursor.execute(
            "SELECT count(*) FROM to_place p JOIN placement_placement b ON b.account_id = p.account_id AND b.state IN ('OFFERED', 'ACTIVE')"
        )
        if taken := int(cursor.fetchone()[0]):
            raise AlreadyPlaced(accounts=f"{taken:,}")
    made = offering.make(actor, run_id=run.id, at=at, term_months=term_months, answer_days=answer_days)
    return made, planned - made.total
