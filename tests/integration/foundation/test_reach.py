"""No table takes an instant or a day that would break whatever reads it, and no clash of two people is a fault."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connections

from weituo.domain.contact import services as gate
from weituo.foundation import clashes, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput, Conflict, Refusal
from weituo.foundation.tenancy.actors import Actor

from tests.builders import actors
from tests.builders.contact import MORNING, bench
from tests.builders.ledger import AT

#: tables whose instants come from the program's own clock or a library's, and the book, whose days the import checks
ELSEWHERE = (
    "audit_",
    "auth_",
    "account_",
    "book_",
    "django_",
    "idempotency_",
    "identity_",
    "jobs_",
    "mfa_",
)


def test_every_instant_and_day_is_kept_within_reach(db: str) -> None:
    """From the catalogue, so that a new column is met from its first migration on."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, (SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k WHERE k.conname = table_name || '_in_reach') "
            "FROM information_schema.columns WHERE table_schema = 'public' AND (data_type = 'date' OR data_type LIKE 'timestamp%') ORDER BY 1, 2"
        )
        columns = [row for row in cursor.fetchall() if not row[0].startswith(ELSEWHERE)]

    open_ended = [
        f"{table}.{column}" for table, column, rule in columns if not rule or f"({column} < " not in rule
    ]

    assert len(columns) >= 60
    assert open_ended == []


@pytest.mark.parametrize(
    "instant", ["0001-01-01", "1999-12-31", "2200-01-01", "9999-12-31", "infinity", "0044-03-15 BC"]
)
def test_an_impossible_instant_is_not_even_stored_by_the_owner(db: str, instant: str) -> None:
    desk = bench()
    report = gate.AttemptReport(
        sender_ref="a1", case_ref=desk.cases[0].case_ref, contact_point_id=desk.point(), channel="VOICE", made_at=MORNING, result="UNANSWERED"
    )  # fmt: skip
    gate.log_attempts(actor=actors.agency_system(desk.agency_id), attempts=[report], at=MORNING)

    with connections["owner"].cursor() as cursor, pytest.raises(DatabaseError, match="contact_attempt_"):
        cursor.execute("UPDATE contact_attempt SET made_at = %s", [instant])


def test_a_contact_is_not_stored_before_it_was_made(db: str) -> None:
    desk = bench()
    report = gate.AttemptReport(
        sender_ref="a1", case_ref=desk.cases[0].case_ref, contact_point_id=desk.point(), channel="VOICE", made_at=MORNING, result="UNANSWERED"
    )  # fmt: skip
    gate.log_attempts(actor=actors.agency_system(desk.agency_id), attempts=[report], at=MORNING)

    with (
        connections["owner"].cursor() as cursor,
        pytest.raises(DatabaseError, match="contact_attempt_was_made"),
    ):
        cursor.execute("UPDATE contact_attempt SET made_at = %s", [MORNING + timedelta(minutes=2)])


STATEMENTS = {
    "twice": "INSERT INTO partners_collector (id, agency_id, badge, alias, registered_on, trained_until) SELECT uuidv7(), agency_id, badge, alias, registered_on, trained_until FROM partners_collector",
    "long": "UPDATE partners_collector SET badge = repeat('x', 300)",
    "late": "UPDATE partners_collector SET trained_until = '9999-12-31'",
    "fault": "UPDATE partners_collector SET badge = NULL",
}


@act("test.break_something", permission="partners.register")
def break_something(*, actor: Actor, how: str, at: object) -> None:
    with transactions.connection().cursor() as cursor:
        cursor.execute(STATEMENTS[how])
    note(what="collector", ref="x")


@pytest.mark.parametrize(
    ("how", "kind"), [("twice", clashes.EnteredAlready), ("long", BadInput), ("late", BadInput)]
)
def test_what_the_database_refuses_because_of_what_was_sent_is_a_refusal(
    db: str, how: str, kind: type[Refusal]
) -> None:
    bench()

    with pytest.raises(kind):
        break_something(actor=actors.staff(), how=how, at=AT)


def test_what_the_database_refuses_otherwise_stays_a_fault(db: str) -> None:
    bench()

    with pytest.raises(DatabaseError):
        break_something(actor=actors.staff(), how="fault", at=AT)


@pytest.mark.parametrize(
    ("state", "kind"),
    [("40P01", Conflict), ("40001", Conflict), ("55P03", Conflict), ("23514", None), ("XX000", None)],
)
def test_two_at_once_are_told_to_try_again(state: str, kind: type[Refusal] | None) -> None:
    class Cause(Exception):
        sqlstate = state

    fault = DatabaseError()
    fault.__cause__ = Cause()

    found = clashes.refusal_of(fault, act="test")

    assert (found is None) if kind is None else isinstance(found, kind)
