"""Reading who belongs together and whose accounts an agency must not get. Staff alone see it, from either side."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from weituo.domain.book import queries as book
from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor

_IN_FORCE = "active_from <= %s AND (active_to IS NULL OR active_to > %s)"


@transactions.reads
def houses(viewer: Actor, *, on: date) -> dict[UUID, str]:
    """Give the group of every agency that belongs to one on this day."""
    viewer.require("partners.read")
    found = transactions.rows(
        f'SELECT agency_id, "group" FROM partners_membership WHERE {_IN_FORCE} ORDER BY agency_id',  # noqa: S608 - the constant above
        [on, on],
    )
    return {row["agency_id"]: row["group"] for row in found}


@transactions.reads
def sisters(viewer: Actor, *, on: date) -> dict[str, tuple[str, ...]]:
    """Give the codes of every agency's sisters on this day, itself left out; an agency without any is left out."""
    viewer.require("partners.read")
    found = transactions.rows(
        'SELECT g.code, array_agg(o.code ORDER BY o.code) AS others FROM partners_membership m JOIN partners_membership x ON x."group" = m."group" '  # noqa: S608 - the constant above
        "AND x.agency_id <> m.agency_id JOIN partners_agency g ON g.id = m.agency_id JOIN partners_agency o ON o.id = x.agency_id "
        f"WHERE {_IN_FORCE.replace('active', 'm.active')} AND {_IN_FORCE.replace('active', 'x.active')} GROUP BY g.code ORDER BY g.code",
        [on, on, on, on],
    )
    return {row["code"]: tuple(row["others"]) for row in found}


@transactions.reads
def conflicts(viewer: Actor, *, on: date) -> list[dict[str, Any]]:
    """List the conflicts in force on this day: id, agency_id, code, kind, subject, reason, active_from, active_to."""
    viewer.require("partners.read")
    return transactions.rows(
        "SELECT c.id, c.agency_id, g.code, g.name_zh, g.name_en, c.kind, c.subject, c.reason, c.active_from, c.active_to FROM partners_conflict c "  # noqa: S608 - the constant above
        f"JOIN partners_agency g ON g.id = c.agency_id WHERE {_IN_FORCE.replace('active', 'c.active')} ORDER BY g.code, c.kind, c.subject",
        [on, on],
    )


@transactions.reads
def conflicts_of_account(
    viewer: Actor, *, borrower_id: UUID, region: str, product: str, on: date
) -> list[dict[str, Any]]:
    """List the conflicts that name a borrower, their region, product or employer, on this day (columns of `conflicts`)."""
    stated = conflicts(viewer, on=on)
    employers = [row["subject"] for row in stated if row["kind"] == "EMPLOYER"]
    people = book.employed_by(viewer, employers=employers) if employers else {}
    named = {
        "BORROWER": {str(borrower_id)},
        "REGION": {region, region[:2]} if region else set(),
        "PRODUCT": {product},
        "EMPLOYER": {name for name, ids in people.items() if str(borrower_id) in ids},
    }
    return [row for row in stated if row["subject"] in named.get(row["kind"], set())]
