"""Opening balances: imported accounts enter the ledger."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from weituo.domain.book import queries as book
from weituo.domain.ledger import posting
from weituo.foundation import days, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.tenancy.actors import Actor

COMPONENTS = ("fee", "interest", "principal")


@act("ledger.open_book", permission="ledger.open_book")
def open_book(*, actor: Actor, at: datetime) -> int:
    """Book the opening balance of every account that has none yet, one entry an account; return how many."""
    accounts = book.accounts_frame(actor, on=days.day_of(at))
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT account_id::text FROM ledger_leg l JOIN ledger_account a ON a.id = l.ledger_account_id WHERE a.kind = 'RECEIVABLE'"
        )
        opened = [row[0] for row in cursor.fetchall()]
    new = accounts.filter(~pl.col("account_id").cast(pl.String).is_in(opened) & (pl.col("balance_minor") > 0))
    if new.is_empty():
        return 0
    for currency in new["currency"].unique().sort():
        _open(new.filter(pl.col("currency") == currency), currency=currency, at=at)
    note(what="book", ref="opening", accounts=new.height, balance_minor=int(new["balance_minor"].sum()))
    return new.height


def _open(new: pl.DataFrame, *, currency: str, at: datetime) -> None:
    account_id = pl.col("account_id").cast(pl.String)
    frame = new.with_columns(
        account_id=account_id,
        key=pl.concat_str([pl.lit("open:"), account_id]),
        value_on=pl.col("as_of"),
        reason=pl.lit("OPENING"),
        input_digest=pl.concat_str(
            [pl.col(f"{part}_minor").cast(pl.String) for part in COMPONENTS], separator="|"
        ),
        currency=pl.lit(currency),
    )
    legs = [
        frame.filter(pl.col(f"{part}_minor") > 0).select(
            "key",
            pl.lit(str(posting.ledger_account(kind="RECEIVABLE", currency=currency, component=part))).alias(
                "ledger_account_id"
            ),
            "account_id",
            pl.col(f"{part}_minor").cast(pl.Int64).alias("amount_minor"),
            "currency",
        )
        for part in COMPONENTS
    ]
    against = str(posting.ledger_account(kind="PLACED_BOOK", currency=currency))
    legs.append(
        frame.select(
            "key",
            pl.lit(against).alias("ledger_account_id"),
            pl.lit(None, dtype=pl.String).alias("account_id"),
            (-pl.col("balance_minor")).cast(pl.Int64).alias("amount_minor"),
            "currency",
        )
    )
    posting.post(entries=frame, legs=pl.concat(legs), at=at)
