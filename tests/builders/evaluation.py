"""Least valid rows for evaluation: agencies with placements of known probability, and money booked for them."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import polars as pl

from weituo.domain.ledger import services as ledger
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders.ledger import AT, Placed, day, placed_accounts


def agencies(*, payers: tuple[float, ...], count: int = 120, seed: int = 3) -> list[list[Placed]]:
    """Place `count` accounts with each of len(payers) agencies, equally likely, and book a payment for that share of them.

    A payment is half the balance of 102,500; commission is 20 %.
    """
    made = [placed_accounts(count=count) for _ in payers]
    everything = [case.placement_id for cases in made for case in cases]
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE placement_placement SET probability = %s, expected_recovery_minor = 20000 WHERE id = ANY(%s)",
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
        at=AT,
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
