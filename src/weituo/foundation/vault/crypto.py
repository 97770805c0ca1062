"""Sealing and opening fields, and blind indexes. No cipher of our own: AES-256-GCM and HMAC-SHA-256."""

from __future__ import annotations

import hmac
import os
import unicodedata
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


def bound_to(subject_id: UUID, field: str, position: int) -> bytes:
    """Give the associated data that ties a ciphertext to its row and column."""
    return subject_id.bytes + field.encode() + position.to_bytes(2, "big")


def seal(data_key: bytes, *, subject_id: UUID, field: str, position: int, value: str) -> bytes:
    """Encrypt one value; the result opens only for the same subject, field and position."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(data_key).encrypt(nonce, value.encode(), bound_to(subject_id, field, position))


def open_sealed(data_key: bytes, *, subject_id: UUID, field: str, position: int, sealed: bytes) -> str:
    """Decrypt one value; raise `cryptography.exceptions.InvalidTag` when it was moved or altered."""
    nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    return AESGCM(data_key).decrypt(nonce, body, bound_to(subject_id, field, position)).decode()


def normalised(field: str, value: str) -> str:
    """Give the form under which a value is searched: digits for phones, upper case without blanks for the rest."""
    text = unicodedata.normalize("NFKC", value)
    if field == "phone":
        return "".join(character for character in text if character.isdigit())
    return "".join(text.split()).upper()


def blind(index_key: bytes, *, field: str, value: str) -> bytes:
    """Give the keyed index of a value: equal values meet, nobody without the key can guess."""
    return hmac.digest(index_key, f"{field}|{normalised(field, value)}".encode(), "sha256")[:16]
