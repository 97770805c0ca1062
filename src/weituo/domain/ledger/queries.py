"""Reading the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import polars as pl

from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Debits, credits and balance of one ledger account in one currency, minor units."""

    kind: str
    component: str
    agency_id: UUID | None
    currency: str
    debit_minor: int
    credit_minor: int

    @property
    def balance_minor(self) -> int:
        """Debits less credits."""
        return self.debit_minor - self.credit_minor


PAGE_ROWS = 50


@transactions.reads
def trial_balance(viewer: Actor, *, until: date | None = None) -> list[Balance]:
    """List every ledger account with its balance, by booking value before `until` (half-open) or for all time."""
    viewer.require("ledger.read")
    rows = transactions.rows(
        "SELECT a.kind, a.component, a.agency_id, l.currency, sum(greatest(l.amount_minor, 0))::bigint AS debit_minor, "
        "sum(greatest(-l.amount_minor, 0))::bigint AS credit_minor "
        "FROM ledger_leg l JOIN ledger_account a ON a.id = l.ledger_account_id JOIN ledger_entry e ON e.id = l.entry_id "
        "WHERE %s::date IS NULL OR e.value_on < %s::date GROUP BY a.kind, a.component, a.agency_id, l.currency ORDER BY a.kind, a.component, l.currency, a.agency_id",
        [until, until],
    )
    return [Balance(**row) for row in rows]


@transactions.reads
def check(viewer: Actor) -> list[dict[str, Any]]:
    """Recompute what must agree and list what does not: trial balance per currency, and every account's receivable against the book."""
    viewer.require("ledger.read")
    differences = transactions.rows(
        "SELECT 'trial_balance' AS what, currency AS ref, sum(amount_minor)::bigint AS difference_minor FROM ledger_leg GROUP BY currency HAVING sum(amount_minor) <> 0",
        [],
    )
    differences += transactions.rows(
        "SELECT 'receivable' AS what, b.id::text AS ref, (s.total - b.balance_minor)::bigint AS difference_minor FROM book_account b "
        "JOIN (SELECT l.account_id, sum(l.amount_minor) AS total FROM ledger_leg l JOIN ledger_account a ON a.id = l.ledger_account_id AND a.kind = 'RECEIVABLE' GROUP BY l.account_id) s "
        "ON s.account_id = b.id WHERE s.total <> b.balance_minor ORDER BY b.id LIMIT 100",
        [],
    )
    differences += transactions.rows(
        "SELECT 'commission' AS what, c.id::text AS ref, (c.amount_minor - coalesce(s.total, 0))::bigint AS difference_minor FROM ledger_commission_line c "
        "LEFT JOIN (SELECT l.entry_id, sum(l.amount_minor) AS total FROM ledger_leg l JOIN ledger_account a ON a.id = l.ledger_account_id AND a.kind = 'COMMISSION_EXPENSE' GROUP BY l.entry_id) s "
        "ON s.entry_id = c.entry_id WHERE c.amount_minor <> coalesce(s.total, 0) LIMIT 100",
        [],
    )
    return differences


PAYMENTS = {
    "payment_id": pl.String, "account_id": pl.String, "borrower_id": pl.String, "placement_id": pl.String, "agency_id": pl.String,
    "amount_minor": pl.Int64, "applied_minor": pl.Int64, "currency": pl.String, "paid_on": pl.Date, "method": pl.String,
}  # fmt: skip


@transactions.reads
def payments_frame(
    viewer: Actor, *, paid_before: date | None = None, account_id: UUID | None = None
) -> pl.DataFrame:
    """Give booked payments that were not reversed, one row each (columns of `PAYMENTS`); agencies and borrowers see their own."""
    entries = (
        "AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = p.entry_id)"
        if viewer.kind in {Kind.LENDER, Kind.AUDITOR, Kind.WORKER}
        else ""
    )
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT p.id::text, p.account_id::text, p.borrower_id::text, p.placement_id::text, p.agency_id::text, p.amount_minor, "  # noqa: S608 - the clause is the constant above
            "p.amount_minor - p.unapplied_minor, p.currency, p.paid_on, p.method FROM ledger_payment p "
            f"WHERE (%s::date IS NULL OR p.paid_on < %s::date) AND (%s::uuid IS NULL OR p.account_id = %s::uuid) {entries} ORDER BY p.paid_on, p.id",
            [paid_before, paid_before, account_id, account_id],
        )
        return pl.DataFrame(cursor.fetchall(), schema=PAYMENTS, orient="row")


@transactions.reads
def commissions_frame(viewer: Actor) -> pl.DataFrame:
    """Give commission lines that were not clawed back: agency_id, placement_id, payment_id, base_minor, fee_bps, amount_minor, currency, earned_on, statement_id."""
    viewer.require("ledger.read")
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT agency_id::text, placement_id::text, payment_id::text, base_minor, fee_bps::bigint, amount_minor, currency, earned_on, statement_id::text FROM ledger_commission_line c "
            "WHERE NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = c.entry_id) ORDER BY earned_on, id"
        )
        return pl.DataFrame(
            cursor.fetchall(),
            schema={
                "agency_id": pl.String,
                "placement_id": pl.String,
                "payment_id": pl.String,
                "base_minor": pl.Int64,
                "fee_bps": pl.Int64,
                "amount_minor": pl.Int64,
                "currency": pl.String,
                "earned_on": pl.Date,
                "statement_id": pl.String,
            },
            orient="row",
        )


@transactions.reads
def movements_frame(viewer: Actor) -> pl.DataFrame:
    """Give what changed each account's receivable after its opening, summed by day of value: account_id, value_on, amount_minor.

    Payments are negative. A balance on a day's begin is today's less what moved from that day on.
    """
    viewer.require("ledger.read")
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT l.account_id::text, e.value_on, sum(l.amount_minor)::bigint FROM ledger_leg l JOIN ledger_account a ON a.id = l.ledger_account_id "
            "JOIN ledger_entry e ON e.id = l.entry_id WHERE a.kind = 'RECEIVABLE' AND e.reason <> 'OPENING' GROUP BY 1, 2 ORDER BY 1, 2"
        )
        return pl.DataFrame(
            cursor.fetchall(),
            schema={"account_id": pl.String, "value_on": pl.Date, "amount_minor": pl.Int64},
            orient="row",
        )


@transactions.reads
def costs_frame(viewer: Actor) -> pl.DataFrame:
    """Give in-house collection costs as booked: value_on, amount_minor, currency."""
    viewer.require("ledger.read")
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT e.value_on, l.amount_minor, l.currency FROM ledger_leg l JOIN ledger_account a ON a.id = l.ledger_account_id JOIN ledger_entry e ON e.id = l.entry_id "
            "WHERE a.kind = 'COLLECTION_COST' ORDER BY e.value_on, e.id"
        )
        return pl.DataFrame(
            cursor.fetchall(),
            schema={"value_on": pl.Date, "amount_minor": pl.Int64, "currency": pl.String},
            orient="row",
        )


@transactions.reads
def statements(viewer: Actor, *, statement_id: UUID | None = None) -> list[dict[str, Any]]:
    """List statements, newest first; an agency sees its own."""
    return transactions.rows(
        "SELECT id, agency_id, period_from, period_to, state, currency, payments, collected_minor, commission_minor, drawn_by, drawn_at, agreed_at, approved_by, approved_at "
        "FROM ledger_statement WHERE %s::uuid IS NULL OR id = %s::uuid ORDER BY period_from DESC, agency_id",
        [statement_id, statement_id],
    )


@transactions.reads
def statement_lines(viewer: Actor, *, statement_id: UUID) -> list[dict[str, Any]]:
    """List the commission lines of a statement with their derivation: id, payment, base, rate, commission."""
    return transactions.rows(
        "SELECT c.id, c.earned_on, p.case_ref, p.bucket, p.placed_at, c.base_minor, c.fee_bps, c.amount_minor, c.currency FROM ledger_commission_line c "
        "JOIN placement_placement p ON p.id = c.placement_id WHERE c.statement_id = %s ORDER BY c.earned_on, c.id",
        [statement_id],
    )


@transactions.reads
def commission_line(viewer: Actor, *, line_id: UUID) -> dict[str, Any] | None:
    """Give one commission line with the payment it was earned on, and the entry that reversed it, if any."""
    viewer.require("ledger.read")
    found = transactions.rows(
        "SELECT c.id, c.agency_id, c.base_minor, c.fee_bps, c.amount_minor, c.currency, c.earned_on, c.entry_id, c.statement_id, c.payment_id, p.case_ref, p.bucket, p.placed_at, "
        "y.account_id, y.amount_minor AS paid_minor, y.fee_minor, y.interest_minor, y.principal_minor, y.unapplied_minor, y.paid_on, y.method, l.bank_ref, "
        "(SELECT r.booked_at FROM ledger_entry r WHERE r.reverses_id = c.entry_id) AS reversed_at FROM ledger_commission_line c JOIN ledger_payment y ON y.id = c.payment_id "
        "JOIN placement_placement p ON p.id = c.placement_id LEFT JOIN ledger_remittance_line l ON l.id = y.remittance_line_id WHERE c.id = %s",
        [line_id],
    )
    return found[0] if found else None


@transactions.reads
def entry_legs(viewer: Actor, *, entry_id: UUID) -> list[dict[str, Any]]:
    """List one entry's legs in the shape of `entries`."""
    viewer.require("ledger.read")
    return transactions.rows(
        "SELECT e.id, e.booked_at, e.value_on, e.reason, e.idempotency_key, a.kind, a.component, a.agency_id, l.amount_minor, l.currency "
        "FROM ledger_entry e JOIN ledger_leg l ON l.entry_id = e.id JOIN ledger_account a ON a.id = l.ledger_account_id WHERE e.id = %s ORDER BY l.amount_minor DESC",
        [entry_id],
    )


@transactions.reads
def payments_page(viewer: Actor, *, agency_id: UUID | None = None, page: int = 1) -> dict[str, Any]:
    """Give one page of booked payments, newest first, each with its parts and commission; `agency_id`: of one agency."""
    viewer.require("ledger.read")
    where, values = "WHERE %s::uuid IS NULL OR y.agency_id = %s::uuid", [agency_id, agency_id]
    total = transactions.rows(f"SELECT count(*) AS n FROM ledger_payment y {where}", values)[0]["n"]  # noqa: S608 - the clause is the constant above
    found = transactions.rows(
        "SELECT y.id, y.account_id, y.agency_id, y.amount_minor, y.fee_minor, y.interest_minor, y.principal_minor, y.unapplied_minor, y.currency, y.paid_on, y.method, p.case_ref, "  # noqa: S608 - as above
        "c.id AS line_id, c.amount_minor AS commission_minor, EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = y.entry_id) AS reversed FROM ledger_payment y "
        "LEFT JOIN placement_placement p ON p.id = y.placement_id LEFT JOIN ledger_commission_line c ON c.payment_id = y.id "
        f"{where} ORDER BY y.paid_on DESC, y.id DESC LIMIT {PAGE_ROWS} OFFSET %s",
        [*values, (max(page, 1) - 1) * PAGE_ROWS],
    )
    return {
        "rows": found,
        "total": total,
        "page": max(page, 1),
        "pages": max(1, -(-total // PAGE_ROWS)),
    }


@transactions.reads
def bank_inbox(viewer: Actor, *, limit: int = 200) -> list[dict[str, Any]]:
    """List bank lines, unmatched first, newest first."""
    viewer.require("ledger.read")
    return transactions.rows(
        "SELECT id, reference, booked_on, amount_minor, currency, remittance_text, matched_to, received_at FROM ledger_bank_line ORDER BY (matched_to = '') DESC, booked_on DESC, id DESC LIMIT %s",
        [limit],
    )


@transactions.reads
def remittances(viewer: Actor, *, state: str = "", limit: int = 200) -> list[dict[str, Any]]:
    """List remittances, newest first; an agency sees its own."""
    return transactions.rows(
        "SELECT id, agency_id, sender_ref, state, lines, total_minor, currency, reported_at, booked_at FROM ledger_remittance WHERE %s = '' OR state = %s ORDER BY reported_at DESC, id DESC LIMIT %s",
        [state, state, limit],
    )


def _paged(sql: str, values: Sequence[Any], *, order: str, page: int) -> dict[str, Any]:
    """Give one page of what `sql` finds, with how many there are; both arguments of text are constants of this module."""
    total = transactions.rows(f"SELECT count(*) AS n FROM ({sql}) found", values)[0]["n"]  # noqa: S608 - constants, see above
    page = max(page, 1)
    rows = transactions.rows(
        f"{sql} ORDER BY {order} LIMIT {PAGE_ROWS} OFFSET %s", [*values, (page - 1) * PAGE_ROWS]
    )
    return {"rows": rows, "total": total, "page": page, "pages": max(1, -(-total // PAGE_ROWS))}


@transactions.reads
def statements_page(
    viewer: Actor, *, state: str = "", agency_id: UUID | None = None, page: int = 1
) -> dict[str, Any]:
    """Give one page of statements, newest first; of one agency or state, where OPEN means: not paid."""
    viewer.require("ledger.read")
    return _paged(
        "SELECT id, agency_id, period_from, period_to, state, currency, payments, collected_minor, commission_minor FROM ledger_statement "
        "WHERE (%s = '' OR state = %s OR (%s = 'OPEN' AND state <> 'PAID')) AND (%s::uuid IS NULL OR agency_id = %s::uuid)",
        [state, state, state, agency_id, agency_id],
        order="period_from DESC, agency_id, id",
        page=page,
    )


@transactions.reads
def bank_page(viewer: Actor, *, waiting: bool | None = None, page: int = 1) -> dict[str, Any]:
    """Give one page of bank lines, newest first; `waiting`: only those that no report matches yet, or only matched ones.

    A line that waits though a report has its reference also gives that report's agency_id and reported_minor.
    """
    viewer.require("ledger.read")
    return _paged(
        "SELECT b.id, b.reference, b.booked_on, b.amount_minor, b.currency, b.matched_to, b.received_at, r.agency_id, r.total_minor AS reported_minor, r.currency AS reported_currency "
        "FROM ledger_bank_line b LEFT JOIN LATERAL (SELECT agency_id, total_minor, currency FROM ledger_remittance WHERE b.matched_to = '' AND sender_ref = b.reference "
        "AND state = 'REPORTED' ORDER BY reported_at DESC LIMIT 1) r ON true WHERE %s::boolean IS NULL OR (b.matched_to = '') = %s::boolean",
        [waiting, waiting],
        order="booked_on DESC, id DESC",
        page=page,
    )


@transactions.reads
def remittances_page(
    viewer: Actor, *, state: str = "", agency_id: UUID | None = None, page: int = 1
) -> dict[str, Any]:
    """Give one page of remittances that agencies reported, newest first; of one state or agency."""
    viewer.require("ledger.read")
    return _paged(
        "SELECT id, agency_id, sender_ref, state, lines, total_minor, currency, reported_at, booked_at FROM ledger_remittance "
        "WHERE (%s = '' OR state = %s) AND (%s::uuid IS NULL OR agency_id = %s::uuid)",
        [state, state, agency_id, agency_id],
        order="reported_at DESC, id DESC",
        page=page,
    )


@transactions.reads
def waiting(viewer: Actor) -> dict[str, int]:
    """Count what waits: bank lines without a report, reports without a bank line, statements by who has to act."""
    viewer.require("ledger.read")
    return {
        name: int(count)
        for name, count in transactions.rows(
            "SELECT (SELECT count(*) FROM ledger_bank_line WHERE matched_to = '') AS bank_lines, (SELECT count(*) FROM ledger_remittance WHERE state = 'REPORTED') AS reports, "
            "(SELECT count(*) FROM ledger_statement WHERE state = 'DRAWN') AS drawn, (SELECT count(*) FROM ledger_statement WHERE state = 'AGREED') AS agreed",
            [],
        )[0].items()
    }


@transactions.reads
def entries(
    viewer: Actor, *, account_id: UUID | None = None, limit: int = 100, skip: int = 0
) -> list[dict[str, Any]]:
    """List booked entries with their legs, newest first, of one loan account or of all; `skip` leaves out the newest."""
    viewer.require("ledger.read")
    return transactions.rows(
        "SELECT e.id, e.booked_at, e.value_on, e.reason, e.idempotency_key, a.kind, a.component, a.agency_id, l.amount_minor, l.currency "
        "FROM ledger_entry e JOIN ledger_leg l ON l.entry_id = e.id JOIN ledger_account a ON a.id = l.ledger_account_id "
        "WHERE e.id IN (SELECT x.id FROM ledger_entry x WHERE %s::uuid IS NULL OR EXISTS (SELECT 1 FROM ledger_leg y WHERE y.entry_id = x.id AND y.account_id = %s::uuid) ORDER BY x.booked_at DESC, x.id DESC LIMIT %s OFFSET %s) "
        "ORDER BY e.booked_at DESC, e.id DESC, l.amount_minor DESC",
        [account_id, account_id, limit, skip],
    )
