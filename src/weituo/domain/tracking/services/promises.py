"""Promises to pay: recorded as claimed, decided by booked money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import polars as pl

from weituo.domain.book import services as book
from weituo.domain.ledger import queries as ledger
from weituo.domain.tracking.errors import PlacementNotYours, PromiseReferenceReused, PromiseRefused
from weituo.foundation import days, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor, program
from weituo.foundation.texts import worded

BATCH_MAX: Final = 500
#: a promise cannot run longer than this
DAYS_MAX: Final = 92
#: how long after a promise it may still be reported
LATE_DAYS_MAX: Final = 400
#: money may be under way this long after the promised day (bank days), and may come this share short
GRACE_DAYS: Final = 5
KEPT_BPS: Final = 9_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseReport:
    """One promise as the agency's system reports it."""

    sender_ref: str
    case_ref: str
    amount_minor: int
    currency: str
    made_at: datetime
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseAnswer:
    """What was recorded."""

    sender_ref: str
    promise_id: UUID
    repeated: bool


def record_promises(*, actor: Actor, promises: Sequence[PromiseReport], at: datetime) -> list[PromiseAnswer]:
    """Record 1 to 500 promises of the agency's own cases; a repeated reference is recognised.

    No promise exceeds what was owed on its day. Raises `PromiseRefused`, `PlacementNotYours`, `PromiseReferenceReused`.
    """
    actor.require("tracking.record_promise")
    _check(promises, at=at)
    return _record(actor=actor, promises=promises, owed=_owed(actor, promises), at=at)


def _owed(agency: Actor, promises: Sequence[PromiseReport]) -> list[int | None]:
    """Give what was owed on the day of each promise, in minor units; None where the case is not the agency's.

    The cases are read with the agency's own eyes, the money with the program's. Of a case that has ended the agency
    learns nothing new: what counts is the balance that was entrusted.
    """
    with transactions.reading(agency), transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT case_ref, account_id, CASE WHEN state <> 'ACTIVE' THEN balance_minor END FROM placement_placement WHERE case_ref = ANY(%s) AND placed_at IS NOT NULL",
            [list({item.case_ref for item in promises})],
        )
        own = {row[0]: row[1:] for row in cursor.fetchall()}
    with transactions.reading(program("gate")), transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT a.balance_minor + coalesce((SELECT sum(p.fee_minor + p.interest_minor + p.principal_minor) FROM ledger_payment p "
            "WHERE p.account_id = a.id AND p.paid_on >= t.made_on AND NOT EXISTS (SELECT FROM ledger_entry r WHERE r.reverses_id = p.entry_id)), 0)::bigint "
            "FROM unnest(%s::uuid[], %s::date[]) WITH ORDINALITY AS t(account, made_on, n) LEFT JOIN book_account a ON a.id = t.account ORDER BY t.n",
            [
                [own.get(item.case_ref, (None,))[0] for item in promises],
                [days.day_of(item.made_at) for item in promises],
            ],
        )
        today = [row[0] for row in cursor.fetchall()]
    entrusted = [own.get(item.case_ref, (None, None))[1] for item in promises]
    return [now if ended is None else ended for now, ended in zip(today, entrusted, strict=True)]


@act("tracking.record_promise", permission="tracking.record_promise")
def _record(
    *, actor: Actor, promises: Sequence[PromiseReport], owed: Sequence[int | None], at: datetime
) -> list[PromiseAnswer]:
    locks.lock(keys=[f"promises:{actor.agency_id}"])
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT case_ref, id, currency, account_id, borrower_id FROM placement_placement WHERE case_ref = ANY(%s) AND placed_at IS NOT NULL",
            [list({item.case_ref for item in promises})],
        )
        placements = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(
            "SELECT sender_ref, id, placement_id, amount_minor, due_on FROM tracking_promise WHERE sender_ref = ANY(%s)",
            [[item.sender_ref for item in promises]],
        )
        standing = {row[0]: row[1:] for row in cursor.fetchall()}
    for number, item in enumerate(promises):
        _compare(item, placements, standing, where=f"promises[{number}]")
        most = owed[number]
        if item.sender_ref not in standing and most is not None and item.amount_minor > most:
            raise PromiseRefused(
                problem=worded("it is more than was owed on that day"),
                where=f"promises[{number}].amount_minor",
            )
    new = [item for item in promises if item.sender_ref not in standing]
    ids = {item.sender_ref: new_id() for item in new}
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO tracking_promise (id, agency_id, placement_id, amount_minor, currency, made_at, due_on, state, sender_ref) "
            "SELECT id, %s, placement, amount, currency, made, due, 'OPEN', ref "
            "FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::text[], %s::timestamptz[], %s::date[], %s::text[]) AS t(id, placement, amount, currency, made, due, ref)",
            [
                actor.agency_id,
                [ids[item.sender_ref] for item in new],
                [placements[item.case_ref][0] for item in new],
                [item.amount_minor for item in new],
                [item.currency for item in new],
                [item.made_at for item in new],
                [item.due_on for item in new],
                [item.sender_ref for item in new],
            ],
        )
    book.hold_promised(
        sources=[_source(ids[item.sender_ref]) for item in new],
        account_ids=[placements[item.case_ref][2] for item in new],
        borrower_ids=[placements[item.case_ref][3] for item in new],
        at=at,
    )
    note(
        what="promises",
        ref=str(actor.agency_id),
        recorded=len(new),
        repeated=len(promises) - len(new),
        amount_minor=sum(item.amount_minor for item in new),
    )
    return [
        PromiseAnswer(
            sender_ref=item.sender_ref,
            promise_id=ids.get(item.sender_ref) or standing[item.sender_ref][0],
            repeated=item.sender_ref in standing,
        )
        for item in promises
    ]


def _source(promise_id: UUID | str) -> str:
    """Give what a promise's hold is known by."""
    return f"promise:{promise_id}"


def _check(promises: Sequence[PromiseReport], *, at: datetime) -> None:
    if not 1 <= len(promises) <= BATCH_MAX:
        raise PromiseRefused(
            problem=worded("1 to %(most)s items, not %(given)s", most=BATCH_MAX, given=len(promises)),
            where="promises",
        )
    if len({item.sender_ref for item in promises}) != len(promises):
        raise PromiseRefused(problem=worded("a reference stands twice"), where="promises.sender_ref")
    for number, item in enumerate(promises):
        where = f"promises[{number}]"
        if item.amount_minor <= 0:
            raise PromiseRefused(problem=worded("an amount is more than zero"), where=f"{where}.amount_minor")
        if item.made_at.tzinfo is None or item.made_at > at + timedelta(minutes=1):
            raise PromiseRefused(
                problem=worded("a promise cannot lie in the future"), where=f"{where}.made_at"
            )
        if item.made_at < at - timedelta(days=LATE_DAYS_MAX):
            raise PromiseRefused(
                problem=worded("a promise is reported within %(days)s days", days=LATE_DAYS_MAX),
                where=f"{where}.made_at",
            )
        ahead = (item.due_on - days.day_of(item.made_at)).days
        if not 0 <= ahead <= DAYS_MAX:
            raise PromiseRefused(
                problem=worded(
                    "its day lies %(days)s days after the promise; 0 to %(most)s are allowed",
                    days=ahead,
                    most=DAYS_MAX,
                ),
                where=f"{where}.due_on",
            )


def _compare(
    item: PromiseReport, placements: dict[str, Any], standing: dict[str, Any], *, where: str
) -> None:
    if item.case_ref not in placements:
        raise PlacementNotYours(what=item.case_ref, where=f"{where}.case_ref")
    if placements[item.case_ref][1] != item.currency:
        raise PromiseRefused(
            problem=worded(
                "its currency is %(given)s, that of the case %(kept)s",
                given=item.currency,
                kept=placements[item.case_ref][1],
            ),
            where=f"{where}.currency",
        )
    known = standing.get(item.sender_ref)
    if known is not None and known[1:] != (placements[item.case_ref][0], item.amount_minor, item.due_on):
        raise PromiseReferenceReused(what=item.sender_ref, where=f"{where}.sender_ref")


@act("tracking.decide_promises", permission="tracking.decide_promises")
def decide_promises(*, actor: Actor, at: datetime) -> dict[str, int]:
    """Decide open promises from booked payments: kept when 90 % arrived between the promise and five days after it fell
    due (each payment counts once, for the promise that fell due first); broken when that time is over. Gives counts by state.
    """
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT id::text, placement_id::text, amount_minor, made_at, due_on, state FROM tracking_promise "
            "WHERE placement_id IN (SELECT placement_id FROM tracking_promise WHERE state = 'OPEN') ORDER BY due_on, id"
        )
        promises = pl.DataFrame(cursor.fetchall(), schema=_PROMISES, orient="row")
    decided = judge(promises=promises, payments=ledger.payments_frame(actor), today=days.day_of(at)).join(
        promises.filter(pl.col("state") == "OPEN"), on="promise_id", how="semi"
    )
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE tracking_promise p SET state = t.state, decided_at = %s FROM unnest(%s::uuid[], %s::text[]) AS t(id, state) WHERE p.id = t.id",
            [at, decided["promise_id"].to_list(), decided["state"].to_list()],
        )
    book.lift_promised(sources=[_source(one) for one in decided["promise_id"].to_list()], at=at)
    counts = {state: decided.filter(pl.col("state") == state).height for state in ("KEPT", "BROKEN")}
    note(what="promises", ref=days.day_of(at).isoformat(), kept=counts["KEPT"], broken=counts["BROKEN"])
    return counts


_PROMISES: dict[str, pl.DataType | type[pl.DataType]] = {
    "promise_id": pl.String, "placement_id": pl.String, "amount_minor": pl.Int64, "made_at": pl.Datetime("us", "UTC"),
    "due_on": pl.Date, "state": pl.String,
}  # fmt: skip


def judge(*, promises: pl.DataFrame, payments: pl.DataFrame, today: date) -> pl.DataFrame:
    """Give promise_id and state (KEPT, BROKEN) of every promise that can be told on `today`; the rest stay open.

    promises: promise_id, placement_id, amount_minor, made_at, due_on. payments: placement_id, payment_id, amount_minor, paid_on.
    """
    windows = promises.select(
        "promise_id", "placement_id", "amount_minor", "due_on", made_on=days.day_expr("made_at")
    )  # fmt: skip
    counted = (
        windows.rename({"amount_minor": "promised_minor"})
        .join(payments.select("payment_id", "placement_id", "amount_minor", "paid_on"), on="placement_id")
        .filter(
            (pl.col("paid_on") >= pl.col("made_on"))
            & (pl.col("paid_on") <= pl.col("due_on").dt.offset_by(f"{GRACE_DAYS}d"))
        )
        .sort("due_on", "promise_id")
        .unique("payment_id", keep="first", maintain_order=True)
        .group_by("promise_id")
        .agg(paid_minor=pl.col("amount_minor").sum())
    )
    over = pl.col("due_on").dt.offset_by(f"{GRACE_DAYS}d") < today
    return (
        windows.join(counted, on="promise_id", how="left")
        .with_columns(
            state=pl.when(pl.col("paid_minor").fill_null(0) * 10_000 >= pl.col("amount_minor") * KEPT_BPS)
            .then(pl.lit("KEPT"))
            .when(over)
            .then(pl.lit("BROKEN"))
        )
        .filter(pl.col("state").is_not_null())
        .select("promise_id", "state")
    )
