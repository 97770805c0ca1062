"""Least valid rows for placing: agencies in good order, a treated book, a small model in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
from psycopg.types.json import Jsonb

from weituo.core.twin import history
from weituo.domain.partners.policies import REQUIRED_PAPERS
from weituo.domain.placement import queries, services
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.files.places import place
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors, partners

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
AS_OF = date(2026, 3, 1)
FEES = {"M1": 1_500, "M2": 1_800, "M3": 2_200, "default": 3_000}
LIN, ZHAO = "lin", "zhao"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A lender with a book to place: agencies by code, accounts, the strategy."""

    agencies: dict[str, UUID]
    accounts: list[UUID]
    borrowers: list[UUID]
    strategy_id: UUID
    extra: dict[str, Any] = field(default_factory=dict)


def agency(
    code: str,
    *,
    capacity: int = 50,
    tier: int = 1,
    regions: Sequence[str] = (),
    liquidation: float | None = None,
    papers: Sequence[str] = ("LICENCE", "SECURITY", "SERVICE", "CONFIDENTIALITY"),
) -> UUID:
    """Make an approved agency with the papers named."""
    agency_id = new_id()
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO partners_agency (id, code, name_zh, name_en, state, tier, capacity_accounts_max, regions, state_since) VALUES (%s, %s, %s, %s, 'APPROVED', %s, %s, %s, %s)",
            [agency_id, code, f"{code} 公司", f"{code} Ltd", tier, capacity, list(regions), AT],
        )
        for kind in papers:
            if kind in REQUIRED_PAPERS:
                partners.papers(cursor, agency_id=agency_id, verified_at=AT, kinds=(kind,))
                continue
            cursor.execute(
                "INSERT INTO partners_agreement (id, agency_id, kind, version, fields_allowed, fee_bps_by_bucket, active_from, active_to, ended_reason) VALUES (%s, %s, %s, 1, %s, %s, '2026-01-01', NULL, '')",
                [
                    new_id(),
                    agency_id,
                    kind,
                    ["name", "phone", "balance"],
                    Jsonb(FEES if kind == "SERVICE" else {}),
                ],
            )
        if liquidation is not None:
            cursor.execute(
                "INSERT INTO partners_paper (id, agency_id, kind, number, issuer, valid_from, valid_to, digest, facts, verified_by, verified_at) VALUES (%s, %s, 'PERFORMANCE', 'P', 'I', '2026-01-01', NULL, '', %s, 'x', %s)",
                [
                    new_id(),
                    agency_id,
                    Jsonb({"bucket": "M2", "liquidation": liquidation, "accounts": 5_000}),
                    AT,
                ],
            )
        journal.write(actor=actors.worker(), at=AT, act="test.agency", entries=[])
    return agency_id


def book(
    count: int,
    *,
    treatment: str = "AGENCY",
    region: str = "440000",
    currency: str = "CNY",
    tier_max: int = 3,
    strategy_id: UUID | None = None,
    borrower_id: UUID | None = None,
) -> Desk:
    """Make `count` open accounts of as many borrowers (or of the one given), treated by a published strategy."""
    strategy, row, imported = strategy_id or new_id(), new_id(), new_id()
    accounts = [new_id() for _ in range(count)]
    borrowers = [borrower_id or new_id() for _ in range(count)]
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO book_import_file (id, digest, profile, filename, as_of, currency, rows, accounts, borrowers, history_rows, rejected, balance_minor, report, imported_at) VALUES (%s, %s, 'test', 'test', %s, %s, 0, 0, 0, 0, 0, 0, '{}', %s)",
            [imported, imported.hex, AS_OF, currency, AT],
        )
        if strategy_id is None:
            cursor.execute(
                "INSERT INTO plans_strategy (id, version, state, note, made_by, made_at, published_by, published_at) VALUES (%s, 1, 'PUBLISHED', '', 'x', %s, 'y', %s)",
                [strategy, AT, AT],
            )
        cursor.execute(
            "INSERT INTO plans_strategy_row (id, strategy_id, position, buckets, products, treatment, tier_max, channels, tone, contacts_per_week_max, settlement_bps_max) VALUES (%s, %s, (SELECT count(*) FROM plans_strategy_row), '{}', '{}', %s, %s, '{VOICE,SMS}', 'FRIENDLY', 3, 0)",
            [row, strategy, treatment, tier_max],
        )
        for number, (account, borrower) in enumerate(zip(accounts, borrowers, strict=True)):
            cursor.execute(
                "INSERT INTO book_borrower (id, subject_id, external_ref, region) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [borrower, new_id(), borrower.hex, region],
            )
            balance = 200_000 + 37_000 * (number % 23)
            cursor.execute(
                "INSERT INTO book_account (id, borrower_id, external_ref, product, currency, principal_minor, balance_minor, credit_limit_minor, opened_on, past_due_since, days_past_due, region, as_of, import_file_id) VALUES (%s, %s, %s, 'CARD', %s, %s, %s, 2000000, '2024-01-01', '2026-01-15', 45, %s, %s, %s)",
                [account, borrower, account.hex, currency, balance, balance, region, AS_OF, imported],
            )
            cursor.execute(
                "INSERT INTO plans_treatment (account_id, strategy_id, row_id, treatment, tier_max, decided_at) VALUES (%s, %s, %s, %s, %s, %s)",
                [account, strategy, row, treatment, tier_max, AT],
            )
        journal.write(actor=actors.worker(), at=AT, act="test.book", entries=[])
    return Desk(agencies={}, accounts=accounts, borrowers=borrowers, strategy_id=strategy)


@cache
def cohort(accounts: int = 1_200) -> pl.DataFrame:
    """An invented cohort with outcomes."""
    return history.generate(accounts=accounts, seed=7, placed_on=date(2025, 6, 1))


_kept: dict[str, Any] = {}


def model_in_use() -> UUID:
    """Put a small model in use; it is trained once a process, by the act itself, and its row and file are used again."""
    wu = actors.staff(Role.ANALYST, name="wu")
    if not _kept:
        trained = services.train_model(actor=wu, cohort=cohort(), seed=7, at=AT)
        _kept.update(queries.model(wu, model_id=trained.model_id))
        _kept["file"] = (models_folder() / _kept["artefact"]).read_bytes()
        services.promote_model(actor=wu, model_id=trained.model_id, at=AT)
        return trained.model_id
    (models_folder() / _kept["artefact"]).write_bytes(_kept["file"])
    model_id = new_id()
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO placement_model (id, version, state, trained_at, trained_by, artefact, artefact_digest, inputs_digest, seed, metrics, calibration, parameters) "
            "VALUES (%s, 1, 'PROMOTED', %s, 'x', %s, %s, %s, 7, %s, %s, '{}')",
            [
                model_id, AT, _kept["artefact"], _kept["artefact_digest"], _kept["inputs_digest"],
                Jsonb(_kept["metrics"]), Jsonb(_kept["calibration"]),
            ],
        )  # fmt: skip
        journal.write(actor=actors.worker(), at=AT, act="test.model", entries=[])
    return model_id


def desk(*, count: int = 40, capacity: int = 50) -> Desk:
    """A lender ready for a run: two agencies, a model in use, `count` accounts for agencies."""
    made = book(count)
    model_in_use()
    agencies = {
        code: agency(code, capacity=capacity, tier=tier) for code, tier in (("ALPHA", 1), ("BETA", 2))
    }
    return Desk(
        agencies=agencies, accounts=made.accounts, borrowers=made.borrowers, strategy_id=made.strategy_id
    )


def solved(*, seed: int = 7, exploration: float = 0.05, **more: Any) -> UUID:
    """Solve a run as Lin."""
    return services.solve_run(
        actor=actors.staff(name=LIN), seed=seed, at=AT, as_of=AS_OF, exploration=exploration, **more
    )


def approved(run_id: UUID, *, at: datetime = AT) -> int:
    """Propose as Lin and approve as Zhao; give the placements made."""
    services.propose_run(actor=actors.staff(name=LIN), run_id=run_id, at=at)
    return services.decide_run(actor=actors.staff(name=ZHAO), run_id=run_id, approved=True, reason="", at=at)


def placement_ids(viewer: Any = None) -> list[UUID]:
    """Give the ids of all placements."""
    return [UUID(one) for one in queries.placements_frame(viewer or actors.staff())["placement_id"].to_list()]


def models_folder() -> Path:
    """Give where model files are kept."""
    return place("models", "x").parent


def answers_each(agency_id: UUID) -> None:
    """Let an agency's service agreement ask it for an answer to every placement."""
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE partners_agreement SET accepts_in_advance = false WHERE agency_id = %s AND kind = 'SERVICE'",
            [agency_id],
        )
        journal.write(actor=actors.worker(), at=AT, act="test.answers_each", entries=[])
