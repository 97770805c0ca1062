"""Papers of agencies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from weituo.domain.partners.policies import REQUIRED_PAPERS
from weituo.foundation.ids import new_id


def papers(
    cursor: Any,
    *,
    agency_id: UUID,
    verified_at: datetime,
    kinds: Sequence[str] = REQUIRED_PAPERS,
    to: date | None = date(2027, 1, 1),
) -> None:
    """File verified papers of these kinds that hold from the year's first day."""
    cursor.executemany(
        "INSERT INTO partners_paper (id, agency_id, kind, number, issuer, valid_from, valid_to, digest, facts, verified_by, verified_at) "
        "VALUES (%s, %s, %s, 'L', 'I', '2026-01-01', %s, '', '{}', 'x', %s)",
        [(new_id(), agency_id, kind, to, verified_at) for kind in kinds],
    )
