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
    ProfileChanged,
    ProfileRefused,
)
from weituo.domain.book.events import BalancesRefreshed
from weituo.domain.book.models import ImportFile
from weituo.domain.book.profiles import Profile
from weituo.domain.book.services import refreshing, storing
from weituo.foundation import days, events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.files import places
from weituo.foundation.ids import new_id
from weituo.foundation.jobs import progress
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

T = TypeVar("T")
#: what a report says of accounts that stood in the book
KNOWN = ("updated", "unchanged", "differing", "changed_minor", "difference_minor")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did; read = accounts + rejected + out_of_scope, and likewise for money in scope.

    accounts = new + updated + unchanged. balance_minor is what the file says of them; the book holds it less difference_minor,
    the sum over the `differing` accounts whose booked payments the file does not agree with (listed in differences_file).
    changed_minor: by how much balances of known accounts that were taken over changed what is owed.
    """

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
    new: int
    updated: int = 0
    unchanged: int = 0
    differing: int = 0
    changed_minor: int = 0
    difference_minor: int = 0
    differences_file: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        return asdict(self) | {"as_of": self.as_of.isoformat()}


@act("book.import", permission="book.import")
def import_book(
    *, actor: Actor, path: Path, profile: Profile, at: datetime, as_of: date | None = None
) -> ImportReport:
    """Import a file by its profile. The same file by the same profile for the same day is a no-op that gives the same figures.

    Accounts that stand in the book are rejected rows, or by `known = "refresh"` brought up to the file. Raises `ProfileChanged`, `FileRefused`, `ColumnMissing`, `ProfileRefused`, `NothingToImport`, `AllRowsRejected`, `NotReconciled`.
    """
    day = as_of or profile.as_of
    if day is None:
        raise ProfileRefused(
            problem=worded("as_of stands neither in the profile nor in the call"), where="as_of"
        )
    if not path.is_file():
        raise FileRefused(problem=worded("there is no such file"), where=str(path))
    digest = places.digest_of(path)
    locks.lock(keys=[f"book:import:{digest}"])
    if (before := _before(digest, profile, day)) is not None:
        return before
    source = reading.open_source(path, separator=profile.separator)
    intake = Intake(import_id=new_id(), profile=profile, as_of=day, at=at, digest=digest)
    # the accounts name their file, so it stands first; what was counted follows
    record = ImportFile.objects.create(
        id=intake.import_id, digest=digest, profile=profile.name, profile_digest=profile.digest, filename=path.name, as_of=day, currency=profile.currency,
        rows=0, accounts=0, borrowers=0, history_rows=0, rejected=0, balance_minor=0, imported_at=at,
    )  # fmt: skip
    _take_all(intake, source)
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
    if report.updated:
        events.publish(BalancesRefreshed(import_id=intake.import_id, refreshed_at=at))
    note(
        what="import",
        ref=intake.import_id,
        accounts=report.accounts,
        rejected=report.rejected,
        balance_minor=report.balance_minor,
        currency=report.currency,
        digest=digest,
        **({name: getattr(report, name) for name in KNOWN} if profile.known == "refresh" else {}),
    )
    return report


def _take_all(intake: Intake, source: reading.Source) -> None:
    """Read the file twice, for what it refers to and for what it says, and store block by block."""
    profile = intake.profile
    refs = pl.concat(
        [
            checking.account_refs(table, profile)
            for table in reading.blocks(source, columns=checking.key_columns(profile))
        ]
    )
    twice = refs.filter(refs.is_duplicated()).unique()
    with transactions.connection().cursor() as cursor:
        cursor.execute(storing.TEMP + refreshing.TEMP)
        if profile.known == "refresh":
            intake.standing, standing = refreshing.standing(cursor, refs), refs.clear()
        else:
            standing = storing.known(cursor, "book_account", refs)["ref"]
        checks = (
            (table, checking.check(table, profile, as_of=intake.as_of, twice=twice, standing=standing))
            for table in reading.blocks(source)
        )
        for table, checked in _ahead(checks):
            intake.take(cursor, table, checked)
            progress.tell(intake.read, refs.len(), worded("Rows are checked and stored"))


def _before(digest: str, profile: Profile, day: date) -> ImportReport | None:
    """Give the report of the same import made before. Raises `ProfileChanged` where the profile or the day was another."""
    same = ImportFile.objects.filter(digest=digest, profile=profile.name)
    # what was imported before profiles' digests were kept is the same by its name
    found = same.filter(profile_digest__in=(profile.digest, ""), as_of=day).first()
    if found is not None:
        report = {"new": found.accounts} | found.report | {"as_of": found.as_of, "repeated": True}
        return ImportReport(**report)
    other = same.order_by("-imported_at").first()
    if other is not None and profile.known == "refuse":
        raise ProfileChanged(
            day=days.day_of(other.imported_at).isoformat(), profile=profile.name, where=other.filename
        )
    return None


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
        #: what the book says of known accounts; None where they are rejected rows
        self.standing: pl.DataFrame | None = None
        self.counts_known: Counter[str] = Counter()
        self._differences: list[pl.DataFrame] = []

    def take(self, cursor: Any, table: reading.Table, checked: checking.Checked) -> None:
        """Store the accepted rows of a block and count everything."""
        if self.standing is not None:
            checked = refreshing.judge(checked, self.standing, self.profile, as_of=self.as_of)
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
        frame = checked.accepted
        for bucket, count, minor in (
            frame.group_by("bucket").agg(pl.len(), pl.sum("balance_minor")).iter_rows()
        ):
            self.counts[bucket] += count
            self.money[bucket] += minor
        self.accounts += frame.height
        self.holds += sum(int(frame[column].sum()) for column in frame.columns if column.startswith("hold_"))
        if self.standing is not None:
            frame = self._refresh(cursor, frame, self.standing)
        if frame.is_empty():
            return
        self.counts_known["new"] += frame.height
        self.history_rows += storing.store(
            cursor, self._with_ids(cursor, frame), self.profile, import_id=self.import_id, as_of=self.as_of, at=self.at,
        )  # fmt: skip

    def _refresh(self, cursor: Any, frame: pl.DataFrame, standing: pl.DataFrame) -> pl.DataFrame:
        """Bring the known accounts up to the file, and give the rows of new ones."""
        known = frame.join(standing, on="account_ref", how="inner", maintain_order="left")
        if known.is_empty():
            return frame
        compared = refreshing.compare(known, self.profile, as_of=self.as_of)
        counts = refreshing.refresh(
            cursor, compared, self.profile, import_id=self.import_id, as_of=self.as_of, at=self.at
        )
        for name in KNOWN:
            self.counts_known[name] += getattr(counts, name)
        self.history_rows += counts.history_rows
        self._owners.append(known.select("borrower_ref", "borrower_id").unique(maintain_order=True))
        if counts.differing:
            self._differences.append(refreshing.differences(compared))
        return frame.join(standing.select("account_ref"), on="account_ref", how="anti", maintain_order="left")

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

    def differences(self) -> str:
        """Write the list of differences and give its path, or an empty text when the file and the book agree."""
        if not self._differences:
            return ""
        final = self._draft.with_name(f"{self.digest[:16]}.differences.csv")
        pl.concat(self._differences).write_csv(final)
        final.chmod(0o600)
        return str(final)

    def report(self, *, file: str, reject_file: str) -> ImportReport:
        """Sum up."""
        return ImportReport(
            file=file, profile=self.profile.name, digest=self.digest, as_of=self.as_of, currency=self.profile.currency, repeated=False, read=self.read,
            out_of_scope=self.out_of_scope, accounts=self.accounts, borrowers=sum(owners.height for owners in self._owners),
            history_rows=self.history_rows, holds=self.holds, rejected=self.rejected, balance_minor=sum(self.money.values()),
            rejected_balance_minor=self.rejected_minor, by_bucket=dict(sorted(self.counts.items())),
            balance_by_bucket=dict(sorted(self.money.items())), reject_file=reject_file,
            new=self.counts_known["new"], **{name: self.counts_known[name] for name in KNOWN}, differences_file=self.differences(),
        )  # fmt: skip


def _reconcile(report: ImportReport, *, import_id: UUID) -> None:
    if report.accounts != report.new + report.updated + report.unchanged:
        raise NotReconciled(
            problem=worded(
                "%(accounts)s accounts ≠ %(new)s + %(updated)s + %(unchanged)s",
                accounts=report.accounts,
                new=report.new,
                updated=report.updated,
                unchanged=report.unchanged,
            )
        )
    if report.read != report.accounts + report.rejected + report.out_of_scope:
        raise NotReconciled(
            problem=worded(
                "%(read)s read ≠ %(accounts)s + %(rejected)s + %(out_of_scope)s",
                read=report.read,
                accounts=report.accounts,
                rejected=report.rejected,
                out_of_scope=report.out_of_scope,
            )
        )
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(a.balance_minor), 0)::bigint FROM book_account a WHERE coalesce(a.refreshed_by, a.import_file_id) = %s",
            [import_id],
        )
        accounts, minor = cursor.fetchone()
    stated = report.balance_minor - report.difference_minor
    if (accounts, minor) != (report.accounts, stated):
        raise NotReconciled(
            problem=worded(
                "the database holds %(stored)s accounts with %(minor)s, the report says %(accounts)s with %(balance)s",
                stored=accounts,
                minor=minor,
                accounts=report.accounts,
                balance=stated,
            )
        )
