"""Least valid rows for sharing: a working agency under an agreement, with a key, cases, and persons in the vault."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pyrage

from weituo.domain.partners import services as partners
from weituo.domain.sharing import services as sharing
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.ids import new_id
from weituo.foundation.vault import store as vault

from tests.builders import actors
from tests.builders.ledger import AT, Placed, placed_accounts

#: words of an agreement that leaves out address, e-mail and identity number
USUAL = ("name", "phone", "product", "balance", "past_due_since", "repayment_history")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """An agency that may be given facts."""

    agency_id: UUID
    run_id: UUID
    cases: list[Placed]
    identity: pyrage.x25519.Identity


def desk(*, count: int = 2, words: tuple[str, ...] = USUAL, key: bool = True, agreement: bool = True) -> Desk:
    """Make an agency with `count` cases of persons who stand in the vault; each has a history of eight months."""
    cases = placed_accounts(count=count)
    agency_id = cases[0].agency_id
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT b.id, b.subject_id FROM book_borrower b WHERE b.id = ANY(%s)",
            [[case.borrower_id for case in cases]],
        )
        subjects = dict(cursor.fetchall())
        vault.put(
            vault.Person(
                subject_id=subjects[case.borrower_id],
                fields={
                    "name": [f"张{number:05d}"],
                    "phone": [f"1990000{number:04d}", f"1991111{number:04d}"],
                    "address": [f"某省某市{number}号"],
                    "email": [f"p{number}@person.example"],
                    "identity_number": [f"ID{number:016d}"],
                },
            )
            for number, case in enumerate(cases)
        )
        for case in cases:
            # the second telephone is another person's
            for position, role in ((0, "BORROWER"), (1, "CONTACT")):
                cursor.execute(
                    "INSERT INTO book_contact_point (id, borrower_id, channel, role, field, position, zones, valid) VALUES (%s, %s, 'PHONE', %s, 'phone', %s, '{Asia/Shanghai}', true)",
                    [new_id(), case.borrower_id, role, position],
                )
        cursor.execute(
            "INSERT INTO book_repayment_history (account_id, newest_month, bill_minor, paid_minor, months_late) "
            "SELECT a, '2025-12-01', array_fill(1000, '{7}'), '{500,0,500,0,500,0,500}', '{6,5,4,3,2,1,0}' FROM unnest(%s::uuid[]) AS a",
            [[case.account_id for case in cases]],
        )
        cursor.execute("SELECT run_id FROM placement_placement WHERE id = %s", [cases[0].placement_id])
        run_id = cursor.fetchone()[0]
        journal.write(actor=actors.worker(), at=AT, act="test.persons", entries=[])
    identity = pyrage.x25519.Identity.generate()
    if agreement:
        sign(agency_id, words=words)
    if key:
        sharing.register_recipient(
            actor=actors.staff(), agency_id=agency_id, public_key=str(identity.to_public()), at=AT
        )
    return Desk(agency_id=agency_id, run_id=run_id, cases=cases, identity=identity)


def sign(agency_id: UUID, *, words: tuple[str, ...] = USUAL) -> UUID:
    """Put a confidentiality agreement in force for the year."""
    return partners.sign_agreement(
        actor=actors.staff(),
        agency_id=agency_id,
        kind="CONFIDENTIALITY",
        active_from=date(2026, 1, 1),
        active_to=date(2027, 1, 1),
        at=AT,
        fields_allowed=words,
    )


def opened(path: Path, identity: pyrage.x25519.Identity) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Open a package with the agency's private key: its cases and its manifest."""
    return opened_bytes(path.read_bytes(), identity)


def opened_bytes(
    sealed: bytes, identity: pyrage.x25519.Identity
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Open the bytes of a package."""
    with zipfile.ZipFile(io.BytesIO(pyrage.decrypt(sealed, [identity]))) as archive:
        assert sorted(archive.namelist()) == ["cases.jsonl", "manifest.json"]
        cases = [json.loads(line) for line in archive.read("cases.jsonl").decode().splitlines()]
        return cases, json.loads(archive.read("manifest.json"))
