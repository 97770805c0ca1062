"""What follows an approval: agencies answer offers, declined accounts go elsewhere, a recall is told and objected to, a term extended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import polars as pl

from weituo.cli.demo.story import OPERATOR, Story
from weituo.domain.placement import answers, terms
from weituo.domain.placement import queries as placement_queries
from weituo.domain.placement import services as placement
from weituo.domain.tracking import queries as tracking_queries

#: the agency whose service agreement asks it for an answer to every placement
ANSWERING: Final = "NANLING"
#: reason for declining → one in so many of what it is offered
DECLINED: Final = {"CONFLICT_OF_INTEREST": 90, "DATA_INCOMPLETE": 60}
#: recall notices given once, for cases that nobody came near to
NOTICED: Final = 6
RETAINED: Final = 3


def set_terms(story: Story, *, at: datetime) -> None:
    """Put the lender's terms for answers, recalls and retention in force, once."""
    if terms.current(OPERATOR).version == 0:
        placement.set_terms(
            actor=story.person("zhao"), answer_days=2, notice_days=7, retention_times_max=2, retention_months_max=3,
            upheld_days={"PROMISE_DUE": 10}, reason="与各机构商定：有承诺到期的案件可顺延退案", at=at,
        )  # fmt: skip


def answered(story: Story, *, run_id: UUID, at: datetime) -> None:
    """Let the agency that is asked decline a few of its offers and accept the others; place the declined ones again."""
    agency = story.agency(ANSWERING, at=at)
    offers = sorted(answers.my_offers(agency, limit=placement.ANSWERS_MAX), key=lambda row: (row["balance_minor"], row["case_ref"]))  # fmt: skip
    refs = [row["case_ref"] for row in offers]
    if not answers.declines(OPERATOR, run_id=run_id):
        for reason, one_in in DECLINED.items():
            chosen = refs[one_in // 2 :: one_in] or refs[:1]
            refs = [ref for ref in refs if ref not in chosen]
            if chosen:
                placement.decline_placements(actor=agency, case_refs=chosen, reason=reason, at=at)
    if refs:
        placement.accept_placements(actor=agency, case_refs=refs, at=at)
    placement.refill_run(actor=story.person("lin"), run_id=run_id, at=at + timedelta(seconds=20))
    late = answers.my_offers(agency, limit=placement.ANSWERS_MAX)
    if late:
        placement.accept_placements(
            actor=agency, case_refs=[row["case_ref"] for row in late], at=at + timedelta(seconds=40)
        )


def told(story: Story, active: pl.DataFrame, *, at: datetime) -> str:
    """Give notice of a few recalls, once; the agency objects to two, by the rule and to a person, who upholds it."""
    agency_id = str(story.agency_ids()[ANSWERING])
    promised = set(
        tracking_queries.promises_frame(OPERATOR).filter(pl.col("state") == "OPEN")["placement_id"]
    )
    mine = active.filter(pl.col("agency_id") == agency_id).sort("case_ref")
    quiet = mine.filter(~pl.col("placement_id").is_in(list(promised)))["placement_id"].to_list()
    busy = mine.filter(pl.col("placement_id").is_in(list(promised)))["placement_id"].to_list()
    chosen = [*busy[:1], *quiet[: NOTICED - len(busy[:1])]]
    if not chosen:
        return ""
    noticed = placement.give_notice(
        actor=story.person("lin"), placement_ids=[UUID(one) for one in chosen], reason="NO_PROGRESS", at=at
    )
    agency, [first, *others] = story.agency(ANSWERING, at=at), chosen
    refs = {row["placement_id"]: row["case_ref"] for row in mine.to_dicts()}
    final_on = _final_on(first)
    placement.object_to_recall(
        actor=agency, case_refs=[refs[first]], code="PROMISE_DUE", evidence_on=final_on + timedelta(days=3),
        at=at + timedelta(minutes=1),
    )  # fmt: skip
    if others:
        placement.object_to_recall(
            actor=agency, case_refs=[refs[others[0]]], code="PAYMENT_UNDER_WAY", evidence_on=final_on + timedelta(days=2),
            text="客户已提交转账，等待到账", at=at + timedelta(minutes=1),
        )  # fmt: skip
    waiting = [row["objection_id"] for row in answers.notices(OPERATOR) if row["objection_state"] == "OPEN"]
    if waiting:
        placement.decide_objections(
            actor=story.person("zhao"), objection_ids=waiting, upheld=True, until=final_on + timedelta(days=4),
            reason="有在途款项，暂缓退案", at=at + timedelta(minutes=2),
        )  # fmt: skip
    return f"{noticed} recalls told, 2 objections"


def _final_on(placement_id: str) -> Any:
    return placement_queries.placement(OPERATOR, placement_id=UUID(placement_id))["recall_final_on"]


def due(story: Story, *, at: datetime) -> str:
    """Do what has come due: offers that were not answered, recalls that are final."""
    placement.lapse_offers(actor=story.person("lin"), at=at)
    final = placement.finalise_recalls(actor=story.person("lin"), at=at)
    return f"{final} recalls final" if final else ""


def kept(story: Story, active: pl.DataFrame, *, at: datetime) -> str:
    """Extend the term of a few cases with an open promise, once."""
    promised = tracking_queries.promises_frame(OPERATOR).filter(pl.col("state") == "OPEN")["placement_id"]
    found = active.filter(
        pl.col("placement_id").is_in(promised.implode())
        & (pl.col("agency_id") == str(story.agency_ids()[ANSWERING]))
    ).sort("case_ref")[:RETAINED]
    noticed = {str(row["placement_id"]) for row in answers.notices(OPERATOR)}
    for row in found.filter(~pl.col("placement_id").is_in(list(noticed))).to_dicts():
        if placement_queries.placement(OPERATOR, placement_id=UUID(row["placement_id"]))["retained"]:
            continue
        placement.retain(
            actor=story.person("zhao"), placement_ids=[UUID(row["placement_id"])], term_to=row["term_to"] + timedelta(days=60),
            reason="正在按承诺分期还款", at=at,
        )  # fmt: skip
    return f"{found.height} terms extended" if found.height else ""
