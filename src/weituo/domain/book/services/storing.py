"""Storing one block of accepted rows: COPY into temporary tables, then INSERT … SELECT under row-level security."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
from psycopg import sql

from weituo.domain.book.profiles import Profile
from weituo.foundation.vault import store as vault

#: what a month may say
MONTHLY = ("bill_minor", "paid_minor", "months_late")


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


def _history(frame: pl.DataFrame, profile: Profile, *, as_of: date) -> tuple[pl.DataFrame, int]:
    """Turn wide months into one row an account with lists, newest month first; also count the months that say anything."""
    months = profile.months(as_of=as_of)
    columns = {month: pl.col(f"history_{index}").struct for index, month in enumerate(months)}
    newest, oldest = max(months), min(months)
    said = frame.select(
        pl.any_horizontal(*(column.field(name).is_not_null() for name in MONTHLY)).alias(f"{month}")
        for month, column in columns.items()
    )
    kept = frame.filter(said.select(pl.any_horizontal(pl.all())).to_series())

    def listed(name: str) -> pl.Expr:
        texts = [
            columns[month].field(name).cast(pl.String).fill_null("NULL")
            if month in columns
            else pl.lit("NULL")
            for month in _downwards(newest, to=oldest)
        ]
        return pl.concat_str(pl.lit("{"), pl.concat_str(texts, separator=","), pl.lit("}")).alias(name)

    rows = kept.select(
        "account_id",
        pl.lit(newest).alias("newest_month"),
        *(listed(name) for name in MONTHLY),
    )
    return rows, int(said.sum().sum_horizontal().sum())


def _downwards(month: date, *, to: date) -> Iterator[date]:
    while month >= to:
        yield month
        month = date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def copy(cursor: Any, table: str, columns: str, frame: pl.DataFrame) -> None:
    """Put a frame into one of the temporary tables in place of what was in it."""
    cursor.execute(f"TRUNCATE pg_temp.{table}")
    with cursor.copy(f"COPY pg_temp.{table} ({columns}) FROM STDIN (FORMAT csv)") as stream:
        stream.write(frame.write_csv(include_header=False).encode())


def known(cursor: Any, table: str, refs: pl.Series) -> pl.DataFrame:
    """Give those of the lender's references that stand in `table`: ref, id (32 hexadecimal digits)."""
    schema: dict[str, type[pl.DataType]] = {"ref": pl.String, "id": pl.String}
    name = sql.Identifier(table)
    cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(name))
    if not cursor.fetchone()[0]:
        return pl.DataFrame(schema=schema)
    copy(cursor, "in_ref", "ref", refs.to_frame())
    cursor.execute(
        sql.SQL(
            "SELECT t.external_ref, replace(t.id::text, '-', '') FROM {} t WHERE t.external_ref IN (SELECT ref FROM pg_temp.in_ref)"
        ).format(name)
    )
    return pl.DataFrame(cursor.fetchall(), schema=schema, orient="row")


TEMP = """
CREATE TEMP TABLE IF NOT EXISTS pg_temp.in_ref (ref text) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS pg_temp.in_borrower (id uuid, subject uuid, ref text, organisation bool, language text, region text) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS pg_temp.in_account (id uuid, borrower uuid, ref text, product text, currency text, principal bigint, interest bigint, fee bigint,
  balance bigint, credit_limit bigint, opened date, since date, days int, region text) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS pg_temp.in_history (account uuid, newest date, bill bigint[], paid bigint[], late smallint[]) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS pg_temp.in_hold (borrower uuid, account uuid, kind text) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS pg_temp.in_point (id uuid, borrower uuid, channel text, field text, position smallint) ON COMMIT DROP;
"""


def store(
    cursor: Any, frame: pl.DataFrame, profile: Profile, *, import_id: UUID, as_of: date, at: datetime
) -> int:
    """Store accepted rows (with account_id, borrower_id, is_new) in every table; return the rows of history.

    Persons are sealed in a thread of their own while the server takes in the rest of the block.
    """
    borrowers = frame.filter("is_new").unique("borrower_id", keep="first", maintain_order=True)
    borrowers = borrowers.with_columns(subject_id=uuids(borrowers.height))
    with ThreadPoolExecutor(1) as beside:
        persons = {name: borrowers[f"person_{name}"] for name in profile.personal}
        sealing = (
            beside.submit(vault.seal, borrowers["subject_id"], persons)
            if persons and borrowers.height
            else None
        )
        _store_borrowers(cursor, borrowers, zone=profile.zone)
        _store_accounts(cursor, frame, import_id=import_id, as_of=as_of)
        history_rows = _store_history(cursor, frame, profile, as_of=as_of) if profile.history else 0
        _store_holds(cursor, frame, at=at)
        if sealing:
            vault.keep(sealing.result())
    return history_rows


def _store_borrowers(cursor: Any, borrowers: pl.DataFrame, *, zone: str) -> None:
    copy(
        cursor, "in_borrower", "id, subject, ref, organisation, language, region",
        borrowers.select("borrower_id", "subject_id", "borrower_ref", "is_organisation", "language", "region"),
    )  # fmt: skip
    cursor.execute(
        "INSERT INTO book_borrower (id, subject_id, external_ref, is_organisation, language, region) "
        "SELECT id, subject, ref, organisation, language, region FROM pg_temp.in_borrower"
    )
    _store_points(cursor, borrowers, zone=zone)


def _store_accounts(cursor: Any, frame: pl.DataFrame, *, import_id: UUID, as_of: date) -> None:
    copy(
        cursor, "in_account", "id, borrower, ref, product, currency, principal, interest, fee, balance, credit_limit, opened, since, days, region",
        frame.select("account_id", "borrower_id", "account_ref", "product", "currency", "principal_minor", "interest_minor", "fee_minor", "balance_minor",
                     "credit_limit_minor", "opened_on", "past_due_since", "days_past_due", "region"),
    )  # fmt: skip
    cursor.execute(
        "INSERT INTO book_account (id, borrower_id, external_ref, product, currency, principal_minor, interest_minor, fee_minor, balance_minor, credit_limit_minor, "
        "opened_on, past_due_since, days_past_due, region, as_of, status, import_file_id) SELECT id, borrower, ref, product, currency, principal, interest, fee, "
        "balance, credit_limit, opened, since, days, region, %s, 'OPEN', %s FROM pg_temp.in_account",
        [as_of, import_id],
    )


def _store_history(cursor: Any, frame: pl.DataFrame, profile: Profile, *, as_of: date) -> int:
    history, months = _history(frame, profile, as_of=as_of)
    copy(cursor, "in_history", "account, newest, bill, paid, late", history)
    cursor.execute(
        "INSERT INTO book_repayment_history (account_id, newest_month, bill_minor, paid_minor, months_late) "
        "SELECT account, newest, bill, paid, late FROM pg_temp.in_history"
    )
    return months


#: one row an account again: the file's months before the book's, month by month
APPEND = """
INSERT INTO book_repayment_history AS h (account_id, newest_month, bill_minor, paid_minor, months_late)
WITH said AS (
  SELECT i.account, (i.newest - make_interval(months => (m.place - 1)::int))::date AS month, m.bill, m.paid, m.late, 1 AS rank
  FROM pg_temp.in_history i CROSS JOIN LATERAL unnest(i.bill, i.paid, i.late) WITH ORDINALITY AS m (bill, paid, late, place)
  WHERE num_nonnulls(m.bill, m.paid, m.late) > 0
  UNION ALL SELECT r.account_id, r.month, r.bill_minor, r.paid_minor, r.months_late, 2
  FROM book_repayment_month r WHERE r.account_id IN (SELECT account FROM pg_temp.in_history)),
picked AS (SELECT DISTINCT ON (account, month) account, month, bill, paid, late FROM said ORDER BY account, month, rank),
span AS (SELECT account, max(month) AS newest, generate_series(min(month), max(month), interval '1 month')::date AS month FROM picked GROUP BY account)
SELECT s.account, s.newest, array_agg(p.bill ORDER BY s.month DESC), array_agg(p.paid ORDER BY s.month DESC), array_agg(p.late ORDER BY s.month DESC)
FROM span s LEFT JOIN picked p USING (account, month) GROUP BY s.account, s.newest
ON CONFLICT (account_id) DO UPDATE SET newest_month = excluded.newest_month, bill_minor = excluded.bill_minor, paid_minor = excluded.paid_minor,
  months_late = excluded.months_late
WHERE (h.newest_month, h.bill_minor, h.paid_minor, h.months_late) IS DISTINCT FROM (excluded.newest_month, excluded.bill_minor, excluded.paid_minor, excluded.months_late)
"""


def append_history(cursor: Any, frame: pl.DataFrame, profile: Profile, *, as_of: date) -> int:
    """Add the file's months to those that known accounts have; a month that both speak of is the file's. Give the months said."""
    history, months = _history(frame, profile, as_of=as_of)
    copy(cursor, "in_history", "account, newest, bill, paid, late", history)
    cursor.execute(APPEND)
    return months


def marked_holds(frame: pl.DataFrame) -> pl.DataFrame | None:
    """Give the holds that rows mark: borrower_id, account_id, kind; None when there are none."""
    parts = [
        frame.filter(pl.col(column)).select(
            "borrower_id", "account_id", pl.lit(column.removeprefix("hold_")).alias("kind")
        )
        for column in frame.columns
        if column.startswith("hold_")
    ]
    if not parts or (marked := pl.concat(parts)).is_empty():
        return None
    return marked


def _store_holds(cursor: Any, frame: pl.DataFrame, *, at: datetime) -> None:
    """Holds that come with the file need no event: nothing is placed or permitted yet."""
    if (marked := marked_holds(frame)) is None:
        return
    copy(cursor, "in_hold", "borrower, account, kind", marked)
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
    # as the indexes are ordered: a person's points side by side
    points = pl.concat(parts).sort("borrower_id", "field", "position")
    points.insert_column(0, uuids(points.height).alias("id"))
    copy(cursor, "in_point", "id, borrower, channel, field, position", points)
    cursor.execute(
        "INSERT INTO book_contact_point (id, borrower_id, channel, role, field, position, zones, valid) "
        "SELECT id, borrower, channel, 'BORROWER', field, position, %s, true FROM pg_temp.in_point",
        [[zone]],
    )
