"""What every permit rests on, as it stands at an instant: placement, agency, agreements, and the collector's standing.

Written once, in SQL, and asked three times: when a permit is decided, when something changes, and when an attempt is reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weituo.core import conduct
from weituo.domain.contact import facts as gate
from weituo.domain.partners.admission import REQUIRED_AGREEMENTS, REQUIRED_PAPERS
from weituo.foundation import days, transactions

#: what may be lacking, in the order in which it is said
PLACEMENT, AGENCY, AGREEMENT, REGISTERED, TRAINED = (
    "placement", "agency", "agreement", "registered", "trained",
)  # fmt: skip
#: an array of the above over p (placement), g (agency), c (collector) and x (instant, day); `slack` days of grace for what
#: has days only, because it may have ended later on the day itself
LACKS: Final = (
    "array_remove(ARRAY["  # noqa: S608 - constants only
    f"CASE WHEN (p.state <> 'ACTIVE' AND coalesce(p.ended_at, '-infinity') <= x.instant) OR p.term_to <= x.day THEN '{PLACEMENT}' END, "
    "CASE WHEN (g.state <> 'APPROVED' AND g.state_since <= x.instant) OR EXISTS (SELECT 1 FROM unnest(%(papers)s::text[]) AS k WHERE NOT EXISTS ("
    "SELECT 1 FROM partners_paper y WHERE y.agency_id = g.id AND y.kind = k AND y.verified_at IS NOT NULL AND y.valid_from <= x.day "
    f"AND (y.valid_to IS NULL OR y.valid_to > x.day))) THEN '{AGENCY}' END, "
    "CASE WHEN EXISTS (SELECT 1 FROM unnest(%(agreements)s::text[]) AS k WHERE NOT EXISTS ("
    "SELECT 1 FROM partners_agreement y WHERE y.agency_id = g.id AND y.kind = k AND y.active_from <= x.day "
    f"AND (y.active_to IS NULL OR y.active_to + %(slack)s > x.day))) THEN '{AGREEMENT}' END, "
    f"CASE WHEN c.registered_on > x.day OR c.active_to + %(slack)s <= x.day THEN '{REGISTERED}' END, "
    f"CASE WHEN c.trained_until + %(slack)s < x.day THEN '{TRAINED}' END], NULL) "
)
PARAMETERS: Final[Mapping[str, Any]] = {
    "papers": list(REQUIRED_PAPERS),
    "agreements": list(REQUIRED_AGREEMENTS),
}


def joined(*, instant: str, collector: str) -> str:
    """Give the joins that `LACKS` needs beside the placement p; both arguments are columns, never what a user typed."""
    return (
        f"JOIN partners_agency g ON g.id = p.agency_id JOIN partners_collector c ON c.id = {collector} "
        f"CROSS JOIN LATERAL (SELECT {instant} AS instant, ({instant} AT TIME ZONE %(zone)s)::date AS day) x "
    )


_LACKING = (
    "SELECT r.id, "
    + LACKS
    + "FROM unnest(%(permits)s::uuid[], %(instants)s::timestamptz[]) AS r(id, instant) "
    "JOIN contact_permit q ON q.id = r.id JOIN placement_placement p ON p.id = q.placement_id "
    + joined(instant="r.instant", collector="q.collector_id")
)


def lacking(*, permit_ids: Sequence[UUID], instants: Sequence[datetime]) -> dict[UUID, list[str]]:
    """Give what each of these permits lacked at the instant of its contact; permits with nothing to say are left out."""
    if not permit_ids:
        return {}
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            _LACKING,
            dict(PARAMETERS)
            | {
                "zone": days.zone().key,
                "slack": 1,
                "permits": list(permit_ids),
                "instants": list(instants),
            },
        )
        return {row[0]: row[1] for row in cursor.fetchall() if row[1]}


def reasons(*, at: datetime) -> dict[str, list[dict[str, Any]]]:
    """Give, for each thing that may be lacking, the reasons that are said of it: the gate's own and the packs' rules."""
    said = {PLACEMENT: [gate.ground("GATE-PLACEMENT")], AGENCY: [gate.ground("GATE-AGENCY")]}
    said |= {AGREEMENT: [], REGISTERED: [], TRAINED: []}
    for pack in conduct.load():
        for rule in pack.rules:
            for need in rule.parameters.get("needs", ()) if rule.in_force(at) else ():
                said[need].append(gate.reason_of(rule))
    return said
