"""Reading the book. Frames are Polars; ids in frames are text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import polars as pl

from weituo.core.recovery.buckets import BUCKETS, days_range
from weituo.core.recovery.rolls import roll_rates
from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.vault import store

ACCOUNTS = {
    "account_id": pl.String, "borrower_id": pl.String, "product": pl.String, "currency": pl.String, "principal_minor": pl.Int64,
    "interest_minor": pl.Int64, "fee_minor": pl.Int64, "balance_minor": pl.Int64, "credit_limit_minor": pl.Int64, "days_past_due": pl.Int64,
    "bucket": pl.String, "region": pl.String, "opened_on": pl.Date, "past_due_since": pl.Date, "status": pl.String, "as_of": pl.Date, "closed_on": pl.Date, "late_since": pl.Date,
    "came_on": pl.Date,
}  # fmt: skip
HISTORY = {
    "account_id": pl.String,
    "month": pl.Date,
    "bill_minor": pl.Int64,
    "paid_minor": pl.Int64,
    "months_late": pl.Int64,
}
HOLDS = {"borrower_id": pl.String, "account_id": pl.String, "kind": pl.String}
CONTACT_POINTS = {
    "contact_point_id": pl.String, "borrower_id": pl.String, "channel": pl.String, "role": pl.String, "field": pl.String, "position": pl.Int64,
    "zones": pl.List(pl.String), "valid": pl.Boolean,
}  # fmt: skip
#: columns people may sort accounts by
SORTS = {
    "balance": "a.balance_minor",
    "days": "a.days_past_due",
    "bucket": "a.bucket",
    "product": "a.product",
    "region": "a.region",
}
PAGE_ROWS = 50


def _frame(sql: str, values: Sequence[Any], schema: dict[str, Any]) -> pl.DataFrame:
    with transactions.connection().cursor() as cursor:
        cursor.execute(sql, list(values))
        return pl.DataFrame(cursor.fetchall(), schema=schema, orient="row")


def _texts(ids: Iterable[object] | None) -> list[str] | None:
    return None if ids is None else [str(value) for value in ids]


@transactions.reads
def accounts_frame(viewer: Actor, *, on: date, account_ids: Iterable[object] | None = None) -> pl.DataFrame:
    """Give accounts, one row each (columns of `ACCOUNTS`); days past due and bucket are those of the day `on`.

    as_of: the day of the file that stated the account last; came_on: of the file it came with.
    """
    ids = _texts(account_ids)
    return _frame(
        "SELECT a.id::text, a.borrower_id::text, a.product, a.currency, a.principal_minor, a.interest_minor, a.fee_minor, a.balance_minor, a.credit_limit_minor, "
        "a.days_past_due::bigint, a.bucket, a.region, a.opened_on, a.past_due_since, a.status, a.as_of, a.closed_on, a.late_since, f.as_of "
        "FROM book_account_on(%s) a JOIN book_import_file f ON f.id = a.import_file_id WHERE %s::uuid[] IS NULL OR a.id = ANY(%s::uuid[]) ORDER BY a.id",
        [on, ids, ids],
        ACCOUNTS,
    )


@transactions.reads
def history_frame(viewer: Actor, *, account_ids: Iterable[object] | None = None) -> pl.DataFrame:
    """Give repayment history, one row an account and month (columns of `HISTORY`)."""
    ids = _texts(account_ids)
    return _frame(
        "SELECT account_id::text, month, bill_minor, paid_minor, months_late::bigint FROM book_repayment_month "
        "WHERE %s::uuid[] IS NULL OR account_id = ANY(%s::uuid[]) ORDER BY account_id, month",
        [ids, ids],
        HISTORY,
    )


@transactions.reads
def holds_frame(viewer: Actor, *, at: datetime) -> pl.DataFrame:
    """Give the holds in force at `at` (columns of `HOLDS`; account_id null: all accounts of the borrower)."""
    return _frame(
        "SELECT borrower_id::text, account_id::text, kind FROM book_hold WHERE active_from <= %s AND (active_to IS NULL OR active_to > %s) ORDER BY borrower_id, kind, id",
        [at, at],
        HOLDS,
    )


@transactions.reads
def aged_frame(viewer: Actor, *, late_before: date) -> pl.DataFrame:
    """Give the open accounts late since before a day, with the last payment known: account_id, region, late_since, paid_on.

    paid_on: the later of the last booked money and the first day of the last month in which the file tells of a payment.
    """
    return _frame(
        "SELECT a.id::text, a.region, a.late_since, greatest(a.last_paid_on, m.month) FROM book_account a LEFT JOIN LATERAL ("
        "SELECT max(x.month) AS month FROM book_repayment_month x WHERE x.account_id = a.id AND x.paid_minor > 0) m ON true "
        "WHERE a.status = 'OPEN' AND a.late_since < %s ORDER BY a.id",
        [late_before],
        {"account_id": pl.String, "region": pl.String, "late_since": pl.Date, "paid_on": pl.Date},
    )


@transactions.reads
def contact_points(viewer: Actor, *, borrower_ids: Iterable[object] | None = None) -> pl.DataFrame:
    """Give the ways to reach borrowers, without the numbers themselves (columns of `CONTACT_POINTS`)."""
    ids = _texts(borrower_ids)
    return _frame(
        "SELECT id::text, borrower_id::text, channel, role, field, position::bigint, zones, valid FROM book_contact_point "
        "WHERE %s::uuid[] IS NULL OR borrower_id = ANY(%s::uuid[]) ORDER BY borrower_id, field, position",
        [ids, ids],
        CONTACT_POINTS,
    )


@transactions.reads
def subject_ids(viewer: Actor, *, borrower_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Give the vault subject of each borrower."""
    with transactions.connection().cursor() as cursor:
        cursor.execute("SELECT id, subject_id FROM book_borrower WHERE id = ANY(%s)", [list(borrower_ids)])
        return dict(cursor.fetchall())


@transactions.reads
def employed_by(viewer: Actor, *, employers: Sequence[str]) -> dict[str, list[str]]:
    """Give, for each employer's name, the ids of the borrowers whom the book has with it."""
    viewer.require("book.read")
    held = store.holders(viewer, field="employer", values=employers)
    rows = transactions.rows(
        "SELECT subject_id, id::text FROM book_borrower WHERE subject_id = ANY(%s)",
        [[subject for subjects in held.values() for subject in subjects]],
    )
    ids = {row["subject_id"]: row["id"] for row in rows}
    return {name: [ids[subject] for subject in subjects if subject in ids] for name, subjects in held.items()}


@transactions.reads
def imports(viewer: Actor) -> list[dict[str, Any]]:
    """List imported files, newest first."""
    found = transactions.rows(
        "SELECT id, profile, filename, as_of, currency, rows, accounts, borrowers, history_rows, rejected, balance_minor, report, imported_at FROM book_import_file ORDER BY imported_at DESC, id DESC"
    )
    # raw SQL hands JSON over as text
    return found


@transactions.reads
def buckets(viewer: Actor, *, on: date) -> list[dict[str, Any]]:
    """Give open accounts and money per bucket of a day, and currency."""
    return transactions.rows(
        "SELECT bucket, currency, count(*) AS accounts, sum(balance_minor)::bigint AS balance_minor FROM book_account_on(%s) WHERE status = 'OPEN' GROUP BY bucket, currency ORDER BY bucket",
        [on],
    )


@transactions.reads
def stated(viewer: Actor) -> date | None:
    """Give the latest day that a file spoke of: what is owed is of then, less what was booked since."""
    found: date | None = transactions.rows("SELECT max(as_of) AS day FROM book_import_file")[0]["day"]
    return found


_FILTERS = {"product": "a.product = %s", "region": "a.region = %s"}


def _in_bucket(bucket: str, *, on: date) -> tuple[str, list[Any]]:
    """Say with the day since which an account is late, which has an index, that it is in a bucket on a day."""
    if bucket not in BUCKETS:
        return "false", []
    fewest, most = days_range(bucket)
    closed = "a.closed_on IS NOT NULL AND a.bucket = %s"
    if most == 0:
        return f"(a.late_since IS NULL OR a.late_since >= %s OR ({closed}))", [on, bucket]
    latest = on - timedelta(days=fewest)
    if most is None:
        return f"((a.closed_on IS NULL AND a.late_since <= %s) OR ({closed}))", [latest, bucket]
    earliest = on - timedelta(days=most)
    return f"((a.closed_on IS NULL AND a.late_since BETWEEN %s AND %s) OR ({closed}))", [
        earliest,
        latest,
        bucket,
    ]


@transactions.reads
def accounts_page(
    viewer: Actor, *, on: date, filters: dict[str, str], sort: str = "-balance", page: int = 1
) -> dict[str, Any]:
    """Give one page of accounts as they are on a day: filters by bucket, product, region, hold, least and most balance (minor units), number.

    `number`: the lender's own account or customer number, whole.
    """
    clauses, values = ["true"], []  # type: tuple[list[str], list[Any]]
    for key, clause in _FILTERS.items():
        if filters.get(key):
            clauses.append(clause)
            values.append(filters[key])
    if filters.get("bucket"):
        clause, bounds = _in_bucket(filters["bucket"], on=on)
        clauses.append(clause)
        values += bounds
    if filters.get("hold"):
        clauses.append(
            "EXISTS (SELECT 1 FROM book_hold h WHERE h.borrower_id = a.borrower_id AND (h.account_id IS NULL OR h.account_id = a.id) AND h.active_to IS NULL AND h.kind = %s)"
        )
        values.append(filters["hold"])
    for key, clause in (("least", "a.balance_minor >= %s"), ("most", "a.balance_minor <= %s")):
        if str(filters.get(key, "")).isdigit():
            clauses.append(clause)
            values.append(int(filters[key]))
    if filters.get("number"):
        clauses.append(
            "(a.external_ref = %s OR a.borrower_id IN (SELECT b.id FROM book_borrower b WHERE b.external_ref = %s))"
        )
        values += [filters["number"]] * 2
    where = " AND ".join(clauses)
    column = SORTS.get(sort.lstrip("-"), "a.balance_minor")
    order = f"{column} {'DESC' if sort.startswith('-') else 'ASC'}, a.id"
    total = transactions.rows(
        f"SELECT count(*) AS n, coalesce(sum(a.balance_minor), 0)::bigint AS minor FROM book_account_on(%s) a WHERE {where}",  # noqa: S608 - constants above
        [on, *values],
    )[0]
    found = transactions.rows(
        f"SELECT a.id, a.external_ref, a.borrower_id, a.product, a.currency, a.balance_minor, a.days_past_due, a.bucket, a.region, a.status, "  # noqa: S608 - constants above
        "(SELECT string_agg(DISTINCT h.kind, ' ') FROM book_hold h WHERE h.borrower_id = a.borrower_id AND (h.account_id IS NULL OR h.account_id = a.id) AND h.active_to IS NULL) AS holds "
        f"FROM book_account_on(%s) a WHERE {where} ORDER BY {order} LIMIT {PAGE_ROWS} OFFSET %s",
        [on, *values, (max(page, 1) - 1) * PAGE_ROWS],
    )
    return {
        "rows": found,
        "total": total["n"],
        "balance_minor": total["minor"],
        "page": max(page, 1),
        "pages": max(1, -(-total["n"] // PAGE_ROWS)),
    }


@transactions.reads
def masked_names(viewer: Actor, *, borrower_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Give just enough of borrowers' names to recognise them (张*), to whom personal data may be shown; else nothing."""
    if not viewer.may("vault.read"):
        return {}
    subjects = subject_ids(viewer, borrower_ids=borrower_ids)
    found = store.read(viewer, subject_ids=list(subjects.values()), fields=["name"])
    return {
        borrower: store.mask("name", names[0])
        for borrower, subject in subjects.items()
        if (names := found.get(subject, {}).get("name"))
    }


@transactions.reads
def account(viewer: Actor, *, account_id: UUID, on: date) -> dict[str, Any] | None:
    """Give one account as it is on a day, with its holds."""
    found = transactions.rows(
        "SELECT a.*, b.subject_id, b.language, b.external_ref AS customer_ref, f.filename, f.imported_at FROM book_account_on(%s) a JOIN book_borrower b ON b.id = a.borrower_id JOIN book_import_file f ON f.id = a.import_file_id WHERE a.id = %s",
        [on, account_id],
    )
    if not found:
        return None
    found[0]["holds"] = transactions.rows(
        "SELECT id, kind, reason, source, active_from, active_to FROM book_hold WHERE borrower_id = %s AND (account_id IS NULL OR account_id = %s) ORDER BY active_from DESC",
        [found[0]["borrower_id"], account_id],
    )
    return found[0]


@transactions.reads
def numbers(viewer: Actor, *, account_ids: Iterable[object]) -> dict[str, str]:
    """Give the lender's account number by account id (as text)."""
    viewer.require("book.read")
    found = transactions.rows(
        "SELECT id::text, external_ref FROM book_account WHERE id = ANY(%s::uuid[])", [_texts(account_ids)]
    )
    return {row["id"]: row["external_ref"] for row in found}


@transactions.reads
def account_id_of(viewer: Actor, *, number: str) -> UUID | None:
    """Give the id of the account with this number, or None."""
    viewer.require("book.read")
    found = transactions.rows("SELECT id FROM book_account WHERE external_ref = %s", [number])
    return found[0]["id"] if found else None


@transactions.reads
def borrower_id_of(viewer: Actor, *, number: str) -> UUID | None:
    """Give the id of the borrower with this customer number, or who owes the account with this number, or None."""
    viewer.require("book.read")
    found = transactions.rows(
        "SELECT id FROM book_borrower WHERE external_ref = %s UNION ALL SELECT borrower_id FROM book_account WHERE external_ref = %s LIMIT 1",
        [number, number],
    )
    return found[0]["id"] if found else None


@transactions.reads
def choices(viewer: Actor, *, on: date) -> dict[str, list[str]]:
    """Give the values that accounts can be filtered by."""
    [row] = transactions.rows(
        "SELECT array_agg(DISTINCT bucket ORDER BY bucket) AS bucket, array_agg(DISTINCT product ORDER BY product) AS product, array_agg(DISTINCT region ORDER BY region) AS region FROM book_account_on(%s)",
        [on],
    )
    [held] = transactions.rows(
        "SELECT array_agg(DISTINCT kind ORDER BY kind) AS hold FROM book_hold WHERE active_to IS NULL"
    )
    return {key: value or [] for key, value in (row | held).items()}


@transactions.reads
def rolls(viewer: Actor) -> pl.DataFrame:
    """Give the roll-rate matrix of the whole history (columns of `core.recovery.RollRates.frame`); empty without history.

    Statuses below zero (paid, not used) count as current.
    """
    history = history_frame(viewer).drop_nulls("months_late")
    if history.is_empty():
        return pl.DataFrame(
            schema={
                "from_bucket": pl.String,
                "to_bucket": pl.String,
                "accounts": pl.Int64,
                "n": pl.Int64,
                "rate": pl.Float64,
            }
        )
    shown = history.select(
        account_external_id="account_id", month="month", months_late=pl.col("months_late").clip(lower_bound=0)
    )
    return roll_rates(history=shown).frame()
