"""What a run says of itself: figures by agency, limits with their prices, rivals, proof; and refusals in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from weituo.core.allocation.feasibility import Infeasible, Kind
from weituo.core.allocation.placing import IN_HOUSE, Placed
from weituo.core.recovery.buckets import BUCKETS
from weituo.core.recovery.features import FeatureError
from weituo.core.recovery.model import ModelError
from weituo.domain.placement import valuing
from weituo.domain.placement.errors import LimitsTogether, LimitsTooHigh
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


#: kinds of the core's rows → the lender's names of the limits
LIMIT_KINDS = {
    "count_min": "accounts_min", "count_max": "accounts_max", "balance_min": "balance_min", "balance_max": "balance_max",
    "mix_min": "bucket_share_min", "mix_max": "bucket_share_max", "segment_tolerance": "mix_tolerance", "eligible": "eligible",
    "unit": "one_agency_a_borrower",
}  # fmt: skip


def limit_names() -> dict[str, str]:
    """Give the limits' names in the present language."""
    return {
        "accounts_min": worded("least accounts"),
        "accounts_max": worded("most accounts"),
        "balance_min": worded("least balance (minor units)"),
        "balance_max": worded("most balance (minor units)"),
        "bucket_share_min": worded("least share of a bucket"),
        "bucket_share_max": worded("greatest share of a bucket"),
        "mix_tolerance": worded("tolerance of the mix"),
        "eligible": worded("agency not eligible"),
        "one_agency_a_borrower": worded("one agency a borrower"),
    }


def refusal(impossible: Infeasible, inputs: valuing.Inputs) -> Refusal:
    """Turn an impossible problem into a refusal that names agencies, what they have and need, and what would do."""
    names, codes = limit_names(), [agency.code for agency in inputs.agencies]
    concerned = [codes[position] for position in impossible.agencies if position < len(codes)]
    told = [
        worded(
            "%(agency)s: %(limit)s %(was)s → %(to)s",
            agency=codes[one.agency],
            limit=names[LIMIT_KINDS[one.limit]],
            was=_amount(one.was),
            to=_amount(one.to),
        )
        for one in impossible.relaxation
        if one.agency < len(codes)
    ]
    enough = worded_list(told) if told else worded("not known")
    where = ", ".join(concerned)
    if impossible.kind in _TOO_HIGH:
        return LimitsTooHigh(
            agency=worded_list(concerned),
            asked=f"{impossible.needed:,}",
            possible=f"{impossible.places:,}",
            enough=enough,
            where=where,
        )
    return LimitsTogether(agency=worded_list(concerned), enough=enough, where=where)


#: kinds of refusal that one figure against another explains
_TOO_HIGH = frozenset(
    {
        Kind.MINIMA, Kind.BALANCE_MINIMA, Kind.FEW_ELIGIBLE, Kind.FEW_BALANCE, Kind.FEW_IN_MIX, Kind.LEAST_LICENCES,
        Kind.LEAST_LICENCES_BALANCE,
    }
)  # fmt: skip


def _amount(figure: float) -> str:
    return f"{figure:,.0f}" if float(figure).is_integer() else f"{figure:,.4g}"


def counted(exclusions: Mapping[str, int]) -> str:
    """Write reasons with their counts."""
    return ", ".join(f"{reason} {count:,}" for reason, count in sorted(exclusions.items())) or "0"


def rivals(placed: Placed, *, in_house_minor: int) -> dict[str, Any]:
    """Give today's rules on the same accounts: net money, accounts placed, limits broken."""
    return {
        name: {
            "expected_net_minor": rival["value_minor"] + in_house_minor,
            "accounts": rival["accounts"],
            "broken": [
                {
                    "limit": LIMIT_KINDS[row["limit"]],
                    "agency": row["agency"],
                    "asked": row["asked"],
                    "got": row["got"],
                    "bucket": BUCKETS[row["segment"]] if row["segment"] >= 0 else "",
                }
                for row in rival["broken"]
            ],
        }
        for name, rival in placed.rivals.items()
    }


def proof(placed: Placed, *, in_house_minor: int) -> dict[str, Any]:
    """Give how near the plan is to the best: net money of all accounts, minor units.

    all_in_house_minor: if nothing were placed. planned_minor ≤ planned_bound_minor: before anything is left to chance. The
    rest of the gap is what chance costs: chance holds it, see `core.allocation.placing`.
    """
    return {
        "all_in_house_minor": in_house_minor,
        "planned_minor": placed.planned_value_minor + in_house_minor,
        "planned_bound_minor": placed.planned_bound_minor + in_house_minor,
        "explored": int(placed.explored.sum()),
        "measured": int(placed.measured.sum()),
        "chance": placed.chance,
        "seconds": {phase: round(seconds, 3) for phase, seconds in placed.plan.seconds.items()},
        "placed": int((placed.assignment != IN_HOUSE).sum()),
    }


def by_agency(inputs: valuing.Inputs, figures: valuing.Money, placed: Placed) -> list[dict[str, Any]]:
    """Give one row an agency and one for in-house (agency_id None): what it gets, its limits, their prices."""
    found = []
    balance = inputs.accounts["balance_minor"].to_numpy()
    for column, agency in enumerate(inputs.agencies):
        mine = placed.assignment == column
        count, held = int(mine.sum()), int(balance[mine].sum())
        prices = [row for row in placed.prices if row["agency"] == column]
        found.append(
            {
                "agency_id": agency.id, "code": agency.code, "tier": agency.tier, "accounts": count, "balance_minor": held,
                "expected_recovery_minor": int(figures.expected[mine, column].sum()),
                "commission_minor": int(figures.commission[mine, column].sum()),
                "expected_net_minor": int(figures.net[mine, column].sum()),
                "explored": int((placed.explored & mine).sum()), "capacity_left": agency.capacity_left,
                "limits": agency.limits,
                "prices": [
                    {"limit": LIMIT_KINDS[row["kind"]], "bucket": BUCKETS[row["segment"]] if row["segment"] >= 0 else "", "price": round(row["price"], 6)}
                    for row in prices
                ],
                "binding": sorted({LIMIT_KINDS[row["kind"]] for row in prices}),
                "place": {
                    "bucket": {BUCKETS[number]: round(float(price), 6) for number, price in enumerate(placed.plan.price[:, column])},
                    "balance": round(float(placed.plan.money[column]), 9),
                },
            }
        )  # fmt: skip
    kept = placed.assignment == IN_HOUSE
    found.append(
        {
            "agency_id": None, "code": "", "tier": None, "accounts": int(kept.sum()), "balance_minor": int(balance[kept].sum()),
            "expected_recovery_minor": int(figures.in_house[kept].sum()), "commission_minor": 0,
            "expected_net_minor": int(figures.in_house[kept].sum()), "explored": 0, "capacity_left": None,
            "limits": {}, "prices": [], "binding": [], "place": {"bucket": {}, "balance": 0.0},
        }
    )  # fmt: skip
    return found
