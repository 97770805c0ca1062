"""The whole database is dumped after an import and a borrower's own words, and searched for what belongs in the vault alone."""

from __future__ import annotations

import base64
from datetime import date
from pathlib import Path

import polars as pl
from django.db import connections

from weituo.cli.book import write_invented
from weituo.domain.book import profiles
from weituo.domain.book import queries as book
from weituo.domain.book import services as book_services
from weituo.domain.care import services as care
from weituo.foundation.vault import store

from tests.builders import actors
from tests.builders.ledger import AT

PROJECT = Path(__file__).resolve().parents[3]
#: what says who somebody is; a province code or a language does not
PERSONAL = ("name", "identity_number", "phone", "phone_2", "email", "address")
WORDS = "我已经还清了这笔钱，请你们查一查收据"


def dump() -> str:
    """Give every row of every table of the database, of all schemas, as text."""
    parts = []
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        )
        for schema, table in cursor.fetchall():
            cursor.execute(f'SELECT string_agg(t::text, chr(10)) FROM "{schema}"."{table}" t')
            parts.append(cursor.fetchone()[0] or "")
    return "\n".join(parts)


def spellings(value: str) -> list[str]:
    """Give the ways in which a value could stand in a dump: as text, as hexadecimal bytes, as base64."""
    raw = value.encode()
    return [value, raw.hex(), base64.b64encode(raw).decode().rstrip("=")]


def test_a_dump_holds_no_name_number_address_or_word_of_a_borrower(db: str, tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    write_invented(path, accounts=300, seed=11, as_of=date(2026, 3, 1))
    profile = profiles.read_profile(PROJECT / "profiles" / "demo_book.toml")
    book_services.import_book(
        actor=actors.worker(), path=path, profile=profile, as_of=date(2026, 3, 1), at=AT
    )
    [first, *_] = book.accounts_frame(actors.worker(), on=date(2026, 3, 1))["borrower_id"].to_list()
    care.open_case(
        actor=actors.borrower(first),
        kind="DISPUTE",
        reason="ALREADY_PAID",
        text=WORDS,
        source="BORROWER_PAGE",
        at=AT,
    )
    file = pl.read_csv(path, infer_schema_length=0)
    values = {value for column in PERSONAL for value in file[column].drop_nulls().to_list() if value}
    assert len(values) > 1_000
    text = dump()
    assert (
        "book_account" not in text and "DISPUTE" in text
    )  # it is the rows that were dumped, and they are there
    hits = [value for value in values | {WORDS} if any(spelling in text for spelling in spellings(value))]
    assert hits == []
    for value in file["phone"].to_list()[:5]:  # and yet they are there for whoever may look
        assert store.find(actors.worker(), field="phone", value=value)
