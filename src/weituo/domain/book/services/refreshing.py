"""Accounts that stand in the book and come again in a newer file: judged by column, updated in one statement a block.

What booked payments have lowered is never overwritten unless the profile says so: where the file's balance agrees, the two are
reconciled; where it does not, the book's stands and the difference is reported.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import polars as pl

from weituo.core.recovery import buckets
from weituo.domain.book.checking import REJECTS, Checked
from weituo.domain.book.profiles import Profile
from weituo.domain.book.services import holds, storing

PARTS: Final = ("principal_minor", "interest_minor", "fee_minor")
#: what a file states anew where its profile maps it
STATED: Final = ("product", "region", "credit_limit_minor", "opened_on")
STANDING: Final[dict[str, Any]] = {
    "account_ref": pl.String, "account_id": pl.String, "borrower_id": pl.String, "had_borrower": pl.String, "had_currency": pl.String, "had_as_of": pl.Date,
    "had_principal_minor": pl.Int64, "had_interest_minor": pl.Int64, "had_fee_minor": pl.Int64, "had_balance_minor": pl.Int64, "lowered_minor": pl.Int64,
    "had_product": pl.String, "had_region": pl.String, "had_credit_limit_minor": pl.Int64, "had_opened_on": pl.Date, "had_late_since": pl.Date,
}  # fmt: skip
TEMP: Final = """
CREATE TEMP TABLE IF NOT EXISTS pg_temp.in_refresh (account uuid, principal bigint, interest bigint, fee bigint, settled bool, product text, region text,
  credit_limit bigint, opened date, since date, days int) ON COMMIT DROP
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the known accounts of a block. changed_minor: by how much taken-over balances changed what is owed.

    difference_minor: what the file says above the book, over the accounts whose booked payments it does not agree with.
    """

    updated: int = 0
    unchanged: int = 0
    differing: int = 0
    changed_minor: int = 0
    difference_minor: int = 0
    history_rows: int = 0


def standing(cursor: Any, refs: pl.Series) -> pl.DataFrame:
    """Give what the book says of those of the references that stand in it (columns of `STANDING`), locked until the unit ends."""
    storing.copy(cursor, "in_ref", "ref", refs.to_frame())
    cursor.execute(
        "SELECT a.external_ref, replace(a.id::text, '-', ''), replace(a.borrower_id::text, '-', ''), b.external_ref, a.currency, a.as_of, a.principal_minor, a.interest_minor, a.fee_minor, "
        "a.balance_minor, a.lowered_minor, a.product, a.region, a.credit_limit_minor, a.opened_on, a.late_since "
        "FROM book_account a JOIN book_borrower b ON b.id = a.borrower_id WHERE a.external_ref IN (SELECT ref FROM pg_temp.in_ref) ORDER BY a.id FOR UPDATE OF a"
    )
    return pl.DataFrame(cursor.fetchall(), schema=STANDING, orient="row")


def judge(checked: Checked, standing: pl.DataFrame, profile: Profile, *, as_of: date) -> Checked:
    """Reject the rows whose account stands in the book otherwise: of another borrower or currency, or of a later day."""
    rows = checked.accepted.join(standing, on="account_ref", how="inner")
    rules = (
        (pl.col("had_borrower") != pl.col("borrower_ref"), profile.borrower["id"], "borrower_ref", "borrower_of_the_book"),
        (pl.col("had_currency") != pl.col("currency"), profile.account.get("currency", "currency"), "currency", "currency_of_the_book"),
        (pl.col("had_as_of") > as_of, profile.account["id"], "had_as_of", "not_older_than_the_book"),
    )  # fmt: skip
    wrong = [
        rows.filter(condition).select(
            "row", column=pl.lit(column), value=pl.col(value).cast(pl.String), rule=pl.lit(rule)
        )
        for condition, column, value, rule in rules
    ]
    rejects = pl.concat(wrong)
    if rejects.is_empty():
        return checked
    bad = rejects["row"].unique().implode()
    gone = checked.accepted.filter(pl.col("row").is_in(bad))
    return replace(
        checked,
        accepted=checked.accepted.filter(~pl.col("row").is_in(bad)),
        rejects=pl.concat([checked.rejects, rejects.cast(REJECTS)]).sort("row", "column", "rule"),
        rejected_minor=checked.rejected_minor + int(gone["balance_minor"].sum()),
    )


def compare(frame: pl.DataFrame, profile: Profile, *, as_of: date) -> pl.DataFrame:
    """Say of each known row what is taken over: takes, settled, differs, updated (Boolean), and the figures that then stand.

    frame: checked rows joined with `STANDING`.
    """
    same = pl.col("balance_minor") == pl.col("had_balance_minor")
    untouched = pl.col("lowered_minor") == 0
    takes = untouched if profile.lowered == "report" else untouched | ~same
    since = buckets.late_since_expr(pl.col("past_due_since"), pl.col("days_past_due"), pl.lit(as_of))
    mapped = {
        "product": "product" in profile.account,
        "region": "region" in profile.account or "region" in profile.borrower,
        "credit_limit_minor": "credit_limit" in profile.account,
        "opened_on": "opened_on" in profile.account,
    }
    found = frame.with_columns(takes=takes, settled=takes | same, differs=~takes & ~same, since=since).with_columns(
        *(pl.when("takes").then(pl.col(part)).otherwise(pl.col(f"had_{part}")).alias(f"new_{part}") for part in PARTS),
        *(pl.col(name if mapped[name] else f"had_{name}").alias(f"new_{name}") for name in STATED),
    )  # fmt: skip
    moved = [pl.col(f"new_{name}").ne_missing(pl.col(f"had_{name}")) for name in (*PARTS, *STATED)]
    return found.with_columns(
        updated=pl.any_horizontal(*moved, pl.col("since").ne_missing(pl.col("had_late_since")))
    )


def refresh(
    cursor: Any, frame: pl.DataFrame, profile: Profile, *, import_id: UUID, as_of: date, at: datetime
) -> Counts:
    """Take over what the file says of known accounts (`compare`), append their months, put new holds on; count."""
    storing.copy(
        cursor, "in_refresh", "account, principal, interest, fee, settled, product, region, credit_limit, opened, since, days",
        frame.select("account_id", *(f"new_{part}" for part in PARTS), "settled", *(f"new_{name}" for name in STATED), "past_due_since", "days_past_due"),
    )  # fmt: skip
    cursor.execute(
        "UPDATE book_account a SET principal_minor = r.principal, interest_minor = r.interest, fee_minor = r.fee, balance_minor = r.principal + r.interest + r.fee, "
        "lowered_minor = CASE WHEN r.settled THEN 0 ELSE a.lowered_minor END, product = r.product, region = r.region, credit_limit_minor = r.credit_limit, "
        "opened_on = r.opened, past_due_since = r.since, days_past_due = r.days, as_of = %s, refreshed_by = %s, "
        "status = CASE WHEN r.principal + r.interest + r.fee > 0 THEN 'OPEN' WHEN a.balance_minor > 0 THEN 'CLOSED' ELSE a.status END, "
        "closed_on = CASE WHEN r.principal + r.interest + r.fee > 0 THEN NULL WHEN a.balance_minor > 0 THEN %s ELSE a.closed_on END "
        "FROM pg_temp.in_refresh r WHERE a.id = r.account",
        [as_of, import_id, as_of],
    )
    months = storing.append_history(cursor, frame, profile, as_of=as_of) if profile.history else 0
    _new_holds(cursor, frame, at=at)
    differing = frame.filter("differs")
    kept = frame.select(
        pl.sum_horizontal(*(pl.col(f"new_{part}") for part in PARTS)) - pl.col("had_balance_minor")
    )
    return Counts(
        updated=int(frame["updated"].sum()),
        unchanged=int((~frame["updated"]).sum()),
        differing=differing.height,
        changed_minor=int(kept.to_series().sum()),
        difference_minor=int((differing["balance_minor"] - differing["had_balance_minor"]).sum()),
        history_rows=months,
    )


def differences(frame: pl.DataFrame) -> pl.DataFrame:
    """List the accounts whose booked payments the file does not agree with: account, file, book and booked since, minor units."""
    return frame.filter("differs").select(
        "row", account="account_ref", file_minor="balance_minor", book_minor="had_balance_minor", booked_minor="lowered_minor"
    )  # fmt: skip


def _new_holds(cursor: Any, frame: pl.DataFrame, *, at: datetime) -> None:
    """Put on the holds that the file marks and that are not in force yet; work may be going on, so who must know is told."""
    marked = storing.marked_holds(frame)
    if marked is None:
        return
    storing.copy(cursor, "in_hold", "borrower, account, kind", marked)
    cursor.execute(
        "SELECT i.borrower, i.account, i.kind FROM pg_temp.in_hold i WHERE NOT EXISTS (SELECT 1 FROM book_hold h WHERE h.borrower_id = i.borrower "
        "AND (h.account_id IS NULL OR h.account_id = i.account) AND h.kind = i.kind AND h.active_to IS NULL) ORDER BY i.account, i.kind"
    )
    for borrower_id, account_id, kind in cursor.fetchall():
        holds.add_hold(
            borrower_id=borrower_id,
            account_id=account_id,
            kind=kind,
            reason="IMPORTED",
            source="import",
            at=at,
        )
