"""Sealing many persons at once: what can be done in columns is, and each cipher call stands alone in a plain loop."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from weituo.foundation.vault import crypto
from weituo.foundation.vault.keyring import MasterKeys

#: fields that may be found by value
SEARCHABLE = frozenset({"name", "phone", "identity_number", "email", "employer"})
KEY_BYTES = 32
SUBJECT_BYTES = 16
#: ciphers alive at one time: each holds its expanded key
CHUNK = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """Rows ready to be stored; every byte string as hexadecimal text."""

    #: subject_id, wrapped_key, master_version
    subjects: pl.DataFrame
    #: subject_id, field, position, sealed, blind (null where nobody searches), in the order of the primary key
    fields: pl.DataFrame


def seal_columns(
    subject_ids: pl.Series, values: Mapping[str, pl.Series], *, master: MasterKeys, index_key: bytes
) -> Sealed:
    """Encrypt the values of new subjects, each under a data key of its own.

    `subject_ids` are 32 hexadecimal digits; `values` gives for each field a list of texts a subject, where a null or empty
    text is left out and keeps its position.
    """
    frame = pl.DataFrame({"subject_id": subject_ids, **values}, schema_overrides={"subject_id": pl.String})
    parts = [
        _seal_chunk(part, list(values), master=master, index_key=index_key)
        for part in frame.iter_slices(CHUNK)
    ]
    return Sealed(
        subjects=pl.concat([subjects for subjects, _ in parts]),
        fields=pl.concat([fields for _, fields in parts]),
    )


def _seal_chunk(
    frame: pl.DataFrame, names: Sequence[str], *, master: MasterKeys, index_key: bytes
) -> tuple[pl.DataFrame, pl.DataFrame]:
    subjects = frame["subject_id"].str.decode("hex").to_list()
    random = os.urandom(KEY_BYTES * len(subjects))
    data_keys = [random[at : at + KEY_BYTES] for at in range(0, len(random), KEY_BYTES)]
    ciphers = [AESGCM(data_key) for data_key in data_keys]
    fields = pl.concat(
        [_seal_field(frame, name, subjects, ciphers, index_key=index_key) for name in names]
    ).sort("subject_id", "field", "position")
    wrapped = pl.Series([master.wrap(data_key) for data_key in data_keys], dtype=pl.Binary)
    return (
        frame.select(
            "subject_id", wrapped_key=wrapped.bin.encode("hex"), master_version=pl.lit(master.version)
        ),
        fields,
    )


def _seal_field(
    frame: pl.DataFrame, name: str, subjects: list[bytes], ciphers: list[AESGCM], *, index_key: bytes
) -> pl.DataFrame:
    rows = (
        frame.select("subject_id", number=pl.int_range(pl.len()), value=pl.col(name).cast(pl.List(pl.String)))
        .with_columns(position=pl.int_ranges(0, pl.col("value").list.len()))
        .explode("value", "position", empty_as_null=False)
        .filter(pl.col("value").is_not_null() & (pl.col("value") != ""))
    )
    size = crypto.NONCE_BYTES
    random = os.urandom(size * rows.height)
    nonces = [random[at : at + size] for at in range(0, len(random), size)]
    positions: list[int] = rows["position"].to_list()
    endings = [crypto.place(name, position) for position in range(max(positions, default=0) + 1)]
    sealed = [
        nonce + ciphers[number].encrypt(nonce, value.encode(), subjects[number] + endings[position])
        for nonce, number, value, position in zip(
            nonces, rows["number"].to_list(), rows["value"].to_list(), positions, strict=True
        )
    ]
    blind: list[bytes] | list[None] = [None] * rows.height
    if name in SEARCHABLE:
        digest = hmac.digest
        plain = rows.select(pl.lit(f"{name}|") + crypto.normalised_expr(name, pl.col("value"))).to_series()
        blind = [digest(index_key, text.encode(), "sha256")[: crypto.BLIND_BYTES] for text in plain.to_list()]
    return rows.select(
        "subject_id",
        pl.lit(name).alias("field"),
        "position",
        sealed=pl.Series(sealed, dtype=pl.Binary).bin.encode("hex"),
        blind=pl.Series(blind, dtype=pl.Binary).bin.encode("hex"),
    )
