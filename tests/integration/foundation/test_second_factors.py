"""Second factors are sealed at rest: the table never holds a secret that computes a code."""

from __future__ import annotations

import base64
import json
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.exceptions import InvalidTag
from django.apps import apps
from django.core.cache import cache
from django.db import connections

from weituo.foundation.identity import enrolment, second_factor
from weituo.foundation.identity.models import User
from weituo.foundation.identity.roles import Role
from weituo.foundation.vault import store
from weituo.foundation.vault.keyring import FileKeyring

from tests.builders import actors
from tests.builders.ledger import AT

ADMIN = actors.staff(Role.ADMIN, name="chen")


def person() -> User:
    return User.objects.db_manager("owner").create_user(
        username="lin", password=None, role=Role.ANALYST.value, display_name="Lin"
    )


def stored() -> str:
    """Everything that the table of second factors holds, as text."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        return "\n".join(row[0] for row in cursor.fetchall())


def test_the_table_never_holds_the_plain_secret_and_its_codes_are_taken(db: str) -> None:
    user = person()
    secret = enrolment.enrol_totp(actor=ADMIN, username="lin", at=AT)
    held = stored()
    assert secret not in held
    assert base64.b64encode(secret.encode()).decode() not in held
    assert base64.b32decode(secret).hex() not in held
    cache.clear()
    factor = TOTP(Authenticator.objects.get(user=user))
    assert factor.validate_code(enrolment.present_code(secret))
    assert not factor.validate_code("000000") or enrolment.present_code(secret) == "000000"


def test_recovery_codes_and_their_seed_are_not_in_the_table(db: str) -> None:
    codes = RecoveryCodes.activate(person())
    again = RecoveryCodes(Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES))
    seed = second_factor.unseal(again.instance.data["seed"])
    assert seed not in stored()
    assert [code for code in codes.generate_codes() if code in stored()] == []
    assert again.validate_code(codes.generate_codes()[0])
    assert len(again.get_unused_codes()) == len(codes.generate_codes()) - 1


def test_two_seals_of_one_secret_differ_and_an_altered_one_does_not_open(db: str) -> None:
    first, second = second_factor.seal("S"), second_factor.seal("S")
    assert first != second
    assert (second_factor.unseal(first), second_factor.unseal(second)) == ("S", "S")
    head, body = first.rsplit(".", 1)
    raw = bytearray(base64.b64decode(body))
    raw[-1] ^= 1
    with pytest.raises(InvalidTag):
        second_factor.unseal(f"{head}.{base64.b64encode(bytes(raw)).decode()}")


@pytest.mark.parametrize("text", ["JBSWY3DPEHPK3PXP", "other.1.AAAA", ""])
def test_a_text_that_was_not_sealed_is_refused(db: str, text: str) -> None:
    with pytest.raises(ValueError):
        second_factor.unseal(text)


def test_what_an_older_master_key_sealed_still_opens(
    db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keyring.json"
    path.write_text(json.dumps({"current": 1, "keys": {"1": "11" * 32}}), encoding="ascii")
    monkeypatch.setattr(store, "keys", lambda: FileKeyring(path))
    old = second_factor.seal("S")
    path.write_text(json.dumps({"current": 2, "keys": {"1": "11" * 32, "2": "22" * 32}}), encoding="ascii")
    new = second_factor.seal("S")
    assert (old.split(".")[1], new.split(".")[1]) == ("1", "2")
    assert second_factor.unseal(old) == second_factor.unseal(new) == "S"


def test_the_migration_seals_what_was_stored_in_the_clear_once(db: str) -> None:
    user = person()
    plain = "JBSWY3DPEHPK3PXP"
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": plain})
    Authenticator.objects.create(
        user=user,
        type=Authenticator.Type.RECOVERY_CODES,
        data={"migrated_codes": ["11112222"], "used_mask": 0},
    )
    migration = import_module("weituo.foundation.identity.migrations.0002_seal_second_factors")
    editor = SimpleNamespace(connection=connections["default"])
    migration.seal(apps, editor)
    sealed = stored()
    assert plain not in sealed
    assert "11112222" not in sealed
    migration.seal(apps, editor)
    assert stored() == sealed
    factor = Authenticator.objects.get(type=Authenticator.Type.TOTP)
    assert second_factor.unseal(factor.data["secret"]) == plain
    codes = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES)
    assert RecoveryCodes(codes).generate_codes() == ["11112222"]
