"""Draws by chance: the stated chance is the frequency, limits leave room, units stay whole, and anyone can draw again."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from weituo.core.allocation import exploration
from weituo.core.allocation.exploration import Draw, chances, explore, first_come, take_back
from weituo.core.allocation.holding import counts
from weituo.core.allocation.keying import keyed
from weituo.core.allocation.problem import Floats, Problem, ProblemError, problem


def made(n: int = 60, k: int = 4, *, seed: int = 0, **limits: Any) -> Problem:
    """A small problem with near ties, closed pairs and balances of several sizes."""
    rng = np.random.default_rng(seed)
    value = rng.normal(0, 3, size=(n, k)).round(1)
    value[rng.random((n, k)) < 0.2] = -np.inf
    value[:, k - 1] = rng.normal(0, 3, size=n)
    balance = rng.lognormal(5, 1, size=n).astype(np.int64)
    return problem(value=value, balance=balance, segment=rng.integers(0, 2, n), **limits)


def free_prices(asked: Problem) -> dict[str, Floats]:
    """Prices of nothing."""
    return {"price": np.zeros((asked.segments, asked.agencies)), "money": np.zeros(asked.agencies)}


def keys_of(n: int) -> np.ndarray:
    """Keys with text of several lengths."""
    return np.array([f"账户{number}" for number in range(n)])


def plain(seed: int, purpose: str, key: object) -> float:
    """The definition of a keyed number, one key at a time."""
    secret = hashlib.blake2b(f"{seed}|{purpose}".encode(), digest_size=32).digest()
    raw = hashlib.blake2b(str(key).encode(), key=secret, digest_size=8).digest()
    return (int.from_bytes(raw, "big") >> 11) * 2.0**-53


@pytest.mark.parametrize(
    "keys",
    [
        ["a", "", "深圳市民", "😀x", "x" * 127, "x" * 128, "x" * 129, "é" * 300],
        np.array([0, 1, 9, 10, 2**64 - 1], dtype=np.uint64),
        np.array([-5, 0, 7, -(2**63), 2**63 - 1]),
        np.array(["one", "two"], dtype=object),
    ],
)
def test_keyed_numbers_are_those_of_the_definition(keys: Any) -> None:
    found = keyed(seed=7, purpose="slice", keys=keys)
    assert found.tolist() == [plain(7, "slice", key) for key in np.asarray(keys).tolist()]
    assert keyed(seed=7, purpose="slice", keys=keys, threads=1).tolist() == found.tolist()


def test_keys_that_are_no_text_are_refused() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        keyed(seed=1, purpose="x", keys=np.array(["a", "\ud800"]))
    with pytest.raises(ValueError, match="text or whole numbers"):
        keyed(seed=1, purpose="x", keys=np.array([0.5]))
    with pytest.raises(ValueError, match="text or whole numbers"):
        keyed(seed=1, purpose="x", keys=np.array([b"a", None], dtype=object))


def against_frequency(
    asked: Problem, keys: np.ndarray, *, seeds: int, **how: Any
) -> tuple[Floats, Floats, int]:
    """Over many seeds: how often each unit stood drawn to each agency, less what was stated; in spreads. And give-ups."""
    n, k = asked.value.shape
    unit = asked.unit if asked.unit.size else np.arange(n)
    less, spread, given_up = np.zeros((n, k)), np.zeros((n, k)), 0
    stated = np.zeros((n, k))
    for seed in range(seeds):
        draw = explore(problem=asked, keys=keys, seed=seed, keep_chances=True, **free_prices(asked), **how)
        got, rows = draw.agency[draw.chosen], unit[draw.chosen]
        stood = got >= 0
        less[rows[stood], got[stood]] += 1
        less[rows] -= draw.chances
        stated[rows] += draw.chances
        spread[rows] += draw.chances * (1 - draw.chances)
        given_up += draw.given_up
        assert draw.probability[draw.chosen[stood]] == pytest.approx(
            draw.chances[stood, got[stood]], rel=1e-12
        )
    return less / np.sqrt(np.maximum(spread, 1.0)), stated / seeds, given_up


def test_the_stated_probability_is_the_frequency() -> None:
    asked = made(40)
    z, stated, given_up = against_frequency(asked, keys_of(40), seeds=800, share=0.3, measured=0.4, floor=0.1)
    assert np.abs(z).max() < 4.5
    assert given_up == 0
    # in the measured slice alone every open agency gets at least the floor
    assert (stated[~np.isneginf(asked.value)] > 0.4 * 0.1 * 0.8).all()
    assert (stated[np.isneginf(asked.value)] == 0).all()


def test_the_stated_probability_is_the_frequency_where_draws_meet_limits() -> None:
    asked = made(40, count_max=[4, 60, 2, 60], balance_max=[10**9, 1_500, 10**9, 10**9])
    z, stated, given_up = against_frequency(
        asked, keys_of(40), seeds=1_000, share=0.3, measured=0.4, floor=0.1
    )
    assert np.abs(z).max() < 4.5
    # a draw that would not fit is given up, and there are many of them here
    assert given_up > 1_000
    assert stated[:, 2].max() < 0.1


def test_draws_never_take_more_than_half_of_what_a_limit_allows() -> None:
    asked = made(80, count_max=[6, 60, 3, 80], balance_max=[10**9, 2_500, 10**9, 10**9])
    for seed in range(150):
        draw = explore(
            problem=asked, keys=keys_of(80), seed=seed, share=0.5, measured=0.5, **free_prices(asked)
        )
        held = np.bincount(draw.agency[draw.drawn], minlength=4)
        owed = np.bincount(draw.agency[draw.drawn], weights=asked.balance[draw.drawn], minlength=4)
        assert held[0] <= 3 and held[2] <= 1 and owed[1] <= 1_250
        assert (asked.value[np.flatnonzero(draw.drawn), draw.agency[draw.drawn]] > -np.inf).all()


def test_the_floor_holds_for_every_open_agency_of_the_measured_slice() -> None:
    asked = made(400, 6)
    draw = explore(
        problem=asked,
        keys=np.arange(400),
        seed=3,
        share=0.3,
        measured=0.5,
        floor=0.05,
        keep_chances=True,
        **free_prices(asked),
    )
    inside = draw.number[draw.chosen] < 0.5
    wide = ~np.isneginf(asked.value[draw.chosen])
    assert (draw.chances[inside][wide[inside]] >= 0.05 - 1e-12).all()
    assert draw.chances.sum(axis=1) == pytest.approx(1.0, abs=1e-9)
    assert (draw.chances[~inside].min(axis=1) < 0.05).any()
    # more agencies than the floor has room for: all the same chance
    even = explore(
        problem=asked,
        keys=np.arange(400),
        seed=3,
        share=0,
        measured=1,
        floor=0.5,
        keep_chances=True,
        **free_prices(asked),
    )
    assert even.chances[~np.isneginf(asked.value)[even.chosen]] == pytest.approx(
        np.repeat(1 / wide_of(asked)[even.chosen], wide_of(asked)[even.chosen])
    )


def wide_of(asked: Problem) -> np.ndarray:
    """How many agencies are open to each account."""
    return np.asarray((~np.isneginf(asked.value)).sum(axis=1))


def test_the_slices_have_their_shares_and_the_temperature_its_spread() -> None:
    n = 20_000
    asked = made(n, 5)
    draw = explore(
        problem=asked, keys=np.arange(n), seed=5, share=0.10, measured=0.02, away=0.2, **free_prices(asked)
    )
    assert draw.drawn.mean() == pytest.approx(0.12, abs=4 * np.sqrt(0.12 * 0.88 / n))
    assert draw.measured.mean() == pytest.approx(0.02, abs=4 * np.sqrt(0.02 * 0.98 / n))
    soft = draw.drawn & ~draw.measured
    elsewhere = (draw.agency != asked.value.argmax(axis=1))[soft].mean()
    assert elsewhere == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / soft.sum()))
    lost = (asked.value.max(axis=1) - asked.value[np.arange(n), draw.agency])[draw.drawn].sum()
    assert lost == pytest.approx(draw.expected_cost, rel=0.1)
    assert draw.probability[~draw.drawn].tolist() == [1.0] * int((~draw.drawn).sum())


def test_draws_can_be_repeated_and_do_not_depend_on_the_order_of_rows() -> None:
    asked = made(500, 5, count_max=[60, 500, 500, 40, 500])
    keys, unit = keys_of(500), np.random.default_rng(4).integers(0, 350, 500)
    asked = replace(asked, unit=unit.astype(np.int64))
    how = {"seed": 11, "share": 0.3, "measured": 0.3}
    first = explore(problem=asked, keys=keys, **how, **free_prices(asked))
    order = np.random.default_rng(9).permutation(500)
    other = replace(
        asked,
        value=asked.value[order],
        balance=asked.balance[order],
        segment=asked.segment[order],
        unit=1_000 - asked.unit[order],
    )
    second = explore(problem=other, keys=keys[order], **how, **free_prices(asked))
    assert first.agency[order].tolist() == second.agency.tolist()
    assert first.probability[order].tolist() == second.probability.tolist()
    assert first.measured[order].tolist() == second.measured.tolist()
    assert first.temperature == second.temperature
    again = explore(problem=asked, keys=keys, threads=1, **how, **free_prices(asked))
    assert again.agency.tolist() == first.agency.tolist()
    elsewhere = explore(problem=asked, keys=keys, **how | {"seed": 12}, **free_prices(asked))
    assert elsewhere.agency.tolist() != first.agency.tolist()


def test_the_accounts_of_a_unit_are_drawn_together_and_never_fixed_ones() -> None:
    unit = np.arange(300) // 3
    asked = replace(made(300, 4), unit=unit)
    fixed = np.where(unit < 40, 3, -1).astype(np.int16)
    draw = explore(
        problem=replace(asked, fixed=fixed),
        keys=np.arange(300),
        seed=2,
        share=0.4,
        measured=0.4,
        **free_prices(asked),
    )
    together = draw.agency.reshape(-1, 3)
    assert (together == together[:, :1]).all()
    assert not draw.drawn[unit < 40].any()
    assert draw.drawn[unit >= 40].sum() > 60
    assert (draw.probability.reshape(-1, 3) == draw.probability[::3, None]).all()


def test_a_unit_is_drawn_as_often_as_stated() -> None:
    unit = np.arange(30) // 2
    asked = replace(made(30, 3, count_max=[7, 30, 30]), unit=unit)
    z, stated, given_up = against_frequency(asked, keys_of(30), seeds=500, share=0.3, measured=0.5)
    assert np.abs(z).max() < 4.5
    assert given_up > 50 and (stated[:15].max(axis=1) > 0.05).all()


def test_large_draws_beyond_a_limit_are_kept_out_of_reach() -> None:
    asked = made(30_000, 4, count_max=[6_000, 30_000, 30_000, 30_000])
    draw = explore(
        problem=asked,
        keys=np.arange(30_000),
        seed=1,
        share=0,
        measured=0.8,
        floor=0.25,
        keep_chances=True,
        **free_prices(asked),
    )
    held = int((draw.agency == 0).sum())
    assert 2_400 < held <= 3_000
    lowered = draw.chances[:, 0][draw.chances[:, 0] > 0]
    assert lowered.min() < 0.2 and draw.given_up > 1_000
    assert held == pytest.approx(draw.chances[:, 0].sum(), abs=4.5 * np.sqrt(lowered.sum()))


def test_first_come_agrees_with_enumeration() -> None:
    chance = np.array([0.5, 0.2, 0.9, 0.0, 0.7, 1.0, 0.3])
    for quota in range(5):
        found = first_come(chance, quota)
        for i in range(chance.size):
            plain_sum = 0.0
            for pattern in range(2**i):
                came = [(pattern >> j) & 1 for j in range(i)]
                if sum(came) < quota:
                    plain_sum += float(np.prod([chance[j] if came[j] else 1 - chance[j] for j in range(i)]))
            assert found[i] == pytest.approx(plain_sum, abs=1e-14)


def test_nothing_is_drawn_of_nothing() -> None:
    asked = made(50)
    none = explore(problem=asked, keys=np.arange(50), seed=1, share=0, measured=0, **free_prices(asked))
    assert not none.drawn.any() and none.expected_cost == 0.0
    empty = problem(value=np.zeros((0, 3)), balance=np.zeros(0, dtype=np.int64))
    assert (
        explore(
            problem=empty,
            keys=np.zeros(0, dtype=np.int64),
            seed=1,
            share=0.5,
            measured=0.5,
            **free_prices(empty),
        ).agency.size
        == 0
    )
    shut = made(50, count_max=[0, 50, 50, 50])
    draw = explore(problem=shut, keys=np.arange(50), seed=1, share=0.5, measured=0.5, **free_prices(shut))
    assert not (draw.agency == 0).any()


@pytest.mark.parametrize(
    ("name", "part"), [("share", 1.1), ("measured", -0.1), ("floor", 2.0), ("away", -1.0), ("share", 0.95)]
)
def test_shares_that_cannot_be_are_refused(name: str, part: float) -> None:
    asked = made(10)
    how = {"share": 0.1, "measured": 0.1} | {name: part}
    with pytest.raises(ProblemError, match=name):
        explore(problem=asked, keys=np.arange(10), seed=1, **how, **free_prices(asked))


def test_keys_are_one_an_account() -> None:
    asked = made(10)
    with pytest.raises(ProblemError, match="keys must be 10"):
        explore(problem=asked, keys=np.arange(9), seed=1, share=0.1, measured=0.1, **free_prices(asked))


def test_draws_that_are_taken_back_are_no_longer_measured() -> None:
    asked = made(300)
    draw: Draw = explore(
        problem=asked, keys=np.arange(300), seed=1, share=0.3, measured=0.3, **free_prices(asked)
    )
    half = take_back(draw=draw, part=0.5)
    assert half.drawn.sum() == pytest.approx(draw.drawn.sum() / 2, abs=1)
    assert (half.agency[half.drawn] == draw.agency[half.drawn]).all()
    assert not half.measured.any() and not half.exact and draw.exact
    assert not take_back(draw=draw, part=0.0).drawn.any()
    assert exploration.ROOM == 0.5


def explained(name: str) -> dict[str, Any]:
    """Read a block of worked numbers from the page on placement."""
    page = Path(__file__).resolve().parents[4] / "docs" / "explanation" / "placement.md"
    [body] = re.findall(rf"```toml\n# worked: {name}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return tomllib.loads(body)


def test_chances_are_as_explained() -> None:
    given = explained("chance")
    regret = np.array([given["regret"]])
    for name, floor in (("softmax", 0.0), ("measured", 0.05)):
        found = chances(regret=regret, temperature=given["temperature"], floor=floor)[0]
        assert found.tolist() == pytest.approx(given[name], abs=1e-6)
        assert float(found @ regret[0]) == pytest.approx(given[f"{name}_costs"], abs=1e-4)
    assert float(chances(regret=regret, temperature=2.0, floor=1.0)[0] @ regret[0]) == pytest.approx(
        given["even_costs"], abs=1e-4
    )


def test_first_come_and_hold_outs_are_as_explained() -> None:
    given = explained("first come")
    stands = first_come(np.array(given["drawn"]), given["room"])
    assert stands.tolist() == pytest.approx(given["stands"])
    assert (stands * given["drawn"]).tolist() == pytest.approx(given["stored"])
    held = explained("hold-outs")
    assert (
        counts(of=np.array(held["of"]), share=held["share"], start=held["start"]).tolist() == held["held_out"]
    )
