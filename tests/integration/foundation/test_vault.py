"""The vault: sealed per person, found by blind index, bound to its row and column."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connections

from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id
from weituo.foundation.vault import store

from tests.builders import actors

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def _put(*persons: store.Person) -> None:
    with transactions.transaction(actors.worker()):
        store.put(persons)
        journal.write(actor=actors.worker(), at=AT, act="test.put", entries=[])


def test_what_was_put_is_read_in_order(db: str) -> None:
    subject = new_id()
    _put(
        store.Person(
            subject_id=subject, fields={"name": ["王伟"], "phone": ["+86 100 0000 0001", "10000000002"]}
        )
    )
    assert store.read(actors.worker(), subject_ids=[subject], fields=["name", "phone"]) == {
        subject: {"name": ["王伟"], "phone": ["+86 100 0000 0001", "10000000002"]}
    }


def test_a_person_is_found_by_a_normalised_value(db: str) -> None:
    subject = new_id()
    _put(store.Person(subject_id=subject, fields={"phone": ["100-0000-0001"]}))
    assert store.find(actors.worker(), field="phone", value="１００ 0000 0001") == [subject]
    assert store.find(actors.worker(), field="phone", value="10000000002") == []


def test_swapped_ciphertexts_do_not_open(db: str) -> None:
    first, second = new_id(), new_id()
    _put(
        store.Person(subject_id=first, fields={"name": ["甲"]}),
        store.Person(subject_id=second, fields={"name": ["乙"]}),
    )
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "UPDATE vault_field f SET sealed = o.sealed FROM vault_field o WHERE o.subject_id <> f.subject_id"
        )
    with pytest.raises(InvalidTag):
        store.read(actors.worker(), subject_ids=[first], fields=["name"])


def test_a_vendor_manager_may_not_read_personal_data(db: str) -> None:
    with pytest.raises(NotAllowed):
        store.read(actors.staff(Role.VENDOR_MANAGER), subject_ids=[], fields=["name"])


def test_the_tables_hold_no_readable_name(db: str) -> None:
    subject = new_id()
    _put(store.Person(subject_id=subject, fields={"name": ["欧阳测试"]}))
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT string_agg(f::text, '|') FROM vault_field f")
        dump = cursor.fetchone()[0]
    assert "欧阳测试" not in dump and "欧阳测试".encode().hex() not in dump
