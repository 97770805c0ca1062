"""Least valid rows for the ledger: an agency, accounts, placements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import polars as pl

from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.ids import new_id

from tests.builders import actors, partners

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
#: when agencies report what was paid in March: nothing is reported before it was made
REPORTED = datetime(2026, 3, 31, 4, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One account with its placement."""

    account_id: UUID
    borrower_id: UUID
    placement_id: UUID
    case_ref: str
    agency_id: UUID


def placed_accounts(
    *,
    count: int = 1,
    agency_id: UUID | None = None,
    principal: int = 100_000,
    interest: int = 2_000,
    fee: int = 500,
    fee_bps: int = 2_000,
    currency: str = "CNY",
) -> list[Placed]:
    """Make `count` accounts of `count` borrowers, placed with one agency."""
    agency = agency_id or new_id()
    rows = [
        Placed(
            account_id=new_id(),
            borrower_id=new_id(),
            placement_id=new_id(),
            case_ref=f"C{new_id().hex[-10:]}",
            agency_id=agency,
        )
        for _ in range(count)
    ]
    owed = (principal, interest, fee)
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        if agency_id is None:
            cursor.execute(
                "INSERT INTO partners_agency (id, code, name_zh, name_en, state, capacity_accounts_max, regions, public_phone, public_url, state_since) VALUES (%s, %s, '甲', 'A', 'APPROVED', 100, '{}', '', '', %s)",
                [agency, f"A{agency.hex[-6:]}", AT],
            )
            partners.papers(cursor, agency_id=agency, verified_at=AT)
        _accounts(cursor, rows, owed=owed, currency=currency)
        _placements(cursor, rows, balance=sum(owed), currency=currency, fee_bps=fee_bps)
        journal.write(actor=actors.worker(), at=AT, act="test.placed", entries=[])
    return rows


def _accounts(cursor: Any, rows: list[Placed], *, owed: tuple[int, int, int], currency: str) -> None:
    imported = new_id()
    cursor.execute(
        "INSERT INTO book_import_file (id, digest, profile, filename, as_of, currency, rows, accounts, borrowers, history_rows, rejected, balance_minor, report, imported_at) VALUES (%s, %s, 'test', 'test', '2026-03-01', %s, 0, 0, 0, 0, 0, 0, '{}', %s)",
        [imported, imported.hex, currency, AT],
    )
    for row in rows:
        cursor.execute(
            "INSERT INTO book_borrower (id, subject_id, external_ref, region) VALUES (%s, %s, %s, '44')",
            [row.borrower_id, new_id(), row.borrower_id.hex],
        )
        cursor.execute(
            "INSERT INTO book_account (id, borrower_id, external_ref, product, currency, principal_minor, interest_minor, fee_minor, balance_minor, days_past_due, region, as_of, import_file_id) VALUES (%s, %s, %s, 'CARD', %s, %s, %s, %s, %s, 45, '44', '2026-03-01', %s)",
            [row.account_id, row.borrower_id, row.account_id.hex, currency, *owed, sum(owed), imported],
        )


def _placements(cursor: Any, rows: list[Placed], *, balance: int, currency: str, fee_bps: int) -> None:
    model, run, strategy = new_id(), new_id(), new_id()
    number = int.from_bytes(run.bytes[-3:], "big")
    cursor.execute(
        "INSERT INTO placement_model (id, version, state, trained_at, trained_by, artefact, artefact_digest, inputs_digest, seed, metrics, calibration, parameters) VALUES (%s, %s, 'PROMOTED', %s, 'x', '', '', '', 1, '{}', '{}', '{}')",
        [model, number, AT],
    )
    cursor.execute(
        "INSERT INTO placement_run (id, number, state, as_of, seed, strategy_id, model_id, parameters, inputs_digest, result_digest, accounts, balance_minor, currency, expected_net_minor, bound_minor, rivals, exclusions, by_agency, solved_by, solved_at, proposed_by, decided_by, decision_reason) VALUES (%s, %s, 'APPROVED', '2026-03-01', 1, %s, %s, '{}', '', '', 1, 1, %s, 1, 1, '{}', '{}', '[]', 'a', %s, 'a', 'b', '')",
        [run, number, strategy, model, currency, AT],
    )
    for row in rows:
        cursor.execute(
            "INSERT INTO placement_placement (id, account_id, borrower_id, agency_id, run_id, case_ref, state, placed_at, term_to, recall_reason, currency, balance_minor, bucket, region, fee_bps, expected_recovery_minor, probability) VALUES (%s, %s, %s, %s, %s, %s, 'ACTIVE', %s, '2026-09-01', '', %s, %s, 'M2', '44', %s, 1, 1)",
            [
                row.placement_id, row.account_id, row.borrower_id, row.agency_id, run, row.case_ref, AT, currency, balance, fee_bps,
            ],
        )  # fmt: skip


def bank_line(reference: str, amount: int, *, on: int = 5) -> pl.DataFrame:
    """Give one line of the lender's bank account."""
    return pl.DataFrame(
        {
            "reference": [reference],
            "booked_on": [day(on)],
            "amount_minor": [amount],
            "currency": ["CNY"],
            "remittance_text": [""],
        }
    )


def day(number: int) -> date:
    """Give a day of March 2026."""
    return date(2026, 3, number)
