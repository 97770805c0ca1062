"""What a run stands on: accounts, agencies and prices as plain figures, kept with the run so that it can be replayed.

The value of account i with agency j, in minor units:

    expected_i · effect_jb − commission − cost of placing − complaints · price of a complaint − in-house alternative

expected_i is the recovery model's, at an average agency's work. effect_jb rests on what agencies state of their past
performance, shrunk hard (`core.allocation.effects`): in this room no booked result of an agency is read, because money
is booked later in the day than placements are made; booked results come back through evaluation as tier and capacity.
The in-house alternative is a stated share of expected_i by bucket less the cost of own work. Shares and prices are
assumptions of the lender: they stand in the run's parameters and on its page, and can be given for each run.
"""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from weituo.core.allocation.exploration import FLOOR
from weituo.core.allocation.placing import Question
from weituo.core.allocation.problem import Ints
from weituo.core.recovery.buckets import BUCKETS

BPS: Final = 10_000
#: of every agency that is open to an account left to chance
LEAST_CHANCE: Final = FLOOR
#: of what an agency's work brings, the share that own work brings, by bucket (assumption)
IN_HOUSE_BPS: Final[dict[str, int]] = {
    "CURRENT": 8_500, "M1": 7_500, "M2": 6_000, "M3": 5_000, "M4": 4_200, "M5": 3_700, "M6": 3_300, "M7+": 3_000,
}  # fmt: skip
ACCOUNTS: Final = {
    "account_id": pl.String, "borrower_id": pl.String, "balance_minor": pl.Int64, "bucket": pl.String, "region": pl.String,
    "tier_max": pl.Int64, "expected_minor": pl.Int64, "before": pl.String, "bound_to": pl.String, "sisters": pl.String,
    "conflicts": pl.String, "last_tier": pl.Int64, "again": pl.String, "unit": pl.String,
}  # fmt: skip
#: of runs that were kept before units, sisters, conflicts and the rule of return were
ACCOUNTS_BEFORE: Final = dict(list(ACCOUNTS.items())[:9])
#: lists of agencies' codes apart by blanks, in a kept run an empty field
_CODES: Final = ("region", "before", "bound_to", "sisters", "conflicts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What things cost, in minor units of the run's currency (assumptions of the lender)."""

    #: own work on an account kept in-house over the horizon
    in_house_minor: int = 3_000
    #: handing an account over: package, review, audit
    placing_minor: int = 500
    #: one complaint: handling, redress, a customer lost
    complaint_minor: int = 50_000
    #: of what own work brings, the share that comes by itself when nobody does anything
    left_alone_bps: int = 5_000
    #: share of expected recovery that own work brings, by bucket
    in_house_bps: Mapping[str, int] = field(default_factory=lambda: dict(IN_HOUSE_BPS))


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyFacts:
    """An agency as the run saw it. effect_bps: 10,000 = recovers as expected. complaints_bps: per 10,000 accounts."""

    id: str
    code: str
    tier: int
    regions: tuple[str, ...]
    capacity_left: int
    fee_bps: dict[str, int]
    effect_bps: dict[str, int]
    complaints_bps: int
    limits: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything that decides a run's result. accounts: columns of `ACCOUNTS`, sorted by account_id.

    before, sisters: codes of the agencies that had the account, and of their sisters. conflicts: codes of agencies in
    conflict with it. last_tier: of the agency that had it last (0: none). again: `plans.treating.AGAIN`. unit: what goes to
    one agency as a whole: the borrower, or the account itself where the strategy lets a borrower be split. bound_to: the
    agency that works for the borrower already. hold_out: share left to `hold_out_kind` (see `holding_out`).
    """

    seed: int
    exploration: float
    prices: Prices
    agencies: tuple[AgencyFacts, ...]
    accounts: pl.DataFrame
    hold_out: float = 0.0
    hold_out_kind: str = "IN_HOUSE"
    #: of an account left to chance, the least chance of every agency that is open to it
    least_chance: float = LEAST_CHANCE
    #: as they were kept, for inputs that were read again
    kept: bytes | None = field(default=None, compare=False, repr=False)

    def only(self, rows: np.ndarray[Any, np.dtype[np.bool_]]) -> Inputs:
        """Give the inputs of some of the accounts."""
        return replace(self, accounts=self.accounts.filter(pl.Series(rows, dtype=pl.Boolean)), kept=None)

    def body(self) -> bytes:
        """Serialise: one line of JSON, then the accounts as CSV, compressed. Equal inputs give equal bytes inside."""
        if self.kept is not None:
            return self.kept
        head = {
            "seed": self.seed,
            "exploration": self.exploration,
            "hold_out": self.hold_out,
            "least_chance": self.least_chance,
            "hold_out_kind": self.hold_out_kind,
            "prices": asdict(self.prices),
            "agencies": [asdict(agency) for agency in self.agencies],
        }
        text = json.dumps(head, sort_keys=True, ensure_ascii=False).encode()
        return text + b"\n" + self.accounts.write_csv().encode()

    @property
    def digest(self) -> str:
        """The SHA-256 of the inputs, hexadecimal."""
        return hashlib.sha256(self.body()).hexdigest()


def pack(inputs: Inputs) -> bytes:
    """Compress inputs for keeping."""
    return zlib.compress(inputs.body(), 6)


def unpack(packed: bytes) -> Inputs:
    """Read kept inputs."""
    body = zlib.decompress(packed)
    head, _, rows = body.partition(b"\n")
    known = json.loads(head)
    whole = "hold_out" in known
    accounts = pl.read_csv(io.BytesIO(rows), schema=ACCOUNTS if whole else ACCOUNTS_BEFORE)
    if not whole:
        none = pl.lit("")
        accounts = accounts.with_columns(
            sisters=none,
            conflicts=none,
            last_tier=pl.lit(0, dtype=pl.Int64),
            again=pl.lit("OTHER"),
            unit="borrower_id",
        )
    return Inputs(
        seed=known["seed"],
        exploration=known["exploration"],
        prices=Prices(**known["prices"]),
        agencies=tuple(
            AgencyFacts(**{**agency, "regions": tuple(agency["regions"])}) for agency in known["agencies"]
        ),
        accounts=accounts.with_columns(pl.col(*_CODES).fill_null("")),
        hold_out=known.get("hold_out", 0.0),
        hold_out_kind=known.get("hold_out_kind", "IN_HOUSE"),
        least_chance=known.get("least_chance", LEAST_CHANCE),
        kept=body,
    )


def province(region: str) -> str:
    """Reduce a region to what is compared: of a Chinese code (GB/T 2260) the first two digits, else the code itself."""
    return region[:2] if region.isdigit() else region


def province_expr(region: pl.Expr) -> pl.Expr:
    """Reduce regions in a column as `province` does."""
    return pl.when(region.str.contains(r"^\d+$")).then(region.str.slice(0, 2)).otherwise(region)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Money:
    """The figures of every account with every agency, (n, m) unless stated, in minor units."""

    expected: Ints
    commission: Ints
    #: (m,) placing and priced complaints
    cost: Ints
    #: (n,)
    in_house: Ints
    #: (n,) what comes when nobody does anything
    by_itself: Ints

    @property
    def net(self) -> Ints:
        """What is left after commission and cost."""
        return self.expected - self.commission - self.cost[None, :]

    @property
    def value(self) -> Ints:
        """What the agency is worth above keeping the account."""
        return self.net - self.in_house[:, None]


def money(inputs: Inputs) -> Money:
    """Work out recovery, commission, cost and the in-house alternative in whole minor units, rounded down."""
    n, m = inputs.accounts.height, len(inputs.agencies)
    expected = inputs.accounts["expected_minor"].to_numpy().astype(np.int64)
    balance = inputs.accounts["balance_minor"].to_numpy().astype(np.int64)
    bucket = bucket_numbers(inputs)
    by_agency = np.zeros((n, m), dtype=np.int64)
    commission = np.zeros((n, m), dtype=np.int64)
    for column, agency in enumerate(inputs.agencies):
        by_agency[:, column] = np.minimum(
            expected * _by_bucket(agency.effect_bps, BPS)[bucket] // BPS, balance
        )
        commission[:, column] = by_agency[:, column] * _by_bucket(agency.fee_bps, 0)[bucket] // BPS
    share = _by_bucket(inputs.prices.in_house_bps, 0)[bucket]
    cost = [
        inputs.prices.placing_minor + agency.complaints_bps * inputs.prices.complaint_minor // BPS
        for agency in inputs.agencies
    ]
    return Money(
        expected=by_agency,
        commission=commission,
        cost=np.array(cost, dtype=np.int64).reshape(m),
        in_house=np.maximum(expected * share // BPS - inputs.prices.in_house_minor, 0),
        by_itself=expected * share // BPS * inputs.prices.left_alone_bps // BPS,
    )


def eligible(inputs: Inputs) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell which agency each account may go to: tier, region, a fee for its bucket, nobody who is barred.

    Nobody shall hear from two agencies: an account of a borrower whom an agency works for already may go to that agency
    only; accounts of one unit in the same run are kept together by the solver.
    """
    tier_max = inputs.accounts["tier_max"].to_numpy()
    regions = inputs.accounts.select(province_expr(pl.col("region"))).to_series()
    bucket = bucket_numbers(inputs)
    columns = []
    for agency in inputs.agencies:
        allowed = (agency.tier <= tier_max) & (_by_bucket(agency.fee_bps, 0)[bucket] > 0)
        if agency.regions:
            own = pl.Series([province(region) for region in agency.regions], dtype=pl.String)
            allowed &= regions.is_in(own.implode()).to_numpy()
        columns.append(allowed)
    if not columns:
        return np.zeros((inputs.accounts.height, 0), dtype=np.bool_)
    may = np.column_stack(columns)
    for barred in bars(inputs).values():
        may &= ~barred
    bound = inputs.accounts["bound_to"]
    fits = [((bound == "") | (bound == agency.code)).to_numpy() for agency in inputs.agencies]
    return may & np.column_stack(fits)


def bars(inputs: Inputs) -> dict[str, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Tell by reason which accounts may not go to which agency, (n, m) each, the reasons not told apart elsewhere.

    CONFLICT · HAD_IT_BEFORE · SISTER_HAD_IT (another of its group) · NEXT_TIER (it comes back, and goes to a later tier
    as long as the strategy admits one).
    """
    returns = (inputs.accounts["again"] != "ANY").to_numpy()[:, None]
    last, most = inputs.accounts["last_tier"].to_numpy(), inputs.accounts["tier_max"].to_numpy()
    tiers = np.array([agency.tier for agency in inputs.agencies], dtype=np.int64)
    goes_on = (inputs.accounts["again"] == "NEXT_TIER").to_numpy() & (last > 0) & (last < most)
    return {
        "CONFLICT": _named(inputs, "conflicts"),
        "HAD_IT_BEFORE": _named(inputs, "before") & returns,
        "SISTER_HAD_IT": _named(inputs, "sisters") & returns,
        "NEXT_TIER": goes_on[:, None] & (tiers[None, :] <= last[:, None]),
    }


def _named(inputs: Inputs, column: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell where a column of codes names an agency, (n, m); only rows that name any are looked at."""
    found = np.zeros((inputs.accounts.height, len(inputs.agencies)), dtype=np.bool_)
    places = {agency.code: place for place, agency in enumerate(inputs.agencies)}
    named = (
        inputs.accounts.select(codes=column)
        .with_row_index("row")
        .filter(pl.col("codes") != "")
        .with_columns(pl.col("codes").str.split(" "))
        .explode("codes")
        .with_columns(place=pl.col("codes").replace_strict(places, default=-1, return_dtype=pl.Int64))
        .filter(pl.col("place") >= 0)
    )
    found[named["row"].to_numpy(), named["place"].to_numpy()] = True
    return found


def barred(inputs: Inputs) -> list[dict[str, Any]]:
    """Count, by agency and reason of `bars`, the accounts that may not go there: rows code, why, accounts."""
    return [
        {"code": agency.code, "why": why, "accounts": int(count)}
        for why, where in bars(inputs).items()
        for agency, count in zip(inputs.agencies, where.sum(axis=0), strict=True)
        if count
    ]


def units(inputs: Inputs) -> Ints:
    """Give the unit of each account as a number from 0 on, in the order of the units' keys, (n,): one goes to one agency."""
    return inputs.accounts["unit"].rank("dense").to_numpy().astype(np.int64) - 1


def question(inputs: Inputs) -> Question:
    """Turn inputs into what the core answers: segments are buckets in the order of lateness."""
    may, bucket = eligible(inputs), bucket_numbers(inputs)
    return Question(
        accounts=inputs.accounts["account_id"].to_numpy().astype(np.str_),
        agencies=tuple(agency.code for agency in inputs.agencies),
        value_minor=money(inputs).value,
        eligible=may,
        balance_minor=inputs.accounts["balance_minor"].to_numpy().astype(np.int64),
        segment=bucket,
        unit=units(inputs),
        tiers=tiers(inputs),
        limits=_limits(inputs, may, bucket),
    )


def _limits(inputs: Inputs, may: npt.NDArray[np.bool_], bucket: Ints) -> dict[str, Any]:
    """Write the agencies' limits as the core takes them; no mix is asked of an agency for buckets it may not have."""
    limits = [agency.limits for agency in inputs.agencies]
    most = [np.inf if own["accounts_max"] is None else own["accounts_max"] for own in limits]
    money_most = [np.inf if own["balance_max_minor"] is None else own["balance_max_minor"] for own in limits]
    segments = int(bucket.max()) + 1 if bucket.size else 1
    tolerance = np.full((len(limits), segments), np.inf)
    for column, own in enumerate(limits):
        if own["mix_tolerance"] is not None:
            open_to = np.bincount(bucket[may[:, column]], minlength=segments) > 0
            tolerance[column, open_to] = own["mix_tolerance"]
    return {
        "count_min": np.array([own["accounts_min"] for own in limits], dtype=np.int64),
        "count_max": np.array(most, dtype=np.float64),
        "balance_min": np.array([own["balance_min_minor"] for own in limits], dtype=np.int64),
        "balance_max": np.array(money_most, dtype=np.float64),
        "segment_tolerance": tolerance,
    }


def tiers(inputs: Inputs) -> list[int]:
    """Give the agencies' tiers in order."""
    return [agency.tier for agency in inputs.agencies]


def bucket_numbers(inputs: Inputs) -> Ints:
    """Give the place of each account's bucket in the order of lateness, (n,)."""
    numbers = inputs.accounts["bucket"].replace_strict(
        list(BUCKETS), list(range(len(BUCKETS))), return_dtype=pl.Int64
    )
    return numbers.to_numpy().astype(np.int64)


def _by_bucket(table: Mapping[str, int], default: int) -> Ints:
    return np.array([table.get(bucket, table.get("default", default)) for bucket in BUCKETS], dtype=np.int64)


def taken(account: Mapping[str, Any], place: Mapping[str, Any]) -> float:
    """Give what an account's place and balance are worth to others: `telling.by_agency` place, in minor units."""
    return float(place["bucket"].get(account["bucket"], 0.0) + place["balance"] * account["balance_minor"])


def why_not(agency: AgencyFacts, account: Mapping[str, Any]) -> str:
    """Name what keeps an account from an agency: a reason of `bars`, TIER, REGION, NO_FEE or ONE_A_BORROWER (another works for the borrower)."""
    if agency.code in account["conflicts"].split(" "):
        return "CONFLICT"
    if account["again"] != "ANY" and agency.code in account["before"].split(" "):
        return "HAD_IT_BEFORE"
    if account["again"] != "ANY" and agency.code in account["sisters"].split(" "):
        return "SISTER_HAD_IT"
    if agency.tier > account["tier_max"]:
        return "TIER"
    goes_on = account["again"] == "NEXT_TIER" and 0 < account["last_tier"] < account["tier_max"]
    if goes_on and agency.tier <= account["last_tier"]:
        return "NEXT_TIER"
    if agency.regions and province(account["region"]) not in {province(region) for region in agency.regions}:
        return "REGION"
    if agency.fee_bps.get(account["bucket"], agency.fee_bps.get("default", 0)) <= 0:
        return "NO_FEE"
    return "ONE_A_BORROWER"
