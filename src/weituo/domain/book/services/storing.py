"""Storing one block of accepted rows: COPY into temporary tables, then INSERT … SELECT under row-level security."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl

from weituo.domain.book.profiles import Profile
from weituo.foundation.vault import store as vault


def uuids(count: int) -> pl.Series:
    """Make UUIDv7 for a column as 32 hexadecimal digits: milliseconds, a 30-bit counter (RFC 9562, 6.2), 44 random bits."""
    ids = np.frombuffer(os.urandom(16 * count), dtype=np.uint8).reshape(count, 16).copy()
    ids[:, :6] = np.frombuffer((time.time_ns() // 1_000_000).to_bytes(6, "big"), dtype=np.uint8)
    counter = np.arange(count, dtype=np.uint32)
    ids[:, 6] = 0x70 | (counter >> 26)
    ids[:, 7] = (counter >> 18) & 0xFF
    ids[:, 8] = 0x80 | ((counter >> 12) & 0x3F)
    ids[:, 9] = (counter >> 4) & 0xFF
    ids[:, 10] = ((counter & 0xF) << 4) | (ids[:, 10] & 0xF)
    text = np.frombuffer(ids.tobytes().hex().encode(), dtype="S32")
    return pl.Series(text.astype("U32"), dtype=pl.String)


def _history(frame: pl.DataFrame, profile: Profile, *, as_of: date) -> pl.DataFrame:
    """Turn wide months into one row an account and month; a month without any figure is no row."""
    parts = [
        frame.select(
            "account_id", pl.lit(month).alias("month"), pl.col(f"history_{index}").struct.unnest()
        ).filter(pl.any_horizontal(pl.col("bill_minor", "paid_minor", "months_late").is_not_null()))
        for index, month in enumerate(profile.months(as_of=as_of))
    ]
    return pl.concat(parts)


def _copy(cursor: Any, table: str, columns: str, frame: pl.DataFrame) -> None:
    cursor.execute(f"TRUNCATE pg_temp.{table}")
    with cursor.copy(f"COPY pg_temp.{table} ({columns}) FROM STDIN (FORMAT csv)") as stream:
        stream.write(frame.write_csv(include_header=False).encode())


TEMP = """
CREATE TEMP TABLE IF NOT EXISTS pg_temp.in_borrower (id uuid, subject uuid, ref text, organisation bool, language text, region text) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS pg_temp.in_account (id uuid, borrower uuid, ref text, product text, currency text, principal bigint, interest bigint, fee bigint,
  balance bigint, credit_limit bigint, opened date, since date, days int, bucket text, region text) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS pg_temp.in_month (account uuid, month date, bill bigint, paid bigint, late smallint) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS pg_temp.in_hold (borrower uuid, account uuid, kind text) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS pg_temp.in_point (borrower uuid, channel text, field text, position smallint) ON COMMIT DROP;
"""


def store(
    cursor: Any, frame: pl.DataFrame, profile: Profile, *, import_id: UUID, as_of: date, at: datetime
) -> int:
    """Store accepted rows (with account_id, borrower_id, is_new) in every table; return the rows of history."""
    borrowers = frame.filter("is_new").unique("borrower_id", keep="first", maintain_order=True)
    borrowers = borrowers.with_columns(subject_id=uuids(borrowers.height))
    _copy(
        cursor, "in_borrower", "id, subject, ref, organisation, language, region",
        borrowers.select("borrower_id", "subject_id", "borrower_ref", "is_organisation", "language", "region"),
    )  # fmt: skip
    cursor.execute(
        "INSERT INTO book_borrower (id, subject_id, external_ref, is_organisation, language, region) "
        "SELECT id, subject, ref, organisation, language, region FROM pg_temp.in_borrower"
    )
    _copy(
        cursor, "in_account", "id, borrower, ref, product, currency, principal, interest, fee, balance, credit_limit, opened, since, days, bucket, region",
        frame.select("account_id", "borrower_id", "account_ref", "product", "currency", "principal_minor", "interest_minor", "fee_minor", "balance_minor",
                     "credit_limit_minor", "opened_on", "past_due_since", "days_past_due", "bucket", "region"),
    )  # fmt: skip
    cursor.execute(
        "INSERT INTO book_account (id, borrower_id, external_ref, product, currency, principal_minor, interest_minor, fee_minor, balance_minor, credit_limit_minor, "
        "opened_on, past_due_since, days_past_due, bucket, region, as_of, status, import_file_id) SELECT id, borrower, ref, product, currency, principal, interest, fee, "
        "balance, credit_limit, opened, since, days, bucket, region, %s, 'OPEN', %s FROM pg_temp.in_account",
        [as_of, import_id],
    )
    history_rows = 0
    if profile.history:
        history = _history(frame, profile, as_of=as_of).select(
            "account_id", "month", "bill_minor", "paid_minor", "months_late"
        )
        history_rows = history.height
        _copy(cursor, "in_month", "account, month, bill, paid, late", history)
        cursor.execute(
            "INSERT INTO book_repayment_month (account_id, month, bill_minor, paid_minor, months_late) SELECT account, month, bill, paid, late FROM pg_temp.in_month"
        )
    _store_holds(cursor, frame, at=at)
    _store_points(cursor, borrowers, zone=profile.zone)
    if profile.personal and borrowers.height:
        vault.put(_persons(borrowers, profile))
    return history_rows


def _store_holds(cursor: Any, frame: pl.DataFrame, *, at: datetime) -> None:
    """Holds that come with the file need no event: nothing is placed or permitted yet."""
    parts = [
        frame.filter(pl.col(column)).select(
            "borrower_id", "account_id", pl.lit(column.removeprefix("hold_")).alias("kind")
        )
        for column in frame.columns
        if column.startswith("hold_")
    ]
    if not parts or (marked := pl.concat(parts)).is_empty():
        return
    _copy(cursor, "in_hold", "borrower, account, kind", marked)
    cursor.execute(
        "INSERT INTO book_hold (id, borrower_id, account_id, kind, reason, source, active_from) "
        "SELECT uuidv7(), borrower, account, kind, 'IMPORTED', 'import', %s FROM pg_temp.in_hold",
        [at],
    )


def _store_points(cursor: Any, borrowers: pl.DataFrame, *, zone: str) -> None:
    parts = []
    for field in ("phone", "email", "address"):
        column = f"person_{field}"
        if column not in borrowers.columns:
            continue
        values = borrowers.select("borrower_id", value=pl.col(column)).with_columns(
            position=pl.int_ranges(0, pl.col("value").list.len())
        )
        reached = values.explode("value", "position").filter(pl.col("value").is_not_null())
        parts.append(
            reached.select(
                "borrower_id",
                pl.lit(field.upper()).alias("channel"),
                pl.lit(field).alias("field"),
                "position",
            )
        )
    if not parts:
        return
    _copy(cursor, "in_point", "borrower, channel, field, position", pl.concat(parts))
    cursor.execute(
        "INSERT INTO book_contact_point (id, borrower_id, channel, role, field, position, zones, valid) "
        "SELECT uuidv7(), borrower, channel, 'BORROWER', field, position, %s, true FROM pg_temp.in_point",
        [[zone]],
    )


def _persons(borrowers: pl.DataFrame, profile: Profile) -> Iterator[vault.Person]:
    """Sealing is a cipher call a person: the one place where rows are taken one by one."""
    names = list(profile.personal)
    columns = [f"person_{name}" for name in names]
    for subject_id, *values in borrowers.select("subject_id", *columns).iter_rows():
        yield vault.Person(
            subject_id=UUID(subject_id),
            fields={name: [part or "" for part in value] for name, value in zip(names, values, strict=True)},
        )
