"""Writing entries: the one way into the ledger, many at a time. The database checks that each is balanced."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import polars as pl

from weituo.domain.ledger.errors import KeyReused
from weituo.foundation import transactions

ENTRY_COLUMNS = ("key", "value_on", "reason", "input_digest")
LEG_COLUMNS = ("key", "ledger_account_id", "account_id", "amount_minor", "currency")


def digest_of(*parts: object) -> str:
    """Give the SHA-256 of what was asked, so that a key cannot be used for something else."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()


@transactions.transaction_required
def ledger_account(*, kind: str, currency: str, component: str = "", agency_id: UUID | None = None) -> UUID:
    """Give the ledger account of this kind, opening it on first use."""
    with transactions.connection().cursor() as cursor:
        values = [kind, currency, component, agency_id]
        cursor.execute(
            "INSERT INTO ledger_account (id, kind, currency, component, agency_id) VALUES (uuidv7(), %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            values,
        )
        cursor.execute(
            "SELECT id FROM ledger_account WHERE kind = %s AND currency = %s AND component = %s AND agency_id IS NOT DISTINCT FROM %s",
            values,
        )
        found: UUID = cursor.fetchone()[0]
    return found


def copy_frame(cursor: Any, table: str, frame: pl.DataFrame) -> None:
    """COPY a frame into a table with the same column order."""
    with cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)") as stream:
        stream.write(frame.write_csv(include_header=False).encode())


@transactions.transaction_required
def post(*, entries: pl.DataFrame, legs: pl.DataFrame, at: datetime) -> dict[str, UUID]:
    """Book entries with their legs; return entry ids by key of those that are new.

    entries: key, value_on (Date), reason, input_digest; legs: key, ledger_account_id, account_id (nullable),
    amount_minor (Int64, debit positive), currency. A key that stands with the same digest is left out; with another
    digest it raises `KeyReused` and nothing is booked.
    """
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS pg_temp.new_entry (key text, value_on date, reason text, digest text) ON COMMIT DROP;"
            "CREATE TEMP TABLE IF NOT EXISTS pg_temp.new_leg (key text, ledger_account uuid, account uuid, amount bigint, currency text) ON COMMIT DROP;"
            "TRUNCATE pg_temp.new_entry, pg_temp.new_leg"
        )
        copy_frame(cursor, "pg_temp.new_entry", entries.select(ENTRY_COLUMNS))
        copy_frame(cursor, "pg_temp.new_leg", legs.select(LEG_COLUMNS))
        cursor.execute(
            "SELECT n.key FROM pg_temp.new_entry n JOIN ledger_entry e ON e.idempotency_key = n.key WHERE e.input_digest <> n.digest LIMIT 1"
        )
        if clash := cursor.fetchone():
            raise KeyReused(key=clash[0])
        cursor.execute(
            "INSERT INTO ledger_entry (id, booked_at, value_on, reason, idempotency_key, input_digest) "
            "SELECT uuidv7(), %s, value_on, reason, key, digest FROM pg_temp.new_entry ORDER BY key "
            "ON CONFLICT (idempotency_key) DO NOTHING RETURNING idempotency_key, id",
            [at],
        )
        booked: dict[str, UUID] = dict(cursor.fetchall())
        cursor.execute(
            "INSERT INTO ledger_leg (id, entry_id, ledger_account_id, account_id, amount_minor, currency) "
            "SELECT uuidv7(), e.id, n.ledger_account, n.account, n.amount, n.currency "
            "FROM pg_temp.new_leg n JOIN ledger_entry e ON e.idempotency_key = n.key AND e.xid = pg_current_xact_id()"
        )
    return booked


def leg(
    *, key: str, ledger_account_id: UUID, amount_minor: int, currency: str, account_id: UUID | None = None
) -> Mapping[str, Any]:
    """Give one leg as a row of `LEG_COLUMNS`."""
    return {
        "key": key,
        "ledger_account_id": str(ledger_account_id),
        "account_id": str(account_id) if account_id else None,
        "amount_minor": amount_minor,
        "currency": currency,
    }


def leg_frame(rows: list[Mapping[str, Any]]) -> pl.DataFrame:
    """Give rows of `leg` as a frame."""
    return pl.DataFrame(
        rows,
        schema={
            "key": pl.String,
            "ledger_account_id": pl.String,
            "account_id": pl.String,
            "amount_minor": pl.Int64,
            "currency": pl.String,
        },
    )


def entry_frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Give rows of {key, value_on, reason, input_digest} as a frame."""
    return pl.DataFrame(
        rows, schema={"key": pl.String, "value_on": pl.Date, "reason": pl.String, "input_digest": pl.String}
    )
