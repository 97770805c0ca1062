"""Strategy, model, placement run, packages: how accounts reach the agencies."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import polars as pl
import pyrage

from weituo.cli.demo import scene as scenes
from weituo.cli.demo import steps_answers
from weituo.cli.demo.agency_system import keep
from weituo.cli.demo.scene import INTENSITY, SEED
from weituo.cli.demo.story import OPERATOR, Story
from weituo.core.recovery import features
from weituo.core.twin import history
from weituo.domain.placement import queries as placement_queries
from weituo.domain.placement import services as placement
from weituo.domain.plans import queries as plan_queries
from weituo.domain.plans import services as plan_services
from weituo.domain.plans import treating
from weituo.domain.sharing import queries as sharing_queries
from weituo.domain.sharing import services as sharing

#: share of accounts that a run gives away by chance: nothing is known of these agencies yet, and only what chance gave
#: them can be compared fairly
EXPLORATION: Final = 0.3
#: of every agency open to such an account: even, or nearly so, because in sixteen weeks little is learned otherwise
LEAST_CHANCE: Final = 0.15
#: share of each bucket that goes to no agency, so that what outsourcing adds can be measured
HOLD_OUT: Final = 0.01
#: the past book that the model learns from: so many times the present one, within these sizes
PAST_BOOKS: Final = 2.25
PAST_ACCOUNTS: Final = (2_000, 45_000)
#: from this balance on a case stays with the lender's own specialists
OWN_DESK_MINOR: Final = 15_000_000
#: the strategy that is published: the usual one, and the largest cases kept at home
STRATEGY: Final = (
    *treating.DEFAULT_ROWS[:4],
    treating.Row(
        treatment="IN_HOUSE",
        balance_minor_min=OWN_DESK_MINOR,
        tone="FIRM",
        channels=("VOICE", "LETTER"),
        contacts_per_week_max=2,
        settlement_bps_max=3_000,
    ),
    *treating.DEFAULT_ROWS[4:],
)
#: a past account that one of these marks stopped was not placed
STOPPED_BY: Final = ("disputed", "deceased", "bankrupt")
TERM_MONTHS: Final = 6


def strategy(story: Story) -> str:
    """Draft the strategy, try it on the book, publish it, apply it to every account."""
    scene, wu = story.scene, story.person("wu")
    at = scene.at(day=-1, hour=21, minute=30)
    tried = plan_queries.try_strategy(wu, rows=STRATEGY, at=at)
    if plan_queries.current_strategy(wu) is None:
        drafts = [row["id"] for row in plan_queries.strategies(wu) if row["state"] == "DRAFT"]
        strategy_id = (
            drafts[0]
            if drafts
            else plan_services.draft_strategy(
                actor=wu, rows=STRATEGY, note_text="默认以温和方式催收，大额案件由自有专员处理", at=at
            )
        )
        plan_services.publish_strategy(
            actor=story.person("zhao"), strategy_id=strategy_id, at=at + timedelta(minutes=20)
        )
    counts = plan_services.apply_strategy(actor=wu, at=at + timedelta(minutes=30))
    if sum(counts.values()) != tried["accounts"]:
        raise RuntimeError("the strategy was applied to other accounts than it was tried on")
    return ", ".join(f"{treatment} {count:,}" for treatment, count in counts.items())


def model(story: Story) -> str:
    """Train the model of expected recovery on a past cohort, placed under the same strategy, and put it in use."""
    scene, wu = story.scene, story.person("wu")
    at = scene.at(day=-1, hour=22, minute=10)
    standing = placement_queries.models(wu)
    if not standing:
        placement.train_model(actor=wu, cohort=past_cohort(scene), seed=SEED, at=at, source="INVENTED")
        standing = placement_queries.models(wu)
    if not any(row["state"] == "PROMOTED" for row in standing):
        placement.promote_model(
            actor=story.person("wu"), model_id=standing[0]["id"], at=at + timedelta(minutes=20)
        )
    metrics = standing[0]["metrics"]
    said = [
        f"{name} {metrics[name]:.3f}" for name in ("auc", "brier") if isinstance(metrics.get(name), float)
    ]
    return f"version {standing[0]['version']} in use; {', '.join(said) or len(metrics)}"


def past_cohort(scene: scenes.Scene) -> pl.DataFrame:
    """Give the accounts that agencies had before, half a year earlier, with what came of them: features and paid_fraction."""
    fewest, most = PAST_ACCOUNTS
    return history.generate(
        accounts=min(max(round(scene.accounts * PAST_BOOKS), fewest), most),
        seed=SEED,
        placed_on=scene.start - timedelta(weeks=27),
        placed=_was_placed,
        intensity=INTENSITY,
    ).select(*features.NAMES, "paid_fraction")


def _was_placed(accounts: pl.DataFrame) -> pl.Series:
    """Tell which accounts of a past book today's strategy would have sent to agencies, with nothing to stop them."""
    treated = treating.apply(STRATEGY, accounts.with_columns(account_id="external_id"))
    stopped = accounts.select(pl.any_horizontal(*STOPPED_BY)).to_series()
    return (treated["treatment"] == "AGENCY") & ~stopped


def place(story: Story) -> str:
    """Solve the first run, propose it, let a second person approve it, and place again what an agency declines."""
    steps_answers.set_terms(story, at=story.scene.at(hour=7, minute=50))
    return run_once(story, number=1, at=story.scene.at(hour=8))


def run_once(story: Story, *, number: int, at: datetime) -> str:
    """Bring run `number` to its approval: solve, propose (lin), approve (zhao); resumable at each of the three."""
    lin, wanted = story.person("lin"), {"SOLVED", "PROPOSED", "APPROVED"}
    runs = sorted(
        (row for row in placement_queries.runs(OPERATOR) if row["state"] in wanted),
        key=lambda row: row["number"],
    )
    if len(runs) < number:
        placement.solve_run(
            actor=lin,
            seed=SEED + number,
            at=at,
            as_of=at.astimezone(scenes.SHANGHAI).date(),
            exploration=EXPLORATION,
            least_chance=LEAST_CHANCE,
            hold_out=HOLD_OUT,
        )
        return run_once(story, number=number, at=at)
    run = runs[number - 1]
    if run["state"] == "SOLVED":
        placement.propose_run(actor=lin, run_id=run["id"], at=at + timedelta(minutes=5))
    if run["state"] != "APPROVED":
        placement.decide_run(
            actor=story.person("zhao"),
            run_id=run["id"],
            approved=True,
            reason="方案在各项限额之内，最优性证明已核对；部分账户随机分配，以便公平比较机构",
            at=at + timedelta(minutes=10),
            term_months=TERM_MONTHS,
        )
    steps_answers.answered(story, run_id=run["id"], at=at + timedelta(minutes=11))
    placed = placement_queries.placements_frame(OPERATOR).filter(pl.col("run_id") == str(run["id"]))
    return f"{placed.height:,} placements with {placed['agency_id'].n_unique()} agencies"


def packages(story: Story) -> str:
    """Build, hand over, open and acknowledge the first run's packages."""
    for agency in story.panel():
        _key_pair(story, agency.code)
    return share(story, number=1, at=story.scene.at(hour=8, minute=12))


def _key_pair(story: Story, code: str) -> None:
    """Make an agency's age keys and register the public one; the private one stays with the agency."""
    scene = story.scene
    if code not in scene.age_keys:
        scene.age_keys[code] = str(pyrage.x25519.Identity.generate())
        story.keep()
    identity = pyrage.x25519.Identity.from_str(scene.age_keys[code])
    sharing.register_recipient(
        actor=story.person("lin"),
        agency_id=story.agency_ids()[code],
        public_key=str(identity.to_public()),
        at=scene.at(day=-8, hour=10),
    )


def approved_runs() -> int:
    """Give how many runs became placements."""
    return sum(row["state"] == "APPROVED" for row in placement_queries.runs(OPERATOR))


def share(story: Story, *, number: int, at: datetime) -> str:
    """Build a package of run `number` for every agency with placements in it; each agency opens and acknowledges its own."""
    runs = {
        row["number"]: row["id"] for row in placement_queries.runs(OPERATOR) if row["state"] == "APPROVED"
    }
    run_id = runs[sorted(runs)[number - 1]]
    placed = placement_queries.placements_frame(OPERATOR).filter(
        (pl.col("run_id") == str(run_id)) & (pl.col("state") == "ACTIVE")
    )
    holding = set(placed["agency_id"].to_list())
    cases = 0
    for code, agency_id in story.agency_ids().items():
        if str(agency_id) not in holding:
            continue
        standing = [
            row for row in sharing_queries.packages(OPERATOR) if row["agency_id"] == agency_id and row["run_id"] == run_id and row["state"] != "REVOKED"
        ]  # fmt: skip
        if standing and standing[0]["state"] == "ACKNOWLEDGED":
            cases += standing[0]["cases"]
            continue
        package_id = (
            standing[0]["id"]
            if standing and not standing[0]["taken_back"]
            else sharing.build_package(actor=story.person("lin"), agency_id=agency_id, run_id=run_id, at=at)
        )
        cases += _receive(story, code=code, package_id=package_id, at=at + timedelta(minutes=8))
    return f"{len(holding)} packages with {cases:,} cases, each opened with its agency's own key"


def _receive(story: Story, *, code: str, package_id: UUID, at: datetime) -> int:
    """Do what an agency does with a package: fetch, open, count, acknowledge, remember what it needs."""
    agency = story.agency(code, at=at)
    sealed = sharing.hand_over(actor=agency, package_id=package_id, at=at).read_bytes()
    rows = opened(sealed, private_key=story.scene.age_keys[code])
    keep(
        pl.DataFrame(
            [(row["case_ref"], row["paid_months_6"]) for row in rows],
            schema={"case_ref": pl.String, "paid_months_6": pl.Int64},
            orient="row",
        ),
        scenes.memory(story.home, "agencies", code, f"facts-{package_id}.parquet"),
    )
    sharing.acknowledge_package(
        actor=agency,
        package_id=package_id,
        digest=hashlib.sha256(sealed).hexdigest(),
        cases=len(rows),
        balance_minor=sum(row["balance_minor"] for row in rows),
        at=at + timedelta(minutes=5),
    )
    return len(rows)


def destroy(story: Story, *, at: datetime) -> None:
    """Let every agency destroy what it holds of cases that were taken back, and confirm it."""
    for code in story.scene.keys:
        agency = story.agency(code, at=at)
        demands = [row for row in sharing_queries.destructions(agency) if row["confirmed_at"] is None]
        gone = [ref for row in demands for ref in row["case_refs"]]
        for file in _files(story, code) if gone else ():
            held = pl.read_parquet(file)
            if (kept := held.filter(~pl.col("case_ref").is_in(gone))).height < held.height:
                keep(kept, file)
        for row in demands:
            sharing.confirm_destruction(actor=agency, destruction_id=row["id"], cases=row["cases"], at=at)


def opened(sealed: bytes, *, private_key: str) -> list[dict[str, Any]]:
    """Open a package as its agency does: age, then ZIP, then one JSON object a line."""
    archive = zipfile.ZipFile(
        io.BytesIO(pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(private_key)]))
    )
    return [json.loads(line) for line in archive.read("cases.jsonl").splitlines()]


def facts_of(story: Story, code: str) -> pl.DataFrame:
    """Give what an agency took out of its packages: case_ref, paid_months_6."""
    none = pl.DataFrame(schema={"case_ref": pl.String, "paid_months_6": pl.Int64})
    # a case stands in every package that was built since it was placed
    return pl.concat([none, *(pl.read_parquet(file) for file in _files(story, code))]).unique(
        "case_ref", keep="last", maintain_order=True
    )


def _files(story: Story, code: str) -> list[Path]:
    return sorted(scenes.memory(story.home, "agencies", code, "x").parent.glob("facts-*.parquet"))
