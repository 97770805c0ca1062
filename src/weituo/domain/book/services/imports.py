"""Importing a book: one file, one transaction, every bad row named, every total reconciled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl

from weituo.domain.book import checking, reading
from weituo.domain.book.errors import AllRowsRejected, NotReconciled, NothingToImport, ProfileRefused
from weituo.domain.book.models import ImportFile
from weituo.domain.book.profiles import Profile
from weituo.foundation import locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.files import places
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.vault import store

COPY_ROWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did; read = accounts + rejected + out_of_scope, and likewise for money in scope."""

    file: str
    profile: str
    digest: str
    as_of: date
    currency: str
    repeated: bool
    read: int
    out_of_scope: int
    accounts: int
    borrowers: int
    history_rows: int
    holds: int
    rejected: int
    balance_minor: int
    rejected_balance_minor: int
    by_bucket: dict[str, int]
    balance_by_bucket: dict[str, int]
    reject_file: str

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        return asdict(self) | {"as_of": self.as_of.isoformat()}


@act("book.import", permission="book.import")
def import_book(*, actor: Actor, path: Path, profile: Profile, at: datetime, as_of: date | None = None) -> ImportReport:
    """Import a file by its profile. The same file again is a no-op that gives the same figures.

    Raises `FileRefused`, `ColumnMissing`, `ProfileRefused`, `NothingToImport`, `AllRowsRejected`, `NotReconciled`.
    """
    day = as_of or profile.as_of
    if day is None:
        raise ProfileRefused(problem="as_of stands neither in the profile nor in the call", where="as_of")
    if not path.is_file():
        reading.read_table(path, separator=profile.separator)
    digest = places.digest_of(path)
    locks.lock(keys=[f"book:import:{digest}"])
    standing = ImportFile.objects.filter(digest=digest, profile=profile.name).first()
    if standing is not None:
        return ImportReport(**{**standing.report, "as_of": standing.as_of, "repeated": True})
    table = reading.read_table(path, separator=profile.separator)
    checked = checking.check(table, profile, as_of=day)
    checked = _against_database(checked)
    reject_file = _write_rejects(checked.rejects, digest) if checked.rejects.height else ""
    if checked.accepted.is_empty():
        if checked.rejects.is_empty():
            raise NothingToImport(where=path.name)
        raise AllRowsRejected(rows=checked.rejects["row"].n_unique(), rejects=reject_file, where=path.name)
    import_id = new_id()
    frame = _with_ids(checked.accepted)
    report = _report(frame, checked, path=path, profile=profile, digest=digest, as_of=day, read=table.frame.height, reject_file=reject_file)
    _reconcile(report)
    ImportFile.objects.create(
        id=import_id, digest=digest, profile=profile.name, filename=path.name, as_of=day, currency=profile.currency, rows=report.read,
        accounts=report.accounts, borrowers=report.borrowers, history_rows=report.history_rows, rejected=report.rejected,
        balance_minor=report.balance_minor, report=report.as_dict(), imported_at=at,
    )  # fmt: skip
    _store(frame, profile, import_id=import_id, as_of=day, at=at)
    note(what="import", ref=import_id, accounts=report.accounts, rejected=report.rejected, balance_minor=report.balance_minor, currency=report.currency, digest=digest)
    return report


def _against_database(checked: checking.Checked) -> checking.Checked:
    """Reject accounts that stand already from another file."""
    refs = checked.accepted["account_ref"].to_list()
    with transactions.connection().cursor() as cursor:
        cursor.execute("SELECT external_ref FROM book_account WHERE external_ref = ANY(%s)", [refs])
        known = [row[0] for row in cursor.fetchall()]
    if not known:
        return checked
    double = checked.accepted.filter(pl.col("account_ref").is_in(known))
    rejects = double.select("row", column=pl.lit("account id"), value=pl.col("account_ref"), rule=pl.lit("account_not_in_book")).cast(checking.REJECTS)
    return checking.Checked(
        accepted=checked.accepted.filter(~pl.col("account_ref").is_in(known)),
        rejects=pl.concat([checked.rejects, rejects]).sort("row", "column", "rule"),
        out_of_scope=checked.out_of_scope,
        rejected_minor=checked.rejected_minor + int(double["balance_minor"].sum()),
    )


def _write_rejects(rejects: pl.DataFrame, digest: str) -> str:
    path = places.place("rejects", f"{digest[:16]}.csv")
    rejects.write_csv(path)
    return str(path)


def _uuids(count: int) -> pl.Series:
    """Make UUIDv7 texts for a column."""
    return pl.Series([str(new_id()) for _ in range(count)], dtype=pl.String)


def _with_ids(frame: pl.DataFrame) -> pl.DataFrame:
    """Give every row its account id, and rows of one borrower one borrower id (known borrowers keep theirs)."""
    refs = frame["borrower_ref"].unique(maintain_order=True)
    known = pl.DataFrame(schema={"borrower_ref": pl.String, "borrower_id": pl.String})
    with transactions.connection().cursor() as cursor:
        cursor.execute("SELECT external_ref, id::text FROM book_borrower WHERE external_ref = ANY(%s)", [refs.to_list()])
        if found := cursor.fetchall():
            known = pl.DataFrame(found, schema=known.schema, orient="row")
    new = refs.filter(~refs.is_in(known["borrower_ref"].implode()))
    made = pl.DataFrame({"borrower_ref": new, "borrower_id": _uuids(new.len())})
    owners = pl.concat([known.with_columns(is_new=pl.lit(value=False)), made.with_columns(is_new=pl.lit(value=True))])
    return frame.join(owners, on="borrower_ref", how="left").with_columns(account_id=_uuids(frame.height))


def _report(frame: pl.DataFrame, checked: checking.Checked, *, path: Path, profile: Profile, digest: str, as_of: date, read: int, reject_file: str) -> ImportReport:
    by_bucket = frame.group_by("bucket").agg(n=pl.len(), minor=pl.sum("balance_minor")).sort("bucket")
    return ImportReport(
        file=path.name,
        profile=profile.name,
        digest=digest,
        as_of=as_of,
        currency=profile.currency,
        repeated=False,
        read=read,
        out_of_scope=checked.out_of_scope,
        accounts=frame.height,
        borrowers=frame["borrower_id"].n_unique(),
        history_rows=_history(frame, profile).height if profile.history else 0,
        holds=sum(int(frame[column].sum()) for column in frame.columns if column.startswith("hold_")),
        rejected=checked.rejects["row"].n_unique(),
        balance_minor=int(frame["balance_minor"].sum()),
        rejected_balance_minor=checked.rejected_minor,
        by_bucket=dict(zip(by_bucket["bucket"].to_list(), by_bucket["n"].to_list(), strict=True)),
        balance_by_bucket=dict(zip(by_bucket["bucket"].to_list(), by_bucket["minor"].to_list(), strict=True)),
        reject_file=reject_file,
    )


def _reconcile(report: ImportReport) -> None:
    if report.read != report.accounts + report.rejected + report.out_of_scope:
        raise NotReconciled(problem=f"{report.read} read ≠ {report.accounts} + {report.rejected} + {report.out_of_scope}")
    if report.balance_minor != sum(report.balance_by_bucket.values()) or report.accounts != sum(report.by_bucket.values()):
        raise NotReconciled(problem="buckets do not sum to the whole")


def _history(frame: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """Turn wide months into one row an account and month; a month without any figure is no row."""
    parts = [
        frame.select("account_id", pl.lit(month).alias("month"), pl.col(f"history_{index}").struct.unnest()).filter(
            pl.any_horizontal(pl.col("bill_minor", "paid_minor", "months_late").is_not_null())
        )
        for index, (month, *_columns) in enumerate(profile.history)
    ]
    return pl.concat(parts)


def _copy(cursor: Any, table: str, columns: str, frame: pl.DataFrame) -> None:
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT csv)") as stream:
        for part in frame.iter_slices(COPY_ROWS):
            stream.write(part.write_csv(include_header=False).encode())


_TEMP = """
CREATE TEMP TABLE in_borrower (id uuid, subject uuid, ref text, organisation bool, language text, region text) ON COMMIT DROP;
CREATE TEMP TABLE in_account (id uuid, borrower uuid, ref text, product text, currency text, principal bigint, interest bigint, fee bigint,
  balance bigint, credit_limit bigint, opened date, since date, days int, bucket text, region text) ON COMMIT DROP;
CREATE TEMP TABLE in_month (account uuid, month date, bill bigint, paid bigint, late smallint) ON COMMIT DROP;
CREATE TEMP TABLE in_hold (borrower uuid, account uuid, kind text) ON COMMIT DROP;
CREATE TEMP TABLE in_point (borrower uuid, channel text, field text, position smallint) ON COMMIT DROP;
"""


def _store(frame: pl.DataFrame, profile: Profile, *, import_id: UUID, as_of: date, at: datetime) -> None:
    borrowers = frame.filter("is_new").unique("borrower_id", keep="first", maintain_order=True).with_columns(subject_id=_uuids(frame.filter("is_new")["borrower_id"].n_unique()))
    with transactions.connection().cursor() as cursor:
        cursor.execute(_TEMP)
        _copy(cursor, "in_borrower", "id, subject, ref, organisation, language, region", borrowers.select("borrower_id", "subject_id", "borrower_ref", "is_organisation", "language", "region"))
        cursor.execute("INSERT INTO book_borrower (id, subject_id, external_ref, is_organisation, language, region) SELECT id, subject, ref, organisation, language, region FROM in_borrower")
        _copy(
            cursor, "in_account", "id, borrower, ref, product, currency, principal, interest, fee, balance, credit_limit, opened, since, days, bucket, region",
            frame.select("account_id", "borrower_id", "account_ref", "product", "currency", "principal_minor", "interest_minor", "fee_minor", "balance_minor",
                         "credit_limit_minor", "opened_on", "past_due_since", "days_past_due", "bucket", "region"),
        )  # fmt: skip
        cursor.execute(
            "INSERT INTO book_account (id, borrower_id, external_ref, product, currency, principal_minor, interest_minor, fee_minor, balance_minor, credit_limit_minor, "
            "opened_on, past_due_since, days_past_due, bucket, region, as_of, status, import_file_id) SELECT id, borrower, ref, product, currency, principal, interest, fee, "
            "balance, credit_limit, opened, since, days, bucket, region, %s, 'OPEN', %s FROM in_account",
            [as_of, import_id],
        )
        if profile.history:
            _copy(cursor, "in_month", "account, month, bill, paid, late", _history(frame, profile).select("account_id", "month", "bill_minor", "paid_minor", "months_late"))
            cursor.execute("INSERT INTO book_repayment_month (account_id, month, bill_minor, paid_minor, months_late) SELECT account, month, bill, paid, late FROM in_month")
        _store_holds(cursor, frame, at=at)
        _store_points(cursor, borrowers, zone=profile.zone)
    if profile.personal and borrowers.height:
        store.put(_persons(borrowers, profile))


def _store_holds(cursor: Any, frame: pl.DataFrame, *, at: datetime) -> None:
    """Holds that come with the file need no event: nothing is placed or permitted yet."""
    kinds = [column.removeprefix("hold_") for column in frame.columns if column.startswith("hold_")]
    for kind in kinds:
        _copy(cursor, "in_hold", "borrower, account, kind", frame.filter(pl.col(f"hold_{kind}")).select("borrower_id", "account_id", pl.lit(kind).alias("kind")))
    if kinds:
        cursor.execute("INSERT INTO book_hold (id, borrower_id, account_id, kind, reason, source, active_from) SELECT uuidv7(), borrower, account, kind, 'IMPORTED', 'import', %s FROM in_hold", [at])


def _store_points(cursor: Any, borrowers: pl.DataFrame, *, zone: str) -> None:
    for column, channel, field in (("person_phone", "PHONE", "phone"), ("person_email", "EMAIL", "email"), ("person_address", "ADDRESS", "address")):
        if column not in borrowers.columns:
            continue
        values = borrowers.select("borrower_id", pl.col(column)).with_columns(position=pl.int_ranges(0, pl.col(column).list.len())).explode(column, "position").filter(pl.col(column).is_not_null())
        _copy(cursor, "in_point", "borrower, channel, field, position", values.select("borrower_id", pl.lit(channel).alias("channel"), pl.lit(field).alias("field"), "position"))
    cursor.execute(
        "INSERT INTO book_contact_point (id, borrower_id, channel, role, field, position, zones, valid) SELECT uuidv7(), borrower, channel, 'BORROWER', field, position, %s, true FROM in_point",
        [[zone]],
    )


def _persons(borrowers: pl.DataFrame, profile: Profile) -> Iterator[store.Person]:
    """Sealing is a cipher call a person: the one place where rows are taken one by one."""
    names = list(profile.personal)
    columns = [f"person_{name}" for name in names]
    for subject_id, *values in borrowers.select("subject_id", *columns).iter_rows():
        yield store.Person(subject_id=UUID(subject_id), fields={name: [part or "" for part in value] for name, value in zip(names, values, strict=True)})
