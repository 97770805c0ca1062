"""What the evaluator is told. A fact that is None is unknown; a rule that needs it then denies."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import datetime, time, timedelta
from typing import Any

#: channels of contact
CHANNELS = ("call", "sms", "email", "letter", "visit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One contact that somebody wants to make. `planned_at` is aware."""

    channel: str
    contact_point: str
    planned_at: datetime
    recipient: str = "borrower"
    visitors: int | None = None
    identified: bool | None = None
    discloses_debt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One contact with the debtor's side that was made, or is permitted and not yet reported (result None).

    result: conversation, unanswered, voicemail, not_connected, delivered, not_home … A reserved contact counts as the
    worst that it can become, so that parallel collectors cannot exceed a limit.
    """

    at: datetime
    channel: str
    contact_point: str
    recipient: str = "borrower"
    result: str | None = None
    #: first instant at which a permitted contact may no longer be made; None: it lies at `at`
    until: datetime | None = None

    @property
    def latest(self) -> datetime:
        """The last instant at which the contact can lie."""
        return self.at if self.until is None else max(self.at, self.until - timedelta(microseconds=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Leave that the debtor gave for a channel (“*” for all) within local hours [hour_from, hour_to)."""

    channel: str
    hour_from: time
    hour_to: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known at the instant of asking, over all agencies of the lender."""

    #: every zone the contact point may be in; each must allow
    zones: tuple[str, ...] | None
    #: zone in which a debtor's days are counted
    home_zone: str = "Asia/Shanghai"
    statuses: frozenset[str] | None = None
    contacts: tuple[Contact, ...] | None = None
    consents: tuple[Consent, ...] = ()
    point_valid: bool | None = None
    #: another number of the debtor is known to be invalid
    borrower_points_invalid: bool = False
    collector_registered: bool | None = None
    collector_trained: bool | None = None
    agreement_live: bool | None = None
    #: the strategy in force: channels (None: any) and contacts a week (None: the rule's default)
    strategy_channels: frozenset[str] | None = None
    contacts_per_week_max: int | None = None
    #: the borrower's wish: channels (empty: none stated) and local hours [from, to)
    wish_channels: frozenset[str] = frozenset()
    wish_hours: tuple[int, int] | None = None

    def digest(self) -> str:
        """Give the SHA-256 over the facts in canonical JSON."""
        return hashlib.sha256(
            json.dumps(self.as_dict(), sort_keys=True, ensure_ascii=False).encode()
        ).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """Give the facts as plain JSON data."""
        return {name: _plain(getattr(self, name)) for name in _NAMES}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Facts:
        """Rebuild facts from `as_dict`, for replaying a decision."""
        body = dict(data)
        for key in ("statuses", "strategy_channels", "wish_channels"):
            if body.get(key) is not None:
                body[key] = frozenset(body[key])
        if body.get("zones") is not None:
            body["zones"] = tuple(body["zones"])
        if body.get("wish_hours") is not None:
            first, last = body["wish_hours"]
            body["wish_hours"] = (first, last)
        if body.get("contacts") is not None:
            body["contacts"] = tuple(
                Contact(
                    **{**one, "at": datetime.fromisoformat(one["at"]), "until": _instant(one.get("until"))}
                )
                for one in body["contacts"]
            )
        body["consents"] = tuple(
            Consent(
                channel=one["channel"],
                hour_from=time.fromisoformat(one["hour_from"]),
                hour_to=time.fromisoformat(one["hour_to"]),
            )
            for one in body.get("consents", ())
        )
        return cls(**body)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


_NAMES = tuple(one.name for one in fields(Facts))
_PARTS = {kind: tuple(one.name for one in fields(kind)) for kind in (Contact, Consent)}


def _plain(value: Any) -> Any:
    """Turn one fact into JSON data; written out by hand, for it runs for every contact of every permit."""
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, (datetime, time)):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return {name: _plain(getattr(value, name)) for name in _PARTS[type(value)]}
