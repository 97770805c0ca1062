"""Between two weeks: bank lines, bookings, promises, the lender's own desk, care, reviews, recalls, settlement."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import polars as pl

from weituo.cli.demo import in_house, steps_answers, steps_placing
from weituo.cli.demo.scene import CURRENCY, SHANGHAI, SURGE_SHARE
from weituo.cli.demo.story import OPERATOR, Story
from weituo.core.twin import agencies as twin
from weituo.domain.care import queries as care_queries
from weituo.domain.care import services as care
from weituo.domain.ledger import queries as ledger_queries
from weituo.domain.ledger import services as ledger
from weituo.domain.ledger.errors import NothingToSettle
from weituo.domain.partners import services as partners
from weituo.domain.placement import answers
from weituo.domain.placement import queries as placement_queries
from weituo.domain.placement import services as placement
from weituo.domain.plans import queries as plan_queries
from weituo.domain.plans import services as plan_services
from weituo.domain.tracking import queries as tracking_queries
from weituo.domain.tracking import services as tracking

#: weeks between two reviews
REVIEW_WEEKS: Final = 4
#: kind of case → how many days it may wait for the desk, and one in how many is upheld
DESK: Final = {"DISPUTE": (0, 3), "HARDSHIP": (5, 2), "COMPLAINT": (5, 2)}
#: kind of case → the answer where it is not upheld, and where it is
ANSWERS: Final = {
    "DISPUTE": ("经核查，账务记录无误，账单明细已另行寄送。", "经核查，您的异议成立，账务已更正，催收已停止。"),
    "HARDSHIP": ("经核查，目前不符合困难减免条件，您可以申请分期还款。", "您的困难情况属实，案件已撤回，我们会与您商定还款安排。"),
    "COMPLAINT": ("经核查录音，未发现违规，感谢您的反映。", "经核查，投诉属实，我们已要求机构整改，并向您致歉。"),
}  # fmt: skip
#: once, one in so many of the cases of the agency with the roughest manners is taken back
ROUGH_PART: Final = 25
#: what the bank kept of a transfer in the weeks when one line does not match, in fen
BANK_FEE_MINOR: Final = 1_500


def weeks(story: Story, week: int) -> str:
    """Do what the lender does on the Monday after week `week`; every part may run again."""
    at = story.scene.at(week=week, day=7, hour=7)
    booked = _money(story, week, at)
    decided = tracking.decide_promises(actor=story.person("wu"), at=at + timedelta(minutes=5))
    answered = _care(story, at + timedelta(minutes=10))
    said = [
        f"{booked:,} payments",
        f"{decided['KEPT']} kept, {decided['BROKEN']} broken",
        f"{answered} cases answered",
    ]
    said += _recall(story, week, at + timedelta(minutes=20))
    said += _review(story, week, at + timedelta(minutes=30))
    said += _months(story, week, at + timedelta(minutes=40))
    said += _second_run(story, week)
    return ", ".join(said)


def _money(story: Story, week: int, at: datetime) -> int:
    """Receive the bank's lines (mostly one a remittance), book what matches, and book what the desk's borrowers paid."""
    sun = story.person("sun")
    claims = ledger_queries.remittances(OPERATOR, state="REPORTED")
    lines = [
        {
            "reference": claim["sender_ref"],
            "booked_on": at.astimezone(SHANGHAI).date(),
            "amount_minor": claim["total_minor"],
            "currency": claim["currency"],
            "remittance_text": f"催收回款 {claim['sender_ref']}",
        }
        for claim in sorted(claims, key=lambda row: row["sender_ref"])
    ]
    short = (
        lines[week // 4 % len(lines)] if lines else None
    )  # each time of another agency, so that none looks worse
    if week % 4 == 3 and short and short["amount_minor"] > BANK_FEE_MINOR:
        short["amount_minor"] -= BANK_FEE_MINOR  # the bank kept a fee: a person must look at it
    if week % 4 == 2:
        lines.append(
            {
                "reference": f"TRF-{story.scene.begins_on}-{week:03d}",
                "booked_on": at.astimezone(SHANGHAI).date(),
                "amount_minor": 88_000 + 1_000 * week,
                "currency": CURRENCY,
                "remittance_text": "付款人不详",
            }
        )
    if lines:
        ledger.receive_bank_lines(actor=sun, lines=pl.DataFrame(lines), at=at)
    booked = ledger.book_remittances(actor=sun, at=at + timedelta(minutes=1))
    return booked + in_house.book_payments(story, week=week, intensity=1.0)


def _care(story: Story, at: datetime) -> int:
    """Answer cases well within their clocks: disputes at once, the others the week after."""
    he, answered = story.person("he"), 0
    for case in care_queries.cases(OPERATOR, state="OPEN", limit=5_000):
        wait, one_in = DESK[case["kind"]]
        if case["opened_at"] > at - timedelta(days=wait):
            continue
        upheld = case["id"].int % one_in == 0
        care.decide_case(
            actor=he,
            case_id=case["id"],
            upheld=upheld,
            answer=ANSWERS[case["kind"]][upheld],
            at=at,
        )
        answered += 1
    return answered


def _recall(story: Story, week: int, at: datetime) -> list[str]:
    """Take back cases whose dispute or hardship was upheld; once, also part of an agency's cases because of its manners.

    The recalled cases leave the packages; their agencies destroy what they hold of them and confirm it.
    """
    placed = placement_queries.placements_frame(OPERATOR)
    active = placed.filter(pl.col("state") == "ACTIVE")
    said: list[str] = []
    if (week + 1) % REVIEW_WEEKS == 0:
        cases = care_queries.cases_frame(OPERATOR)
        for kind in ("DISPUTE", "HARDSHIP"):
            upheld = cases.filter((pl.col("kind") == kind) & pl.col("upheld"))["placement_id"].drop_nulls()
            found = active.filter(pl.col("placement_id").is_in(upheld.implode()))["placement_id"].to_list()
            said += _take_back(story, found, reason=kind, at=at)
    if week == _turn(story, 0.4) and "CONDUCT" not in placed["recall_reason"].to_list():
        rough = str(story.agency_ids()["SUXUN"])
        found = active.filter(pl.col("agency_id") == rough).sort("case_ref")["placement_id"].to_list()
        said += _take_back(
            story, found[: max(1, len(found) // ROUGH_PART)], reason="CONDUCT", at=at + timedelta(minutes=2)
        )
    said += _answers(story, week, at)
    for number in range(1, 1 + steps_placing.approved_runs()):
        steps_placing.share(story, number=number, at=at + timedelta(minutes=4))
    steps_placing.destroy(story, at=at + timedelta(minutes=30))
    return said


def _answers(story: Story, week: int, at: datetime) -> list[str]:
    """Make due recalls final; once, tell a few first, and once, keep a few cases longer."""
    said = [steps_answers.due(story, at=at + timedelta(minutes=1))]
    # what was recalled a moment ago is active no more
    active = placement_queries.placements_frame(OPERATOR).filter(pl.col("state") == "ACTIVE")
    if week == _turn(story, 0.6) and not answers.notices(OPERATOR, open_only=False):
        said.append(steps_answers.told(story, active, at=at + timedelta(minutes=2)))
    if week == _turn(story, 0.8) and not active.is_empty():
        said.append(steps_answers.kept(story, active, at=at + timedelta(minutes=3)))
    return [one for one in said if one]


def _take_back(story: Story, placement_ids: list[str], *, reason: str, at: datetime) -> list[str]:
    if not placement_ids:
        return []
    recalled = placement.recall(
        actor=story.person("lin"), placement_ids=[UUID(one) for one in placement_ids], reason=reason, at=at
    )
    return [f"{recalled} recalled ({reason})"]


def _turn(story: Story, share: float) -> int:
    """Give the week at this share of the whole story."""
    return max(1, int(story.scene.weeks * share))


def _review(story: Story, week: int, at: datetime) -> list[str]:
    """Every four weeks: raise alerts, hold a review with each agency, close an alert with an action."""
    if (week + 1) % REVIEW_WEEKS:
        return []
    scene, lin = story.scene, story.person("lin")
    raised = tracking.raise_alerts(actor=story.person("wu"), at=at)
    period_to = scene.at(week=week, day=7, hour=12).date()
    period_from = period_to - timedelta(weeks=REVIEW_WEEKS)
    for agency_id in story.agency_ids().values():
        held = tracking_queries.reviews(OPERATOR, agency_id=agency_id)
        if any(row["period_to"] == period_to for row in held):
            continue
        tracking.hold_review(
            actor=lin,
            agency_id=agency_id,
            period_from=period_from,
            period_to=period_to,
            findings="双方共同核对了覆盖率、承诺兑现和投诉情况。",
            actions="机构优先联系久未触达的案件；四周后复查投诉整改。",
            at=at + timedelta(minutes=5),
        )
        _milestones(story, agency_id, at=at + timedelta(minutes=6))
    _close_alert(story, at=at + timedelta(minutes=8))
    return [f"{len(raised)} alerts, {len(story.agency_ids())} reviews"]


def _milestones(story: Story, agency_id: UUID, *, at: datetime) -> None:
    for plan in plan_queries.plans(OPERATOR, agency_id=agency_id):
        whole = plan_queries.plan(OPERATOR, plan_id=plan["id"])
        for row in (whole or {}).get("milestones", []):
            if row["done_at"] is None and row["due_on"] <= at.date():
                plan_services.finish_milestone(actor=story.person("lin"), milestone_id=row["id"], at=at)


def _close_alert(story: Story, *, at: datetime) -> None:
    """Close the oldest open alert that is no longer news."""
    found = sorted(
        tracking_queries.alerts(OPERATOR), key=lambda row: (row["raised_at"], row["code"], str(row["id"]))
    )
    if len(found) > 1:
        tracking.close_alert(
            actor=story.person("lin"), alert_id=found[0]["id"], action="已在复盘会上讨论，机构将提交改进安排", at=at
        )  # fmt: skip


def _months(story: Story, week: int, at: datetime) -> list[str]:
    """Close every month that has ended: the desk's cost, and each agency's statement drawn, agreed, approved."""
    today = at.astimezone(SHANGHAI).date()
    said: list[str] = []
    month = story.scene.start.replace(day=1)
    while (end := (month + timedelta(days=32)).replace(day=1)) <= today:
        if not story.has(f"month {month:%Y-%m}"):
            in_house.record_cost(
                story, month=month, end=end, worked=in_house.cases(story, week=week).height, at=at
            )
            paid = [settle(story, agency_id=i, code=c, month=month, end=end, at=at) for c, i in story.agency_ids().items()]  # fmt: skip
            story.mark(f"month {month:%Y-%m}")
            said.append(f"{month:%Y-%m}: {sum(paid)} statements paid")
        month = end
    return said


def settle(story: Story, *, agency_id: UUID, code: str, month: date, end: date, at: datetime) -> bool:
    """Draw a month's statement (sun), let the agency agree to it and a second person (zhou) approve it."""
    try:
        statement_id = ledger.draw_statement(
            actor=story.person("sun"), agency_id=agency_id, period_from=month, period_to=end, at=at
        )
    except NothingToSettle:
        return False
    agency = story.agency(code, at=at)
    if _state(statement_id) == "DRAWN":
        ledger.agree_statement(actor=agency, statement_id=statement_id, at=at + timedelta(minutes=10))
    if _state(statement_id) == "AGREED":
        ledger.approve_statement(
            actor=story.person("zhou"), statement_id=statement_id, at=at + timedelta(minutes=15)
        )
    return True


def _state(statement_id: UUID) -> str:
    found: list[dict[str, Any]] = ledger_queries.statements(OPERATOR, statement_id=statement_id)
    return str(found[0]["state"])


def _second_run(story: Story, week: int) -> list[str]:
    """Half way, let two agencies take more cases within the day, and place again what was recalled or never placed."""
    scene = story.scene
    if scene.weeks < 10 or week != _turn(story, 0.5):
        return []
    at = scene.at(week=week, day=7, hour=8)
    ids = story.agency_ids()
    for code in ("HENGAN", "XILIN"):
        whole = twin.agency(code=code).capacity * scene.accounts // 20_000
        partners.set_capacity(
            actor=story.person("lin"),
            agency_id=ids[code],
            capacity_accounts_max=round(whole * SURGE_SHARE),
            reason="业务高峰：案件量超过自有团队的处理能力",
            at=at,
        )
    said = steps_placing.run_once(story, number=2, at=at)
    shared = steps_placing.share(story, number=2, at=at + timedelta(minutes=12))
    return [f"second run: {said}; {shared}"]
