"""Reading agencies, papers, agreements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from weituo.domain.partners import admission
from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyRow:
    """An agency as other rooms see it."""

    id: UUID
    code: str
    name_zh: str
    name_en: str
    state: str
    tier: int | None
    capacity_accounts_max: int
    regions: tuple[str, ...]
    public_phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """An agreement in force."""

    id: UUID
    agency_id: UUID
    kind: str
    version: int
    fields_allowed: tuple[str, ...]
    fee_bps_by_bucket: dict[str, int]
    accepts_in_advance: bool
    active_from: date
    active_to: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorRow:
    """A registered collector."""

    id: UUID
    agency_id: UUID
    badge: str
    alias: str
    registered_on: date
    trained_until: date
    active_to: date | None


@transactions.reads
def agencies(viewer: Actor, *, states: Sequence[str] | None = None) -> list[AgencyRow]:
    """List agencies by code; an agency sees itself."""
    rows = transactions.rows(
        "SELECT id, code, name_zh, name_en, state, tier, capacity_accounts_max, regions, public_phone FROM partners_agency WHERE %s::text[] IS NULL OR state = ANY(%s) ORDER BY code",
        [None if states is None else list(states)] * 2,
    )
    return [AgencyRow(**{**row, "regions": tuple(row["regions"])}) for row in rows]


@transactions.reads
def live_agreements(viewer: Actor, *, kind: str, on: date) -> list[AgreementRow]:
    """Give the newest agreement in force of every agency."""
    rows = transactions.rows(
        "SELECT DISTINCT ON (agency_id) id, agency_id, kind, version, fields_allowed, fee_bps_by_bucket, accepts_in_advance, active_from, active_to FROM partners_agreement "
        "WHERE kind = %s AND active_from <= %s AND (active_to IS NULL OR active_to > %s) ORDER BY agency_id, version DESC",
        [kind, on, on],
    )
    return [AgreementRow(**{**row, "fields_allowed": tuple(row["fields_allowed"])}) for row in rows]


@transactions.reads
def stopped(
    viewer: Actor, *, on: date, agency_id: UUID | None = None, agreements: bool = True
) -> dict[UUID, dict[str, str]]:
    """Give the agencies that may not work on this day, with the papers (and agreements) that are not live: code → sentence.

    An agency sees itself; agencies in order are left out, whatever their state.
    """
    found = admission.stopping(on=on, agency_id=agency_id, agreements=agreements)
    return {one: _said(lacks) for one, lacks in found.items()}


@transactions.reads
def collectors(viewer: Actor, *, agency_id: UUID) -> list[CollectorRow]:
    """List an agency's collectors."""
    return [
        CollectorRow(**row)
        for row in transactions.rows(
            "SELECT id, agency_id, badge, alias, registered_on, trained_until, active_to FROM partners_collector WHERE agency_id = %s ORDER BY badge",
            [agency_id],
        )
    ]


@transactions.reads
def dossier(viewer: Actor, *, agency_id: UUID) -> dict[str, Any] | None:
    """Give everything on file about one agency."""
    viewer.require("partners.read")
    found = transactions.rows("SELECT * FROM partners_agency WHERE id = %s", [agency_id])
    if not found:
        return None
    return {
        "agency": found[0],
        "papers": transactions.rows(
            "SELECT * FROM partners_paper WHERE agency_id = %s ORDER BY kind, valid_from DESC", [agency_id]
        ),
        "assessments": transactions.rows(
            "SELECT * FROM partners_assessment WHERE agency_id = %s ORDER BY assessed_at DESC, id DESC",
            [agency_id],
        ),
        "agreements": transactions.rows(
            "SELECT * FROM partners_agreement WHERE agency_id = %s ORDER BY kind, version DESC", [agency_id]
        ),
        "proposals": transactions.rows(
            "SELECT * FROM partners_proposal WHERE agency_id = %s ORDER BY proposed_at DESC", [agency_id]
        ),
        "collectors": transactions.rows(
            "SELECT * FROM partners_collector WHERE agency_id = %s ORDER BY badge", [agency_id]
        ),
        "memberships": transactions.rows(
            "SELECT * FROM partners_membership WHERE agency_id = %s ORDER BY active_from DESC, id DESC",
            [agency_id],
        ),
        "conflicts": transactions.rows(
            "SELECT c.*, b.external_ref AS customer_ref FROM partners_conflict c LEFT JOIN book_borrower b ON c.kind = 'BORROWER' AND b.id::text = c.subject "
            "WHERE c.agency_id = %s ORDER BY (c.ended_at IS NOT NULL), c.active_from DESC, c.id DESC",
            [agency_id],
        ),
    }


@transactions.reads
def lacking(viewer: Actor, *, on: date, agency_id: UUID | None = None) -> dict[UUID, dict[str, str]]:
    """Give what is missing for an approval on this day, per agency: code (`admission.WORDS`) → sentence."""
    viewer.require("partners.read")
    return {one: _said(lacks) for one, lacks in admission.missing(on=on, agency_id=agency_id).items()}


def _said(lacks: Mapping[str, str]) -> dict[str, str]:
    """Put sentences into the reader's language."""
    return {code: str(text) for code, text in lacks.items()}


@transactions.reads
def pipeline(viewer: Actor, *, on: date) -> list[dict[str, Any]]:
    """List agencies with their score and the next paper that expires, for the board."""
    viewer.require("partners.read")
    return transactions.rows(
        "SELECT a.id, a.code, a.name_zh, a.name_en, a.state, a.tier, a.capacity_accounts_max, a.state_since, "
        "(SELECT total_bps FROM partners_assessment s WHERE s.agency_id = a.id ORDER BY assessed_at DESC, s.id DESC LIMIT 1) AS total_bps, "
        "(SELECT min(valid_to) FROM partners_paper p WHERE p.agency_id = a.id AND p.valid_to > %s) AS next_expiry, "
        # a later paper of the same kind and issuer, or of the same number, renews one
        "(SELECT count(*) FROM partners_paper p WHERE p.agency_id = a.id AND p.valid_to <= %s AND NOT EXISTS (SELECT 1 FROM partners_paper n "
        "WHERE n.agency_id = p.agency_id AND n.kind = p.kind AND (n.issuer = p.issuer OR n.number = p.number) AND n.valid_from > p.valid_from)) AS expired "
        "FROM partners_agency a ORDER BY a.code",
        [on, on],
    )


@transactions.reads
def open_proposals(viewer: Actor) -> list[dict[str, Any]]:
    """List what waits for a second person."""
    viewer.require("partners.read")
    return transactions.rows(
        "SELECT p.*, a.code, a.name_zh, a.name_en FROM partners_proposal p JOIN partners_agency a ON a.id = p.agency_id WHERE p.decided_at IS NULL AND p.change = 'APPROVE' ORDER BY p.proposed_at"
    )


@transactions.reads
def collector_by_badge(viewer: Actor, *, badge: str) -> CollectorRow | None:
    """Find a collector by badge."""
    rows = transactions.rows(
        "SELECT id, agency_id, badge, alias, registered_on, trained_until, active_to FROM partners_collector WHERE badge = %s",
        [badge],
    )
    return CollectorRow(**rows[0]) if rows else None


@transactions.reads
def past_performance(viewer: Actor) -> list[dict[str, Any]]:
    """List what agencies stated of their past performance, with the paper's facts."""
    viewer.require("partners.read")
    return transactions.rows(
        "SELECT agency_id, facts FROM partners_paper WHERE kind = 'PERFORMANCE' AND verified_at IS NOT NULL ORDER BY agency_id, valid_from"
    )


@transactions.reads
def public_agencies(viewer: Actor) -> list[AgencyRow]:
    """List the agencies that work for the lender today, as borrowers may read it."""
    return agencies(viewer, states=["APPROVED"])


@transactions.reads
def verify_collector(viewer: Actor, *, asked: str, on: date) -> dict[str, Any] | None:
    """Find the approved agency behind a badge number or a published telephone number; None when it is unknown."""
    digits = "".join(character for character in asked if character.isdigit())
    rows = transactions.rows(
        "SELECT g.name_zh, g.name_en, g.public_phone, c.badge FROM partners_agency g LEFT JOIN partners_collector c ON c.agency_id = g.id AND upper(c.badge) = upper(%s) "
        "AND c.registered_on <= %s AND (c.active_to IS NULL OR c.active_to > %s) WHERE g.state = 'APPROVED' "
        "AND (c.badge IS NOT NULL OR (length(%s) >= 7 AND regexp_replace(g.public_phone, '\\D', '', 'g') = %s)) LIMIT 1",
        [asked.strip(), on, on, digits, digits],
    )
    return rows[0] if rows else None
