"""Reading cases, wishes, and what a borrower sees of their own affairs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import polars as pl

from weituo.foundation import days, transactions
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.vault import store

_OWN = "borrower_id = %(b)s AND (account_id IS NULL OR account_id = %(a)s)"
_STORY = f"""
SELECT at, what, code, agency_id, ref, minor, detail FROM (
  SELECT placed_at AS at, 'PLACED' AS what, bucket AS code, agency_id, case_ref AS ref, balance_minor AS minor, '' AS detail, id FROM placement_placement WHERE account_id = %(a)s AND placed_at IS NOT NULL
  UNION ALL SELECT ended_at, 'PLACEMENT_ENDED', state, agency_id, case_ref, NULL, recall_reason, id FROM placement_placement WHERE account_id = %(a)s AND placed_at IS NOT NULL AND ended_at IS NOT NULL
  UNION ALL SELECT t.made_at, 'CONTACT', t.result, t.agency_id, t.channel, NULL, '', t.id FROM contact_attempt t JOIN placement_placement p ON p.id = t.placement_id WHERE p.account_id = %(a)s
  UNION ALL SELECT c.asked_at, 'REFUSED', coalesce(c.reasons -> 0 ->> 'code', ''), c.agency_id, c.channel, NULL, '', c.id FROM contact_permit c JOIN placement_placement p ON p.id = c.placement_id WHERE p.account_id = %(a)s AND c.state = 'REFUSED'
  UNION ALL SELECT t.made_at, 'PROMISE', t.state, t.agency_id, t.due_on::text, t.amount_minor, '', t.id FROM tracking_promise t JOIN placement_placement p ON p.id = t.placement_id WHERE p.account_id = %(a)s
  UNION ALL SELECT paid_on::timestamp AT TIME ZONE %(zone)s, 'PAID', method, agency_id, '', amount_minor, '', id FROM ledger_payment WHERE account_id = %(a)s
  UNION ALL SELECT r.booked_at, 'PAYMENT_REVERSED', y.method, y.agency_id, '', -y.amount_minor, '', r.id FROM ledger_payment y JOIN ledger_entry r ON r.reverses_id = y.entry_id WHERE y.account_id = %(a)s
  UNION ALL SELECT opened_at, 'CASE_OPENED', kind, agency_id, id::text, NULL, number, id FROM care_case WHERE {_OWN}
  UNION ALL SELECT decided_at, 'CASE_DECIDED', kind, agency_id, id::text, NULL, number, id FROM care_case WHERE {_OWN} AND decided_at IS NOT NULL
  UNION ALL SELECT active_from, 'HOLD_BEGINS', kind, NULL, '', NULL, reason, id FROM book_hold WHERE {_OWN}
  UNION ALL SELECT active_to, 'HOLD_ENDS', kind, NULL, '', NULL, '', id FROM book_hold WHERE {_OWN} AND active_to IS NOT NULL
) AS happened ORDER BY at DESC, id DESC LIMIT %(n)s
"""  # noqa: S608 - the clause is the constant above
STORY_ROWS_MAX = 500


@transactions.reads
def story(viewer: Actor, *, account_id: UUID, limit: int = STORY_ROWS_MAX) -> list[dict[str, Any]]:
    """List everything that happened to an account, newest first: at, what, code, agency_id, ref, minor, detail."""
    viewer.require("book.read")
    owner = transactions.rows("SELECT borrower_id FROM book_account WHERE id = %s", [account_id])
    if not owner:
        return []
    return transactions.rows(
        _STORY, {"a": account_id, "b": owner[0]["borrower_id"], "n": limit, "zone": days.zone().key}
    )


CASES: dict[str, pl.DataType | type[pl.DataType]] = {
    "case_id": pl.String, "kind": pl.String, "state": pl.String, "reason": pl.String, "borrower_id": pl.String, "account_id": pl.String,
    "placement_id": pl.String, "agency_id": pl.String, "opened_at": pl.Datetime("us", "UTC"), "due_at": pl.Datetime("us", "UTC"),
    "decided_at": pl.Datetime("us", "UTC"), "upheld": pl.Boolean,
}  # fmt: skip


@transactions.reads
def cases_frame(viewer: Actor) -> pl.DataFrame:
    """Give all cases, one row each (columns of `CASES`)."""
    viewer.require("care.read")
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT id::text, kind, state, reason, borrower_id::text, account_id::text, placement_id::text, agency_id::text, opened_at, due_at, decided_at, upheld FROM care_case ORDER BY opened_at, id"
        )
        return pl.DataFrame(cursor.fetchall(), schema=CASES, orient="row")


@transactions.reads
def cases(viewer: Actor, *, state: str = "OPEN", kind: str = "", limit: int = 200) -> list[dict[str, Any]]:
    """List cases by clock: the one due first stands first."""
    viewer.require("care.read")
    return transactions.rows(
        "SELECT c.id, c.number, c.kind, c.state, c.reason, c.source, c.borrower_id, c.account_id, c.agency_id, c.opened_at, c.due_at, c.decided_at, c.upheld "
        "FROM care_case c WHERE (%s = '' OR c.state = %s) AND (%s = '' OR c.kind = %s) ORDER BY c.due_at, c.number LIMIT %s",
        [state, state, kind, kind, limit],
    )


@transactions.reads
def case(viewer: Actor, *, case_id: UUID) -> dict[str, Any] | None:
    """Give one case with the borrower's own words (opened only for who may read personal data)."""
    viewer.require("care.read")
    found = transactions.rows(
        "SELECT c.*, b.subject_id FROM care_case c JOIN book_borrower b ON b.id = c.borrower_id WHERE c.id = %s",
        [case_id],
    )
    if not found:
        return None
    row = found[0]
    row["text"] = ""
    if row["text_position"] is not None and viewer.may("vault.read"):
        words = (
            store.read(viewer, subject_ids=[row["subject_id"]], fields=["case_text"])
            .get(row["subject_id"], {})
            .get("case_text", [])
        )
        row["text"] = words[row["text_position"]] if row["text_position"] < len(words) else ""
    return row


@transactions.reads
def case_id(viewer: Actor, *, named: str) -> UUID | None:
    """Find a case by its number or id."""
    viewer.require("care.read")
    found = transactions.rows("SELECT id FROM care_case WHERE number = %s OR id::text = %s", [named, named])
    return found[0]["id"] if found else None


@transactions.reads
def reach(viewer: Actor, *, borrower_id: UUID, at: datetime) -> dict[str, Any] | None:
    """Tell what stopping everywhere would reach for a borrower at `at`: accounts, placements, agencies, permits, stopped_since."""
    viewer.require("care.read")
    found = transactions.rows(
        "SELECT (SELECT count(*) FROM book_account a WHERE a.borrower_id = b.id AND a.status = 'OPEN') AS accounts, "
        "(SELECT count(*) FROM placement_placement p WHERE p.borrower_id = b.id AND p.state = 'ACTIVE') AS placements, "
        "(SELECT count(DISTINCT p.agency_id) FROM placement_placement p WHERE p.borrower_id = b.id AND p.state = 'ACTIVE') AS agencies, "
        "(SELECT count(*) FROM contact_permit c WHERE c.borrower_id = b.id AND c.state = 'GRANTED' AND c.expires_at > %s) AS permits, "
        "(SELECT min(h.active_from) FROM book_hold h WHERE h.borrower_id = b.id AND h.account_id IS NULL AND h.kind = 'CEASED' AND (h.active_to IS NULL OR h.active_to > %s)) AS stopped_since "
        "FROM book_borrower b WHERE b.id = %s",
        [at, at, borrower_id],
    )
    return found[0] if found else None


@transactions.reads
def contacts_since(viewer: Actor, *, borrower_id: UUID, since: datetime) -> dict[str, Any]:
    """Count contacts with a borrower in the thirty days before an instant and after it: before, after, last_at."""
    viewer.require("care.read")
    return transactions.rows(
        "SELECT count(*) FILTER (WHERE made_at < %s AND made_at >= %s::timestamptz - interval '30 days') AS before, count(*) FILTER (WHERE made_at >= %s) AS after, max(made_at) AS last_at "
        "FROM contact_attempt WHERE borrower_id = %s",
        [since, since, since, borrower_id],
    )[0]


@transactions.reads
def wishes_frame(viewer: Actor) -> pl.DataFrame:
    """Give the wishes in force: borrower_id, channels, hour_from, hour_to, language."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT borrower_id::text, channels, hour_from::int, hour_to::int, language FROM care_wish WHERE active_to IS NULL"
        )
        return pl.DataFrame(
            cursor.fetchall(),
            schema={
                "borrower_id": pl.String,
                "channels": pl.List(pl.String),
                "hour_from": pl.Int32,
                "hour_to": pl.Int32,
                "language": pl.String,
            },
            orient="row",
        )


@transactions.reads
def my_accounts(viewer: Actor) -> list[dict[str, Any]]:
    """List the borrower's own accounts: what is owed and why, and who handles it now."""
    return transactions.rows(
        "SELECT a.id, a.product, a.currency, a.principal_minor, a.interest_minor, a.fee_minor, a.balance_minor, a.past_due_since, a.as_of, a.status, "
        "p.case_ref, p.placed_at, p.term_to, g.code AS agency_code, g.name_zh AS agency_name_zh, g.name_en AS agency_name_en, g.public_phone AS agency_phone "
        "FROM book_account a LEFT JOIN placement_placement p ON p.account_id = a.id AND p.state = 'ACTIVE' LEFT JOIN partners_agency g ON g.id = p.agency_id ORDER BY a.past_due_since NULLS LAST, a.id"
    )


@transactions.reads
def my_history(viewer: Actor, *, account_id: UUID) -> list[dict[str, Any]]:
    """List months of one of the borrower's own accounts, newest first."""
    return transactions.rows(
        "SELECT month, bill_minor, paid_minor, months_late FROM book_repayment_month WHERE account_id = %s ORDER BY month DESC",
        [account_id],
    )


@transactions.reads
def my_payments(viewer: Actor) -> list[dict[str, Any]]:
    """List the borrower's own booked payments, newest first, with what each paid."""
    return transactions.rows(
        "SELECT account_id, amount_minor, fee_minor, interest_minor, principal_minor, unapplied_minor, currency, paid_on FROM ledger_payment ORDER BY paid_on DESC, id DESC"
    )


@transactions.reads
def my_contacts(viewer: Actor) -> list[dict[str, Any]]:
    """List who contacted the borrower, when and how, newest first."""
    return transactions.rows(
        "SELECT a.made_at, a.channel, a.result, g.code AS agency_code, g.name_zh AS agency_name_zh, g.name_en AS agency_name_en FROM contact_attempt a JOIN partners_agency g ON g.id = a.agency_id ORDER BY a.made_at DESC LIMIT 100"
    )


@transactions.reads
def my_cases(viewer: Actor) -> list[dict[str, Any]]:
    """List the borrower's own cases with the answers given."""
    return transactions.rows(
        "SELECT id, number, kind, state, reason, account_id, opened_at, due_at, decided_at, upheld, answer FROM care_case ORDER BY opened_at DESC"
    )


@transactions.reads
def my_wish(viewer: Actor) -> dict[str, Any] | None:
    """Give the borrower's wish in force."""
    found = transactions.rows(
        "SELECT channels, hour_from, hour_to, language, active_from FROM care_wish WHERE active_to IS NULL"
    )
    return found[0] if found else None
