"""What happens to shared facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from weituo.foundation.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageBuilt(Event):
    """A sealed package lies ready for its agency."""

    package_id: UUID
    agency_id: UUID
    built_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagesRevoked(Event):
    """Packages were taken back and their files are being destroyed."""

    package_ids: tuple[UUID, ...]
    reason: str
    revoked_at: datetime
