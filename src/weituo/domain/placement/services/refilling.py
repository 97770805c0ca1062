"""Placing declined and unanswered accounts again, in the run's own terms and within what two persons approved.

What the run stood on is read again as it was kept: values, prices, limits. What agencies have of the run stays with them and
counts towards its limits and its mix; of each agency's capacity what it holds by now is taken away; an agency that had or
declined an account is not asked for it again. Least amounts are not sought: the agencies that declined have given them up.
Nothing is left to chance here: who declines is no accident, so that nothing could be learned from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

import numpy as np
import polars as pl

from weituo.core.allocation import placing
from weituo.core.allocation.feasibility import Infeasible
from weituo.core.allocation.placing import FREE, IN_HOUSE
from weituo.domain.partners import relations
from weituo.domain.placement import gathering, rechecking, telling, valuing
from weituo.domain.placement.errors import NotRefillable, RunNotFound
from weituo.domain.placement.events import PlacementsOffered, RunRefilled
from weituo.domain.placement.models import Run, RunInputs
from weituo.domain.placement.services import offering
from weituo.foundation import days, events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.tenancy.actors import Actor

#: accounts whose offer ended unanswered or declined and that no refill has dealt with; what was expected of them; what stops
#: them now; who was asked before; which agency works for their borrower
_WAITING: Final = """
SELECT id, account, stop, net_before, asked, conflicted, bound_to FROM (
SELECT p.id::text AS id, p.account_id::text AS account, coalesce(f.net_after_minor, i.expected_net_minor) AS net_before,
  <stops> AS stop,
  (SELECT string_agg(DISTINCT g.code, ' ' ORDER BY g.code) FROM placement_placement x JOIN partners_agency g ON g.id = x.agency_id
    WHERE x.run_id = p.run_id AND x.account_id = p.account_id) AS asked,
  (SELECT string_agg(DISTINCT g.code, ' ' ORDER BY g.code) FROM placement_placement x JOIN partners_agency g ON g.id = x.agency_id
    WHERE x.run_id = p.run_id AND x.account_id = p.account_id AND x.answer_reason = 'CONFLICT_OF_INTEREST') AS conflicted,
  (SELECT min(g.code) FROM placement_placement x JOIN partners_agency g ON g.id = x.agency_id
    WHERE x.borrower_id = p.borrower_id AND x.state IN ('OFFERED', 'ACTIVE')) AS bound_to
FROM placement_placement p JOIN book_account a ON a.id = p.account_id
JOIN placement_run_item i ON i.run_id = p.run_id AND i.account_id = p.account_id
LEFT JOIN placement_refill f ON f.to_placement_id = p.id
WHERE p.run_id = %(run)s AND p.state IN ('DECLINED', 'LAPSED')
  AND NOT EXISTS (SELECT 1 FROM placement_refill r WHERE r.from_placement_id = p.id)) AS waiting ORDER BY account
"""
_STOPS: Final = """
CASE WHEN a.status <> 'OPEN' OR a.balance_minor <= 0 THEN true
  WHEN EXISTS (SELECT 1 FROM book_hold h WHERE h.borrower_id = a.borrower_id AND (h.account_id IS NULL OR h.account_id = a.id)
    AND h.kind = ANY(%(holds)s) AND h.active_from <= %(at)s AND (h.active_to IS NULL OR h.active_to > %(at)s)) THEN true
  WHEN EXISTS (SELECT 1 FROM placement_placement o WHERE o.account_id = a.id AND o.state IN ('OFFERED', 'ACTIVE')) THEN true
  ELSE false END
"""
#: what the run's agencies have of it
_USED: Final = """
SELECT p.account_id::text AS account_id, g.code FROM placement_placement p JOIN partners_agency g ON g.id = p.agency_id
WHERE p.run_id = %s AND p.state NOT IN ('DECLINED', 'LAPSED', 'WITHDRAWN')
"""
_TO_PLACE: Final = """
CREATE TEMP TABLE to_place ON COMMIT DROP AS
SELECT f.account AS account_id, f.agency AS agency_id, f.expected AS expected_recovery_minor, f.probability, false AS measured, a.borrower_id, a.currency,
  a.balance_minor, a.bucket, a.region, row_number() OVER (ORDER BY f.account) AS number
FROM refilled f JOIN book_account_on(%s) a ON a.id = f.account WHERE f.agency IS NOT NULL
"""
_KEEP: Final = """
INSERT INTO placement_refill (id, run_id, number, account_id, from_placement_id, to_placement_id, outcome, net_before_minor, net_after_minor,
  refilled_at, refilled_by)
SELECT uuidv7(), %(run)s, %(number)s, f.account, f.origin, p.id, CASE WHEN p.id IS NOT NULL THEN 'OFFERED' WHEN f.agency IS NOT NULL THEN 'NO_PLACE' ELSE f.outcome END,
  f.net_before, CASE WHEN f.agency IS NULL OR p.id IS NOT NULL THEN f.net_after ELSE f.in_house END, %(at)s, %(by)s
FROM refilled f LEFT JOIN placement_placement p ON p.run_id = %(run)s AND p.account_id = f.account AND p.agency_id = f.agency
  AND p.state IN ('OFFERED', 'ACTIVE')
RETURNING outcome, net_before_minor, net_after_minor
"""
_COLUMNS: Final = (
    "account", "origin", "agency", "expected", "net_before", "net_after", "in_house", "probability", "outcome",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Refilled:
    """What a refill did. number: of the run, 0 when nothing waited. kept: accounts that stay in-house. Net money in minor units."""

    number: int
    placed: int
    kept: int
    net_before_minor: int
    net_after_minor: int


@act("placement.refill", permission="placement.refill")
def refill_run(*, actor: Actor, run_id: UUID, at: datetime) -> Refilled:
    """Place an approved run's declined and unanswered accounts with others of its agencies, as offers where these answer.

    What nobody else may take stays in-house, and every account's way is kept. Nothing waiting is nothing done.
    Raises `RunNotFound`, `NotRefillable`.
    """
    locks.lock(keys=["placement:places"])
    run = Run.objects.select_for_update().filter(id=run_id).first()
    if run is None:
        raise RunNotFound(what="run", where=str(run_id))
    if run.state != Run.State.APPROVED:
        raise NotRefillable(state=run.get_state_display(), where=str(run.number))
    waiting = _waiting(run_id, at=at)
    number = 1 + _refills(run_id)
    if waiting.is_empty():
        note(what="run", ref=run_id, number=run.number, placed=0, kept=0)
        return Refilled(number=0, placed=0, kept=0, net_before_minor=0, net_after_minor=0)
    kept = RunInputs.objects.filter(run_id=run_id).values_list("body", flat=True)[0]
    before = valuing.unpack(bytes(kept))
    used = _used(run_id)
    inputs = replace(
        before,
        agencies=_agencies(actor, before, used, at=at),
        accounts=_accounts(actor, before.accounts, waiting, on=days.day_of(at)),
        kept=None,
    )
    standing = before.accounts.join(used, on="account_id", how="inner", maintain_order="left")
    frame = _placed(inputs, waiting, standing)
    made = _store(actor, run, frame, number=number, at=at)
    note(
        what="run", ref=run_id, number=run.number, refill=number, placed=made.placed, kept=made.kept,
        net_before_minor=made.net_before_minor, net_after_minor=made.net_after_minor, currency=run.currency,
    )  # fmt: skip
    events.publish(RunRefilled(run_id=run_id, number=number, refilled_at=at))
    return made


def _waiting(run_id: UUID, *, at: datetime) -> pl.DataFrame:
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            _WAITING.replace("<stops>", _STOPS),
            {"run": run_id, "holds": list(gathering.STOPPING_HOLDS), "at": at},
        )
        return pl.DataFrame(
            cursor.fetchall(),
            schema={
                "origin": pl.String, "account_id": pl.String, "stopped": pl.Boolean, "net_before": pl.Int64, "asked": pl.String,
                "conflicted": pl.String, "now_bound_to": pl.String,
            },
            orient="row",
        )  # fmt: skip


def _refills(run_id: UUID) -> int:
    with transactions.connection().cursor() as cursor:
        cursor.execute("SELECT coalesce(max(number), 0) FROM placement_refill WHERE run_id = %s", [run_id])
        return int(cursor.fetchone()[0])


def _accounts(actor: Actor, accounts: pl.DataFrame, waiting: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """Give the waiting accounts as the run knew them, barred from whoever was asked, and who works for their borrower now.

    Sisters and conflicts are those of this day. A conflict of interest is one of the agency's whole group.
    """
    sisters = relations.sisters(actor, on=on)
    families = {
        codes: " ".join(sorted({one for code in codes.split() for one in sisters.get(code, ())}))
        for codes in waiting["conflicted"].drop_nulls().unique().to_list()
    }
    asked = waiting.select(
        "account_id", "asked", "now_bound_to",
        related=pl.col("conflicted").fill_null("").replace_strict(families, default="", return_dtype=pl.String),
    )  # fmt: skip
    alone = pl.col("unit") == pl.col("account_id")
    return (
        rechecking.related_on(
            actor, accounts.join(asked, on="account_id", how="inner", maintain_order="left"), on=on
        )
        .with_columns(
            conflicts=pl.concat_str("conflicts", "asked", "related", separator=" ").str.strip_chars(),
            bound_to=pl.when(alone).then(pl.lit("")).otherwise(pl.coalesce("now_bound_to", "bound_to")),
        )
        .select(list(valuing.ACCOUNTS))
    )


def _used(run_id: UUID) -> pl.DataFrame:
    """Give the accounts that the run's agencies have: account_id, code."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(_USED, [run_id])
        return pl.DataFrame(
            cursor.fetchall(), schema={"account_id": pl.String, "code": pl.String}, orient="row"
        ).unique("account_id")


def _agencies(
    actor: Actor, before: valuing.Inputs, used: pl.DataFrame, *, at: datetime
) -> tuple[valuing.AgencyFacts, ...]:
    """Give the run's agencies with their limits for the whole run, no least amounts, and no more than they have room for."""
    has = dict(used.group_by("code").len().iter_rows())
    held = gathering.active_counts()
    room = {
        row.code: max(row.capacity_accounts_max - held[row.id], 0)
        for row in gathering.agencies_in_order(actor, on=days.day_of(at))
    }
    found = []
    for agency in before.agencies:
        most = has.get(agency.code, 0) + room.get(agency.code, 0)
        asked = agency.limits["accounts_max"]
        limits = agency.limits | {
            "accounts_min": 0,
            "balance_min_minor": 0,
            "accounts_max": most if asked is None else max(min(asked, most), has.get(agency.code, 0)),
        }
        found.append(replace(agency, capacity_left=room.get(agency.code, 0), limits=limits))
    return tuple(found)


def _placed(inputs: valuing.Inputs, waiting: pl.DataFrame, standing: pl.DataFrame) -> pl.DataFrame:
    """Solve for the accounts that may still go out; give every waiting account's way (columns of `_COLUMNS`).

    standing: the accounts that agencies have of the run, columns of `valuing.ACCOUNTS` and code.
    """
    figures = valuing.money(inputs)
    own = pl.DataFrame({"account_id": inputs.accounts["account_id"], "in_house": figures.in_house})
    stopped = set(waiting.filter("stopped")["account_id"].to_list())
    anywhere = valuing.eligible(inputs).any(axis=1)
    free = anywhere & ~inputs.accounts["account_id"].is_in(list(stopped)).to_numpy()
    found = _solved(inputs.only(free), standing)
    nowhere = set(inputs.accounts.filter(pl.Series(~anywhere))["account_id"].to_list())
    return (
        waiting.join(own, on="account_id", how="left", maintain_order="left")
        .join(found, on="account_id", how="left", maintain_order="left")
        .with_columns(
            account=pl.col("account_id"),
            in_house=pl.col("in_house").fill_null(0),
            net_after=pl.coalesce("net_after", "in_house").fill_null(0),
            probability=pl.col("probability").fill_null(1.0),
            expected=pl.col("expected").fill_null(0),
            outcome=pl.when(pl.col("account_id").is_in(list(stopped))).then(pl.lit("STOPPED"))
            .when(pl.col("account_id").is_in(list(nowhere))).then(pl.lit("NO_AGENCY"))
            .otherwise(pl.lit("NO_PLACE")),
        )
        .select(_COLUMNS)
    )  # fmt: skip


def _solved(inputs: valuing.Inputs, standing: pl.DataFrame) -> pl.DataFrame:
    """Give the accounts that go to an agency: account_id, agency (id), expected, net_after, probability (1: no chance)."""
    schema = {
        "account_id": pl.String, "agency": pl.String, "expected": pl.Int64, "net_after": pl.Int64, "probability": pl.Float64,
    }  # fmt: skip
    if inputs.accounts.is_empty():
        return pl.DataFrame(schema=schema)
    # what stands is a unit by itself: whoever works for a borrower is known, and is the only one that may take more of them
    alone = standing.with_columns(unit="account_id").select(list(valuing.ACCOUNTS))
    both = replace(inputs, accounts=pl.concat([inputs.accounts, alone]))
    codes = [agency.code for agency in inputs.agencies]
    there = standing["code"].replace_strict(
        codes, list(range(len(codes))), default=IN_HOUSE, return_dtype=pl.Int64
    )
    n = inputs.accounts.height
    question = valuing.question(both)
    may = question.eligible.copy()
    may[n + np.arange(there.len()), there.to_numpy()] = True
    fixed = np.concatenate([np.full(n, FREE, dtype=np.int64), there.to_numpy()])
    try:
        placed = placing.place(
            question=replace(question, eligible=may, fixed=fixed), seed=inputs.seed, share=0.0
        )
    except Infeasible as impossible:
        raise telling.refusal(impossible, inputs) from impossible
    figures = valuing.money(inputs)
    out = np.flatnonzero(placed.assignment[:n] != IN_HOUSE)
    chosen = placed.assignment[out]
    ids = np.array([agency.id for agency in inputs.agencies], dtype=np.str_)
    return pl.DataFrame(
        {
            "account_id": inputs.accounts["account_id"].to_numpy().astype(np.str_)[out],
            "agency": ids[chosen],
            "expected": figures.expected[out, chosen],
            "net_after": figures.net[out, chosen],
            "probability": placed.probability[out],
        },
        schema=schema,
    )


def _store(actor: Actor, run: Run, frame: pl.DataFrame, *, number: int, at: datetime) -> Refilled:
    """Make the new placements and keep every account's way."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE refilled (account uuid, origin uuid, agency uuid, expected bigint, net_before bigint, net_after bigint, in_house bigint, "
            "probability float8, outcome text) ON COMMIT DROP"
        )
        with cursor.copy("COPY refilled FROM STDIN (FORMAT csv)") as stream:
            stream.write(frame.write_csv(include_header=False).encode())
        cursor.execute(_TO_PLACE, [run.as_of])
    made = offering.make(
        actor,
        run_id=run.id,
        at=at,
        term_months=run.terms.get("term_months", 6),
        answer_days=run.terms.get("answer_days", 3),
    )
    with transactions.connection().cursor() as cursor:
        cursor.execute(_KEEP, {"run": run.id, "number": number, "at": at, "by": actor.id})
        rows = cursor.fetchall()
        cursor.execute("DROP TABLE refilled")
    if made.offered:
        events.publish(PlacementsOffered(run_id=run.id, answer_by=made.answer_by, offered_at=at))
    return Refilled(
        number=number,
        placed=made.total,
        kept=len(rows) - made.total,
        net_before_minor=sum(row[1] for row in rows),
        net_after_minor=sum(row[2] for row in rows),
    )
