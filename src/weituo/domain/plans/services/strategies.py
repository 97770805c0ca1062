"""Strategies: drafted, edited, tried, published, applied to the whole book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import polars as pl

from weituo.domain.plans import queries, treating
from weituo.domain.plans.errors import NoStrategy, StrategyNotFound, StrategyRefused
from weituo.domain.plans.errors import StrategyPublished as AlreadyPublished
from weituo.domain.plans.events import StrategyPublished
from weituo.domain.plans.models import Strategy, StrategyRow
from weituo.foundation import events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded


def _draft(strategy_id: UUID) -> Strategy:
    strategy = Strategy.objects.select_for_update().filter(id=strategy_id).first()
    if strategy is None:
        raise StrategyNotFound(what="strategy")
    if strategy.state != Strategy.State.DRAFT:
        raise AlreadyPublished()
    return strategy


def _write_rows(strategy: Strategy, rows: Sequence[treating.Row]) -> None:
    StrategyRow.objects.filter(strategy=strategy).delete()
    StrategyRow.objects.bulk_create(
        StrategyRow(
            id=new_id(),
            strategy=strategy,
            position=position,
            **{
                key: list(value) if isinstance(value, tuple) else value
                for key, value in row.as_dict().items()
            },
        )
        for position, row in enumerate(rows)
    )


@act("plans.draft_strategy", permission="plans.edit_strategy")
def draft_strategy(*, actor: Actor, rows: Sequence[treating.Row], at: datetime, note_text: str = "") -> UUID:
    """Begin a new version with these rows (for instance a copy of the one in force)."""
    locks.lock(keys=["plans:strategies"])
    version = 1 + Strategy.objects.count()
    strategy = Strategy.objects.create(
        id=new_id(), version=version, note=note_text, made_by=actor.id, made_at=at
    )
    _write_rows(strategy, rows)
    note(what="strategy", ref=strategy.id, version=version, rows=len(rows))
    return strategy.id


@act("plans.save_rows", permission="plans.edit_strategy")
def save_rows(*, actor: Actor, strategy_id: UUID, rows: Sequence[treating.Row], at: datetime) -> None:
    """Replace the rows of a draft; problems are shown, and only publishing insists on none."""
    strategy = _draft(strategy_id)
    _write_rows(strategy, rows)
    note(what="strategy", ref=strategy_id, version=strategy.version, rows=len(rows))


@act("plans.publish_strategy", permission="plans.publish_strategy")
def publish_strategy(*, actor: Actor, strategy_id: UUID, at: datetime) -> None:
    """Put a draft in force; the one before retires. Raises `StrategyRefused` naming the first bad row."""
    locks.lock(keys=["plans:strategies"])
    strategy = _draft(strategy_id)
    rows = [
        treating.Row.from_dict(row)
        for row in StrategyRow.objects.filter(strategy=strategy).order_by("position").values()
    ]
    if wrong := treating.problems(rows):
        raise StrategyRefused(problem=wrong[0][1], where=worded("row %(number)s", number=wrong[0][0]))
    Strategy.objects.filter(state=Strategy.State.PUBLISHED).update(state=Strategy.State.RETIRED)
    Strategy.objects.filter(id=strategy_id).update(
        state=Strategy.State.PUBLISHED, published_by=actor.id, published_at=at
    )
    note(what="strategy", ref=strategy_id, version=strategy.version)
    events.publish(StrategyPublished(strategy_id=strategy_id, version=strategy.version, published_at=at))


@act("plans.apply_strategy", permission="plans.edit_strategy")
def apply_strategy(*, actor: Actor, at: datetime) -> dict[str, int]:
    """Give every open account its treatment by the strategy in force; return accounts per treatment."""
    strategy = Strategy.objects.filter(state=Strategy.State.PUBLISHED).first()
    if strategy is None:
        raise NoStrategy()
    stored = list(StrategyRow.objects.filter(strategy=strategy).order_by("position").values())
    treated = treating.apply(
        [treating.Row.from_dict(row) for row in stored], queries.candidates(actor, at=at)
    )
    ids = pl.DataFrame(
        {"row": range(len(stored)), "row_id": [str(row["id"]) for row in stored]},
        schema={"row": pl.Int32, "row_id": pl.String},
    )
    frame = treated.join(ids, on="row", how="left").select("account_id", "row_id", "treatment", "tier_max")
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE treated (account uuid, row uuid, treatment text, tier smallint) ON COMMIT DROP"
        )
        with cursor.copy("COPY treated FROM STDIN (FORMAT csv)") as stream:
            stream.write(frame.write_csv(include_header=False).encode())
        cursor.execute(
            "INSERT INTO plans_treatment (account_id, strategy_id, row_id, treatment, tier_max, decided_at) SELECT account, %s, row, treatment, tier, %s FROM treated "
            "ON CONFLICT (account_id) DO UPDATE SET strategy_id = excluded.strategy_id, row_id = excluded.row_id, treatment = excluded.treatment, tier_max = excluded.tier_max, decided_at = excluded.decided_at",
            [strategy.id, at],
        )
    counts = {
        str(row["treatment"]): int(row["len"])
        for row in frame.group_by("treatment").len().sort("treatment").to_dicts()
    }
    note(what="strategy", ref=strategy.id, version=strategy.version, accounts=counts)
    return counts
