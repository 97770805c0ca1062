"""Reading whom a run left out, and whom it held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import polars as pl

from weituo.domain.placement import batches, scrubbing
from weituo.domain.placement.errors import RunNotFound
from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor

PAGE_ROWS: Final = 50
#: accounts read at a time for a file
BLOCK_ROWS: Final = 20_000
HOLD_OUTS: Final[dict[str, Any]] = {
    "run_id": pl.String, "account_id": pl.String, "borrower_id": pl.String, "held_out": pl.String, "bucket": pl.String, "currency": pl.String,
    "balance_minor": pl.Int64, "expected_recovery_minor": pl.Int64, "expected_net_minor": pl.Int64, "probability": pl.Float64,
    "held_from": pl.Datetime("us", "UTC"), "held_to": pl.Date,
}  # fmt: skip
_ACCOUNT: Final = "a.id AS account_id, a.external_ref AS number, a.borrower_id, a.product, a.bucket, a.region, a.currency, a.balance_minor"


def _head(run_id: UUID) -> dict[str, Any]:
    found = transactions.rows("SELECT as_of, exclusions FROM placement_run WHERE id = %s", [run_id])
    if not found:
        raise RunNotFound(what="run", where=str(run_id))
    return found[0]


def _rows(
    run_id: UUID, *, as_of: date, reason: str, after: UUID | None, limit: int, skip: int = 0
) -> list[dict[str, Any]]:
    """Give accounts left out in the order of their ids; each question has its own index."""
    clauses, values = ["run_id = %s"], [run_id]  # type: tuple[list[str], list[Any]]
    for clause, value in (("reason = %s", reason), ("account_id > %s", after)):
        if value:
            clauses.append(clause)
            values.append(value)
    return transactions.rows(
        f"SELECT {_ACCOUNT}, x.reason, x.reasons FROM (SELECT * FROM placement_run_exclusion WHERE {' AND '.join(clauses)} "  # noqa: S608 - constants only
        "ORDER BY account_id LIMIT %s OFFSET %s) x JOIN LATERAL (SELECT o.* FROM book_account_on(%s) o WHERE o.id = x.account_id) a ON true ORDER BY a.id",
        [*values, limit, skip, as_of],
    )


@transactions.reads
def left_out_page(viewer: Actor, *, run_id: UUID, reason: str = "", page: int = 1) -> dict[str, Any]:
    """Give one page of the accounts that a run left out, by account: rows, total, page, pages, counts (reason → accounts).

    reason: the one under which an account counts; empty: all. Each row holds number, reason, reasons (a list), bucket,
    region, product, currency and balance_minor of the run's day. Raises `RunNotFound`.
    """
    viewer.require("placement.read")
    head = _head(run_id)
    counts = {one: int(head["exclusions"][one]) for one in scrubbing.ORDER if one in head["exclusions"]}
    total = counts.get(reason, 0) if reason else sum(counts.values())
    found = _rows(
        run_id,
        as_of=head["as_of"],
        reason=reason,
        after=None,
        limit=PAGE_ROWS,
        skip=(max(page, 1) - 1) * PAGE_ROWS,
    )
    return {
        "rows": [row | {"reasons": row["reasons"].split(" ")} for row in found],
        "total": total,
        "page": max(page, 1),
        "pages": max(1, -(-total // PAGE_ROWS)),
        "counts": counts,
    }


def left_out_blocks(viewer: Actor, *, run_id: UUID, reason: str = "") -> Iterator[list[dict[str, Any]]]:
    """Give the same rows as `left_out_page` in blocks, each read by itself, however many there are. Raises `RunNotFound`."""
    viewer.require("placement.read")
    with transactions.reading(viewer):
        as_of = _head(run_id)["as_of"]
    last: UUID | None = None
    while True:
        with transactions.reading(viewer):
            found = _rows(run_id, as_of=as_of, reason=reason, after=last, limit=BLOCK_ROWS)
        if not found:
            return
        yield found
        last = found[-1]["account_id"]


@transactions.reads
def would_leave_out(
    viewer: Actor, *, as_of: date, at: datetime, reason: str = "", page: int = 1
) -> dict[str, Any]:
    """Give the same as `left_out_page` for a run of this day that nobody has solved yet.

    Raises what `batches.batch` raises.
    """
    viewer.require("placement.read")
    left_out: pl.DataFrame = batches.batch(viewer, as_of=as_of, at=at)["left_out"]
    counts = scrubbing.counted(left_out)
    chosen = left_out.filter(pl.col("reason") == reason) if reason else left_out
    shown = chosen.slice((max(page, 1) - 1) * PAGE_ROWS, PAGE_ROWS)
    known = {
        str(row["account_id"]): row
        for row in transactions.rows(
            f"SELECT {_ACCOUNT} FROM book_account_on(%s) a WHERE a.id = ANY(%s::uuid[])",  # noqa: S608 - the constant above
            [as_of, shown["account_id"].to_list()],
        )
    }
    return {
        "rows": [
            known[row["account_id"]] | {"reason": row["reason"], "reasons": row["reasons"].split(" ")}
            for row in shown.to_dicts()
        ],
        "total": chosen.height,
        "page": max(page, 1),
        "pages": max(1, -(-chosen.height // PAGE_ROWS)),
        "counts": counts,
    }


@transactions.reads
def hold_outs_frame(viewer: Actor, *, run_ids: Sequence[UUID] | None = None) -> pl.DataFrame:
    """Give the accounts that approved runs held out (columns of `HOLD_OUTS`), for comparing them with those that were placed.

    bucket and balance_minor are those of the run's day; held for [held_from, held_to).
    """
    viewer.require("placement.read")
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT i.run_id::text, i.account_id::text, a.borrower_id::text, i.held_out, a.bucket, a.currency, a.balance_minor, i.expected_recovery_minor, "
            "i.expected_net_minor, i.probability, r.decided_at, (r.as_of + make_interval(months => (r.parameters->>'hold_out_months')::int))::date "
            "FROM placement_run_item i JOIN placement_run r ON r.id = i.run_id CROSS JOIN LATERAL (SELECT x.* FROM book_account_on(r.as_of) x WHERE x.id = i.account_id) a "
            "WHERE i.held_out <> '' AND r.state = 'APPROVED' AND (%s::uuid[] IS NULL OR i.run_id = ANY(%s::uuid[])) ORDER BY r.number, i.account_id",
            [None if run_ids is None else list(run_ids)] * 2,
        )
        return pl.DataFrame(cursor.fetchall(), schema=HOLD_OUTS, orient="row")
