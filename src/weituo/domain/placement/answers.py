"""Reading offers and their answers, refills, recall notices, objections, and the whole life of one placement."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from weituo.domain.placement.errors import PlacementNotFound
from weituo.foundation import days, transactions
from weituo.foundation.tenancy.actors import Actor

ROWS_MAX: Final = 500
#: what an agency sees of an offer before it answers: nothing that says who somebody is
OFFER_FACTS: Final = "p.case_ref, p.state, p.offered_at, p.answer_by, p.answered_at, p.answer_reason, p.balance_minor, p.currency, p.bucket, p.region, p.fee_bps"
_NOTICE: Final = (
    "n.id AS notice_id, n.placement_id, p.case_ref, n.reason, n.state, n.noticed_at, n.told_final_on, n.final_on, n.ended_at, p.balance_minor, p.currency, "
    "p.bucket, o.id AS objection_id, o.state AS objection_state, o.code, o.text, o.evidence_on, o.evidence_minor, o.made_at, o.decided_how, o.decided_at, "
    "o.decision_reason, o.stays_until"
)
_LATEST: Final = "LEFT JOIN LATERAL (SELECT * FROM placement_objection x WHERE x.notice_id = n.id ORDER BY x.made_at DESC, x.id DESC LIMIT 1) o ON true "


# --- an agency's own ---------------------------------------------------------------------------------------------------


@transactions.reads
def my_offers(
    viewer: Actor, *, open_only: bool = True, after: str = "", limit: int = ROWS_MAX
) -> list[dict[str, Any]]:
    """List the agency's own offers by case reference: facts of the case that are not personal (`OFFER_FACTS`)."""
    viewer.require("placement.read_own")
    return transactions.rows(
        f"SELECT {OFFER_FACTS} FROM placement_placement p WHERE p.offered_at IS NOT NULL AND (NOT %s OR p.state = 'OFFERED') AND p.case_ref > %s "  # noqa: S608 - a constant
        "ORDER BY p.case_ref LIMIT %s",
        [open_only, after, limit],
    )


@transactions.reads
def my_notices(
    viewer: Actor, *, open_only: bool = True, after: str = "", limit: int = ROWS_MAX
) -> list[dict[str, Any]]:
    """List the recall notices given to the agency by case reference, each with its latest objection."""
    viewer.require("placement.read_own")
    return transactions.rows(
        f"SELECT {_NOTICE} FROM placement_notice n JOIN placement_placement p ON p.id = n.placement_id {_LATEST}"  # noqa: S608 - constants
        "WHERE (NOT %s OR n.state = 'OPEN') AND p.case_ref > %s ORDER BY p.case_ref, n.noticed_at DESC LIMIT %s",
        [open_only, after, limit],
    )


@transactions.reads
def my_counts(viewer: Actor) -> dict[str, Any]:
    """Count what waits for the agency: offers (with the next deadline) and open notices (with the next final day)."""
    viewer.require("placement.read_own")
    return transactions.rows(
        "SELECT (SELECT count(*) FROM placement_placement WHERE state = 'OFFERED') AS offers, "
        "(SELECT min(answer_by) FROM placement_placement WHERE state = 'OFFERED') AS answer_by, "
        "(SELECT count(*) FROM placement_notice WHERE state = 'OPEN') AS notices, "
        "(SELECT min(final_on) FROM placement_notice WHERE state = 'OPEN') AS final_on"
    )[0]


# --- the lender's ------------------------------------------------------------------------------------------------------


@transactions.reads
def overview(viewer: Actor, *, at: datetime) -> dict[str, int]:
    """Count what waits: offered, overdue (offers past their deadline), to_refill, notices, due (final by now), objections."""
    viewer.require("placement.read")
    found: dict[str, int] = transactions.rows(
        "SELECT (SELECT count(*) FROM placement_placement WHERE state = 'OFFERED') AS offered, "
        "(SELECT count(*) FROM placement_placement WHERE state = 'OFFERED' AND answer_by <= %(at)s) AS overdue, "
        "(SELECT count(*) FROM placement_placement p WHERE p.state IN ('DECLINED', 'LAPSED') AND NOT EXISTS (SELECT 1 FROM placement_refill r WHERE r.from_placement_id = p.id)) AS to_refill, "
        "(SELECT count(*) FROM placement_notice WHERE state = 'OPEN') AS notices, "
        "(SELECT count(*) FROM placement_notice n WHERE n.state = 'OPEN' AND n.final_on <= %(day)s AND NOT EXISTS (SELECT 1 FROM placement_objection o WHERE o.notice_id = n.id AND o.state = 'OPEN')) AS due, "
        "(SELECT count(*) FROM placement_objection WHERE state = 'OPEN') AS objections",
        {"at": at, "day": days.day_of(at)},
    )[0]
    return found


@transactions.reads
def answers_of_runs(viewer: Actor) -> list[dict[str, Any]]:
    """Give every run that made offers, newest first: offered, accepted, declined, lapsed, withdrawn, to_refill, answer_by (the next deadline)."""
    viewer.require("placement.read")
    return transactions.rows(
        "SELECT r.id AS run_id, r.number, count(*) FILTER (WHERE p.state = 'OFFERED') AS offered, count(*) FILTER (WHERE p.answered_at IS NOT NULL AND p.placed_at IS NOT NULL) AS accepted, "
        "count(*) FILTER (WHERE p.state = 'DECLINED') AS declined, count(*) FILTER (WHERE p.state = 'LAPSED') AS lapsed, count(*) FILTER (WHERE p.state = 'WITHDRAWN') AS withdrawn, "
        "count(*) FILTER (WHERE p.state IN ('DECLINED', 'LAPSED') AND f.id IS NULL) AS to_refill, min(p.answer_by) FILTER (WHERE p.state = 'OFFERED') AS answer_by "
        "FROM placement_placement p JOIN placement_run r ON r.id = p.run_id LEFT JOIN placement_refill f ON f.from_placement_id = p.id "
        "WHERE p.offered_at IS NOT NULL GROUP BY r.id, r.number ORDER BY r.number DESC"
    )


@transactions.reads
def declines(viewer: Actor, *, run_id: UUID | None = None) -> list[dict[str, Any]]:
    """Count offers that ended without acceptance by agency, state and coded reason."""
    viewer.require("placement.read")
    return transactions.rows(
        "SELECT g.code, g.name_zh, g.name_en, p.state, p.answer_reason, count(*) AS offers, sum(p.balance_minor)::bigint AS balance_minor, min(p.currency) AS currency "
        "FROM placement_placement p JOIN partners_agency g ON g.id = p.agency_id WHERE p.state IN ('DECLINED', 'LAPSED', 'WITHDRAWN') AND (%s::uuid IS NULL OR p.run_id = %s::uuid) "
        "GROUP BY g.code, g.name_zh, g.name_en, p.state, p.answer_reason ORDER BY g.code, p.state, p.answer_reason",
        [run_id, run_id],
    )


@transactions.reads
def refills(viewer: Actor, *, run_id: UUID, limit: int = ROWS_MAX) -> list[dict[str, Any]]:
    """List what became of a run's declined and unanswered accounts: from whom and why, to whom, net before and after; latest first."""
    viewer.require("placement.read")
    return transactions.rows(
        "SELECT f.number, f.outcome, f.account_id, f.net_before_minor, f.net_after_minor, f.refilled_at, f.refilled_by, p.case_ref, p.state, p.answer_reason, p.currency, "
        "g.code AS from_code, g.name_zh AS from_name_zh, g.name_en AS from_name_en, t.case_ref AS to_case_ref, t.id AS to_placement_id, p.id AS from_placement_id, "
        "h.code AS to_code, h.name_zh AS to_name_zh, h.name_en AS to_name_en FROM placement_refill f JOIN placement_placement p ON p.id = f.from_placement_id "
        "JOIN partners_agency g ON g.id = p.agency_id LEFT JOIN placement_placement t ON t.id = f.to_placement_id LEFT JOIN partners_agency h ON h.id = t.agency_id "
        "WHERE f.run_id = %s ORDER BY f.number DESC, f.outcome DESC, p.case_ref LIMIT %s",
        [run_id, limit],
    )


@transactions.reads
def refill_totals(viewer: Actor, *, run_id: UUID) -> list[dict[str, Any]]:
    """Give each refill of a run: number, placed, kept (in-house), net_before_minor, net_after_minor, refilled_at."""
    viewer.require("placement.read")
    return transactions.rows(
        "SELECT number, count(to_placement_id) AS placed, count(*) - count(to_placement_id) AS kept, sum(net_before_minor)::bigint AS net_before_minor, "
        "sum(net_after_minor)::bigint AS net_after_minor, max(refilled_at) AS refilled_at FROM placement_refill WHERE run_id = %s GROUP BY number ORDER BY number",
        [run_id],
    )


@transactions.reads
def notices(viewer: Actor, *, open_only: bool = True, limit: int = ROWS_MAX) -> list[dict[str, Any]]:
    """List recall notices with their agency and latest objection: open objections first, then by the day they are final."""
    viewer.require("placement.read")
    return transactions.rows(
        f"SELECT {_NOTICE}, g.code AS agency_code, g.name_zh, g.name_en FROM placement_notice n JOIN placement_placement p ON p.id = n.placement_id "  # noqa: S608 - constants
        f"JOIN partners_agency g ON g.id = n.agency_id {_LATEST}"
        "WHERE NOT %s OR n.state = 'OPEN' ORDER BY coalesce(o.state = 'OPEN', false) DESC, (n.state = 'OPEN') DESC, n.final_on, n.id LIMIT %s",
        [open_only, limit],
    )


#: what happened to a placement, both sides see the same: at, what, code, day (which it is about), text
_LIFE: Final = """
SELECT at, what, code, day, text FROM (
  SELECT offered_at AS at, 'OFFERED' AS what, '' AS code, NULL::date AS day, '' AS text, id, 0 AS rank FROM placement_placement WHERE id = %(p)s AND offered_at IS NOT NULL
  UNION ALL SELECT placed_at, CASE WHEN offered_at IS NULL THEN 'PLACED' ELSE 'ACCEPTED' END, '', NULL, '', id, 1 FROM placement_placement WHERE id = %(p)s AND placed_at IS NOT NULL
  UNION ALL SELECT ended_at, state, CASE WHEN placed_at IS NULL THEN answer_reason ELSE recall_reason END, NULL, answer_note, id, 9 FROM placement_placement WHERE id = %(p)s AND ended_at IS NOT NULL
  UNION ALL SELECT noticed_at, 'NOTICE', reason, told_final_on, '', id, 2 FROM placement_notice WHERE placement_id = %(p)s
  UNION ALL SELECT ended_at, 'NOTICE_' || state, '', NULL, CASE WHEN state = 'WITHDRAWN' THEN ended_reason ELSE '' END, id, 6 FROM placement_notice WHERE placement_id = %(p)s AND state IN ('WITHDRAWN', 'OVERTAKEN')
  UNION ALL SELECT o.made_at, 'OBJECTION', o.code, o.evidence_on, o.text, o.id, 3 FROM placement_objection o JOIN placement_notice n ON n.id = o.notice_id WHERE n.placement_id = %(p)s
  UNION ALL SELECT o.decided_at, 'OBJECTION_' || o.state, o.decided_how, o.stays_until, o.decision_reason, o.id, 4 FROM placement_objection o JOIN placement_notice n ON n.id = o.notice_id WHERE n.placement_id = %(p)s AND o.decided_at IS NOT NULL
  UNION ALL SELECT retained_at, 'RETAINED', '', term_to, reason, id, 5 FROM placement_retention WHERE placement_id = %(p)s
) AS happened ORDER BY at DESC, rank DESC, id DESC
"""


@transactions.reads
def history(viewer: Actor, *, placement_id: UUID) -> list[dict[str, Any]]:
    """Give what happened to a placement, latest first: at, what, code, day, text; an agency sees it of its own."""
    return transactions.rows(_LIFE, {"p": placement_id})


@transactions.reads
def my_history(viewer: Actor, *, case_ref: str) -> list[dict[str, Any]]:
    """Give what happened to one of the agency's own cases. Raises `PlacementNotFound`."""
    viewer.require("placement.read_own")
    found = transactions.rows("SELECT id FROM placement_placement WHERE case_ref = %s", [case_ref])
    if not found:
        raise PlacementNotFound(what="placement", where=case_ref)
    return transactions.rows(_LIFE, {"p": found[0]["id"]})


@transactions.reads
def origin(viewer: Actor, *, placement_id: UUID) -> dict[str, Any] | None:
    """Give from whom a refill brought a placement: from_placement_id, case_ref, state, answer_reason, the agency's names; None else."""
    viewer.require("placement.read")
    found = transactions.rows(
        "SELECT f.number, p.id AS from_placement_id, p.case_ref, p.state, p.answer_reason, g.code, g.name_zh, g.name_en FROM placement_refill f "
        "JOIN placement_placement p ON p.id = f.from_placement_id JOIN partners_agency g ON g.id = p.agency_id WHERE f.to_placement_id = %s",
        [placement_id],
    )
    return found[0] if found else None


def earliest_final(*, notice_days: int, at: datetime) -> date:
    """Give the earliest day on which a recall that is told now may be final."""
    return days.day_of(at) + timedelta(days=notice_days)
