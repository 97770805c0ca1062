"""Gathering what a run stands on: who can be placed, who may take accounts, and what is expected of each account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import polars as pl

from weituo.core.allocation.effects import Stated, shrunk_effects
from weituo.core.recovery import features, limitation
from weituo.core.recovery.buckets import BUCKETS, months_late_expr
from weituo.core.recovery.model import RecoveryModel
from weituo.domain.book import queries as book
from weituo.domain.partners import queries as partners
from weituo.domain.partners import relations
from weituo.domain.placement import scrubbing, valuing
from weituo.domain.placement.errors import LimitsBackwards, LimitsRefused, NotTreated
from weituo.domain.plans import queries as plans
from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

#: holds under which an account is not handed to anybody
STOPPING_HOLDS: Final = scrubbing.HOLDS
#: states of a placement in which the account is an agency's, or was offered to one
LIVE: Final = ("ACTIVE", "OFFERED")
#: months of history that the model knows
HISTORY_DAYS: Final = 200
#: reasons for declining an account that will not pass: such an agency is not asked for it again
LASTING_DECLINES: Final = ("BORROWER_KNOWN", "CONFLICT_OF_INTEREST", "OUTSIDE_LICENCE")
#: what a limit of an agency may say
LIMIT_NAMES: Final = ("accounts_min", "accounts_max", "balance_min_minor", "balance_max_minor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """accounts: `valuing.ACCOUNTS` without expected_minor. known: their features. left_out: `scrubbing.LEFT_OUT`."""

    accounts: pl.DataFrame
    known: pl.DataFrame
    currency: str
    left_out: pl.DataFrame


def candidates(viewer: Actor, *, as_of: date, at: datetime) -> Candidates:
    """Give the open accounts that the strategy sends to agencies and nothing stops, and the others with their reasons."""
    everything = book.accounts_frame(viewer, on=as_of).filter(pl.col("status") == "OPEN")
    treatments = plans.treatments_frame(viewer).select(
        "account_id", "treatment", "tier_max", "again", "split"
    )
    if treatments.is_empty() and everything.height:
        raise NotTreated()
    currency = _main_currency(everything)
    judged = (
        everything.join(treatments, on="account_id", how="left", maintain_order="left")
        .join(_placed(), on="account_id", how="left", maintain_order="left")
        .sort("account_id")
    )
    left_out = scrubbing.judged(
        judged.select("account_id", **_reasons(viewer, as_of=as_of, at=at, currency=currency))
    )
    kept = related(
        viewer,
        judged.join(left_out, on="account_id", how="anti", maintain_order="left").join(
            _worked_by(), on="borrower_id", how="left", maintain_order="left"
        ),
        on=as_of,
    ).with_columns(
        conflicts=pl.concat_str(
            "conflicts", pl.col("declined").fill_null(""), separator=" "
        ).str.strip_chars()
    )
    return Candidates(
        accounts=kept.select([name for name in valuing.ACCOUNTS if name != "expected_minor"]),
        known=features_of(viewer, everything=everything, wanted=kept["account_id"], as_of=as_of),
        currency=currency,
        left_out=left_out,
    )


def _reasons(viewer: Actor, *, as_of: date, at: datetime, currency: str) -> dict[str, pl.Expr]:
    """Give the condition of each reason of `scrubbing.ORDER`, over the open accounts with treatment and placement."""
    holds = book.holds_frame(viewer, at=at).filter(pl.col("kind").is_in(scrubbing.HOLDS))
    law = limitation.load()
    # whatever fell due later is barred nowhere
    aged = book.aged_frame(viewer, late_before=as_of - timedelta(days=365 * law.fewest_years))
    barred = limitation.barred(accounts=aged, on=as_of, table=law)["account_id"].implode()
    treated = pl.col("treatment").is_not_null()
    return {
        "NO_BALANCE": pl.col("balance_minor") <= 0,
        "ALREADY_PLACED": pl.col("active").fill_null(value=False),
        **{kind: scrubbing.held(holds, kind) for kind in scrubbing.HOLDS},
        "TIME_BARRED": pl.col("account_id").is_in(barred),
        "HELD_OUT": pl.col("account_id").is_in(_held_out(as_of).implode()),
        "NOT_TREATED": ~treated,
        "OTHER_TREATMENT": treated & (pl.col("treatment") != "AGENCY"),
        "OTHER_CURRENCY": pl.col("currency") != currency,
    }


def _placed() -> pl.DataFrame:
    """Give accounts that were placed or offered: live now, who had them, the tier of the last one, who declined for good."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT p.account_id::text, bool_or(p.state = ANY(%s)), "
            "string_agg(DISTINCT g.code, ' ' ORDER BY g.code) FILTER (WHERE p.placed_at IS NOT NULL), "
            "(array_agg(coalesce(g.tier, 1) ORDER BY p.placed_at DESC, p.id DESC) FILTER (WHERE p.placed_at IS NOT NULL))[1]::bigint, "
            "string_agg(DISTINCT g.code, ' ' ORDER BY g.code) FILTER (WHERE p.placed_at IS NULL AND p.answer_reason = ANY(%s)) "
            "FROM placement_placement p JOIN partners_agency g ON g.id = p.agency_id GROUP BY p.account_id",
            [list(LIVE), list(LASTING_DECLINES)],
        )
        return pl.DataFrame(
            cursor.fetchall(),
            schema={
                "account_id": pl.String,
                "active": pl.Boolean,
                "before": pl.String,
                "last_tier": pl.Int64,
                "declined": pl.String,
            },
            orient="row",
        )


def _worked_by() -> pl.DataFrame:
    """Give the borrowers whom an agency works for now, or was asked to, with its code."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT p.borrower_id::text, min(g.code) FROM placement_placement p JOIN partners_agency g ON g.id = p.agency_id WHERE p.state = ANY(%s) GROUP BY p.borrower_id",
            [list(LIVE)],
        )
        return pl.DataFrame(
            cursor.fetchall(), schema={"borrower_id": pl.String, "bound_to": pl.String}, orient="row"
        )


def _held_out(as_of: date) -> pl.Series:
    """Give the accounts that an approved run held out for a time that is not over yet."""
    found = transactions.rows(
        "SELECT DISTINCT i.account_id::text FROM placement_run_item i JOIN placement_run r ON r.id = i.run_id WHERE i.held_out <> '' "
        "AND r.state = 'APPROVED' AND r.as_of <= %s AND r.as_of + make_interval(months => (r.parameters->>'hold_out_months')::int) > %s",
        [as_of, as_of],
    )
    return pl.Series([row["account_id"] for row in found], dtype=pl.String)


def related(viewer: Actor, accounts: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """Add to candidates who must not get them: sisters of agencies that had them, agencies in conflict; and their unit.

    accounts: account_id, borrower_id, region, product, before, bound_to, last_tier, again, split.
    """
    sisters = relations.sisters(viewer, on=on)
    families = {row: " ".join(sorted({one for code in row.split() for one in sisters.get(code, ())} - set(row.split()))) for row in accounts["before"].drop_nulls().unique().to_list()}  # fmt: skip
    split = pl.col("split").fill_null(value=False)
    return (
        accounts.join(in_conflict(viewer, accounts, sisters, on=on), on="account_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("before", "conflicts").fill_null(""),
            pl.col("again").fill_null("OTHER"),
            pl.col("last_tier").fill_null(0),
            bound_to=pl.when(split).then(pl.lit("")).otherwise(pl.col("bound_to").fill_null("")),
            sisters=pl.col("before").fill_null("").replace_strict(families, default="", return_dtype=pl.String),
            unit=pl.when(split).then(pl.col("account_id")).otherwise(pl.col("borrower_id")),
        )
    )  # fmt: skip


def in_conflict(
    viewer: Actor, accounts: pl.DataFrame, sisters: Mapping[str, Sequence[str]], *, on: date
) -> pl.DataFrame:
    """Give accounts with the codes of the agencies in conflict with them, sisters included: account_id, conflicts."""
    stated = relations.conflicts(viewer, on=on)
    people = book.employed_by(viewer, employers=sorted({row["subject"] for row in stated if row["kind"] == "EMPLOYER"}))  # fmt: skip
    named = [
        (row["kind"], code, subject)
        for row in stated
        for subject in (people[row["subject"]] if row["kind"] == "EMPLOYER" else [valuing.province(row["subject"]) if row["kind"] == "REGION" else row["subject"]])
        for code in (row["code"], *sisters.get(row["code"], ()))
    ]  # fmt: skip
    table = pl.DataFrame(
        named, schema={"kind": pl.String, "code": pl.String, "subject": pl.String}, orient="row"
    )
    keys = {"BORROWER": pl.col("borrower_id"), "EMPLOYER": pl.col("borrower_id"), "REGION": valuing.province_expr(pl.col("region")), "PRODUCT": pl.col("product")}  # fmt: skip
    found = [
        accounts.select("account_id", subject=key).join(table.filter(pl.col("kind") == kind), on="subject", how="inner").select("account_id", "code")
        for kind, key in keys.items()
    ]  # fmt: skip
    return pl.concat(found).group_by("account_id").agg(conflicts=pl.col("code").unique().sort().str.join(" "))


def _main_currency(accounts: pl.DataFrame) -> str:
    """Give the currency of most accounts: a run adds up one currency only."""
    if accounts.is_empty():
        return "CNY"
    counted = accounts.group_by("currency").len().sort("len", "currency", descending=[True, False])
    return str(counted["currency"][0])


def features_of(viewer: Actor, *, everything: pl.DataFrame, wanted: pl.Series, as_of: date) -> pl.DataFrame:
    """Compute the registry's features of the wanted accounts, in their order."""
    if wanted.is_empty():
        return pl.DataFrame()
    named = everything.select(
        "account_id",
        "days_past_due",
        "balance_minor",
        "product",
        external_id="account_id",
        borrower_external_id="borrower_id",
        province_code="region",
        credit_limit_minor=pl.coalesce("credit_limit_minor", "balance_minor"),
        opened_on=pl.coalesce("opened_on", "past_due_since", "as_of"),
        months_late=months_late_expr(pl.col("days_past_due")),
    )
    history = book.history_frame(viewer, account_ids=wanted.to_list()).filter(
        (pl.col("month") <= as_of) & (pl.col("month") > as_of - timedelta(days=HISTORY_DAYS))
    )
    months = history.with_columns(
        pl.col("paid_minor").fill_null(0),
        pl.col("months_late").fill_null(0),
        account_external_id="account_id",
    )
    computed = features.from_book(accounts=named, history=months, at=as_of)
    return (
        computed.with_columns(account_id=named["account_id"])
        .filter(pl.col("account_id").is_in(wanted.implode()))
        .sort("account_id")
        .drop("account_id")
    )


def expected_minor(model: RecoveryModel, known: pl.DataFrame) -> pl.Series:
    """Predict the recovery of accounts in minor units."""
    return model.predict(frame=known)["expected_minor"]


def agencies_in_order(viewer: Actor, *, on: date) -> list[partners.AgencyRow]:
    """Give approved agencies whose required papers and agreements are live, by code."""
    stopped = partners.stopped(viewer, on=on)
    return [row for row in partners.agencies(viewer, states=["APPROVED"]) if row.id not in stopped]


def fees(viewer: Actor, *, on: date) -> dict[UUID, dict[str, int]]:
    """Give each agency's fees in basis points by bucket, from its live service agreement."""
    return {
        row.agency_id: dict(row.fee_bps_by_bucket)
        for row in partners.live_agreements(viewer, kind="SERVICE", on=on)
    }


def active_counts() -> Counter[UUID]:
    """Count by agency the placements that take up its capacity: active ones, and offers that wait for its answer."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT agency_id, count(*) FROM placement_placement WHERE state = ANY(%s) GROUP BY agency_id",
            [list(LIVE)],
        )
        return Counter(dict(cursor.fetchall()))


def agency_facts(viewer: Actor, *, on: date, limits: Mapping[str, Any]) -> tuple[valuing.AgencyFacts, ...]:
    """Gather the agencies that may take accounts. Raises `LimitsRefused` for a limit of an unknown agency or name."""
    rows = agencies_in_order(viewer, on=on)
    asked: Mapping[str, Mapping[str, Any]] = limits.get("agencies", {})
    unknown = sorted(set(asked) - {row.code for row in rows})
    if unknown:
        raise LimitsRefused(
            problem=worded("no agency in good order is called %(code)s", code=unknown[0]), where="agencies"
        )
    charged, active = fees(viewer, on=on), active_counts()
    stated = list(_figures(partners.past_performance(viewer)))
    effects = shrunk_effects(
        stated=[row for row, _ in stated if row is not None],
        agencies=[str(row.id) for row in rows],
        buckets=BUCKETS,
    )
    complaints = {agency: rate for _, pair in stated if pair is not None for agency, rate in [pair]}
    found = []
    for row in rows:
        left = max(row.capacity_accounts_max - active[row.id], 0)
        found.append(
            valuing.AgencyFacts(
                id=str(row.id), code=row.code, tier=row.tier or 3, regions=tuple(sorted(row.regions)), capacity_left=left,
                fee_bps=dict(sorted(charged[row.id].items())),
                effect_bps={bucket: effects[str(row.id), bucket] for bucket in BUCKETS},
                complaints_bps=round(complaints.get(str(row.id), 0.0) * 10),
                limits=_limits(asked.get(row.code, {}), left=left, mix=limits.get("mix_tolerance"), code=row.code),
            )
        )  # fmt: skip
    return tuple(found)


def _least_names() -> dict[str, str]:
    return {
        "accounts_min": worded("least accounts"),
        "balance_min_minor": worded("least balance (minor units)"),
    }


def _limits(asked: Mapping[str, Any], *, left: int, mix: float | None, code: str) -> dict[str, Any]:
    strange = sorted(set(asked) - set(LIMIT_NAMES))
    if strange:
        raise LimitsRefused(
            problem=worded("unknown limit %(name)s", name=strange[0]), where=f"agencies.{code}"
        )
    for name, amount in asked.items():
        if not isinstance(amount, int) or isinstance(amount, bool) or amount < 0:
            raise LimitsRefused(
                problem=worded("a limit is a whole number from 0 on"), where=f"agencies.{code}.{name}"
            )
    most = min(left, asked.get("accounts_max", left))
    for name, least, upper in (
        ("accounts_min", asked.get("accounts_min", 0), most),
        ("balance_min_minor", asked.get("balance_min_minor", 0), asked.get("balance_max_minor")),
    ):
        if upper is not None and least > upper:
            raise LimitsBackwards(
                agency=code, asked=f"{least:,}", limit=_least_names()[name], possible=f"{upper:,}", where=f"agencies.{code}.{name}"
            )  # fmt: skip
    return {
        "accounts_min": asked.get("accounts_min", 0),
        "accounts_max": most,
        "balance_min_minor": asked.get("balance_min_minor", 0),
        "balance_max_minor": asked.get("balance_max_minor"),
        "mix_tolerance": mix,
    }


def _figures(papers: Iterable[Mapping[str, Any]]) -> Iterable[tuple[Stated | None, tuple[str, float] | None]]:
    """Read verified papers on past performance: one fact, or lists of facts, as they were filed."""
    for paper in papers:
        agency, facts = str(paper["agency_id"]), paper["facts"]
        rows = [facts] if isinstance(facts, dict) else list(facts)
        for value in facts.values() if isinstance(facts, dict) else ():
            if isinstance(value, list):
                rows += [row for row in value if isinstance(row, dict)]
        for row in rows:
            count = row.get("accounts")
            if row.get("bucket") in BUCKETS and isinstance(row.get("liquidation"), int | float) and count:
                yield (
                    Stated(
                        agency=agency,
                        bucket=row["bucket"],
                        liquidation=float(row["liquidation"]),
                        accounts=int(count),
                    ),
                    None,
                )
            if isinstance(row.get("complaints_per_1000"), int | float):
                yield None, (agency, float(row["complaints_per_1000"]))
