"""Nobody changes the audit log: no kind of user, no login, not the owner; and a missing entry is named."""

from __future__ import annotations

import json

import pytest
from django.db import DatabaseError, connections
from django.utils import translation

from weituo.cli import face
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import BadInput
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor

from tests.builders import actors
from tests.builders.ledger import AT

CHANGES = {
    "update": "UPDATE public.audit_entry SET reason = 'x'",
    "delete": "DELETE FROM public.audit_entry",
    "truncate": "TRUNCATE public.audit_entry",
    "insert": "INSERT INTO public.audit_entry SELECT * FROM public.audit_entry",
    "drop": "DROP TABLE public.audit_entry",
    "trigger": "ALTER TABLE public.audit_entry DISABLE TRIGGER ALL",
}
KINDS = {
    "lender": lambda: actors.staff(Role.ADMIN),
    "auditor": lambda: actors.staff(Role.AUDITOR),
    "worker": actors.worker,
    "agency": lambda: actors.agency_system(new_id()),
    "borrower": lambda: actors.borrower(new_id()),
}


def write(count: int, *, actor: Actor | None = None) -> None:
    """Append entries as acts do."""
    who = actor or actors.worker()
    for number in range(count):
        with transactions.transaction(who):
            journal.write(
                actor=who, at=AT, act="test.done", entries=[journal.Entry(what="thing", ref=str(number))]
            )


@pytest.mark.parametrize("change", CHANGES)
def test_no_kind_of_user_and_no_login_changes_an_entry(db: str, change: str) -> None:
    write(2)
    done = []
    for kind, actor in KINDS.items():
        try:
            with transactions.transaction(actor()), transactions.connection().cursor() as cursor:
                cursor.execute(CHANGES[change])
                done.append(kind)
        except DatabaseError:
            continue
    for login in ("default", "agency", "borrower"):
        try:
            with connections[login].cursor() as cursor:
                cursor.execute(CHANGES[change])
                done.append(login)
        except DatabaseError:
            continue
    assert done == []
    assert journal.verify(actors.staff(Role.AUDITOR)).entries == 2


@pytest.mark.parametrize(
    ("statement", "seq", "problem"),
    [
        ("UPDATE audit_entry SET reason = 'x' WHERE seq IN (2, 4)", 2, "does not fit its hash"),
        ("DELETE FROM audit_entry WHERE seq = 3", 3, "entry 3 is missing"),
        ("DELETE FROM audit_entry WHERE seq = 1", 1, "entry 1 is missing"),
        (
            "UPDATE audit_entry SET hash = sha256(previous_hash || convert_to(sec.audit_text(audit_entry), 'UTF8')), act = 'x' WHERE seq = 2",
            2,
            "does not fit its hash",
        ),
    ],
)
def test_verify_on_the_command_line_names_the_first_entry_and_says_why(
    db: str, capsys: pytest.CaptureFixture[str], statement: str, seq: int, problem: str
) -> None:
    write(5)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER append_only")
        cursor.execute(statement)
    arguments = face.build_parser().parse_args(["audit", "verify", "--json"])
    with translation.override("en"):
        assert arguments.run(arguments) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["altered_seq"] == seq
    assert problem in answer["problem"]


def test_an_entry_with_a_hash_of_its_own_breaks_the_one_after_it(db: str) -> None:
    """Whoever alters an entry and computes its hash anew would have to compute every later one too."""
    write(4)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER append_only")
        cursor.execute("UPDATE audit_entry SET act = 'other' WHERE seq = 2")
        cursor.execute(
            "UPDATE audit_entry SET hash = sha256(previous_hash || convert_to(sec.audit_text(audit_entry), 'UTF8')) WHERE seq = 2"
        )
    verdict = journal.verify(actors.staff(Role.AUDITOR))
    with translation.override("en"):
        assert (verdict.altered_seq, verdict.problem) == (3, "it does not follow the entry before it")


def test_a_chain_cut_short_does_not_hold_the_head_that_was_kept(
    db: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a kept head nobody can tell that the newest entries are gone; with it the check says so."""
    write(5)
    auditor = actors.staff(Role.AUDITOR)
    kept = journal.verify(auditor).head
    write(2)
    assert journal.verify(auditor, kept_head=kept).altered_seq is None
    assert journal.verify(auditor, kept_head=kept[:16].upper()).altered_seq is None
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER append_only")
        cursor.execute("DELETE FROM audit_entry WHERE seq >= 4")
    assert journal.verify(auditor).altered_seq is None
    arguments = face.build_parser().parse_args(["audit", "verify", "--json", "--head", kept])
    with translation.override("en"):
        assert arguments.run(arguments) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["altered_seq"], answer["entries"]) == (4, 3)
    assert "cut off" in answer["problem"]
    with pytest.raises(BadInput):
        journal.verify(auditor, kept_head="12345")


def test_nobody_writes_an_entry_in_anothers_name(db: str) -> None:
    """The actor's kind and id are those of the signed context, whatever the caller says."""
    agency = actors.agency_system(new_id())
    write(1, actor=agency)
    [entry] = journal.entries(actors.staff(Role.AUDITOR))
    assert (entry["actor_kind"], entry["actor_id"]) == ("agency", agency.id)
    with connections["agency"].cursor() as cursor, pytest.raises(DatabaseError):
        cursor.execute("SELECT sec.audit_append(now(), 'Lin', 'x', 'x', 'x', '', '{}', '')")
