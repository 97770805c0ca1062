"""Start, find and stop the installation's own PostgreSQL.

Everything lies in HOME/postgres: `superuser.password` (mode 600), `place.json` (where the data are), `lock`, and `data`
unless the unprivileged user cannot reach HOME; then the data lie under /var/tmp in a folder keyed by HOME.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from weituo.foundation.engine import programs
from weituo.foundation.engine.programs import EngineFault as EngineFault
from weituo.foundation.engine.programs import RunAs

HOST = "127.0.0.1"
SUPERUSER = "postgres"
START_SECONDS_MAX = 60
START_TRIES = 5

#: for a machine with two cores; synchronous_commit stays on, so a crash loses nothing
SETTINGS: Mapping[str, str] = {
    "shared_buffers": "512MB",
    "max_connections": "100",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "2GB",
    "max_wal_size": "1GB",
    "min_wal_size": "32MB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "timezone": "UTC",
    # a failed statement or the DETAIL of a broken constraint would carry values into the log
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
#: for a small book on a small disk: the log of changes is kept short, at the price of more checkpoints
SMALL: Mapping[str, str] = {"max_wal_size": "64MB"}
#: for throw-away test databases: a crash may lose everything
FAST: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "256MB",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server and how its superuser signs in."""

    host: str
    port: int
    superuser: str
    password: str

    def dsn(self, dbname: str, *, user: str | None = None, password: str | None = None) -> str:
        """Give a connection address; the superuser's unless a user is named."""
        name, secret = (self.superuser, self.password) if user is None else (user, password or "")
        sign_in = f"{quote(name, safe='')}:{quote(secret, safe='')}"
        return f"postgresql://{sign_in}@{self.host}:{self.port}/{quote(dbname, safe='')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """The folders of one installation's server."""

    own: Path  # HOME/postgres: secrets and the lock, ours alone
    base: Path  # holds data and perhaps a copy of the programs; reachable by the unprivileged user
    run_as: RunAs

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def log(self) -> Path:
        return self.base / "server.log"

    @property
    def password(self) -> str:
        path = self.own / "superuser.password"
        if not path.exists():
            raise EngineFault(
                f"{path} is missing, so nobody can sign in to {self.data}; restore it or start afresh"
            )
        return path.read_text(encoding="utf-8").strip()


def ensure_running(home: Path, *, options: Mapping[str, str] | None = None, fast: bool = False) -> Server:
    """Start the server of an installation, or find it running; safe under concurrent callers.

    `options` are PostgreSQL settings; they and `fast` count only when this call starts the server.
    Raises EngineFault with the end of the server's log when it does not come up.
    """
    with _locked(home) as place:
        server = _find(place)
        if server is None:
            _initialise(place, fast=fast)
            server = _start(place, settings={**SETTINGS, **(FAST if fast else {}), **(options or {})})
        return server


def find(home: Path) -> Server | None:
    """Return the running server of an installation, or None; starts nothing."""
    if not (home / "postgres").exists():
        return None
    with _locked(home) as place:
        return _find(place)


def stop(home: Path) -> bool:
    """Stop the server of an installation and wait for it; False when none ran."""
    if not (home / "postgres").exists():
        return False
    with _locked(home) as place:
        return _stop(place)


def destroy(home: Path) -> None:
    """Stop the server and remove its data, password and copies for good."""
    if not (home / "postgres").exists():
        return
    with _locked(home) as place:
        _stop(place)
        shutil.rmtree(place.base / "data", ignore_errors=True)
        shutil.rmtree(place.base, ignore_errors=True)
        shutil.rmtree(place.own, ignore_errors=True)


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[_Place]:
    """Hold the installation's lock and yield its folders."""
    own = home.resolve() / "postgres"
    own.mkdir(parents=True, exist_ok=True)
    with (home.resolve() / ".postgres.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        own.mkdir(parents=True, exist_ok=True)
        yield _place(own)


def _place(own: Path) -> _Place:
    """Read where the data lie, or decide it and write it down."""
    run_as = RunAs.current()
    record = own / "place.json"
    if record.exists():
        base = Path(json.loads(record.read_text(encoding="utf-8"))["base"])
        if base == own or base.exists():
            return _Place(own=own, base=base, run_as=run_as)
    base = own
    if not run_as.can_enter(own):
        key = hashlib.sha256(str(own).encode()).hexdigest()[:16]
        base = Path("/var/tmp") / f"weituo-{key}"  # noqa: S108 - owner and type are checked below
        with contextlib.suppress(FileExistsError):
            base.mkdir(mode=0o711)
        found = base.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise EngineFault(
                f"{base} belongs to somebody else; remove it or set WEITUO_HOME to a reachable folder"
            )
    _write_private(record, json.dumps({"base": str(base)}))
    return _Place(own=own, base=base, run_as=run_as)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def _initialise(place: _Place, *, fast: bool) -> None:
    """Make the data folder if there is none: aside first, so that a killed run leaves nothing half-made."""
    if (place.data / "PG_VERSION").exists():
        return
    folder = programs.usable_folder(run_as=place.run_as, beside=place.base)
    if not (place.own / "superuser.password").exists():
        _write_private(place.own / "superuser.password", secrets.token_urlsafe(32))
    draft, secret = place.base / "data.new", place.base / "initial.password"
    shutil.rmtree(draft, ignore_errors=True)
    shutil.rmtree(place.data, ignore_errors=True)
    draft.mkdir(mode=0o700)
    place.run_as.own(draft)
    _write_private(secret, place.password)
    place.run_as.own(secret)
    command: list[str | Path] = [
        folder / "initdb",
        "-D",
        draft,
        "-U",
        SUPERUSER,
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]
    command += ["-A", "scram-sha-256", f"--pwfile={secret}", *(["--no-sync"] if fast else [])]
    try:
        with (place.own / "initdb.log").open("wb") as log:
            result = place.run_as.run(command, output=log)
    finally:
        secret.unlink(missing_ok=True)
    if result.returncode != 0:
        raise EngineFault(f"initdb failed: {_end_of(place.own / 'initdb.log')}")
    draft.rename(place.data)


def _start(place: _Place, *, settings: Mapping[str, str]) -> Server:
    """Start the server on the port it had, else on a free one; a few tries outlast dying children and taken ports."""
    folder = programs.usable_folder(run_as=place.run_as, beside=place.base)
    place.log.touch(mode=0o600)
    place.run_as.own(place.log)
    for attempt in range(START_TRIES):
        _clear_dead(place)
        port = _port(place, fresh=attempt > 0)
        chosen = {"listen_addresses": HOST, "port": str(port), "unix_socket_directories": "", **settings}
        flags = " ".join(f"-c {name}='{value}'" for name, value in chosen.items())
        command: list[str | Path] = [folder / "pg_ctl", "-D", place.data, "-w", "-t", str(START_SECONDS_MAX)]
        command += ["-l", place.log, "-o", flags, "start"]
        with (place.own / "pg_ctl.log").open("wb") as log:
            result = place.run_as.run(command, output=log, timeout_seconds=START_SECONDS_MAX + 30)
        server = _find(place) if result.returncode == 0 else None
        if server is not None:
            _write_private(place.own / "port", str(port))
            return server
        time.sleep(1)
    raise EngineFault(f"PostgreSQL did not start: {_end_of(place.log) or _end_of(place.own / 'pg_ctl.log')}")


def _port(place: _Place, *, fresh: bool) -> int:
    """Choose the port of the last start when it is free, else any free one."""
    last = place.own / "port"
    wanted = int(last.read_text(encoding="utf-8")) if last.exists() and not fresh else 0
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            # as the server itself will: a connection in TIME_WAIT does not make the port taken
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise EngineFault("No free TCP port on 127.0.0.1")


def _find(place: _Place) -> Server | None:
    """Return the server that owns the data folder if it lives, waiting while it starts or recovers."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        noted = _postmaster(place)
        if noted is None or not _is_postgres(noted[0]):
            return None
        server = Server(host=HOST, port=noted[1], superuser=SUPERUSER, password=place.password)
        try:
            with psycopg.connect(server.dsn("postgres"), connect_timeout=5) as connection:
                row = connection.execute("show data_directory").fetchone()
            if row is not None and Path(row[0]).resolve() == place.data.resolve():
                return server
            return None
        except psycopg.OperationalError as fault:
            if time.monotonic() > deadline:
                raise EngineFault(
                    f"The server with process id {noted[0]} does not answer: {fault}"
                ) from fault
            time.sleep(0.1)


def _postmaster(place: _Place) -> tuple[int, int] | None:
    """Read process id and port from the server's own note; None when there is none or it is unfinished."""
    try:
        lines = (place.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return int(lines[0]), int(lines[3])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def _is_postgres(pid: int) -> bool:
    """Tell whether a process lives and is a PostgreSQL server: ids are reused, and the dead may linger unreaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        fields = dict(
            line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines() if ":" in line
        )
        return fields["Name"].strip().startswith("postgres") and not fields["State"].strip().startswith("Z")
    if Path("/proc/self").exists():
        return False
    result = subprocess.run(
        ["ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True, check=False
    )
    return "postgres" in result.stdout


def _clear_dead(place: _Place) -> None:
    """Remove the note of a server that is gone; PostgreSQL still refuses when its memory is in use."""
    noted = _postmaster(place)
    if noted is not None and not _is_postgres(noted[0]):
        (place.data / "postmaster.pid").unlink(missing_ok=True)


def _stop(place: _Place) -> bool:
    """Ask the server to end its sessions and stop; stop at once if that takes too long."""
    noted = _postmaster(place)
    if noted is None or not _is_postgres(noted[0]):
        return False
    for request, seconds in ((signal.SIGINT, 30), (signal.SIGQUIT, 15)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(noted[0], request)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _is_postgres(noted[0]):
                return True
            time.sleep(0.05)
    raise EngineFault(f"The server with process id {noted[0]} did not stop")


def _end_of(path: Path, *, lines: int = 8) -> str:
    """Give the last lines of a log, for a message."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
