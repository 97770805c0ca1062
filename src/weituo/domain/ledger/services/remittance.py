"""Money on its way: what agencies report, and what the bank says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import polars as pl

from weituo.domain.ledger import posting
from weituo.domain.ledger.errors import KeyReused, NotYourPlacement, RemittanceRefused
from weituo.domain.ledger.models import Remittance
from weituo.foundation import days, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

LINES_MAX = 5_000
#: how long after it was made a payment may still be reported
LATE_DAYS_MAX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class RemittanceLine:
    """One payment that a borrower made to or through the agency."""

    case_ref: str
    amount_minor: int
    paid_on: date
    method: str
    bank_ref: str


@act("ledger.report_remittance", permission="ledger.report_remittance")
def report_remittance(
    *,
    actor: Actor,
    sender_ref: str,
    currency: str,
    lines: Sequence[RemittanceLine],
    total_minor: int,
    at: datetime,
) -> UUID:
    """Record what an agency says was paid: a claim until the bank line arrives. The same reference again is a no-op.

    Raises `RemittanceRefused` (control total, empty, double bank reference, wrong currency), `NotYourPlacement`, `KeyReused`.
    """
    assert actor.agency_id is not None  # only agencies hold the permission
    _check(lines, total_minor)
    _check_days(lines, today=days.day_of(at))
    locks.lock(keys=[f"remittances:{actor.agency_id}"])
    standing = Remittance.objects.filter(agency_id=actor.agency_id, sender_ref=sender_ref).first()
    if standing is not None:
        if (standing.total_minor, standing.lines) != (total_minor, len(lines)):
            raise KeyReused(key=sender_ref, where="sender_ref")
        return standing.id
    placements = _placements([line.case_ref for line in lines])
    for number, line in enumerate(lines, start=1):
        if line.case_ref not in placements:
            raise NotYourPlacement(what=line.case_ref, where=f"lines[{number}].case_ref")
        if placements[line.case_ref][1] != currency:
            raise RemittanceRefused(
                problem=worded(
                    "its currency is %(given)s, that of the case %(kept)s",
                    given=currency,
                    kept=placements[line.case_ref][1],
                ),
                where=f"lines[{number}].currency",
            )
    remittance_id = new_id()
    assert actor.agency_id is not None
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_remittance (id, agency_id, sender_ref, state, lines, total_minor, currency, reported_at) VALUES (%s, %s, %s, 'REPORTED', %s, %s, %s, %s)",
            [remittance_id, actor.agency_id, sender_ref, len(lines), total_minor, currency, at],
        )
        cursor.execute(
            "SELECT bank_ref FROM ledger_remittance_line WHERE bank_ref = ANY(%s) LIMIT 1",
            [[line.bank_ref for line in lines]],
        )
        if double := cursor.fetchone():
            raise RemittanceRefused(
                problem=worded("%(reference)s was reported before", reference=double[0]),
                where="lines.bank_ref",
            )
        cursor.executemany(
            "INSERT INTO ledger_remittance_line (id, remittance_id, agency_id, placement_id, amount_minor, currency, paid_on, method, bank_ref) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    new_id(),
                    remittance_id,
                    actor.agency_id,
                    placements[line.case_ref][0],
                    line.amount_minor,
                    currency,
                    line.paid_on,
                    line.method,
                    line.bank_ref,
                )
                for line in lines
            ],
        )
    note(what="remittance", ref=remittance_id, lines=len(lines), total_minor=total_minor, currency=currency)
    return remittance_id


def _check(lines: Sequence[RemittanceLine], total_minor: int) -> None:
    if not lines or len(lines) > LINES_MAX:
        raise RemittanceRefused(
            problem=worded("1 to %(most)s lines, not %(given)s", most=LINES_MAX, given=len(lines)),
            where="lines",
        )
    for number, line in enumerate(lines, start=1):
        if line.amount_minor <= 0:
            raise RemittanceRefused(
                problem=worded("an amount is more than zero"), where=f"lines[{number}].amount_minor"
            )
    if sum(line.amount_minor for line in lines) != total_minor:
        raise RemittanceRefused(
            problem=worded("the lines do not sum to the control total"), where="total_minor"
        )
    if len({line.bank_ref for line in lines}) != len(lines):
        raise RemittanceRefused(problem=worded("a bank reference stands twice"), where="lines.bank_ref")


def _check_days(lines: Sequence[RemittanceLine], *, today: date) -> None:
    for number, line in enumerate(lines, start=1):
        where = f"lines[{number}].paid_on"
        if line.paid_on > today:
            raise RemittanceRefused(problem=worded("a payment is reported once it was made"), where=where)
        if (today - line.paid_on).days > LATE_DAYS_MAX:
            raise RemittanceRefused(
                problem=worded("a payment is reported within %(days)s days", days=LATE_DAYS_MAX), where=where
            )


def _placements(case_refs: Sequence[str]) -> dict[str, tuple[UUID, str]]:
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT case_ref, id, currency FROM placement_placement WHERE case_ref = ANY(%s) AND placed_at IS NOT NULL",
            [list(set(case_refs))],
        )
        return {case_ref: (placement_id, currency) for case_ref, placement_id, currency in cursor.fetchall()}


@act("ledger.receive_bank_lines", permission="ledger.receive_bank_lines")
def receive_bank_lines(*, actor: Actor, lines: pl.DataFrame, at: datetime) -> int:
    """Book movements of the lender's bank account into suspense; lines that stand already are left out.

    lines: reference, booked_on (Date), amount_minor (Int64 > 0), currency, remittance_text. Returns how many were new.
    """
    if lines.filter(pl.col("amount_minor") <= 0).height:
        raise RemittanceRefused(problem=worded("an amount is more than zero"), where="amount_minor")
    new: list[dict[str, Any]] = []
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS pg_temp.new_bank_line (reference text, booked_on date, amount bigint, currency text, said text) ON COMMIT DROP; TRUNCATE pg_temp.new_bank_line"
        )
        posting.copy_frame(
            cursor,
            "pg_temp.new_bank_line",
            lines.select("reference", "booked_on", "amount_minor", "currency", "remittance_text"),
        )
        cursor.execute(
            "INSERT INTO ledger_bank_line (id, reference, booked_on, amount_minor, currency, remittance_text, matched_to, received_at) "
            "SELECT uuidv7(), reference, booked_on, amount, currency, said, '', %s FROM pg_temp.new_bank_line "
            "ON CONFLICT (reference) DO NOTHING RETURNING reference, booked_on, amount_minor, currency",
            [at],
        )
        new = [
            dict(zip(("reference", "value_on", "amount_minor", "currency"), row, strict=True))
            for row in cursor.fetchall()
        ]
    for currency in {row["currency"] for row in new}:
        _into_suspense([row for row in new if row["currency"] == currency], currency=currency, at=at)
    if new:
        note(
            what="bank_lines",
            ref=days.day_of(at).isoformat(),
            lines=len(new),
            amount_minor=sum(row["amount_minor"] for row in new),
        )
    return len(new)


def _into_suspense(rows: list[dict[str, Any]], *, currency: str, at: datetime) -> None:
    bank = posting.ledger_account(kind="BANK", currency=currency)
    suspense = posting.ledger_account(kind="SUSPENSE", currency=currency)
    entries, legs = [], []
    for row in rows:
        key = f"bank:{row['reference']}"
        entries.append(
            {
                "key": key,
                "value_on": row["value_on"],
                "reason": "BANK_LINE",
                "input_digest": posting.digest_of(row["amount_minor"], currency, row["value_on"]),
            }
        )
        legs += [
            posting.leg(key=key, ledger_account_id=bank, amount_minor=row["amount_minor"], currency=currency),
            posting.leg(
                key=key, ledger_account_id=suspense, amount_minor=-row["amount_minor"], currency=currency
            ),
        ]
    posting.post(entries=posting.entry_frame(entries), legs=posting.leg_frame(legs), at=at)
