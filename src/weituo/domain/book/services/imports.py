"""Importing a book: one file, one transaction, every bad row named, every total reconciled."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from uuid import UUID

import polars as pl

from weituo.domain.book import checking, reading
from weituo.domain.book.errors import (
    AllRowsRejected,
    FileRefused,
    NothingToImport,
    NotReconciled,
    ProfileRefused,
)
from weituo.domain.book.models import ImportFile
from weituo.domain.book.profiles import Profile
from weituo.domain.book.services import storing
from weituo.foundation import locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.files import places
from weituo.foundation.ids import new_id
from weituo.foundation.jobs import progress
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

T = TypeVar("T")


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
def import_book(
    *, actor: Actor, path: Path, profile: Profile, at: datetime, as_of: date | None = None
) -> ImportReport:
    """Import a file by its profile. The same file again is a no-op that gives the same figures.

    Raises `FileRefused`, `ColumnMissing`, `ProfileRefused`, `NothingToImport`, `AllRowsRejected`, `NotReconciled`.
    """
    day = as_of or profile.as_of
    if day is None:
        raise ProfileRefused(problem="as_of stands neither in the profile nor in the call", where="as_of")
    if not path.is_file():
        raise FileRefused(problem="there is no such file", where=str(path))
    digest = places.digest_of(path)
    locks.lock(keys=[f"book:import:{digest}"])
    before = ImportFile.objects.filter(digest=digest, profile=profile.name).first()
    if before is not None:
        return ImportReport(**{**before.report, "as_of": before.as_of, "repeated": True})
    source = reading.open_source(path, separator=profile.separator)
    refs = pl.concat(
        [
            checking.account_refs(table, profile)
            for table in reading.blocks(source, columns=checking.key_columns(profile))
        ]
    )
    twice = refs.filter(refs.is_duplicated()).unique()
    intake = Intake(import_id=new_id(), profile=profile, as_of=day, at=at, digest=digest)
    # the accounts name their file, so it stands first; what was counted follows
    record = ImportFile.objects.create(
        id=intake.import_id, digest=digest, profile=profile.name, filename=path.name, as_of=day, currency=profile.currency,
        rows=0, accounts=0, borrowers=0, history_rows=0, rejected=0, balance_minor=0, imported_at=at,
    )  # fmt: skip
    with transactions.connection().cursor() as cursor:
        cursor.execute(storing.TEMP)
        standing = storing.known(cursor, "book_account", refs)["ref"]
        checks = (
            (table, checking.check(table, profile, as_of=day, twice=twice, standing=standing))
            for table in reading.blocks(source)
        )
        for table, checked in _ahead(checks):
            intake.take(cursor, table, checked)
            progress.tell(intake.read, refs.len(), worded("Rows are checked and stored"))
    reject_file = intake.close()
    if not intake.accounts:
        if not intake.rejected:
            raise NothingToImport(where=path.name)
        raise AllRowsRejected(rows=intake.rejected, rejects=reject_file, where=path.name)
    report = intake.report(file=path.name, reject_file=reject_file)
    _reconcile(report, import_id=intake.import_id)
    record.rows, record.report = report.read, report.as_dict()
    for name in ("accounts", "borrowers", "history_rows", "rejected", "balance_minor"):
        setattr(record, name, getattr(report, name))
    record.save(
        update_fields=["rows", "report", "accounts", "borrowers", "history_rows", "rejected", "balance_minor"]
    )
    note(
        what="import",
        ref=intake.import_id,
        accounts=report.accounts,
        rejected=report.rejected,
        balance_minor=report.balance_minor,
        currency=report.currency,
        digest=digest,
    )
    return report


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """Work out the next item in a thread of its own while the present one is being stored."""
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = beside.submit(next, items, None)
            yield item


class Intake:
    """What one import has taken in so far: stores each block, writes rejects, counts."""

    def __init__(self, *, import_id: UUID, profile: Profile, as_of: date, at: datetime, digest: str) -> None:
        self.import_id, self.profile, self.as_of, self.at, self.digest = import_id, profile, as_of, at, digest
        self.read = self.accounts = self.new_borrowers = self.history_rows = self.holds = self.rejected = (
            self.out_of_scope
        ) = 0
        self.rejected_minor = 0
        self.counts: Counter[str] = Counter()
        self.money: Counter[str] = Counter()
        #: reference → id of every borrower met in this file
        self._owners: list[pl.DataFrame] = []
        self._draft = places.place("rejects", f"{digest[:16]}.{os.getpid()}.part")
        self._rejects: BinaryIO | None = None

    def take(self, cursor: Any, table: reading.Table, checked: checking.Checked) -> None:
        """Store the accepted rows of a block and count everything."""
        self.read += table.frame.height
        self.out_of_scope += checked.out_of_scope
        self.rejected_minor += checked.rejected_minor
        if checked.rejects.height:
            self.rejected += checked.rejects["row"].n_unique()
            if self._rejects is None:
                self._rejects = places.open_private(self._draft)
                self._rejects.write(b"row,column,value,rule\n")
            checked.rejects.write_csv(self._rejects, include_header=False)
        if checked.accepted.is_empty():
            return
        frame = self._with_ids(cursor, checked.accepted)
        for bucket, count, minor in (
            frame.group_by("bucket").agg(pl.len(), pl.sum("balance_minor")).iter_rows()
        ):
            self.counts[bucket] += count
            self.money[bucket] += minor
        self.accounts += frame.height
        self.holds += sum(int(frame[column].sum()) for column in frame.columns if column.startswith("hold_"))
        self.history_rows += storing.store(
            cursor, frame, self.profile, import_id=self.import_id, as_of=self.as_of, at=self.at
        )

    def _with_ids(self, cursor: Any, frame: pl.DataFrame) -> pl.DataFrame:
        """Give every row its account id, and rows of one borrower one borrower id (known borrowers keep theirs)."""
        refs = frame.select(pl.col("borrower_ref").unique(maintain_order=True))
        met = [refs.join(owners, on="borrower_ref", how="inner") for owners in self._owners]
        for part in met:
            refs = refs.join(part, on="borrower_ref", how="anti", maintain_order="left")
        old = storing.known(cursor, "book_borrower", refs["borrower_ref"]).rename(
            {"ref": "borrower_ref", "id": "borrower_id"}
        )
        new = refs.join(old, on="borrower_ref", how="anti", maintain_order="left").with_columns(
            borrower_id=storing.uuids(refs.height - old.height)
        )
        self._owners.append(pl.concat([old, new]))
        owners = pl.concat(
            [
                *(part.with_columns(is_new=pl.lit(value=False)) for part in [*met, old]),
                new.with_columns(is_new=pl.lit(value=True)),
            ]
        )
        return frame.join(owners, on="borrower_ref", how="left", maintain_order="left").with_columns(
            account_id=storing.uuids(frame.height)
        )

    def close(self) -> str:
        """Put the reject file in its place and give its path, or an empty text when no row was rejected."""
        if self._rejects is None:
            return ""
        self._rejects.close()
        final = self._draft.with_name(f"{self.digest[:16]}.csv")
        self._draft.replace(final)
        return str(final)

    def report(self, *, file: str, reject_file: str) -> ImportReport:
        """Sum up."""
        return ImportReport(
            file=file, profile=self.profile.name, digest=self.digest, as_of=self.as_of, currency=self.profile.currency, repeated=False, read=self.read,
            out_of_scope=self.out_of_scope, accounts=self.accounts, borrowers=sum(owners.height for owners in self._owners),
            history_rows=self.history_rows, holds=self.holds, rejected=self.rejected, balance_minor=sum(self.money.values()),
            rejected_balance_minor=self.rejected_minor, by_bucket=dict(sorted(self.counts.items())),
            balance_by_bucket=dict(sorted(self.money.items())), reject_file=reject_file,
        )  # fmt: skip


def _reconcile(report: ImportReport, *, import_id: UUID) -> None:
    if report.read != report.accounts + report.rejected + report.out_of_scope:
        raise NotReconciled(
            problem=f"{report.read} read ≠ {report.accounts} + {report.rejected} + {report.out_of_scope}"
        )
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(a.balance_minor), 0)::bigint FROM book_account a WHERE a.import_file_id = %s",
            [import_id],
        )
        accounts, minor = cursor.fetchone()
    if (accounts, minor) != (report.accounts, report.balance_minor):
        raise NotReconciled(
            problem=f"the database holds {accounts} accounts with {minor}, the report says {report.accounts} with {report.balance_minor}"
        )
