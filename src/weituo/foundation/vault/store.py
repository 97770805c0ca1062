"""Writing to and reading from the vault, many persons at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings

from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.vault import crypto
from weituo.foundation.vault.keyring import FileKeyring, MasterKeys

#: fields that may be found by value
SEARCHABLE = frozenset({"name", "phone", "identity_number", "email"})


@lru_cache(maxsize=1)
def keys() -> MasterKeys:
    """Give the configured master keys."""
    return FileKeyring.ensure(Path(settings.WEITUO_KEYRING))


@lru_cache(maxsize=1)
def _index_key() -> bytes:
    return keys().secret("blind-index")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Personal data of one subject: field → values in order (a second phone is position 1)."""

    subject_id: UUID
    fields: Mapping[str, Sequence[str]]


def sealed_rows(
    persons: Iterable[Person],
) -> Iterator[tuple[tuple[UUID, bytes, int], list[tuple[UUID, str, int, bytes, bytes | None]]]]:
    """Encrypt persons one after the other: (row of vault_subject, rows of vault_field)."""
    master, index_key = keys(), _index_key()
    for person in persons:
        data_key = os.urandom(32)
        rows = [
            (
                person.subject_id,
                field,
                position,
                crypto.seal(
                    data_key, subject_id=person.subject_id, field=field, position=position, value=value
                ),
                crypto.blind(index_key, field=field, value=value) if field in SEARCHABLE else None,
            )
            for field, values in person.fields.items()
            for position, value in enumerate(values)
            if value
        ]
        yield (person.subject_id, master.wrap(data_key), master.version), rows


@transactions.transaction_required
def put(persons: Iterable[Person]) -> int:
    """Store new persons by COPY; return how many."""
    connection = transactions.connection()
    count = 0
    fields: list[tuple[UUID, str, int, bytes, bytes | None]] = []
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS pg_temp.new_subject (id uuid, k bytea, v int) ON COMMIT DROP;"
            "CREATE TEMP TABLE IF NOT EXISTS pg_temp.new_field (s uuid, f text, p smallint, c bytea, b bytea) ON COMMIT DROP;"
            "TRUNCATE pg_temp.new_subject, pg_temp.new_field"
        )
        with cursor.copy("COPY pg_temp.new_subject FROM STDIN") as subjects:
            for subject, rows in sealed_rows(persons):
                subjects.write_row(subject)
                fields.extend(rows)
                count += 1
        with cursor.copy("COPY pg_temp.new_field FROM STDIN") as copy:
            for row in fields:
                copy.write_row(row)
        cursor.execute(
            "INSERT INTO vault_subject (id, wrapped_key, master_version) SELECT id, k, v FROM pg_temp.new_subject"
        )
        cursor.execute(
            "INSERT INTO vault_field (subject_id, field, position, sealed, blind) SELECT s, f, p, c, b FROM pg_temp.new_field"
        )
    return count


@transactions.reads
def read(
    viewer: Actor, *, subject_ids: Sequence[UUID], fields: Sequence[str]
) -> dict[UUID, dict[str, list[str]]]:
    """Open the named fields of the named subjects: {subject: {field: [values in order]}}; absent fields are absent."""
    found = read_positions(viewer, subject_ids=subject_ids, fields=fields)
    return {
        subject_id: {field: list(values.values()) for field, values in held.items()}
        for subject_id, held in found.items()
    }


@transactions.reads
def read_positions(
    viewer: Actor, *, subject_ids: Sequence[UUID], fields: Sequence[str]
) -> dict[UUID, dict[str, dict[int, str]]]:
    """Open the named fields of the named subjects: {subject: {field: {position: value}}}, positions in order."""
    viewer.require("vault.read")
    result: dict[UUID, dict[str, dict[int, str]]] = {}
    data_keys: dict[UUID, bytes] = {}
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT f.subject_id, f.field, f.position, f.sealed, s.wrapped_key, s.master_version "
            "FROM vault_field f JOIN vault_subject s ON s.id = f.subject_id "
            "WHERE f.subject_id = ANY(%s) AND f.field = ANY(%s) ORDER BY f.subject_id, f.field, f.position",
            [list(subject_ids), list(fields)],
        )
        for subject_id, field, position, sealed, wrapped, version in cursor:
            data_key = data_keys.get(subject_id)
            if data_key is None:
                data_key = data_keys[subject_id] = keys().unwrap(bytes(wrapped), version=version)
            value = crypto.open_sealed(
                data_key, subject_id=subject_id, field=field, position=position, sealed=bytes(sealed)
            )
            result.setdefault(subject_id, {}).setdefault(field, {})[position] = value
    return result


@transactions.reads
def find(viewer: Actor, *, field: str, value: str) -> list[UUID]:
    """Find subjects whose `field` equals `value` after normalisation."""
    viewer.require("vault.find")
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT subject_id FROM vault_field WHERE field = %s AND blind = %s",
            [field, crypto.blind(_index_key(), field=field, value=value)],
        )
        return [row[0] for row in cursor.fetchall()]


def mask(field: str, value: str) -> str:
    """Show just enough of a value to recognise it: 张*, 1**…*34."""
    if not value:
        return ""
    if field == "name":
        return value[0] + "*" * (len(value) - 1)
    if len(value) <= 4:
        return "*" * len(value)
    return (
        value[:3] + "*" * (len(value) - 7) + value[-4:]
        if len(value) > 7
        else "*" * (len(value) - 2) + value[-2:]
    )


@transactions.transaction_required
def add(*, subject_id: UUID, field: str, position: int, value: str) -> None:
    """Store one more field of a known subject under its own data key."""
    with transactions.connection().cursor() as cursor:
        cursor.execute("SELECT wrapped_key, master_version FROM vault_subject WHERE id = %s", [subject_id])
        wrapped, version = cursor.fetchone()
        data_key = keys().unwrap(bytes(wrapped), version=version)
        sealed = crypto.seal(data_key, subject_id=subject_id, field=field, position=position, value=value)
        index = crypto.blind(_index_key(), field=field, value=value) if field in SEARCHABLE else None
        cursor.execute(
            "INSERT INTO vault_field (subject_id, field, position, sealed, blind) VALUES (%s, %s, %s, %s, %s)",
            [subject_id, field, position, sealed, index],
        )
