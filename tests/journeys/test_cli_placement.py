"""Strategies, plans, models and placements from the command line, start to end, as two persons work."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from weituo.cli import face
from weituo.domain.placement import queries
from weituo.foundation import clock
from weituo.foundation.identity import enrolment
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import placement as build

Run = Callable[..., Any]

PLAN = """
agency = "ALPHA"
active_from = 2026-03-01
note = "first plan"
[targets]
M2 = [300, 700, 1000]
[[milestones]]
title_zh = "系统联调"
title_en = "Systems connected"
owner = "AGENCY"
due_on = 2026-03-20
"""


@pytest.fixture
def run(db: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command at the time of the builders; give its JSON, or its text with `text=True`."""
    monkeypatch.setattr("weituo.config.database.prepare", lambda home: None)
    monkeypatch.delenv("WEITUO_AS", raising=False)

    def running(*words: object, text: bool = False, code: int = 0) -> Any:
        with clock.at_instant(build.AT):
            answered = face.main([str(word) for word in words] + ([] if text else ["--json"]))
        said = capsys.readouterr()
        assert answered == code, said.err
        return said.out if text else json.loads(said.out)

    return running


def people() -> None:
    """Let lin and zhao in."""
    for name in ("lin", "zhao"):
        enrolment.add_person(
            actor=actors.worker(), username=name, name=name, role=Role.VENDOR_MANAGER, password="long-Enough-7-words",
            agency_id=None, at=build.AT,
        )  # fmt: skip


def test_from_solution_to_recall(run: Run, tmp_path: Path) -> None:
    build.desk(count=30, capacity=10)
    people()
    limits = tmp_path / "limits.toml"
    limits.write_text("[agencies.BETA]\naccounts_max = 6\n", encoding="utf-8")
    made = run("placement", "run", "--limits", limits, "--exploration", 0, "--as", "lin")["run"]
    assert (made["number"], made["accounts"], made["state"]) == (1, 30, "SOLVED")
    assert "at most possible" in run("placement", "show", 1, text=True)
    assert run("placement", "replay", 1)["same"]
    account = queries.run_items_frame(actors.worker(), run_id=made["id"])["account_id"][0]
    assert {row["code"] for row in run("placement", "explain", 1, account)["choices"]} == {"ALPHA", "BETA"}
    assert "in-house is worth" in run("placement", "explain", 1, account, text=True)
    run("placement", "propose", 1, "--as", "lin")
    refused = run("placement", "approve", 1, "--as", "lin", code=2)
    assert refused["error"]["code"] == "second_person_needed"
    assert run("placement", "approve", made["id"], "--months", 3, "--as", "zhao")["placements"] == 16
    assert "APPROVED" in run("placement", "list", text=True)
    case, other = queries.placements_frame(actors.worker())["case_ref"][:2]
    assert run("placement", "recall", case, "--reason", "BORED", code=2)["error"]["code"] == "recall_refused"
    assert run("placement", "recall", case, other, "--reason", "CONDUCT")["recalled"] == 2
    assert run("placement", "recall", case, "--reason", "CONDUCT")["recalled"] == 0
    assert run("placement", "expire")["expired"] == 0
    second = run("placement", "run", "--as", "lin")["run"]
    run("placement", "propose", second["number"], "--as", "zhao")
    assert run("placement", "reject", 2, "--reason", "too soon", "--as", "lin")["state"] == "REJECTED"
    limits.write_text("accounts = [", encoding="utf-8")
    assert run("placement", "run", "--limits", limits, code=2)["error"]["where"] == str(limits)


def test_a_model_from_a_file_or_from_invented_accounts(run: Run, tmp_path: Path) -> None:
    for name, write in (("cohort.csv", "write_csv"), ("cohort.parquet", "write_parquet")):
        getattr(build.cohort(), write)(tmp_path / name)
    first = run("model", "train", tmp_path / "cohort.csv")
    assert run("model", "train", tmp_path / "cohort.parquet")["version"] == first["version"] == 1
    assert run("model", "train", "--invented", 1_000, "--seed", 3)["version"] == 2
    assert run("model", "promote", "v2")["state"] == "PROMOTED"
    assert [row["state"] for row in run("model", "list")["models"]] == ["PROMOTED", "CANDIDATE"]
    assert "observed" in run("model", "show", 1, text=True)
    assert run("model", "train", code=2)["error"]["where"] == "cohort"
    (tmp_path / "empty.csv").write_text("months_late\n1\n", encoding="utf-8")
    assert run("model", "train", tmp_path / "empty.csv", code=2)["error"]["code"] == "cohort_refused"


def test_a_strategy_is_drafted_tried_published_and_applied(run: Run, tmp_path: Path) -> None:
    build.desk(count=8)
    table = tmp_path / "table.json"
    table.write_text(
        json.dumps({"rows": [{"treatment": "LEGAL", "buckets": ["M2"]}, {"treatment": "IN_HOUSE"}]})
    )
    assert run("strategy", "try", table)["by_treatment"][0] | {"balance_minor": 0} == {
        "treatment": "LEGAL", "accounts": 8, "balance_minor": 0,
    }  # fmt: skip
    drafted = run("strategy", "draft", table, "--note", "all to court")
    assert run("strategy", "publish", drafted["version"])["state"] == "PUBLISHED"
    assert run("strategy", "apply")["accounts"] == {"LEGAL": 8}
    assert run("strategy", "show")["strategy"]["rows"][0]["treatment"] == "LEGAL"
    assert "LEGAL" in run("strategy", "show", f"v{drafted['version']}", text=True)
    assert [row["state"] for row in run("strategy", "list")["strategies"]] == ["PUBLISHED", "RETIRED"]
    table.write_text(json.dumps({"rows": [{"treatment": "LEGAL", "colour": "red"}]}))
    assert run("strategy", "draft", table, code=2)["error"]["where"] == "row 1"


def test_a_plan_is_drawn_up_and_signed(run: Run, tmp_path: Path) -> None:
    build.desk(count=2)
    file = tmp_path / "plan.toml"
    file.write_text(PLAN, encoding="utf-8")
    plan = run("plans", "draft", file)["plan"]
    assert run("plans", "sign", plan)["state"] == "OFFERED"
    assert "Systems connected" in run("plans", "show", plan, text=True)
    assert [row["agency"] for row in run("plans", "list")["plans"]] == ["ALPHA"]
    assert run("plans", "sign", plan, code=2)["error"]["code"] == "wrong_plan_state"
    file.write_text(PLAN.replace("ALPHA", "NOBODY"), encoding="utf-8")
    assert run("plans", "draft", file, code=2)["error"]["where"] == "NOBODY"
    file.write_text(PLAN.replace("2026-03-20", '"soon"'), encoding="utf-8")
    assert run("plans", "draft", file, code=2)["error"]["where"] == "milestones.due_on"


def test_offers_refills_recalls_and_terms_from_the_command_line(run: Run, tmp_path: Path) -> None:
    desk = build.desk(count=10, capacity=10)
    build.answers_each(desk.agencies["ALPHA"])
    people()
    enrolment.add_person(
        actor=actors.worker(), username="sup", name="sup", role=Role.AGENCY_SUPERVISOR, password="long-Enough-7-words",
        agency_id=desk.agencies["ALPHA"], at=build.AT,
    )  # fmt: skip
    build.approved(build.solved(exploration=0, limits={"agencies": {"ALPHA": {"accounts_min": 10}}}))
    offers = run("placement", "offers", "--as", "sup")["offers"]
    refs = [row["case_ref"] for row in offers]
    assert len(refs) == 10 and refs[0] in run("placement", "offers", "--as", "sup", text=True)
    assert run("placement", "accept", *refs[:4], "--as", "sup") == {"accepted": 4, "withdrawn": 0}
    assert run("placement", "decline", *refs[4:], "--reason", "NO_CAPACITY", "--as", "sup") == {"declined": 6}
    run("placement", "decline", refs[0], "--reason", "BORED", "--as", "sup", code=2)
    assert "6 to place again" in run("placement", "offers", text=True)
    assert run("placement", "lapse") == {"lapsed": 0}
    assert run("placement", "refill", "1", "--as", "lin")["placed"] == 6
    assert "BETA" in run("placement", "refills", "1", text=True)
    assert "nothing waits" in run("placement", "refill", "1", text=True)
    assert run("placement", "notice", *refs[:2], "--reason", "NO_PROGRESS", "--as", "lin") == {"noticed": 2}
    made = run("placement", "object", *refs[:2], "--code", "PROMISE_DUE", "--on", "2026-03-20", "--as", "sup")
    assert made == {"upheld": 0, "waiting": 2}
    rows = run("placement", "notices")["notices"]
    assert refs[0] in run("placement", "notices", "--as", "sup", text=True)
    ids = [row["objection_id"] for row in rows]
    assert run(
        "placement",
        "decide-objection",
        ids[0],
        "--uphold-until",
        "2026-03-21",
        "--reason",
        "a promise",
        "--as",
        "zhao",
    ) == {"decided": 1, "upheld": True}
    assert run("placement", "decide-objection", ids[1], "--reason", "nothing paid", "--as", "zhao") == {
        "decided": 1,
        "upheld": False,
    }
    assert run("placement", "finalise") == {"final": 0}
    assert run("placement", "withdraw-notice", refs[0], "--reason", "they work again") == {"withdrawn": 1}
    assert run("placement", "retain", refs[0], "--to", "2026-10-02", "--reason", "instalments") == {
        "retained": 1
    }
    settings = tmp_path / "terms.toml"
    settings.write_text("answer_days = 2\n[upheld_days]\nPROMISE_DUE = 10\n")
    told = run("placement", "terms", "--set", settings, "--reason", "as agreed", "--as", "zhao")["terms"]
    assert (told["version"], told["answer_days"], told["upheld_days"]) == (1, 2, {"PROMISE_DUE": 10})
    settings.write_text("answer_days = 'two'\n")
    run("placement", "terms", "--set", settings, "--reason", "x", "--as", "zhao", code=2)
