"""Solving a run: gather, value, solve, prove, keep."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import numpy as np
import polars as pl

from weituo.core.allocation import placing
from weituo.core.allocation.feasibility import Infeasible
from weituo.core.allocation.placing import IN_HOUSE
from weituo.core.recovery import model as recovery
from weituo.domain.placement import gathering, holding_out, scrubbing, telling, valuing
from weituo.domain.placement.errors import (
    LimitsRefused,
    ModelUnusable,
    NoEligibleAgency,
    NoModel,
    NothingToPlace,
    NotTreated,
)
from weituo.domain.placement.models import RecoveryModelVersion, Run, RunInputs
from weituo.domain.plans import queries as plans
from weituo.foundation import locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.files.places import place
from weituo.foundation.ids import new_id
from weituo.foundation.jobs import progress
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

EXPLORATION_MAX: Final = 0.5
#: parts of the work, as a waiting person is told
STEPS: Final = 4
LIMIT_KEYS: Final = frozenset({"agencies", "mix_tolerance", "prices"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A run's inputs, every account left out with its reasons, and whom rules keep from what (`valuing.barred`)."""

    inputs: valuing.Inputs
    left_out: pl.DataFrame
    barred: list[dict[str, Any]]


@act("placement.solve_run", permission="placement.solve")
def solve_run(
    *, actor: Actor, seed: int, at: datetime, as_of: date, exploration: float = 0.05, limits: Mapping[str, Any] | None = None,
    hold_out: float = 0.0, hold_out_kind: str = "IN_HOUSE", hold_out_months: int = holding_out.MONTHS,
    least_chance: float = valuing.LEAST_CHANCE,
) -> UUID:  # fmt: skip
    """Work out which account should go to which agency, with proof and comparison; nothing is placed yet.

    limits: {"agencies": {code: {accounts_min, accounts_max, balance_min_minor, balance_max_minor}}, "mix_tolerance":
    by how much a bucket's share at an agency may differ from its share of the run, "prices": fields of `valuing.Prices`}.
    least_chance: of every agency open to an account that is left to chance. hold_out: share of each bucket that is drawn to go nowhere for hold_out_months, see `holding_out`.
    Raises `NoModel`, `ModelUnusable`, `NotTreated`, `NoEligibleAgency`, `NothingToPlace`, `LimitsRefused`, and for
    limits that cannot be kept `LimitsBackwards`, `LimitsTooHigh`, `LimitsTogether`.
    """
    wanted = dict(limits or {})
    prices = _prices(wanted, exploration)
    _check_hold_out(hold_out, hold_out_kind, hold_out_months)
    if not 0 < least_chance <= 1:
        raise LimitsRefused(problem=worded("the least chance lies between 0 and 1"), where="least_chance")
    strategy = plans.current_strategy(actor)
    if strategy is None:
        raise NotTreated()
    version = RecoveryModelVersion.objects.filter(state="PROMOTED").order_by("-version").first()
    if version is None:
        raise NoModel()
    progress.tell(0, STEPS, worded("Accounts and agencies are gathered"))
    found = gathering.candidates(actor, as_of=as_of, at=at)
    gathered = inputs_of(
        actor, found, version, wanted, prices, as_of=as_of, seed=seed, exploration=exploration, hold_out=hold_out,
        hold_out_kind=hold_out_kind, least_chance=least_chance,
    )  # fmt: skip
    progress.tell(1, STEPS, worded("The best assignment within the limits is sought"))
    inputs = gathered.inputs
    try:
        held, placed = holding_out.solved(inputs)
    except Infeasible as impossible:
        raise telling.refusal(impossible, inputs) from impossible
    progress.tell(2, STEPS, worded("The proof and the comparison are drawn up"))
    figures = valuing.money(inputs)
    parameters = {
        "exploration": exploration, "limits": wanted, "prices": asdict(prices), "strategy_version": strategy["version"],
        "model_version": version.version, "hold_out": hold_out, "hold_out_kind": hold_out_kind, "hold_out_months": hold_out_months, "least_chance": least_chance,
    }  # fmt: skip
    run = _kept_run(
        gathered, figures, held, placed, version=version, parameters=parameters, as_of=as_of, seed=seed, actor=actor, at=at,
        strategy_id=strategy["id"], currency=found.currency,
    )  # fmt: skip
    progress.tell(3, STEPS, worded("The run is kept with its inputs"))
    RunInputs.objects.create(run=run, body=valuing.pack(inputs), known=_known(found, inputs))
    _store_items(run.id, inputs, figures, held, placed)
    _store_left_out(run.id, gathered.left_out)
    note(
        what="run", ref=run.id, number=run.number, accounts=run.accounts, left_out=gathered.left_out.height, held_out=int(held.sum()),
        expected_net_minor=run.expected_net_minor, bound_minor=run.bound_minor, inputs_digest=run.inputs_digest,
        result_digest=run.result_digest,
    )  # fmt: skip
    return run.id


def _kept_run(
    gathered: Gathered, figures: valuing.Money, held: holding_out.Bools, placed: placing.Placed, *, version: RecoveryModelVersion,
    parameters: dict[str, Any], as_of: date, seed: int, actor: Actor, at: datetime, strategy_id: UUID, currency: str,
) -> Run:  # fmt: skip
    """Keep the run's head. What is held out brings what it brings in every plan, so that it counts in all of them."""
    inputs = gathered.inputs
    others = inputs.only(~held)
    locks.lock(keys=["placement:runs"])
    number = 1 + (Run.objects.order_by("-number").values_list("number", flat=True).first() or 0)
    base = int(figures.in_house[~held].sum()) + int(holding_out.worth(inputs, figures, held).sum())
    proof = telling.proof(placed, in_house_minor=base) | {
        "all_in_house_minor": int(figures.in_house.sum()),
        "barred": gathered.barred,
        "hold_out": holding_out.told(
            inputs, figures, held, plan=placed.plan, months=parameters["hold_out_months"]
        ),
    }
    return Run.objects.create(
        id=new_id(), number=number, state=Run.State.SOLVED, as_of=as_of, seed=seed, strategy_id=strategy_id, model=version,
        parameters=parameters, inputs_digest=inputs.digest, result_digest=placed.digest, accounts=inputs.accounts.height,
        balance_minor=int(inputs.accounts["balance_minor"].sum()), currency=currency,
        expected_net_minor=placed.value_minor + base, bound_minor=placed.bound_minor + base,
        rivals=telling.rivals(placed, in_house_minor=base), exclusions=scrubbing.counted(gathered.left_out),
        by_agency=telling.by_agency(others, valuing.money(others), placed), proof=proof, solved_by=actor.id, solved_at=at,
    )  # fmt: skip


def _known(found: gathering.Candidates, inputs: valuing.Inputs) -> bytes:
    """Pack what was known of the run's accounts: the model's features with the account's id."""
    kept = found.known.with_columns(account_id=found.accounts["account_id"]).filter(
        pl.col("account_id").is_in(inputs.accounts["account_id"].implode())
    )
    packed = io.BytesIO()
    kept.write_parquet(packed, compression="zstd")
    return packed.getvalue()


def _prices(wanted: Mapping[str, Any], exploration: float) -> valuing.Prices:
    strange = sorted(set(wanted) - LIMIT_KEYS)
    if strange:
        raise LimitsRefused(problem=worded("unknown part %(name)s", name=strange[0]), where=strange[0])
    if not 0 <= exploration <= EXPLORATION_MAX:
        raise LimitsRefused(problem=worded("the share of chance lies between 0 and 0.5"), where="exploration")
    agencies = wanted.get("agencies", {})
    if not isinstance(agencies, Mapping) or not all(isinstance(one, Mapping) for one in agencies.values()):
        raise LimitsRefused(problem=worded("limits are given by agency and name"), where="agencies")
    mix = wanted.get("mix_tolerance")
    if mix is not None and not (isinstance(mix, int | float) and 0 <= mix <= 1):
        raise LimitsRefused(problem=worded("a tolerance lies between 0 and 1"), where="mix_tolerance")
    return _priced(wanted.get("prices", {}))


def _check_hold_out(share: float, kind: str, months: int) -> None:
    if not 0 <= share <= holding_out.SHARE_MAX:
        raise LimitsRefused(
            problem=worded("the share held out lies between 0 and %(most)s", most=holding_out.SHARE_MAX),
            where="hold_out",
        )
    if kind not in holding_out.KINDS:
        raise LimitsRefused(problem=worded("unknown kind %(name)s", name=kind), where="hold_out_kind")
    if not 1 <= months <= 24:
        raise LimitsRefused(problem=worded("a hold-out lasts 1 to 24 months"), where="hold_out_months")


def _priced(asked: Any) -> valuing.Prices:
    """Read prices over the usual ones; a share by bucket that is not given stays as usual."""
    usual = asdict(valuing.Prices())
    if not isinstance(asked, Mapping) or set(asked) - set(usual):
        raise LimitsRefused(problem=worded("unknown price"), where="prices")
    given = usual | dict(asked)
    shares = asked.get("in_house_bps", {})
    if not isinstance(shares, Mapping) or set(shares) - set(valuing.IN_HOUSE_BPS):
        raise LimitsRefused(problem=worded("shares are given by bucket"), where="prices.in_house_bps")
    given["in_house_bps"] = {**valuing.IN_HOUSE_BPS, **shares}
    amounts = [given[name] for name in usual if name != "in_house_bps"] + list(given["in_house_bps"].values())
    if any(not isinstance(amount, int) or isinstance(amount, bool) or amount < 0 for amount in amounts):
        raise LimitsRefused(
            problem=worded("a price is a whole number of minor units from 0 on"), where="prices"
        )
    return valuing.Prices(**given)


def load(version: RecoveryModelVersion) -> recovery.RecoveryModel:
    """Load a model whose file fits the digest that the database holds. Raises `ModelUnusable`."""
    try:
        artefact = place("models", version.artefact).read_bytes()
        return recovery.from_bytes(artefact=artefact, expected_digest=version.artefact_digest)
    except (OSError, recovery.ModelError) as wrong:
        problem = telling.fault(wrong) if isinstance(wrong, recovery.ModelError) else worded("it is missing")
        raise ModelUnusable(problem=problem, where=version.artefact) from wrong


def inputs_of(
    actor: Actor, found: gathering.Candidates, version: RecoveryModelVersion, wanted: Mapping[str, Any], prices: valuing.Prices,
    *, as_of: date, seed: int, exploration: float, hold_out: float = 0.0, hold_out_kind: str = "IN_HOUSE",
    least_chance: float = valuing.LEAST_CHANCE,
) -> Gathered:  # fmt: skip
    """Give the run's inputs; the accounts that no agency may take join those that are left out."""
    agencies = gathering.agency_facts(actor, on=as_of, limits=wanted)
    if not agencies:
        raise NoEligibleAgency()
    if found.accounts.is_empty():
        raise NothingToPlace(reasons=telling.counted(scrubbing.counted(found.left_out)))
    accounts = found.accounts.with_columns(
        expected_minor=gathering.expected_minor(load(version), found.known)
    ).select(list(valuing.ACCOUNTS))
    inputs = valuing.Inputs(
        seed=seed, exploration=exploration, prices=prices, agencies=agencies, accounts=accounts, hold_out=hold_out,
        hold_out_kind=hold_out_kind, least_chance=least_chance,
    )  # fmt: skip
    barred, left_out = valuing.barred(inputs), found.left_out
    anywhere: holding_out.Bools = valuing.eligible(inputs).max(axis=1, initial=False)
    if not anywhere.all():
        nowhere = scrubbing.judged(
            inputs.only(~anywhere).accounts.select("account_id", NO_AGENCY=pl.lit(value=True))
        )
        left_out = pl.concat([left_out, nowhere]).sort("account_id")
        inputs = inputs.only(anywhere)
    if inputs.accounts.is_empty():
        raise NothingToPlace(reasons=telling.counted(scrubbing.counted(left_out)))
    return Gathered(inputs=inputs, left_out=left_out, barred=barred)


def _store_items(
    run_id: UUID,
    inputs: valuing.Inputs,
    figures: valuing.Money,
    held: holding_out.Bools,
    placed: placing.Placed,
) -> None:
    """Keep every account's place, expectation and probability."""
    rows = np.arange(inputs.accounts.height)
    chosen, probability, explored, measured = holding_out.merged(inputs, held, placed)
    out = chosen != IN_HOUSE
    column = np.where(out, chosen, 0)
    ids = np.array([agency.id for agency in inputs.agencies], dtype=np.str_)
    balance = inputs.accounts["balance_minor"].to_numpy()
    own, net = np.minimum(figures.in_house + inputs.prices.in_house_minor, balance), figures.in_house.copy()
    net[held] = holding_out.worth(inputs, figures, held)
    if inputs.hold_out_kind == "LEFT_ALONE":
        own[held] = np.minimum(net, balance)[held]
    frame = pl.DataFrame(
        {
            "account": inputs.accounts["account_id"],
            "agency": np.where(out, ids[column], ""),
            "expected": np.where(out, figures.expected[rows, column], own),
            "net": np.where(out, figures.net[rows, column], net),
            "probability": probability,
            "explored": explored,
            "measured": measured,
            "held_out": np.where(held, inputs.hold_out_kind, ""),
        }
    )
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE run_item (account uuid, agency uuid, expected bigint, net bigint, probability float8, explored boolean, measured boolean, held_out text) ON COMMIT DROP"
        )
        with cursor.copy("COPY run_item FROM STDIN (FORMAT csv, FORCE_NULL (agency))") as stream:
            stream.write(frame.write_csv(include_header=False).encode())
        cursor.execute(
            "INSERT INTO placement_run_item (run_id, account_id, agency_id, expected_recovery_minor, expected_net_minor, probability, explored, measured, held_out) "
            "SELECT %s, account, agency, expected, net, probability, explored, measured, coalesce(held_out, '') FROM run_item",
            [run_id],
        )


def _store_left_out(run_id: UUID, left_out: pl.DataFrame) -> None:
    """Keep every account that was left out, with its reasons."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE run_exclusion (account uuid, reason text, reasons text) ON COMMIT DROP"
        )
        with cursor.copy("COPY run_exclusion FROM STDIN (FORMAT csv)") as stream:
            stream.write(
                left_out.select("account_id", "reason", "reasons").write_csv(include_header=False).encode()
            )
        cursor.execute(
            "INSERT INTO placement_run_exclusion (run_id, account_id, reason, reasons) SELECT %s, account, reason, reasons FROM run_exclusion",
            [run_id],
        )
