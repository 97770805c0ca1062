"""Jobs: asked once, done once, as the person who asked; a dead worker's job is taken up again; refusals are kept in words."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, OperationalError, connections
from django.utils import translation

from weituo.foundation import acts, clock, locks, transactions
from weituo.foundation.errors import NotAllowed
from weituo.foundation.files import places, uploads
from weituo.foundation.identity.models import User
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id
from weituo.foundation.jobs import kinds, progress, queue, sweeping, worker
from weituo.foundation.jobs.errors import JobNotFound
from weituo.foundation.tenancy.actors import Actor

from tests.builders import actors

LIN = actors.staff()
PERMISSION = "book.import"


class Play:
    """A kind of job for these tests: what it shall do, and what it saw."""

    def __init__(self) -> None:
        self.does: Any = lambda: "made"
        self.seen: list[tuple[str, Mapping[str, Any]]] = []
        self.tidied: list[Mapping[str, Any]] = []

    def work(self, actor: Actor, at: datetime, arguments: Mapping[str, Any]) -> str:
        self.seen.append((actor.id, arguments))
        return _act(actor=actor, at=at, does=self.does)


@acts.act("test.job", permission=PERMISSION)
def _act(*, actor: Actor, at: datetime, does: Any) -> str:
    ref = does()
    acts.note(what="thing", ref=ref)
    return str(ref)


_play = Play()
kinds.declare(
    kinds.Kind(
        name="test.job", permission=PERMISSION, act="test.job", what="thing",
        work=lambda *given: _play.work(*given), tidy=lambda arguments: _play.tidied.append(arguments),
    )
)  # fmt: skip


@pytest.fixture
def play() -> Play:
    """A fresh play."""
    _play.__init__()  # type: ignore[misc]
    return _play


@pytest.fixture
def lin(db: str) -> Actor:
    """A person of the lender who may import."""
    from weituo.foundation.identity import people

    return people.actor_for(
        User.objects.db_manager("owner").create_user(username="lin", password=None, role=Role.VENDOR_MANAGER.value, display_name="Lin")
    )  # fmt: skip


def ask(actor: Actor, **arguments: Any) -> Any:
    return queue.ask(actor=actor, kind="test.job", arguments=arguments, at=clock.now())


def entries(ref: str) -> list[dict[str, Any]]:
    from weituo.foundation.audit import journal

    return journal.entries(actors.worker(), act="test.job", ref=ref)


def test_a_job_is_done_once_as_the_person_who_asked(lin: Actor, play: Play) -> None:
    first = ask(lin, number=1)
    assert queue.job(lin, job_id=first)["state"] == "WAITING"
    assert worker.work_off() == 1
    assert worker.work_off() == 0
    row = queue.job(lin, job_id=first)
    assert (row["state"], row["ref"], row["attempts"]) == ("DONE", "made", 1)
    assert play.seen == [(lin.id, {"number": 1})]
    assert play.tidied == [{"number": 1}]
    [entry] = entries("made")
    assert (entry["actor_id"], entry["request_id"]) == (lin.id, first.hex)


def test_the_same_asked_twice_is_one_job_until_it_has_ended(lin: Actor, play: Play) -> None:
    first = ask(lin, number=1)
    assert ask(lin, number=1) == first
    assert ask(lin, number=2) != first
    assert worker.work_off() == 2
    assert ask(lin, number=1) != first


def test_whoever_may_not_do_it_may_not_ask_for_it(db: str, play: Play) -> None:
    with pytest.raises(NotAllowed):
        ask(actors.staff(Role.FINANCE))


def test_what_a_person_may_do_is_looked_at_when_it_is_done(lin: Actor, play: Play) -> None:
    job_id = ask(lin)
    User.objects.using("owner").filter(username="lin").update(role=Role.CARE.value)
    assert worker.work_off() == 1
    row = queue.job(lin, job_id=job_id)
    assert (row["state"], row["refusal"]["code"]) == ("REFUSED", "not_allowed")
    gone = ask(lin)
    User.objects.using("owner").filter(username="lin").update(is_active=False)
    assert worker.work_off() == 1
    assert queue.job(lin, job_id=gone)["refusal"]["code"] == "not_found"


@pytest.mark.parametrize(("language", "words"), [("en", "does not permit"), ("zh-hans", "权限")])
def test_a_refusal_is_kept_in_the_words_of_whoever_asked(
    db: str, lin: Actor, play: Play, language: str, words: str
) -> None:
    def refuse() -> str:
        raise NotAllowed(permission="everything", where="here")

    play.does = refuse
    with translation.override(language):
        job_id = ask(lin)
    worker.work_off()
    row = queue.job(lin, job_id=job_id)
    assert (row["state"], row["refusal"]["where"]) == ("REFUSED", "here")
    assert words in row["refusal"]["message"]
    assert play.tidied == [{}]


def test_a_fault_ends_the_job_and_not_the_worker(lin: Actor, play: Play, caplog: Any) -> None:
    def fall() -> str:
        raise ZeroDivisionError

    play.does = fall
    bad = ask(lin, number=1)
    assert worker.work_off() == 1
    play.does = lambda: "good"
    good = ask(lin, number=2)
    assert worker.work_off() == 1
    assert queue.job(lin, job_id=bad)["state"] == "FAILED"
    assert "ZeroDivisionError" in queue.job(lin, job_id=bad)["refusal"]["message"]
    assert queue.job(lin, job_id=good)["state"] == "DONE"
    assert "ZeroDivisionError" in caplog.text


def test_progress_is_seen_by_others_while_the_work_goes_on(lin: Actor, play: Play) -> None:
    seen: list[dict[str, Any]] = []

    def slow() -> str:
        progress.tell(2, 5, "half way")
        until = time.monotonic() + 20
        while not seen and time.monotonic() < until:
            time.sleep(0.05)
        return "made"

    def look() -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            row = queue.job(lin, job_id=job_id)
            if row["parts"]:
                seen.append(row)
                break
            time.sleep(0.05)
        connections.close_all()

    play.does = slow
    job_id = ask(lin)
    looker = threading.Thread(target=look)
    looker.start()
    worker.work_off()
    looker.join()
    assert [(row["state"], row["part"], row["parts"], row["words"]) for row in seen] == [("RUNNING", 2, 5, "half way")]  # fmt: skip
    progress.tell(1, 2, "nobody listens any more")
    assert queue.job(lin, job_id=job_id)["state"] == "DONE"


def test_a_worker_that_is_told_to_stop_gives_its_job_back_whole(lin: Actor, play: Play) -> None:
    def stop() -> str:
        raise SystemExit(0)

    play.does = stop
    job_id = ask(lin)
    with pytest.raises(SystemExit):
        worker.one()
    row = queue.job(lin, job_id=job_id)
    assert (row["state"], row["attempts"]) == ("WAITING", 0)
    play.does = lambda: "made"
    assert worker.work_off() == 1
    assert len(entries("made")) == 1


@contextmanager
def other_session(name: str) -> Iterator[psycopg.Connection[Any]]:
    """Another worker's session with the server."""
    there = connections["default"].settings_dict
    with psycopg.connect(
        host=there["HOST"], port=there["PORT"], dbname=name, user=there["USER"], password=there["PASSWORD"], autocommit=True
    ) as connection:  # fmt: skip
        yield connection


def test_a_job_is_held_by_the_session_of_its_worker_and_free_when_that_ends(
    db: str, lin: Actor, play: Play
) -> None:
    job_id = ask(lin)
    with other_session(db) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [queue.lock_number(job_id)])
        assert worker.work_off() == 0
        second = ask(lin, number=2)
        assert worker.work_off() == 1, "one held job does not keep the worker from the next"
        assert queue.job(lin, job_id=second)["state"] == "DONE"
    until = time.monotonic() + 10
    while not worker.work_off() and time.monotonic() < until:
        time.sleep(0.05)
    assert queue.job(lin, job_id=job_id)["state"] == "DONE"


def test_a_job_whose_act_had_committed_is_not_done_again(lin: Actor, play: Play) -> None:
    job_id = ask(lin)
    taken = queue.take(at=clock.now())
    assert taken is not None
    assert worker._worked(taken) == "made"  # the worker dies here: the act stands, the job does not know it
    connections.close_all()
    assert queue.job(lin, job_id=job_id)["state"] == "RUNNING"
    assert worker.work_off() == 1
    row = queue.job(lin, job_id=job_id)
    assert (row["state"], row["ref"], row["attempts"]) == ("DONE", "made", 2)
    assert (len(play.seen), len(entries("made"))) == (1, 1)


def test_a_job_that_kills_its_workers_is_given_up(lin: Actor, play: Play) -> None:
    job_id = ask(lin)
    for _attempt in range(queue.ATTEMPTS_MAX):
        assert queue.take(at=clock.now()) is not None
        connections.close_all()
    assert worker.work_off() == 1
    row = queue.job(lin, job_id=job_id)
    assert (row["state"], row["refusal"]["code"]) == ("REFUSED", "job_gave_up")
    assert play.seen == []


def test_a_job_of_another_version_fails_in_words_and_keeps_nobody_waiting(lin: Actor, play: Play) -> None:
    old, new = ask(lin, number=1), ask(lin, number=2)
    with transactions.transaction(queue.WORKER), transactions.connection().cursor() as cursor:
        cursor.execute("UPDATE jobs_job SET kind = 'old.job' WHERE id = %s", [old])
    assert worker.work_off() == 1
    assert queue.job(lin, job_id=new)["state"] == "DONE"
    row = queue.job(lin, job_id=old)
    assert (row["state"], row["refusal"]["code"]) == ("FAILED", "job_unknown")
    assert "old.job" in row["refusal"]["message"]


def test_a_busy_thing_is_tried_again_and_then_said(lin: Actor, play: Play) -> None:
    def busy() -> str:
        raise locks.Busy(where="x")

    play.does = busy
    job_id = ask(lin)
    assert worker.work_off() == queue.ATTEMPTS_MAX
    assert queue.job(lin, job_id=job_id)["refusal"]["code"] == "busy"


def test_a_database_that_goes_away_is_waited_for(lin: Actor, play: Play, monkeypatch: Any) -> None:
    monkeypatch.setattr(worker, "AWAY_SECONDS", 0.05)
    stop, lines = threading.Event(), []

    def away() -> str:
        play.does = lambda: "made"
        raise OperationalError("the connection is closed")

    def said(line: str) -> None:
        lines.append(line)
        stop.set()

    play.does = away
    job_id = ask(lin)
    worker.work(stop=stop, said=said)
    assert lines == [f"test.job {job_id} DONE"]
    assert queue.job(lin, job_id=job_id)["attempts"] == 2


def test_a_job_that_is_not_there_is_refused(lin: Actor) -> None:
    with pytest.raises(JobNotFound):
        queue.job(lin, job_id=new_id())


def test_agencies_borrowers_and_auditors_cannot_touch_the_queue(db: str) -> None:
    for actor in (actors.agency_system(new_id()), actors.borrower(new_id())):
        with pytest.raises(DatabaseError, match="permission denied"), transactions.reading(actor):
            with transactions.connection().cursor() as cursor:
                cursor.execute("SELECT count(*) FROM jobs_job")
    for actor in (actors.staff(Role.AUDITOR), LIN):
        with pytest.raises(DatabaseError, match="permission denied"), transactions.transaction(actor):
            with transactions.connection().cursor() as cursor:
                cursor.execute("UPDATE jobs_job SET state = 'DONE'")


def test_every_kind_names_an_act_that_exists_and_the_object_it_notes() -> None:
    from tests.tidy.test_acts import noted

    objects = noted("what") | {"thing"}
    wrong = {
        name: (kind.act, kind.what)
        for name, kind in kinds.known().items()
        if kind.act not in acts.declared() or kind.what not in objects
        or acts.declared()[kind.act].permission != kind.permission
    }  # fmt: skip
    assert wrong == {}
    assert len(kinds.known()) >= 6


class TestUploads:
    def test_closing_folders_leaves_the_home_itself_open_to_its_server(self) -> None:
        home = places.place("models", "").parent
        assert str(home) == str(settings.WEITUO_HOME)
        assert home.stat().st_mode & 0o055 == 0o055
        assert places.place("models", "x").parent.stat().st_mode & 0o777 == 0o700

    def test_a_kept_file_is_its_owners_alone_and_goes_with_its_folder(self) -> None:
        token = uploads.keep([b"a", b"b"], name="../../etc/盘 book.csv")
        path = uploads.path_of(token)
        assert path.read_bytes() == b"ab"
        assert path.name == "盘 book.csv"
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        uploads.remove(token)
        assert not path.parent.exists()
        uploads.remove(token)

    def test_a_file_too_large_leaves_nothing(self, monkeypatch: Any) -> None:
        before = set(uploads._folder().iterdir())
        monkeypatch.setattr(settings, "WEITUO_UPLOAD_MB", 1)
        with pytest.raises(uploads.FileTooLarge) as refused:
            uploads.keep((b"x" * 600_000 for _ in range(3)), name="book.csv")
        assert refused.value.as_dict()["where"] == "book.csv"
        assert set(uploads._folder().iterdir()) == before

    @pytest.mark.parametrize("token", ["../x", "a/../../x", "x", "a/b/c", ""])
    def test_what_is_no_token_leads_nowhere(self, token: str) -> None:
        from weituo.foundation.errors import BadInput

        with pytest.raises(BadInput):
            uploads.path_of(token)

    def test_old_uploads_that_no_open_job_names_are_swept(self, lin: Actor, play: Play) -> None:
        import os

        wanted, orphan, fresh = (uploads.keep([b"x"], name="book.csv") for _ in range(3))
        for token in (wanted, orphan):
            os.utime(uploads.path_of(token).parent, (1, 1))
        ask(lin, file=wanted)
        assert sweeping.sweep(at=clock.now()) >= 1
        assert [uploads.path_of(token).exists() for token in (wanted, orphan, fresh)] == [True, False, True]
        for token in (wanted, fresh):
            uploads.remove(token)
