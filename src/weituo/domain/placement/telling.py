"""What a run says of itself: figures by agency, limits with their prices, rivals, proof; and refusals in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from weituo.core.allocation.placing import Placed
from weituo.core.allocation.problem import IN_HOUSE, Infeasible
from weituo.core.recovery.features import FeatureError
from weituo.core.recovery.model import ModelError
from weituo.domain.placement import valuing
from weituo.domain.placement.errors import LimitsBackwards, LimitsTogether, LimitsTooHigh
from weituo.foundation.errors import Refusal
from weituo.foundation.texts import worded, worded_list

#: code of what core/recovery cannot work with → its sentence
FAULTS = {
    "COLUMNS": gettext_noop(
        "the columns are not the registry's; too many: %(surplus)s; missing: %(missing)s"
    ),
    "TYPE": gettext_noop("%(name)s is %(given)s, not %(needed)s"),
    "NULLS": gettext_noop("%(name)s has empty fields"),
    "TOO_FEW": gettext_noop("%(rows)s rows are needed, with %(each)s that paid and %(each)s that did not"),
    "OUTCOMES": gettext_noop("paid_fraction lies between 0 and 1 in every row"),
    "NOT_FITTED": gettext_noop("the model was not trained"),
    "FORMAT": gettext_noop("it is no model of expected recovery"),
    "DIGEST": gettext_noop("the file was altered"),
    "OTHER_VERSIONS": gettext_noop("it was made by another version of the program"),
    "SAME_ROWS": gettext_noop("it was tested on the rows that it was trained on"),
    "BINS": gettext_noop("a calibration needs at least one group"),
}


def fault(wrong: FeatureError | ModelError) -> str:
    """Say what core/recovery cannot work with."""
    return worded(FAULTS[wrong.code], **wrong.facts)


def limit_names() -> dict[str, str]:
    """Give the limits' names in the present language."""
    return {
        "accounts_min": worded("least accounts"),
        "accounts_max": worded("most accounts"),
        "balance_min": worded("least balance (minor units)"),
        "balance_max": worded("most balance (minor units)"),
        "bucket_accounts_max": worded("most accounts of a bucket"),
        "eligible": worded("agency not eligible"),
    }


def refusal(impossible: Infeasible) -> Refusal:
    """Turn an impossible problem into a refusal that names the limit and the figures."""
    names = limit_names()
    first = impossible.shortfalls[0] if impossible.shortfalls else None
    if first is not None and impossible.reason in {"BACKWARDS", "TOO_FEW"}:
        kind = LimitsBackwards if impossible.reason == "BACKWARDS" else LimitsTooHigh
        return kind(
            agency=first.agency,
            limit=names[first.limit.kind],
            asked=f"{first.limit.amount:,}",
            possible=f"{first.possible:,}",
            where=f"agencies.{first.agency}.{first.limit.kind}",
        )
    told = [
        worded(
            "%(agency)s: %(limit)s %(asked)s, possible %(possible)s",
            agency=one.agency,
            limit=names[one.limit.kind],
            asked=f"{one.limit.amount:,}",
            possible=f"{one.possible:,}",
        )
        for one in impossible.shortfalls
    ]
    return LimitsTogether(
        shortfalls=worded_list(told), where=", ".join(one.agency for one in impossible.shortfalls)
    )


def counted(exclusions: Mapping[str, int]) -> str:
    """Write reasons with their counts."""
    return ", ".join(f"{reason} {count:,}" for reason, count in sorted(exclusions.items())) or "0"


def rivals(placed: Placed, *, in_house_minor: int) -> dict[str, Any]:
    """Give today's rules on the same accounts: net money, accounts placed, limits broken."""
    return {
        name: {
            "expected_net_minor": rival["value_minor"] + in_house_minor,
            "accounts": rival["accounts"],
            "broken": rival["broken"],
        }
        for name, rival in placed.rivals.items()
    }


def proof(placed: Placed, *, in_house_minor: int) -> dict[str, Any]:
    """Give how near the plan is to the best: net money of all accounts, minor units.

    all_in_house_minor: if nothing were placed. planned_minor ≤ planned_bound_minor: before the draw, within the limits
    less what is reserved for it. The rest of the gap is what chance costs.
    """
    return {
        "all_in_house_minor": in_house_minor,
        "planned_minor": placed.planned_value_minor + in_house_minor,
        "planned_bound_minor": placed.planned_bound_minor + in_house_minor,
        "explored": int(placed.explored.sum()),
        "placed": int((placed.assignment != IN_HOUSE).sum()),
    }


def by_agency(inputs: valuing.Inputs, figures: valuing.Money, placed: Placed) -> list[dict[str, Any]]:
    """Give one row an agency and one for in-house (agency_id None): what it gets, its limits, their prices."""
    found = []
    balance = inputs.accounts["balance_minor"].to_numpy()
    for column, agency in enumerate(inputs.agencies):
        mine = placed.assignment == column
        count, held = int(mine.sum()), int(balance[mine].sum())
        prices = [row for row in placed.prices if row["agency"] == column and row["price"] > 0]
        found.append(
            {
                "agency_id": agency.id, "code": agency.code, "tier": agency.tier, "accounts": count, "balance_minor": held,
                "expected_recovery_minor": int(figures.expected[mine, column].sum()),
                "commission_minor": int(figures.commission[mine, column].sum()),
                "expected_net_minor": int(figures.net[mine, column].sum()),
                "explored": int((placed.explored & mine).sum()), "capacity_left": agency.capacity_left,
                "limits": agency.limits,
                "prices": [{"limit": row["kind"], "bucket": row["bucket"], "price": round(row["price"], 6)} for row in prices],
                "binding": sorted({row["kind"] for row in prices}),
            }
        )  # fmt: skip
    kept = placed.assignment == IN_HOUSE
    found.append(
        {
            "agency_id": None, "code": "", "tier": None, "accounts": int(kept.sum()), "balance_minor": int(balance[kept].sum()),
            "expected_recovery_minor": int(figures.in_house[kept].sum()), "commission_minor": 0,
            "expected_net_minor": int(figures.in_house[kept].sum()), "explored": 0, "capacity_left": None,
            "limits": {}, "prices": [], "binding": [],
        }
    )  # fmt: skip
    return found
