"""The worker: takes one job after the other, does it as the person who asked, and says how far it has come."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connections
from django.utils import translation

from weituo.foundation import clock, locks
from weituo.foundation.audit import journal
from weituo.foundation.errors import Refusal
from weituo.foundation.identity import people
from weituo.foundation.jobs import progress, queue, sweeping
from weituo.foundation.jobs.errors import JobGaveUp
from weituo.foundation.jobs.models import Job
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

#: how long a worker rests when there is nothing to do, and how often a waiting page can see progress
REST_SECONDS = 0.5
#: how long it waits for a server that does not answer
AWAY_SECONDS = 2.0
#: how often it tidies up
TIDY_SECONDS = 3_600
_log = logging.getLogger("weituo.jobs")


def work(*, stop: threading.Event, said: Callable[[str], None] = lambda _line: None) -> None:
    """Do jobs until `stop` is set, and tidy up now and then; a database that goes away is waited for."""
    tidy_at = time.monotonic()
    while not stop.is_set():
        try:
            if time.monotonic() >= tidy_at:
                sweeping.sweep(at=clock.now())
                tidy_at = time.monotonic() + TIDY_SECONDS
            while not stop.is_set() and (line := one()):
                said(line)
            stop.wait(REST_SECONDS)
        except (OperationalError, InterfaceError) as away:
            _log.warning("the database does not answer: %s", " ".join(str(away).split())[:200])
            connections.close_all()
            stop.wait(AWAY_SECONDS)


def work_off() -> int:
    """Do every open job that nobody holds, and give how many."""
    done = 0
    while one():
        done += 1
    return done


def one() -> str:
    """Do one job and give a line about it; an empty line when there was nothing to do."""
    taken = queue.take(at=clock.now())
    if taken is None:
        return ""
    try:
        with translation.override(taken.language):
            state = _ended(taken)
    except (KeyboardInterrupt, SystemExit):
        queue.give_back(taken)
        raise
    if taken.kind.tidy is not None and state != Job.State.WAITING:
        taken.kind.tidy(taken.arguments)
    return f"{taken.kind.name} {taken.id} {state}"


def _ended(taken: queue.Taken) -> str:
    """Do the work of a job and give the state that it ended in."""
    try:
        ref = queue.done_before(taken) if taken.attempts > 1 else None
        if ref is None:
            if taken.attempts > queue.ATTEMPTS_MAX:
                raise JobGaveUp(attempts=queue.ATTEMPTS_MAX)
            ref = _worked(taken)
        queue.end(taken, state=Job.State.DONE, at=clock.now(), ref=ref)
        return Job.State.DONE
    except locks.Busy as busy:
        if taken.attempts < queue.ATTEMPTS_MAX:
            queue.give_back(taken, counts=True)
            return Job.State.WAITING
        return _refused(taken, busy)
    except Refusal as refusal:
        return _refused(taken, refusal)
    except (OperationalError, InterfaceError):
        raise  # the server went away: the job is held by nobody, and is taken up again
    except Exception as fault:  # noqa: BLE001 - whatever a room throws ends its job, not the worker
        _log.exception("job %s (%s) failed", taken.id, taken.kind.name)
        told = {
            "code": "fault", "where": "", "rule": "",
            "message": str(worded("A fault of the program: %(name)s", name=type(fault).__name__)),
            "remedy": str(worded("Nothing of the unfinished act was kept. The worker's log says more.")),
        }  # fmt: skip
        queue.end(taken, state=Job.State.FAILED, at=clock.now(), refusal=told)
        return Job.State.FAILED


def _refused(taken: queue.Taken, refusal: Refusal) -> str:
    queue.end(taken, state=Job.State.REFUSED, at=clock.now(), refusal=refusal.as_dict())
    return Job.State.REFUSED


def _worked(taken: queue.Taken) -> str:
    actor = _actor_of(taken)
    request = journal.request_id.set(taken.id.hex)
    try:
        with _telling(taken):
            return taken.kind.work(actor, clock.now(), taken.arguments)
    finally:
        journal.request_id.reset(request)


def _actor_of(taken: queue.Taken) -> Actor:
    """Give who asked, with what they may do now; the program's own jobs are done by the program."""
    if taken.asked_by == queue.WORKER.id:
        return queue.WORKER
    return people.actor_by_id(taken.asked_by)


@contextmanager
def _telling(taken: queue.Taken) -> Iterator[None]:
    """Show progress while the work goes on: by a thread of its own, since the act's transaction is not to be seen yet."""
    latest: list[tuple[int, int, str]] = []
    over = threading.Event()

    def show() -> None:
        shown = None
        try:
            while not over.wait(REST_SECONDS / 2):
                if latest and latest[-1] != shown:
                    shown = latest[-1]
                    queue.progressed(taken, part=shown[0], parts=shown[1], words=shown[2])
        except (OperationalError, InterfaceError) as away:  # progress is a courtesy; the work decides
            _log.warning("progress of job %s is not shown: %s", taken.id, type(away).__name__)
        finally:
            connections.close_all()

    thread = threading.Thread(target=show, name=f"progress-{taken.id}", daemon=True)
    token = progress.listener.set(lambda part, parts, words: latest.append((part, parts, words)))
    thread.start()
    try:
        yield
    finally:
        progress.listener.reset(token)
        over.set()
        thread.join()
