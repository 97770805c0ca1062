"""What has come to light since a run was solved: agencies that must not get an account which the run gives them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from uuid import UUID

import polars as pl

from weituo.domain.book import queries as book
from weituo.domain.partners import relations
from weituo.domain.placement import gathering, valuing
from weituo.domain.placement.models import RunInputs
from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor

#: reasons of `valuing.bars` that can arise between solving and approving
SINCE = ("CONFLICT", "SISTER_HAD_IT")


@transactions.reads
def placed_in_conflict(viewer: Actor, *, agency_id: UUID, on: date) -> dict[UUID, int]:
    """Give, for each conflict of an agency in force on this day, how many accounts are placed with it all the same.

    They were placed before the conflict was entered: whether they are recalled is for a person to say.
    """
    viewer.require("placement.read")
    stated = [row for row in relations.conflicts(viewer, on=on) if row["agency_id"] == agency_id]
    if not stated:
        return {}
    people = book.employed_by(
        viewer, employers=[row["subject"] for row in stated if row["kind"] == "EMPLOYER"]
    )
    named = [
        (row["id"], row["kind"], subject)
        for row in stated
        for subject in (people[row["subject"]] if row["kind"] == "EMPLOYER" else [valuing.province(row["subject"]) if row["kind"] == "REGION" else row["subject"]])
    ]  # fmt: skip
    ids, kinds, subjects = (list(column) for column in zip(*named, strict=True)) if named else ([], [], [])
    found = transactions.rows(
        "SELECT c.id, count(DISTINCT p.id)::int AS accounts FROM placement_placement p JOIN book_account a ON a.id = p.account_id "
        "JOIN unnest(%s::uuid[], %s::text[], %s::text[]) AS c(id, kind, subject) ON c.subject = CASE c.kind WHEN 'PRODUCT' THEN a.product "
        "WHEN 'REGION' THEN CASE WHEN a.region ~ '^[0-9]+$' THEN left(a.region, 2) ELSE a.region END ELSE p.borrower_id::text END "
        "WHERE p.agency_id = %s AND p.state = ANY(%s) GROUP BY c.id",
        [ids, kinds, subjects, agency_id, list(gathering.LIVE)],
    )
    return {row["id"]: row["accounts"] for row in found}


@transactions.reads
def barred_since(viewer: Actor, *, run_id: UUID, on: date) -> list[UUID]:
    """Give the accounts of a run whose agency is in conflict with them on this day, or is by now a sister of one that had them."""
    kept = RunInputs.objects.filter(run_id=run_id).first()
    if kept is None:
        return []
    inputs = valuing.unpack(bytes(kept.body))
    found = transactions.rows(
        "SELECT i.account_id::text, g.code FROM placement_run_item i JOIN partners_agency g ON g.id = i.agency_id WHERE i.run_id = %s",
        [run_id],
    )
    given = pl.DataFrame(found, schema={"account_id": pl.String, "code": pl.String})
    accounts = inputs.accounts.join(given, on="account_id", how="inner", maintain_order="left")
    today = related_on(viewer, accounts, on=on)
    fresh = replace(inputs, accounts=today.select(list(valuing.ACCOUNTS)), kept=None)
    places = {agency.code: place for place, agency in enumerate(inputs.agencies)}
    columns = today["code"].replace_strict(places, return_dtype=pl.Int64).to_numpy()
    bars = valuing.bars(fresh)
    barred = [bars[why][range(today.height), columns] for why in SINCE]
    return [UUID(one) for one in today.filter(pl.Series(barred[0] | barred[1]))["account_id"]]


def related_on(viewer: Actor, accounts: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """Give a run's accounts (`valuing.ACCOUNTS`, further columns are kept) with the sisters and conflicts of this day."""
    products = book.accounts_frame(viewer, on=on, account_ids=accounts["account_id"]).select(
        "account_id", "product"
    )
    return gathering.related(
        viewer,
        accounts.drop("conflicts", "sisters")
        .join(products, on="account_id", how="left", maintain_order="left")
        .with_columns(split=pl.col("unit") == pl.col("account_id")),
        on=on,
    )


def in_conflict_with(viewer: Actor, *, code: str, account_ids: Iterable[UUID], on: date) -> set[UUID]:
    """Give those of these accounts that the agency of this code is in conflict with on this day, itself or by a sister."""
    accounts = book.accounts_frame(viewer, on=on, account_ids=account_ids)
    found = gathering.in_conflict(viewer, accounts, relations.sisters(viewer, on=on), on=on)
    return {
        UUID(one)
        for one in found.filter(pl.col("conflicts").str.split(" ").list.contains(code))["account_id"]
    }
