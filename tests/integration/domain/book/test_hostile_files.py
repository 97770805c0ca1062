"""Files and profiles that no honest system writes: a refusal that names what is wrong, never a fault, never a person."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from django.utils import translation

from weituo.domain.book import errors, profiles, reading, services

from tests.builders import actors

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AS_OF = date(2026, 3, 1)
PROFILE = """
name = "short"
currency = "CNY"
[borrower]
id = "borrower"
name = ["name"]
[account]
id = "account"
principal = "principal"
interest = "interest"
fee = "fee"
days_past_due = "late"
"""
HEAD = "account,borrower,name,principal,interest,fee,late"


def profile(folder: Path, text: str = PROFILE) -> profiles.Profile:
    file = folder / "short.toml"
    file.write_text(text, encoding="utf-8")
    return profiles.read_profile(file)


def taken(folder: Path, *lines: str, name: str = "book.csv") -> services.ImportReport:
    file = folder / name
    file.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    return services.import_book(actor=actors.staff(), path=file, profile=profile(folder), as_of=AS_OF, at=AT)


def test_an_empty_cell_owes_nothing_of_its_part(db: str, tmp_path: Path) -> None:
    report = taken(tmp_path, "A1,B1,Wang,100.00,,,40", "A2,B2,Li,100.00,1.00,,40", "A3,B3,Sun,100.00,x,,40")

    assert (report.accounts, report.rejected, report.balance_minor) == (2, 1, 20_100)


def test_references_and_personal_data_without_end_are_rejected(db: str, tmp_path: Path) -> None:
    long = "x" * 65
    report = taken(
        tmp_path,
        f"{long},B1,Wang,1,,,40",
        f"A2,{long},Li,1,,,40",
        f"A3,B3,{'x' * 501},1,,,40",
        "A4,B4,Sun,1,,,40",
    )

    rules = pl.read_csv(report.reject_file)["rule"].to_list()
    assert (report.accounts, report.rejected) == (1, 3)
    assert sorted(rules) == ["at_most_500_characters", "at_most_64_characters", "at_most_64_characters"]


def test_a_reject_file_holds_no_formula(db: str, tmp_path: Path) -> None:
    report = taken(
        tmp_path, "A1,B1,Wang,=1+1,,,40", "A2,B2,Li,@x,,,40", "A3,B3,Sun,-5,,,40", "A4,B4,Wu,1,,,40"
    )

    values = set(pl.read_csv(report.reject_file)["value"].to_list())
    assert {"'=1+1", "'@x", "-5"} <= values


def test_a_broken_line_is_not_quoted_in_the_refusal(db: str, tmp_path: Path) -> None:
    file = tmp_path / "book.csv"
    lines = "\n".join(f"A{number},B{number},Wang Xiaoming,1,,,40" for number in range(9))
    file.write_text(f'{HEAD}\n"{lines}', encoding="utf-8")

    with pytest.raises(errors.FileRefused) as refusal:
        services.import_book(actor=actors.staff(), path=file, profile=profile(tmp_path), as_of=AS_OF, at=AT)

    assert "Wang" not in str(refusal.value)
    assert "Wang" not in str(refusal.value.__cause__ or "")


def test_a_line_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "OPEN_QUOTE_BYTES_MAX", 2 << 20)
    monkeypatch.setattr(reading, "BLOCK_BYTES", 1 << 20)
    file = tmp_path / "bomb.csv.gz"
    file.write_bytes(gzip.compress(HEAD.encode() + b"\n" + b"0" * (8 << 20)))
    source = reading.open_source(file, separator=",")

    with (
        translation.override("en"),
        pytest.raises(errors.FileRefused, match="no line ends within 2,097,152 bytes"),
    ):
        list(reading.blocks(source))


def test_a_workbook_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "XLSX_BYTES_MAX", 1 << 20)
    file = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", b" " * (2 << 20))

    with translation.override("en"), pytest.raises(errors.FileRefused, match="save it as CSV"):
        list(reading.blocks(reading.open_source(file, separator=",")))


@pytest.mark.parametrize("name", ["garbage.xlsx", "garbage.parquet", "garbage.csv.gz"])
def test_garbage_under_any_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(range(1, 256)) * 8)

    with pytest.raises(errors.FileRefused) as refusal:
        list(reading.blocks(reading.open_source(tmp_path / name, separator=",")))
    assert "\n" not in str(refusal.value)


def test_a_column_of_lists_is_refused_by_one_line(tmp_path: Path) -> None:
    stream = io.BytesIO()
    pl.DataFrame({"account": [["a"], ["b"]]}).write_parquet(stream)
    (tmp_path / "nested.parquet").write_bytes(stream.getvalue())

    with pytest.raises(errors.FileRefused) as refusal:
        list(reading.blocks(reading.open_source(tmp_path / "nested.parquet", separator=",")))
    assert "\n" not in str(refusal.value)


def changed(old: str, new: str) -> str:
    assert old in PROFILE
    return PROFILE.replace(old, new)


WRONG = {
    "separator": ['separator = "ab"\n', 'separator = ""\n', 'separator = "，"\n', "separator = 5\n", "separator = '\"'\n", 'separator = "1"\n'],
    "zone": ['zone = "Mars/Olympus"\n', 'zone = "/etc/passwd"\n', 'zone = "../../x"\n', "zone = 5\n"],
    "unit": ['unit = ["minor"]\n', 'unit = "cents"\n'],
    "as_of": ['as_of = "x"\n', "as_of = 9999-12-31\n", "as_of = 0001-01-01\n", "as_of = 2026-03-01T10:00:00\n"],
    "holds": ['holds = "x"\n', 'holds = {late = "NONE"}\n', "holds = {late = 5}\n"],
}  # fmt: skip
TABLES = {
    "filter.column": ["[filter]\nat_least = 1\n", "[filter]\ncolumn = 5\nat_least = 1\n"],
    "filter.at_least": ['[filter]\ncolumn = "late"\n', '[filter]\ncolumn = "late"\nat_least = "x"\n', '[filter]\ncolumn = "late"\nat_least = true\n'],
    "history.months": ["[history]\nmonths = 5\n", "[history]\nmonths = [true]\n", "[history]\nmonths = [-1]\n", "[history]\nmonths = [99999999]\n", '[history]\nmonths = ["2026-13"]\n', "[history]\nmonths = [1.5]\n", "[history]\nmonths = [1, 1]\n"],
    "history.bill": ['[history]\nmonths = [1]\nbill = "late"\n', "[history]\nmonths = [1]\nbill = [5]\n"],
}  # fmt: skip
CELLS = {
    "name": [('"short"', "5"), ('"short"', '""'), ('"short"', f'"{"x" * 65}"')],
    "currency": [('"CNY"', "5"), ('"CNY"', '""')],
    "borrower.id": [('id = "borrower"', "id = 5"), ('id = "borrower"', 'id = ["a"]')],
    "borrower.name": [('["name"]', "[5]"), ('["name"]', '[["a"]]'), ('["name"]', "[]")],
    "account.interest": [
        ('interest = "interest"', "interest = 7"),
        ('interest = "interest"', 'interest = ["a"]'),
    ],
}


@pytest.mark.parametrize(
    ("where", "text"),
    [(where, before + PROFILE) for where, all_ in WRONG.items() for before in all_]
    + [(where, PROFILE + after) for where, all_ in TABLES.items() for after in all_]
    + [(where, changed(*pair)) for where, pairs in CELLS.items() for pair in pairs],
)
def test_a_profile_of_nonsense_is_refused_by_its_key(tmp_path: Path, where: str, text: str) -> None:
    with pytest.raises(errors.ProfileRefused) as refusal:
        profile(tmp_path, text)
    assert refusal.value.where == f"short.toml: {where}"


def test_a_profile_that_is_no_file_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deep.toml").write_text("a = " + "[" * 100_000)
    (tmp_path / "long.toml").write_text("# " + "x" * profiles.BYTES_MAX)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")

    for place in (
        tmp_path,
        Path("/dev/zero"),
        *(tmp_path / f"{name}.toml" for name in ("deep", "long", "binary", "no")),
    ):
        with pytest.raises(errors.ProfileRefused):
            profiles.read_profile(place)
