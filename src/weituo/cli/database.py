"""`weituo database prepare | stop`."""

from __future__ import annotations

import argparse
from typing import Any

from weituo.cli import face as cli
from weituo.cli.words import worded


def add_verbs(verbs: Any) -> None:
    """Add `database`."""
    database = verbs.add_parser("database", help="prepare or stop the database").add_subparsers(
        dest="what", required=True
    )
    cli.common(
        database.add_parser(
            "prepare",
            help="start the server, make roles, database and tables; move to the one that DATABASE_URL names",
        )
    ).set_defaults(run=_prepare, before=_take)
    cli.common(database.add_parser("stop", help="stop the embedded server")).set_defaults(
        run=_stop, needs_database=False
    )


def _take(arguments: argparse.Namespace) -> None:
    """Make everything sure, on the server that is named now."""
    from weituo.config import database, places

    database.prepare(places.read().home, whole=True, moves=True)


def _prepare(arguments: argparse.Namespace) -> int:
    from django.conf import settings

    from weituo.config.database import migrate

    migrate()
    there = settings.DATABASES["default"]
    described = {"host": there["HOST"], "port": there["PORT"], "name": there["NAME"]}
    cli.show(
        arguments,
        described,
        worded(
            "%(name)s on %(host)s:%(port)s is up to date",
            name=described["name"],
            host=described["host"],
            port=described["port"],
        ),
    )
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    from django.conf import settings

    from weituo.foundation.engine import postgres

    stopped = postgres.stop(settings.WEITUO_HOME)
    cli.show(
        arguments,
        {"stopped": stopped},
        worded("the server has stopped") if stopped else worded("no server was running"),
    )
    return 0
