"""The demonstration's scene: its dates, its people, its place on disk."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
SEED = 7
ACCOUNTS = 20_000
WEEKS = 16
#: share of what the agencies could hold that they are given at first, and after the surge half way
FIRST_SHARE = 0.35
SURGE_SHARE = 0.5
CURRENCY = "CNY"
#: share of the agencies' usual contacts that is played, now and in the past that the model learns from: enough for some
#: agencies to be told apart, and few enough for the demonstration to end soon
INTENSITY = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One sign-in of the demonstration."""

    username: str
    name: str
    role: str
    agency: str = ""


#: the second vendor manager and the second person in finance are there because two-person approval is real
PEOPLE = (
    Person(username="lin", name="林 Lin", role="VENDOR_MANAGER"),
    Person(username="zhao", name="赵 Zhao", role="VENDOR_MANAGER"),
    Person(username="chen", name="陈 Chen", role="COMPLIANCE"),
    Person(username="wu", name="吴 Wu", role="ANALYST"),
    Person(username="sun", name="孙 Sun", role="FINANCE"),
    Person(username="zhou", name="周 Zhou", role="FINANCE"),
    Person(username="he", name="何 He", role="CARE"),
    Person(username="admin", name="管理员 Admin", role="ADMIN"),
    Person(username="auditor", name="审计 Auditor", role="AUDITOR"),
    Person(username="supervisor", name="主管 Supervisor", role="AGENCY_SUPERVISOR", agency="HENGAN"),
    Person(username="collector", name="催收员 Collector", role="COLLECTOR", agency="HENGAN"),
)


@dataclass(slots=True)
class Scene:
    """What the demonstration remembers between starts (WEITUO_HOME/demo.json, mode 600)."""

    #: Monday on which the agencies begin
    begins_on: str
    accounts: int
    weeks: int
    password: str
    done: list[str] = field(default_factory=list)
    #: agency code → API key of its system
    keys: dict[str, str] = field(default_factory=dict)
    #: agency code → private age key (the agency's own; kept here because the demonstration plays the agencies)
    age_keys: dict[str, str] = field(default_factory=dict)
    totp: dict[str, str] = field(default_factory=dict)
    borrower_code: str = ""
    borrower_last_four: str = ""
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def start(self) -> date:
        """The Monday on which the placements begin."""
        return date.fromisoformat(self.begins_on)

    @property
    def as_of(self) -> date:
        """The day the book was drawn up: the Sunday before."""
        return self.start - timedelta(days=1)

    def at(self, *, week: int = 0, day: int = 0, hour: int = 9, minute: int = 0) -> datetime:
        """Give an instant on Shanghai's wall, counted from the first Monday, in UTC."""
        moment = datetime.combine(
            self.start + timedelta(days=7 * week + day), datetime.min.time(), tzinfo=SHANGHAI
        )
        return (moment + timedelta(hours=hour, minutes=minute)).astimezone(UTC)


def memory(home: Path, *parts: str) -> Path:
    """Give a path in the demonstration's own folder (what the played agencies remember) and make the folder."""
    kept = home.joinpath("demo", *parts)
    kept.parent.mkdir(parents=True, exist_ok=True)
    return kept


def path(home: Path) -> Path:
    """Give where the scene is kept."""
    return home / "demo.json"


def load(home: Path) -> Scene | None:
    """Read the scene, or None before the first start."""
    if not path(home).exists():
        return None
    return Scene(**json.loads(path(home).read_text(encoding="utf-8")))


def save(home: Path, scene: Scene) -> None:
    """Keep the scene with mode 600."""
    draft = path(home).with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(scene), ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(path(home))


def first_monday(today: date, *, weeks: int) -> date:
    """Give the Monday `weeks` whole weeks before the present week's Monday."""
    monday = today - timedelta(days=today.weekday())
    return monday - timedelta(weeks=weeks)
