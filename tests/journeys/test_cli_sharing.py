"""Sharing and evaluation from the command line, start to end, as an operator works."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest

from weituo.cli import face
from weituo.domain.partners import queries as partners
from weituo.foundation import clock

from tests.builders import actors
from tests.builders import evaluation as evaluated
from tests.builders import sharing as build
from tests.builders.ledger import AT

Run = Callable[..., Any]


@pytest.fixture
def run(db: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command at the time of the builders; give its JSON, or its text with `text=True`."""
    monkeypatch.setattr("weituo.config.database.prepare", lambda home: None)
    monkeypatch.delenv("WEITUO_AS", raising=False)

    def running(*words: object, text: bool = False, code: int = 0) -> Any:
        with clock.at_instant(AT):
            answered = face.main([str(word) for word in words] + ([] if text else ["--json"]))
        said = capsys.readouterr()
        assert answered == code, said.err
        return said.out if text else json.loads(said.out)

    return running


def test_from_key_to_revocation(run: Run, tmp_path: Path) -> None:
    desk = build.desk(key=False)
    [code] = [row.code for row in partners.agencies(actors.worker())]
    key = tmp_path / "agency.pub"
    key.write_text(f"{desk.identity.to_public()}\n")
    registered = run("sharing", "recipient", code, key)
    assert run("sharing", "recipients")["recipients"][0]["fingerprint"] == registered["fingerprint"]
    [made] = run("sharing", "build", _number(desk))["built"]
    assert made["cases"] == 2
    assert "BUILT" in run("sharing", "list", text=True)
    seen = run("sharing", "preview", code, desk.cases[0].account_id)
    assert (seen["placed"], seen["lacking"]) == (True, {})
    assert "vault" in run("sharing", "preview", code, desk.cases[0].account_id, text=True)
    [holder] = run("sharing", "holders")["holders"]
    assert (holder["cases"], holder["live_packages"]) == (2, 1)
    [disclosure] = run("sharing", "disclosures")["disclosures"]
    assert disclosure["purpose"] == "PACKAGE"
    assert run("sharing", "destructions")["destructions"] == []
    assert run("sharing", "revoke", made["package"], "--reason", "wrong run")["state"] == "REVOKED"
    assert (
        run("sharing", "revoke", made["package"], "--reason", "again", code=2)["error"]["code"]
        == "package_revoked"
    )
    [demand] = run("sharing", "destructions")["destructions"]
    assert (demand["cases"], demand["reason"]) == (2, "wrong run")
    assert "not confirmed" in run("sharing", "destructions", text=True)
    assert "removed" in run("sharing", "sweep", text=True)


def _number(desk: build.Desk) -> int:
    from weituo.domain.placement import queries

    [number] = [row["number"] for row in queries.runs(actors.worker()) if row["id"] == desk.run_id]
    return int(number)


def test_what_cannot_be_built_is_named_and_the_exit_code_says_so(run: Run) -> None:
    desk = build.desk(key=False, agreement=False)
    answer = run("sharing", "build", _number(desk), code=2)
    assert answer["built"] == []
    assert answer["refused"][0]["where"] == "agreement, key"
    private = str(pyrage.x25519.Identity.generate())
    [code] = [row.code for row in partners.agencies(actors.worker())]
    refused = run("sharing", "recipient", code, private, code=2)
    assert (refused["error"]["code"], private in str(refused)) == ("private_key_shown", False)


def test_from_evaluation_to_decision(run: Run) -> None:
    evaluated.agencies(payers=(0.6, 0.1))
    made = run("evaluation", "run", "--from", "2026-03-01", "--to", "2026-06-01")
    assert {card["verdict"] for card in made["scorecards"]} == {"BETTER", "WORSE"}
    assert "rank 1–1" in run("evaluation", "show", made["id"], text=True)
    assert run("evaluation", "replay", made["id"])["same_verdicts"]
    assert len(run("evaluation", "list")["evaluations"]) == 1
    best = made["scorecards"][0]["id"]
    run("evaluation", "decide", best, "TIER", "--tier", 1, "--reason", "clearly ahead of its peers")
    refused = run("evaluation", "decide", best, "TIER", "--reason", "clearly ahead", code=2)
    assert refused["error"]["where"] == "tier"
    assert [row["decision"] for row in run("evaluation", "decisions")["decisions"]] == ["TIER"]
    case = run("evaluation", "business-case")
    assert [row["way"] for row in case["total"]] == ["AGENCY"]
    assert "cost to collect" in run("evaluation", "business-case", text=True)
