"""Foreign keys that are checked once a statement refuse what row-wise keys refuse."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import IntegrityError, connections

from weituo.foundation.ids import new_id

from tests.builders.ledger import placed_accounts


@pytest.fixture
def owner(db: str) -> Callable[..., list[tuple[object, ...]]]:
    """Run SQL as the tables' owner, whom no policy holds back."""

    def run(sql: str, *values: object) -> list[tuple[object, ...]]:
        with connections["owner"].cursor() as cursor:
            cursor.execute(sql, list(values))
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def ids(db: str) -> tuple[UUID, UUID, UUID]:
    """Make two accounts; give the first one's account and borrower and the second one's borrower."""
    first, second = placed_accounts(count=2)
    return first.account_id, first.borrower_id, second.borrower_id


def keys_not_enforced(owner: Callable[..., list[tuple[object, ...]]]) -> set[tuple[object, ...]]:
    return set(
        owner(
            "SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text FROM pg_constraint c "
            "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f' AND NOT c.conenforced"
        )
    )


def test_each_key_that_is_not_enforced_has_its_three_guards(
    owner: Callable[..., list[tuple[object, ...]]],
) -> None:
    keys = keys_not_enforced(owner)
    assert keys == {
        ("book_account", "borrower_id", "book_borrower"),
        ("book_account", "import_file_id", "book_import_file"),
        ("book_repayment_history", "account_id", "book_account"),
        ("book_contact_point", "borrower_id", "book_borrower"),
        ("placement_run_exclusion", "account_id", "book_account"),
        ("vault_field", "subject_id", "vault_subject"),
    }
    triggers = set(owner("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgenabled = 'O'"))
    for table, column, parent in keys:
        assert {
            (table, f"{column}_exists"),
            (table, f"{column}_stays"),
            (parent, "identity_stays"),
        } <= triggers


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO book_contact_point (borrower_id, channel, field, position, zones, valid) VALUES (%s, 'PHONE', 'phone', 7, '{}', true)",
        "INSERT INTO book_repayment_history VALUES (%s, '2026-01-01', '{1}', '{1}', '{1}')",
        "INSERT INTO vault_field (subject_id, field, position, sealed) VALUES (%s, 'name', 0, '')",
    ],
)
def test_a_row_of_nobody_is_refused(owner: Callable[..., list[tuple[object, ...]]], sql: str) -> None:
    stranger = new_id()
    with pytest.raises(IntegrityError, match=f"{stranger}.* does not exist"):
        owner(sql, stranger)


def test_one_stranger_among_many_rows_is_found(
    owner: Callable[..., list[tuple[object, ...]]], ids: tuple[UUID, UUID, UUID]
) -> None:
    stranger = new_id()
    with pytest.raises(IntegrityError, match=str(stranger)):
        owner(
            "INSERT INTO book_contact_point (borrower_id, channel, field, position, zones, valid) "
            "SELECT b, 'PHONE', 'phone', 100 + n, '{}', true FROM generate_series(1, 500) n, unnest(%s::uuid[]) b",
            [ids[1], stranger],
        )


def test_who_is_referred_to_stays_and_nothing_moves(
    owner: Callable[..., list[tuple[object, ...]]], ids: tuple[UUID, UUID, UUID]
) -> None:
    account, borrower, other = ids
    for sql, values in (
        ("DELETE FROM book_borrower WHERE id = %s", [borrower]),
        ("UPDATE book_borrower SET id = %s WHERE id = %s", [new_id(), borrower]),
        ("TRUNCATE book_borrower CASCADE", []),
        ("DELETE FROM book_account WHERE id = %s", [account]),
        ("UPDATE book_account SET borrower_id = %s WHERE id = %s", [other, account]),
        ("DELETE FROM vault_subject", []),
    ):
        with pytest.raises(IntegrityError, match=r"keep their identity|violates"):
            owner(sql, *values)


def test_the_months_of_a_history_are_read_as_rows(
    owner: Callable[..., list[tuple[object, ...]]], ids: tuple[UUID, UUID, UUID]
) -> None:
    account = ids[0]
    owner(
        "INSERT INTO book_repayment_history VALUES (%s, '2026-02-01', '{300,NULL,100}', '{NULL,NULL,10}', '{2,NULL,0}')",
        account,
    )
    months = owner(
        "SELECT to_char(month, 'YYYY-MM'), bill_minor, paid_minor, months_late FROM book_repayment_month WHERE account_id = %s ORDER BY month",
        account,
    )
    assert months == [("2025-12", 100, 10, 0), ("2026-02", 300, None, 2)]
    with pytest.raises(IntegrityError, match="book_repayment_history_even"):
        owner("UPDATE book_repayment_history SET bill_minor = '{1}' WHERE account_id = %s", account)
