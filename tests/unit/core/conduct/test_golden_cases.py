"""The gate's evaluator on golden cases for China and the house rules, and its laws."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from weituo.core import conduct

KINDS = {"call": "call", "sms": "sms", "visit": "visit", "email": "email"}


def of_case(case: dict[str, Any]) -> conduct.Decision:
    """Turn a golden case into request and facts; a fact left out has its harmless value (the files' own convention)."""
    request, points = case["request"], {point["id"]: point for point in case["contact_points"]}
    planned = datetime.fromisoformat(request["at"])
    point = points[request["contact_point"]]
    collector = request.get("collector", {})
    facts = conduct.Facts(
        zones=tuple(point["zones"]),
        statuses=frozenset(case["borrower"]["statuses"]),
        contacts=tuple(
            conduct.Contact(
                at=datetime.fromisoformat(one["at"]),
                channel=one["channel"],
                contact_point=one["contact_point"],
                recipient=one["recipient"],
                result=one["outcome"],
            )
            for one in case["history"]
        ),
        consents=tuple(
            conduct.Consent(
                channel=one["channel"],
                hour_from=time.fromisoformat(one["from"]),
                hour_to=time.fromisoformat(one["to"]),
            )
            for one in case["borrower"]["consents"]
            if datetime.fromisoformat(one["given"]) <= planned
            and ("revoked" not in one or datetime.fromisoformat(one["revoked"]) > planned)
        ),
        point_valid=True,
        borrower_points_invalid=any(
            one.get("invalid") and one["owner"] == "borrower" for one in case["contact_points"]
        ),
        collector_registered=True,
        collector_trained="certified_until" not in collector
        or planned.date().isoformat() <= str(collector["certified_until"]),
        agreement_live=True,
        contacts_per_week_max=1_000,
    )
    return conduct.evaluate(
        request=conduct.Request(
            channel=request["channel"], contact_point=request["contact_point"], planned_at=planned, recipient=request["recipient"],
            visitors=request.get("visitors"), identified=request.get("identified"), discloses_debt=bool(request.get("discloses_debt", False)),
        ),
        facts=facts,
        packs=conduct.load(tuple(case["packs"])),
        at=planned,
    )  # fmt: skip


def test_every_golden_case_of_china_and_the_house_is_decided_as_written(weituo_data: Path) -> None:
    cases = [
        case
        for case in yaml.safe_load((weituo_data / "contact_cases.yaml").read_text("utf-8"))
        if set(case["packs"]) <= {"cn", "lender"}
    ]
    assert len(cases) >= 34
    wrong = []
    for case in cases:
        decision = of_case(case)
        if decision.allowed != (case["expect"] == "allow") or sorted(
            reason.rule for reason in decision.reasons
        ) != sorted(case["rules"]):
            wrong.append(
                (case["id"], case["expect"], case["rules"], [reason.rule for reason in decision.reasons])
            )
    assert wrong == []


def facts(**changes: Any) -> conduct.Facts:
    known: dict[str, Any] = {
        "zones": ("Asia/Shanghai",), "statuses": frozenset(), "contacts": (), "point_valid": True, "collector_registered": True,
        "collector_trained": True, "agreement_live": True,
    }  # fmt: skip
    return conduct.Facts(**(known | changes))


def ask(at: datetime, known: conduct.Facts, *, channel: str = "call") -> conduct.Decision:
    return conduct.evaluate(
        request=conduct.Request(channel=channel, contact_point="p1", planned_at=at),
        facts=known,
        packs=conduct.load(),
        at=at,
    )


def test_half_past_ten_at_night_is_refused_with_the_citation() -> None:
    decision = ask(datetime(2026, 3, 3, 14, 30, tzinfo=UTC), facts())
    assert [reason.rule for reason in decision.reasons] == ["CN-HOURS"]
    assert "GB/T 45251-2025" in decision.reasons[0].citation
    assert decision.earliest_next == datetime(2026, 3, 4, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "missing",
    [
        "zones",
        "statuses",
        "contacts",
        "point_valid",
        "collector_registered",
        "collector_trained",
        "agreement_live",
    ],
)
def test_an_unknown_fact_denies_and_says_which(missing: str) -> None:
    decision = ask(datetime(2026, 3, 3, 4, 0, tzinfo=UTC), facts(**{missing: None}))
    assert any(reason.code.startswith("unknown:") for reason in decision.reasons)
    assert decision.earliest_next is None


def test_every_denying_rule_is_listed_not_the_first() -> None:
    decision = ask(
        datetime(2026, 3, 3, 14, 30, tzinfo=UTC),
        facts(statuses=frozenset({"disputed", "deceased"}), agreement_live=False),
    )
    assert {reason.rule for reason in decision.reasons} == {
        "CN-HOURS",
        "CN-ADMIT",
        "LENDER-STATUS",
        "LENDER-DISPUTE",
    }


moments = st.datetimes(min_value=datetime(2026, 2, 1), max_value=datetime(2026, 4, 30)).map(
    lambda moment: moment.replace(tzinfo=UTC, microsecond=0)
)
contacts = st.builds(
    conduct.Contact,
    at=moments,
    channel=st.sampled_from(["call", "sms"]),
    contact_point=st.sampled_from(["p1", "p2"]),
    result=st.sampled_from([None, "conversation", "unanswered", "delivered"]),
)
known_facts = st.builds(
    lambda zones, made, wish, most: facts(
        zones=zones, contacts=tuple(made), wish_hours=wish, contacts_per_week_max=most
    ),
    zones=st.sampled_from([("Asia/Shanghai",), ("Asia/Shanghai", "America/Los_Angeles"), ("Europe/London",)]),
    made=st.lists(contacts, max_size=12),
    wish=st.sampled_from([None, (9, 18), (20, 22)]),
    most=st.sampled_from([None, 1, 3]),
)


@settings(max_examples=300, deadline=None)
@given(at=moments, known=known_facts, channel=st.sampled_from(["call", "sms"]))
def test_earliest_next_is_exact(at: datetime, known: conduct.Facts, channel: str) -> None:
    decision = ask(at, known, channel=channel)
    if decision.allowed or decision.earliest_next is None:
        return
    assert ask(decision.earliest_next, known, channel=channel).allowed
    assert not ask(decision.earliest_next - timedelta(seconds=1), known, channel=channel).allowed


@settings(max_examples=200, deadline=None)
@given(at=moments, known=known_facts)
def test_a_further_pack_never_allows_more(at: datetime, known: conduct.Facts) -> None:
    request = conduct.Request(channel="call", contact_point="p1", planned_at=at)
    alone = conduct.evaluate(request=request, facts=known, packs=conduct.load(("cn",)), at=at)
    both = conduct.evaluate(request=request, facts=known, packs=conduct.load(), at=at)
    assert alone.allowed or not both.allowed


@settings(max_examples=100, deadline=None)
@given(known=known_facts)
def test_facts_survive_storage(known: conduct.Facts) -> None:
    again = conduct.Facts.from_dict(known.as_dict())
    assert again == known
    assert again.digest() == known.digest()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("kind: hours", "unknown kind"),
        ('citation: "GB/T 45251-2025 5.3; 中国银行业协会催收工作指引(试行) 2026"', "citation is missing"),
        ('parameters: {from: "08:00", to: "22:00", consent_lifts: true}', "parameter from is missing"),
        ("most: 3", "most is a whole number"),
    ],
)
def test_a_bad_pack_is_refused_with_file_and_rule(change: str, said: str) -> None:
    from importlib import resources

    text = (resources.files("weituo.core.conduct") / "rules" / "cn.yaml").read_text("utf-8")
    broken = {"kind: hours": "kind: moon", "most: 3": "most: none"}.get(
        change, "parameters: {}" if change.startswith("parameters") else ""
    )
    with pytest.raises(conduct.PackError, match=said) as caught:
        conduct.read_pack(text=text.replace(change, broken, 1), where="cn.yaml")
    assert "cn.yaml" in str(caught.value)
