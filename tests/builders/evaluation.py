"""Least valid rows for evaluation: agencies with placements of known probability, and money booked for them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import polars as pl

from weituo.domain.ledger import services as ledger
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors
from tests.builders.ledger import AT, REPORTED, Placed, day, placed_accounts


def agencies(*, payers: tuple[float, ...], count: int = 120, seed: int = 3) -> list[list[Placed]]:
    """Place `count` accounts with each of len(payers) agencies, equally likely, and book a payment for that share of them.

    A payment is half the balance of 102,500; commission is 20 %.
    """
    made = [placed_accounts(count=count) for _ in payers]
    everything = [case.placement_id for cases in made for case in cases]
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE placement_placement SET probability = %s, measured = true, expected_recovery_minor = 20000 WHERE id = ANY(%s)",
            [1 / len(payers), everything],
        )
        journal.write(actor=actors.worker(), at=AT, act="test.probabilities", entries=[])
    finance = actors.staff(Role.FINANCE)
    ledger.open_book(actor=finance, at=AT)
    rng = np.random.default_rng(seed)
    for share, cases in zip(payers, made, strict=True):
        paying = [case for case in cases if rng.random() < share]
        if paying:
            pay(cases[0].agency_id, paying)
    ledger.book_remittances(actor=finance, at=AT)
    return made


def pay(agency_id: UUID, cases: list[Placed], *, amount_minor: int = 51_250) -> None:
    """Report one payment a case, and let the bank line arrive."""
    ref = f"R{cases[0].case_ref}"
    ledger.report_remittance(
        actor=actors.agency_system(agency_id),
        sender_ref=ref,
        currency="CNY",
        lines=[
            ledger.RemittanceLine(
                case_ref=case.case_ref, amount_minor=amount_minor, paid_on=day(5), method="TRANSFER", bank_ref=f"{ref}-{number}"
            )
            for number, case in enumerate(cases)
        ],
        total_minor=amount_minor * len(cases),
        at=REPORTED,
    )  # fmt: skip
    ledger.receive_bank_lines(
        actor=actors.staff(Role.FINANCE),
        lines=pl.DataFrame(
            {
                "reference": [ref],
                "booked_on": [day(5)],
                "amount_minor": [amount_minor * len(cases)],
                "currency": ["CNY"],
                "remittance_text": [""],
            }
        ),
        at=AT,
    )


def unplaced(*, count: int) -> list[UUID]:
    """Make accounts that no agency ever held, opened in the ledger."""
    imported, made = new_id(), [(new_id(), new_id()) for _ in range(count)]
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO book_import_file (id, digest, profile, filename, as_of, currency, rows, accounts, borrowers, history_rows, rejected, balance_minor, report, imported_at) VALUES (%s, %s, 'test', 'test', '2026-03-01', 'CNY', 0, 0, 0, 0, 0, 0, '{}', %s)",
            [imported, imported.hex, AT],
        )
        for borrower_id, account_id in made:
            cursor.execute(
                "INSERT INTO book_borrower (id, subject_id, external_ref, region) VALUES (%s, %s, %s, '44')",
                [borrower_id, new_id(), borrower_id.hex],
            )
            cursor.execute(
                "INSERT INTO book_account (id, borrower_id, external_ref, product, currency, principal_minor, interest_minor, fee_minor, balance_minor, days_past_due, region, as_of, import_file_id) VALUES (%s, %s, %s, 'CARD', 'CNY', 100000, 2000, 500, 102500, 45, '44', '2026-03-01', %s)",
                [account_id, borrower_id, account_id.hex, imported],
            )
        journal.write(actor=actors.worker(), at=AT, act="test.unplaced", entries=[])
    ledger.open_book(actor=actors.staff(Role.FINANCE), at=AT)
    return [account_id for _, account_id in made]


def direct(account_id: UUID, *, amount_minor: int) -> pl.DataFrame:
    """One payment straight to the lender's bank account."""
    row: dict[str, Any] = {
        "reference": f"D{account_id.hex[-6:]}", "account_id": str(account_id), "amount_minor": amount_minor, "currency": "CNY",
        "paid_on": day(5), "method": "TRANSFER",
    }  # fmt: skip
    return pl.DataFrame([row])
