"""What must stand before an agency is let in, asked of one agency or of all in one statement."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.utils.translation import gettext_lazy

from weituo.domain.partners import scoring
from weituo.foundation import transactions

#: code of what may be missing → its words, in the order in which people mend it
WORDS = {
    "licence": gettext_lazy("no live licence"),
    "confidentiality": gettext_lazy("no live confidentiality agreement"),
    "assessment": gettext_lazy("no assessment"),
    "score": gettext_lazy("score %(score)s below %(least)s"),
    "adverse": gettext_lazy("a record of unlawful collection"),
}
_SQL = """
SELECT g.id,
  NOT EXISTS (SELECT 1 FROM partners_paper p WHERE p.agency_id = g.id AND p.kind = 'LICENCE' AND p.verified_at IS NOT NULL
              AND p.valid_from <= %(on)s AND (p.valid_to IS NULL OR p.valid_to > %(on)s)) AS licence,
  NOT EXISTS (SELECT 1 FROM partners_agreement a WHERE a.agency_id = g.id AND a.kind = 'CONFIDENTIALITY'
              AND a.active_from <= %(on)s AND (a.active_to IS NULL OR a.active_to > %(on)s)) AS confidentiality,
  (SELECT s.total_bps FROM partners_assessment s WHERE s.agency_id = g.id ORDER BY s.assessed_at DESC, s.id DESC LIMIT 1) AS total_bps,
  EXISTS (SELECT 1 FROM partners_paper p WHERE p.agency_id = g.id AND p.verified_at IS NOT NULL AND p.valid_from <= %(on)s
          AND (p.valid_to IS NULL OR p.valid_to > %(on)s) AND p.facts @> '{"adverse_record": true}') AS adverse
FROM partners_agency g WHERE %(agency)s::uuid IS NULL OR g.id = %(agency)s::uuid ORDER BY g.id
"""


def missing(*, on: date, agency_id: UUID | None = None) -> dict[UUID, dict[str, str]]:
    """List per agency what is missing for an approval on this day: code → sentence, empty when nothing is.

    Runs inside the transaction of an act or of a query.
    """
    with transactions.connection().cursor() as cursor:
        cursor.execute(_SQL, {"on": on, "agency": agency_id})
        found = cursor.fetchall()
    return {
        agency: _named(licence, papers, total, adverse) for agency, licence, papers, total, adverse in found
    }


def _named(licence: bool, confidentiality: bool, total_bps: int | None, adverse: bool) -> dict[str, str]:
    lacks = {
        "licence": licence,
        "confidentiality": confidentiality,
        "assessment": total_bps is None,
        "score": total_bps is not None and total_bps < scoring.LEAST_TOTAL_BPS,
        "adverse": adverse,
    }
    facts = {"score": f"{(total_bps or 0) / 100:.2f}", "least": f"{scoring.LEAST_TOTAL_BPS / 100:.0f}"}
    return {
        code: str(WORDS[code]) % facts if code == "score" else str(WORDS[code])
        for code, true in lacks.items()
        if true
    }
