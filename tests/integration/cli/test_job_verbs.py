"""`weituo worker` and `weituo jobs`: the worker does what pages asked for, and the list says what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import translation

from weituo.cli import face
from weituo.foundation import clock
from weituo.foundation.jobs import queue

from tests.builders import actors
from tests.builders import evaluation as build

Run = Callable[..., tuple[int, str]]
PERIOD = {"period_from": "2026-03-01", "period_to": "2026-09-01"}


@pytest.fixture
def run(db: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one verb and give its exit code and what it printed."""
    monkeypatch.setattr("weituo.config.database.prepare", lambda home: None)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def running(*words: str) -> tuple[int, str]:
        code = face.main(list(words))
        return code, capsys.readouterr().out

    return running


def ask() -> Any:
    with translation.override("en"):
        return queue.ask(actor=queue.WORKER, kind="evaluation.evaluate", arguments=PERIOD, at=clock.now())


def test_the_worker_does_what_waits_and_the_list_says_what_came_of_it(run: Run) -> None:
    assert run("jobs") == (0, "no jobs yet: pages start them\n")
    refused = ask()
    assert run("worker", "--once") == (0, "jobs done: 1\n")
    build.agencies(payers=(0.2, 0.4), count=30)
    done = ask()
    code, out = run("worker", "--once", "--json")
    assert (code, json.loads(out)) == (0, {"done": 1})
    code, out = run("jobs", "--json")
    rows = {row["id"]: row for row in json.loads(out)["jobs"]}
    assert (rows[str(done)]["state"], rows[str(refused)]["state"]) == ("DONE", "REFUSED")
    assert rows[str(done)]["ref"]
    code, out = run("jobs")
    assert [line.split()[2:4] for line in out.splitlines()] == [
        ["evaluation.evaluate", "DONE"],
        ["evaluation.evaluate", "REFUSED"],
    ]
    assert "No placement was made in this period" in out
    ask()
    assert len(run("jobs", "--limit", "1")[1].splitlines()) == 1


def test_a_job_that_goes_on_says_how_far_it_is(run: Run) -> None:
    ask()
    taken = queue.take(at=clock.now())
    assert taken is not None
    queue.progressed(taken, part=1_200, parts=3_000, words="Rows are checked and stored")
    assert "RUNNING  1,200 of 3,000: Rows are checked and stored" in run("jobs")[1]
    queue.give_back(taken)
    assert queue.jobs(actors.staff())[0]["state"] == "WAITING"
