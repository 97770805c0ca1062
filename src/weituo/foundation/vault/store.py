"""Writing to and reading from the vault, many persons at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

import polars as pl
from django.conf import settings

from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.vault import crypto
from weituo.foundation.vault.keyring import FileKeyring, MasterKeys
from weituo.foundation.vault.sealing import SEARCHABLE, Sealed, seal_columns


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


def seal(subject_ids: pl.Series, values: Mapping[str, pl.Series]) -> Sealed:
    """Encrypt the values of new subjects (see `sealing.seal_columns`); needs no transaction."""
    return seal_columns(subject_ids, values, master=keys(), index_key=_index_key())


@transactions.transaction_required
def put(persons: Iterable[Person]) -> int:
    """Store new persons, a few at a time by hand; a whole book is sealed in columns. Return how many."""
    new = list(persons)
    fields = sorted({field for person in new for field in person.fields})
    if fields:
        values = {
            field: pl.Series([list(person.fields.get(field, ())) for person in new], dtype=pl.List(pl.String))
            for field in fields
        }
        keep(seal(pl.Series([person.subject_id.hex for person in new], dtype=pl.String), values))
    return len(new)


@transactions.transaction_required
def keep(sealed: Sealed) -> None:
    """Store sealed rows by COPY."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS pg_temp.new_subject (id uuid, k text, v int) ON COMMIT DROP;"
            "CREATE TEMP TABLE IF NOT EXISTS pg_temp.new_field (s uuid, f text, p smallint, c text, b text) ON COMMIT DROP;"
            "TRUNCATE pg_temp.new_subject, pg_temp.new_field"
        )
        for table, frame in (("new_subject", sealed.subjects), ("new_field", sealed.fields)):
            with cursor.copy(f"COPY pg_temp.{table} FROM STDIN (FORMAT csv)") as stream:
                stream.write(frame.write_csv(include_header=False).encode())
        cursor.execute(
            "INSERT INTO vault_subject (id, wrapped_key, master_version) SELECT id, decode(k, 'hex'), v FROM pg_temp.new_subject"
        )
        cursor.execute(
            "INSERT INTO vault_field (subject_id, field, position, sealed, blind) "
            "SELECT s, f, p, decode(c, 'hex'), decode(b, 'hex') FROM pg_temp.new_field"
        )


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


@transactions.reads
def holders(viewer: Actor, *, field: str, values: Sequence[str]) -> dict[str, list[UUID]]:
    """Give, for each value, the subjects whose `field` equals it after normalisation; nothing is opened."""
    blind = {crypto.blind(_index_key(), field=field, value=value): value for value in values}
    found: dict[str, list[UUID]] = {value: [] for value in values}
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT blind, subject_id FROM vault_field WHERE field = %s AND blind = ANY(%s) ORDER BY subject_id",
            [field, list(blind)],
        )
        for digest, subject_id in cursor.fetchall():
            found[blind[bytes(digest)]].append(subject_id)
    return found


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
