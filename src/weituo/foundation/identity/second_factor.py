"""Second factors at rest: TOTP secrets and the seeds of recovery codes are sealed under the vault's master keys.

Whoever reads the table, or a dump of it, can compute no code. Each secret has a data key of its own (AES-256-GCM), wrapped
by the master key that is current; the number of that key stands in front, so that older ones open after a rotation.
"""

from __future__ import annotations

import base64
import os
from typing import Any, Final

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from weituo.foundation.vault import store

FORM: Final = "weituo1"
#: what is sealed in `Authenticator.data`: one text, or a list of texts
FIELDS: Final = ("secret", "seed", "migrated_codes")
_BOUND_TO: Final = b"weituo second factor"
_WRAPPED_BYTES: Final = 40
_NONCE_BYTES: Final = 12


def seal(text: str) -> str:
    """Encrypt a secret as “weituo1.<number of the master key>.<base64>”."""
    keys, data_key, nonce = store.keys(), os.urandom(32), os.urandom(_NONCE_BYTES)
    body = keys.wrap(data_key) + nonce + AESGCM(data_key).encrypt(nonce, text.encode(), _BOUND_TO)
    return f"{FORM}.{keys.version}.{base64.b64encode(body).decode()}"


def is_sealed(text: str) -> bool:
    """Tell whether a stored text is one of `seal`."""
    return text.startswith(f"{FORM}.")


def unseal(sealed: str) -> str:
    """Decrypt what `seal` gave; raise ValueError for any other text, `InvalidTag` or `InvalidUnwrap` for an altered one."""
    form, version, body = sealed.split(".", 2)
    if form != FORM:
        raise ValueError("not a sealed second factor")
    raw = base64.b64decode(body, validate=True)
    data_key = store.keys().unwrap(raw[:_WRAPPED_BYTES], version=int(version))
    nonce = raw[_WRAPPED_BYTES : _WRAPPED_BYTES + _NONCE_BYTES]
    return AESGCM(data_key).decrypt(nonce, raw[_WRAPPED_BYTES + _NONCE_BYTES :], _BOUND_TO).decode()


def sealed_data(data: dict[str, Any]) -> dict[str, Any]:
    """Give an authenticator's data with every secret in it sealed; what is sealed already stays."""

    def once(text: str) -> str:
        return text if is_sealed(text) else seal(text)

    return {
        name: value
        if name not in FIELDS
        else [once(one) for one in value]
        if isinstance(value, list)
        else once(value)
        for name, value in data.items()
    }


class SecondFactorAdapter(DefaultMFAAdapter):
    """Seal what the sign-in library stores of second factors."""

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)
