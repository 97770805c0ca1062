"""The whole process in small: what the demonstration says is recomputed from rows, and its promises are put to the proof."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg
import pytest

from weituo.cli.demo import steps_placing
from weituo.cli.demo.scene import Scene
from weituo.core.recovery import features
from weituo.core.recovery import model as recovery
from weituo.core.twin import book as twin

from tests.journeys.home import Home, a_home

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journeys")]

ACCOUNTS, WEEKS, SEED = 600, 5, 7
SIZE = ("--accounts", str(ACCOUNTS), "--weeks", str(WEEKS))
Floats = npt.NDArray[np.float64]
NOT_REVERSED = "NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = x.entry_id)"


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A demonstration that nobody disturbed."""
    with a_home() as made:
        yield made


@pytest.fixture(scope="module")
def told(home: Home) -> dict[str, Any]:
    """What the undisturbed demonstration printed."""
    return home.demo(*SIZE)[0]


def figures(told: dict[str, Any], stage: int) -> dict[str, Any]:
    """Give the figures of one stage."""
    row = told["stages"][stage - 1]
    assert row["stage"] == stage
    found: dict[str, Any] = row["figures"]
    return found


def test_every_stage_of_the_process_has_its_row(told: dict[str, Any]) -> None:
    assert [row["stage"] for row in told["stages"]] == list(range(1, 15))
    for row in told["stages"]:
        assert row["happened"], row["name"]
        assert row["figures"], row["name"]


def test_money_is_what_the_ledger_rows_say(home: Home, told: dict[str, Any]) -> None:
    case, costs = figures(told, 1), figures(told, 14)
    assert case["accounts"] == home.value("SELECT count(*) FROM book_account") == ACCOUNTS
    opening = "SELECT sum(l.amount_minor)::bigint FROM ledger_leg l JOIN ledger_account a ON a.id = l.ledger_account_id WHERE a.kind = 'PLACED_BOOK'"
    assert case["imported_minor"] == -home.value(opening)
    paid = f"SELECT coalesce(sum(x.amount_minor), 0)::bigint FROM ledger_payment x WHERE x.agency_id IS %s NULL AND {NOT_REVERSED}"
    assert case["in_house_recovered_minor"] == home.value(paid.replace("%s", "")) > 0
    assert case["agencies_recovered_minor"] == home.value(paid.replace("%s", "NOT")) > 0
    balance = "SELECT coalesce(sum(l.amount_minor), 0)::bigint FROM ledger_leg l JOIN ledger_account a ON a.id = l.ledger_account_id WHERE a.kind = '%s'"
    assert case["in_house_cost_minor"] == costs["in_house_cost_minor"] == home.value(balance.replace("%s", "COLLECTION_COST")) > 0  # fmt: skip
    assert case["agencies_cost_minor"] == costs["commission_minor"] == home.value(balance.replace("%s", "COMMISSION_EXPENSE")) > 0  # fmt: skip
    paid_out = "SELECT coalesce(sum(l.amount_minor), 0)::bigint FROM ledger_leg l JOIN ledger_entry e ON e.id = l.entry_id JOIN ledger_account a ON a.id = l.ledger_account_id WHERE e.reason = 'COMMISSION_PAID' AND a.kind = 'COMMISSION_PAYABLE'"
    assert costs["paid_out_minor"] == home.value(paid_out)
    assert costs["capacity_accounts"] == home.value("SELECT sum(capacity_accounts_max) FROM partners_agency")


def test_every_commission_is_its_base_times_its_rate_rounded_half_up(
    home: Home, told: dict[str, Any]
) -> None:
    with home.administrator() as connection:
        rows = connection.execute(
            "SELECT c.base_minor, c.fee_bps, c.amount_minor, p.fee_bps, x.amount_minor - x.unapplied_minor FROM ledger_commission_line c "
            "JOIN placement_placement p ON p.id = c.placement_id JOIN ledger_payment x ON x.id = c.payment_id"
        ).fetchall()
    assert rows
    for base, bps, commission, agreed_bps, applied in rows:
        assert (base, bps) == (applied, agreed_bps)
        assert commission == (2 * base * bps + 10_000) // 20_000


def test_counts_of_partners_plans_and_strategy_are_the_rows(home: Home, told: dict[str, Any]) -> None:
    partners, plans, strategy = figures(told, 2), figures(told, 3), figures(told, 4)
    assert partners["agencies"] == home.value("SELECT count(*) FROM partners_agency") == 6
    assert partners["papers"] == home.value(
        "SELECT count(*) FROM partners_paper WHERE verified_at IS NOT NULL"
    )
    assert partners["approved"] == home.value(
        "SELECT count(*) FROM partners_proposal WHERE approved AND proposed_by <> decided_by"
    )
    assert partners["refused"] == "not_admissible"
    assert plans["signed"] == home.value(
        "SELECT count(*) FROM plans_plan WHERE state = 'SIGNED' AND lender_signed_by <> '' AND agency_signed_by <> ''"
    )
    assert plans["targets"] == home.value("SELECT count(*) FROM plans_target")
    assert plans["milestones_done"] == home.value(
        "SELECT count(*) FROM plans_milestone WHERE done_at IS NOT NULL"
    )
    assert strategy["treated"] == home.counts("SELECT treatment, count(*) FROM plans_treatment GROUP BY 1")


def test_counts_of_placing_sharing_and_work_are_the_rows(home: Home, told: dict[str, Any]) -> None:
    placed, shared, worked = figures(told, 5), figures(told, 6), figures(told, 7)
    states = home.counts(
        "SELECT state, count(*) FROM placement_placement WHERE placed_at IS NOT NULL GROUP BY 1"
    )
    assert placed["placed"] == sum(states.values()) > 0
    assert (placed["active"], placed["recalled"]) == (states["ACTIVE"], states["RECALLED"])
    assert placed["placed_minor"] == home.value(
        "SELECT sum(balance_minor)::bigint FROM placement_placement WHERE placed_at IS NOT NULL"
    )
    assert placed["expected_net_minor"] <= placed["bound_minor"]
    assert placed["planned_minor"] <= placed["planned_bound_minor"]
    assert placed["by_chance"] == home.value("SELECT count(*) FROM placement_run_item i JOIN placement_run r ON r.id = i.run_id WHERE r.state = 'APPROVED' AND i.explored") > 0  # fmt: skip
    assert home.value("SELECT count(*) FROM placement_run WHERE state = 'APPROVED' AND proposed_by <> decided_by") == placed["runs"]  # fmt: skip
    over = "SELECT count(*) FROM (SELECT agency_id FROM placement_placement WHERE state = 'ACTIVE' GROUP BY 1 HAVING count(*) > (SELECT capacity_accounts_max FROM partners_agency g WHERE g.id = agency_id)) AS o"
    assert home.value(over) == 0
    packages = home.counts("SELECT state, count(*) FROM sharing_package GROUP BY 1")
    assert shared["packages"] == sum(packages.values())
    assert (shared["acknowledged"], shared["revoked"]) == (
        packages["ACKNOWLEDGED"],
        packages.get("REVOKED", 0),
    )
    destroyed = home.value(
        "SELECT sum(cases)::bigint FROM sharing_destruction WHERE confirmed_at IS NOT NULL"
    )
    assert shared["taken_back"] == shared["destroyed"] == destroyed == placed["recalled"]
    assert worked["attempts"] == home.value("SELECT count(*) FROM contact_attempt") > 0
    promises = home.counts("SELECT state, count(*) FROM tracking_promise GROUP BY 1")
    assert worked["promises"] == sum(promises.values()) > 0
    assert (worked["promises_kept"], worked["promises_broken"]) == (
        promises.get("KEPT", 0),
        promises.get("BROKEN", 0),
    )
    assert worked["alerts"] == home.value("SELECT count(*) FROM tracking_alert")
    assert worked["reviews"] == home.value("SELECT count(*) FROM tracking_review") == 6


def test_counts_of_law_care_and_results_are_the_rows(home: Home, told: dict[str, Any]) -> None:
    law, care, results, together = figures(told, 9), figures(told, 10), figures(told, 8), figures(told, 13)
    permits = home.counts("SELECT state, count(*) FROM contact_permit GROUP BY 1")
    assert law["asked"] == sum(permits.values())
    assert law["refused"] == permits["REFUSED"] == sum(law["by_rule"].values())
    assert law["violations"] == home.value("SELECT count(*) FROM contact_violation")
    assert law["night"]["local_time"] == "22:30"
    assert law["night"]["code"] == "CN-HOURS"
    assert "GB/T 45251-2025" in law["night"]["citation"]
    at_night = "SELECT count(*) FROM contact_attempt WHERE extract(hour FROM made_at AT TIME ZONE 'Asia/Shanghai') NOT BETWEEN 8 AND 21"
    assert home.value(at_night) == 0
    assert care["by_kind"] == home.counts("SELECT kind, count(*) FROM care_case GROUP BY 1")
    assert care["decided"] == home.value("SELECT count(*) FROM care_case WHERE decided_at IS NOT NULL")
    assert care["wishes"] == home.value("SELECT count(*) FROM care_wish WHERE active_to IS NULL") == 1
    assert results["scorecards"] == home.value("SELECT count(*) FROM evaluation_scorecard") == 6
    assert results["verdicts"] == home.counts("SELECT verdict, count(*) FROM evaluation_scorecard GROUP BY 1")
    assert results["decisions"] == home.value("SELECT count(*) FROM evaluation_decision")
    states = home.counts("SELECT state, count(*) FROM ledger_statement GROUP BY 1")
    assert (together["statements"], together["paid"]) == (sum(states.values()), states["PAID"])
    assert (
        together["unmatched"] == home.value("SELECT count(*) FROM ledger_bank_line WHERE matched_to = ''") > 0
    )
    assert home.value("SELECT count(*) FROM ledger_statement WHERE drawn_by = approved_by") == 0


def test_the_model_is_as_good_as_its_held_out_accounts_say(home: Home, told: dict[str, Any]) -> None:
    said = figures(told, 12)
    with home.administrator() as connection:
        version, artefact, digest, calibration = connection.execute(
            "SELECT version, artefact, artefact_digest, calibration FROM placement_model WHERE state = 'PROMOTED'"
        ).fetchone()
    assert said["version"] == version == 1
    assert home.value("SELECT count(*) FROM placement_run WHERE state = 'APPROVED' AND model_id = (SELECT id FROM placement_model WHERE version = 1)") == figures(told, 5)["runs"]  # fmt: skip
    scene = json.loads((home.folder / "demo.json").read_text(encoding="utf-8"))
    known, fraction, balance = held_out(scene)
    body = (home.folder / "models" / artefact).read_bytes()
    guessed = recovery.from_bytes(artefact=body, expected_digest=digest).predict(frame=known)
    chance, expected = guessed["p_pay"].to_numpy(), guessed["expected_minor"].to_numpy()
    paid, metrics = fraction > 0, said["metrics"]
    pairs = chance[paid][:, None] - chance[~paid][None, :]
    assert metrics["auc"] == pytest.approx((pairs > 0).mean() + (pairs == 0).mean() / 2, abs=1e-5)
    assert metrics["brier"] == pytest.approx(((chance - paid) ** 2).mean(), abs=1e-5)
    assert metrics["base_rate"] == pytest.approx(paid.mean(), abs=1e-5)
    spread = ((fraction - fraction.mean()) ** 2).sum()
    assert metrics["r2"] == pytest.approx(1 - ((fraction - guessed["expected_fraction"].to_numpy()) ** 2).sum() / spread, abs=1e-5)  # fmt: skip
    actual = round(float((fraction * balance).sum()))
    assert (
        metrics["expected_minor"]
        == expected.sum()
        == sum(row["expected_minor"] for row in calibration["money"])
    )
    assert metrics["actual_minor"] == actual == sum(row["actual_minor"] for row in calibration["money"])
    assert metrics["money_ratio"] == pytest.approx(expected.sum() / actual, abs=1e-5)
    assert metrics["n"] == len(paid) == sum(row["n"] for row in calibration["reliability"])
    assert paid.sum() == sum(row["paid"] for row in calibration["reliability"])


def held_out(scene: dict[str, Any]) -> tuple[pl.DataFrame, Floats, Floats]:
    """Give the quarter of the past cohort that the model never saw: features, fraction paid, balance."""
    cohort = steps_placing.past_cohort(Scene(**scene))
    order = np.random.default_rng(SEED).permutation(cohort.height)
    kept = cohort[np.sort(order[: int(cohort.height * 0.25)])]
    return kept.select(features.NAMES), kept["paid_fraction"].to_numpy(), kept["balance_minor"].to_numpy()


def test_the_past_that_the_model_learnt_from_is_like_what_is_placed(home: Home, told: dict[str, Any]) -> None:
    scene = Scene(**json.loads((home.folder / "demo.json").read_text(encoding="utf-8")))
    cohort = steps_placing.past_cohort(scene)
    in_agencies = home.counts(
        f"SELECT a.bucket, count(*) FROM book_account_on('{scene.as_of}') a JOIN plans_treatment t ON t.account_id = a.id WHERE t.treatment = 'AGENCY' GROUP BY 1"
    )
    months = {"M2": 2, "M3": 3}
    now = {late: in_agencies[bucket] / sum(in_agencies.values()) for bucket, late in months.items()}
    for late, share in now.items():
        assert (cohort["months_late"] == late).mean() == pytest.approx(share, abs=0.06)
    assert cohort["months_late"].min() >= 2


def test_the_trial_balance_is_zero_to_the_cent(home: Home, told: dict[str, Any]) -> None:
    sums = home.counts("SELECT currency, sum(amount_minor)::bigint FROM ledger_leg GROUP BY 1")
    assert sums == {"CNY": 0}
    assert figures(told, 11)["trial_balance_minor"] == 0
    assert figures(told, 11)["ledger_differences"] == 0
    code, out, _ = home.run("ledger", "check", "--json")
    assert (code, json.loads(out)) == (0, {"differences": []})


def test_an_unbalanced_entry_is_refused_by_the_database_itself(home: Home, told: dict[str, Any]) -> None:
    before = home.value("SELECT count(*) FROM ledger_leg")
    with pytest.raises(psycopg.Error, match="balance"), home.administrator() as connection:
        connection.execute(
            "INSERT INTO ledger_entry (booked_at, value_on, reason, idempotency_key, input_digest) VALUES (now(), '2026-01-01', 'PAYMENT', 'one-sided', '')"
        )
        connection.execute(
            "INSERT INTO ledger_leg (entry_id, ledger_account_id, amount_minor, currency) "
            "SELECT e.id, a.id, 100, 'CNY' FROM ledger_entry e, (SELECT id FROM ledger_account LIMIT 1) AS a WHERE e.idempotency_key = 'one-sided'"
        )
        connection.commit()
    assert home.value("SELECT count(*) FROM ledger_leg") == before


def test_no_name_telephone_or_identity_number_stands_outside_the_vault(
    home: Home, told: dict[str, Any], tmp_path: Path
) -> None:
    as_of = date.fromisoformat(told["scene"]["begins_on"]) - timedelta(days=1)
    people = twin.generate(accounts=ACCOUNTS, seed=SEED, as_of=as_of).borrowers
    secrets = set(people["name"].to_list()) | set(people["identity_number"].to_list())
    secrets |= {number for column in ("phone", "phone_2") for number in people[column].drop_nulls().to_list()}
    secrets |= {number.removeprefix("+86") for number in secrets if number.startswith("+86")}
    secrets |= set(people["email"].drop_nulls().to_list())
    assert len(secrets) > 3 * people.height
    wanted = tmp_path / "secrets.txt"
    wanted.write_text("\n".join(sorted(secrets)) + "\n", encoding="utf-8")
    dump = tmp_path / "dump"
    dump.mkdir()
    tables = 0
    with home.administrator() as connection:
        names = connection.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (name,) in names:
            tables += 1
            with connection.cursor().copy(f"COPY {name} TO STDOUT".encode()) as rows, (dump / f"{tables}.txt").open("wb") as out:  # fmt: skip
                for block in rows:
                    out.write(block)
    assert tables > 40
    assert sum(file.stat().st_size for file in dump.iterdir()) > 1_000_000
    assert found_in(wanted, dump) == []
    kept = [one for one in home.folder.iterdir() if one.name not in {"packages", "keys", "static"}]
    assert {"demo.json", "demo", "postgres"} <= {one.name for one in kept}
    assert [hit for one in kept for hit in found_in(wanted, one)] == []
    wanted.write_text("open_book\n", encoding="utf-8")  # the search itself finds what is there
    assert found_in(wanted, dump)


def found_in(wanted: Path, place: Path) -> list[str]:
    """Give the files under `place` that hold one of the lines of `wanted` as bytes."""
    grep = shutil.which("grep")
    assert grep is not None
    result = subprocess.run(
        [grep, "-rlaF", "-f", str(wanted), str(place)], capture_output=True, text=True, env={"LC_ALL": "C"}, check=False
    )  # fmt: skip
    assert result.returncode in (0, 1), result.stderr
    return result.stdout.splitlines()


def test_the_packages_are_cipher_text_and_only_their_agency_has_the_key(
    home: Home, told: dict[str, Any]
) -> None:
    from weituo.cli.demo.steps_placing import opened

    scene = json.loads((home.folder / "demo.json").read_text(encoding="utf-8"))
    standing = sorted((home.folder / "packages").rglob("*.age"))
    whole = "SELECT id::text, 1 FROM sharing_package p WHERE state = 'ACKNOWLEDGED' AND NOT EXISTS (SELECT 1 FROM sharing_destruction d WHERE d.package_id = p.id)"
    assert {file.stem for file in standing} == set(home.counts(whole)) != set()
    for file in standing:
        code = file.parent.name
        assert opened(file.read_bytes(), private_key=scene["age_keys"][code])
        other = next(key for name, key in scene["age_keys"].items() if name != code)
        with pytest.raises(Exception, match="No matching keys found"):
            opened(file.read_bytes(), private_key=other)


def test_a_second_start_changes_nothing_and_says_the_same(home: Home, told: dict[str, Any]) -> None:
    before = home.value("SELECT max(seq) FROM audit_entry")
    again, said = home.demo(*SIZE)
    assert again == told
    assert "week" not in said
    assert home.value("SELECT max(seq) FROM audit_entry") == before


def test_the_present_code_of_a_person_can_be_asked(home: Home, told: dict[str, Any]) -> None:
    code, out, _ = home.run("demo", "code", "lin", "--json")
    assert code == 0
    assert json.loads(out)["code"].isdigit()
    assert len(json.loads(out)["code"]) == 6
    code, out, err = home.run("demo", "code", "nobody")
    assert (code, out) == (2, "")
    assert "lin" in err


def test_another_start_at_the_same_time_is_refused(home: Home, told: dict[str, Any]) -> None:
    import fcntl

    with (home.folder / "demo.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, out, err = home.run("demo", "--once")
    assert (code, out) == (2, "")
    assert "another demonstration is running" in err


def test_an_altered_audit_entry_is_named(home: Home, told: dict[str, Any]) -> None:
    code, out, _ = home.run("audit", "verify", "--json")
    verdict = json.loads(out)
    assert (code, verdict["altered_seq"], verdict["entries"]) == (0, None, figures(told, 11)["audit_entries"])
    victim = verdict["entries"] // 2
    with home.administrator() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE audit_entry SET reason = reason || ' ' WHERE seq = %s", [victim])
    try:
        code, out, _ = home.run("audit", "verify", "--json")
        assert code == 1
        assert json.loads(out)["altered_seq"] == victim
    finally:
        with home.administrator() as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("UPDATE audit_entry SET reason = left(reason, -1) WHERE seq = %s", [victim])
    assert home.run("audit", "verify", "--json")[0] == 0


#: what depends on the seed alone, not on the identifiers that a start draws
SETTLED = {1: ("accounts", "imported_minor"), 2: (), 3: ("signed", "targets"), 4: (), 12: ()}


#: what it has said last when it is killed, and for how long it may go on after that
MOMENTS = (("Invented book", 0.5), ("Screen six", 0.5), ("Plans signed", 0.5), ("week  1/", 0.5), ("week  2/", 0.5), ("week  3/", 0.5))  # fmt: skip


def test_killed_at_a_random_moment_it_goes_on_to_the_same_summary(home: Home, told: dict[str, Any]) -> None:
    moments = random.Random()
    with a_home() as other:
        said, most = moments.choice(MOMENTS)
        seconds = moments.uniform(0.0, most)
        print(f"killed {seconds:.3f} s after “{said}”")
        other.kill_after(said, seconds=seconds, words=SIZE)
        finished, _ = other.demo(*SIZE)
        for stage, names in SETTLED.items():
            mine, theirs = figures(finished, stage), figures(told, stage)
            for name in names or theirs:
                assert mine[name] == theirs[name], (stage, name)
        assert finished["scene"] == told["scene"]
        whole = figures(finished, 11)
        assert (whole["audit_whole"], whole["trial_balance_minor"], whole["ledger_differences"]) == (
            True,
            0,
            0,
        )
        assert other.value("SELECT count(*) FROM placement_run") == figures(told, 5)["runs"]
        twice = "SELECT count(*) FROM (SELECT agency_id, case_ref, planned_at, channel FROM contact_permit JOIN placement_placement USING (agency_id) WHERE placement_id = placement_placement.id GROUP BY 1, 2, 3, 4 HAVING count(*) > 1) AS d"
        assert other.value(twice) == 0
        assert other.value("SELECT count(*) FROM tracking_review") == 6
        assert figures(finished, 13)["remittances"] == other.value("SELECT count(*) FROM ledger_remittance")
