"""A demonstration in a home of its own, run by the same command as people run it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from weituo.foundation.engine import postgres

from tests.conftest import PROJECT

SECONDS_MAX = 240
#: what the installed command does
PROGRAM = "import sys; from weituo.cli import face; sys.exit(face.main(sys.argv[1:]))"


class Home:
    """One WEITUO_HOME with its demonstration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command in this home, in a process group of its own."""
        environment = os.environ | {"WEITUO_HOME": str(self.folder), "WEITUO_PG_FAST": "1"}
        environment.pop("WEITUO_AS", None)
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run a command to its end: exit code, standard output, standard error."""
        process = self.start(*words)
        out, err = process.communicate(timeout=SECONDS_MAX)
        return process.returncode, out, err

    def demo(self, *words: str) -> tuple[dict[str, Any], str]:
        """Run the demonstration to its summary; give the summary and what was said on standard error."""
        code, out, err = self.run("demo", "--once", "--json", "--port", str(self.port), *words)
        assert code == 0, err
        found: dict[str, Any] = json.loads(out)
        return found, err

    def kill_after(self, said: str, *, seconds: float, words: tuple[str, ...]) -> None:
        """Start the demonstration and kill it (-9) some time after it has said `said`."""
        process = self.start("demo", "--once", "--json", "--port", str(self.port), *words)
        assert process.stderr is not None
        for line in process.stderr:
            if said in line:
                break
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, "it had ended before it was killed"

    @contextmanager
    def administrator(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """Connect to the demonstration's database as the server's superuser."""
        server = postgres.find(self.folder)
        assert server is not None
        with psycopg.connect(server.dsn("weituo")) as connection:
            yield connection

    def value(self, query: str) -> Any:
        """Give one value of a query that is written here, past all services."""
        with self.administrator() as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]

    def counts(self, query: str) -> dict[str, int]:
        """Give name → count of a query."""
        with self.administrator() as connection:
            return dict(connection.execute(query.encode()).fetchall())

    def forget(self) -> None:
        """Stop the server and remove everything."""
        postgres.destroy(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def a_home() -> Iterator[Home]:
    """Make an empty home and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="weituo-journey-"))
    folder.chmod(0o755)  # the unprivileged user that PostgreSQL runs as must reach its data
    home = Home(folder)
    try:
        yield home
    finally:
        home.forget()
