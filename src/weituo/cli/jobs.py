"""`weituo worker` and `weituo jobs`: the worker beside the console, and what it has to do."""

from __future__ import annotations

import argparse
import signal
import threading
from typing import Any

from weituo.cli import face as cli
from weituo.cli.arguments import row_count
from weituo.cli.words import worded


def add_verbs(verbs: Any) -> None:
    """Add `worker` and `jobs`."""
    worker = cli.common(
        verbs.add_parser("worker", help="do the long work that pages start, until it is stopped")
    )
    worker.add_argument("--once", action="store_true", help="do what waits, then stop")
    worker.set_defaults(run=_worker)
    jobs = cli.common(verbs.add_parser("jobs", help="list long work: what waits, goes on, and has ended"))
    jobs.add_argument("--limit", type=row_count, default=50, help="how many, newest first (default: 50)")
    jobs.set_defaults(run=_jobs)


def _worker(arguments: argparse.Namespace) -> int:
    from weituo.foundation import clock
    from weituo.foundation.jobs import sweeping, worker

    # like an interrupt: the job in hand is given back whole, for the next worker
    signal.signal(signal.SIGTERM, _stopped)
    if arguments.once:
        sweeping.sweep(at=clock.now())
        done = worker.work_off()
        cli.show(arguments, {"done": done}, worded("jobs done: %(done)s", done=f"{done:,}"))
        return 0
    cli.say(worded("the worker waits for jobs; end it with Ctrl-C"))
    worker.work(stop=threading.Event(), said=cli.say)
    return 0


def _stopped(signal_number: int, frame: object) -> None:
    raise SystemExit(0)


def _jobs(arguments: argparse.Namespace) -> int:
    from weituo.foundation.jobs import queue

    rows = queue.jobs(cli.actor_of(arguments), limit=arguments.limit)
    shown = [
        {key: row[key] for key in ("id", "kind", "state", "asked_at", "ended_at", "part", "parts", "words", "attempts", "ref", "refusal")}
        for row in rows
    ]  # fmt: skip
    text = "\n".join(
        f"{row['asked_at']:%Y-%m-%d %H:%M} {row['kind']:<20} {row['state']:<8} {_far(row)}" for row in shown
    )
    cli.show(arguments, {"jobs": shown}, text or worded("no jobs yet: pages start them"))
    return 0


def _far(row: dict[str, Any]) -> str:
    if row["refusal"]:
        return str(row["refusal"]["message"])
    if row["ref"] or not row["parts"]:
        return str(row["ref"])
    return worded(
        "%(part)s of %(parts)s: %(words)s",
        part=f"{row['part']:,}",
        parts=f"{row['parts']:,}",
        words=row["words"],
    )
