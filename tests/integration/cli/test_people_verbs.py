"""`weituo identity invite|renew|role|stop|restore`: what the console does with people, on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from weituo.cli import face
from weituo.foundation.identity.models import User
from weituo.foundation.identity.roles import Role

PASSWORD = "a long enough one"
Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def run(db: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one verb with --json as an administrator and give its exit code and object."""
    monkeypatch.setattr("weituo.config.database.prepare", lambda home: None)
    User.objects.db_manager("owner").create_user(
        username="chen", password=None, role=Role.ADMIN.value, display_name="Chen"
    )

    def running(*words: str) -> tuple[int, dict[str, Any]]:
        code = face.main(["identity", *words, "--as", "chen", "--json"])
        return code, json.loads(capsys.readouterr().out)

    return running


def test_a_person_is_invited_moved_stopped_and_let_back(run: Run) -> None:
    code, invited = run("invite", "lin", "--name", "Lin", "--role", "ANALYST")
    assert code == 0
    page = Client().post(invited["link"], {"password": PASSWORD, "again": PASSWORD})
    assert page["Location"] == "/accounts/login/"
    assert run("role", "lin", "FINANCE", "--reason", "moved") == (0, {"username": "lin", "role": "FINANCE"})
    assert run("stop", "lin", "--reason", "left") == (0, {"username": "lin", "active": False})
    assert run("stop", "lin", "--reason", "left")[1]["error"]["code"] == "stands_already"
    assert run("restore", "lin", "--reason", "back") == (0, {"username": "lin", "active": True})
    code, renewed = run("renew", "lin", "--reason", "telephone lost")
    assert code == 0
    assert Client().get(renewed["link"]).status_code == 200
    assert Client().get(invited["link"]).status_code == 410


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("invite", "x", "--name", "X", "--role", "NOBODY"), "bad_input"),
        (("invite", "x", "--name", "X", "--role", "COLLECTOR"), "bad_input"),
        (("invite", "x", "--name", "X", "--role", "COLLECTOR", "--agency", "NONE"), "not_found"),
        (("role", "nobody", "FINANCE", "--reason", "x"), "not_found"),
        (("stop", "chen", "--reason", "x"), "own_account"),
    ],
)
def test_what_cannot_be_is_refused(run: Run, words: tuple[str, ...], code: str) -> None:
    exit_code, refused = run(*words)
    assert (exit_code, refused["error"]["code"]) == (2, code)
    assert User.objects.count() == 1


def test_a_person_is_added_with_a_password_and_given_another(run: Run) -> None:
    code, added = run("add", "lin", "--name", "Lin", "--role", "ANALYST", "--password-from", "generate")
    assert code == 0
    assert User.objects.get(username="lin").check_password(added["password"])
    code, changed = run("password", "lin", "--password-from", "generate")
    assert code == 0
    assert User.objects.get(username="lin").check_password(changed["password"])
    assert not User.objects.get(username="lin").check_password(added["password"])
