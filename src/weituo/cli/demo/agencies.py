"""The six invented agencies at work: each a client of the public REST API with its own key, as a real one would be.

Decisions come from `core.twin.behaviour` (pure, seeded); what the program answers decides what happens: an attempt
whose permit is refused is not made, and a promise that hangs on it is never given.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from weituo.cli.demo import messages
from weituo.cli.demo.agency_system import SHANGHAI, AgencySystem, Tally
from weituo.core.twin import behaviour


def play_week(
    *, systems: Sequence[AgencySystem], week: int, monday: date, intensity: float = 1.0, workers: int = 3
) -> Tally:
    """Live through one week (0 = the first since placement), all agencies at once over HTTP.

    An agency fetches its cases, asks permits, reports contacts and promises, remits what came in, and passes on
    disputes, hardship and complaints. A week that was cut off may be played again: nothing happens twice.
    """
    total = Tally()
    one_week = functools.partial(_week, week=week, monday=monday, intensity=intensity)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for tally in pool.map(one_week, systems):
            total.add(tally)
    return total


def _moment(day: date, *, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=SHANGHAI).astimezone(UTC)


def _week(system: AgencySystem, *, week: int, monday: date, intensity: float) -> Tally:
    morning, sunday = _moment(monday, hour=8, minute=30), monday + timedelta(days=6)
    evening = _moment(sunday, hour=23)
    tally = Tally(requests=2)
    if not system.badges:
        system.sign_on(at=morning)
    if not system.begin_week(week, at=morning):
        return tally
    played = behaviour.play_week(
        agency=system.agency,
        cases=system.cases,
        week=week,
        starts_on=monday,
        seed=system.seed,
        intensity=intensity,
    )
    granted = messages.ask(system, played.attempts, at=morning, week=week, tally=tally)
    messages.report(system, granted, at=evening, week=week, tally=tally)
    made = granted.select("attempt_key")
    promised = played.promises.join(made, on="attempt_key", how="semi")
    messages.promise(system, promised, granted, at=evening, week=week, tally=tally)
    paid = played.payments.filter(
        pl.col("attempt_key").is_null() | pl.col("attempt_key").is_in(made["attempt_key"].implode())
    )
    messages.remit(system, system.due(paid, week=week, sunday=sunday), at=evening, week=week, tally=tally)
    angry = played.complaints.join(made, on="attempt_key", how="semi")
    messages.pass_on(system, granted, angry, at=evening, week=week, tally=tally)
    return tally
