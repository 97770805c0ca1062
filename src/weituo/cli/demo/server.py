"""The web server of the demonstration: granian in a process of its own, on loopback only."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
START_SECONDS_MAX = 60


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
        process = subprocess.Popen(
            command(port, workers=workers), stdout=out, stderr=out, env=os.environ | {"WEITUO_DEMO": "1"}
        )
        kept = home / "server.pid"  # so that the next start can end it if this process is killed
        kept.write_text(str(process.pid), encoding="utf-8")
        try:
            _wait_for(port, process, log)
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
            kept.unlink(missing_ok=True)


def serve(*, port: int, workers: int = 2) -> int:
    """Serve until interrupted."""
    process = subprocess.Popen(command(port, workers=workers), env=os.environ | {"WEITUO_DEMO": "1"})
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        return process.wait(timeout=15) and 0


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once; see {log}")
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not answer within {START_SECONDS_MAX} s; see {log}")
