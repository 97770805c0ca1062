"""Long work of sharing: sealing a package."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from weituo.domain.sharing import services
from weituo.foundation.jobs import kinds
from weituo.foundation.tenancy.actors import Actor

BUILD = "sharing.build"


def _build(actor: Actor, at: datetime, arguments: Mapping[str, Any]) -> str:
    package_id = services.build_package(
        actor=actor, agency_id=UUID(arguments["agency_id"]), run_id=UUID(arguments["run_id"]), at=at
    )
    return str(package_id)


kinds.declare(
    kinds.Kind(name=BUILD, permission="sharing.build", act="sharing.build", what="package", work=_build)
)
