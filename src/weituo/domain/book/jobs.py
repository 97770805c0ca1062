"""Long work of the book: importing a file that was sent by a page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from weituo.domain.book import profiles, queries, services
from weituo.foundation.files import uploads
from weituo.foundation.jobs import kinds
from weituo.foundation.tenancy.actors import Actor

IMPORT = "book.import"


def _import(actor: Actor, at: datetime, arguments: Mapping[str, Any]) -> str:
    report = services.import_book(
        actor=actor,
        path=uploads.path_of(arguments["file"]),
        profile=profiles.read_profile(profiles.on_hand(arguments["profile"])),
        as_of=date.fromisoformat(arguments["as_of"]) if arguments.get("as_of") else None,
        at=at,
    )
    stands = (
        str(row["id"])
        for row in queries.imports(actor)
        if (row["report"].get("digest"), row["profile"]) == (report.digest, report.profile)
    )
    return next(stands)


def _tidy(arguments: Mapping[str, Any]) -> None:
    uploads.remove(arguments["file"])


kinds.declare(
    kinds.Kind(
        name=IMPORT, permission="book.import", act="book.import", what="import", work=_import, tidy=_tidy
    )
)
