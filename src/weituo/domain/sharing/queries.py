"""Reading packages, keys and disclosures: who was given what, on what ground, and who holds it now."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from weituo.domain.sharing import fields, gathering, packing
from weituo.domain.sharing.errors import FileMissing, PackageNotFound, PackageOutdated, PackageRevoked
from weituo.foundation import transactions
from weituo.foundation.errors import NotFound
from weituo.foundation.tenancy.actors import Actor, Kind
from weituo.foundation.texts import worded
from weituo.foundation.vault import store as vault


def _reader(viewer: Actor) -> None:
    viewer.require("sharing.read_own" if viewer.kind is Kind.AGENCY else "sharing.read")


#: by package: cases taken out of it, and those whose destruction is not confirmed
_DEMANDED = (
    "SELECT package_id, sum(cases) AS taken_back, sum(cases) FILTER (WHERE confirmed_at IS NULL) AS to_destroy "
    "FROM sharing_destruction GROUP BY package_id"
)


def _packages(viewer: Actor, *, package_id: UUID | None) -> list[dict[str, Any]]:
    _reader(viewer)
    # agencies do not see runs: theirs is the package, not the lender's reckoning
    number, runs = (
        ("NULL::int", "")
        if viewer.kind is Kind.AGENCY
        else ("r.number", "JOIN placement_run r ON r.id = k.run_id ")
    )
    found = transactions.rows(
        f"SELECT k.id, k.agency_id, g.code AS agency_code, g.name_zh, g.name_en, k.run_id, {number} AS run_number, k.agreement_id, a.version AS agreement_version, "  # noqa: S608 - constants above
        "k.state, k.fields, k.cases, k.balance_minor, k.currency, k.digest, k.size_bytes, k.built_at, k.acknowledged_at, k.revoked_at, k.revoked_reason, "
        "coalesce(d.taken_back, 0)::int AS taken_back, coalesce(d.to_destroy, 0)::int AS to_destroy "
        f"FROM sharing_package k LEFT JOIN ({_DEMANDED}) d ON d.package_id = k.id JOIN partners_agency g ON g.id = k.agency_id JOIN partners_agreement a ON a.id = k.agreement_id {runs}"
        "WHERE %s::uuid IS NULL OR k.id = %s::uuid ORDER BY k.built_at DESC, k.id DESC",
        [package_id, package_id],
    )
    for row in found:
        row["file_stands"] = packing.path_of(agency_code=row["agency_code"], package_id=row["id"]).is_file()
    return found


@transactions.reads
def packages(viewer: Actor) -> list[dict[str, Any]]:
    """List packages, the newest first; an agency sees its own (run_number is null for it).

    `taken_back` counts cases that were taken out since; the file of such a package is not handed out again. `to_destroy`
    counts those whose destruction the agency has not confirmed.
    """
    return _packages(viewer, package_id=None)


@transactions.reads
def package(viewer: Actor, *, package_id: UUID) -> dict[str, Any]:
    """Give one package. Raises `PackageNotFound`."""
    found = _packages(viewer, package_id=package_id)
    if not found:
        raise PackageNotFound(what="package", where=str(package_id))
    return found[0]


@transactions.reads
def package_path(viewer: Actor, *, package_id: UUID) -> Path:
    """Give where the encrypted file lies. Raises `PackageNotFound`, `PackageRevoked`, `PackageOutdated`, `FileMissing`."""
    row = package(viewer, package_id=package_id)
    if row["state"] == "REVOKED":
        raise PackageRevoked(where=str(package_id))
    if row["taken_back"]:
        raise PackageOutdated(taken_back=row["taken_back"], cases=row["cases"], where=str(package_id))
    if not row["file_stands"]:
        raise FileMissing(where=str(package_id))
    return packing.path_of(agency_code=row["agency_code"], package_id=package_id)


@transactions.reads
def destructions(viewer: Actor, *, package_id: UUID | None = None) -> list[dict[str, Any]]:
    """List what agencies must destroy because it was taken back, the unconfirmed first; an agency sees its own.

    `case_refs` names the cases; `package_id` is null where they were only opened online.
    """
    _reader(viewer)
    return transactions.rows(
        "SELECT d.id, d.agency_id, g.code AS agency_code, g.name_zh, g.name_en, d.package_id, d.cases, d.reason, d.asked_at, d.confirmed_at, d.confirmed_by, "
        "ARRAY(SELECT p.case_ref FROM placement_placement p WHERE p.id = ANY(d.placements) ORDER BY p.case_ref) AS case_refs "
        "FROM sharing_destruction d JOIN partners_agency g ON g.id = d.agency_id WHERE %s::uuid IS NULL OR d.package_id = %s::uuid "
        "ORDER BY (d.confirmed_at IS NULL) DESC, d.asked_at DESC, d.id DESC",
        [package_id, package_id],
    )


@transactions.reads
def recipients(viewer: Actor) -> list[dict[str, Any]]:
    """List public keys, those in force first; an agency sees its own."""
    _reader(viewer)
    return transactions.rows(
        "SELECT r.id, r.agency_id, g.code AS agency_code, g.name_zh, g.name_en, r.public_key, left(encode(sha256(r.public_key::bytea), 'hex'), 16) AS fingerprint, "
        "r.active_from, r.active_to FROM sharing_recipient r JOIN partners_agency g ON g.id = r.agency_id ORDER BY (r.active_to IS NULL) DESC, g.code, r.active_from DESC"
    )


@transactions.reads
def disclosures(viewer: Actor, *, limit: int = 200) -> list[dict[str, Any]]:
    """List acts of sharing, the newest first: to whom, which facts, of how many cases, by whom."""
    _reader(viewer)
    return transactions.rows(
        "SELECT d.id, d.agency_id, g.code AS agency_code, g.name_zh, g.name_en, d.purpose, d.package_id, p.case_ref, d.fields, d.cases, d.disclosed_by, d.disclosed_at "
        "FROM sharing_disclosure d JOIN partners_agency g ON g.id = d.agency_id LEFT JOIN placement_placement p ON p.id = d.placement_id "
        "ORDER BY d.disclosed_at DESC, d.id DESC LIMIT %s",
        [limit],
    )


#: placements whose facts left: in a package of their run, or opened online
_HELD = (
    "SELECT p.id AS placement_id, p.agency_id, p.account_id, p.case_ref, p.state, p.ended_at, min(t.at) AS first_at, max(t.at) AS last_at, "
    "count(*) FILTER (WHERE t.way = 'PACKAGE') AS packages, count(*) FILTER (WHERE t.way = 'CASE') AS openings, "
    "bool_or(t.acknowledged) AS acknowledged FROM placement_placement p JOIN ("
    "SELECT q.id AS placement_id, k.built_at AS at, 'PACKAGE' AS way, k.acknowledged_at IS NOT NULL AS acknowledged FROM sharing_package k "
    "JOIN placement_placement q ON q.run_id = k.run_id AND q.agency_id = k.agency_id AND q.placed_at <= k.built_at AND (q.ended_at IS NULL OR q.ended_at > k.built_at) "
    "UNION ALL SELECT d.placement_id, d.disclosed_at, 'CASE', true FROM sharing_disclosure d WHERE d.placement_id IS NOT NULL) t ON t.placement_id = p.id "
    "GROUP BY p.id"
)


@transactions.reads
def holders(viewer: Actor) -> list[dict[str, Any]]:
    """Give who holds what: per agency the cases whose facts left, those still placed, those that have ended since, and why it may.

    `to_destroy` counts cases that were taken back and whose destruction the agency has not confirmed. `allowed` is what the live agreement allows today, empty without one.
    """
    viewer.require("sharing.read")
    return transactions.rows(
        f"WITH held AS ({_HELD}) "  # noqa: S608 - the constant above
        "SELECT g.id AS agency_id, g.code AS agency_code, g.name_zh, g.name_en, g.state, count(h.placement_id) AS cases, "
        "count(h.placement_id) FILTER (WHERE h.state = 'ACTIVE') AS active, count(h.placement_id) FILTER (WHERE h.state <> 'ACTIVE') AS ended, "
        "(SELECT count(DISTINCT x.placement_id) FROM sharing_destruction s, unnest(s.placements) AS x (placement_id) "
        "WHERE s.agency_id = g.id AND s.confirmed_at IS NULL) AS to_destroy, "
        "max(h.last_at) AS last_at, coalesce(sum(h.openings), 0)::bigint AS openings, "
        "(SELECT count(*) FROM sharing_package k WHERE k.agency_id = g.id AND k.state <> 'REVOKED') AS live_packages, "
        "(SELECT count(*) FROM sharing_package k WHERE k.agency_id = g.id AND k.state = 'REVOKED') AS revoked_packages, "
        "a.version AS agreement_version, a.active_to AS agreement_to, coalesce(a.fields_allowed, '{}') AS allowed, "
        "EXISTS (SELECT 1 FROM sharing_recipient r WHERE r.agency_id = g.id AND r.active_to IS NULL) AS has_key "
        "FROM partners_agency g LEFT JOIN held h ON h.agency_id = g.id "
        "LEFT JOIN LATERAL (SELECT x.version, x.active_to, x.fields_allowed FROM partners_agreement x WHERE x.agency_id = g.id AND x.kind = 'CONFIDENTIALITY' "
        "AND x.ended_reason = '' ORDER BY x.version DESC LIMIT 1) a ON true "
        "GROUP BY g.id, g.code, g.name_zh, g.name_en, g.state, a.version, a.active_to, a.fields_allowed ORDER BY g.code"
    )


@transactions.reads
def account_holders(viewer: Actor, *, account_id: UUID) -> list[dict[str, Any]]:
    """Give which agencies were given facts of one account, when, by which way, and whether the case is still theirs."""
    viewer.require("sharing.read")
    return transactions.rows(
        f"SELECT h.*, g.code AS agency_code, g.name_zh, g.name_en FROM ({_HELD}) h JOIN partners_agency g ON g.id = h.agency_id "  # noqa: S608 - the constant above
        "WHERE h.account_id = %s ORDER BY h.first_at",
        [account_id],
    )


@transactions.reads
def preview(viewer: Actor, *, agency_id: UUID, account_id: UUID, on: date) -> dict[str, Any]:
    """Show exactly what an agency would see of an account on a day, each fact with its source and the word that allows it.

    Personal values are masked unless the viewer may read the vault. `lacking` says what stands against sharing (empty:
    nothing), `placed` whether the account is placed with this agency; `withheld` lists the facts that the agreement leaves out.
    """
    viewer.require("sharing.read")
    ground = gathering.ground(viewer, agency_id=agency_id, on=on)
    if ground is None:
        raise NotFound(what=worded("agency"), where=str(agency_id))
    facts = fields.allowed(ground.agreement.fields_allowed) if ground.agreement else ()
    rows = gathering.book_rows(facts or fields.FACTS[:1], agency_id=agency_id, on=on, account_id=account_id)
    if not rows:
        raise NotFound(what=worded("account"), where=str(account_id))
    [[case]] = list(gathering.whole_rows(viewer, facts=facts, rows=rows))
    named = {fact.name for fact in facts}
    agreement = ground.agreement
    return {
        "agency_code": ground.agency_code,
        "placed": rows[0]["_placement"] is not None,
        "lacking": ground.lacking(with_key=True),
        "agreement": None
        if agreement is None
        else {"id": agreement.id, "version": agreement.version, "active_from": agreement.active_from, "active_to": agreement.active_to},
        "facts": [_shown(fact, case[fact.name], open_to=viewer) for fact in facts],
        "withheld": [{"name": fact.name, "label": str(fact.label), "word": fact.word} for fact in fields.FACTS if fact.name not in named],
    }  # fmt: skip


def _shown(fact: fields.Fact, value: Any, *, open_to: Actor) -> dict[str, Any]:
    masked = bool(fact.vault) and not open_to.may("vault.read")
    if masked and fact.reach:
        value = [point | {"value": vault.mask(fact.vault, point["value"])} for point in value]
    elif masked and value:
        value = vault.mask(fact.vault, value)
    return {
        "name": fact.name,
        "label": str(fact.label),
        "word": fact.word,
        "source": str(fact.source),
        "personal": bool(fact.vault),
        "masked": masked,
        "value": value,
    }


@transactions.reads
def ready(viewer: Actor, *, on: date) -> list[dict[str, Any]]:
    """List runs and agencies with active cases that no fetchable package holds: what could be built now, and what stands against it.

    Nothing is fetchable when no live package stands, when cases were taken out of the one that the agency has not
    acknowledged, or for cases that were accepted after it was built (`replaces` is that package).
    """
    viewer.require("sharing.read")
    rows = transactions.rows(
        "SELECT p.run_id, r.number AS run_number, p.agency_id, g.code AS agency_code, g.name_zh, g.name_en, k.id AS replaces, count(*) AS cases, "
        "sum(p.balance_minor)::bigint AS balance_minor, min(p.currency) AS currency "
        "FROM placement_placement p JOIN placement_run r ON r.id = p.run_id JOIN partners_agency g ON g.id = p.agency_id "
        "LEFT JOIN sharing_package k ON k.run_id = p.run_id AND k.agency_id = p.agency_id AND k.state <> 'REVOKED' "
        "WHERE p.state = 'ACTIVE' AND (k.id IS NULL OR k.state = 'BUILT' AND EXISTS (SELECT 1 FROM sharing_destruction d WHERE d.package_id = k.id) "
        "OR EXISTS (SELECT 1 FROM placement_placement n WHERE n.run_id = p.run_id AND n.agency_id = p.agency_id AND n.state = 'ACTIVE' AND n.placed_at > k.built_at)) "
        "GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY r.number DESC, g.code"
    )
    standing = gathering.grounds(viewer, on=on) if rows else {}
    for row in rows:
        ground = standing.get(row["agency_id"])
        row["lacking"] = ground.lacking(with_key=True) if ground else {}
    return rows
