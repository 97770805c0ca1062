"""The six invented agencies at work: each a client of the public REST API with its own key, as a real one would be.

Decisions come from `core.twin.behaviour` (pure, seeded); what the program answers decides what happens: an attempt
whose permit is refused is not made, and a promise that hangs on it is never given.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import polars as pl

from weituo.core.twin import behaviour
from weituo.core.twin.agencies import Agency

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
BATCH: Final = 500
PAGE: Final = 5_000
#: what the simulation calls a complaint's theme → the reason that the care desk knows
THEMES: Final = {
    "TOO_OFTEN": "TOO_OFTEN",
    "TONE": "RUDE",
    "THIRD_PARTY": "THIRD_PARTY_TOLD",
    "AMOUNT": "OTHER",
    "NIGHT_CALL": "BAD_HOURS",
}
#: namespace that makes idempotency keys from what a message is about
_KEYS: Final = uuid.UUID("5b0e5a0e-4a3c-4c38-9d1c-7d1f5b0f6d11")


class ApiRefused(RuntimeError):
    """The API answered with a problem."""

    def __init__(self, problem: dict[str, Any], *, path: str) -> None:
        self.problem = problem
        super().__init__(
            f"{path}: {problem.get('status')} {problem.get('code')} {problem.get('title')} {problem.get('where')}"
        )


@dataclass(slots=True)
class AgencySystem:
    """One agency's own program: an HTTP client with a bearer key, living at a stated demonstration time."""

    base_url: str
    api_key: str
    agency: Agency
    seed: int = 7
    badges: list[str] = field(default_factory=list)
    #: cases as the agency knows them: columns of `behaviour` and contact point
    cases: pl.DataFrame = field(default_factory=pl.DataFrame)
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(
            base_url=self.base_url.rstrip("/") + "/api/v1",
            headers={"Authorization": f"Bearer {self.api_key}", "Accept-Language": "en"},
            timeout=60,
        )

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def get(self, path: str, *, at: datetime, **query: Any) -> dict[str, Any]:
        """Read; raises `ApiRefused`."""
        return self._answer(
            self.client.get(path, params=query, headers={"Weituo-Demo-Time": at.isoformat()}), path
        )

    def post(self, path: str, body: dict[str, Any], *, at: datetime, about: str = "") -> dict[str, Any]:
        """Write, with an idempotency key made from what the message is `about`; raises `ApiRefused`."""
        headers = {"Weituo-Demo-Time": at.isoformat()}
        if about:
            headers["Idempotency-Key"] = str(uuid.uuid5(_KEYS, f"{self.agency.code} {about}"))
        return self._answer(self.client.post(path, json=body, headers=headers), path)

    def _answer(self, response: httpx.Response, path: str) -> dict[str, Any]:
        if response.status_code >= 400:
            problem = response.json() if "json" in response.headers.get("content-type", "") else {}
            raise ApiRefused({"status": response.status_code, **problem}, path=path)
        return response.json()  # type: ignore[no-any-return]

    def sign_on(self, *, at: datetime) -> dict[str, Any]:
        """Ask who we are and which collectors are registered."""
        me = self.get("/me", at=at)
        self.badges = [one["badge"] for one in me["collectors"] if one["active"]]
        return me

    def fetch_cases(self, *, at: datetime, facts: pl.DataFrame | None = None) -> int:
        """Fetch all active cases and give their number.

        facts: case_ref with product, paid_months_6 (what the disclosure package holds); joined where given.
        """
        rows: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.get("/placements", at=at, after=after, limit=PAGE)
            rows += page["cases"]
            after = page["next"] or ""
            if not after:
                break
        self.cases = _cases(rows, facts)
        return self.cases.height


def _cases(rows: list[dict[str, Any]], facts: pl.DataFrame | None) -> pl.DataFrame:
    kept = [
        {
            "case_reference": row["case_ref"],
            "bucket": row["bucket"],
            "balance_minor": row["balance_minor"],
            "province_code": row["region"],
            "product": row["product"],
            "on_hold": row["on_hold"],
            "placed_on": datetime.fromisoformat(row["placed_at"]).astimezone(SHANGHAI).date(),
            "currency": row["currency"],
            "contact_point": _own_phone(row["contact_points"]),
        }
        for row in rows
        if row["balance_minor"] > 0
    ]
    schema = {
        "case_reference": pl.String, "bucket": pl.String, "balance_minor": pl.Int64, "province_code": pl.String, "product": pl.String,
        "on_hold": pl.Boolean, "placed_on": pl.Date, "currency": pl.String, "contact_point": pl.String,
    }  # fmt: skip
    cases = pl.DataFrame(kept, schema=schema).filter(pl.col("contact_point").is_not_null())
    if facts is not None and cases.height:
        known = facts.select(pl.col("case_ref").alias("case_reference"), "paid_months_6")
        cases = cases.join(known, on="case_reference", how="left", maintain_order="left").with_columns(
            pl.col("paid_months_6").fill_null(4)
        )
    return cases


def _own_phone(points: Sequence[dict[str, Any]]) -> str | None:
    for point in points:
        if point["channel"] == "PHONE" and point["role"] == "BORROWER" and point["valid"]:
            return str(point["contact_point"])
    return None


@dataclass(slots=True)
class Tally:
    """What the agencies did and what they were told."""

    permits_asked: int = 0
    permits_granted: int = 0
    refused_by_rule: dict[str, int] = field(default_factory=dict)
    attempts: int = 0
    promises: int = 0
    remittances: int = 0
    remitted_minor: int = 0
    cases_opened: int = 0
    requests: int = 0

    def add(self, other: Tally) -> None:
        """Add another tally's counts."""
        for name in (
            "permits_asked",
            "permits_granted",
            "attempts",
            "promises",
            "remittances",
            "remitted_minor",
            "cases_opened",
            "requests",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for rule, count in other.refused_by_rule.items():
            self.refused_by_rule[rule] = self.refused_by_rule.get(rule, 0) + count


def play(
    *,
    weeks: range,
    systems: Sequence[AgencySystem],
    starts_on: date,
    facts: pl.DataFrame | None = None,
    intensity: float = 1.0,
    workers: int = 2,
    after_week: Callable[[int, Tally], None] | None = None,
) -> Tally:
    """Live through `weeks` (0 = the week that begins on `starts_on`, a Monday), all agencies at once over HTTP.

    Each week an agency fetches its cases, asks permits, reports contacts and promises, remits what came in, and passes on
    disputes, hardship and complaints. `after_week` is called between the weeks (bank lines, bookings, progress).
    """
    total = Tally()
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for week in weeks:
            monday = starts_on + timedelta(days=7 * week)
            done = pool.map(
                lambda system: _week(system, week=week, monday=monday, facts=facts, intensity=intensity),
                systems,
            )
            of_week = Tally()
            for one in done:
                of_week.add(one)
            total.add(of_week)
            if after_week is not None:
                after_week(week, of_week)
    return total


def _moment(day: date, *, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=SHANGHAI).astimezone(UTC)


def _week(
    system: AgencySystem, *, week: int, monday: date, facts: pl.DataFrame | None, intensity: float
) -> Tally:
    morning, evening = _moment(monday, hour=8, minute=30), _moment(monday + timedelta(days=6), hour=23)
    tally = Tally(requests=2)
    if not system.badges:
        system.sign_on(at=morning)
    if not system.fetch_cases(at=morning, facts=facts):
        return tally
    played = behaviour.play_week(
        agency=system.agency,
        cases=system.cases,
        week=week,
        starts_on=monday,
        seed=system.seed,
        intensity=intensity,
    )
    granted = _ask(system, played.attempts, at=morning, week=week, tally=tally)
    _report(system, granted, at=evening, week=week, tally=tally)
    made = granted.select("attempt_key")
    _promise(
        system,
        played.promises.join(granted, on="attempt_key", how="semi"),
        granted,
        at=evening,
        week=week,
        tally=tally,
    )
    kept = played.payments.filter(
        pl.col("attempt_key").is_null() | pl.col("attempt_key").is_in(made["attempt_key"].implode())
    )
    _remit(system, kept, at=evening, week=week, tally=tally)
    _pass_on(
        system,
        granted,
        played.complaints.join(made, on="attempt_key", how="semi"),
        at=evening,
        week=week,
        tally=tally,
    )
    return tally


def _batches(frame: pl.DataFrame) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    for number, part in enumerate(frame.iter_slices(BATCH)):
        yield number, part.to_dicts()


def _ask(
    system: AgencySystem, attempts: pl.DataFrame, *, at: datetime, week: int, tally: Tally
) -> pl.DataFrame:
    """Ask a permit for every planned attempt; give the granted ones with their permit and contact point."""
    planned = attempts.join(
        system.cases.select("case_reference", "contact_point"),
        on="case_reference",
        how="inner",
        maintain_order="left",
    ).sort("at", "attempt_key")
    permits: list[str | None] = []
    for number, rows in _batches(planned):
        answer = system.post(
            "/permits",
            {
                "requests": [
                    {
                        "case_ref": row["case_reference"],
                        "collector": system.badges[index % len(system.badges)],
                        "contact_point": row["contact_point"],
                        "channel": row["channel"],
                        "planned_at": row["at"].isoformat(),
                    }
                    for index, row in enumerate(rows)
                ]
            },
            at=at,
            about=f"permits {week} {number}",
        )
        tally.requests += 1
        tally.permits_asked += len(rows)
        tally.permits_granted += answer["granted"]
        for one in answer["permits"]:
            permits.append(one["permit_id"] if one["granted"] else None)
            if not one["granted"]:
                code = one["reasons"][0]["code"]
                tally.refused_by_rule[code] = tally.refused_by_rule.get(code, 0) + 1
    return planned.with_columns(permit_id=pl.Series(permits, dtype=pl.String)).filter(
        pl.col("permit_id").is_not_null()
    )


def _report(system: AgencySystem, granted: pl.DataFrame, *, at: datetime, week: int, tally: Tally) -> None:
    for number, rows in _batches(granted):
        system.post(
            "/attempts",
            {
                "attempts": [
                    {
                        "sender_ref": row["attempt_key"],
                        "case_ref": row["case_reference"],
                        "contact_point": row["contact_point"],
                        "permit_id": row["permit_id"],
                        "channel": row["channel"],
                        "made_at": row["at"].isoformat(),
                        "result": row["outcome"],
                        "duration_s": row["talk_seconds"],
                    }
                    for row in rows
                ]
            },
            at=at,
            about=f"attempts {week} {number}",
        )
        tally.requests += 1
        tally.attempts += len(rows)


def _promise(
    system: AgencySystem,
    promises: pl.DataFrame,
    granted: pl.DataFrame,
    *,
    at: datetime,
    week: int,
    tally: Tally,
) -> None:
    dated = promises.join(
        granted.select("attempt_key", pl.col("at").alias("made_at")), on="attempt_key"
    ).join(system.cases.select("case_reference", "currency"), on="case_reference")
    for number, rows in _batches(dated):
        system.post(
            "/promises",
            {
                "promises": [
                    {
                        "sender_ref": row["attempt_key"],
                        "case_ref": row["case_reference"],
                        "amount_minor": row["amount_minor"],
                        "currency": row["currency"],
                        "made_at": row["made_at"].isoformat(),
                        "due_on": row["due_on"].isoformat(),
                    }
                    for row in rows
                ]
            },
            at=at,
            about=f"promises {week} {number}",
        )
        tally.requests += 1
        tally.promises += len(rows)


def _remit(system: AgencySystem, payments: pl.DataFrame, *, at: datetime, week: int, tally: Tally) -> None:
    """Remit what borrowers paid this week: one message a currency, with its control total."""
    paid = payments.join(system.cases.select("case_reference", "currency"), on="case_reference")
    for currency in paid["currency"].unique(maintain_order=True).to_list():
        rows = paid.filter(pl.col("currency") == currency).to_dicts()
        body = {
            "sender_ref": f"{system.agency.code}-R{week:03d}-{currency}",
            "currency": currency,
            "total_minor": sum(row["amount_minor"] for row in rows),
            "lines": [
                {
                    "case_ref": row["case_reference"],
                    "amount_minor": row["amount_minor"],
                    "paid_on": row["paid_on"].isoformat(),
                    "method": "BANK",
                    "bank_ref": f"{system.agency.code}-{week:03d}-{number:05d}",
                }
                for number, row in enumerate(rows, start=1)
            ],
        }
        system.post("/remittances", body, at=at, about=f"remittance {week} {currency}")
        tally.requests += 1
        tally.remittances += 1
        tally.remitted_minor += body["total_minor"]


def _pass_on(
    system: AgencySystem,
    granted: pl.DataFrame,
    complaints: pl.DataFrame,
    *,
    at: datetime,
    week: int,
    tally: Tally,
) -> None:
    """Pass on what borrowers said that the lender must know: disputes, hardship, complaints."""
    told = [
        {"case_ref": row["case_reference"], "kind": row["outcome"], "reason": "OTHER"}
        for row in granted.filter(pl.col("outcome").is_in(["DISPUTE", "HARDSHIP"]))
        .unique("case_reference", keep="first", maintain_order=True)
        .to_dicts()
    ]
    told += [
        {"case_ref": row["case_reference"], "kind": "COMPLAINT", "reason": THEMES[row["theme"]]}
        for row in complaints.unique("case_reference", keep="first", maintain_order=True).to_dicts()
    ]
    for body in told:
        system.post("/care-cases", body, at=at, about=f"care {week} {body['case_ref']} {body['kind']}")
        tally.requests += 1
        tally.cases_opened += 1
