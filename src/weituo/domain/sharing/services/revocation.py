"""Taking cases and packages back: the row first, the file after commit; and removing files that have no live row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from weituo.domain.partners import queries as partners
from weituo.domain.sharing import packing
from weituo.domain.sharing.errors import PackageNotFound, PackageRevoked, ReasonNeeded
from weituo.domain.sharing.events import PackagesRevoked
from weituo.domain.sharing.models import Package
from weituo.foundation import events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.files.places import place
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

#: a live package of the run in which a placement was made, built since
_LIVE: Final = """
FROM placement_placement p JOIN sharing_package k ON k.run_id = p.run_id AND k.agency_id = p.agency_id AND p.placed_at <= k.built_at
  AND k.state <> 'REVOKED'
"""
#: one demand for each agency and package, with the cases of `held` (agency_id, package_id, placement_id)
_ASK: Final = """
INSERT INTO sharing_destruction (id, agency_id, package_id, placements, cases, reason, asked_at)
SELECT uuidv7(), agency_id, package_id, array_agg(placement_id ORDER BY placement_id), count(*), %(reason)s, %(at)s
FROM held GROUP BY agency_id, package_id RETURNING id, agency_id, package_id, cases, placements
"""


@transactions.transaction_required
def take_back_cases(*, placement_ids: Sequence[UUID], reason: str, at: datetime) -> int:
    """Take ended cases out of the agencies' hands; return how many must be destroyed.

    The packages that hold them stand for their other cases, but their files go after the commit and are not handed out
    again. What left, in a package or opened online, must be destroyed by its agency, which confirms it. A package of which
    no case remains is revoked.
    """
    ended = list(placement_ids)
    with transactions.connection().cursor() as cursor:
        # a revocation of the same package comes wholly before or wholly after
        cursor.execute(
            f"SELECT k.id {_LIVE} WHERE p.id = ANY(%s::uuid[]) ORDER BY k.id FOR UPDATE OF k",
            [ended],
        )
        cursor.execute(
            f"WITH inside AS (SELECT k.agency_id, k.id AS package_id, p.id AS placement_id {_LIVE} WHERE p.id = ANY(%(ended)s::uuid[])), "  # noqa: S608 - constants above
            "held AS (SELECT * FROM inside UNION ALL SELECT p.agency_id, NULL, p.id FROM placement_placement p WHERE p.id = ANY(%(ended)s::uuid[]) "
            "AND p.id NOT IN (SELECT placement_id FROM inside) AND EXISTS (SELECT 1 FROM sharing_disclosure d WHERE d.placement_id = p.id)) "
            + _ASK,
            {"ended": ended, "reason": reason, "at": at},
        )
        asked = cursor.fetchall()
    _note_asked(asked, reason=reason)
    packages = [row[2] for row in asked if row[2] is not None]
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT k.id, g.code, k.cases <= (SELECT sum(d.cases) FROM sharing_destruction d WHERE d.package_id = k.id) "
            "FROM sharing_package k JOIN partners_agency g ON g.id = k.agency_id WHERE k.id = ANY(%s)",
            [packages],
        )
        touched = cursor.fetchall()
    for package_id, code, _empty in touched:
        _destroy_after_commit(packing.path_of(agency_code=code, package_id=package_id))
    _revoke([package_id for package_id, _code, empty in touched if empty], reason=reason, at=at)
    return sum(row[3] for row in asked)


@transactions.transaction_required
def revoke_packages(*, agency_id: UUID, reason: str, at: datetime) -> int:
    """Revoke all of an agency's live packages whole; their files go after the commit. Return how many.

    Never waits for a package that is being built: handing over looks at state and agreement at every act.
    """
    live = Package.objects.filter(agency_id=agency_id).exclude(state=Package.State.REVOKED)
    return _revoke(list(live.values_list("id", flat=True)), reason=reason, at=at)


def _revoke(package_ids: Sequence[UUID], *, reason: str, at: datetime) -> int:
    """Revoke these live packages; every case in them that is not yet to be destroyed must be destroyed now."""
    if not package_ids:
        return 0
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM sharing_package WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE",
            [list(package_ids)],
        )
        cursor.execute(
            f"WITH held AS (SELECT k.agency_id, k.id AS package_id, p.id AS placement_id {_LIVE} WHERE k.id = ANY(%(packages)s::uuid[]) "  # noqa: S608 - constants above
            "AND (p.ended_at IS NULL OR p.ended_at > k.built_at) "
            "AND NOT EXISTS (SELECT 1 FROM sharing_destruction d WHERE d.package_id = k.id AND p.id = ANY(d.placements))) "
            + _ASK,
            {"packages": list(package_ids), "reason": reason, "at": at},
        )
        _note_asked(cursor.fetchall(), reason=reason)
    return withdraw_files(package_ids=package_ids, reason=reason, at=at)


@transactions.transaction_required
def withdraw_files(*, package_ids: Sequence[UUID], reason: str, at: datetime) -> int:
    """Put packages in the state REVOKED, tell it, and destroy their files after the commit; return how many."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE sharing_package k SET state = 'REVOKED', revoked_at = %s, revoked_reason = %s FROM partners_agency g "
            "WHERE g.id = k.agency_id AND k.id = ANY(%s) AND k.state <> 'REVOKED' RETURNING k.id, g.code, k.cases",
            [at, reason, list(package_ids)],
        )
        revoked = cursor.fetchall()
    for package_id, code, cases in revoked:
        note(what="package", ref=package_id, reason=reason, cases=cases)
        _destroy_after_commit(packing.path_of(agency_code=code, package_id=package_id))
    if revoked:
        events.publish(
            PackagesRevoked(package_ids=tuple(row[0] for row in revoked), reason=reason, revoked_at=at)
        )
    return len(revoked)


def _note_asked(asked: Sequence[tuple[UUID, UUID, UUID | None, int, list[UUID]]], *, reason: str) -> None:
    for destruction_id, agency_id, package_id, cases, placements in asked:
        note(
            what="destruction",
            ref=destruction_id,
            reason=reason,
            agency=str(agency_id),
            package=str(package_id or ""),
            cases=cases,
            ids=[str(one) for one in placements[:100]],
        )


def _destroy_after_commit(path: Path) -> None:
    transactions.run_after_commit(lambda: packing.destroy(path))


@act("sharing.revoke", permission="sharing.revoke")
def revoke_package(*, actor: Actor, package_id: UUID, reason: str, at: datetime) -> None:
    """Revoke one package with a reason. Raises `PackageNotFound`, `PackageRevoked`, `ReasonNeeded`."""
    if not reason.strip():
        raise ReasonNeeded(problem=worded("a reason is needed"), where="reason")
    package = Package.objects.select_for_update().filter(id=package_id).first()
    if package is None:
        raise PackageNotFound(what="package", where=str(package_id))
    if package.state == Package.State.REVOKED:
        raise PackageRevoked(where=str(package_id))
    _revoke([package_id], reason=reason, at=at)


@act("sharing.sweep", permission="sharing.revoke")
def sweep_files(*, actor: Actor, at: datetime) -> int:
    """Remove every file under `packages/` that has no live row: what a crash or a revocation left; return how many.

    Waits for a package that is being built for the same agency right now.
    """
    folder = place("packages", ".keep").parent
    codes = {row.code: row.id for row in partners.agencies(actor)}
    removed = 0
    for place_of_agency in sorted(path for path in folder.iterdir() if path.is_dir()):
        agency_id = codes.get(place_of_agency.name)
        live = set() if agency_id is None else _live_files(agency_id)
        for path in sorted(place_of_agency.iterdir()):
            if path.is_file() and path.name not in live:
                packing.destroy(path)
                removed += 1
    note(what="packages", ref="sweep", removed=removed)
    return removed


def _live_files(agency_id: UUID) -> set[str]:
    """Give the names of the files that must stay, once no package is being built for this agency."""
    locks.lock(keys=[f"sharing:{agency_id}"])
    live = Package.objects.filter(agency_id=agency_id, destruction=None).exclude(state=Package.State.REVOKED)
    return {f"{package_id}{packing.SUFFIX}" for package_id in live.values_list("id", flat=True)}
