"""Lowering balances by booked money. The ledger calls this inside its own act."""

from __future__ import annotations

import polars as pl

from weituo.foundation import transactions


@transactions.transaction_required
def reduce_balances(*, parts: pl.DataFrame) -> None:
    """Lower each account's parts; negative figures raise them (a reversal). An account at zero closes, above it opens.

    parts: account_id, fee_minor, interest_minor, principal_minor (Int64) and `on` (Date, the day of the last of the money),
    one row an account. An account that closes ages no further than that day. Money that came in is the borrower's
    acknowledgement of that day; a reversal takes the last one back, since no earlier day is known here.
    """
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS pg_temp.lowered (account uuid, fee bigint, interest bigint, principal bigint, last_on date) ON COMMIT DROP;"
            "TRUNCATE pg_temp.lowered"
        )
        with cursor.copy("COPY pg_temp.lowered FROM STDIN (FORMAT csv)") as stream:
            rows = parts.select("account_id", "fee_minor", "interest_minor", "principal_minor", "on")
            stream.write(rows.write_csv(include_header=False).encode())
        cursor.execute(
            "UPDATE book_account a SET fee_minor = a.fee_minor - l.fee, interest_minor = a.interest_minor - l.interest, "
            "principal_minor = a.principal_minor - l.principal, balance_minor = a.balance_minor - l.fee - l.interest - l.principal, "
            "lowered_minor = a.lowered_minor + l.fee + l.interest + l.principal, "
            "last_paid_on = CASE sign(l.fee + l.interest + l.principal) WHEN 1 THEN greatest(a.last_paid_on, l.last_on) WHEN 0 THEN a.last_paid_on END, "
            "status = CASE WHEN a.balance_minor - l.fee - l.interest - l.principal = 0 THEN 'CLOSED' ELSE 'OPEN' END, "
            "closed_on = CASE WHEN a.balance_minor - l.fee - l.interest - l.principal = 0 THEN coalesce(a.closed_on, l.last_on) END "
            "FROM pg_temp.lowered l WHERE a.id = l.account"
        )
