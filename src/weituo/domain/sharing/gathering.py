"""Reading exactly the allowed facts of cases: what the agreement does not name is not even selected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from weituo.domain.partners import queries as partners
from weituo.domain.sharing.errors import NothingMayBeShared
from weituo.domain.sharing.fields import Fact
from weituo.foundation import transactions
from weituo.foundation.jobs import progress
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded
from weituo.foundation.vault import store as vault

#: cases whose personal data is open in memory at one time
BLOCK_CASES: Final = 2_000

#: six months, as the names of the facts say
_HISTORY = (
    "LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE m.paid_minor > 0) AS paid_months, coalesce(sum(m.paid_minor), 0)::bigint AS paid_minor, "
    "max(m.months_late) AS worst_months_late, max(m.month) FILTER (WHERE m.paid_minor > 0) AS last_paid_month "
    "FROM (SELECT * FROM book_repayment_month r WHERE r.account_id = a.id ORDER BY r.month DESC LIMIT 6) m) h ON true "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """On what facts are shared with an agency: who it is, its live agreement, and its live key; None where missing.

    lapsed: required papers that are not live, code → sentence.
    """

    agency_id: UUID
    agency_code: str
    state: str
    agreement: partners.AgreementRow | None
    public_key: str | None
    lapsed: dict[str, str] = field(default_factory=dict)

    def lacking(self, *, with_key: bool) -> dict[str, str]:
        """Give what is missing: code → translated words."""
        missing = {}
        if self.state != "APPROVED":
            missing["state"] = _("it is not approved, or suspended")
        missing |= self.lapsed
        if self.agreement is None:
            missing["agreement"] = _("there is no live confidentiality agreement")
        if with_key and self.public_key is None:
            missing["key"] = _("there is no live recipient key")
        return missing

    def require(self, *, with_key: bool) -> partners.AgreementRow:
        """Give the live agreement. Raises `NothingMayBeShared`, naming everything that is missing."""
        missing = self.lacking(with_key=with_key)
        if missing or self.agreement is None:
            raise NothingMayBeShared(
                agency=self.agency_code, lacking="; ".join(missing.values()), where=", ".join(missing)
            )
        return self.agreement


def ground(viewer: Actor, *, agency_id: UUID, on: date) -> Ground | None:
    """Look up on what facts could be shared with an agency on this day; None for an unknown agency."""
    return grounds(viewer, on=on).get(agency_id)


def grounds(viewer: Actor, *, on: date) -> dict[UUID, Ground]:
    """Look up the ground of every agency that the viewer sees."""
    with transactions.reading(viewer):
        agreements = {
            row.agency_id: row for row in partners.live_agreements(viewer, kind="CONFIDENTIALITY", on=on)
        }
        with transactions.connection().cursor() as cursor:
            cursor.execute("SELECT agency_id, public_key FROM sharing_recipient WHERE active_to IS NULL")
            keys = dict(cursor.fetchall())
        lapsed = partners.stopped(viewer, on=on, agreements=False)
        return {
            agency.id: Ground(
                agency_id=agency.id,
                agency_code=agency.code,
                state=agency.state,
                agreement=agreements.get(agency.id),
                public_key=keys.get(agency.id),
                lapsed=lapsed.get(agency.id, {}),
            )
            for agency in partners.agencies(viewer)
        }


def book_rows(
    facts: Sequence[Fact],
    *,
    agency_id: UUID,
    on: date,
    run_id: UUID | None = None,
    placement_id: UUID | None = None,
    account_id: UUID | None = None,
) -> list[dict[str, Any]]:
    """Read the allowed facts that are not personal, one row a case in the order of case references.

    Days past due and bucket are those of the day `on`. Exactly one of run_id, placement_id (active placements with this agency) and account_id (placed or not) is given.
    Every row also holds _subject, _borrower and _placement, which never leave. Runs inside an open unit.
    """
    columns = [f"{fact.sql} AS {fact.name}" for fact in facts if fact.sql]
    history = _HISTORY if any("h." in fact.sql for fact in facts) else ""
    sql = (
        f"SELECT b.subject_id AS _subject, b.id AS _borrower, p.id AS _placement, {', '.join(columns)} "  # noqa: S608 - constants of the registry
        "FROM book_account_on(%(on)s) a JOIN book_borrower b ON b.id = a.borrower_id "
        "LEFT JOIN placement_placement p ON p.account_id = a.id AND p.agency_id = %(agency)s AND p.state = 'ACTIVE' "
        f"{history}"
        "WHERE (%(run)s::uuid IS NULL OR p.run_id = %(run)s) AND (%(placement)s::uuid IS NULL OR p.id = %(placement)s) "
        "AND (%(account)s::uuid IS NULL OR a.id = %(account)s) ORDER BY p.case_ref"
    )
    if [run_id, placement_id, account_id].count(None) != 2:
        raise ValueError("exactly one of run_id, placement_id and account_id")
    return transactions.rows(
        sql, {"on": on, "agency": agency_id, "run": run_id, "placement": placement_id, "account": account_id}
    )


def whole_rows(
    actor: Actor, *, facts: Sequence[Fact], rows: Sequence[dict[str, Any]]
) -> Iterator[list[dict[str, Any]]]:
    """Add the allowed personal facts block by block; what leaves holds the facts' names in the registry's order, no key."""
    opener = replace(actor, permissions=actor.permissions | {"vault.read"})
    sealed = [fact for fact in facts if fact.vault]
    for start in range(0, len(rows), BLOCK_CASES):
        progress.tell(start, len(rows), worded("Cases are sealed"))
        block = rows[start : start + BLOCK_CASES]
        opened: dict[UUID, dict[str, dict[int, str]]] = {}
        points: dict[tuple[UUID, str], list[tuple[int, UUID]]] = {}
        if sealed:
            opened = vault.read_positions(
                opener,
                subject_ids=[row["_subject"] for row in block],
                fields=[fact.vault for fact in sealed],
            )
            points = _points([row["_borrower"] for row in block])
        yield [_case(row, facts, opened.get(row["_subject"], {}), points) for row in block]


def _points(borrower_ids: Sequence[UUID]) -> dict[tuple[UUID, str], list[tuple[int, UUID]]]:
    """Give valid ways to reach the borrowers themselves; other persons' numbers are never shared."""
    found: dict[tuple[UUID, str], list[tuple[int, UUID]]] = {}
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT borrower_id, field, position, id FROM book_contact_point WHERE borrower_id = ANY(%s) AND role = 'BORROWER' AND valid ORDER BY borrower_id, field, position",
            [list(borrower_ids)],
        )
        for borrower_id, field, position, point_id in cursor.fetchall():
            found.setdefault((borrower_id, field), []).append((position, point_id))
    return found


def _case(
    row: dict[str, Any],
    facts: Sequence[Fact],
    opened: dict[str, dict[int, str]],
    points: dict[tuple[UUID, str], list[tuple[int, UUID]]],
) -> dict[str, Any]:
    case: dict[str, Any] = {}
    for fact in facts:
        if not fact.vault:
            case[fact.name] = row[fact.name]
            continue
        values = opened.get(fact.vault, {})
        if fact.reach:
            case[fact.name] = [
                {"contact_point": str(point_id), "value": values[position]}
                for position, point_id in points.get((row["_borrower"], fact.vault), [])
                if position in values
            ]
        else:
            case[fact.name] = next(iter(values.values()), None)
    return case
