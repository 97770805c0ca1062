"""Reading permits, attempts, violations; an agency's own cases; rules in force; replay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import polars as pl

from weituo.core import conduct
from weituo.domain.contact import facts
from weituo.domain.contact.errors import PermitNotFound, PlacementNotYours
from weituo.domain.partners import queries as partners
from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor, program


def _frame(sql: str, values: Sequence[Any], schema: dict[str, Any]) -> pl.DataFrame:
    with transactions.connection().cursor() as cursor:
        cursor.execute(sql, list(values))
        return pl.DataFrame(cursor.fetchall(), schema=schema, orient="row")


_INSTANT = pl.Datetime("us", "UTC")
ATTEMPTS = {
    "attempt_id": pl.String, "agency_id": pl.String, "placement_id": pl.String, "borrower_id": pl.String, "permit_id": pl.String,
    "channel": pl.String, "made_at": _INSTANT, "result": pl.String, "duration_s": pl.Int64,
}  # fmt: skip
REFUSALS = {
    "permit_id": pl.String, "agency_id": pl.String, "placement_id": pl.String, "borrower_id": pl.String, "asked_at": _INSTANT,
    "planned_at": _INSTANT, "channel": pl.String, "rule": pl.String,
}  # fmt: skip
VIOLATIONS = {
    "violation_id": pl.String, "agency_id": pl.String, "attempt_id": pl.String, "placement_id": pl.String, "code": pl.String,
    "rule": pl.String, "severity": pl.Int64, "found_at": _INSTANT, "answer_due_at": _INSTANT, "closed_at": _INSTANT,
}  # fmt: skip


@transactions.reads
def attempts_frame(
    viewer: Actor, *, since: datetime | None = None, until: datetime | None = None
) -> pl.DataFrame:
    """Give contacts as reported, one row each (columns of `ATTEMPTS`), made in [since, until); an agency sees its own."""
    return _frame(
        "SELECT id::text, agency_id::text, placement_id::text, borrower_id::text, permit_id::text, channel, made_at, result, duration_s::bigint "
        "FROM contact_attempt WHERE (%s::timestamptz IS NULL OR made_at >= %s) AND (%s::timestamptz IS NULL OR made_at < %s) ORDER BY made_at, id",
        [since, since, until, until],
        ATTEMPTS,
    )


@transactions.reads
def refusals_frame(
    viewer: Actor, *, since: datetime | None = None, until: datetime | None = None
) -> pl.DataFrame:
    """Give refused permits with the rule that weighed most, one row each (columns of `REFUSALS`), asked in [since, until)."""
    return _frame(
        "SELECT id::text, agency_id::text, placement_id::text, borrower_id::text, asked_at, planned_at, channel, reasons->0->>'code' "
        "FROM contact_permit WHERE state = 'REFUSED' AND (%s::timestamptz IS NULL OR asked_at >= %s) AND (%s::timestamptz IS NULL OR asked_at < %s) ORDER BY asked_at, id",
        [since, since, until, until],
        REFUSALS,
    )


@transactions.reads
def violations_frame(viewer: Actor, *, open_only: bool = False) -> pl.DataFrame:
    """Give violations, the clock that ends first on top (columns of `VIOLATIONS`)."""
    return _frame(
        "SELECT v.id::text, v.agency_id::text, v.attempt_id::text, a.placement_id::text, v.code, v.rule, v.severity::bigint, v.found_at, v.answer_due_at, v.closed_at "
        "FROM contact_violation v JOIN contact_attempt a ON a.id = v.attempt_id WHERE NOT %s OR v.closed_at IS NULL ORDER BY v.answer_due_at, v.id",
        [open_only],
        VIOLATIONS,
    )


@transactions.reads
def violations(viewer: Actor, *, open_only: bool = True, limit: int = 200) -> list[dict[str, Any]]:
    """List violations by clock with the agency's names and the contact they are about."""
    viewer.require("contact.read")
    return transactions.rows(
        "SELECT v.id, v.code, v.rule, v.severity, v.found_at, v.answer_due_at, v.closed_at, v.outcome, v.detail, g.code AS agency_code, g.name_zh, g.name_en, "
        "a.made_at, a.channel, a.result, p.case_ref FROM contact_violation v JOIN contact_attempt a ON a.id = v.attempt_id JOIN partners_agency g ON g.id = v.agency_id "
        "JOIN placement_placement p ON p.id = a.placement_id WHERE NOT %s OR v.closed_at IS NULL ORDER BY v.closed_at NULLS FIRST, v.answer_due_at, v.id LIMIT %s",
        [open_only, limit],
    )


@transactions.reads
def permits_by_state(viewer: Actor, *, since: datetime, until: datetime) -> dict[str, int]:
    """Count permits asked in [since, until) by state."""
    viewer.require("contact.read")
    rows = transactions.rows(
        "SELECT state, count(*) AS n FROM contact_permit WHERE asked_at >= %s AND asked_at < %s GROUP BY state",
        [since, until],
    )
    return {row["state"]: row["n"] for row in rows}


@transactions.reads
def refusals_today(viewer: Actor, *, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Count permits refused in [since, until) by reason and agency: code, citation, agency, n; the most frequent first.

    A request refused for two reasons counts under each.
    """
    viewer.require("contact.read")
    return transactions.rows(
        "SELECT r->>'code' AS code, r->>'citation' AS citation, g.code AS agency_code, g.name_zh, g.name_en, count(*) AS n "
        "FROM contact_permit p JOIN partners_agency g ON g.id = p.agency_id CROSS JOIN LATERAL jsonb_array_elements(p.reasons) AS r "
        "WHERE p.state = 'REFUSED' AND p.asked_at >= %s AND p.asked_at < %s GROUP BY 1, 2, 3, 4, 5 ORDER BY n DESC, code, agency_code",
        [since, until],
    )


@transactions.reads
def last_asked(viewer: Actor) -> datetime | None:
    """Give when a permit was last asked."""
    viewer.require("contact.read")
    return transactions.rows("SELECT max(asked_at) AS at FROM contact_permit")[0]["at"]


@transactions.reads
def hours_heat(viewer: Actor, *, since: datetime, until: datetime, zone: str) -> list[dict[str, Any]]:
    """Count contacts made in [since, until) by weekday (1 = Monday) and hour on the wall of `zone`."""
    viewer.require("contact.read")
    return transactions.rows(
        "SELECT extract(isodow FROM made_at AT TIME ZONE %s)::int AS weekday, extract(hour FROM made_at AT TIME ZONE %s)::int AS hour, count(*) AS n "
        "FROM contact_attempt WHERE made_at >= %s AND made_at < %s GROUP BY 1, 2 ORDER BY 1, 2",
        [zone, zone, since, until],
    )


@transactions.reads
def permits(
    viewer: Actor,
    *,
    state: str = "REFUSED",
    code: str = "",
    agency_code: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """List permits asked in [since, until), the latest first, by state, rule and agency; an empty word: any."""
    viewer.require("contact.read")
    return transactions.rows(
        "SELECT p.id, p.state, p.channel, p.purpose, p.asked_at, p.planned_at, p.expires_at, p.reasons, pl.case_ref, g.code AS agency_code, g.name_zh, g.name_en, c.badge "
        "FROM contact_permit p JOIN placement_placement pl ON pl.id = p.placement_id JOIN partners_agency g ON g.id = p.agency_id JOIN partners_collector c ON c.id = p.collector_id "
        "WHERE (%s = '' OR p.state = %s) AND (%s = '' OR p.reasons @> jsonb_build_array(jsonb_build_object('code', %s::text))) AND (%s = '' OR g.code = %s) "
        "AND (%s::timestamptz IS NULL OR p.asked_at >= %s) AND (%s::timestamptz IS NULL OR p.asked_at < %s) ORDER BY p.asked_at DESC, p.id DESC LIMIT %s",
        [state, state, code, code, agency_code, agency_code, since, since, until, until, limit],
    )


@transactions.reads
def of_placement(viewer: Actor, *, placement_id: UUID, limit: int = 200) -> dict[str, list[dict[str, Any]]]:
    """Give one placement's permits (the latest asked first) and attempts (the latest made first), at most `limit` of each."""
    viewer.require("contact.read")
    return {
        "permits": transactions.rows(
            "SELECT p.id, p.state, p.channel, p.purpose, p.asked_at, p.planned_at, p.reasons, c.badge FROM contact_permit p "
            "JOIN partners_collector c ON c.id = p.collector_id WHERE p.placement_id = %s ORDER BY p.asked_at DESC, p.id DESC LIMIT %s",
            [placement_id, limit],
        ),
        "attempts": transactions.rows(
            "SELECT id, permit_id, channel, made_at, result, duration_s FROM contact_attempt WHERE placement_id = %s ORDER BY made_at DESC, id DESC LIMIT %s",
            [placement_id, limit],
        ),
    }


# --- an agency's own ---------------------------------------------------------------------------------------------------

_CASE = (
    "SELECT id, borrower_id, account_id, case_ref, state, placed_at, term_to, ended_at, bucket, region, currency, balance_minor AS placed_minor, fee_bps "
    "FROM placement_placement WHERE placed_at IS NOT NULL "
)


def my_cases(
    viewer: Actor, *, at: datetime, state: str = "ACTIVE", after: str = "", limit: int = 500
) -> list[dict[str, Any]]:
    """List the agency's own cases by reference, with what stands in the book today and where the borrower can be reached.

    The cases are read with the agency's own eyes; only then the gate adds balance, product, hold and contact points
    (references, never numbers).
    """
    viewer.require("contact.read_own")
    with transactions.reading(viewer):
        cases = transactions.rows(
            _CASE + "AND (%s = 'ALL' OR state = %s) AND case_ref > %s ORDER BY case_ref LIMIT %s",
            [state, state, after, limit],
        )
    return _with_book(cases, at=at)


def my_case(viewer: Actor, *, case_ref: str, at: datetime) -> dict[str, Any]:
    """Give one of the agency's own cases. Raises `PlacementNotYours`."""
    viewer.require("contact.read_own")
    with transactions.reading(viewer):
        cases = transactions.rows(_CASE + "AND case_ref = %s", [case_ref])
    if not cases:
        raise PlacementNotYours(what=case_ref, where="case_ref")
    return _with_book(cases, at=at)[0]


def _with_book(cases: list[dict[str, Any]], *, at: datetime) -> list[dict[str, Any]]:
    accounts = list({case["account_id"] for case in cases})
    borrowers = list({case["borrower_id"] for case in cases})
    with transactions.reading(program("gate")):
        book = {
            row["id"]: row
            for row in transactions.rows(
                "SELECT id, product, balance_minor FROM book_account WHERE id = ANY(%s)", [accounts]
            )
        }
        held = transactions.rows(
            "SELECT borrower_id, account_id FROM book_hold WHERE borrower_id = ANY(%s) AND kind <> 'PROMISE' AND active_from <= %s AND (active_to IS NULL OR active_to > %s)",
            [borrowers, at, at],
        )
        points: dict[UUID, list[dict[str, Any]]] = {}
        for row in transactions.rows(
            "SELECT id AS contact_point, borrower_id, channel, role, valid FROM book_contact_point WHERE borrower_id = ANY(%s) ORDER BY borrower_id, role, field, position",
            [borrowers],
        ):
            points.setdefault(row.pop("borrower_id"), []).append(row)
    everywhere = {row["borrower_id"] for row in held if row["account_id"] is None}
    single = {row["account_id"] for row in held}
    for case in cases:
        account = book[case["account_id"]]
        case |= {
            "product": account["product"],
            "balance_minor": account["balance_minor"],
            "on_hold": case["borrower_id"] in everywhere or case["account_id"] in single,
            "contact_points": points.get(case["borrower_id"], []),
        }
    return cases


@transactions.reads
def my_agency(viewer: Actor, *, on: date) -> dict[str, Any]:
    """Give the agency's own record, its collectors, how many cases it works, and which papers stop its work on this day."""
    viewer.require("contact.read_own")
    agency = transactions.rows("SELECT id AS agency_id, code, name_zh, name_en, state FROM partners_agency")[
        0
    ]
    agency["collectors"] = transactions.rows(
        "SELECT badge, registered_on, trained_until, active_to IS NULL OR active_to > %s AS active FROM partners_collector ORDER BY badge",
        [on],
    )
    agency["stopped_by"] = list(
        partners.stopped(viewer, on=on, agency_id=agency["agency_id"]).get(agency["agency_id"], {}).values()
    )
    agency["active_cases"] = transactions.rows(
        "SELECT count(*) AS n FROM placement_placement WHERE state = 'ACTIVE'"
    )[0]["n"]
    return agency


# --- rules and replay --------------------------------------------------------------------------------------------------


def rules_in_force(viewer: Actor, *, at: datetime) -> list[dict[str, Any]]:
    """List every rule that holds at `at`: the gate's own grounds, then the packs', with citation and both languages.

    `confidence` says where the wording was taken from: T the instrument itself, S a secondary source, M memory, H a rule of
    the house.
    """
    viewer.require("contact.read")
    own: list[dict[str, Any]] = [
        {"pack": "gate", "version": "1", "rule": code, "citation": citation, "zh": zh, "en": en, "parameters": {}, "effective_from": None, "confidence": "H" if citation.startswith("house") else "S"}
        for code, (citation, zh, en) in facts.GROUNDS.items()
    ]  # fmt: skip
    return own + [
        {
            "pack": pack.name,
            "version": pack.version,
            "rule": rule.id,
            "citation": rule.citation,
            "zh": rule.zh,
            "en": rule.en,
            "parameters": dict(rule.parameters),
            "effective_from": rule.effective_from,
            "confidence": rule.confidence,
        }
        for pack in conduct.load()
        for rule in pack.rules
        if rule.in_force(at)
    ]


@transactions.reads
def replay_permit(viewer: Actor, *, permit_id: UUID) -> dict[str, Any]:
    """Decide a stored permit once more on its stored facts: the permit, the answer given now, and whether they agree.

    `digest_fits` is False when the stored facts were altered; `same_packs` is False when rules have changed since, and
    then the answers may rightly differ. Raises `PermitNotFound`.
    """
    viewer.require("contact.read")
    found = transactions.rows(
        "SELECT p.*, pl.case_ref, g.code AS agency_code, g.name_zh, g.name_en, c.badge, a.id AS attempt_id, a.made_at, a.result "
        "FROM contact_permit p JOIN placement_placement pl ON pl.id = p.placement_id JOIN partners_agency g ON g.id = p.agency_id "
        "JOIN partners_collector c ON c.id = p.collector_id LEFT JOIN contact_attempt a ON a.permit_id = p.id WHERE p.id = %s",
        [permit_id],
    )
    if not found:
        raise PermitNotFound(what="permit", where=str(permit_id))
    permit = found[0]
    stored = permit["facts"]
    now = facts.again(stored=stored, at=permit["asked_at"])
    permit["facts"] = facts.whole(stored)
    return {
        "permit": permit,
        "allowed": now.allowed,
        "reasons": now.reasons,
        "packs": now.packs,
        "digest_fits": facts.digest_of(stored) == permit["facts_digest"],
        "same_packs": now.packs == permit["packs"],
        "same_answer": now.allowed == (permit["state"] != "REFUSED") and now.reasons == permit["reasons"],
    }
