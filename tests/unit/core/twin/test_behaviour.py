"""The playing agencies: pure, honest in size, and one of them calls at night."""

from __future__ import annotations

import time
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from stdnum.cn import uscc

from weituo.core.recovery import buckets, features
from weituo.core.twin import agencies, behaviour, book, history, latent

START = date(2026, 11, 30)
CASES = ("case_reference", "bucket", "balance_minor", "province_code")


@pytest.fixture(scope="module")
def cases() -> pl.DataFrame:
    made = book.generate(accounts=15_000, seed=11, as_of=date(2026, 11, 24))
    return made.accounts.with_columns(case_reference=pl.format("C-{}", "external_id")).select(CASES)


@pytest.fixture(scope="module")
def played(cases: pl.DataFrame) -> behaviour.Play:
    began = time.perf_counter()
    out = behaviour.play(
        agency=agencies.agency(code="HENGAN"), cases=cases, weeks=18, starts_on=START, seed=5
    )
    assert time.perf_counter() - began < 5.0
    return out


def _week(cases: pl.DataFrame, code: str = "SUXUN", **change: object) -> behaviour.Play:
    given = {"week": 2, "starts_on": START, "seed": 5} | change
    return behaviour.play_week(agency=agencies.agency(code=code), cases=cases, **given)  # type: ignore[arg-type]


def test_a_week_is_a_pure_function_of_its_arguments(cases: pl.DataFrame) -> None:
    one, two = _week(cases), _week(cases)
    for name in ("attempts", "promises", "payments", "complaints"):
        assert getattr(one, name).equals(getattr(two, name))
    assert not one.attempts.equals(_week(cases, seed=6).attempts)
    assert not one.attempts.equals(_week(cases, week=3).attempts)


def test_a_case_acts_alike_alone_and_in_company(cases: pl.DataFrame) -> None:
    few = cases.gather_every(37)
    alone, company = _week(few), _week(cases)
    for name, key in (
        ("attempts", "attempt_key"),
        ("promises", "attempt_key"),
        ("payments", "case_reference"),
    ):
        mine = getattr(company, name).filter(pl.col("case_reference").is_in(few["case_reference"].implode()))
        assert mine.sort(key).equals(getattr(alone, name).sort(key))


def test_payments_never_exceed_the_balance(cases: pl.DataFrame, played: behaviour.Play) -> None:
    paid = played.payments.group_by("case_reference").agg(pl.col("amount_minor").sum().alias("paid"))
    both = paid.join(cases, on="case_reference")
    assert both.height == paid.height
    assert (both["paid"] <= both["balance_minor"]).all()
    assert (played.payments["amount_minor"] > 0).all()


@pytest.mark.parametrize("balance_minor", [1, 2, 3, 99])
def test_tiny_balances_are_never_overpaid(balance_minor: int) -> None:
    tiny = pl.DataFrame(
        {"case_reference": [f"T{i}" for i in range(2_000)], "bucket": "M1", "balance_minor": balance_minor,
         "province_code": "440000"}
    )  # fmt: skip
    out = behaviour.play(agency=agencies.agency(code="SUXUN"), cases=tiny, weeks=12, starts_on=START, seed=1)
    assert out.payments.height > 0
    paid = out.payments.group_by("case_reference").agg(pl.col("amount_minor").sum())
    assert paid["amount_minor"].max() <= balance_minor


def test_liquidation_of_six_months_is_realistic(cases: pl.DataFrame) -> None:
    out = behaviour.play(
        agency=agencies.agency(code="HENGAN"), cases=cases, weeks=26, starts_on=START, seed=5
    )
    paid = out.payments.group_by("case_reference").agg(paid=pl.col("amount_minor").sum())
    by_bucket = (
        cases.join(paid, on="case_reference", how="left")
        .group_by("bucket")
        .agg(liquidation=pl.col("paid").sum() / pl.col("balance_minor").sum(), n=pl.len())
        .filter(pl.col("n") >= 500)
        .sort("bucket")
    )
    assert by_bucket["bucket"].to_list() == ["M1", "M2", "M3"]
    assert by_bucket["liquidation"].is_between(0.08, 0.26).all()
    assert by_bucket["liquidation"].is_sorted(descending=True)


def test_contact_helps_modestly_and_without_contact_money_still_comes(cases: pl.DataFrame) -> None:
    silent, usual = (
        behaviour.play(
            agency=agencies.agency(code="HENGAN"), cases=cases, weeks=12, starts_on=START, seed=5, intensity=i
        )
        for i in (0.0, 1.0)
    )
    assert silent.attempts.height == silent.promises.height == silent.complaints.height == 0
    lift = usual.payments.height / silent.payments.height
    assert 1.3 < lift < 2.2


def test_only_the_sloppy_agency_tries_at_night_and_is_complained_about(cases: pl.DataFrame) -> None:
    nights, rates = {}, {}
    for one in agencies.all_agencies():
        week = _week(cases, one.code)
        local = week.attempts["at"].dt.offset_by("8h")
        late = (local.dt.hour() >= 22) | (local.dt.hour() < 8)
        assert (late == week.attempts["night"]).all()
        nights[one.code] = int(late.sum())
        rates[one.code] = sum(_week(cases, one.code, week=w).complaints.height for w in range(4))
    assert nights.pop("SUXUN") > 0
    assert set(nights.values()) == {0}
    assert rates["SUXUN"] > 3 * max(v for k, v in rates.items() if k != "SUXUN")


def test_attempts_of_a_week_are_at_most_three_on_different_days(cases: pl.DataFrame) -> None:
    attempts = _week(cases, intensity=3.0).attempts
    local = attempts.with_columns(day=pl.col("at").dt.offset_by("8h").dt.date())
    assert attempts["attempt_key"].n_unique() == attempts.height
    assert local.group_by("case_reference").len()["len"].max() == 3
    assert local.group_by("case_reference", "day").len()["len"].max() == 1
    assert local["day"].is_between(START, START + timedelta(days=6)).all()
    assert set(attempts["outcome"].unique()) <= set(behaviour.OUTCOMES)


def test_promises_hang_on_attempts_and_kept_ones_are_paid(cases: pl.DataFrame) -> None:
    week = _week(cases)
    asked = week.attempts.filter(pl.col("outcome") == "PROMISE")["attempt_key"]
    assert week.promises["attempt_key"].is_in(asked.implode()).all()
    kept = week.promises.filter("kept").join(week.payments, on="attempt_key", suffix="_paid")
    assert kept.height == week.promises["kept"].sum() == week.payments["attempt_key"].is_not_null().sum()
    assert (kept["paid_on"] == kept["due_on"]).all()
    assert (kept["amount_minor_paid"] <= kept["amount_minor"]).all()
    assert 0.3 < week.promises["kept"].mean() < 0.7


def test_cases_on_hold_are_not_contacted(cases: pl.DataFrame) -> None:
    held = cases.with_columns(on_hold=pl.lit(value=True))
    week = _week(held)
    assert week.attempts.height == 0
    assert week.payments.height > 0


def test_disputes_and_hardship_stop_contact_in_later_weeks(cases: pl.DataFrame) -> None:
    week = _week(cases)
    stopped = week.attempts.filter(pl.col("outcome").is_in(["DISPUTE", "HARDSHIP"]))[
        "case_reference"
    ].unique()
    assert stopped.len() > 0
    later = _week(behaviour.after(cases=cases, played=week), week=3)
    assert not later.attempts["case_reference"].is_in(stopped.implode()).any()


@pytest.mark.parametrize("change", [{"week": -1}, {"intensity": -0.1}, {"intensity": 3.1}])
def test_weeks_without_sense_are_refused(cases: pl.DataFrame, change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        _week(cases, **change)


def test_an_empty_worklist_gives_empty_frames(cases: pl.DataFrame) -> None:
    week = _week(cases.clear())
    assert [f.height for f in (week.attempts, week.promises, week.payments, week.complaints)] == [0, 0, 0, 0]


def test_six_agencies_cover_the_country_with_valid_but_unassigned_codes() -> None:
    panel = agencies.all_agencies()
    assert len({a.code for a in panel}) == len({a.credit_code for a in panel}) == 6
    assert any(not a.coverage for a in panel)
    provinces = set(book.places()["province_code"])
    for one in panel:
        assert set(one.coverage) <= provinces
        assert one.credit_code[-1] == uscc.calc_check_digit(one.credit_code[:-1])
        assert one.credit_code[2:4] == "19"
        assert set(one.fee_bps) == set(buckets.BUCKETS[1:])
        assert all(1_000 <= fee <= 5_000 for fee in one.fee_bps.values())
        assert all(abs(s) <= 0.25 for s in one.skill.values())
        assert one.capacity > 0
        assert one.documents
        assert one.references
        assert one.past


def test_keyed_numbers_are_uniform_and_independent() -> None:
    keys = latent.keys(references=pl.Series([f"K{i}" for i in range(50_000)]), seed=1)
    a, b = latent.uniform(keys, 1), latent.uniform(keys, 2)
    assert abs(a.mean() - 0.5) < 0.005
    assert abs(a.var() - 1 / 12) < 0.002
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.02
    assert np.unique(keys).size == keys.size
    assert a.min() > 0
    assert a.max() < 1


def test_history_holds_the_registry_and_outcomes_that_cover_the_range() -> None:
    past = history.generate(accounts=3_000, seed=2, placed_on=date(2025, 12, 1))
    assert past.height == 3_000
    assert features.check(frame=past.select(features.NAMES)).height == 3_000
    assert past["paid_fraction"].is_between(0, 1).all()
    assert 0.4 < (past["paid_fraction"] > 0).mean() < 0.7
    assert past.equals(history.generate(accounts=3_000, seed=2, placed_on=date(2025, 12, 1)))
    assert past["agency_code"].n_unique() == 6


def test_history_may_hold_only_what_a_strategy_would_have_placed() -> None:
    given = {"accounts": 3_000, "seed": 2, "placed_on": date(2025, 12, 1)}
    later = history.generate(
        placed=lambda accounts: (accounts["months_late"] >= 2) & ~accounts["hardship"], **given
    )
    assert 500 < later.height < 2_000
    assert later["months_late"].min() == 2
    same = history.generate(**given).join(later, on="case_reference", how="semi", maintain_order="left")
    assert same.select(features.NAMES).equals(later.select(features.NAMES))


def test_a_past_of_less_contact_brought_less_money() -> None:
    given = {"accounts": 4_000, "seed": 3, "placed_on": date(2025, 12, 1)}
    usual, little = (history.generate(intensity=intensity, **given) for intensity in (1.0, 0.2))
    assert little["recovered_minor"].sum() < 0.95 * usual["recovered_minor"].sum()
