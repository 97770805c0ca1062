"""An agency's own program: an HTTP client of the public REST API with a key, and a memory of its own."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import polars as pl

from weituo.core.twin.agencies import Agency

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
PAGE: Final = 5_000
#: a message whose first sending was cut off is still being worked for at most a minute
WAIT_SECONDS_MAX: Final = 75
#: namespace that makes idempotency keys from what a message is about
_KEYS: Final = uuid.UUID("5b0e5a0e-4a3c-4c38-9d1c-7d1f5b0f6d11")
_HELD: Final = {
    "case_reference": pl.String, "paid_on": pl.Date, "amount_minor": pl.Int64, "attempt_key": pl.String, "currency": pl.String,
}  # fmt: skip


class ApiRefused(RuntimeError):
    """The API answered with a problem."""

    def __init__(self, problem: dict[str, Any], *, path: str) -> None:
        self.problem = problem
        super().__init__(
            f"{path}: {problem.get('status')} {problem.get('code')} {problem.get('title')} {problem.get('where')}"
        )


@dataclass(slots=True)
class AgencySystem:
    """One agency's own program: an HTTP client with a bearer key, living at a stated demonstration time.

    memory: the program's own folder. What a week began with is written there before anything is sent, so that a week
    that was cut off is lived through again with the same messages, which the API recognises.
    """

    base_url: str
    api_key: str
    agency: Agency
    memory: Path
    #: case_ref, paid_months_6: what the agency took out of its packages
    facts: pl.DataFrame
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
        """Write, with an idempotency key made from what the message is `about`; raises `ApiRefused`.

        A message whose first sending is still being worked is sent again until its answer stands.
        """
        headers = {"Weituo-Demo-Time": at.isoformat()}
        if about:
            headers["Idempotency-Key"] = str(uuid.uuid5(_KEYS, f"{self.api_key} {about}"))
        until = time.monotonic() + WAIT_SECONDS_MAX
        while True:
            try:
                return self._answer(self.client.post(path, json=body, headers=headers), path)
            except ApiRefused as refused:
                if refused.problem.get("code") != "idempotency_in_progress" or time.monotonic() > until:
                    raise
                time.sleep(1)

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

    def begin_week(self, week: int, *, at: datetime) -> int:
        """Know the cases of this week: from memory when it was begun before, else fetched; give their number.

        What borrowers paid but the agency has not remitted yet is taken off the balances.
        """
        begun = self.memory / f"week-{week:03d}.parquet"
        if not begun.exists():
            fetched = _cases(self._fetch(at=at), self.facts)
            keep(fetched, begun)
        under_way = self.held(week).group_by("case_reference").agg(held=pl.col("amount_minor").sum())
        self.cases = (
            pl.read_parquet(begun)
            .join(under_way, on="case_reference", how="left", maintain_order="left")
            .with_columns(balance_minor=pl.col("balance_minor") - pl.col("held").fill_null(0))
            .drop("held")
            .filter(pl.col("balance_minor") > 0)
        )
        return self.cases.height

    def _fetch(self, *, at: datetime) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.get("/placements", at=at, after=after, limit=PAGE)
            rows += page["cases"]
            after = page["next"] or ""
            if not after:
                return rows

    def held(self, week: int) -> pl.DataFrame:
        """Give payments of the week before that fall due in this week."""
        kept = self.memory / f"held-{week:03d}.parquet"
        return pl.read_parquet(kept) if kept.exists() else pl.DataFrame(schema=_HELD)

    def due(self, payments: pl.DataFrame, *, week: int, sunday: date) -> pl.DataFrame:
        """Give what was paid up to `sunday`, held payments included, and hold the rest for the next week."""
        known = self.cases.select("case_reference", "currency")
        whole = pl.concat(
            [self.held(week), payments.join(known, on="case_reference").select(list(_HELD))]
        ).sort("paid_on", "case_reference", "amount_minor")
        keep(whole.filter(pl.col("paid_on") > sunday), self.memory / f"held-{week + 1:03d}.parquet")
        return whole.filter(pl.col("paid_on") <= sunday)


def keep(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    frame.write_parquet(draft)
    draft.replace(path)


def _cases(rows: list[dict[str, Any]], facts: pl.DataFrame) -> pl.DataFrame:
    kept = [
        {
            "case_reference": row["case_ref"],
            "bucket": row["bucket"],
            "balance_minor": row["balance_minor"],
            "province_code": row["region"],
            "product": row["product"],
            "on_hold": row["on_hold"],
            "currency": row["currency"],
            "contact_point": _own_phone(row["contact_points"]),
        }
        for row in rows
        if row["balance_minor"] > 0
    ]
    schema = {
        "case_reference": pl.String, "bucket": pl.String, "balance_minor": pl.Int64, "province_code": pl.String, "product": pl.String,
        "on_hold": pl.Boolean, "currency": pl.String, "contact_point": pl.String,
    }  # fmt: skip
    cases = pl.DataFrame(kept, schema=schema).filter(pl.col("contact_point").is_not_null())
    known = facts.select(pl.col("case_ref").alias("case_reference"), "paid_months_6")
    return cases.join(known, on="case_reference", how="left", maintain_order="left").with_columns(
        pl.col("paid_months_6").fill_null(0)
    )


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
