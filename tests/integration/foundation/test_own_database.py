"""An installation on the operator's own server: prepared once with DATABASE_URL, used without it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from weituo.foundation.engine import postgres

pytestmark = pytest.mark.slow


@pytest.fixture
def two_homes() -> Iterator[tuple[Path, Path]]:
    """One home whose server plays the operator's, and the home of the installation."""
    folders = [Path(tempfile.mkdtemp(prefix=f"weituo-{name}-")) for name in ("server", "installation")]
    for folder in folders:
        folder.chmod(0o755)
    yield folders[0], folders[1]
    for folder in folders:
        postgres.destroy(folder)
        shutil.rmtree(folder)


def run(home: Path, *words: str, **more: str) -> dict[str, object]:
    """Run one verb in a process of its own and read its JSON."""
    surroundings = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "weituo.cli.face", *words, "--json"],
        env=surroundings | {"WEITUO_HOME": str(home)} | more,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_named_server_is_prepared_once_and_used_from_then_on(two_homes: tuple[Path, Path]) -> None:
    theirs, ours = two_homes
    server = postgres.ensure_running(theirs, fast=True)
    address = server.dsn("lender")
    prepared = run(ours, "database", "prepare", DATABASE_URL=address)
    assert prepared == {"HOST": server.host, "PORT": server.port, "NAME": "lender"}
    assert run(ours, "book", "imports") == {"imports": []}
    assert run(ours, "audit", "verify")["altered_seq"] is None
    assert postgres.find(ours) is None  # no server of our own was started
    kept = json.loads((ours / "database.json").read_text(encoding="utf-8"))
    assert server.password not in json.dumps(kept)
