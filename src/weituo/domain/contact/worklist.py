"""An agency's own contacts: permits it asked for, attempts it reported, violations it must answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from weituo.domain.contact.errors import PermitNotFound
from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor

_PERMITS = (
    "SELECT m.id, p.case_ref, m.state, m.channel, m.purpose, m.asked_at, m.planned_at, m.expires_at, m.used_at, m.voided_at, m.reasons, m.void_reasons, m.contact_point_id, c.badge "
    "FROM contact_permit m JOIN placement_placement p ON p.id = m.placement_id JOIN partners_collector c ON c.id = m.collector_id "
)


@transactions.reads
def latest_permits(viewer: Actor, *, case_refs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give the permit asked for last of each of these cases of the agency's own."""
    viewer.require("contact.read_own")
    found = transactions.rows(
        "SELECT DISTINCT ON (case_ref) * FROM ("  # noqa: S608 - the constant above
        + _PERMITS
        + "WHERE p.case_ref = ANY(%s)) own ORDER BY case_ref, asked_at DESC, id DESC",
        [list(case_refs)],
    )
    return {row["case_ref"]: row for row in found}


@transactions.reads
def permits(viewer: Actor, *, case_ref: str, limit: int = 50) -> list[dict[str, Any]]:
    """List the permits asked for one own case, newest first."""
    viewer.require("contact.read_own")
    return transactions.rows(
        _PERMITS + "WHERE p.case_ref = %s ORDER BY m.asked_at DESC, m.id DESC LIMIT %s", [case_ref, limit]
    )


@transactions.reads
def permit(viewer: Actor, *, permit_id: UUID) -> dict[str, Any]:
    """Give one permit of the agency's own, as it stands now. Raises `PermitNotFound`."""
    viewer.require("contact.read_own")
    found = transactions.rows(_PERMITS + "WHERE m.id = %s", [permit_id])
    if not found:
        raise PermitNotFound(what="permit", where=str(permit_id))
    return found[0]


@transactions.reads
def changed_permits(
    viewer: Actor, *, case_ref: str = "", state: str = "", since: datetime | None = None, limit: int = 500
) -> list[dict[str, Any]]:
    """List the agency's own permits that were answered, or taken back, at `since` or later; the latest change first.

    An empty word: any case, any state.
    """
    viewer.require("contact.read_own")
    return transactions.rows(
        _PERMITS
        + "WHERE (%s = '' OR p.case_ref = %s) AND (%s = '' OR m.state = %s) "
        + "AND (%s::timestamptz IS NULL OR greatest(m.asked_at, m.voided_at) >= %s) "
        + "ORDER BY greatest(m.asked_at, m.voided_at) DESC, m.id DESC LIMIT %s",
        [case_ref, case_ref, state, state, since, since, limit],
    )


@transactions.reads
def attempts(viewer: Actor, *, case_ref: str, limit: int = 50) -> list[dict[str, Any]]:
    """List the attempts reported in one own case, newest first."""
    viewer.require("contact.read_own")
    return transactions.rows(
        "SELECT a.id, a.permit_id, a.channel, a.made_at, a.reported_at, a.result, a.duration_s FROM contact_attempt a "
        "JOIN placement_placement p ON p.id = a.placement_id WHERE p.case_ref = %s ORDER BY a.made_at DESC, a.id DESC LIMIT %s",
        [case_ref, limit],
    )


@transactions.reads
def violations(viewer: Actor, *, limit: int = 100) -> list[dict[str, Any]]:
    """List the agency's open violations, the clock that ends first on top."""
    viewer.require("contact.read_own")
    return transactions.rows(
        "SELECT v.id, v.code, v.rule, v.severity, v.found_at, v.answer_due_at, p.case_ref, a.made_at FROM contact_violation v "
        "JOIN contact_attempt a ON a.id = v.attempt_id JOIN placement_placement p ON p.id = a.placement_id "
        "WHERE v.closed_at IS NULL ORDER BY v.answer_due_at, v.id LIMIT %s",
        [limit],
    )
