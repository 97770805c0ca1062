"""What must stand before an agency is let in and as long as it works, asked of one agency or of all in few statements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from weituo.domain.partners import scoring
from weituo.domain.partners.policies import REQUIRED_AGREEMENTS
from weituo.domain.partners.policies import REQUIRED_PAPERS as REQUIRED_PAPERS
from weituo.foundation import transactions
from weituo.foundation.texts import worded

#: rooms that decide at every act read from here what is required
__all__ = ["REQUIRED_AGREEMENTS", "REQUIRED_PAPERS", "WORDS", "missing", "stopping"]

#: code of what may be missing → its words, in the order in which people mend it; papers and agreements by kind
WORDS = {
    "licence": worded("no live licence"),
    "security": worded("no live security certificate"),
    "confidentiality": worded("no live confidentiality agreement"),
    "service": worded("no live service agreement"),
    "assessment": worded("no assessment"),
    "score": "",
    "adverse": worded("a record of unlawful collection"),
}
_PAPERS = """
SELECT g.id, k.kind, max(p.valid_to) FILTER (WHERE p.valid_to <= %(on)s) FROM partners_agency g
CROSS JOIN unnest(%(papers)s::text[]) AS k (kind)
LEFT JOIN partners_paper p ON p.agency_id = g.id AND p.kind = k.kind AND p.verified_at IS NOT NULL AND p.valid_from <= %(on)s
WHERE %(agency)s::uuid IS NULL OR g.id = %(agency)s::uuid
GROUP BY g.id, k.kind HAVING bool_or(p.id IS NOT NULL AND (p.valid_to IS NULL OR p.valid_to > %(on)s)) IS NOT TRUE
"""
_AGREEMENTS = """
SELECT g.id, k.kind, max(a.active_to) FILTER (WHERE a.active_to <= %(on)s) FROM partners_agency g
CROSS JOIN unnest(%(agreements)s::text[]) AS k (kind)
LEFT JOIN partners_agreement a ON a.agency_id = g.id AND a.kind = k.kind AND a.active_from <= %(on)s
WHERE %(agency)s::uuid IS NULL OR g.id = %(agency)s::uuid
GROUP BY g.id, k.kind HAVING bool_or(a.id IS NOT NULL AND (a.active_to IS NULL OR a.active_to > %(on)s)) IS NOT TRUE
"""
_SCREENING = """
SELECT g.id,
  (SELECT s.total_bps FROM partners_assessment s WHERE s.agency_id = g.id ORDER BY s.assessed_at DESC, s.id DESC LIMIT 1) AS total_bps,
  EXISTS (SELECT 1 FROM partners_paper p WHERE p.agency_id = g.id AND p.verified_at IS NOT NULL AND p.valid_from <= %(on)s
          AND (p.valid_to IS NULL OR p.valid_to > %(on)s) AND p.facts @> '{"adverse_record": true}') AS adverse
FROM partners_agency g WHERE %(agency)s::uuid IS NULL OR g.id = %(agency)s::uuid ORDER BY g.id
"""


def missing(*, on: date, agency_id: UUID | None = None) -> dict[UUID, dict[str, str]]:
    """List per agency what is missing for an approval on this day: code → sentence, empty when nothing is.

    Runs inside the transaction of an act or of a query.
    """
    lapsed = _lapsed(_PAPERS, on=on, agency_id=agency_id)
    unsigned = _lapsed(_AGREEMENTS, on=on, agency_id=agency_id, agreements=("CONFIDENTIALITY",))
    return {
        row[0]: lapsed.get(row[0], {}) | unsigned.get(row[0], {}) | _unfit(total_bps=row[1], adverse=row[2])
        for row in _fetched(_SCREENING, on=on, agency_id=agency_id)
    }


def stopping(
    *, on: date, agency_id: UUID | None = None, agreements: bool = True
) -> dict[UUID, dict[str, str]]:
    """List per agency the required papers, and with `agreements` the agreements, that are not live on this day.

    Code → sentence that says when it expired; agencies with nothing to mend are left out. Whatever its state, such an agency
    does not work: no permit, no package, no placement. Runs inside the transaction of an act or of a query.
    """
    lapsed = _lapsed(_PAPERS, on=on, agency_id=agency_id)
    unsigned = _lapsed(_AGREEMENTS, on=on, agency_id=agency_id) if agreements else {}
    return {one: lapsed.get(one, {}) | unsigned.get(one, {}) for one in lapsed | unsigned}


def _lapsed(
    sql: str, *, on: date, agency_id: UUID | None, agreements: tuple[str, ...] = REQUIRED_AGREEMENTS
) -> dict[UUID, dict[str, str]]:
    found: dict[UUID, dict[str, str]] = {}
    for agency, kind, ended in sorted(
        _fetched(sql, on=on, agency_id=agency_id, agreements=agreements),
        key=lambda row: list(WORDS).index(row[1].lower()),
    ):
        code = kind.lower()
        found.setdefault(agency, {})[code] = (
            worded("%(lack)s, expired on %(day)s", lack=WORDS[code], day=ended.isoformat())
            if ended
            else WORDS[code]
        )
    return found


def _unfit(*, total_bps: int | None, adverse: bool) -> dict[str, str]:
    lacks = {}
    if total_bps is None:
        lacks["assessment"] = WORDS["assessment"]
    elif total_bps < scoring.LEAST_TOTAL_BPS:
        lacks["score"] = worded(
            "score %(score)s below %(least)s",
            score=f"{total_bps / 100:.2f}",
            least=f"{scoring.LEAST_TOTAL_BPS / 100:.0f}",
        )
    if adverse:
        lacks["adverse"] = WORDS["adverse"]
    return lacks


def _fetched(
    sql: str, *, on: date, agency_id: UUID | None, agreements: tuple[str, ...] = REQUIRED_AGREEMENTS
) -> list[Any]:
    values: Mapping[str, Any] = {
        "on": on,
        "agency": agency_id,
        "papers": list(REQUIRED_PAPERS),
        "agreements": list(agreements),
    }
    with transactions.connection().cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
