"""The end: the running month, the comparison of agencies, a borrower's access, and the proofs."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

import polars as pl
from django.db import connections

from weituo.cli.demo import in_house
from weituo.cli.demo.scene import SHANGHAI
from weituo.cli.demo.story import OPERATOR, Story
from weituo.domain.book import queries as book
from weituo.domain.care import services as care
from weituo.domain.contact import queries as contact
from weituo.domain.evaluation import queries as evaluation_queries
from weituo.domain.evaluation import services as evaluations
from weituo.domain.ledger import queries as ledger
from weituo.domain.placement import queries as placement
from weituo.foundation.audit import journal
from weituo.foundation.identity import people
from weituo.foundation.vault import store

#: tables whose rows change as the work goes on
GROWN: Final = ("contact_permit", "contact_attempt", "ledger_leg", "ledger_entry")
#: verdict → what a vendor manager decides on it, and why
DECISIONS: Final = {
    "WORSE": ("IMPROVE", "净回款低于同行，置信区间已排除偶然"),
    "BETTER": ("RENEW", "净回款高于同行，置信区间已排除偶然"),
}


def close_month(story: Story) -> str:
    """Book the desk's cost of the month that is still running."""
    scene = story.scene
    at = scene.at(week=scene.weeks, hour=8, minute=10)
    end = at.astimezone(SHANGHAI).date()
    worked = in_house.cases(story, week=scene.weeks).height
    if end.day > 1:
        in_house.record_cost(story, month=end.replace(day=1), end=end, worked=worked, at=at)
    statements = ledger.statements(OPERATOR)
    paid = [row for row in statements if row["state"] == "PAID"]
    return f"{len(statements)} statements, {len(paid)} paid: {sum(row['commission_minor'] for row in paid) / 100:,.2f}"


def evaluation(story: Story) -> str:
    """Compare the agencies over the whole time, and decide on what can be told apart."""
    scene = story.scene
    at = scene.at(week=scene.weeks, hour=9)
    period_to = at.astimezone(SHANGHAI).date()
    standing = evaluation_queries.evaluations(OPERATOR)
    evaluation_id = (
        standing[0]["id"]
        if standing
        else evaluations.evaluate(
            actor=story.person("wu"), period_from=scene.start, period_to=period_to, at=at
        )
    )
    cards = evaluation_queries.evaluation(OPERATOR, evaluation_id=evaluation_id)["scorecards"]
    decided = {row["scorecard_id"] for row in evaluation_queries.decisions(OPERATOR)}
    rough = (
        contact.refusals_frame(OPERATOR)["agency_id"].value_counts(sort=True)["agency_id"].head(1).to_list()
    )
    for card in cards:
        decision, reason = DECISIONS.get(card["verdict"], ("", ""))
        if str(card["agency_id"]) in rough:  # however much money it brings
            decision, reason = "IMPROVE", "申请规则所禁止的联络最多：先整改，再谈续约"
        if decision and card["id"] not in decided:
            evaluations.decide(
                actor=story.person("lin"),
                scorecard_id=card["id"],
                decision=decision,
                reason=reason,
                at=at + timedelta(minutes=30),
            )
    verdicts = [card["verdict"] for card in cards]
    return ", ".join(f"{verdict} {verdicts.count(verdict)}" for verdict in sorted(set(verdicts)))


def borrower(story: Story) -> str:
    """Send one borrower the letter with the access code; the borrower sets a wish."""
    scene = story.scene
    at = scene.at(week=scene.weeks, hour=10)
    chosen = _borrower(story)
    he = story.person("he")
    if not scene.borrower_code:
        subject = book.subject_ids(he, borrower_ids=[chosen])[chosen]
        known = store.read(he, subject_ids=[subject], fields=["identity_number"])
        scene.borrower_last_four = known[subject]["identity_number"][0][-4:]
        scene.borrower_code = care.issue_code(actor=he, borrower_id=chosen, at=at)
        scene.notes["borrower_id"] = str(chosen)
        story.keep()
    care.set_wish(
        actor=people.borrower_actor(borrower_id=chosen),
        channels=["SMS", "PHONE"],
        hour_from=10,
        hour_to=18,
        language="zh-hans",
        at=at + timedelta(hours=1),
    )
    return "code issued, wish set"


def _borrower(story: Story) -> UUID:
    """Choose a borrower with a case at an agency, contacts and a payment, so that every page has something to show."""
    if "borrower_id" in story.scene.notes:
        return UUID(story.scene.notes["borrower_id"])
    placed = placement.placements_frame(OPERATOR).filter(pl.col("state") == "ACTIVE")
    paid = ledger.payments_frame(OPERATOR)
    spoken = contact.attempts_frame(OPERATOR).filter(pl.col("result") == "PROMISE")
    held = book.holds_frame(OPERATOR, at=story.scene.at(week=story.scene.weeks, hour=10))
    best = (
        placed.join(held, on="borrower_id", how="anti")
        .with_columns(
            paid=pl.col("borrower_id").is_in(paid["borrower_id"].implode()),
            spoken=pl.col("borrower_id").is_in(spoken["borrower_id"].implode()),
        )
        .sort("paid", "spoken", "case_ref", descending=[True, True, False])
    )
    return UUID(best["borrower_id"][0])


def give_back(story: Story) -> str:
    """Give back the room that changed rows left behind, so that what stands takes no more than it needs."""
    with connections["owner"].cursor() as cursor:
        for table in GROWN:
            cursor.execute(f"VACUUM (FULL, ANALYZE) {table}")
        cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        (size,) = cursor.fetchone()
    connections["owner"].close()
    return f"the database takes {size}"


def proofs(story: Story) -> str:
    """Recompute the audit chain and the ledger."""
    verdict = journal.verify(story.person("auditor"))
    differences = ledger.check(story.person("auditor"))
    if verdict.altered_seq is not None or differences:
        raise RuntimeError(f"the proofs fail: {verdict} {differences[:1]}")
    return f"{verdict.entries:,} audit entries whole, ledger agrees to the cent"
