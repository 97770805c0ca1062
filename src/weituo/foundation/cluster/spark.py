"""The way to Spark: WEITUO_ENGINE names it; what is missing is said in a sentence."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from weituo.foundation.cluster.errors import EngineAway, EngineIncomplete, EngineUnknown

KNOWN: Final = re.compile(r"spark://[^/:]+:\d+(,[^/:]+:\d+)*|k8s://\S+|yarn|local(-cluster)?(\[[\d*,]+\])?")
INSTALL_SPARK: Final = "pip install 'weituo[spark]'"
INSTALL_JAVA: Final = "apt-get install default-jre-headless"
#: blocks in one Arrow batch between the machine's Java and Python: tens of megabytes
BLOCKS_A_BATCH: Final = 16
SETTINGS: Final = {"spark.sql.execution.arrow.maxRecordsPerBatch": str(BLOCKS_A_BATCH)}


def wanted() -> str:
    """Give the engine that the surroundings ask for; "" stands for this process."""
    return os.environ.get("WEITUO_ENGINE", "").strip()


def missing() -> tuple[str, str] | None:
    """Tell what is not installed and how to install it, or None."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark", INSTALL_SPARK
    if java() is None:
        return "Java", INSTALL_JAVA
    return None


def java() -> str | None:
    """Find the program `java`: that of JAVA_HOME, else on the path."""
    home = os.environ.get("JAVA_HOME")
    named = Path(home) / "bin" / "java" if home else None
    return str(named) if named is not None and named.exists() else shutil.which("java")


@contextmanager
def session(*, engine: str, settings: dict[str, str] | None = None) -> Iterator[Any]:
    """Give a Spark session on the named engine, and end it; one that is open already is used. Raises `EngineUnknown`, `EngineIncomplete`, `EngineAway`."""
    if not KNOWN.fullmatch(engine):
        raise EngineUnknown(engine=engine, where="WEITUO_ENGINE")
    if lacking := missing():
        raise EngineIncomplete(engine=engine, missing=lacking[0], install=lacking[1], where="WEITUO_ENGINE")
    _reach(engine)
    # the workers' Python, unless the operator named another: that of this installation
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    if (active := SparkSession.getActiveSession()) is not None:
        # whoever began it ends it
        yield active
        return
    builder = (
        SparkSession.builder.master(engine).appName("weituo").config("spark.ui.showConsoleProgress", "false")
    )
    for name, value in (settings or {}).items():
        builder = builder.config(name, value)
    found = builder.getOrCreate()
    found.sparkContext.setLogLevel("ERROR")
    try:
        yield found
    finally:
        found.stop()


def _reach(engine: str) -> None:
    """Try the addresses of a standalone master: Spark itself goes on trying for a minute."""
    if not engine.startswith("spark://"):
        return
    for address in engine.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except (OSError, OverflowError):
            continue
        return
    raise EngineAway(engine=engine, where="WEITUO_ENGINE")


@contextmanager
def set_for_a_while(*, session: Any) -> Iterator[None]:
    """Set what the passes need on a session of somebody else, and set it back."""
    before = {name: session.conf.get(name, None) for name in SETTINGS}
    for name, value in SETTINGS.items():
        session.conf.set(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            session.conf.unset(name) if old is None else session.conf.set(name, old)
