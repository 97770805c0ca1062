"""The audit chain: append-only, and the first altered entry is named."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connections

from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity.roles import Role

from tests.builders import actors

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def _write(count: int) -> None:
    for number in range(count):
        with transactions.transaction(actors.worker()):
            journal.write(
                actor=actors.worker(),
                at=AT,
                act="test.done",
                entries=[journal.Entry(what="thing", ref=str(number), detail={"名": "值", "n": number})],
            )


def test_a_whole_chain_is_verified_outside_the_database(db: str) -> None:
    _write(5)
    verdict = journal.verify(actors.staff(Role.AUDITOR))
    assert (verdict.entries, verdict.altered_seq) == (5, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET reason = 'x' WHERE seq = 2",
        "DELETE FROM audit_entry WHERE seq = 2",
        "TRUNCATE audit_entry",
    ],
)
def test_the_database_refuses_changes_even_to_the_owner(db: str, statement: str) -> None:
    _write(3)
    with (
        connections["owner"].cursor() as cursor,
        pytest.raises(DatabaseError, match="never changed or deleted"),
    ):
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE audit_entry SET detail = '{\"n\": 9}' WHERE seq = 3", 3),
        ("DELETE FROM audit_entry WHERE seq = 2", 2),
        ("UPDATE audit_entry SET actor_name = 'Somebody Else' WHERE seq = 1", 1),
    ],
)
def test_the_first_altered_entry_is_named(db: str, statement: str, named: int) -> None:
    _write(5)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER append_only")
        cursor.execute(statement)
    auditor = actors.staff(Role.AUDITOR)
    assert journal.verify(auditor).altered_seq == named
    standing = {entry["seq"] for entry in journal.entries(auditor)}
    off = {seq for seq in standing if journal.problem_of(auditor, seq=seq)}
    assert off == ({named} if named in standing else {named + 1})


def test_an_entry_carries_the_actor_of_the_signed_context(db: str) -> None:
    _write(1)
    [entry] = journal.entries(actors.staff(Role.AUDITOR))
    assert (entry["actor_kind"], entry["actor_id"]) == ("worker", "program:tests")
