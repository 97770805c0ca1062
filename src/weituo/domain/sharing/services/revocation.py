"""Taking packages back: the row first, the file after commit; and removing files that have no live row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
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


@transactions.transaction_required
def revoke_packages(
    *,
    reason: str,
    at: datetime,
    agency_id: UUID | None = None,
    placement_ids: Sequence[UUID] | None = None,
) -> int:
    """Revoke an agency's live packages, or those that hold one of these placements; their files go after the commit.

    A package that holds a recalled case is revoked whole: what remains placed is sealed anew on request.
    """
    if (agency_id is None) == (placement_ids is None):
        raise ValueError("revoke_packages takes an agency or placements")
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE sharing_package k SET state = 'REVOKED', revoked_at = %(at)s, revoked_reason = %(reason)s FROM partners_agency g "
            "WHERE g.id = k.agency_id AND k.state <> 'REVOKED' AND (k.agency_id = %(agency)s::uuid OR EXISTS (SELECT 1 FROM placement_placement p "
            "WHERE p.id = ANY(%(placements)s::uuid[]) AND p.run_id = k.run_id AND p.agency_id = k.agency_id AND p.placed_at <= k.built_at)) "
            "RETURNING k.id, g.code, k.cases",
            {"at": at, "reason": reason, "agency": agency_id, "placements": list(placement_ids or [])},
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


def _destroy_after_commit(path: Path) -> None:
    transactions.run_after_commit(lambda: packing.destroy(path))


@act("sharing.revoke", permission="sharing.revoke")
def revoke_package(*, actor: Actor, package_id: UUID, reason: str, at: datetime) -> None:
    """Revoke one package with a reason. Raises `PackageNotFound`, `PackageRevoked`, `ReasonNeeded`."""
    if not reason.strip():
        raise ReasonNeeded(problem="a reason is needed", where="reason")
    package = Package.objects.select_for_update().filter(id=package_id).first()
    if package is None:
        raise PackageNotFound(what="package", where=str(package_id))
    if package.state == Package.State.REVOKED:
        raise PackageRevoked(where=str(package_id))
    code = next(row.code for row in partners.agencies(actor) if row.id == package.agency_id)
    Package.objects.filter(id=package_id).update(
        state=Package.State.REVOKED, revoked_at=at, revoked_reason=reason
    )
    note(what="package", ref=package_id, reason=reason, agency=str(package.agency_id), cases=package.cases)
    _destroy_after_commit(packing.path_of(agency_code=code, package_id=package_id))
    events.publish(PackagesRevoked(package_ids=(package_id,), reason=reason, revoked_at=at))


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
    live = Package.objects.filter(agency_id=agency_id).exclude(state=Package.State.REVOKED)
    return {f"{package_id}{packing.SUFFIX}" for package_id in live.values_list("id", flat=True)}
