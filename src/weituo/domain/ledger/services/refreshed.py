"""Balances that a newer file stated: the ledger follows the book, by an entry an account."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import polars as pl

from weituo.domain.ledger import posting
from weituo.foundation import transactions
from weituo.foundation.acts import note

COMPONENTS: Final = ("fee", "interest", "principal")
#: accounts of one import whose receivable in the ledger is another than the book's; accounts without an opening wait for theirs
MOVED: Final = """
SELECT b.id::text, b.currency, b.as_of, (b.fee_minor - s.fee)::bigint, (b.interest_minor - s.interest)::bigint, (b.principal_minor - s.principal)::bigint
FROM book_account b JOIN (
  SELECT l.account_id, coalesce(sum(l.amount_minor) FILTER (WHERE a.component = 'fee'), 0) AS fee,
    coalesce(sum(l.amount_minor) FILTER (WHERE a.component = 'interest'), 0) AS interest,
    coalesce(sum(l.amount_minor) FILTER (WHERE a.component = 'principal'), 0) AS principal
  FROM ledger_leg l JOIN ledger_account a ON a.id = l.ledger_account_id AND a.kind = 'RECEIVABLE'
  WHERE l.account_id IN (SELECT id FROM book_account WHERE refreshed_by = %s) GROUP BY l.account_id) s ON s.account_id = b.id
WHERE (b.fee_minor, b.interest_minor, b.principal_minor) IS DISTINCT FROM (s.fee, s.interest, s.principal) ORDER BY b.id
"""
COLUMNS: Final[dict[str, Any]] = {
    "account_id": pl.String, "currency": pl.String, "value_on": pl.Date, "fee": pl.Int64, "interest": pl.Int64, "principal": pl.Int64,
}  # fmt: skip


@transactions.transaction_required
def follow_book(*, import_id: UUID, at: datetime) -> int:
    """Book what an import changed of known accounts' balances; return how many accounts.

    One entry an account for the day of the file: the parts of the receivable against the opening balances.
    """
    with transactions.connection().cursor() as cursor:
        cursor.execute(MOVED, [import_id])
        moved = pl.DataFrame(cursor.fetchall(), schema=COLUMNS, orient="row")
    if moved.is_empty():
        return 0
    moved = moved.with_columns(
        key=pl.format("refresh:{}:{}", pl.lit(str(import_id)), pl.col("account_id")),
        reason=pl.lit("REFRESH"),
        input_digest=pl.concat_str([pl.col(part).cast(pl.String) for part in COMPONENTS], separator="|"),
    )
    for currency in moved["currency"].unique().sort():
        _post(moved.filter(pl.col("currency") == currency), currency=currency, at=at)
    total = int(moved.select(pl.sum_horizontal(COMPONENTS)).to_series().sum())
    note(what="book", ref=import_id, refreshed=moved.height, changed_minor=total)
    return moved.height


def _post(moved: pl.DataFrame, *, currency: str, at: datetime) -> None:
    kinds = {
        part: posting.ledger_account(kind="RECEIVABLE", currency=currency, component=part)
        for part in COMPONENTS
    }
    against = posting.ledger_account(kind="PLACED_BOOK", currency=currency)
    legs = [_legs(moved, pl.col(part), str(kinds[part]), account=pl.col("account_id")) for part in COMPONENTS]
    legs.append(
        _legs(moved, -pl.sum_horizontal(COMPONENTS), str(against), account=pl.lit(None, dtype=pl.String))
    )
    posting.post(entries=moved, legs=pl.concat(legs), at=at)


def _legs(moved: pl.DataFrame, amount: pl.Expr, ledger_account: str, *, account: pl.Expr) -> pl.DataFrame:
    return moved.select(
        "key",
        ledger_account_id=pl.lit(ledger_account),
        account_id=account,
        amount_minor=amount.cast(pl.Int64),
        currency=pl.col("currency"),
    ).filter(pl.col("amount_minor") != 0)
