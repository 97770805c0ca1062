"""What a run would start from, before anybody solves it: candidates, their expected recovery, who may take them; and drift."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import polars as pl

from weituo.core.recovery import drift as recovery_drift
from weituo.core.recovery.buckets import BUCKETS
from weituo.domain.book import queries as book
from weituo.domain.partners import queries as partners
from weituo.domain.placement import gathering, holding_out, scrubbing, valuing
from weituo.domain.placement.errors import ModelNotFound, NoModel, NotTreated
from weituo.domain.placement.models import RecoveryModelVersion
from weituo.domain.placement.services import solving
from weituo.domain.plans import queries as plans
from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor


@transactions.reads
def batch(
    viewer: Actor,
    *,
    as_of: date,
    at: datetime,
    hold_out: float = 0.0,
    hold_out_kind: str = "IN_HOUSE",
    seed: int = 0,
) -> dict[str, Any]:
    """Give what a run of this day would place: by bucket accounts, balance and expected recovery; who is left out and why.

    The same gathering as `solve_run`, so that the figures are the run's. Keys: strategy_version, model_id, model_version,
    currency, accounts, balance_minor, expected_minor, by_bucket (bucket, accounts, balance_minor, expected_minor,
    in_house_bps), exclusions (reason → accounts), left_out (columns of `scrubbing.LEFT_OUT`), barred (rows of
    `valuing.barred` with names), borrowers (units among the accounts), hold_out (what `holding_out.told` says of the share
    and seed asked for, before any place is scarce), prices. Raises `NotTreated`, `NoModel`, `ModelUnusable`,
    `NoEligibleAgency`, `NothingToPlace`.
    """
    viewer.require("placement.read")
    strategy = plans.current_strategy(viewer)
    if strategy is None:
        raise NotTreated()
    version = RecoveryModelVersion.objects.filter(state="PROMOTED").order_by("-version").first()
    if version is None:
        raise NoModel()
    prices = valuing.Prices()
    found = gathering.candidates(viewer, as_of=as_of, at=at)
    gathered = solving.inputs_of(
        viewer, found, version, {}, prices, as_of=as_of, seed=seed, exploration=0.0, hold_out=hold_out, hold_out_kind=hold_out_kind
    )  # fmt: skip
    inputs = gathered.inputs
    held = holding_out.drawn(inputs)
    grouped = inputs.accounts.group_by("bucket").agg(
        accounts=pl.len(),
        balance_minor=pl.col("balance_minor").sum(),
        expected_minor=pl.col("expected_minor").sum(),
    )
    rows = {row["bucket"]: row for row in grouped.to_dicts()}
    by_bucket = [
        rows[name] | {"in_house_bps": prices.in_house_bps.get(name, 0)} for name in BUCKETS if name in rows
    ]
    return {
        "strategy_id": strategy["id"],
        "strategy_version": strategy["version"],
        "model_id": version.id,
        "model_version": version.version,
        "currency": found.currency,
        "accounts": inputs.accounts.height,
        "balance_minor": sum(row["balance_minor"] for row in by_bucket),
        "expected_minor": sum(row["expected_minor"] for row in by_bucket),
        "by_bucket": by_bucket,
        "exclusions": scrubbing.counted(gathered.left_out),
        "left_out": gathered.left_out,
        "barred": _named(viewer, gathered.barred),
        "borrowers": inputs.accounts["unit"].n_unique(),
        "hold_out": holding_out.told(
            inputs, valuing.money(inputs), held, plan=None, months=holding_out.MONTHS
        ),
        "prices": prices,
    }


def _named(viewer: Actor, barred: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the rows of `valuing.barred` their agency's names, the most accounts first."""
    names = {row.code: {"name_zh": row.name_zh, "name_en": row.name_en} for row in partners.agencies(viewer)}
    return sorted(
        (row | names[row["code"]] for row in barred), key=lambda row: (-row["accounts"], row["code"])
    )


@transactions.reads
def panel(viewer: Actor, *, on: date) -> list[dict[str, Any]]:
    """Give every approved agency with its limits and the sentences that keep it from taking accounts."""
    viewer.require("placement.read")
    stopped = partners.stopped(viewer, on=on)
    active, charged = gathering.active_counts(), gathering.fees(viewer, on=on)
    return [
        {
            "id": row.id,
            "code": row.code,
            "name_zh": row.name_zh,
            "name_en": row.name_en,
            "tier": row.tier,
            "regions": row.regions,
            "capacity": row.capacity_accounts_max,
            "active": active[row.id],
            "room": max(row.capacity_accounts_max - active[row.id], 0),
            "fee_bps": charged.get(row.id, {}),
            "lacking": list(stopped.get(row.id, {}).values()),
        }
        for row in partners.agencies(viewer, states=["APPROVED"])
    ]


@transactions.reads
def drift(viewer: Actor, *, model_id: UUID) -> pl.DataFrame | None:
    """Compare the open accounts that the strategy sends to agencies, placed or not, with a model's training rows.

    None where the model keeps no profile of its training rows, or no strategy was applied yet. Raises `ModelNotFound`.
    """
    viewer.require("placement.read")
    version = RecoveryModelVersion.objects.filter(id=model_id).first()
    if version is None:
        raise ModelNotFound(what="model", where=str(model_id))
    profile = version.calibration.get("profile")
    if not profile:
        return None
    # the day of the last file: of later months nothing is known yet, and that would look like drift
    day = book.stated(viewer)
    if day is None:
        return None
    accounts = book.accounts_frame(viewer, on=day).filter(pl.col("status") == "OPEN")
    sent = plans.treatments_frame(viewer).filter(pl.col("treatment") == "AGENCY")["account_id"]
    wanted = accounts.filter(pl.col("account_id").is_in(sent.implode()))
    if wanted.is_empty():
        return None
    present = gathering.features_of(viewer, everything=accounts, wanted=wanted["account_id"], as_of=day)
    return recovery_drift.stability(trained=profile, frame=present)
