"""Six agencies are screened, approved by two persons, bound by agreements, and sign their plans."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from weituo.cli.demo import steps_answers
from weituo.cli.demo.scene import FIRST_SHARE, PEOPLE
from weituo.cli.demo.steps_opening import add_people
from weituo.cli.demo.story import OPERATOR, Story
from weituo.core.twin.agencies import Agency
from weituo.domain.partners import queries as partners
from weituo.domain.partners import services
from weituo.domain.plans import queries as plan_queries
from weituo.domain.plans import services as plan_services
from weituo.foundation.errors import Refusal
from weituo.foundation.identity import keys

#: document of the panel → kind of paper
PAPERS: Final = {
    "BUSINESS_LICENCE": "LICENCE",
    "CONFIDENTIALITY_AGREEMENT": "CONFIDENTIALITY",
    "SECURITY_CERTIFICATE": "SECURITY",
    "COMPLAINT_PROCEDURE": "TRAINING",
    "CALL_RECORDING_POLICY": "TRAINING",
    "STAFF_BACKGROUND_CHECKS": "TRAINING",
    "INSURANCE": "INSURANCE",
}
#: criterion → kinds of papers it rests on
RESTS_ON: Final = {
    "qualifications": ("LICENCE",),
    "performance": ("PERFORMANCE",),
    "references": ("REFERENCE",),
    "security": ("SECURITY",),
    "compliance": ("TRAINING", "PERFORMANCE"),
}
FIELDS: Final = (
    "name", "phone", "product", "balance", "components", "past_due_since", "repayment_history", "language", "region",
)  # fmt: skip
COLLECTORS: Final = 6
#: bucket → cumulative liquidation in basis points by month, before the agency's own past is considered
TARGETS: Final = {
    "CURRENT": (312, 570, 780, 948, 1_080, 1_188),
    "M1": (270, 498, 690, 840, 960, 1_056),
    "M2": (228, 420, 582, 714, 822, 906),
    "M3": (192, 354, 492, 606, 696, 768),
    "M4": (162, 300, 414, 510, 588, 648),
    "M5": (144, 264, 366, 450, 516, 570),
    "M6": (126, 234, 324, 396, 456, 504),
    "M7+": (114, 210, 288, 354, 408, 450),
}


def screen(story: Story) -> str:
    """Register six agencies, put their papers on file, verify, assess."""
    scene, lin, chen = story.scene, story.person("lin"), story.person("chen")
    at = scene.at(day=-28, hour=10)
    for number, agency in enumerate(story.panel()):
        known = story.agency_ids()
        agency_id = known.get(agency.code) or services.register_agency(
            actor=lin,
            code=agency.code,
            name_zh=agency.name_zh,
            name_en=agency.name_en,
            regions=[province[:2] for province in agency.coverage],
            public_phone=f"400-000-{number + 1:04d}",
            at=at,
        )
        standing = {row["number"] for row in _dossier(agency_id)["papers"]}
        for paper in _papers(agency, scene.start):
            if paper["number"] not in standing:
                services.add_paper(actor=lin, agency_id=agency_id, at=at, **paper)
        for row in _dossier(agency_id)["papers"]:
            if row["verified_at"] is None:
                services.verify_paper(actor=chen, paper_id=row["id"], at=at + timedelta(hours=2))
        dossier = _dossier(agency_id)
        if not dossier["assessments"]:
            services.assess(
                actor=lin,
                agency_id=agency_id,
                scores=_scores(agency, scene.start),
                evidence={
                    criterion: [row["id"] for row in dossier["papers"] if row["kind"] in kinds]
                    for criterion, kinds in RESTS_ON.items()
                },
                at=scene.at(day=-24, hour=15),
            )
    board = partners.pipeline(OPERATOR, on=scene.start)
    totals = sorted((row["total_bps"] for row in board), reverse=True)
    return f"{len(board)} screened, scores {totals[0] / 100:.1f} … {totals[-1] / 100:.1f}"


def _dossier(agency_id: UUID) -> dict[str, Any]:
    found = partners.dossier(OPERATOR, agency_id=agency_id)
    assert found is not None
    return found


def _papers(agency: Agency, start: date) -> list[dict[str, Any]]:
    def paper(
        kind: str, number: str, issuer: str, began: int, ends: int | None, **facts: Any
    ) -> dict[str, Any]:
        text = f"{agency.code} {number} {sorted(facts.items())}"
        return {
            "kind": kind,
            "number": number,
            "issuer": issuer,
            "valid_from": start - timedelta(days=began),
            "valid_to": None if ends is None else start + timedelta(days=ends),
            "digest": hashlib.sha256(text.encode()).hexdigest(),
            "facts": facts,
        }

    made = [
        paper(
            PAPERS[one.kind],
            agency.licence_number if one.kind == "BUSINESS_LICENCE" else f"{agency.code}-{one.kind}",
            one.title_en,
            one.issued_days_before + 30,
            one.valid_days_after,
            title_zh=one.title_zh,
            title_en=one.title_en,
        )
        for one in agency.documents
    ]
    made += [
        paper("PERFORMANCE", f"{agency.code}-PAST-{number}", agency.name_en, 60, 700, **past)
        for number, past in enumerate(agency.past, start=1)
    ]
    made += [
        paper("REFERENCE", f"{agency.code}-REF-{number}", reference["client_en"], 45, 700, **reference)
        for number, reference in enumerate(agency.references, start=1)
    ]
    return made


def _scores(agency: Agency, start: date) -> dict[str, int]:
    """Score from what the papers say: 0 to 100 a criterion."""
    liquidation = [row["liquidation"] for row in agency.past if "liquidation" in row]
    complaints = next(row["complaints_per_1000"] for row in agency.past if "complaints_per_1000" in row)
    ratings = [row["rating"] for row in agency.references]
    insured = any(one.kind == "INSURANCE" for one in agency.documents)
    return {
        "qualifications": min(100, 60 + 2 * (start.year - agency.founded) + 10 * insured),
        "performance": min(100, round(100 * sum(liquidation) / len(liquidation) / 0.20)),
        "references": round(20 * sum(ratings) / len(ratings)),
        "security": 90,
        "compliance": max(0, round(100 - 8 * complaints)),
    }


def approve(story: Story) -> str:
    """Propose without an agreement (refused), agree, propose again, and let a second person decide."""
    scene = story.scene
    for agency in story.panel():
        agency_id = story.agency_ids()[agency.code]
        if "approval_refused" not in scene.notes:
            _try_without_agreement(story, agency, agency_id)
        _agree(story, agency, agency_id, at=scene.at(day=-20, hour=11))
        dossier = _dossier(agency_id)
        if dossier["agency"]["state"] == "SCREENED":
            services.propose_approval(
                actor=story.person("lin"),
                agency_id=agency_id,
                capacity_accounts_max=max(10, round(agency.capacity * scene.accounts / 20_000 * FIRST_SHARE)),
                reason="资质文件齐全，评分达到准入线",
                at=scene.at(day=-18, hour=10),
            )
            dossier = _dossier(agency_id)
        for proposal in dossier["proposals"]:
            if proposal["decided_at"] is None:
                services.decide_proposal(
                    actor=story.person("zhao"),
                    proposal_id=proposal["id"],
                    approved=True,
                    reason="已复核资质文件",
                    at=scene.at(day=-17, hour=16),
                )
    _relate(story)
    approved = partners.agencies(OPERATOR, states=["APPROVED"])
    return f"{len(approved)} approved by a second person; {scene.notes['approval_refused']['message']}"


def _relate(story: Story) -> None:
    """Write down what the checks brought to light: two agencies share an owner, one has an interest in a region."""
    scene, at = story.scene, story.scene.at(day=-16, hour=10)
    *_, third, sister, other = (story.agency_ids()[agency.code] for agency in story.panel())
    for agency_id in (sister, other):
        if not _dossier(agency_id)["memberships"]:
            services.enter_group(
                actor=story.person("chen"), agency_id=agency_id, group="恒远控股", reason="工商登记显示同一控股股东",
                active_from=scene.start - timedelta(days=16), at=at,
            )  # fmt: skip
    if not _dossier(third)["conflicts"]:
        services.enter_conflict(
            actor=story.person("chen"), agency_id=third, kind="REGION", subject="46", reason="实际控制人在该省经营借贷业务",
            active_from=scene.start - timedelta(days=16), at=at,
        )  # fmt: skip


def _try_without_agreement(story: Story, agency: Agency, agency_id: UUID) -> None:
    try:
        services.propose_approval(
            actor=story.person("lin"),
            agency_id=agency_id,
            capacity_accounts_max=1,
            reason="赶在上线之前",
            at=story.scene.at(day=-22, hour=9),
        )
    except Refusal as refusal:
        story.scene.notes["approval_refused"] = {"agency": agency.code, **refusal.as_dict()}
        story.keep()
    else:
        raise RuntimeError("an agency without a confidentiality agreement was proposed")


def _agree(story: Story, agency: Agency, agency_id: UUID, *, at: datetime) -> None:
    scene, standing = story.scene, {row["kind"] for row in _dossier(agency_id)["agreements"]}
    terms = {
        "CONFIDENTIALITY": {"fields_allowed": FIELDS},
        "SERVICE": {
            "fee_bps_by_bucket": agency.fee_bps | {"default": agency.fee_bps["M3"]},
            "accepts_in_advance": agency.code != steps_answers.ANSWERING,
        },
    }
    for kind, term in terms.items():
        if kind not in standing:
            services.sign_agreement(
                actor=story.person("lin"),
                agency_id=agency_id,
                kind=kind,
                active_from=scene.start - timedelta(days=21),
                active_to=scene.start + timedelta(days=345),
                at=at,
                **term,  # type: ignore[arg-type]
            )


def collectors(story: Story) -> str:
    """Register collectors, issue each agency's API key, let an agency's people into the portal."""
    scene, registered = story.scene, 0
    for agency in story.panel():
        agency_id = story.agency_ids()[agency.code]
        standing = {row["badge"] for row in _dossier(agency_id)["collectors"]}
        for number in range(1, COLLECTORS + 1):
            badge = f"{agency.code[:4]}-{number:03d}"
            registered += 1
            if badge not in standing:
                services.register_collector(
                    actor=story.person("lin"),
                    agency_id=agency_id,
                    badge=badge,
                    alias=f"{agency.name_zh[:2]}{number}号",
                    registered_on=scene.start - timedelta(days=15),
                    trained_until=scene.start + timedelta(days=350),
                    at=scene.at(day=-15, hour=10),
                )
        if agency.code not in scene.keys:
            scene.keys[agency.code] = keys.issue_key(
                actor=story.person("admin"),
                agency_id=agency_id,
                name=f"{agency.name_zh}:业务系统",
                at=scene.at(day=-14),
            ).secret
            story.keep()
    add_people(story, [person for person in PEOPLE if person.agency])
    return f"{registered} collectors with badges, {len(scene.keys)} API keys"


def plans(story: Story) -> str:
    """Draft a plan with each agency; the lender signs, then the agency over what it read."""
    scene = story.scene
    for agency in story.panel():
        agency_id = story.agency_ids()[agency.code]
        found = plan_queries.plans(OPERATOR, agency_id=agency_id)
        plan_id = (
            found[0]["id"]
            if found
            else plan_services.draft_plan(
                actor=story.person("lin"),
                agency_id=agency_id,
                active_from=scene.start,
                active_to=scene.start + timedelta(days=365),
                targets=_targets(agency),
                milestones=_milestones(scene.start),
                note_text="按机构以往业绩共同拟定",
                at=scene.at(day=-12, hour=10),
            )
        )
        if _plan_state(plan_id) == "DRAFT":
            plan_services.sign_as_lender(
                actor=story.person("zhao"), plan_id=plan_id, at=scene.at(day=-10, hour=10)
            )
        if _plan_state(plan_id) == "OFFERED":
            at = scene.at(day=-9, hour=15)
            actor = story.agency(agency.code, at=at)
            read = plan_queries.plan(actor, plan_id=plan_id)
            assert read is not None
            plan_services.sign_as_agency(actor=actor, plan_id=plan_id, digest=read["digest"], at=at)
    signed = [row for row in plan_queries.plans(OPERATOR) if row["state"] == "SIGNED"]
    return f"{len(signed)} plans signed by both sides"


def _plan_state(plan_id: UUID) -> str:
    found = plan_queries.plan(OPERATOR, plan_id=plan_id)
    assert found is not None
    return str(found["state"])


def _targets(agency: Agency) -> dict[str, list[int]]:
    """Scale the common targets by how the agency did in the past, within 15 %."""
    past = [row["liquidation"] for row in agency.past if "liquidation" in row]
    factor = min(max(sum(past) / len(past) / 0.18, 0.85), 1.15)
    return {bucket: [round(value * factor) for value in values] for bucket, values in TARGETS.items()}


def _milestones(start: date) -> list[dict[str, Any]]:
    return [
        {"title_zh": "全部案件完成首次联系尝试", "title_en": "Every case tried once", "owner": "AGENCY", "due_on": start + timedelta(days=21)},
        {"title_zh": "首次联合复盘", "title_en": "First joint review", "owner": "LENDER", "due_on": start + timedelta(days=28)},
        {"title_zh": "首期佣金结算", "title_en": "First settlement paid", "owner": "LENDER", "due_on": start + timedelta(days=45)},
        {"title_zh": "投诉整改复查", "title_en": "Complaints looked at again", "owner": "AGENCY", "due_on": start + timedelta(days=60)},
    ]  # fmt: skip
