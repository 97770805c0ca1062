"""Applying money to accounts: waterfall, entry, commission, in columns."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from weituo.core import money
from weituo.domain.book import queries as book
from weituo.domain.book import services as book_services
from weituo.domain.ledger import posting
from weituo.domain.ledger.errors import CurrencyDiffers
from weituo.domain.ledger.events import PaymentsBooked
from weituo.foundation import days, events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.tenancy.actors import Actor

ORDER = money.DEFAULT_ORDER
PAYMENT_COLUMNS = {
    "key": pl.String,
    "account_id": pl.String,
    "placement_id": pl.String,
    "agency_id": pl.String,
    "line_id": pl.String,
    "fee_bps": pl.Int64,
    "amount_minor": pl.Int64,
    "currency": pl.String,
    "paid_on": pl.Date,
    "method": pl.String,
}

_MATCHED = """
SELECT 'payment:' || l.agency_id || ':' || l.bank_ref, p.account_id::text, p.id::text, p.agency_id::text, l.id::text, p.fee_bps::bigint,
       l.amount_minor, l.currency, l.paid_on, l.method
FROM ledger_remittance r
JOIN ledger_bank_line b ON b.reference = r.sender_ref AND b.amount_minor = r.total_minor AND b.currency = r.currency AND b.matched_to = ''
JOIN ledger_remittance_line l ON l.remittance_id = r.id
JOIN placement_placement p ON p.id = l.placement_id
WHERE r.state = 'REPORTED'
"""


@act("ledger.book_remittances", permission="ledger.book_payments")
def book_remittances(*, actor: Actor, at: datetime) -> int:
    """Book every reported remittance whose bank line has arrived with the same reference and total; return payments booked."""
    locks.lock(keys=["ledger:booking"])
    with transactions.connection().cursor() as cursor:
        cursor.execute(_MATCHED)
        payments = pl.DataFrame(cursor.fetchall(), schema=PAYMENT_COLUMNS, orient="row")
        if payments.is_empty():
            return 0
        lines = payments["line_id"].to_list()
        cursor.execute(
            "UPDATE ledger_bank_line b SET matched_to = 'remittance:' || r.id FROM ledger_remittance r "
            "WHERE r.state = 'REPORTED' AND b.reference = r.sender_ref AND b.amount_minor = r.total_minor AND b.currency = r.currency AND b.matched_to = ''"
        )
        cursor.execute(
            "UPDATE ledger_remittance SET state = 'BOOKED', booked_at = %s WHERE id IN (SELECT DISTINCT remittance_id FROM ledger_remittance_line WHERE id = ANY(%s::uuid[]))",
            [at, lines],
        )
    booked = _book(payments, actor=actor, source="SUSPENSE", at=at)
    return booked


@act("ledger.book_direct_payments", permission="ledger.book_payments")
def book_direct_payments(*, actor: Actor, payments: pl.DataFrame, at: datetime) -> int:
    """Book money that borrowers paid straight to the lender's bank account; return how many were new.

    payments: reference, account_id, amount_minor (Int64 > 0), currency, paid_on (Date), method. An active placement
    is named in the payment (the agency must be told) but earns no commission.
    """
    locks.lock(keys=["ledger:booking"])
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT account_id::text, id::text, agency_id::text FROM placement_placement WHERE state = 'ACTIVE' AND account_id = ANY(%s::uuid[])",
            [payments["account_id"].to_list()],
        )
        placed = pl.DataFrame(
            cursor.fetchall(),
            schema={"account_id": pl.String, "placement_id": pl.String, "agency_id": pl.String},
            orient="row",
        )
    frame = payments.join(placed, on="account_id", how="left").with_columns(
        key=pl.concat_str([pl.lit("direct:"), "reference"]),
        line_id=pl.lit(None, dtype=pl.String),
        fee_bps=pl.lit(0, dtype=pl.Int64),
    )
    return _book(frame.select(*PAYMENT_COLUMNS), actor=actor, source="BANK", at=at)


def applied(payments: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Apply payments in order of day and key to what each account owes: adds fee, interest, principal, unapplied (Int64).

    Several payments on one account are taken together: the parts of a payment are the difference of the waterfall of
    the running total after it and before it, so that no payment needs the one before to be booked first.
    """
    due = {part: pl.col(f"{part}_minor") for part in ORDER}
    after = pl.col("amount_minor").cum_sum().over("account_id")
    frame = (
        payments.join(
            accounts.select(
                "account_id",
                "borrower_id",
                *(f"{part}_minor" for part in ORDER),
                pl.col("currency").alias("kept_in"),
            ),
            on="account_id",
            how="left",
        )
        .sort("account_id", "paid_on", "key")
        .with_columns(after=after)
        .with_columns(before=pl.col("after") - pl.col("amount_minor"))
    )
    waterfall = money.Waterfall(order=ORDER)
    until = waterfall.exprs(amount_minor=pl.col("after"), due_minor=due)
    until_before = waterfall.exprs(amount_minor=pl.col("before"), due_minor=due)
    return frame.with_columns(
        **{part: (until[part] - until_before[part]).cast(pl.Int64) for part in (*ORDER, "unapplied")}
    )


def _book(payments: pl.DataFrame, *, actor: Actor, source: str, at: datetime) -> int:
    new = _without_booked(payments)
    if new.is_empty():
        return 0
    ids = new["account_id"].unique().to_list()
    accounts = book.accounts_frame(actor, on=days.day_of(at), account_ids=ids).with_columns(
        pl.col("account_id", "borrower_id").cast(pl.String)
    )
    parts = applied(new, accounts)
    wrong = parts.filter(pl.col("currency") != pl.col("kept_in"))
    if wrong.height:
        raise CurrencyDiffers(
            currency=wrong["currency"][0], expected=wrong["kept_in"][0], where=wrong["key"][0]
        )
    parts = parts.with_columns(
        commission=pl.when(pl.col("line_id").is_not_null())
        .then(
            money.commission_expr(
                amount_minor=pl.col("amount_minor") - pl.col("unapplied"), fee_bps=pl.col("fee_bps")
            )
        )
        .otherwise(0)
        .cast(pl.Int64)
    )
    for currency in parts["currency"].unique().sort():
        _post(parts.filter(pl.col("currency") == currency), currency=currency, source=source, at=at)
    _store(parts)
    book_services.reduce_balances(
        parts=parts.group_by("account_id").agg(
            pl.sum("fee").alias("fee_minor"),
            pl.sum("interest").alias("interest_minor"),
            pl.sum("principal").alias("principal_minor"),
            pl.max("paid_on").alias("on"),
        )
    )
    total = int(parts["amount_minor"].sum())
    note(
        what="payments",
        ref=at.isoformat(),
        payments=parts.height,
        amount_minor=total,
        commission_minor=int(parts["commission"].sum()),
        unapplied_minor=int(parts["unapplied"].sum()),
    )
    events.publish(
        PaymentsBooked(payments=parts.height, amount_minor=total, currency=parts["currency"][0], booked_at=at)
    )
    return parts.height


def _without_booked(payments: pl.DataFrame) -> pl.DataFrame:
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT idempotency_key FROM ledger_entry WHERE idempotency_key = ANY(%s)",
            [payments["key"].to_list()],
        )
        return payments.filter(~pl.col("key").is_in([row[0] for row in cursor.fetchall()]))


def _post(parts: pl.DataFrame, *, currency: str, source: str, at: datetime) -> None:
    entries = parts.select(
        "key",
        pl.col("paid_on").alias("value_on"),
        pl.lit("PAYMENT").alias("reason"),
        pl.concat_str(
            ["account_id", pl.col("amount_minor").cast(pl.String), "currency"], separator="|"
        ).alias("input_digest"),
    )
    no_account = pl.lit(None, dtype=pl.String)

    def legs(ledger_account: object, amount: pl.Expr, account: pl.Expr = no_account) -> pl.DataFrame:
        return parts.select(
            "key",
            (ledger_account if isinstance(ledger_account, pl.Expr) else pl.lit(str(ledger_account))).alias(
                "ledger_account_id"
            ),
            account.alias("account_id"),
            amount.cast(pl.Int64).alias("amount_minor"),
            pl.lit(currency).alias("currency"),
        ).filter(pl.col("amount_minor") != 0)

    money_in = pl.col("amount_minor") - (pl.col("unapplied") if source == "SUSPENSE" else 0)
    found = [legs(posting.ledger_account(kind=source, currency=currency), money_in)]
    for part in ORDER:
        found.append(
            legs(
                posting.ledger_account(kind="RECEIVABLE", currency=currency, component=part),
                -pl.col(part),
                pl.col("account_id"),
            )
        )
    if source == "BANK":
        found.append(legs(posting.ledger_account(kind="SUSPENSE", currency=currency), -pl.col("unapplied")))
    payable = {
        agency_id: str(
            posting.ledger_account(kind="COMMISSION_PAYABLE", currency=currency, agency_id=agency_id)
        )
        for agency_id in parts.filter(pl.col("commission") > 0)["agency_id"].unique().sort()
    }
    if payable:
        found.append(
            legs(posting.ledger_account(kind="COMMISSION_EXPENSE", currency=currency), pl.col("commission"))
        )
        found.append(legs(pl.col("agency_id").replace_strict(payable, default=None), -pl.col("commission")))
    whole = pl.concat(found)
    # money beyond what was owed on a fully paid account stays where it came in; such a payment has no other leg
    alone = parts.filter((pl.col("amount_minor") == pl.col("unapplied")) & pl.lit(source == "SUSPENSE"))
    if alone.height:
        suspense = str(posting.ledger_account(kind="SUSPENSE", currency=currency))
        for sign in (1, -1):
            whole = pl.concat(
                [
                    whole,
                    alone.select(
                        "key",
                        pl.lit(suspense).alias("ledger_account_id"),
                        no_account.alias("account_id"),
                        (sign * pl.col("amount_minor")).cast(pl.Int64).alias("amount_minor"),
                        pl.lit(currency).alias("currency"),
                    ),
                ]
            )
    posting.post(entries=entries, legs=whole, at=at)


def _store(parts: pl.DataFrame) -> None:
    columns = [
        "key",
        "account_id",
        "borrower_id",
        "placement_id",
        "agency_id",
        "line_id",
        "amount_minor",
        "currency",
        *ORDER,
        "unapplied",
        "paid_on",
        "method",
        "fee_bps",
        "commission",
    ]
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS pg_temp.new_payment (key text, account uuid, borrower uuid, placement uuid, agency uuid, line uuid, amount bigint, "
            "currency text, fee bigint, interest bigint, principal bigint, unapplied bigint, paid_on date, method text, fee_bps int, commission bigint) ON COMMIT DROP;"
            "TRUNCATE pg_temp.new_payment"
        )
        posting.copy_frame(cursor, "pg_temp.new_payment", parts.select(columns))
        cursor.execute(
            "INSERT INTO ledger_payment (id, account_id, borrower_id, placement_id, agency_id, amount_minor, currency, fee_minor, interest_minor, principal_minor, "
            "unapplied_minor, paid_on, method, remittance_line_id, entry_id) "
            "SELECT uuidv7(), n.account, n.borrower, n.placement, n.agency, n.amount, n.currency, n.fee, n.interest, n.principal, n.unapplied, n.paid_on, n.method, n.line, e.id "
            "FROM pg_temp.new_payment n JOIN ledger_entry e ON e.idempotency_key = n.key"
        )
        cursor.execute(
            "INSERT INTO ledger_commission_line (id, agency_id, payment_id, placement_id, base_minor, fee_bps, amount_minor, currency, earned_on, entry_id) "
            "SELECT uuidv7(), n.agency, p.id, n.placement, n.amount - n.unapplied, n.fee_bps, n.commission, n.currency, n.paid_on, e.id "
            "FROM pg_temp.new_payment n JOIN ledger_entry e ON e.idempotency_key = n.key JOIN ledger_payment p ON p.entry_id = e.id WHERE n.commission > 0"
        )
