"""The vault: sealed per person, found by blind index, bound to its row and column."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import polars as pl
import pytest
from cryptography.exceptions import InvalidTag
from django.db import connections
from hypothesis import given, settings
from hypothesis import strategies as st

from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id
from weituo.foundation.vault import crypto, store
from weituo.foundation.vault.sealing import SEARCHABLE

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


@given(
    persons=st.lists(
        st.fixed_dictionaries(
            {
                "name": st.lists(st.none() | st.text(max_size=8), max_size=2),
                "phone": st.lists(st.none() | st.text("0123456789+- （）０１²", max_size=12), max_size=3),
                "address": st.lists(st.none() | st.text(max_size=12), max_size=1),
            }
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=60, deadline=None)
def test_sealing_in_columns_is_sealing_one_by_one(persons: list[dict[str, list[str | None]]]) -> None:
    ids = [new_id() for _ in persons]
    names = ("name", "phone", "address")
    sealed = store.seal(
        pl.Series([subject.hex for subject in ids], dtype=pl.String),
        {name: pl.Series([person[name] for person in persons], dtype=pl.List(pl.String)) for name in names},
    )
    keys = {
        UUID(subject): store.keys().unwrap(bytes.fromhex(wrapped), version=version)
        for subject, wrapped, version in sealed.subjects.iter_rows()
    }
    assert set(keys) == set(ids) and len(set(keys.values())) == len(ids)
    found = {
        (UUID(subject), field, position): (
            crypto.open_sealed(
                keys[UUID(subject)],
                subject_id=UUID(subject),
                field=field,
                position=position,
                sealed=bytes.fromhex(value),
            ),
            blind,
        )
        for subject, field, position, value, blind in sealed.fields.iter_rows()
    }
    assert found == {
        (subject, name, position): (
            value,
            crypto.blind(store._index_key(), field=name, value=value).hex() if name in SEARCHABLE else None,
        )
        for subject, person in zip(ids, persons, strict=True)
        for name in names
        for position, value in enumerate(person[name])
        if value
    }


def test_no_nonce_stands_twice() -> None:
    sealed = store.seal(
        pl.Series([new_id().hex for _ in range(3_000)]),
        {"name": pl.Series([["王伟", "王伟"]] * 3_000)},
    )
    nonces = sealed.fields["sealed"].str.slice(0, 2 * crypto.NONCE_BYTES)
    assert nonces.n_unique() == sealed.fields.height == 6_000
