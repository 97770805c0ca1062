"""Reading models, runs and placements."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import polars as pl

from weituo.core.recovery import features
from weituo.domain.placement import holding_out, valuing
from weituo.domain.placement.errors import ModelNotFound, PlacementNotFound, RunNotFound
from weituo.foundation import transactions
from weituo.foundation.errors import NotFound
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

PLACEMENTS: Final[dict[str, Any]] = {
    "placement_id": pl.String, "account_id": pl.String, "borrower_id": pl.String, "agency_id": pl.String, "run_id": pl.String,
    "case_ref": pl.String, "state": pl.String, "sequence": pl.Int64, "placed_at": pl.Datetime("us", "UTC"), "term_to": pl.Date,
    "ended_at": pl.Datetime("us", "UTC"), "recall_reason": pl.String, "currency": pl.String, "balance_minor": pl.Int64,
    "bucket": pl.String, "region": pl.String, "fee_bps": pl.Int64, "expected_recovery_minor": pl.Int64, "probability": pl.Float64, "measured": pl.Boolean,
}  # fmt: skip
ITEMS: Final[dict[str, Any]] = {
    "account_id": pl.String, "agency_id": pl.String, "code": pl.String, "bucket": pl.String, "region": pl.String, "currency": pl.String,
    "balance_minor": pl.Int64, "expected_recovery_minor": pl.Int64, "expected_net_minor": pl.Int64, "probability": pl.Float64,
    "explored": pl.Boolean, "held_out": pl.String, "measured": pl.Boolean,
}  # fmt: skip
PAGE_ROWS: Final = 50
_RUN: Final = (
    "SELECT r.id, r.number, r.state, r.as_of, r.seed, r.strategy_id, r.model_id, r.accounts, r.balance_minor, r.currency, r.expected_net_minor, r.bound_minor, "
    "r.solved_by, r.solved_at, r.proposed_by, r.proposed_at, r.decided_by, r.decided_at, r.decision_reason, r.proof, r.rivals, r.exclusions, "
    "(SELECT count(*) FROM placement_placement p WHERE p.run_id = r.id AND p.placed_at IS NOT NULL) AS placements"
)


@transactions.reads
def placements_frame(viewer: Actor, *, agency_id: UUID | None = None) -> pl.DataFrame:
    """Give placements that are or were entrusted, in the order in which they began (columns of `PLACEMENTS`).

    Offers that were not accepted are no part of it (`answers.offers`). An agency sees its own.
    """
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT id::text, account_id::text, borrower_id::text, agency_id::text, run_id::text, case_ref, state, sequence::bigint, placed_at, term_to, ended_at, "
            "recall_reason, currency, balance_minor, bucket, region, fee_bps::bigint, expected_recovery_minor, probability, measured FROM placement_placement "
            "WHERE placed_at IS NOT NULL AND (%s::uuid IS NULL OR agency_id = %s::uuid) ORDER BY placed_at, id",
            [agency_id, agency_id],
        )
        return pl.DataFrame(cursor.fetchall(), schema=PLACEMENTS, orient="row")


@transactions.reads
def known_at_placement(viewer: Actor, *, placed_before: datetime) -> pl.DataFrame:
    """Give the model's features of every placement made before an instant, as they were known then.

    Columns: placement_id, account_id, placed_at, and `core.recovery.features.NAMES`.
    """
    viewer.require("placement.train")
    placed = placements_frame(viewer).filter(pl.col("placed_at") < placed_before)
    columns = ["placement_id", "account_id", "placed_at", *features.NAMES]
    found = [pl.DataFrame(schema={"placement_id": pl.String, "account_id": pl.String, "placed_at": pl.Datetime("us", "UTC"), **{f.name: f.dtype for f in features.FEATURES}})]  # fmt: skip
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT i.run_id::text, i.known FROM placement_run_inputs i JOIN placement_run r ON r.id = i.run_id "
            "WHERE r.state = 'APPROVED' AND i.known IS NOT NULL AND r.decided_at < %s ORDER BY r.number",
            [placed_before],
        )
        for run_id, packed in cursor:
            known = pl.read_parquet(io.BytesIO(bytes(packed)))
            rows = placed.filter(pl.col("run_id") == run_id).select("placement_id", "account_id", "placed_at")
            found.append(rows.join(known, on="account_id", how="inner").select(columns))
    return pl.concat(found)


@transactions.reads
def placement(viewer: Actor, *, placement_id: UUID) -> dict[str, Any]:
    """Give one placement with its agency's code and names and its run's number. Raises `PlacementNotFound`."""
    found = transactions.rows(
        "SELECT p.*, g.code, g.name_zh, g.name_en, r.number AS run_number FROM placement_placement p JOIN partners_agency g ON g.id = p.agency_id "
        "LEFT JOIN placement_run r ON r.id = p.run_id WHERE p.id = %s",
        [placement_id],
    )
    if not found:
        raise PlacementNotFound(what="placement", where=str(placement_id))
    return found[0]


_FILTERS: Final = {
    "agency": "g.code = %s",
    "agency_id": "p.agency_id = %s::uuid",
    #: an active placement may be under notice of recall besides
    "state": "CASE WHEN %s = 'RECALL_NOTICE' THEN p.recall_final_on IS NOT NULL ELSE p.state = %s END",
    "bucket": "p.bucket = %s",
    "case_ref": "p.case_ref = upper(%s)",
    "run": "r.number = %s::int",
    "run_id": "p.run_id = %s::uuid",
    "account_id": "p.account_id = %s::uuid",
    "reason": "p.recall_reason = %s",
}


@transactions.reads
def placements_page(viewer: Actor, *, filters: Mapping[str, str], page: int = 1) -> dict[str, Any]:
    """Give one page of placements, newest first: rows, total, balance_minor, page, pages.

    filters: agency (code), agency_id, state, bucket, case_ref, run (number), run_id, account_id, reason; empty ones and
    values that cannot be read are left out.
    """
    viewer.require("placement.read")
    clauses, values = ["true"], []  # type: tuple[list[str], list[Any]]
    for key, clause in _FILTERS.items():
        asked = str(filters.get(key) or "").strip()
        if asked and _readable(key, asked):
            clauses.append(clause)
            values += [asked] * clause.count("%s")
    source = (
        "FROM placement_placement p JOIN partners_agency g ON g.id = p.agency_id JOIN placement_run r ON r.id = p.run_id WHERE "
        + " AND ".join(clauses)
    )
    total = transactions.rows(
        f"SELECT count(*) AS n, coalesce(sum(p.balance_minor), 0)::bigint AS minor {source}", values
    )[0]
    found = transactions.rows(
        "SELECT p.id, p.account_id, p.agency_id, g.code, g.name_zh, g.name_en, r.number AS run_number, p.run_id, p.case_ref, p.sequence, p.state, p.placed_at, p.offered_at, p.answer_by, p.answer_reason, p.recall_final_on, p.retained, p.term_to, "
        "p.ended_at, p.recall_reason, p.currency, p.balance_minor, p.bucket, p.region, p.fee_bps, p.expected_recovery_minor, p.probability "
        f"{source} ORDER BY coalesce(p.placed_at, p.offered_at) DESC, p.id DESC LIMIT {PAGE_ROWS} OFFSET %s",
        [*values, (max(page, 1) - 1) * PAGE_ROWS],
    )
    return {
        "rows": found,
        "total": total["n"],
        "balance_minor": total["minor"],
        "page": max(page, 1),
        "pages": max(1, -(-total["n"] // PAGE_ROWS)),
    }


def _readable(key: str, text: str) -> bool:
    if key == "run":
        return text.isdigit() and len(text) < 9
    if not key.endswith("_id"):
        return True
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@transactions.reads
def runs(viewer: Actor) -> list[dict[str, Any]]:
    """List runs, newest first, with proof, rivals, exclusions and the number of placements made."""
    viewer.require("placement.read")
    return transactions.rows(f"{_RUN} FROM placement_run r ORDER BY r.number DESC")


@transactions.reads
def run(viewer: Actor, *, run_id: UUID) -> dict[str, Any]:
    """Give one run: besides the columns of `runs`, parameters, digests, by_agency with names, and the model's version.

    expected_net_minor ≤ bound_minor are net money of all accounts of the run, in-house included; see `telling.proof`.
    Raises `RunNotFound`.
    """
    viewer.require("placement.read")
    found = transactions.rows(
        f"{_RUN}, r.parameters, r.inputs_digest, r.result_digest, r.by_agency, m.version AS model_version "
        "FROM placement_run r JOIN placement_model m ON m.id = r.model_id WHERE r.id = %s",
        [run_id],
    )
    if not found:
        raise RunNotFound(what="run", where=str(run_id))
    names = {
        str(row["id"]): row
        for row in transactions.rows("SELECT id, name_zh, name_en FROM partners_agency ORDER BY code")
    }
    for row in found[0]["by_agency"]:
        known = names.get(str(row["agency_id"]), {})
        row["name_zh"], row["name_en"] = known.get("name_zh", ""), known.get("name_en", "")
    return found[0]


@transactions.reads
def run_items_frame(viewer: Actor, *, run_id: UUID) -> pl.DataFrame:
    """Give where each account of a run goes (columns of `ITEMS`; agency_id null: in-house, or held out), by account."""
    viewer.require("placement.read")
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT i.account_id::text, i.agency_id::text, coalesce(g.code, ''), a.bucket, a.region, a.currency, a.balance_minor, i.expected_recovery_minor, i.expected_net_minor, "
            "i.probability, i.explored, i.held_out, i.measured FROM placement_run_item i JOIN placement_run r ON r.id = i.run_id CROSS JOIN LATERAL (SELECT x.* FROM book_account_on(r.as_of) x WHERE x.id = i.account_id) a LEFT JOIN partners_agency g ON g.id = i.agency_id "
            "WHERE i.run_id = %s ORDER BY i.account_id",
            [run_id],
        )
        return pl.DataFrame(cursor.fetchall(), schema=ITEMS, orient="row")


def _inputs(run_id: UUID) -> valuing.Inputs:
    found = transactions.rows("SELECT body FROM placement_run_inputs WHERE run_id = %s", [run_id])
    if not found:
        raise RunNotFound(what="run", where=str(run_id))
    return valuing.unpack(bytes(found[0]["body"]))


@transactions.reads
def explain(viewer: Actor, *, run_id: UUID, account_id: UUID) -> dict[str, Any]:
    """Say why an account went where it went: what every agency would bring, cost, and take from scarce limits.

    Each choice holds code, eligible, expected_minor, commission_minor, cost_minor, net_minor, value_minor (above in-house),
    limits_minor (what the limits it would use are worth to others) and margin_minor (value less that); the plan takes the
    greatest margin, 0 being in-house. Raises `RunNotFound`, `NotFound` for an account that is not in the run.
    """
    head = run(viewer, run_id=run_id)
    items = transactions.rows(
        "SELECT i.*, g.code FROM placement_run_item i LEFT JOIN partners_agency g ON g.id = i.agency_id WHERE i.run_id = %s AND i.account_id = %s",
        [run_id, account_id],
    )
    if not items:
        raise NotFound(what=worded("account in this run"), where=str(account_id))
    inputs = _inputs(run_id)
    figures, allowed = valuing.money(inputs), valuing.eligible(inputs)
    row = inputs.accounts["account_id"].to_list().index(str(account_id))
    account = inputs.accounts.row(row, named=True)
    places = {one["code"]: one["place"] for one in head["by_agency"]}
    choices = []
    for column, agency in enumerate(inputs.agencies):
        used = valuing.taken(account, places[agency.code])
        value = int(figures.value[row, column])
        choices.append(
            {
                "agency_id": agency.id, "code": agency.code, "eligible": bool(allowed[row, column]),
                "why_not": "" if allowed[row, column] else valuing.why_not(agency, account),
                "expected_minor": int(figures.expected[row, column]), "commission_minor": int(figures.commission[row, column]),
                "cost_minor": int(figures.cost[column]), "net_minor": int(figures.net[row, column]), "value_minor": value,
                "limits_minor": round(used), "margin_minor": round(value - used),
            }
        )  # fmt: skip
    item = items[0]
    return {
        "run_number": head["number"], "account_id": str(account_id), "chosen": item["code"] or "", "explored": item["explored"], "measured": item["measured"], "held_out": item["held_out"],
        "probability": item["probability"], "in_house_minor": int(figures.in_house[row]), "currency": head["currency"],
        "balance_minor": account["balance_minor"], "bucket": account["bucket"], "choices": choices,
    }  # fmt: skip


@transactions.reads
def replay(viewer: Actor, *, run_id: UUID) -> dict[str, Any]:
    """Solve a run again from what was kept, and compare: inputs, result, and the rows that stand in the database.

    Returns same (all three agree), inputs_same, result_same, rows_same, result_digest, replayed_digest.
    """
    head = run(viewer, run_id=run_id)
    inputs = _inputs(run_id)
    held, again = holding_out.solved(inputs)
    assignment, probability, explored, measured = holding_out.merged(inputs, held, again)
    stored = run_items_frame(viewer, run_id=run_id)
    codes = {agency.code: number for number, agency in enumerate(inputs.agencies)}
    chosen = stored["code"].replace_strict(codes, default=-1, return_dtype=pl.Int64).to_numpy()
    rows_same = stored["account_id"].to_list() == inputs.accounts["account_id"].to_list() and bool(
        (chosen == assignment).all()
        and (stored["probability"].to_numpy() == probability).all()
        and (stored["explored"].to_numpy() == explored).all()
        and (stored["measured"].to_numpy() == measured).all()
        and ((stored["held_out"] != "").to_numpy() == held).all()
    )
    same = {
        "inputs_same": inputs.digest == head["inputs_digest"],
        "result_same": again.digest == head["result_digest"],
        "rows_same": rows_same,
    }
    return same | {
        "same": all(same.values()),
        "result_digest": head["result_digest"],
        "replayed_digest": again.digest,
    }


@transactions.reads
def models(viewer: Actor) -> list[dict[str, Any]]:
    """List trained models, newest first, with their metrics on held-out accounts."""
    viewer.require("placement.read")
    return transactions.rows(
        "SELECT id, version, state, trained_at, trained_by, seed, metrics, parameters, artefact_digest, inputs_digest FROM placement_model ORDER BY version DESC"
    )


@transactions.reads
def model(viewer: Actor, *, model_id: UUID) -> dict[str, Any]:
    """Give one model's card: metrics, and calibration {"reliability": rows a bin, "money": rows a decile}. Raises `ModelNotFound`."""
    viewer.require("placement.read")
    found = transactions.rows(
        "SELECT m.*, (SELECT count(*) FROM placement_run r WHERE r.model_id = m.id) AS runs FROM placement_model m WHERE m.id = %s",
        [model_id],
    )
    if not found:
        raise ModelNotFound(what="model", where=str(model_id))
    return found[0]
