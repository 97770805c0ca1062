"""A Spark cluster of one's own on this machine, for a look, tests and benches: a master and workers as processes of their own.

All listen on 127.0.0.1 and end with the `with` block; logs and spilled data lie in a folder that is removed with them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from weituo.foundation.cluster import spark
from weituo.foundation.cluster.errors import EngineAway, EngineIncomplete

HERE: Final = "127.0.0.1"
#: what a session needs to use such a cluster alone, one executor a worker
SESSION: Final = {
    "spark.ui.enabled": "false",
    "spark.driver.host": HERE,
    "spark.driver.bindAddress": HERE,
    "spark.executor.cores": "1",
    "spark.executor.memory": "900m",
}
MASTER: Final = "org.apache.spark.deploy.master.Master"
WORKER: Final = "org.apache.spark.deploy.worker.Worker"
WAIT: Final = 180.0


@contextmanager
def standalone(*, workers: int = 2, memory: str = "1000m") -> Iterator[str]:
    """Start a master and workers of one core each; give the engine's name, spark://…; end them all afterwards."""
    if lacking := spark.missing():
        raise EngineIncomplete(engine="spark", missing=lacking[0], install=lacking[1])
    home = Path(tempfile.mkdtemp(prefix="weituo-spark-"))
    running: list[subprocess.Popen[bytes]] = []
    try:
        with socket.socket() as probe:
            probe.bind((HERE, 0))
            port = probe.getsockname()[1]
        engine = f"spark://{HERE}:{port}"
        running.append(_start(home, "master", MASTER, "-h", HERE, "-p", str(port), "--webui-port", "0"))
        _wait(running, engine, lambda: _listens(port))
        for number in range(workers):
            name = f"worker-{number}"
            given = ("-h", HERE, "-c", "1", "-m", memory, "--webui-port", "0", "-d", str(home / name), engine)
            running.append(_start(home, name, WORKER, *given))
        log = home / "master.log"
        _wait(running, engine, lambda: log.read_text(errors="replace").count("Registering worker") >= workers)
        yield engine
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
            process.kill()
            process.wait()
        shutil.rmtree(home, ignore_errors=True)


def _start(home: Path, name: str, *command: str) -> subprocess.Popen[bytes]:
    import pyspark

    root = Path(pyspark.__file__).parent
    surroundings = os.environ | {
        "SPARK_HOME": str(root),
        "SPARK_LOCAL_IP": HERE,
        "SPARK_LOCAL_DIRS": str(home),
        "SPARK_DAEMON_MEMORY": "256m",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    with (home / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            ["bash", str(root / "bin" / "spark-class"), *command],
            env=surroundings, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=home,
        )  # fmt: skip


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HERE, port), timeout=1):
        return True
    return False


def _wait(running: list[subprocess.Popen[bytes]], engine: str, ready: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT
    while not ready():
        if time.monotonic() > until or any(process.poll() is not None for process in running):
            raise EngineAway(engine=engine)
        time.sleep(0.2)
