"""Screening: no licence, no agreement, no second person: no approval."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import DatabaseError, connections
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from weituo.domain.partners import errors, queries, scoring, services
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role

from tests.builders import actors

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIN, ZHAO = "lin", "zhao"


def screened(
    *,
    licence_to: date | None = date(2027, 1, 1),
    security_to: date | None = None,
    confidentiality: bool = True,
    score: int = 80,
    adverse: bool = False,
) -> UUID:
    """An agency with papers, assessed."""
    lin = actors.staff(name=LIN)
    agency = services.register_agency(actor=lin, code="HENGAN", name_zh="恒岸", name_en="Hengan", at=AT)
    papers = [
        services.add_paper(
            actor=lin,
            agency_id=agency,
            kind=kind,
            number=kind,
            issuer="office",
            valid_from=date(2025, 1, 1),
            valid_to=to,
            digest="0" * 64,
            facts={"adverse_record": adverse},
            at=AT,
        )
        for kind, to in (("LICENCE", licence_to), ("SECURITY", security_to))
    ]
    for paper in papers:
        services.verify_paper(actor=lin, paper_id=paper, at=AT)
    if confidentiality:
        services.sign_agreement(
            actor=lin,
            agency_id=agency,
            kind="CONFIDENTIALITY",
            active_from=date(2026, 1, 1),
            active_to=None,
            fields_allowed=["name", "phone"],
            at=AT,
        )
    services.assess(
        actor=lin,
        agency_id=agency,
        scores=dict.fromkeys(scoring.WEIGHTS, score),
        evidence=dict.fromkeys(scoring.WEIGHTS, papers),
        at=AT,
    )
    return agency


def test_two_persons_let_an_agency_in(db: str) -> None:
    agency = screened()
    proposal = services.propose_approval(
        actor=actors.staff(name=LIN), agency_id=agency, capacity_accounts_max=500, reason="good", at=AT
    )
    with pytest.raises(errors.SecondPersonNeeded):
        services.decide_proposal(
            actor=actors.staff(name=LIN), proposal_id=proposal, approved=True, reason="mine", at=AT
        )
    services.decide_proposal(
        actor=actors.staff(name=ZHAO), proposal_id=proposal, approved=True, reason="seen", at=AT
    )
    [row] = queries.agencies(actors.staff(), states=["APPROVED"])
    assert (row.tier, row.capacity_accounts_max) == (2, 500)
    with pytest.raises(errors.NothingProposed):
        services.decide_proposal(
            actor=actors.staff(name=ZHAO), proposal_id=proposal, approved=True, reason="again", at=AT
        )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"licence_to": date(2026, 3, 1)}, "no live licence"),
        ({"security_to": date(2026, 3, 1)}, "no live security certificate, expired on 2026-03-01"),
        ({"confidentiality": False}, "no live confidentiality agreement"),
        ({"score": 55}, "score 55.00"),
        ({"adverse": True}, "unlawful collection"),
    ],
)
def test_what_is_missing_is_named_with_the_clause(db: str, change: dict[str, object], said: str) -> None:
    agency = screened(**change)  # type: ignore[arg-type]
    with translation.override("en"), pytest.raises(errors.NotAdmissible) as caught:
        services.propose_approval(
            actor=actors.staff(), agency_id=agency, capacity_accounts_max=1, reason="x", at=AT
        )
    with translation.override("en"):
        assert said in caught.value.text
        assert caught.value.as_dict()["rule"] == "GB/T 45251-2025 5.4"
    with translation.override("zh-hans"):
        assert caught.value.as_dict()["rule"] == "GB/T 45251-2025 第 5.4 条"


def test_a_licence_that_lapsed_after_the_proposal_stops_the_approval(db: str) -> None:
    agency = screened(licence_to=date(2026, 3, 5))
    proposal = services.propose_approval(
        actor=actors.staff(name=LIN), agency_id=agency, capacity_accounts_max=1, reason="x", at=AT
    )
    with pytest.raises(errors.NotAdmissible):
        services.decide_proposal(
            actor=actors.staff(name=ZHAO),
            proposal_id=proposal,
            approved=True,
            reason="late",
            at=AT + timedelta(days=4),
        )


def test_a_required_paper_that_lapses_stops_an_agency_that_was_let_in(db: str) -> None:
    agency = screened(security_to=date(2026, 3, 5))
    services.sign_agreement(
        actor=actors.staff(), agency_id=agency, kind="SERVICE", active_from=date(2026, 1, 1), active_to=None,
        fee_bps_by_bucket={"default": 2_000}, at=AT,
    )  # fmt: skip
    lin = actors.staff(name=LIN)
    assert queries.stopped(lin, on=date(2026, 3, 4)) == {}
    with translation.override("en"):
        assert queries.stopped(lin, on=date(2026, 3, 5)) == {
            agency: {"security": "no live security certificate, expired on 2026-03-05"}
        }
    renewed = services.add_paper(
        actor=lin, agency_id=agency, kind="SECURITY", number="S-2", issuer="office", valid_from=date(2026, 3, 5), valid_to=None,
        digest="1" * 64, at=AT,
    )  # fmt: skip
    assert agency in queries.stopped(lin, on=date(2026, 3, 5)), "nobody has looked at the new one yet"
    services.verify_paper(actor=lin, paper_id=renewed, at=AT)
    assert queries.stopped(lin, on=date(2026, 3, 5)) == {}


def test_one_person_suspends_and_another_lifts_it(db: str) -> None:
    agency = screened(licence_to=date(2026, 3, 5))
    lin, zhao = actors.staff(name=LIN), actors.staff(name=ZHAO)
    proposal = services.propose_approval(
        actor=lin, agency_id=agency, capacity_accounts_max=1, reason="x", at=AT
    )
    services.decide_proposal(actor=zhao, proposal_id=proposal, approved=True, reason="y", at=AT)
    services.suspend(actor=lin, agency_id=agency, reason="leak", at=AT)
    assert queries.open_proposals(lin) == []
    with pytest.raises(errors.SecondPersonNeeded):
        services.reinstate(actor=lin, agency_id=agency, reason="mended", at=AT)
    with pytest.raises(errors.NotAdmissible):
        services.reinstate(actor=zhao, agency_id=agency, reason="mended", at=AT + timedelta(days=4))
    services.reinstate(actor=zhao, agency_id=agency, reason="mended", at=AT)
    assert [row.state for row in queries.agencies(lin)] == ["APPROVED"]
    history = queries.dossier(lin, agency_id=agency)["proposals"]  # type: ignore[index]
    assert [(row["change"], row["approved"]) for row in history if row["change"] == "SUSPEND"] == [
        ("SUSPEND", True)
    ]


def test_the_database_itself_wants_two_persons(db: str) -> None:
    agency = screened()
    services.propose_approval(
        actor=actors.staff(name=LIN), agency_id=agency, capacity_accounts_max=1, reason="x", at=AT
    )
    with connections["owner"].cursor() as cursor, pytest.raises(DatabaseError, match="partners_two_persons"):
        cursor.execute(
            "UPDATE partners_proposal SET approved = true, decided_by = proposed_by, decided_at = now()"
        )


def test_a_score_rests_on_verified_papers_of_the_same_agency(db: str) -> None:
    lin = actors.staff()
    agency = services.register_agency(actor=lin, code="A", name_zh="甲", name_en="A", at=AT)
    paper = services.add_paper(
        actor=lin,
        agency_id=agency,
        kind="LICENCE",
        number="1",
        issuer="o",
        valid_from=AT.date(),
        valid_to=None,
        digest="",
        at=AT,
    )
    with pytest.raises(errors.AssessmentRefused):
        services.assess(
            actor=lin,
            agency_id=agency,
            scores=dict.fromkeys(scoring.WEIGHTS, 90),
            evidence={key: [paper] for key in scoring.WEIGHTS},
            at=AT,
        )


def test_an_analyst_cannot_propose(db: str) -> None:
    with pytest.raises(NotAllowed):
        services.propose_approval(
            actor=actors.staff(Role.ANALYST),
            agency_id=UUID(int=1),
            capacity_accounts_max=1,
            reason="x",
            at=AT,
        )


def test_borrowers_can_check_who_calls(db: str) -> None:
    agency = screened()
    services.register_collector(
        actor=actors.staff(),
        agency_id=agency,
        badge="HA-001",
        alias="Li",
        registered_on=AT.date(),
        trained_until=date(2027, 1, 1),
        at=AT,
    )
    assert queries.verify_collector(actors.worker(), asked="ha-001", on=AT.date()) is None
    proposal = services.propose_approval(
        actor=actors.staff(name=LIN), agency_id=agency, capacity_accounts_max=1, reason="x", at=AT
    )
    services.decide_proposal(
        actor=actors.staff(name=ZHAO), proposal_id=proposal, approved=True, reason="y", at=AT
    )
    assert queries.verify_collector(actors.worker(), asked="ha-001", on=AT.date())["name_en"] == "Hengan"  # type: ignore[index]
    assert queries.verify_collector(actors.worker(), asked="unknown", on=AT.date()) is None


@given(scores=st.fixed_dictionaries({name: st.integers(0, 100) for name in scoring.WEIGHTS}))
def test_the_total_is_the_sum_of_its_parts_and_grows_with_each(scores: dict[str, int]) -> None:
    score = scoring.weighted(scores=scores)
    assert score.total_bps == sum(part[2] for part in score.parts.values())
    assert 0 <= score.total_bps <= 10_000
    for name, value in scores.items():
        if value < 100:
            assert scoring.weighted(scores={**scores, name: value + 1}).total_bps > score.total_bps


def test_a_badge_is_one_collectors_alone(db: str) -> None:
    agency, lin = screened(), actors.staff(name=LIN)
    person = {
        "actor": lin,
        "agency_id": agency,
        "registered_on": AT.date(),
        "trained_until": AT.date(),
        "at": AT,
    }
    services.register_collector(badge="HENG-001", alias="Wang", **person)

    with pytest.raises(errors.BadgeTaken):
        services.register_collector(badge="HENG-001", alias="Li", **person)
    for badge, alias in [
        ("", "Li"),
        ("x" * 17, "Li"),
        ("<b>", "Li"),
        ("HENG-002", " "),
        ("HENG-002", "x" * 61),
    ]:
        with pytest.raises(errors.CollectorRefused):
            services.register_collector(badge=badge, alias=alias, **person)


def test_an_agreement_ends_once(db: str) -> None:
    agency, lin = screened(), actors.staff(name=LIN)
    [agreement] = queries.dossier(lin, agency_id=agency)["agreements"]
    services.end_agreement(actor=lin, agreement_id=agreement["id"], reason="over", at=AT)

    with pytest.raises(errors.AgreementEndedBefore):
        services.end_agreement(
            actor=lin, agreement_id=agreement["id"], reason="again", at=AT + timedelta(days=90)
        )

    [agreement] = queries.dossier(lin, agency_id=agency)["agreements"]
    assert agreement["active_to"] == AT.date()


def test_a_fee_for_a_bucket_that_is_none_is_refused(db: str) -> None:
    agency = screened()

    with pytest.raises(errors.AgreementRefused):
        services.sign_agreement(
            actor=actors.staff(name=LIN), agency_id=agency, kind="SERVICE", active_from=AT.date(), active_to=None, fee_bps_by_bucket={"ZZ": 100}, at=AT
        )  # fmt: skip
