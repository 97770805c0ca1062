"""Rule packs: versioned YAML, checked when read. A bad pack is refused with file and rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any

import yaml

#: kind → parameters it must have
KINDS: dict[str, frozenset[str]] = {
    "hours": frozenset({"from", "to"}),
    "count": frozenset({"per", "channels", "outcomes", "days", "most"}),
    "unreachable_first": frozenset({"recipients", "tries", "outcomes"}),
    "no_disclosure": frozenset({"recipients"}),
    "recipients": frozenset({"allowed"}),
    "collector": frozenset({"needs"}),
    "agreement": frozenset({"needs"}),
    "status": frozenset({"statuses"}),
    "intensity": frozenset({"days", "default_most"}),
    "channel": frozenset(),
    "wish": frozenset(),
    "visit": frozenset({"visitors_least"}),
    "point": frozenset(),
}
REQUIRED = ("id", "kind", "citation", "confidence", "effective_from", "zh", "en", "parameters")


class PackError(ValueError):
    """A pack cannot be used: file, rule and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule with its source; `effective_to` is half-open."""

    id: str
    kind: str
    citation: str
    confidence: str
    zh: str
    en: str
    parameters: Mapping[str, Any]
    effective_from: date
    effective_to: date | None = None

    def in_force(self, at: datetime) -> bool:
        """Tell whether the rule holds on the day of `at`."""
        day = at.date()
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A named, versioned set of rules."""

    name: str
    version: str
    rules: tuple[Rule, ...]


def read_pack(*, text: str, where: str) -> Pack:
    """Read and check one pack. Raises `PackError` naming file and rule."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as broken:
        mark = getattr(broken, "problem_mark", None)
        raise PackError(f"{where}, line {mark.line + 1 if mark else '?'}: no YAML") from broken
    if not isinstance(raw, dict) or not {"pack", "version", "rules"} <= set(raw):
        raise PackError(f"{where}: pack, version and rules are needed")
    rules = tuple(_rule(one, f"{where}, rule {number}") for number, one in enumerate(raw["rules"], start=1))
    _no_overlap(rules, where)
    return Pack(name=str(raw["pack"]), version=str(raw["version"]), rules=rules)


def _rule(raw: Any, where: str) -> Rule:
    if not isinstance(raw, dict):
        raise PackError(f"{where}: a mapping is needed")
    where = f"{where} ({raw.get('id', 'no id')})"
    if missing := [key for key in REQUIRED if key not in raw]:
        raise PackError(f"{where}: {missing[0]} is missing")
    if unknown := sorted(set(raw) - set(REQUIRED) - {"effective_to"}):
        raise PackError(f"{where}: unknown key {unknown[0]}")
    if raw["kind"] not in KINDS:
        raise PackError(f"{where}: unknown kind {raw['kind']}")
    if lacking := sorted(KINDS[raw["kind"]] - set(raw["parameters"])):
        raise PackError(f"{where}: parameter {lacking[0]} is missing")
    for key in ("most", "days", "tries", "default_most", "visitors_least"):
        if key in raw["parameters"] and (
            not isinstance(raw["parameters"][key], int) or raw["parameters"][key] < 1
        ):
            raise PackError(f"{where}: {key} is a whole number above zero")
    for key in ("effective_from", "effective_to"):
        if raw.get(key) is not None and not isinstance(raw[key], date):
            raise PackError(f"{where}: {key} is a date")
    return Rule(**{key: raw[key] for key in REQUIRED}, effective_to=raw.get("effective_to"))


def _no_overlap(rules: Sequence[Rule], where: str) -> None:
    for number, rule in enumerate(rules):
        for other in rules[number + 1 :]:
            if rule.id != other.id:
                continue
            first, second = sorted((rule, other), key=lambda one: one.effective_from)
            if first.effective_to is None or first.effective_to > second.effective_from:
                raise PackError(f"{where}: two versions of {rule.id} hold at the same time")


@cache
def load(names: tuple[str, ...] = ("cn", "lender")) -> tuple[Pack, ...]:
    """Load packaged packs by name."""
    folder = resources.files("weituo.core.conduct") / "rules"
    return tuple(
        read_pack(text=(folder / f"{name}.yaml").read_text("utf-8"), where=f"{name}.yaml") for name in names
    )
