"""The log's pages: filters, one entry, the verdict on the chain, the export."""

from __future__ import annotations

import csv
import io

from weituo.foundation.identity import enrolment, keys
from weituo.foundation.identity.roles import Role

from tests.builders import actors, pages
from tests.builders.ledger import AT

CHEN = actors.staff(Role.ADMIN, name="chen")


def told() -> None:
    """Two acts of two people."""
    for actor, username in ((CHEN, "one"), (actors.staff(Role.ADMIN, name="=evil"), "two")):
        enrolment.add_person(
            actor=actor,
            username=username,
            name=username,
            role=Role.ANALYST,
            password="a long enough one",
            at=AT,
        )
    keys.issue_key(actor=CHEN, agency_id=actors.actor_id("agency"), name="system", at=AT)


def test_acts_are_sentences_and_filters_narrow_them(db: str) -> None:
    told()
    guest = pages.browser(Role.COMPLIANCE, name="zhao")
    assert "Chen issued an API key to an agency" in pages.words(guest.get("/log/"))
    by_person = pages.words(guest.get("/log/?person=che"))
    assert "Chen added a person" in by_person
    assert "=Evil added a person" not in by_person
    by_act = pages.words(guest.get("/log/?act=identity.issue_key"))
    assert "Chen added a person" not in by_act
    assert "No act fits this filter." in pages.words(guest.get("/log/?ref=nothing"))
    assert guest.get("/log/?before=zero").status_code == 200


def test_one_entry_shows_its_place_in_the_chain(db: str) -> None:
    told()
    guest = pages.browser(Role.AUDITOR, name="he")
    first, second = (pages.words(guest.get(f"/log/{seq}/")) for seq in (1, 2))
    assert "This is the first entry." in first
    assert "it follows the entry before it" in first
    assert first.split("Hash ")[1].split()[0] in second, "the second holds the hash of the first"
    assert guest.get("/log/99/").status_code == 404


def test_the_chain_is_verified_on_its_page(db: str) -> None:
    told()
    page = pages.words(pages.browser(Role.COMPLIANCE, name="zhao").get("/log/verify/"))
    assert "3 entries were recomputed. Nothing was altered and nothing is missing." in page


def test_the_export_cannot_run_as_a_formula(db: str) -> None:
    told()
    response = pages.browser(Role.COMPLIANCE, name="zhao").get("/log/export/?what=user")
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert [row["actor_name"] for row in rows] == ["'=Evil", "Chen"]
    assert all(len(row["hash"]) == 64 for row in rows)


def test_the_log_is_closed_to_others(db: str) -> None:
    assert pages.browser(Role.VENDOR_MANAGER, name="lin").get("/log/").status_code == 403


def test_codes_are_said_in_the_readers_language(db: str) -> None:
    told()
    guest = pages.browser(Role.COMPLIANCE, name="zhao", language="zh-hans")
    log = pages.words(guest.get("/log/?what=user"))
    assert "Chen添加了一名可登录人员" in log
    assert "角色 分析师" in log
    assert "用户" in log
    entry = pages.words(guest.get("/log/3/"))
    assert "API 密钥" in entry
    assert "有效期至 –" in entry
    assert not {"role ", "api_key", "active_to"} & set(entry.split(" "))
