"""From text to checked figures: every rule in columns, every broken row with row, column, value and rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from weituo.core.money import EXPONENTS
from weituo.core.recovery import buckets
from weituo.domain.book.errors import ColumnMissing, ProfileRefused
from weituo.domain.book.profiles import Profile
from weituo.domain.book.reading import FILE, Table
from weituo.foundation.texts import worded

#: nobody owes more than this in one account (minor units): beyond it, a unit or a column is wrong
LARGEST_MINOR = 10**13
LATEST = {"days_past_due": 36_500, "months_late": 1_200}
LENGTHS = {"account_ref": 64, "borrower_ref": 64, "product": 20, "region": 12, "language": 10}
#: the longest name, address or number of a person
PERSONAL_LENGTH = 500
OLDEST = date(1950, 1, 1)
TRUE = ("1", "true", "yes", "y", "是")
REJECTS: dict[Any, pl.DataType | type[pl.DataType]] = {
    "row": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "rule": pl.String,
}
PARTS = ("principal", "interest", "fee")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Rows that may go in, rows that may not (one or more reasons each), and what stood outside the filter."""

    accepted: pl.DataFrame
    rejects: pl.DataFrame
    out_of_scope: int
    #: balance of rows that were rejected for another reason than an unreadable balance
    rejected_minor: int


def key_columns(profile: Profile) -> list[str]:
    """Name the columns that decide which rows are in scope and which account they speak of."""
    return [profile.account["id"], *([profile.filter.column] if profile.filter else [])]


def account_refs(table: Table, profile: Profile) -> pl.Series:
    """Give the account references of the rows in scope, without empty ones."""
    frame = _in_scope(table.frame, profile)[0]
    if FILE + profile.account["id"] not in frame.columns:
        raise ColumnMissing(column=profile.account["id"], where=worded("profile %(name)s", name=profile.name))
    return frame.select(account_ref=_source(profile.account["id"])).drop_nulls()["account_ref"]


def _in_scope(frame: pl.DataFrame, profile: Profile) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the rows the filter lets through (unreadable ones among them) and the unreadable ones."""
    if profile.filter is None:
        return frame, frame.clear()
    if FILE + profile.filter.column not in frame.columns:
        raise ColumnMissing(column=profile.filter.column, where=worded("profile %(name)s", name=profile.name))
    status = pl.col(FILE + profile.filter.column).str.strip_chars().cast(pl.Int64, strict=False)
    return frame.filter(status.is_null() | (status >= profile.filter.at_least)), frame.filter(
        status.is_null()
    )


def check(table: Table, profile: Profile, *, as_of: date, twice: pl.Series, standing: pl.Series) -> Checked:
    """Apply the profile and every rule to a block; `twice` and `standing` are account references that the file repeats
    and that the book has. Raises `ColumnMissing`, `ProfileRefused`.
    """
    frame = table.frame
    for column in sorted(profile.columns()):
        if FILE + column not in frame.columns:
            raise ColumnMissing(column=column, where=worded("profile %(name)s", name=profile.name))
    if profile.currency not in EXPONENTS:
        raise ProfileRefused(
            problem=worded("%(currency)s is no ISO 4217 currency that is known", currency=profile.currency),
            where="currency",
        )
    reasons: list[pl.DataFrame] = [
        table.broken.select(
            "row",
            pl.lit("").alias("column"),
            pl.col("fields").cast(pl.String).alias("value"),
            (pl.lit("fields_") + pl.col("expected").cast(pl.String)).alias("rule"),
        )
    ]
    # in a line with too many or too few fields every value may stand under another's name: nothing of it is read or repeated
    whole = table.frame.filter(~pl.col("row").is_in(table.broken["row"].implode()))
    frame, unreadable = _in_scope(whole, profile)
    out_of_scope = whole.height - frame.height
    if profile.filter:
        reasons.append(_reason(unreadable, profile.filter.column, "whole_number"))
    mapped = _mapped(frame, profile)
    reasons += _rules(mapped, frame, profile, as_of=as_of, twice=twice, standing=standing)
    rejects = (
        pl.concat([reason.cast(REJECTS) for reason in reasons])
        .filter(pl.col("row").is_in(pl.concat([frame["row"], table.broken["row"]]).implode()))
        .unique()
        .sort("row", "column", "rule")
    )
    bad = rejects["row"].unique()
    figures = mapped.filter(pl.col("row").is_in(bad.implode()))["balance_minor"].fill_null(0)
    good = _dated(mapped.filter(~pl.col("row").is_in(bad.implode())), as_of=as_of)
    return Checked(
        accepted=good, rejects=rejects, out_of_scope=out_of_scope, rejected_minor=int(figures.sum())
    )


def _reason(rows: pl.DataFrame, column: str, rule: str) -> pl.DataFrame:
    value = pl.col(FILE + column) if FILE + column in rows.columns else pl.lit(column.removeprefix("="))
    return rows.select(
        "row",
        pl.lit(column).alias("column"),
        _inert(value.fill_null("").str.slice(0, 80)).alias("value"),
        pl.lit(rule).alias("rule"),
    )


def _inert(value: pl.Expr) -> pl.Expr:
    """Keep a spreadsheet that opens the reject file from taking a value for a formula."""
    formula = value.str.contains(r"^[=@\t\r]|^[+-][^\d.]")
    return pl.when(formula).then(pl.lit("'") + value).otherwise(value)


def _source(name: str | None) -> pl.Expr:
    if name is None:
        return pl.lit(None, dtype=pl.String)
    text = pl.lit(name[1:]) if name.startswith("=") else pl.col(FILE + name).str.strip_chars()
    return pl.when(text == "").then(None).otherwise(text)


def minor_expr(text: pl.Expr, *, unit: str, exponent: int) -> pl.Expr:
    """Read money exactly: “1,234.5” with exponent 2 → 123450; null where the text is no amount or has too many digits."""
    plain = text.str.replace_all(",", "", literal=True)
    if unit == "minor":
        return pl.when(plain.str.contains(r"^-?\d{1,16}$")).then(plain).cast(pl.Int64, strict=False)
    pattern = (
        rf"^(-?)(\d{{1,13}})(?:\.(\d{{1,{exponent}}})0*)?$" if exponent else r"^(-?)(\d{1,16})(?:\.0+)?()$"
    )
    groups = plain.str.extract_groups(pattern)
    sign, whole, part = groups.struct["1"], groups.struct["2"], groups.struct["3"].fill_null("")
    digits = whole + part.str.pad_end(exponent, "0") if exponent else whole
    value = digits.cast(pl.Int64, strict=False)
    return pl.when(sign == "-").then(-value).otherwise(value)


def _mapped(frame: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    exponent = EXPONENTS[profile.currency]
    account, borrower = profile.account, profile.borrower

    def money(key: str) -> pl.Expr:
        return minor_expr(_source(account.get(key)), unit=profile.unit, exponent=exponent)

    def part(key: str) -> pl.Expr:
        # an empty cell owes nothing of this part; one that is no amount stays null and is rejected
        return pl.when(_source(account.get(key)).is_null()).then(0).otherwise(money(key)).cast(pl.Int64)

    def whole(name: str | None) -> pl.Expr:
        return _source(name).cast(pl.Int64, strict=False)

    def day(name: str | None) -> pl.Expr:
        return (
            _source(name)
            .str.slice(0, 10)
            .str.replace_all("/", "-", literal=True)
            .str.to_date("%Y-%m-%d", strict=False)
        )

    personal = {
        f"person_{key}": pl.concat_list([_source(column) for column in columns])
        for key, columns in profile.personal.items()
    }
    history = {
        f"history_{index}": pl.struct(
            bill_minor=minor_expr(_source(bill or None), unit=profile.unit, exponent=exponent),
            paid_minor=minor_expr(_source(paid or None), unit=profile.unit, exponent=exponent),
            months_late=whole(late or None),
        )
        for index, (_, bill, paid, late) in enumerate(profile.history)
    }
    holds = {
        f"hold_{kind}": _source(column).str.to_lowercase().is_in(list(TRUE)).fill_null(value=False)
        for column, kind in profile.holds.items()
    }
    shown = frame.select(
        "row",
        borrower_ref=_source(borrower["id"]),
        account_ref=_source(account["id"]),
        product=_source(account.get("product")).fill_null("LOAN"),
        currency=_source(account.get("currency", f"={profile.currency}")),
        interest_minor=part("interest"),
        fee_minor=part("fee"),
        stated_principal=money("principal"),
        stated_balance=money("balance"),
        credit_limit_minor=money("credit_limit"),
        opened_on=day(account.get("opened_on")),
        past_due_since=day(account.get("past_due_since")),
        days_past_due=whole(account.get("days_past_due")),
        months_late=whole(account.get("months_late")),
        region=_source(account.get("region") or borrower.get("region")).fill_null(""),
        language=_source(borrower.get("language")).fill_null("zh-hans"),
        is_organisation=_source(borrower.get("organisation"))
        .str.to_lowercase()
        .is_in(list(TRUE))
        .fill_null(value=False),
        **personal,
        **history,
        **holds,
    )
    if "principal" in account:
        principal = pl.col("stated_principal")
        balance = principal + pl.col("interest_minor") + pl.col("fee_minor")
    else:
        balance = pl.col("stated_balance")
        principal = balance - pl.col("interest_minor") - pl.col("fee_minor")
    return shown.with_columns(principal_minor=principal, balance_minor=balance)


#: condition, column of the file, rule → the reasons of the rows in which the condition holds
Broken = Callable[[pl.Expr, str, str], pl.DataFrame]


def _rules(
    mapped: pl.DataFrame,
    frame: pl.DataFrame,
    profile: Profile,
    *,
    as_of: date,
    twice: pl.Series,
    standing: pl.Series,
) -> list[pl.DataFrame]:
    both = mapped.hstack(frame.drop("row"))

    def broken(condition: pl.Expr, column: str, rule: str) -> pl.DataFrame:
        mask = both.select(mask=condition.fill_null(value=False))["mask"]
        return _reason(both.filter(mask) if mask.any() else both.clear(), column, rule)

    return [
        *_reference_rules(broken, profile, twice=twice, standing=standing),
        *_money_rules(broken, profile),
        *_day_rules(broken, profile.account, as_of=as_of),
        *_length_rules(broken, profile),
        *_history_rules(broken, profile),
    ]


def _reference_rules(
    broken: Broken, profile: Profile, *, twice: pl.Series, standing: pl.Series
) -> Iterator[pl.DataFrame]:
    ref, column = pl.col("account_ref"), profile.account["id"]
    yield broken(pl.col("borrower_ref").is_null(), profile.borrower["id"], "present")
    yield broken(ref.is_null(), column, "present")
    yield broken(ref.is_in(twice.implode()), column, "account_once_in_file")
    yield broken(ref.is_in(standing.implode()), column, "account_not_in_book")


def _money_rules(broken: Broken, profile: Profile) -> Iterator[pl.DataFrame]:
    account, balance = profile.account, pl.col("balance_minor")
    currency = pl.col("currency")
    yield broken(
        currency.is_null() | (currency != profile.currency),
        account.get("currency", "currency"),
        f"currency_is_{profile.currency}",
    )
    owed = account.get("balance", account.get("principal", ""))
    yield broken(balance < 0, owed, "balance_not_negative")
    yield broken(balance > LARGEST_MINOR, owed, "balance_plausible")
    for key, column in account.items():
        if key in {"principal", "interest", "fee", "balance", "credit_limit"}:
            name = {"principal": "stated_principal", "balance": "stated_balance"}.get(key, f"{key}_minor")
            given = _source(column).is_not_null() if not column.startswith("=") else pl.lit(value=True)
            required = key in {"principal", "balance"} and not (key == "balance" and "principal" in account)
            yield broken(pl.col(name).is_null() & (given | required), column, "amount")
            if key in PARTS:
                yield broken(pl.col(name) < 0, column, "amount_not_negative")
    if {"principal", "balance"} <= set(account):
        stated = pl.col("stated_balance")
        yield broken(
            stated.is_not_null() & (stated != balance), account["balance"], "balance_is_sum_of_parts"
        )


def _day_rules(broken: Broken, account: Mapping[str, str], *, as_of: date) -> Iterator[pl.DataFrame]:
    for key in ("opened_on", "past_due_since"):
        if key in account:
            day, given = pl.col(key), _source(account[key]).is_not_null()
            yield broken(given & day.is_null(), account[key], "date")
            yield broken(day.is_not_null() & ((day > as_of) | (day < OLDEST)), account[key], "date_plausible")
    for key in ("days_past_due", "months_late"):
        if key in account:
            yield broken(pl.col(key).is_null(), account[key], "whole_number")
            yield broken(pl.col(key) < 0, account[key], "not_negative")
            yield broken(pl.col(key) > LATEST[key], account[key], "plausible")
    if not {"days_past_due", "months_late"} & set(account):
        yield broken(pl.col("past_due_since").is_null(), account["past_due_since"], "present")


def _length_rules(broken: Broken, profile: Profile) -> Iterator[pl.DataFrame]:
    for key, column in (
        ("account_ref", profile.account["id"]),
        ("borrower_ref", profile.borrower["id"]),
        ("product", profile.account.get("product")),
        ("region", profile.account.get("region") or profile.borrower.get("region")),
        ("language", profile.borrower.get("language")),
    ):
        if column:
            too_long = pl.col(key).str.len_chars() > LENGTHS[key]
            yield broken(too_long, column, f"at_most_{LENGTHS[key]}_characters")
    for columns in profile.personal.values():
        for column in columns:
            too_long = _source(column).str.len_chars() > PERSONAL_LENGTH
            yield broken(too_long, column, f"at_most_{PERSONAL_LENGTH}_characters")


def _history_rules(broken: Broken, profile: Profile) -> Iterator[pl.DataFrame]:
    for index, (_, *columns) in enumerate(profile.history):
        for name, rule, column in zip(
            ("bill_minor", "paid_minor", "months_late"),
            ("amount", "amount", "whole_number"),
            columns,
            strict=True,
        ):
            if column:
                value = pl.col(f"history_{index}").struct.field(name)
                wrong = value.abs() > (LATEST["months_late"] if name == "months_late" else LARGEST_MINOR)
                yield broken(_source(column).is_not_null() & (value.is_null() | wrong), column, rule)


def _dated(good: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Fill days past due and bucket on the day of the file by the one rule: from the day it began, the days, or months late.

    Months late count as the fewest days of their bucket, so that an account ages on from there.
    """
    months = pl.col("months_late")
    stated = pl.coalesce(
        pl.col("days_past_due"),
        (months - 1).clip(lower_bound=0) * buckets.BUCKET_DAYS + pl.when(months > 0).then(1).otherwise(0),
    ).cast(pl.Int64)
    day = pl.lit(as_of)
    since = buckets.late_since_expr(pl.col("past_due_since"), stated, day)
    never = pl.lit(None, dtype=pl.Date)
    dated = good.with_columns(days_past_due=buckets.days_past_due_expr(since, never, on=as_of))
    return dated.with_columns(bucket=buckets.bucket_expr(pl.col("days_past_due")))
