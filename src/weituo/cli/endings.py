"""How a verb ends when it cannot do its work: what lies outside the program is told in a sentence, a fault with its trace."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import Final

from weituo.cli.arguments import Misused

INTERRUPTED: Final = Misused(
    "interrupted; what was not finished was not kept", remedy="Run it again to go on.", code="interrupted"
)
OTHER_PLACE: Final = "Name another place, or change who may use this one."
#: how much of the database's own words is passed on
TOLD_MAX: Final = 200
#: the classes of SQLSTATE that speak of the way to the server: connection, sign-in, no such database, going down
AWAY: Final = ("08", "28", "3D", "57P")
#: what the system says of a disk that takes no more
FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
#: a table or column that is not there (yet)
ABSENT: Final = ("42P01", "42703", "3F000", "42501")


def open_streams() -> None:
    """Make both streams take whatever text comes, and be there even when the caller closed them."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - lives as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def close_streams() -> None:
    """Send what is still buffered nowhere, so that the end of the process is quiet."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def known(fault: BaseException) -> Misused | None:
    """Give the sentence for what is wrong outside the program: a file, a folder, the database; None for a fault."""
    if isinstance(fault, OSError) and fault.filename is not None:
        return Misused(
            f"{fault.strerror or 'it cannot be used'}",
            where=str(fault.filename),
            remedy=OTHER_PLACE,
            code="place_not_usable",
        )
    if isinstance(fault, FileNotFoundError | IsADirectoryError | NotADirectoryError | PermissionError):
        return Misused(str(fault), remedy=OTHER_PLACE, code="place_not_usable")
    if isinstance(fault, OSError) and fault.errno in FULL:
        return Misused(str(fault.strerror), remedy="Make room and run it again.", code="place_not_usable")
    return _other_server(fault) or _of_database(fault)


def _other_server(fault: BaseException) -> Misused | None:
    from weituo.config.database import OtherServer

    if not isinstance(fault, OtherServer):
        return None
    return Misused(
        str(fault),
        where="DATABASE_URL",
        remedy="Unset it to go on where the book is; `weituo database prepare` moves this WEITUO_HOME to the named server.",
        code="server_differs",
    )


def _of_database(fault: BaseException) -> Misused | None:
    import psycopg

    found: BaseException | None = fault
    while found is not None and not isinstance(found, psycopg.Error):
        found = found.__cause__
    if found is None:
        return None
    state = found.sqlstate or ""
    if isinstance(found, psycopg.OperationalError) and (not state or state.startswith(AWAY)):
        return Misused(
            f"the database does not answer: {' '.join(str(found).split())[:TOLD_MAX]}",
            where="DATABASE_URL" if os.environ.get("DATABASE_URL") else "WEITUO_HOME",
            remedy="`weituo database prepare` starts the own server; check the address of any other.",
            code="database_away",
        )
    if state in ABSENT and _behind():
        return Misused(
            "the database has not the tables of this version",
            remedy="Run `weituo database prepare`.",
            code="database_behind",
        )
    return None


def _behind() -> bool:
    """Tell whether migrations wait."""
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connections["owner"])
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    finally:
        connections["owner"].close()


def fault(raised: BaseException) -> Misused:
    """Give the sentence for a fault of the program itself."""
    return Misused(
        f"a fault of the program: {type(raised).__name__}",
        remedy="Nothing of the unfinished act was kept. Report it with the lines above.",
        code="fault",
    )
