"""A past cohort of placed accounts with its outcomes, from the same latent model as the book that is placed now.

The accounts are another generated book (another seed), or the part of it that a strategy would have placed; each goes
to one of the six agencies by chance; 26 weeks are played. So a recovery model learns from outcomes that placement-time facts explain in part only: its honest AUC is
0.70 to 0.76, near the 0.739 measured on real card clients one or more months late.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from weituo.core.recovery import features
from weituo.core.twin import agencies, behaviour, book, latent

#: keeps the cohort's persons and cases apart from those of the book with the same seed
SEED_SHIFT: Final = 1_000_003


#: marks of a borrower that a strategy or a hold looks at
MARKS: Final = ("hardship", "deceased", "bankrupt")


def generate(
    *,
    accounts: int = 20_000,
    seed: int = 7,
    placed_on: date,
    placed: Callable[[pl.DataFrame], pl.Series] | None = None,
    intensity: float = 1.0,
) -> pl.DataFrame:
    """Generate a cohort placed on `placed_on`, with the outcome 26 weeks later.

    accounts: size of the book that the cohort comes from. placed: told the book's accounts (`book.TwinBook.accounts` and
    the borrower's `MARKS`), gives for each whether it was placed; None: all were. A model that is to judge the accounts of
    a strategy must learn from accounts chosen like them. intensity: as in `behaviour.play`. Returns the columns of `recovery.features.FEATURES`, and case_reference, agency_code String, placed_on Date,
    recovered_minor Int64, paid_fraction Float64 in [0, 1] (recovered / balance at placement).
    """
    past = book.generate(accounts=accounts, seed=seed + SEED_SHIFT, as_of=placed_on)
    known = features.from_book(accounts=past.accounts, history=past.history, at=placed_on)
    cases = known.with_columns(
        case_reference=pl.format("PAST-{}", past.accounts["external_id"]), bucket=past.accounts["bucket"]
    )
    if placed is not None:
        marks = past.borrowers.select("external_id", *MARKS)
        told = past.accounts.join(
            marks, left_on="borrower_external_id", right_on="external_id", how="left", maintain_order="left"
        )
        cases = cases.filter(placed(told))
    panel = agencies.all_agencies()
    chosen = np.random.default_rng([seed, SEED_SHIFT]).integers(0, len(panel), size=cases.height)
    cases = cases.with_columns(agency_code=pl.Series(np.array([a.code for a in panel])[chosen]))
    paid = pl.concat(
        [
            behaviour.play(
                agency=agency, cases=cases.filter(pl.col("agency_code") == agency.code),
                weeks=latent.HORIZON_WEEKS, starts_on=placed_on + timedelta(days=1), seed=seed, intensity=intensity,
            ).payments
            for agency in panel
        ]
    )  # fmt: skip
    money = paid.group_by("case_reference").agg(recovered_minor=pl.col("amount_minor").sum())
    return (
        cases.join(money, on="case_reference", how="left", maintain_order="left")
        .with_columns(pl.col("recovered_minor").fill_null(0), placed_on=pl.lit(placed_on))
        .with_columns(paid_fraction=pl.col("recovered_minor") / pl.col("balance_minor"))
        .drop("bucket")
    )
