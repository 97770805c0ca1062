"""The web server of the demonstration, on loopback only, and the worker beside it: each in a process of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx

HOST = "127.0.0.1"
START_SECONDS_MAX = 60
#: under WEITUO_HOME: the processes of a demonstration that is running
PID_FILE = "server.pid"
WORKER_PID_FILE = "worker.pid"
#: what the installed command does
VERB = "import sys; from weituo.cli import main; sys.exit(main(sys.argv[1:]))"
#: file with a process's id → words of its command line by which it is known
PROCESSES = {
    PID_FILE: (b"granian", b"weituo.config.wsgi:application"),
    WORKER_PID_FILE: (VERB.encode(), b"worker"),
}
LOOK_SECONDS = 0.5


def free_port(wanted: int) -> int:
    """Give `wanted` if nobody listens there, else the next free port."""
    for port in range(wanted, wanted + 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {wanted} and {wanted + 200}")


def command(port: int, *, workers: int) -> list[str]:
    """Give the server's command line."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port), "--workers", str(workers),
        "--blocking-threads", "4", "--log-level", "warning", "--no-access-log", "weituo.config.wsgi:application",
    ]  # fmt: skip


@contextmanager
def running(*, home: Path, port: int, workers: int = 2) -> Iterator[str]:
    """Run the server for the time of the block and give its address."""
    log = home / "server.log"
    with log.open("ab") as out:
        process = _start(home, port=port, workers=workers, out=out)
        try:
            _wait_for(port, process, log)
            yield f"http://{HOST}:{port}"
        finally:
            _end(home, process)


def serve(*, home: Path, port: int, ready: Callable[[str], None], workers: int = 2) -> int:
    """Serve until interrupted, with a worker beside the server; `ready` is told the address once the server answers."""
    process = _start(home, port=port, workers=workers, out=None)
    worker: subprocess.Popen[bytes] | None = None
    try:
        _wait_for(port, process, home / "server.log")
        worker = _start_worker(home)
        ready(f"http://{HOST}:{port}")
        while (code := process.poll()) is None:
            time.sleep(LOOK_SECONDS)
            if worker.poll() is not None:  # whatever ended it, its job is taken up again
                worker = _start_worker(home)
        return code
    except KeyboardInterrupt:
        return 0
    finally:
        if worker is not None:
            _end(home, worker, kept=WORKER_PID_FILE)
        _end(home, process)


def _start_worker(home: Path) -> subprocess.Popen[bytes]:
    with (home / "worker.log").open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", VERB, "worker"],
            stdout=out,
            stderr=out,
            env=os.environ | {"WEITUO_DEMO": "1"},
        )
    (home / WORKER_PID_FILE).write_text(str(process.pid), encoding="utf-8")
    return process


def _start(home: Path, *, port: int, workers: int, out: IO[bytes] | None) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        command(port, workers=workers), stdout=out, stderr=out, env=os.environ | {"WEITUO_DEMO": "1"}
    )
    # so that the next start can end it if this process is killed
    (home / PID_FILE).write_text(str(process.pid), encoding="utf-8")
    return process


def _end(home: Path, process: subprocess.Popen[bytes], *, kept: str = PID_FILE) -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
    (home / kept).unlink(missing_ok=True)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers a request: its workers need a moment after the port is open."""
    until = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once; see {log}")
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"http://{HOST}:{port}/api/v1/openapi.json", timeout=START_SECONDS_MAX)
            return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not answer within {START_SECONDS_MAX} s; see {log}")
