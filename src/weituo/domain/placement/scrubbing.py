"""Scrub before placing: every reason for which an account is left out, and the one order in which they count.

An account with several reasons counts under the first of `ORDER` and shows all of them. The order goes from what the account
is, over what the law and the borrower's situation say, to what the lender decided: whoever reads the list learns first what
no strategy can change.
"""

from __future__ import annotations

from typing import Final

import polars as pl

#: reasons in the order in which they count
ORDER: Final = (
    "NO_BALANCE",
    "ALREADY_PLACED",
    "DECEASED",
    "MINOR",
    "BANKRUPT",
    "SOLD",
    "LEGAL",
    "TIME_BARRED",
    "DISPUTE",
    "COMPLAINT",
    "HARDSHIP",
    "REPRESENTED",
    "CEASED",
    "PROMISE",
    "HELD_OUT",
    "NOT_TREATED",
    "OTHER_TREATMENT",
    "OTHER_CURRENCY",
    "NO_AGENCY",
)
#: reasons that are holds of the book of the same kind
HOLDS: Final = (
    "DECEASED", "MINOR", "BANKRUPT", "SOLD", "LEGAL", "DISPUTE", "COMPLAINT", "HARDSHIP", "REPRESENTED", "CEASED", "PROMISE",
)  # fmt: skip
#: columns of `judged`: the reason that counts, and all of them in order, apart by blanks
LEFT_OUT: Final = {"account_id": pl.String, "reason": pl.String, "reasons": pl.String}


def judged(facts: pl.DataFrame) -> pl.DataFrame:
    """Give the accounts that are left out (columns of `LEFT_OUT`), in the order of their ids.

    facts: account_id, and one Boolean column for each reason that was looked at, named as in `ORDER`.
    """
    known = [reason for reason in ORDER if reason in facts.columns]
    if not known:
        return pl.DataFrame(schema=LEFT_OUT)
    told = [pl.when(pl.col(reason)).then(pl.lit(reason)) for reason in known]
    return (
        facts.select(
            "account_id",
            reason=pl.coalesce(told),
            reasons=pl.concat_str(told, separator=" ", ignore_nulls=True),
        )
        .drop_nulls("reason")
        .sort("account_id")
    )


def held(holds: pl.DataFrame, kind: str) -> pl.Expr:
    """Build the condition that a hold of a kind is in force on an account or on all accounts of its borrower."""
    mine = holds.filter(pl.col("kind") == kind)
    everywhere = mine.filter(pl.col("account_id").is_null())["borrower_id"].unique().implode()
    single = mine["account_id"].drop_nulls().unique().implode()
    return pl.col("borrower_id").is_in(everywhere) | pl.col("account_id").is_in(single)


def counted(left_out: pl.DataFrame) -> dict[str, int]:
    """Count accounts under the reason that counts, in the order of `ORDER`."""
    found = dict(left_out.group_by("reason").len().iter_rows())
    return {reason: int(found[reason]) for reason in ORDER if reason in found}
