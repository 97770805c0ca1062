"""Building a package, handing it to its agency, and its receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db.models import Sum

from weituo.domain.partners.queries import AgreementRow
from weituo.domain.sharing import fields, gathering, packing
from weituo.domain.sharing.errors import (
    CasesTakenBack,
    FileMissing,
    MixedCurrencies,
    NoCasesToShare,
    PackageNotFound,
    PackageOutdated,
    PackageRevoked,
    PackageStands,
    TotalsDiffer,
)
from weituo.domain.sharing.events import PackageBuilt
from weituo.domain.sharing.models import Destruction, Disclosure, Package
from weituo.domain.sharing.services import revocation
from weituo.foundation import days, events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.errors import NotFound
from weituo.foundation.files.places import digest_of
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded, worded_list

#: the reason that the program gives when a new package takes the place of one out of which cases were taken back
REPLACED: Final = "REPLACED"


@act("sharing.build", permission="sharing.build")
def build_package(*, actor: Actor, agency_id: UUID, run_id: UUID, at: datetime) -> UUID:
    """Seal the allowed facts of every active case that a run placed with an agency into one file; log the disclosure.

    A package out of which cases were taken back, or that lacks cases accepted since, is replaced; any other that stands
    is in the way.
    The values are opened by the program for the file alone; who builds never sees them. The file is whole on the disk
    before the row commits; a file that lost its row is removed by `sweep_files`.
    Raises `NothingMayBeShared` naming what is missing, `NoCasesToShare`, `PackageStands`, `MixedCurrencies`,
    `CasesTakenBack`.
    """
    locks.lock(keys=[f"sharing:{agency_id}"])
    ground = gathering.ground(actor, agency_id=agency_id, on=days.day_of(at))
    if ground is None:
        raise NotFound(what=worded("agency"), where=str(agency_id))
    agreement = ground.require(with_key=True)
    standing = (
        Package.objects.filter(agency_id=agency_id, run_id=run_id)
        .exclude(state=Package.State.REVOKED)
        .first()
    )
    if standing is not None and not _taken_back(standing.id) and not _accepted_since(standing):
        raise PackageStands(where=str(run_id))
    facts = fields.allowed(agreement.fields_allowed)
    rows = gathering.book_rows(facts, agency_id=agency_id, on=days.day_of(at), run_id=run_id)
    if not rows:
        raise NoCasesToShare(agency=ground.agency_code, where=str(run_id))
    currency = _one_currency(agency_id=agency_id, run_id=run_id)
    package_id = new_id()
    path = packing.path_of(agency_code=ground.agency_code, package_id=package_id)
    head = _head(package_id, ground, agreement, facts, run_id=run_id, currency=currency, at=at)
    assert ground.public_key is not None
    try:
        sealed = packing.seal(
            path=path,
            public_key=ground.public_key,
            blocks=gathering.whole_rows(actor, facts=facts, rows=rows),
            manifest=lambda cases, balance, digest: (
                head | {"cases": cases, "balance_minor": balance, "cases_sha256": digest}
            ),
        )
        _still_placed(rows, where=str(run_id))
        if standing is not None:
            revocation.withdraw_files(package_ids=[standing.id], reason=REPLACED, at=at)
        Package.objects.create(
            id=package_id, agency_id=agency_id, run_id=run_id, agreement_id=agreement.id, fields=head["fields"], cases=sealed.cases,
            balance_minor=sealed.balance_minor, currency=currency, digest=sealed.digest, size_bytes=sealed.size_bytes, built_at=at,
        )  # fmt: skip
        _disclosed(actor, agency_id=agency_id, package_id=package_id, purpose="PACKAGE", names=head["fields"], cases=sealed.cases, at=at)  # fmt: skip
        note(what="package", ref=package_id, agency=str(agency_id), run=str(run_id), agreement=str(agreement.id), fields=head["fields"],
             cases=sealed.cases, balance_minor=sealed.balance_minor, currency=currency, digest=sealed.digest)  # fmt: skip
        events.publish(PackageBuilt(package_id=package_id, agency_id=agency_id, built_at=at))
    except BaseException:
        packing.destroy(path)
        raise
    return package_id


def _taken_back(package_id: UUID) -> int:
    """Give how many cases of a package were taken back since it was built."""
    found = Destruction.objects.filter(package_id=package_id).aggregate(cases=Sum("cases"))
    return int(found["cases"] or 0)


def _accepted_since(package: Package) -> bool:
    """Tell whether the agency holds cases of the package's run that began after it was built."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM placement_placement WHERE run_id = %s AND agency_id = %s AND state = 'ACTIVE' AND placed_at > %s)",
            [package.run_id, package.agency_id, package.built_at],
        )
        return bool(cursor.fetchone()[0])


def _still_placed(rows: Sequence[Mapping[str, Any]], *, where: str) -> None:
    """Refuse a package of which a case was taken back while it was sealed; from here on a recall waits, and finds the package."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM placement_placement WHERE id = ANY(%s::uuid[]) AND state = 'ACTIVE' ORDER BY id FOR SHARE) AS p",
            [[row["_placement"] for row in rows]],
        )
        [placed] = cursor.fetchone()
    if placed < len(rows):
        raise CasesTakenBack(taken_back=len(rows) - placed, where=where)


def _one_currency(*, agency_id: UUID, run_id: UUID) -> str:
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT a.currency FROM placement_placement p JOIN book_account a ON a.id = p.account_id "
            "WHERE p.agency_id = %s AND p.run_id = %s AND p.state = 'ACTIVE' ORDER BY 1",
            [agency_id, run_id],
        )
        currencies: list[str] = [row[0] for row in cursor.fetchall()]
    if len(currencies) != 1:
        raise MixedCurrencies(currencies=", ".join(currencies), where=str(run_id))
    return currencies[0]


def _head(
    package_id: UUID,
    ground: gathering.Ground,
    agreement: AgreementRow,
    facts: tuple[fields.Fact, ...],
    *,
    run_id: UUID,
    currency: str,
    at: datetime,
) -> dict[str, Any]:
    return {
        "format": packing.FORMAT,
        "package_id": str(package_id),
        "agency": ground.agency_code,
        "run_id": str(run_id),
        "agreement_id": str(agreement.id),
        "agreement_version": agreement.version,
        "agreement_to": agreement.active_to.isoformat() if agreement.active_to else None,
        "built_at": at.isoformat(),
        "currency": currency,
        "fields": [fact.name for fact in facts],
    }


def _disclosed(
    actor: Actor,
    *,
    agency_id: UUID,
    package_id: UUID,
    purpose: str,
    names: list[str],
    cases: int,
    at: datetime,
) -> None:
    Disclosure.objects.create(
        id=new_id(), agency_id=agency_id, package_id=package_id, purpose=purpose, fields=names, cases=cases, disclosed_by=actor.id,
        disclosed_at=at,
    )  # fmt: skip


@act("sharing.collect", permission="sharing.collect")
def hand_over(*, actor: Actor, package_id: UUID, at: datetime) -> Path:
    """Give an agency the path of its own encrypted file, checked against its digest; every collection is logged.

    Raises `PackageNotFound` (also for another agency's), `PackageRevoked`, `PackageOutdated` when a case in it was taken
    back, `NothingMayBeShared` when the agreement or the
    agency's standing has ended since, `FileMissing`.
    """
    package = Package.objects.filter(id=package_id).first()
    if package is None:
        raise PackageNotFound(what="package", where=str(package_id))
    if package.state == Package.State.REVOKED:
        raise PackageRevoked(where=str(package_id))
    if taken_back := _taken_back(package_id):
        raise PackageOutdated(taken_back=taken_back, cases=package.cases, where=str(package_id))
    ground = gathering.ground(actor, agency_id=package.agency_id, on=days.day_of(at))
    if ground is None:
        raise PackageNotFound(what="package", where=str(package_id))
    ground.require(with_key=False)
    path = packing.path_of(agency_code=ground.agency_code, package_id=package_id)
    if not path.is_file() or digest_of(path) != package.digest:
        raise FileMissing(where=str(package_id))
    note(
        what="package",
        ref=package_id,
        agency=str(package.agency_id),
        digest=package.digest,
        cases=package.cases,
    )
    return path


@act("sharing.acknowledge", permission="sharing.acknowledge")
def acknowledge_package(
    *, actor: Actor, package_id: UUID, digest: str, cases: int, balance_minor: int, at: datetime
) -> None:
    """Confirm as the agency that the file arrived whole: its SHA-256 and the control totals counted after opening it.

    Confirming again changes nothing. Raises `PackageNotFound`, `PackageRevoked`, `TotalsDiffer` naming each difference.
    """
    package = Package.objects.filter(id=package_id).first()
    if package is None:
        raise PackageNotFound(what="package", where=str(package_id))
    if package.state == Package.State.REVOKED:
        raise PackageRevoked(where=str(package_id))
    differences = {
        name: worded(
            "%(what)s: %(received)s received, %(sent)s sent", what=what, received=received, sent=sent
        )
        for name, what, received, sent in (
            ("digest", worded("digest"), digest.lower(), package.digest),
            ("cases", worded("cases"), cases, package.cases),
            ("balance_minor", worded("balance in minor units"), balance_minor, package.balance_minor),
        )
        if received != sent
    }
    if differences:
        raise TotalsDiffer(differences=worded_list(differences.values()), where=", ".join(differences))
    changed = Package.objects.filter(id=package_id, state=Package.State.BUILT).update(
        state=Package.State.ACKNOWLEDGED, acknowledged_at=at
    )
    note(
        what="package",
        ref=package_id,
        agency=str(package.agency_id),
        cases=cases,
        balance_minor=balance_minor,
        repeated=not changed,
    )
