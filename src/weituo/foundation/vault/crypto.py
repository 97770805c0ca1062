"""Sealing and opening fields, and blind indexes. No cipher of our own: AES-256-GCM and HMAC-SHA-256."""

from __future__ import annotations

import hmac
import os
import re
import unicodedata
from typing import Final
from uuid import UUID

import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12
BLIND_BYTES: Final = 16
#: what a searched value is freed of, after NFKC: a telephone keeps its digits, everything else loses its blanks
_PHONE_NOISE: Final = r"\D+"
_BLANKS: Final = r"[\s\x1c-\x1f]+"


def place(field: str, position: int) -> bytes:
    """Give the part of the associated data that names the column and the position."""
    return field.encode() + position.to_bytes(2, "big")


def bound_to(subject_id: UUID, field: str, position: int) -> bytes:
    """Give the associated data that ties a ciphertext to its row and column."""
    return subject_id.bytes + place(field, position)


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
    return re.sub(_PHONE_NOISE, "", text) if field == "phone" else re.sub(_BLANKS, "", text).upper()


def normalised_expr(field: str, value: pl.Expr) -> pl.Expr:
    """Give `normalised` for a column."""
    text = value.str.normalize("NFKC")
    if field == "phone":
        return text.str.replace_all(_PHONE_NOISE, "")
    return text.str.replace_all(_BLANKS, "").str.to_uppercase()


def blind(index_key: bytes, *, field: str, value: str) -> bytes:
    """Give the keyed index of a value: equal values meet, nobody without the key can guess."""
    return hmac.digest(index_key, f"{field}|{normalised(field, value)}".encode(), "sha256")[:BLIND_BYTES]
