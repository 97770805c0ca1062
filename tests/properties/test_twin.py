"""Laws of the twin: any seed and size give a whole book; nobody is overpaid; order of rows changes nothing."""

from __future__ import annotations

from datetime import date

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from weituo.core.twin import agencies, behaviour, book, identifiers

DATES = st.dates(date(2020, 1, 1), date(2035, 12, 31))
CODES = st.sampled_from([a.code for a in agencies.all_agencies()])


@settings(max_examples=25, deadline=None)
@given(accounts=st.integers(1, 300), seed=st.integers(0, 2**31), as_of=DATES)
def test_every_book_is_whole(accounts: int, seed: int, as_of: date) -> None:
    made = book.generate(accounts=accounts, seed=seed, as_of=as_of)
    assert made.accounts.height == accounts
    assert made.history.height == 6 * accounts
    assert set(made.accounts["borrower_external_id"]) == set(made.borrowers["external_id"])
    assert (made.accounts["past_due_since"] < as_of).all()
    assert (made.accounts["balance_minor"] >= book.LEAST_BALANCE_MINOR).all()
    for number in made.borrowers["identity_number"]:
        assert number[-1] == identifiers.check_character(number[:17])


@settings(max_examples=25, deadline=None)
@given(
    balances=st.lists(st.integers(1, 10**9), min_size=1, max_size=60), code=CODES, seed=st.integers(0, 2**31),
    intensity=st.floats(0, 3),
)  # fmt: skip
def test_no_case_is_ever_overpaid_and_row_order_is_idle(
    balances: list[int], code: str, seed: int, intensity: float
) -> None:
    cases = pl.DataFrame(
        {
            "case_reference": [f"case-{i:04}" for i in range(len(balances))], "bucket": "M2", "balance_minor": balances,
            "province_code": "110000",
        }
    )  # fmt: skip
    agency = agencies.agency(code=code)
    given = {
        "agency": agency,
        "weeks": 8,
        "starts_on": date(2026, 1, 5),
        "seed": seed,
        "intensity": intensity,
    }
    out = behaviour.play(cases=cases, **given)
    paid = (
        out.payments.group_by("case_reference")
        .agg(pl.col("amount_minor").sum())
        .join(cases, on="case_reference")
    )
    assert (paid["amount_minor"] <= paid["balance_minor"]).all()
    back = behaviour.play(cases=cases.reverse(), **given)
    keys = ["case_reference", "paid_on", "amount_minor"]
    assert out.payments.select(keys).sort(keys).equals(back.payments.select(keys).sort(keys))
    assert out.attempts.sort("attempt_key").equals(back.attempts.sort("attempt_key"))
