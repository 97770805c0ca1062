"""`weituo partners group | conflict …` and `weituo placement left-out | held-out` on the command line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from weituo.cli import face
from weituo.domain.book import services as book
from weituo.foundation import clock
from weituo.foundation.identity.models import User
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import placement as build

Run = Callable[..., Any]


@pytest.fixture
def run(db: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one verb as Lin at the time of the builders; give its JSON, or its text with `text=True`."""
    monkeypatch.setattr("weituo.config.database.prepare", lambda home: None)
    User.objects.db_manager("owner").create_user(
        username="lin", password=None, role=Role.VENDOR_MANAGER.value, display_name="Lin"
    )

    def running(*words: object, text: bool = False, code: int = 0) -> Any:
        with clock.at_instant(build.AT):
            answered = face.main([*map(str, words), "--as", "lin"] + ([] if text else ["--json"]))
        said = capsys.readouterr()
        assert answered == code, said.err
        return said.out if text or code else json.loads(said.out)

    return running


def test_groups_and_conflicts_are_entered_shown_and_ended(run: Run) -> None:
    desk = build.desk(count=3)
    for code in ("ALPHA", "BETA"):
        run("partners", "group", code, "Holding", "--reason", "register")
    entered = run("partners", "conflict", "ALPHA", "BORROWER", desk.borrowers[0].hex, "--from", "2026-03-01", "--reason", "kin")  # fmt: skip
    told = run("partners", "relations", "ALPHA")
    assert told["sisters"] == ["BETA"] and told["memberships"][0]["group"] == "Holding"
    assert told["conflicts"][0]["id"] == entered["conflict"]
    assert "BETA" in run("partners", "relations", "ALPHA", text=True)
    run("partners", "end-conflict", entered["conflict"], "--reason", "gone")
    run("partners", "leave-group", "BETA", "--reason", "sold")
    assert run("partners", "relations", "ALPHA")["sisters"] == []
    run("partners", "leave-group", "BETA", "--reason", "sold", code=2)


def test_a_run_tells_whom_it_left_out_and_held_out(run: Run, tmp_path: Path) -> None:
    desk = build.desk(count=20)
    book.place_hold(
        actor=actors.staff(Role.CARE), borrower_id=desk.borrowers[0], account_id=None, kind="SOLD", reason="told", at=build.AT
    )  # fmt: skip
    made = run(
        "placement", "run", "--as-of", build.AS_OF, "--hold-out", "0.1", "--hold-out-kind", "LEFT_ALONE"
    )
    assert made["run"]["proof"]["hold_out"]["kind"] == "LEFT_ALONE"
    assert "SOLD 1" in run("placement", "show", 1, text=True)
    listed = run("placement", "left-out", 1)
    assert listed["counts"] == {"SOLD": 1} and listed["rows"][0]["number"] == desk.accounts[0].hex
    assert desk.accounts[0].hex in run("placement", "left-out", 1, text=True)
    file = tmp_path / "left-out.csv"
    assert run("placement", "left-out", 1, "--file", file)["written"] == 1
    assert next(csv.DictReader(file.open(encoding="utf-8")))["reasons"] == "SOLD"
    assert run("placement", "held-out")["held_out"] == []
    build.approved(made["run"]["id"])
    assert len(run("placement", "held-out")["held_out"]) in {1, 2}
    assert "LEFT_ALONE" in run("placement", "held-out", text=True)
