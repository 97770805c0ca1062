"""Two persons decide a run; an approved run becomes placements."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import numpy as np
import polars as pl

from weituo.core.recovery.buckets import BUCKETS
from weituo.domain.placement import gathering
from weituo.domain.placement.errors import (
    AgencyNotInOrder,
    AlreadyPlaced,
    CapacityExceeded,
    ReasonNeeded,
    RunNotFound,
    SecondPersonNeeded,
    WrongRunState,
)
from weituo.domain.placement.events import PlacementsMade
from weituo.domain.placement.models import Run
from weituo.foundation import days, events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

TERM_MONTHS_MAX: Final = 24
#: letters of a case reference: no I, L, O, U, so that it can be read out (Crockford's base 32)
LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_LETTERS: Final = 12
CODE_LETTERS: Final = 7


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
    """Approve or reject a proposed run as a second person; return how many accounts were placed.

    One approval at a time: what has changed since the run was solved is looked at again under a lock. Accounts that
    were closed or put on hold since, or whose borrower another agency works for by now, are left out and counted in the
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
    Run.objects.filter(id=run_id).update(
        state=state, decided_by=actor.id, decided_at=at, decision_reason=reason
    )
    placed, left_out = _place(actor, run, at=at, term_months=term_months) if approved else (0, 0)
    note(
        what="run",
        ref=run_id,
        reason=reason,
        number=run.number,
        state=state.value,
        placed=placed,
        left_out=left_out,
    )
    if approved:
        events.publish(PlacementsMade(run_id=run_id, placed_at=at))
    return placed


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
SELECT i.account_id, i.agency_id, i.expected_recovery_minor, i.probability, a.borrower_id, a.currency, a.balance_minor, a.bucket, a.region,
       row_number() OVER (ORDER BY i.account_id) AS number
FROM placement_run_item i JOIN book_account_on(%s) a ON a.id = i.account_id
WHERE i.run_id = %s AND i.agency_id IS NOT NULL AND a.status = 'OPEN' AND a.balance_minor > 0
  AND NOT EXISTS (
    SELECT 1 FROM book_hold h WHERE h.borrower_id = a.borrower_id AND (h.account_id IS NULL OR h.account_id = a.id)
      AND h.kind = ANY(%s) AND h.active_from <= %s AND (h.active_to IS NULL OR h.active_to > %s))
  AND NOT EXISTS (
    SELECT 1 FROM placement_placement o WHERE o.borrower_id = a.borrower_id AND o.account_id <> a.id AND o.state = 'ACTIVE'
      AND o.agency_id <> i.agency_id)
"""

PLACE: Final = """
INSERT INTO placement_placement (id, account_id, borrower_id, agency_id, run_id, case_ref, sequence, state, placed_at, term_to, recall_reason,
  currency, balance_minor, bucket, region, fee_bps, expected_recovery_minor, probability)
SELECT uuidv7(), p.account_id, p.borrower_id, p.agency_id, %(run)s, f.prefix || '-' || r.letters,
  1 + (SELECT count(*) FROM placement_placement b WHERE b.account_id = p.account_id), 'ACTIVE', %(at)s, %(term_to)s, '',
  p.currency, p.balance_minor, p.bucket, p.region, f.fee_bps, least(p.expected_recovery_minor, p.balance_minor), p.probability
FROM to_place p JOIN fee f ON f.agency_id = p.agency_id AND f.bucket = p.bucket JOIN reference r ON r.number = p.number
"""


def _place(actor: Actor, run: Run, *, at: datetime, term_months: int) -> tuple[int, int]:
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM placement_run_item WHERE run_id = %s AND agency_id IS NOT NULL", [run.id]
        )
        planned = int(cursor.fetchone()[0])
        cursor.execute(SINCE, [run.as_of, run.id, list(gathering.STOPPING_HOLDS), at, at])
        cursor.execute(
            "SELECT count(*) FROM to_place p JOIN placement_placement b ON b.account_id = p.account_id AND b.state = 'ACTIVE'"
        )
        if taken := int(cursor.fetchone()[0]):
            raise AlreadyPlaced(accounts=f"{taken:,}")
        cursor.execute("SELECT agency_id, count(*) FROM to_place GROUP BY agency_id")
        wanted: dict[UUID, int] = dict(cursor.fetchall())
        prefixes = _in_order(actor, wanted, on=days.day_of(at))
        _copy_fees(cursor, gathering.fees(actor, on=days.day_of(at)), prefixes)
        _copy_references(cursor, sum(wanted.values()))
        cursor.execute(
            PLACE,
            {"run": run.id, "at": at, "term_to": months_later(days.day_of(at), term_months)},
        )
        placed = int(cursor.rowcount)
    return placed, planned - placed


def _in_order(actor: Actor, wanted: Mapping[UUID, int], *, on: date) -> dict[UUID, str]:
    """Check that every agency is still in good order and has room; give the prefix of its references."""
    rows = {row.id: row for row in gathering.agencies_in_order(actor, on=on)}
    active = gathering.active_counts()
    for agency_id, accounts in wanted.items():
        row = rows.get(agency_id)
        if row is None:
            raise AgencyNotInOrder(agency=_code(agency_id), where=str(agency_id))
        room = max(row.capacity_accounts_max - active[agency_id], 0)
        if accounts > room:
            raise CapacityExceeded(
                agency=row.code, room=f"{room:,}", accounts=f"{accounts:,}", where=row.code
            )
    return {agency_id: rows[agency_id].code[:CODE_LETTERS] for agency_id in wanted}


def _code(agency_id: UUID) -> str:
    with transactions.connection().cursor() as cursor:
        cursor.execute("SELECT code FROM partners_agency WHERE id = %s", [agency_id])
        return str(cursor.fetchone()[0])


def _copy_fees(cursor: Any, fees: Mapping[UUID, Mapping[str, int]], prefixes: Mapping[UUID, str]) -> None:
    cursor.execute(
        "CREATE TEMP TABLE fee (agency_id uuid, bucket text, prefix text, fee_bps int) ON COMMIT DROP"
    )
    rows = [
        (agency_id, bucket, prefix, table.get(bucket, table.get("default")))
        for agency_id, prefix in prefixes.items()
        for table in [fees.get(agency_id, {})]
        for bucket in BUCKETS
    ]
    cursor.executemany("INSERT INTO fee VALUES (%s, %s, %s, %s)", [row for row in rows if row[3] is not None])


def _copy_references(cursor: Any, count: int) -> None:
    """Draw references that say nothing about account, borrower or order."""
    cursor.execute("CREATE TEMP TABLE reference (number bigint, letters text) ON COMMIT DROP")
    raw = np.frombuffer(secrets.token_bytes(count * RANDOM_LETTERS), dtype=np.uint8).reshape(
        count, RANDOM_LETTERS
    )
    letters = np.array(list(LETTERS), dtype="U1")[raw % len(LETTERS)]
    words = np.ascontiguousarray(letters).view(f"U{RANDOM_LETTERS}").reshape(-1)
    frame = pl.DataFrame({"number": np.arange(1, count + 1), "letters": words})
    with cursor.copy("COPY reference FROM STDIN (FORMAT csv)") as stream:
        stream.write(frame.write_csv(include_header=False).encode())


def months_later(day: date, months: int) -> date:
    """Give the same day some months later, or the last day of a shorter month."""
    year, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + year, month + 1, 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first.replace(day=min(day.day, (following - first).days))
