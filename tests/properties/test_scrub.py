"""Scrubbing and holding out, over invented accounts: the order of reasons, exact shares, whole units, and who is barred."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from weituo.core.recovery.buckets import BUCKETS
from weituo.domain.placement import holding_out, scrubbing, valuing

NAMES = ("A", "B", "C")
FACTS = st.lists(st.dictionaries(st.sampled_from(scrubbing.ORDER), st.booleans()), max_size=30)


@given(rows=FACTS)
def test_an_account_counts_once_under_its_first_reason_and_shows_all_in_order(
    rows: list[dict[str, bool]],
) -> None:
    looked_at = sorted({reason for row in rows for reason in row})
    facts = pl.DataFrame(
        {"account_id": [f"{number:03}" for number in range(len(rows))]}
        | {reason: [row.get(reason, False) for row in rows] for reason in looked_at},
        schema={"account_id": pl.String} | dict.fromkeys(looked_at, pl.Boolean),
    )
    left_out = scrubbing.judged(facts)
    expected = {
        f"{number:03}": [reason for reason in scrubbing.ORDER if row.get(reason)]
        for number, row in enumerate(rows)
    }
    told = {row["account_id"]: row["reasons"].split(" ") for row in left_out.to_dicts()}
    assert told == {account: reasons for account, reasons in expected.items() if reasons}
    assert all(row["reason"] == told[row["account_id"]][0] for row in left_out.to_dicts())
    counted = scrubbing.counted(left_out)
    assert sum(counted.values()) == left_out.height
    assert list(counted) == [reason for reason in scrubbing.ORDER if reason in counted]
    assert dict(left_out.schema) == scrubbing.LEFT_OUT


@st.composite
def inputs(draw: Any) -> valuing.Inputs:
    """Invented inputs: a few agencies, accounts of borrowers with one or several of them."""
    count = draw(st.integers(1, 60))
    borrowers = draw(st.lists(st.integers(0, count), min_size=count, max_size=count))
    words = st.lists(st.sampled_from(NAMES), unique=True, max_size=2).map(
        lambda names: " ".join(sorted(names))
    )
    worked = {borrower: draw(st.sampled_from(["", "", "", "A"])) for borrower in sorted(set(borrowers))}
    accounts = pl.DataFrame(
        {
            "account_id": [f"{number:04}" for number in range(count)],
            "borrower_id": [f"b{borrower:04}" for borrower in borrowers],
            "balance_minor": draw(st.lists(st.integers(1, 10**8), min_size=count, max_size=count)),
            "bucket": draw(st.lists(st.sampled_from(BUCKETS), min_size=count, max_size=count)),
            "region": draw(st.lists(st.sampled_from(["440000", "11", ""]), min_size=count, max_size=count)),
            "tier_max": draw(st.lists(st.integers(1, 3), min_size=count, max_size=count)),
            "expected_minor": draw(st.lists(st.integers(0, 10**7), min_size=count, max_size=count)),
            "before": draw(st.lists(words, min_size=count, max_size=count)),
            "bound_to": [worked[borrower] for borrower in borrowers],
            "sisters": draw(st.lists(words, min_size=count, max_size=count)),
            "conflicts": draw(st.lists(words, min_size=count, max_size=count)),
            "last_tier": draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)),
            "again": draw(
                st.lists(st.sampled_from(["NEXT_TIER", "OTHER", "ANY"]), min_size=count, max_size=count)
            ),
            "unit": [f"b{borrower:04}" for borrower in borrowers],
        },
        schema=valuing.ACCOUNTS,
    )
    agencies = tuple(
        valuing.AgencyFacts(
            id=name, code=name, tier=number + 1, regions=draw(st.sampled_from([(), ("44",)])), capacity_left=50, fee_bps={"default": 2_000},
            effect_bps=dict.fromkeys(BUCKETS, 10_000), complaints_bps=10, limits={"accounts_max": 50},
        )
        for number, name in enumerate(NAMES)
    )  # fmt: skip
    return valuing.Inputs(
        seed=draw(st.integers(0, 10**6)), exploration=0.0, prices=valuing.Prices(), agencies=agencies, accounts=accounts,
        hold_out=draw(st.sampled_from([0.0, 0.01, 0.1, 0.2])), hold_out_kind=draw(st.sampled_from(holding_out.KINDS)),
    )  # fmt: skip


@settings(deadline=None)
@given(made=inputs())
def test_the_share_held_out_is_exact_in_every_bucket_and_in_all_and_units_stay_whole(
    made: valuing.Inputs,
) -> None:
    held = holding_out.drawn(made)
    units = valuing.units(made)
    places = valuing.bucket_numbers(made)
    out, free, drawn = 0, 0, {}  # type: tuple[int, int, dict[int, list[bool]]]
    for unit in np.unique(units):
        mine = units == unit
        assert len(set(held[mine])) == 1, "a borrower is held out whole"
        if (made.accounts["bound_to"].to_numpy()[mine] != "").any():
            assert not held[mine].any(), "whom an agency works for is not held out"
            continue
        drawn.setdefault(int(places[mine].max()), []).append(bool(held[mine][0]))
        free, out = free + 1, out + int(held[mine][0])
    assert abs(out - made.hold_out * free) < 1
    assert all(abs(sum(those) - made.hold_out * len(those)) < 1 for those in drawn.values())
    assert (holding_out.drawn(valuing.unpack(valuing.pack(made))) == held).all(), (
        "replayed from what was kept"
    )


def test_every_unit_has_the_chance_of_the_share() -> None:
    """Over many seeds each of 30 units in three buckets is held out in one case of ten."""
    accounts = pl.DataFrame(
        {
            "account_id": [f"{number:04}" for number in range(30)],
            "bucket": [("M2", "M3", "M4")[number % 3] for number in range(30)],
        }
    ).with_columns(
        borrower_id="account_id", unit="account_id", balance_minor=pl.lit(1_000, dtype=pl.Int64), region=pl.lit(""), tier_max=pl.lit(3, dtype=pl.Int64),
        expected_minor=pl.lit(10, dtype=pl.Int64), before=pl.lit(""), bound_to=pl.lit(""), sisters=pl.lit(""), conflicts=pl.lit(""),
        last_tier=pl.lit(0, dtype=pl.Int64), again=pl.lit("OTHER"),
    ).select(list(valuing.ACCOUNTS))  # fmt: skip
    made = valuing.Inputs(
        seed=0, exploration=0.0, prices=valuing.Prices(), agencies=(), accounts=accounts, hold_out=0.1
    )
    often = sum(holding_out.drawn(replace(made, seed=seed)).astype(np.int64) for seed in range(2_000))
    # 2,000 draws at 0.1: a standard deviation of 13.4
    assert np.abs(often - 200).max() < 5 * 13.4
    assert int(often.sum()) == 2_000 * 3


@settings(deadline=None)
@given(made=inputs())
def test_nobody_who_is_barred_may_get_an_account_and_the_reason_is_told(made: valuing.Inputs) -> None:
    allowed, told = valuing.eligible(made), valuing.barred(made)
    counts = {(row["code"], row["why"]): row["accounts"] for row in told}
    seen: dict[tuple[str, str], int] = {}
    for row, account in enumerate(made.accounts.to_dicts()):
        for column, agency in enumerate(made.agencies):
            why = set()
            if agency.code in account["conflicts"].split():
                why.add("CONFLICT")
            if account["again"] != "ANY" and agency.code in account["before"].split():
                why.add("HAD_IT_BEFORE")
            if account["again"] != "ANY" and agency.code in account["sisters"].split():
                why.add("SISTER_HAD_IT")
            goes_on = 0 < account["last_tier"] < account["tier_max"]
            if account["again"] == "NEXT_TIER" and goes_on and agency.tier <= account["last_tier"]:
                why.add("NEXT_TIER")
            for one in why:
                seen[agency.code, one] = seen.get((agency.code, one), 0) + 1
            if why:
                assert not allowed[row, column]
            if allowed[row, column]:
                assert account["bound_to"] in {"", agency.code}
            else:
                assert valuing.why_not(agency, account) in why | {"TIER", "REGION", "ONE_A_BORROWER"}
    assert counts == seen


@settings(deadline=None)
@given(made=inputs())
def test_kept_inputs_are_read_again_as_they_were(made: valuing.Inputs) -> None:
    again = valuing.unpack(valuing.pack(made))
    assert again.digest == made.digest and again.accounts.equals(made.accounts)
    assert (again.hold_out, again.hold_out_kind, again.agencies) == (
        made.hold_out,
        made.hold_out_kind,
        made.agencies,
    )
    assert again.only(np.ones(made.accounts.height, dtype=np.bool_)).digest == made.digest
