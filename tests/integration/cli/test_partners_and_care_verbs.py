"""`weituo partners …` and `weituo care …`: an agency let in by two persons, a case answered, all on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from weituo.cli import face
from weituo.domain.book import queries as book
from weituo.domain.care import services as care
from weituo.domain.partners import scoring
from weituo.foundation import clock
from weituo.foundation.identity.models import User
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import ledger as build

Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def run(db: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one verb with --json and give its exit code and object."""
    monkeypatch.setattr("weituo.config.database.prepare", lambda home: None)
    for name, role in (("lin", Role.VENDOR_MANAGER), ("zhao", Role.VENDOR_MANAGER), ("he", Role.CARE)):
        User.objects.db_manager("owner").create_user(
            username=name, password=None, role=role.value, display_name=name.title()
        )

    def running(*words: object, by: str = "lin") -> tuple[int, dict[str, Any]]:
        code = face.main([*map(str, words), "--as", by, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return running


def test_an_agency_is_let_in_by_two_persons(run: Run, tmp_path: Path) -> None:
    file, sheet = tmp_path / "licence.pdf", tmp_path / "scores.json"
    file.write_bytes(b"licence")
    assert run("partners", "register", "HENGAN", "--name-zh", "恒岸", "--name-en", "Hengan")[0] == 0
    _code, paper = run("partners", "paper", "HENGAN", "LICENCE", "L-1", "--issuer", "office", "--from", "2026-01-01", "--file", file)  # fmt: skip
    assert run("partners", "verify", paper["paper"])[0] == 0
    _code, other = run("partners", "paper", "HENGAN", "SECURITY", "S-1", "--issuer", "body", "--from", "2026-01-01", "--file", file)  # fmt: skip
    assert run("partners", "verify", other["paper"])[0] == 0
    names = list(scoring.WEIGHTS)
    sheet.write_text(json.dumps({"scores": dict.fromkeys(names, 90), "evidence": {key: [paper["paper"]] for key in names}}))  # fmt: skip
    assert run("partners", "assess", "HENGAN", sheet)[0] == 0
    code, refused = run("partners", "propose", "HENGAN", "--capacity", 500, "--reason", "good")
    assert (code, refused["error"]["code"]) == (2, "not_admissible")
    assert run("partners", "agree", "HENGAN", "CONFIDENTIALITY", "--from", "2026-01-01", "--field", "name")[0] == 0  # fmt: skip
    assert run("partners", "agree", "HENGAN", "SERVICE", "--from", "2026-01-01", "--fee", "M2=1800")[0] == 0
    assert run("partners", "propose", "HENGAN", "--capacity", 500, "--reason", "good")[0] == 0
    code, refused = run("partners", "decide", "HENGAN", "approve", "--reason", "mine")
    assert (code, refused["error"]["code"]) == (2, "second_person_needed")
    assert run("partners", "decide", "HENGAN", "approve", "--reason", "seen", by="zhao")[0] == 0
    assert run("partners", "capacity", "HENGAN", 700, "--reason", "surge")[0] == 0
    _code, listed = run("partners", "list")
    [row] = listed["agencies"]
    assert (row["state"], row["tier"], row["capacity_accounts_max"], row["total_bps"], row["lacking"] | row["stopped_by"]) == ("APPROVED", 1, 700, 9_000, {})  # fmt: skip
    assert run("partners", "suspend", "HENGAN", "--reason", "leak")[0] == 0
    assert run("partners", "reinstate", "HENGAN", "--reason", "mended")[0] == 2
    assert run("partners", "reinstate", "HENGAN", "--reason", "mended", by="zhao")[0] == 0
    _code, shown = run("partners", "show", "HENGAN")
    assert [paper["number"] for paper in shown["papers"]] == ["L-1", "S-1"]
    assert run("partners", "show", "NOBODY")[0] == 2
    assert run("partners", "register", "far too long a code", "--name-zh", "x", "--name-en", "x")[0] == 2


def test_a_case_is_answered_and_contact_stopped(run: Run) -> None:
    [placed] = build.placed_accounts()
    care.open_case(
        actor=actors.staff(Role.CARE), kind="COMPLAINT", reason="RUDE", source="PHONE", account_id=placed.account_id, at=clock.now()
    )  # fmt: skip
    _code, listed = run("care", "list", by="he")
    [row] = listed["cases"]
    assert run("care", "show", row["number"], by="he")[1]["reason"] == "RUDE"
    assert run("care", "decide", row["number"], "upheld", "--answer", "We are sorry.", by="lin")[0] == 2
    assert run("care", "decide", row["id"], "upheld", "--answer", "We are sorry.", by="he")[0] == 0
    assert run("care", "list", "--state", "DECIDED", by="he")[1]["cases"][0]["upheld"] is True
    _code, stopped = run("care", "stop", row["number"], "--reason", "asked", by="he")
    assert (stopped["accounts"], stopped["placements"]) == (1, 1)
    holds = book.holds_frame(actors.staff(), at=clock.now() + timedelta(seconds=1))
    assert holds["kind"].to_list() == ["CEASED"]


def test_a_letters_code_is_made_for_one_customer(run: Run) -> None:
    [placed] = build.placed_accounts()
    code, made = run("care", "code", placed.borrower_id.hex, by="he")
    assert code == 0
    assert len(made["code"].split("-")) == 3
    assert run("care", "code", "nobody", by="he")[0] == 2
