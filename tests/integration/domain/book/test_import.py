"""Importing a book: the real file against figures computed independently, and every kind of bad input."""

from __future__ import annotations

import gzip
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weituo.domain.book import checking, errors, profiles, queries, reading, services
from weituo.domain.book.profiles import Profile
from weituo.foundation.vault import store

from tests.builders import actors

PROJECT = Path(__file__).resolve().parents[4]
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AS_OF = date(2026, 3, 1)
HEADER = "客户,账户,姓名,电话,产品,本金,利息,费用,逾期日,争议"
GOOD = "B1,A1,王一,10000000001,CARD,1000.50,20.05,3,2026-01-15,0"
PROFILE = """
name = "test"
currency = "CNY"
as_of = 2026-03-01
[borrower]
id = "客户"
name = "姓名"
phone = ["电话"]
[account]
id = "账户"
product = "产品"
principal = "本金"
interest = "利息"
fee = "费用"
past_due_since = "逾期日"
[holds]
"争议" = "DISPUTE"
"""


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    path = tmp_path / "profile.toml"
    path.write_text(PROFILE, encoding="utf-8")
    return profiles.read_profile(path)


@pytest.fixture
def imported(tmp_path: Path, profile: Profile, db: str) -> Callable[..., services.ImportReport]:
    """Write lines to a file and import it."""

    def run(*lines: str, name: str = "book.csv", encoding: str = "utf-8") -> services.ImportReport:
        path = tmp_path / name
        body = "\n".join([HEADER, *lines]).encode(encoding)
        path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
        return services.import_book(actor=actors.worker(), path=path, profile=profile, at=AT)

    return run


def check_whole(path: Path, profile: Profile) -> tuple[int, list[checking.Checked]]:
    """Check every block of a file without a database."""
    source = reading.open_source(path, separator=",")
    refs = pl.concat(
        [
            checking.account_refs(table, profile)
            for table in reading.blocks(source, columns=checking.key_columns(profile))
        ]
    )
    tables = list(reading.blocks(source))
    twice = refs.filter(refs.is_duplicated())
    assert profile.as_of
    parts = [
        checking.check(table, profile, as_of=profile.as_of, twice=twice, standing=refs.clear())
        for table in tables
    ]
    return sum(table.frame.height for table in tables), parts


def rules_of(report: services.ImportReport) -> list[tuple[int, str, str, str]]:
    """Read the reject file."""
    return [tuple(row) for row in pl.read_csv(report.reject_file, infer_schema_length=0).rows()]  # type: ignore[misc]


def test_the_real_file_agrees_with_an_independent_computation(db: str, weituo_data: Path) -> None:
    path = weituo_data / "uci_taiwan_card_default" / "train.csv.gz"
    real = profiles.read_profile(PROJECT / "profiles" / "uci_credit_card.toml")
    report = services.import_book(actor=actors.worker(), path=path, profile=real, at=AT)
    late = pl.read_csv(path).filter(pl.col("PAY_0") >= 1)
    kept = late.filter(pl.col("BILL_AMT1") >= 0)
    assert (report.accounts, report.borrowers, report.history_rows) == (
        kept.height,
        kept["ID"].n_unique(),
        6 * kept.height,
    )
    assert (report.rejected, report.read) == (late.height - kept.height, 24_000)
    assert report.balance_minor == 100 * kept["BILL_AMT1"].sum()
    assert report.rejected_balance_minor == 100 * late.filter(pl.col("BILL_AMT1") < 0)["BILL_AMT1"].sum()
    expected = {
        f"M{n}" if n < 7 else "M7+": kept.filter(pl.col("PAY_0").clip(1, 7) == n).height for n in range(1, 8)
    }
    assert report.by_bucket == {bucket: count for bucket, count in expected.items() if count}
    history = queries.history_frame(actors.worker())
    assert history["bill_minor"].sum() == 100 * sum(kept[f"BILL_AMT{n}"].sum() for n in range(1, 7))
    assert history["paid_minor"].sum() == 100 * sum(kept[f"PAY_AMT{n}"].sum() for n in range(1, 7))
    in_may = history.filter(pl.col("month").dt.month() == 5)
    assert in_may["months_late"].sum() == kept["PAY_5"].sum()
    assert {
        row["bucket"]: row["accounts"] for row in queries.buckets(actors.worker(), on=date(2005, 9, 30))
    } == report.by_bucket
    again = services.import_book(actor=actors.worker(), path=path, profile=real, at=AT)
    assert again.repeated
    assert again.as_dict() | {"repeated": False} == report.as_dict()


def test_a_good_row_becomes_borrower_account_contact_point_and_sealed_person(
    imported: Callable[..., services.ImportReport],
) -> None:
    report = imported(GOOD)
    assert (report.accounts, report.rejected, report.balance_minor, report.by_bucket) == (
        1,
        0,
        102_355,
        {"M2": 1},
    )
    [account] = queries.accounts_frame(actors.worker(), on=AS_OF).to_dicts()
    assert (
        account["principal_minor"],
        account["interest_minor"],
        account["fee_minor"],
        account["days_past_due"],
    ) == (100_050, 2_005, 300, 45)
    [subject] = store.find(actors.worker(), field="name", value="王一")
    assert store.read(actors.worker(), subject_ids=[subject], fields=["phone"]) == {
        subject: {"phone": ["10000000001"]}
    }
    [point] = queries.contact_points(actors.worker()).to_dicts()
    assert (point["channel"], point["zones"]) == ("PHONE", ["Asia/Shanghai"])


@pytest.mark.parametrize(
    ("line", "column", "rule"),
    [
        ("B2,A2,李二,1,CARD,-5,0,0,2026-01-15,0", "本金", "balance_not_negative"),
        ("B2,A2,李二,1,CARD,5,0,0,2026-02-30,0", "逾期日", "date"),
        ("B2,A2,李二,1,CARD,5,0,0,2026-03-02,0", "逾期日", "date_plausible"),
        ("B2,A2,李二,1,CARD,5,0,0,,0", "逾期日", "present"),
        ("B2,A2,李二,1,CARD,5.001,0,0,2026-01-15,0", "本金", "amount"),
        ("B2,A2,李二,1,CARD,12abc,0,0,2026-01-15,0", "本金", "amount"),
        ("B2,A2,李二,1,CARD,9999999999999,0,0,2026-01-15,0", "本金", "balance_plausible"),
        (",A2,李二,1,CARD,5,0,0,2026-01-15,0", "客户", "present"),
        ("B2,,李二,1,CARD,5,0,0,2026-01-15,0", "账户", "present"),
        ("B2,A1,李二,1,CARD,5,0,0,2026-01-15,0", "账户", "account_once_in_file"),
        ("B2,A2" + ",x" * 298, "", "fields_10"),
        ("B2,A2,李二", "", "fields_10"),
    ],
)
def test_a_bad_row_goes_to_the_reject_file_with_row_column_and_rule(
    imported: Callable[..., services.ImportReport], line: str, column: str, rule: str
) -> None:
    report = imported(GOOD, "B3,A3,赵三,2,CARD,7,0,0,2026-01-15,0", line)
    assert (3, column, rule) in [(int(row), name, broken) for row, name, _value, broken in rules_of(report)]
    assert report.read == report.accounts + report.rejected == 3
    assert queries.accounts_frame(actors.worker(), on=AS_OF).height == report.accounts


def test_of_a_broken_line_nothing_is_repeated_and_the_file_is_the_owners_alone(
    imported: Callable[..., services.ImportReport],
) -> None:
    report = imported(GOOD, "B2,A2,x,李二,19000019990817001X,CARD,5,0,0,2026-01-15,0")
    assert [tuple(map(str, row)) for row in rules_of(report)] == [("2", "", "11", "fields_10")]
    assert report.rejected_balance_minor == 0
    path = Path(report.reject_file)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_mixed_currencies_are_rejected_by_row(db: str, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(
        PROFILE.replace('id = "账户"', 'id = "账户"\ncurrency = "币种"'), encoding="utf-8"
    )
    path = tmp_path / "b.csv"
    path.write_text(f"{HEADER},币种\n{GOOD},CNY\n{GOOD.replace('A1', 'A2')},USD\n", encoding="utf-8")
    report = services.import_book(
        actor=actors.worker(), path=path, profile=profiles.read_profile(tmp_path / "p.toml"), at=AT
    )
    assert (report.accounts, rules_of(report)) == (1, [("2", "币种", "USD", "currency_is_CNY")])


def test_line_ends_of_old_files_are_read(tmp_path: Path, profile: Profile, db: str) -> None:
    path = tmp_path / "b.csv"
    path.write_bytes("\r".join([HEADER, GOOD, GOOD.replace("A1", "A2")]).encode())
    report = services.import_book(actor=actors.worker(), path=path, profile=profile, at=AT)
    assert (report.accounts, report.rejected) == (2, 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_are_found(imported: Callable[..., services.ImportReport], encoding: str) -> None:
    assert imported(GOOD, encoding=encoding, name="book.csv.gz").accounts == 1
    assert len(store.find(actors.worker(), field="name", value="王一")) == 1


@pytest.mark.parametrize(
    ("body", "name", "refusal"),
    [
        (b"", "b.csv", errors.NothingToImport),
        (HEADER.encode() + b"\n", "b.csv", errors.NothingToImport),
        (gzip.compress((HEADER + "\n" + GOOD + "\n").encode() * 500)[:-20], "b.csv.gz", errors.FileRefused),
        (b"not gzip at all", "b.csv.gz", errors.FileRefused),
        (b"\x00\x01\x02", "b.csv", errors.FileRefused),
        (b"\xff\xfe\xff\xff\xff", "b.csv", errors.FileRefused),
        ("甲,乙\n1,2\n".encode(), "b.csv", errors.ColumnMissing),
        (b"PAR1 but broken", "b.parquet", errors.FileRefused),
        (b"PK but broken", "b.xlsx", errors.FileRefused),
    ],
)
def test_an_unusable_file_is_refused_whole(
    db: str, tmp_path: Path, profile: Profile, body: bytes, name: str, refusal: type[Exception]
) -> None:
    (tmp_path / name).write_bytes(body)
    with pytest.raises(refusal) as caught:
        services.import_book(actor=actors.worker(), path=tmp_path / name, profile=profile, at=AT)
    assert str(caught.value)
    assert queries.imports(actors.worker()) == []


def test_a_missing_file_is_refused(db: str, profile: Profile, tmp_path: Path) -> None:
    with pytest.raises(errors.FileRefused):
        services.import_book(actor=actors.worker(), path=tmp_path / "none.csv", profile=profile, at=AT)


def test_parquet_and_xlsx_give_the_same_book(db: str, tmp_path: Path, profile: Profile) -> None:
    columns = HEADER.split(",")
    frame = pl.DataFrame(
        [dict(zip(columns, GOOD.replace("A1", ref).split(","), strict=True)) for ref in ("A1", "A2")]
    )
    frame.write_parquet(tmp_path / "b.parquet")
    assert (
        services.import_book(
            actor=actors.worker(), path=tmp_path / "b.parquet", profile=profile, at=AT
        ).balance_minor
        == 204_710
    )
    frame.with_columns(账户=pl.Series(["A3", "A4"])).write_excel(tmp_path / "b.xlsx")
    assert (
        services.import_book(
            actor=actors.worker(), path=tmp_path / "b.xlsx", profile=profile, at=AT
        ).balance_minor
        == 204_710
    )


def test_an_account_that_stands_from_another_file_is_rejected(
    imported: Callable[..., services.ImportReport],
) -> None:
    imported(GOOD)
    report = imported(GOOD, GOOD.replace("A1", "A9"), name="second.csv")
    assert (report.accounts, report.rejected) == (1, 1)
    assert rules_of(report)[0][3] == "account_not_in_book"
    assert queries.accounts_frame(actors.worker(), on=AS_OF)["borrower_id"].n_unique() == 1


def test_when_every_row_is_bad_nothing_is_kept(imported: Callable[..., services.ImportReport]) -> None:
    with pytest.raises(errors.AllRowsRejected):
        imported(GOOD.replace("1000.50", "-1"))
    assert queries.imports(actors.worker()) == []


def test_holds_come_with_the_file(imported: Callable[..., services.ImportReport]) -> None:
    imported(GOOD[:-1] + "1", GOOD.replace("A1", "A2"))
    assert queries.holds_frame(actors.worker(), at=AT)["kind"].to_list() == ["DISPUTE"]


@pytest.mark.parametrize("change", ["nmae = 'x'\n", "currency = 'XXX'\n", "[filter]\ncolum = 'x'\n"])
def test_a_bad_profile_names_its_key(tmp_path: Path, change: str) -> None:
    text = PROFILE.replace(
        'currency = "CNY"\n', change if change.startswith("currency") else 'currency = "CNY"\n'
    )
    (tmp_path / "p.toml").write_text(
        text
        if change.startswith("currency")
        else (change + text if not change.startswith("[") else text + change),
        encoding="utf-8",
    )
    tomllib.loads((tmp_path / "p.toml").read_text(encoding="utf-8"))
    with pytest.raises(errors.ProfileRefused):
        checked = profiles.read_profile(tmp_path / "p.toml")
        path = tmp_path / "b.csv"
        path.write_text(f"{HEADER}\n{GOOD}\n", encoding="utf-8")
        check_whole(path, checked)


field = st.one_of(
    st.sampled_from(["", "x", "-1", "0", "5", "1,000", "2026-01-01", "2026-13-01", "9" * 20]),
    st.text(
        alphabet=st.characters(
            codec="utf-8", exclude_characters='",\n\r\0\x01', exclude_categories=("Cs", "Cc")
        ),
        max_size=8,
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.lists(field, min_size=10, max_size=10), min_size=1, max_size=12))
def test_no_row_is_ever_lost(tmp_path: Path, profile: Profile, lines: list[list[str]]) -> None:
    path = tmp_path / "fuzz.csv"
    rows = [",".join(f'"{value}"' if "," in value else value for value in line) for line in lines]
    path.write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    if not any(any(line) for line in lines):
        return
    read, parts = check_whole(path, profile)
    assert (
        sum(part.accepted.height + part.rejects["row"].n_unique() + part.out_of_scope for part in parts)
        == read
        == len(lines)
    )


@settings(max_examples=300, deadline=None)
@given(
    minor=st.integers(min_value=-(10**15), max_value=10**15),
    exponent=st.sampled_from([0, 2, 3]),
    grouped=st.booleans(),
)
def test_money_is_read_exactly(minor: int, exponent: int, grouped: bool) -> None:
    whole, part = divmod(abs(minor), 10**exponent)
    if whole >= 10**13:
        return
    text = (
        ("-" if minor < 0 else "")
        + (f"{whole:,}" if grouped else str(whole))
        + (f".{part:0{exponent}d}" if exponent else "")
    )
    assert pl.select(checking.minor_expr(pl.lit(text), unit="major", exponent=exponent)).item() == minor
