"""Idempotency keys: a running request keeps its key, a dead one loses it at once, and answers are forgotten in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import psycopg
import pytest
from django.db import connections

from weituo.foundation import clock
from weituo.foundation.idempotency import keeper
from weituo.foundation.ids import new_id
from weituo.foundation.jobs import sweeping
from weituo.foundation.tenancy.actors import Actor

from tests.builders import actors
from tests.conftest import Databases


@pytest.fixture
def agency(db: str) -> Actor:
    return actors.agency_system(new_id())


def claim(agency: Actor, *, digest: str = "a") -> keeper.Kept | None:
    return keeper.claim(actor=agency, key="k1", request_digest=digest)


def keep(agency: Actor, body: bytes = b"first") -> None:
    keeper.keep(actor=agency, key="k1", status=201, body=body, content_type="application/json")


def elsewhere(run: Callable[[], Any]) -> Any:
    """Run in another thread, so with a session of its own, and give what came of it."""
    found: list[Any] = []

    def inside() -> None:
        try:
            found.append(run())
        except Exception as fault:  # noqa: BLE001 - the test looks at it
            found.append(fault)
        finally:
            connections.close_all()

    thread = Thread(target=inside)
    thread.start()
    thread.join()
    return found[0]


def age(db: str, databases: Databases, *, days: int) -> None:
    """Make every claim older."""
    with databases.administrator() as there:
        parameters = {**there.info.get_parameters(), "password": there.info.password, "dbname": db}
    with psycopg.connect(**parameters) as connection:
        connection.execute(
            "UPDATE idempotency_answer SET claimed_at = claimed_at - make_interval(days => %s)", [days]
        )


def test_a_key_is_not_taken_over_while_its_first_request_runs_however_long(
    db: str, databases: Databases, agency: Actor
) -> None:
    assert claim(agency) is None
    age(db, databases, days=2)
    with pytest.raises(keeper.StillWorking):
        claim(agency)
    assert isinstance(elsewhere(lambda: claim(agency)), keeper.StillWorking)
    keep(agency)
    assert elsewhere(lambda: claim(agency)).body == b"first"


def test_another_process_sees_the_claim_too(db: str, agency: Actor) -> None:
    assert claim(agency) is None
    number = keeper._number(agency, "k1")
    keeper._claimed.discard(number)  # as in a process that never saw this request
    assert isinstance(elsewhere(lambda: claim(agency)), keeper.StillWorking)
    keeper._claimed.add(number)
    keeper.release(actor=agency, key="k1")
    assert elsewhere(lambda: claim(agency)) is None
    keeper._claimed.discard(number)


def test_the_key_of_a_process_that_died_is_free_at_once(db: str, agency: Actor) -> None:
    assert claim(agency) is None
    connections["agency"].close()  # its session ends, and its memory with it
    keeper._claimed.discard(keeper._number(agency, "k1"))
    until = time.monotonic() + 10
    found: Any = keeper.StillWorking()
    while isinstance(found, keeper.StillWorking) and time.monotonic() < until:
        found = elsewhere(lambda: claim(agency, digest="a"))
    assert found is None
    keeper._claimed.clear()


def test_a_released_key_can_be_claimed_again_and_another_body_is_refused(agency: Actor) -> None:
    assert claim(agency) is None
    with pytest.raises(keeper.KeyUsedOtherwise):
        claim(agency, digest="b")
    keeper.release(actor=agency, key="k1")
    assert claim(agency, digest="b") is None
    keep(agency)
    with pytest.raises(keeper.KeyUsedOtherwise):
        claim(agency, digest="a")


def test_answers_are_kept_for_thirty_days_and_then_forgotten(
    db: str, databases: Databases, agency: Actor
) -> None:
    assert claim(agency) is None
    keep(agency)
    age(db, databases, days=keeper.KEPT_DAYS - 1)
    assert keeper.sweep(at=clock.now()) == 0
    kept = claim(agency)
    assert kept is not None
    assert (kept.status, kept.body) == (201, b"first")
    age(db, databases, days=1)
    assert sweeping.sweep(at=clock.now() + timedelta(minutes=1)) >= 1
    assert claim(agency) is None
    keeper.release(actor=agency, key="k1")
