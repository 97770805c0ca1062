"""Making placements of what a run decided: begun at once, or offered, as each agency's service agreement says."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
import polars as pl

from weituo.core.recovery.buckets import BUCKETS
from weituo.domain.partners import queries as partners
from weituo.domain.placement import gathering
from weituo.domain.placement.errors import AgencyNotInOrder, CapacityExceeded
from weituo.foundation import days, transactions
from weituo.foundation.tenancy.actors import Actor

#: letters of a case reference: no I, L, O, U, so that it can be read out (Crockford's base 32)
LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_LETTERS: Final = 12
CODE_LETTERS: Final = 7

#: the strategy lets the accounts of the borrower of account `a` go to several agencies
SPLIT: Final = """EXISTS (SELECT 1 FROM plans_treatment t JOIN plans_strategy_row w ON w.id = t.row_id WHERE t.account_id = a.id AND w.split)"""
#: what stops an account from being entrusted to <agency>, as a code; `a` is the account
STOPS: Final = """
CASE WHEN a.status <> 'OPEN' THEN 'CLOSED' WHEN a.balance_minor <= 0 THEN 'NO_BALANCE'
  WHEN EXISTS (SELECT 1 FROM book_hold h WHERE h.borrower_id = a.borrower_id AND (h.account_id IS NULL OR h.account_id = a.id)
    AND h.kind = ANY(%(holds)s) AND h.active_from <= %(at)s AND (h.active_to IS NULL OR h.active_to > %(at)s)) THEN 'ON_HOLD'
  WHEN EXISTS (SELECT 1 FROM placement_placement o WHERE o.borrower_id = a.borrower_id AND o.account_id <> a.id
    AND o.state IN ('OFFERED', 'ACTIVE') AND o.agency_id <> <agency>) AND NOT <split> THEN 'OTHER_AGENCY' END
""".replace("<split>", SPLIT)

_MAKE: Final = """
INSERT INTO placement_placement (id, account_id, borrower_id, agency_id, run_id, case_ref, sequence, state, placed_at, offered_at, answer_by, term_to,
  currency, balance_minor, bucket, region, fee_bps, expected_recovery_minor, probability, measured)
SELECT uuidv7(), p.account_id, p.borrower_id, p.agency_id, %(run)s, f.prefix || '-' || r.letters,
  1 + (SELECT count(*) FROM placement_placement b WHERE b.account_id = p.account_id AND b.placed_at IS NOT NULL),
  CASE WHEN f.in_advance THEN 'ACTIVE' ELSE 'OFFERED' END, CASE WHEN f.in_advance THEN %(at)s END,
  CASE WHEN NOT f.in_advance THEN %(at)s END, CASE WHEN NOT f.in_advance THEN %(answer_by)s END, %(term_to)s,
  p.currency, p.balance_minor, p.bucket, p.region, f.fee_bps, least(p.expected_recovery_minor, p.balance_minor), p.probability, p.measured
FROM to_place p JOIN fee f ON f.agency_id = p.agency_id AND f.bucket = p.bucket JOIN reference r ON r.number = p.number
RETURNING state
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How many placements began at once, and how many wait for their agency's answer until `answer_by`."""

    begun: int
    offered: int
    answer_by: datetime

    @property
    def total(self) -> int:
        """All placements that were made."""
        return self.begun + self.offered


@transactions.transaction_required
def make(actor: Actor, *, run_id: UUID, at: datetime, term_months: int, answer_days: int) -> Made:
    """Make the placements of the temporary table to_place: account_id, borrower_id, agency_id, bucket, …, number from 1 on.

    Raises `AgencyNotInOrder`, `CapacityExceeded`.
    """
    today = days.day_of(at)
    answer_by = days.start_of(today + timedelta(days=answer_days + 1))
    with transactions.connection().cursor() as cursor:
        cursor.execute("SELECT agency_id, count(*) FROM to_place GROUP BY agency_id")
        wanted: dict[UUID, int] = dict(cursor.fetchall())
        prefixes = _in_order(actor, wanted, on=today)
        _copy_fees(cursor, partners.live_agreements(actor, kind="SERVICE", on=today), prefixes)
        _copy_references(cursor, sum(wanted.values()))
        cursor.execute(
            _MAKE,
            {
                "run": run_id,
                "at": at,
                "answer_by": answer_by,
                "term_to": months_later(today, term_months),
            },
        )
        states = [row[0] for row in cursor.fetchall()]
        cursor.execute("DROP TABLE to_place, fee, reference")
    return Made(begun=states.count("ACTIVE"), offered=states.count("OFFERED"), answer_by=answer_by)


def _in_order(actor: Actor, wanted: Mapping[UUID, int], *, on: date) -> dict[UUID, str]:
    """Check that every agency is still in good order and has room; give the prefix of its references."""
    rows = {row.id: row for row in gathering.agencies_in_order(actor, on=on)}
    active = gathering.active_counts()
    for agency_id, accounts in wanted.items():
        row = rows.get(agency_id)
        if row is None:
            raise AgencyNotInOrder(agency=code_of(agency_id), where=str(agency_id))
        room = max(row.capacity_accounts_max - active[agency_id], 0)
        if accounts > room:
            raise CapacityExceeded(
                agency=row.code, room=f"{room:,}", accounts=f"{accounts:,}", where=row.code
            )
    return {agency_id: rows[agency_id].code[:CODE_LETTERS] for agency_id in wanted}


def code_of(agency_id: UUID) -> str:
    """Give an agency's code."""
    with transactions.connection().cursor() as cursor:
        cursor.execute("SELECT code FROM partners_agency WHERE id = %s", [agency_id])
        return str(cursor.fetchone()[0])


def _copy_fees(cursor: Any, agreements: list[partners.AgreementRow], prefixes: Mapping[UUID, str]) -> None:
    cursor.execute(
        "CREATE TEMP TABLE fee (agency_id uuid, bucket text, prefix text, fee_bps int, in_advance bool) ON COMMIT DROP"
    )
    rows = [
        (row.agency_id, bucket, prefixes[row.agency_id], fees.get(bucket, fees.get("default")), row.accepts_in_advance)
        for row in agreements
        if row.agency_id in prefixes
        for fees in [row.fee_bps_by_bucket]
        for bucket in BUCKETS
    ]  # fmt: skip
    cursor.executemany(
        "INSERT INTO fee VALUES (%s, %s, %s, %s, %s)", [row for row in rows if row[3] is not None]
    )


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
