"""The simulated book 模拟账簿: borrowers, overdue accounts and six months of repayment history, from a seed.

Every person is invented. Bucket shares and month-to-month roll rates follow the real card file (`calibration`);
money, products and places are Chinese, in CNY fen. Same seed, size and date give the same bytes.

Frames
------
borrowers    external_id String · name String · identity_number String · phone String (E.164) · phone_2 String? ·
             email String? · address String · province_code String · province String · city_code String ·
             city String · gender String (F | M) · birth_year Int32 · language String (zh-hans | en) ·
             deceased, bankrupt, hardship, no_calls Boolean
accounts     external_id String · borrower_external_id String · product String (PRODUCTS) · currency String ·
             principal_minor, interest_minor, fee_minor, balance_minor (their sum), credit_limit_minor Int64 ·
             opened_on, past_due_since Date · days_past_due Int64 · months_late Int64 1..8 · bucket String ·
             province_code String · disputed Boolean · open_promise_minor Int64? · open_promise_due_on Date?
history      account_external_id String · month Date (first of the month, six a month up to as_of's month) ·
             bill_minor, paid_minor Int64 · months_late Int64 0..8 (status at the end of the month)
gender and birth_year serve fairness checks only and are not features of any model.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from weituo.core.recovery import buckets
from weituo.core.twin import calibration, identifiers, names

CURRENCY: Final = "CNY"
#: product code → (share of accounts, median credit limit in fen, spread of its logarithm)
PRODUCTS: Final[dict[str, tuple[float, int, float]]] = {
    "CASH_LOAN": (0.45, 2_000_000, 0.7),
    "INSTALMENT": (0.25, 800_000, 0.6),
    "CARD": (0.20, 3_000_000, 0.8),
    "MICRO_BUSINESS": (0.10, 12_000_000, 0.8),
}
#: share of borrowers with a second account
TWO_ACCOUNTS: Final = 0.08
#: share of borrowers (first four) and of accounts (last two) with a mark that a hold or a rule reacts to
MARKS: Final[dict[str, float]] = {
    "deceased": 0.003, "bankrupt": 0.003, "hardship": 0.02, "no_calls": 0.005, "disputed": 0.015, "promise": 0.04,
}  # fmt: skip
#: yearly interest of overdue principal, and late fee a month late, within the usual Chinese contract terms
YEARLY_RATE: Final = 0.216
LATE_FEE_MINOR: Final = 3_000
#: no account owes less (fen): smaller sums are not entrusted
LEAST_BALANCE_MINOR: Final = 30_000
#: rows a run: identifiers stay distinct below it
MAX_ACCOUNTS: Final = 4_000_000

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinBook:
    """A generated book: three frames (schemas in the module's docstring), its seed and its date."""

    borrowers: pl.DataFrame
    accounts: pl.DataFrame
    history: pl.DataFrame
    seed: int
    as_of: date

    def digest(self) -> str:
        """Compute the SHA-256 over the three frames as CSV, hexadecimal: equal books have equal digests."""
        total = hashlib.sha256()
        for frame in (self.borrowers, self.accounts, self.history):
            total.update(frame.write_csv().encode())
        return total.hexdigest()


@cache
def places() -> pl.DataFrame:
    """Read the packaged cities: city_code, city, province_code, province, province_en String, weight Float64."""
    text = (resources.files("weituo.core.twin") / "data" / "places.json").read_text("utf-8")
    rows: list[dict[str, Any]] = []
    for province in json.loads(text)["provinces"]:
        share = province["weight"] / len(province["cities"])
        for code, city in province["cities"]:
            rows.append(
                {
                    "city_code": code, "city": city, "province_code": province["code"],
                    "province": province["zh"], "province_en": province["en"], "weight": share,
                }
            )  # fmt: skip
    return pl.DataFrame(rows)


def generate(*, accounts: int = 20_000, seed: int = 7, as_of: date) -> TwinBook:
    """Generate a book of `accounts` overdue accounts as it stands on `as_of`.

    Raises ValueError for accounts outside 1 ... MAX_ACCOUNTS.
    """
    if not 1 <= accounts <= MAX_ACCOUNTS:
        raise ValueError(f"accounts must be 1 to {MAX_ACCOUNTS}")
    people_rng, account_rng, history_rng, mark_rng = (
        np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(4)
    )
    holders = int(np.ceil(accounts / (1 + TWO_ACCOUNTS)))
    borrowers = _borrowers(people_rng, holders, as_of)
    second = people_rng.permutation(holders)[: accounts - holders]
    holder = np.concatenate([np.arange(holders), np.sort(second)])
    frame = _accounts(account_rng, borrowers, holder, as_of)
    statuses = _statuses(history_rng, frame["months_late"].to_numpy())
    history = _history(history_rng, frame, statuses, as_of)
    borrowers, frame = _marks(mark_rng, borrowers, frame, as_of)
    return TwinBook(borrowers=borrowers, accounts=frame, history=history, seed=seed, as_of=as_of)


def _borrowers(rng: np.random.Generator, n: int, as_of: date) -> pl.DataFrame:
    index = np.arange(n, dtype=np.int64)
    female = rng.random(n) < 0.46
    born = identifiers.birthdays(rng=rng, n=n, as_of=as_of)
    offset = int(rng.integers(0, 10**8))
    where = places()
    weight = where["weight"].to_numpy()
    city = where[rng.choice(where.height, size=n, p=weight / weight.sum())]
    codes = np.strings.zfill(index.astype("U7"), 7)
    domain = np.array(identifiers.EMAIL_DOMAINS)[rng.integers(0, len(identifiers.EMAIL_DOMAINS), size=n)]
    email = np.strings.add(np.strings.add("b", codes), np.strings.add("@", domain))
    frame = pl.DataFrame(
        {
            "external_id": np.strings.add("B", codes),
            "name": names.draw(rng=rng, female=female),
            "identity_number": identifiers.identity_numbers(index=index, born=born, female=female),
            "phone": identifiers.phone_numbers(index=index, offset=offset),
            "phone_2": identifiers.phone_numbers(index=index + n, offset=offset),
            "email": email,
        }
    )
    street = pl.Series(rng.integers(1, 300, size=n))
    room = pl.Series(rng.integers(101, 2805, size=n))
    has_second, has_email = pl.Series(rng.random(n) < 0.3), pl.Series(rng.random(n) < 0.6)
    road = pl.Series(np.array(["示例路", "样本街", "演示大道", "模拟巷"])[rng.integers(0, 4, size=n)])
    place = city.select("province_code", "province", "city_code", "city")
    return pl.concat([frame, place], how="horizontal").with_columns(
        phone_2=pl.when(has_second).then("phone_2"),
        email=pl.when(has_email).then("email"),
        address=pl.format("{}{}{}{}号{}室", pl.when(pl.col("province") != pl.col("city")).then("province")
                          .otherwise(pl.lit("")), "city", road, street, room),
        gender=pl.Series(np.where(female, "F", "M")),
        birth_year=pl.Series(born.astype("datetime64[Y]").astype(np.int32) + 1970),
        language=pl.Series(np.where(rng.random(n) < 0.01, "en", "zh-hans")),
    )  # fmt: skip


def _accounts(rng: np.random.Generator, borrowers: pl.DataFrame, holder: Ints, as_of: date) -> pl.DataFrame:
    n = holder.size
    measured = calibration.load()
    # systematic sampling: shares of months late differ from the measured ones by less than one account
    level = (rng.permutation(n) + rng.random()) / n
    months_late = 1 + np.searchsorted(np.cumsum(measured.months_late_shares)[:-1], level, side="right")
    days = 30 * (months_late - 1) + rng.integers(1, 31, size=n)
    codes = list(PRODUCTS)
    pick = rng.choice(len(codes), size=n, p=[PRODUCTS[c][0] for c in codes])
    median = np.array([PRODUCTS[c][1] for c in codes], dtype=np.float64)[pick]
    spread = np.array([PRODUCTS[c][2] for c in codes])[pick]
    limit = (np.maximum(median * np.exp(spread * rng.standard_normal(n)), 100_000) / 10_000).astype(
        np.int64
    ) * 10_000
    used = _utilisation(rng, months_late)
    principal = np.maximum((limit * used).astype(np.int64), LEAST_BALANCE_MINOR)
    interest = (principal * YEARLY_RATE * days / 365).astype(np.int64)
    fee = LATE_FEE_MINOR * months_late
    today = np.datetime64(as_of, "D")
    since = today - days
    opened = np.minimum(since, today - 210) - rng.integers(0, 1400, size=n)
    frame = pl.DataFrame(
        {
            "external_id": np.strings.add("A", np.strings.zfill(np.arange(n).astype("U7"), 7)),
            "borrower_external_id": borrowers["external_id"].to_numpy().astype(str)[holder],
            "product": np.array(codes)[pick],
            "currency": np.full(n, CURRENCY),
            "principal_minor": principal, "interest_minor": interest, "fee_minor": fee,
            "balance_minor": principal + interest + fee,
            "credit_limit_minor": limit,
            "opened_on": opened, "past_due_since": since,
            "days_past_due": days.astype(np.int64), "months_late": months_late.astype(np.int64),
        }
    )  # fmt: skip
    return frame.with_columns(
        bucket=buckets.bucket_expr(pl.col("days_past_due")),
        province_code=borrowers["province_code"][holder],
    )


def _utilisation(rng: np.random.Generator, months_late: Ints) -> Floats:
    """Draw balance / limit from the measured quantiles, linear between them, 0.02 and the 0.9 quantile at the ends."""
    table = calibration.load().utilisation
    level = np.array([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
    u = rng.random(months_late.size)
    out = np.empty_like(u)
    for late in range(1, 9):
        at = months_late == late
        row = np.concatenate([[min(0.02, table[late - 1, 0])], table[late - 1], table[late - 1, -1:]])
        out[at] = np.interp(u[at], level, row)
    return out


def _statuses(rng: np.random.Generator, last: Ints) -> Ints:
    """Draw months late a month, shape (n, 6), backwards from the last by the measured joint counts of each step.

    Going backwards with P(s_t | s_t+1) of each step keeps both every month's shares and every step's joint counts.
    """
    counts = calibration.load().transition_counts.astype(np.float64)
    out = np.empty((last.size, calibration.MONTHS), dtype=np.int64)
    out[:, -1] = last
    for step in range(calibration.MONTHS - 2, -1, -1):
        cumulated = np.cumsum(counts[step] / np.maximum(counts[step].sum(axis=0), 1), axis=0)
        draw = rng.random(last.size)
        chosen = (draw[:, None] >= cumulated.T[out[:, step + 1]]).sum(axis=1)
        out[:, step] = np.minimum(chosen, calibration.STATES - 1)
    return out


def _history(rng: np.random.Generator, accounts: pl.DataFrame, statuses: Ints, as_of: date) -> pl.DataFrame:
    n, months = statuses.shape
    balance = accounts["balance_minor"].to_numpy()
    growth = np.exp(np.cumsum(rng.normal(-0.03, 0.05, size=(n, months)), axis=1))[:, ::-1]
    bill = np.maximum((balance[:, None] * growth).astype(np.int64), 0)
    bill[:, -1] = balance
    # willingness shared by an account's months: payments cluster in payers, as in the card file
    lean = 0.9 * rng.standard_normal((n, 1))
    share = calibration.load().paid_share[statuses].clip(0.01, 0.99)
    paid = rng.random((n, months)) < 1 / (1 + np.exp(-(np.log(share / (1 - share)) * 1.15 + lean)))
    fraction = np.minimum(0.05 * np.exp(0.8 * rng.standard_normal((n, months))), 0.9)
    amount = np.where(paid, np.maximum((bill * fraction).astype(np.int64), 100), 0)
    firsts = [_first_of_month(as_of, back) for back in range(months - 1, -1, -1)]
    return pl.DataFrame(
        {
            "account_external_id": accounts["external_id"].to_numpy().astype(str).repeat(months),
            "month": np.tile(np.array(firsts, dtype="datetime64[D]"), n),
            "bill_minor": bill.ravel(), "paid_minor": amount.ravel(), "months_late": statuses.ravel(),
        }
    )  # fmt: skip


def _first_of_month(as_of: date, back: int) -> date:
    months = as_of.year * 12 + as_of.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _marks(
    rng: np.random.Generator, borrowers: pl.DataFrame, accounts: pl.DataFrame, as_of: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    for mark in ("deceased", "bankrupt", "hardship", "no_calls"):
        borrowers = borrowers.with_columns(pl.Series(mark, rng.random(borrowers.height) < MARKS[mark]))
    n = accounts.height
    promised = pl.Series(rng.random(n) < MARKS["promise"])
    share = pl.Series(rng.uniform(0.1, 0.6, size=n))
    due = pl.Series(np.datetime64(as_of + timedelta(days=1), "D") + rng.integers(0, 14, size=n))
    return borrowers, accounts.with_columns(
        pl.Series("disputed", rng.random(n) < MARKS["disputed"]),
        open_promise_minor=pl.when(promised).then((pl.col("balance_minor") * share).cast(pl.Int64)),
        open_promise_due_on=pl.when(promised).then(due),
    )
