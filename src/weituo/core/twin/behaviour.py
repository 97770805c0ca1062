"""What an agency and the borrowers do in one week, as a pure function of seed, agency, facts and week.

The agency decides from what its interface shows it: case reference, bucket, balance, province, and, where the
disclosure holds them, product and months with a payment. The borrower's answer depends on a latent propensity (`latent`), on
the agency's skill, and on contact. Every number is a keyed hash: nothing is stored, order and repetition change nothing.

Effects. About 60 % of payments come without contact and 40 % through promises after reaching the right party, at the
usual effort (about 0.12 right-party contacts an account and week). Liquidation over six months is 10 to 25 % of
balance by bucket; contact effects are modest (agencies report 11 to 21 % and reach below 40 %; trials of letters and
messages are often null). Promises and payments name the attempt that caused them: a caller whose permit is refused
drops them with the attempt.

Frames
------
cases       case_reference String (different) · bucket String · balance_minor Int64 > 0 · province_code String ·
            optional product String, paid_months_6 Int64, on_hold Boolean (such a case is not contacted)
attempts    attempt_key, case_reference String · at Datetime("us", "UTC") · channel VOICE | SMS · outcome (OUTCOMES) ·
            talk_seconds Int64 · night Boolean (tried at 22:30 local time)
promises    attempt_key, case_reference String · amount_minor Int64 · due_on Date · kept Boolean (for evaluation of the
            twin only: an agency cannot know it)
payments    case_reference String · paid_on Date · amount_minor Int64 · attempt_key String? (null: came by itself)
complaints  attempt_key, case_reference String · on Date · theme (THEMES)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from weituo.core.conduct import RESULTS
from weituo.core.twin import latent
from weituo.core.twin.agencies import SEGMENTS, Agency

#: outcomes that the twin does not tell apart from the others
_NOT_PLAYED: Final = frozenset({"NOT_CONNECTED", "BUSY", "VOICEMAIL", "THIRD_PARTY"})
#: outcomes of an attempt
OUTCOMES: Final[tuple[str, ...]] = tuple(result for result in RESULTS if result not in _NOT_PLAYED)
#: themes of complaints
THEMES: Final[tuple[str, ...]] = ("TOO_OFTEN", "TONE", "THIRD_PARTY", "AMOUNT", "NIGHT_CALL")
#: most attempts an account and week
MOST_ATTEMPTS: Final = 3
#: share of payments that contact brings about at the usual effort, and that effort in right-party contacts a week
CONTACT_SHARE: Final = 0.4
USUAL_REACH: Final = 0.12
#: China has one zone, UTC+8, without summer time
LOCAL_OFFSET_MINUTES: Final = 8 * 60
NIGHT_MINUTE: Final = 22 * 60 + 30
#: shares of right-party contacts that end otherwise
REFUSED, DISPUTE, HARDSHIP, CEASE = 0.16, 0.012, 0.022, 0.006

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What happened: four frames, schemas in the module's docstring."""

    attempts: pl.DataFrame
    promises: pl.DataFrame
    payments: pl.DataFrame
    complaints: pl.DataFrame


def play_week(
    *, agency: Agency, cases: pl.DataFrame, week: int, starts_on: date, seed: int, intensity: float = 1.0
) -> Play:
    """Play one week of one agency.

    week: 0 = the first since placement. starts_on: the week's first day. intensity: factor on the agency's attempts,
    0 ... 3; 0 leaves only payments that come by themselves. Payments of a kept promise may fall up to seven days after
    the week. Raises ValueError for a negative week or an intensity outside its range.
    """
    if week < 0 or not 0 <= intensity <= 3:
        raise ValueError("week must not be negative, intensity must be 0 to 3")
    case_keys = latent.keys(references=cases["case_reference"], seed=seed)
    chance = latent.pay_probability(cases=cases, case_keys=case_keys)
    hazard = latent.weekly_hazard(pay_probability=chance, week=week)
    tried = _attempts(agency, cases, case_keys, week, starts_on, intensity)
    answered = _answers(agency, cases, tried, case_keys, hazard, chance, week)
    promises, kept = _promises(cases, answered, case_keys, starts_on, week)
    own = _own_payments(cases, case_keys, hazard, starts_on, week)
    complaints = _complaints(agency, answered, case_keys, week)
    attempts = answered.drop("row", "slot", "day", "keep")
    payments = pl.concat([own, kept]).sort("paid_on", "case_reference")
    return Play(attempts=attempts, promises=promises, payments=payments, complaints=complaints)


def play(
    *, agency: Agency, cases: pl.DataFrame, weeks: int, starts_on: date, seed: int, intensity: float = 1.0
) -> Play:
    """Play several weeks, the balance falling with each payment; a case leaves when paid, disputed or in hardship.

    Payments never exceed the balance of the start. The frames are those of the weeks, joined.
    """
    start = pl.Series([starts_on])
    done: list[Play] = []
    current = cases
    for week in range(weeks):
        begins = start.dt.offset_by(f"{7 * week}d").item()
        played = play_week(
            agency=agency, cases=current, week=week, starts_on=begins, seed=seed, intensity=intensity
        )
        done.append(played)
        current = after(cases=current, played=played)
    return Play(
        attempts=pl.concat([p.attempts for p in done]), promises=pl.concat([p.promises for p in done]),
        payments=pl.concat([p.payments for p in done]), complaints=pl.concat([p.complaints for p in done]),
    )  # fmt: skip


def after(*, cases: pl.DataFrame, played: Play) -> pl.DataFrame:
    """Give the cases as they stand after a week: less what was paid; paid ones gone, disputes and hardship on hold."""
    paid = played.payments.group_by("case_reference").agg(paid_minor=pl.col("amount_minor").sum())
    stopped = played.attempts.filter(pl.col("outcome").is_in(["DISPUTE", "HARDSHIP"]))[
        "case_reference"
    ].unique()
    held = pl.col("on_hold") if "on_hold" in cases.columns else pl.lit(value=False)
    return (
        cases.join(paid, on="case_reference", how="left", maintain_order="left")
        .with_columns(
            balance_minor=pl.col("balance_minor") - pl.col("paid_minor").fill_null(0),
            on_hold=held | pl.col("case_reference").is_in(stopped.implode()),
        )
        .drop("paid_minor")
        .filter(pl.col("balance_minor") > 0)
    )


def _attempts(
    agency: Agency, cases: pl.DataFrame, keys: latent.Keys, week: int, starts_on: date, intensity: float
) -> pl.DataFrame:
    """Decide whom to try this week, when and how; larger balances are tried a little more often."""
    salt = _salt(agency)
    balance = cases["balance_minor"].to_numpy()
    weight = np.clip(1 + 0.12 * np.log(np.maximum(balance, 1) / latent.MEDIAN_BALANCE_MINOR), 0.6, 1.5)
    wanted = np.floor(agency.attempts_per_week * intensity * weight + latent.uniform(keys, salt, week, 10))
    wanted = np.minimum(wanted, MOST_ATTEMPTS)
    if "on_hold" in cases.columns:
        wanted = np.where(cases["on_hold"].to_numpy(), 0, wanted)
    row = np.concatenate([np.flatnonzero(wanted > slot) for slot in range(MOST_ATTEMPTS)])
    slot = np.repeat(np.arange(MOST_ATTEMPTS), [(wanted > s).sum() for s in range(MOST_ATTEMPTS)])
    state = latent.mix(keys[row] + slot.astype(np.uint64), salt, week)
    # two days a slot, so that attempts of one week never share a day
    day = 2 * slot + (latent.uniform(state, 11) * 2).astype(np.int64)
    minute = (9 * 60 + latent.uniform(state, 12) * 659).astype(np.int64)
    night = latent.uniform(state, 13) < agency.night_share
    local = np.where(night, NIGHT_MINUTE, minute)
    voice = night | (latent.uniform(state, 14) < 0.78)
    # Whole minutes: hours with seconds would look more exact than a plan is
    at = np.datetime64(starts_on, "D").astype("datetime64[m]") + day * 1440 + local - LOCAL_OFFSET_MINUTES
    return pl.DataFrame(
        {
            "case_reference": cases["case_reference"].gather(row), "row": row, "slot": slot, "day": day,
            "at": at.astype("datetime64[us]"), "channel": np.where(voice, "VOICE", "SMS"), "night": night,
        },
        schema_overrides={"row": pl.Int64, "slot": pl.Int64, "day": pl.Int64, "channel": pl.String},
    ).with_columns(
        attempt_key=pl.format("{}-{}-W{}-{}", pl.lit(agency.code), "case_reference", pl.lit(week), "slot"),
        at=pl.col("at").dt.replace_time_zone("UTC"),
    )  # fmt: skip


def _answers(
    agency: Agency,
    cases: pl.DataFrame,
    tried: pl.DataFrame,
    keys: latent.Keys,
    hazard: Floats,
    chance: Floats,
    week: int,
) -> pl.DataFrame:
    """Add outcome, talk time and whether a promise will be kept to each attempt."""
    row, slot = tried["row"].to_numpy(), tried["slot"].to_numpy()
    state = latent.mix(keys[row] + slot.astype(np.uint64), _salt(agency), week, 20)
    voice = (tried["channel"] == "VOICE").to_numpy()
    # how easily a borrower is reached is his own, and lasts: between 0.4 and 1.6 of the agency's reach
    reach = agency.reach * (0.4 + 1.2 * latent.uniform(keys, 2))[row]
    draw = latent.uniform(state, 1)
    spoken = voice & (draw < reach)
    wrong = voice & ~spoken & (draw < reach + 0.02)
    segment = cases["bucket"].replace_strict(SEGMENTS, return_dtype=pl.String)
    skill = np.exp(segment.replace_strict(agency.skill, return_dtype=pl.Float64).to_numpy())[row]
    keep = np.clip(0.25 + 0.5 * chance, 0.05, 0.8)[row]
    promise = np.clip(CONTACT_SHARE * hazard[row] / USUAL_REACH * skill / keep, 0.0, 0.6)
    # a debt of one minor unit is paid or not: no part of it can be promised
    promise = np.where(cases["balance_minor"].to_numpy()[row] < 2, 0.0, promise)
    ends = np.cumsum([DISPUTE, HARDSHIP, CEASE, REFUSED])
    kind = latent.uniform(state, 2)
    outcome = np.where(voice, "UNANSWERED", "SENT").astype("U12")
    outcome[wrong] = "WRONG_PARTY"
    spoken_as = np.array(["DISPUTE", "HARDSHIP", "CEASE_WISH", "REFUSED", "RIGHT_PARTY"])[
        np.searchsorted(ends, kind, side="right")
    ]
    # promises are cut from the upper end, so that they never crowd out the rare outcomes
    spoken_as = np.where(kind > 1 - promise, "PROMISE", spoken_as)
    outcome = np.where(spoken, spoken_as, outcome)
    talk = np.where(spoken, 30 + latent.uniform(state, 3) * 300, np.where(wrong, 15, 0)).astype(np.int64)
    return tried.with_columns(
        outcome=pl.Series(outcome, dtype=pl.String),
        talk_seconds=pl.Series(talk),
        keep=pl.Series(latent.uniform(state, 4) < keep),
    ).select("attempt_key", "case_reference", "at", "channel", "outcome", "talk_seconds", "night", "row", "slot", "day",
             "keep")  # fmt: skip


def _promises(
    cases: pl.DataFrame, answered: pl.DataFrame, keys: latent.Keys, starts_on: date, week: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the week's promises (the first a case), and the payments of those that will be kept."""
    made = answered.filter(pl.col("outcome") == "PROMISE").unique(
        "case_reference", keep="first", maintain_order=True
    )
    row = made["row"].to_numpy()
    balance = cases["balance_minor"].to_numpy()[row]
    amount = _amounts(balance, keys[row], 30, week)
    due = made["day"].to_numpy() + 1 + (latent.uniform(keys[row], 31, week) * 7).astype(np.int64)
    # a third of the kept promises are kept in part only
    part = np.where(
        latent.uniform(keys[row], 32, week) < 0.33, 0.4 + 0.5 * latent.uniform(keys[row], 33, week), 1.0
    )
    start = np.datetime64(starts_on, "D")
    frame = pl.DataFrame(
        {
            "attempt_key": made["attempt_key"], "case_reference": made["case_reference"], "amount_minor": amount,
            "due_on": start + due, "kept": made["keep"], "paid": np.maximum((amount * part).astype(np.int64), 1),
        }
    )  # fmt: skip
    payments = frame.filter("kept").select(
        "case_reference",
        pl.col("due_on").alias("paid_on"),
        pl.col("paid").alias("amount_minor"),
        "attempt_key",
    )
    return frame.drop("paid"), payments


def _own_payments(
    cases: pl.DataFrame, keys: latent.Keys, hazard: Floats, starts_on: date, week: int
) -> pl.DataFrame:
    """Give payments that come without contact. At most half the balance is left to promises of the same week."""
    pays = latent.uniform(keys, 40, week) < 1 - np.exp(-(1 - CONTACT_SHARE) * hazard)
    row = np.flatnonzero(pays)
    balance = cases["balance_minor"].to_numpy()[row]
    day = (latent.uniform(keys[row], 41, week) * 7).astype(np.int64)
    return pl.DataFrame(
        {
            "case_reference": cases["case_reference"].gather(row),
            "paid_on": np.datetime64(starts_on, "D") + day,
            "amount_minor": _amounts(balance, keys[row], 42, week),
            "attempt_key": pl.Series([None] * row.size, dtype=pl.String),
        }
    )


def _amounts(balance: Ints, keys: latent.Keys, salt: int, week: int) -> Ints:
    """Draw what is paid or promised: sometimes half of the balance, mostly an instalment, never more than half.

    Half, so that a payment by itself and a promise of the same week never pay more than the whole.
    """
    small = balance < 300_000
    settle = latent.uniform(keys, salt, week, 1) < np.where(small, 0.34, 0.2)
    share = 0.08 + 0.42 * latent.uniform(keys, salt, week, 2) ** 1.5
    return np.maximum(np.where(settle, balance // 2, (balance * share).astype(np.int64)), 1)


def _complaints(agency: Agency, answered: pl.DataFrame, keys: latent.Keys, week: int) -> pl.DataFrame:
    """Draw complaints from persons spoken to; a call at night angers five times as often."""
    people = answered.filter(~pl.col("outcome").is_in(["UNANSWERED", "SENT"]))
    row, night = people["row"].to_numpy(), people["night"].to_numpy()
    state = latent.mix(keys[row] + people["slot"].to_numpy().astype(np.uint64), _salt(agency), week, 50)
    rate = agency.complaints_per_1000 / 1000 * np.where(night, 5.0, 1.0)
    theme = np.array(THEMES[:-1])[(latent.uniform(state, 2) * (len(THEMES) - 1)).astype(np.int64)]
    return (
        people.with_columns(
            theme=pl.Series(np.where(night, THEMES[-1], theme), dtype=pl.String),
            on=pl.col("at").dt.offset_by("8h").dt.date(),
            angry=pl.Series(latent.uniform(state, 1) < rate),
        )
        .filter("angry")
        .select("attempt_key", "case_reference", "on", "theme")
    )


def _salt(agency: Agency) -> int:
    return int.from_bytes(agency.code.encode(), "big") % 2**61
