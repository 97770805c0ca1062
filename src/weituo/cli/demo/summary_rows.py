"""The rows of the summary: one function a stage, each giving its figures and the sentence for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import polars as pl

from weituo.cli.demo.scene import SHANGHAI
from weituo.cli.demo.story import OPERATOR, Story
from weituo.domain.book import queries as book
from weituo.domain.care import queries as care
from weituo.domain.contact import queries as contact
from weituo.domain.evaluation import queries as evaluation
from weituo.domain.ledger import queries as ledger
from weituo.domain.partners import queries as partners
from weituo.domain.placement import answers
from weituo.domain.placement import queries as placement
from weituo.domain.plans import queries as plans
from weituo.domain.sharing import queries as sharing
from weituo.domain.tracking import queries as tracking
from weituo.foundation.audit import journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Frames that several rows rest on, read once."""

    accounts: pl.DataFrame
    placements: pl.DataFrame
    payments: pl.DataFrame
    commissions: pl.DataFrame
    costs: pl.DataFrame
    statements: list[dict[str, Any]]


def ground(*, on: date) -> Ground:
    """Read what several rows rest on; accounts as they are on a day."""
    return Ground(
        accounts=book.accounts_frame(OPERATOR, on=on),
        placements=placement.placements_frame(OPERATOR),
        payments=ledger.payments_frame(OPERATOR),
        commissions=ledger.commissions_frame(OPERATOR),
        costs=ledger.costs_frame(OPERATOR),
        statements=ledger.statements(OPERATOR),
    )


Row = tuple[dict[str, Any], str]


def _business_case(story: Story, ground: Ground) -> Row:
    desk, agencies = _ways(ground)
    opened = sum(row["balance_minor"] for row in book.imports(OPERATOR))
    figures = {
        "accounts": ground.accounts.height,
        "imported_minor": opened,
        "in_house_recovered_minor": desk,
        "in_house_cost_minor": _sum(ground.costs, "amount_minor"),
        "agencies_recovered_minor": agencies,
        "agencies_cost_minor": _sum(ground.commissions, "amount_minor"),
    }
    said = (
        f"{figures['accounts']:,} overdue accounts, {yuan(opened)}; own desk {yuan(desk)} at {_unit(figures['in_house_cost_minor'], desk)} "
        f"a yuan, agencies {yuan(agencies)} at {_unit(figures['agencies_cost_minor'], agencies)}"
    )
    return figures, said


def _ways(ground: Ground) -> tuple[int, int]:
    """Give what was recovered without and with an agency."""
    with_agency = pl.col("agency_id").is_not_null()
    return (
        _sum(ground.payments.filter(~with_agency), "amount_minor"),
        _sum(ground.payments.filter(with_agency), "amount_minor"),
    )


def _screening(story: Story, ground: Ground) -> Row:
    board = partners.pipeline(OPERATOR, on=story.scene.start)
    dossiers = [partners.dossier(OPERATOR, agency_id=row["id"]) or {} for row in board]
    refused = story.scene.notes["approval_refused"]
    figures = {
        "agencies": len(board),
        "papers": sum(len(one["papers"]) for one in dossiers),
        "approved": sum(row["state"] == "APPROVED" for row in board),
        "proposals": sum(len(one["proposals"]) for one in dossiers),
        "refused": refused["code"],
    }
    said = (
        f"{figures['agencies']} agencies on {figures['papers']} papers, {figures['approved']} approved by two persons; "
        f"refused: {refused['message']} ({refused['rule']})"
    )
    return figures, said


def _plans(story: Story, ground: Ground) -> Row:
    signed = [row for row in plans.plans(OPERATOR) if row["state"] == "SIGNED"]
    whole = [plans.plan(OPERATOR, plan_id=row["id"]) or {} for row in signed]
    steps = [row for one in whole for row in one["milestones"]]
    figures = {
        "signed": len(signed),
        "targets": sum(len(one["targets"]) for one in whole),
        "milestones": len(steps),
        "milestones_done": sum(row["done_at"] is not None for row in steps),
    }
    return figures, "{signed} plans signed by both sides, {targets} targets, {milestones_done} of {milestones} milestones reached".format(**figures)  # fmt: skip


def _strategies(story: Story, ground: Ground) -> Row:
    treated = plans.treatments_frame(OPERATOR).group_by("treatment").len().sort("treatment")
    counts = {row["treatment"]: row["len"] for row in treated.to_dicts()}
    strategy = plans.current_strategy(OPERATOR) or {}
    said = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return {"version": strategy["version"], "treated": counts}, f"version {strategy['version']}: {said}"


def _placement(story: Story, ground: Ground) -> Row:
    runs = [row for row in placement.runs(OPERATOR) if row["state"] == "APPROVED"]
    back, told = answers.declines(OPERATOR), answers.notices(OPERATOR, open_only=False)
    placed, states = ground.placements, Counter(ground.placements["state"].to_list())
    figures = {
        "runs": len(runs),
        "placed": placed.height,
        "placed_minor": _sum(placed, "balance_minor"),
        "agencies": placed["agency_id"].n_unique(),
        "active": states["ACTIVE"],
        "recalled": states["RECALLED"],
        "placed_again": placed.filter(pl.col("sequence") > 1).height,
        "declined": sum(row["offers"] for row in back if row["state"] == "DECLINED"),
        "refilled": sum(
            row["placed"] for run in runs for row in answers.refill_totals(OPERATOR, run_id=run["id"])
        ),
        "notices": len(told),
        "objections": sum(row["objection_id"] is not None for row in told),
        "by_chance": sum(row["proof"]["explored"] for row in runs),
        "expected_net_minor": sum(row["expected_net_minor"] for row in runs),
        "bound_minor": sum(row["bound_minor"] for row in runs),
        "planned_minor": sum(row["proof"]["planned_minor"] for row in runs),
        "planned_bound_minor": sum(row["proof"]["planned_bound_minor"] for row in runs),
    }
    bound = figures["planned_bound_minor"]
    gap = 1 - figures["planned_minor"] / bound if bound else 0.0
    said = (
        f"{figures['runs']} runs, {figures['placed']:,} cases worth {yuan(figures['placed_minor'])} with {figures['agencies']} agencies, "
        f"{figures['recalled']:,} recalled, {figures['placed_again']:,} placed again, "
        f"{figures['declined']:,} declined and {figures['refilled']:,} of them placed elsewhere, {figures['notices']:,} recalls told first with {figures['objections']:,} objections; plans within {gap:.2%} of the proven bound, "
        f"then {figures['by_chance']:,} cases given by chance, to compare agencies fairly"
    )
    return figures, said


def _sharing(story: Story, ground: Ground) -> Row:
    packages, destructions = sharing.packages(OPERATOR), sharing.destructions(OPERATOR)
    states = Counter(row["state"] for row in packages)
    figures = {
        "packages": len(packages),
        "cases": sum(row["cases"] for row in packages),
        "acknowledged": states["ACKNOWLEDGED"],
        "revoked": states["REVOKED"],
        "taken_back": sum(row["cases"] for row in destructions),
        "destroyed": sum(row["cases"] for row in destructions if row["confirmed_at"]),
        "bytes": sum(row["size_bytes"] for row in packages),
        "fields": len({name for row in packages for name in row["fields"]}),
    }
    said = (
        f"{figures['packages']} encrypted packages, {figures['cases']:,} cases, {figures['fields']} facts at most; "
        f"{figures['acknowledged']} acknowledged, {figures['revoked']} revoked; "
        f"{figures['taken_back']:,} cases taken back, {figures['destroyed']:,} destroyed by their agencies"
    )
    return figures, said


def _tracking(story: Story, ground: Ground) -> Row:
    attempts = contact.attempts_frame(OPERATOR)
    promises = tracking.promises(OPERATOR)
    alerts = tracking.alerts(OPERATOR, open_only=False, limit=10_000)
    _, recovered = _ways(ground)
    placed = _sum(ground.placements, "balance_minor")
    figures = {
        "attempts": attempts.height,
        "promises": sum(row["made"] for row in promises),
        "promises_kept": sum(row["kept"] for row in promises),
        "promises_broken": sum(row["broken"] for row in promises),
        "alerts": len(alerts),
        "alerts_open": sum(row["closed_at"] is None for row in alerts),
        "reviews": len(tracking.reviews(OPERATOR, limit=10_000)),
        "recovered_minor": recovered,
        "placed_minor": placed,
    }
    said = (
        f"{figures['attempts']:,} contacts, {figures['promises']:,} promises ({figures['promises_kept']:,} kept, "
        f"{figures['promises_broken']:,} broken), {yuan(recovered)} = {recovered / placed if placed else 0:.1%} of placed; "
        f"{figures['alerts']} alerts, {figures['reviews']} reviews"
    )
    return figures, said


def _evaluation(story: Story, ground: Ground) -> Row:
    made = evaluation.evaluations(OPERATOR)
    cards = evaluation.evaluation(OPERATOR, evaluation_id=made[0]["id"])["scorecards"] if made else []
    verdicts = dict(sorted(Counter(card["verdict"] for card in cards).items()))
    decisions = len(evaluation.decisions(OPERATOR))
    said = ", ".join(f"{count} {verdict.replace('_', ' ').lower()}" for verdict, count in verdicts.items())
    figures = {"scorecards": len(cards), "verdicts": verdicts, "decisions": decisions}
    return figures, f"{len(cards)} agencies compared fairly: {said}; {_counted(decisions, 'decision')}"


def _legal(story: Story, ground: Ground) -> Row:
    states = contact.permits_by_state(
        OPERATOR, since=story.scene.at(day=-60), until=story.scene.at(week=story.scene.weeks + 1)
    )
    refusals = contact.refusals_frame(OPERATOR)
    by_rule = refusals.group_by("rule").len().sort("len", "rule", descending=[True, False])
    night = _night(refusals)
    figures = {
        "asked": sum(states.values()),
        "refused": states.get("REFUSED", 0),
        "by_rule": {row["rule"]: row["len"] for row in by_rule.to_dicts()},
        "violations": contact.violations_frame(OPERATOR).height,
        "night": night,
    }
    said = f"{figures['asked']:,} permits asked, {figures['refused']:,} refused, {figures['violations']} violations"
    if night:
        said += f"; a call at {night['local_time']}: refused, {night['message']} ({night['citation']})"
    return figures, said


def _night(refusals: pl.DataFrame) -> dict[str, str] | None:
    """Give one refusal of a contact at 22:30 with its clause, in the words of the rule."""
    local = pl.col("planned_at").dt.convert_time_zone("Asia/Shanghai")
    late = refusals.filter((local.dt.hour() == 22) & (local.dt.minute() == 30)).sort("asked_at", "permit_id")
    for permit_id in late["permit_id"].head(20):
        permit = contact.replay_permit(OPERATOR, permit_id=permit_id)["permit"]
        for reason in permit["reasons"]:
            if "HOURS" in reason["code"]:
                planned: datetime = permit["planned_at"]
                return {
                    "local_time": planned.astimezone(SHANGHAI).strftime("%H:%M"),
                    "agency": permit["agency_code"],
                    "code": reason["code"],
                    "citation": reason["citation"],
                    "message": reason["text_en"],
                }
    return None


def _care(story: Story, ground: Ground) -> Row:
    cases = care.cases_frame(OPERATOR)
    kinds = dict(sorted(Counter(cases["kind"].to_list()).items()))
    late = cases.filter(pl.col("decided_at").fill_null(pl.col("opened_at")) > pl.col("due_at")).height
    figures = {
        "cases": cases.height,
        "by_kind": kinds,
        "decided": cases.filter(pl.col("state") == "DECIDED").height,
        "upheld": cases.filter(pl.col("upheld")).height,
        "answered_late": late,
        "wishes": care.wishes_frame(OPERATOR).height,
    }
    said = ", ".join(f"{kind.lower()} {count}" for kind, count in kinds.items())
    return figures, f"{said}; {figures['decided']} answered, {figures['upheld']} upheld, {late} late"


def _security(story: Story, ground: Ground) -> Row:
    verdict = journal.verify(OPERATOR)
    differences = ledger.check(OPERATOR)
    total = sum(row.balance_minor for row in ledger.trial_balance(OPERATOR))
    figures = {
        "audit_entries": verdict.entries,
        "audit_whole": verdict.altered_seq is None,
        "audit_head": verdict.head,
        "ledger_differences": len(differences),
        "trial_balance_minor": total,
    }
    said = (
        f"{verdict.entries:,} audit entries, chain {'whole' if figures['audit_whole'] else 'ALTERED'} (head {verdict.head[:12]}…); "
        f"trial balance {total}, {len(differences)} differences"
    )
    return figures, said


def _data(story: Story, ground: Ground) -> Row:
    model = next(row for row in placement.models(OPERATOR) if row["state"] == "PROMOTED")
    numbers = {name: value for name, value in model["metrics"].items() if isinstance(value, int | float)}
    figures = {"version": model["version"], "metrics": numbers}
    said = ", ".join(
        f"{name} {value:.3f}" for name, value in list(numbers.items())[:3] if isinstance(value, float)
    )
    return figures, f"model version {model['version']} in use ({said}), judged on accounts that it never saw"


def _together(story: Story, ground: Ground) -> Row:
    states = Counter(row["state"] for row in ground.statements)
    explored = ground.placements.filter(pl.col("probability") < 1).height
    figures = {
        "agencies": ground.placements["agency_id"].n_unique(),
        "statements": len(ground.statements),
        "paid": states["PAID"],
        "with_chance": explored,
        "remittances": len(ledger.remittances(OPERATOR, limit=100_000)),
        "unmatched": sum(row["matched_to"] == "" for row in ledger.bank_inbox(OPERATOR, limit=100_000)),
    }
    said = (
        f"{figures['agencies']} agencies side by side, {figures['remittances']:,} remittances ({figures['unmatched']} bank lines wait for a person), "
        f"{figures['paid']} of {figures['statements']} statements agreed and paid"
    )
    return figures, said


def _costs(story: Story, ground: Ground) -> Row:
    commission, base = _sum(ground.commissions, "amount_minor"), _sum(ground.commissions, "base_minor")
    paid = sum(row["commission_minor"] for row in ground.statements if row["state"] == "PAID")
    figures = {
        "commission_minor": commission,
        "commission_base_minor": base,
        "paid_out_minor": paid,
        "fee_bps_average": round(10_000 * commission / base) if base else 0,
        "capacity_accounts": sum(row.capacity_accounts_max for row in partners.agencies(OPERATOR)),
        "in_house_cost_minor": _sum(ground.costs, "amount_minor"),
    }
    said = (
        f"commission {yuan(commission)} on {yuan(base)} = {figures['fee_bps_average'] / 100:.2f} %, {yuan(paid)} paid out; "
        f"room for {figures['capacity_accounts']:,} accounts; own desk cost {yuan(figures['in_house_cost_minor'])}"
    )
    return figures, said


ROWS: Final[tuple[Callable[[Story, Ground], Row], ...]] = (
    _business_case, _screening, _plans, _strategies, _placement, _sharing, _tracking, _evaluation, _legal, _care, _security,
    _data, _together, _costs,
)  # fmt: skip


def _sum(frame: pl.DataFrame, column: str) -> int:
    return int(frame[column].sum())


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _unit(cost_minor: int, recovered_minor: int) -> str:
    return f"{cost_minor / recovered_minor:.3f}" if recovered_minor else "–"


def yuan(minor: int) -> str:
    """Write minor units as people do."""
    return f"¥{minor / 100:,.2f}"
