"""Cases as the care desk reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from django.utils.translation import gettext_lazy

from weituo.foundation.tenancy.actors import Actor
from weituo.web.presenters.borrower import KIND_LABELS, REASONS
from weituo.web.presenters.ledger import agency_names

SOURCES = {
    "BORROWER_PAGE": gettext_lazy("borrower's page"),
    "AGENCY": gettext_lazy("told to the agency"),
    "PHONE": gettext_lazy("telephone"),
}
SOON = timedelta(days=2)


def _clock(due_at: datetime, at: datetime) -> str:
    if due_at <= at:
        return "bad"
    return "act" if due_at - at < SOON else "wait"


def _shown(row: Mapping[str, Any], names: Mapping[str, str], at: datetime) -> dict[str, Any]:
    return dict(row) | {
        "kind_label": KIND_LABELS[row["kind"]],
        "reason_label": REASONS[row["kind"]].get(row["reason"], row["reason"]),
        "source_label": SOURCES.get(row["source"], row["source"]),
        "agency": names.get(str(row["agency_id"]), ""),
        "tone": _clock(row["due_at"], at) if row["state"] == "OPEN" else "good",
        "overdue": row["state"] == "OPEN" and row["due_at"] <= at,
    }


def desk(
    *,
    cases: Sequence[Mapping[str, Any]],
    frame: pl.DataFrame,
    agencies: Sequence[Any],
    state: str,
    kind: str,
    at: datetime,
) -> dict[str, Any]:
    """Give the desk: counts, then cases by clock."""
    names = agency_names(agencies)
    open_cases = frame.filter(pl.col("state") == "OPEN")
    by_agency = (
        frame.filter((pl.col("kind") == "COMPLAINT") & pl.col("agency_id").is_not_null())
        .group_by("agency_id")
        .len()
        .sort("len", descending=True)
    )
    return {
        "cases": [_shown(row, names, at) for row in cases],
        "open": open_cases.height,
        "overdue": open_cases.filter(pl.col("due_at") <= at).height,
        "soon": open_cases.filter((pl.col("due_at") > at) & (pl.col("due_at") <= at + SOON)).height,
        "by_kind": [
            {"kind": code, "label": label, "count": open_cases.filter(pl.col("kind") == code).height}
            for code, label in KIND_LABELS.items()
        ],
        "complaints_by_agency": [
            {"agency": names.get(row["agency_id"], ""), "count": row["len"]} for row in by_agency.to_dicts()
        ],
        "state": state,
        "kind": kind,
    }


def case(row: Mapping[str, Any], *, agencies: Sequence[Any], actor: Actor, at: datetime) -> dict[str, Any]:
    """Give one case."""
    return {
        "case": _shown(row, agency_names(agencies), at),
        "may_decide": row["state"] == "OPEN" and actor.may("care.decide_case"),
        "may_read_words": actor.may("vault.read"),
    }
