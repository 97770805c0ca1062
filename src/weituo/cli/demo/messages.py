"""The messages that an agency's program sends in a week: permits, contacts, promises, remittances, what borrowers said."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import polars as pl

from weituo.cli.demo.agency_system import AgencySystem, Tally

BATCH: Final = 500
#: what the simulation calls a complaint's theme → the reason that the care desk knows, and the borrower's words
THEMES: Final = {
    "TOO_OFTEN": ("TOO_OFTEN", "一周打了好几次电话，影响我上班。"),
    "TONE": ("RUDE", "催收员说话很不客气。"),
    "THIRD_PARTY": ("THIRD_PARTY_TOLD", "他们把我欠款的事告诉了我同事。"),
    "AMOUNT": ("OTHER", "他们说的金额和我账单上的对不上。"),
    "NIGHT_CALL": ("BAD_HOURS", "晚上十点半还给我打电话。"),
}


#: what borrowers say of their debt, written down by the agency in their language: kind of case → (reason, words)
SAID: Final = {
    "DISPUTE": (
        ("WRONG_AMOUNT", "利息算得不对，金额比合同上的多。"),
        ("ALREADY_PAID", "上个月已经还过一笔，没有入账。"),
        ("NOT_MY_DEBT", "我没有借过这笔钱。"),
        ("IDENTITY_THEFT", "我的身份证丢过，这笔贷款不是我办的。"),
    ),
    "HARDSHIP": (
        ("LOST_WORK", "上个月被裁员了，还没找到工作。"),
        ("ILLNESS", "家里有人住院，暂时还不上。"),
        ("FAMILY", "刚离婚，一个人带孩子，收入不够。"),
        ("DISASTER", "店里进了水，生意停了。"),
    ),
}


def _batches(frame: pl.DataFrame) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    for number, part in enumerate(frame.iter_slices(BATCH)):
        yield number, part.to_dicts()


def ask(
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


def report(system: AgencySystem, granted: pl.DataFrame, *, at: datetime, week: int, tally: Tally) -> None:
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


def promise(
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


def remit(system: AgencySystem, paid: pl.DataFrame, *, at: datetime, week: int, tally: Tally) -> None:
    """Remit what borrowers paid up to now: one message a currency, with its control total."""
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


def pass_on(
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
        _told(row["case_reference"], row["outcome"], said=_said(row["case_reference"], row["outcome"]))
        for row in granted.filter(pl.col("outcome").is_in(["DISPUTE", "HARDSHIP"]))
        .unique("case_reference", keep="first", maintain_order=True)
        .to_dicts()
    ]
    told += [
        _told(row["case_reference"], "COMPLAINT", said=THEMES[row["theme"]])
        for row in complaints.unique("case_reference", keep="first", maintain_order=True).to_dicts()
    ]
    for body in told:
        system.post("/care-cases", body, at=at, about=f"care {week} {body['case_ref']} {body['kind']}")
        tally.requests += 1
        tally.cases_opened += 1


def _said(case_ref: str, kind: str) -> tuple[str, str]:
    """Choose what the borrower says: always the same of one case, so that a message sent twice is one message."""
    words = SAID[kind]
    return words[zlib.crc32(case_ref.encode()) % len(words)]


def _told(case_ref: str, kind: str, *, said: tuple[str, str]) -> dict[str, str]:
    reason, text = said
    return {"case_ref": case_ref, "kind": kind, "reason": reason, "text": text}
