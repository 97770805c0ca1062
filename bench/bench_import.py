"""Importing a book: rows a second against a bare COPY of the same file, and against django-import-export; peak memory.

Every measured part runs in a process of its own on the same server and disk, one after the other:

    ours    weituo's import: profile, checks of every row, encryption of personal data, borrowers, accounts, six months of
            history an account, holds, totals that reconcile, one transaction, audit entry
    limit   psycopg COPY of the same CSV into one table without an index or a check
    rows    psycopg COPY, in binary, of the very rows that the import wrote into bare copies of its tables: no index, no key, no
            policy, no cipher; what nobody can beat who writes these rows
    rival   django-import-export into one table with one unique key, as it comes and with its bulk mode
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bench.claims import Claim

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("WEITUO_BENCH_HOME", ROOT / "var" / "bench"))
DATABASE = "weituo_bench"
AS_OF = date(2026, 3, 1)
SEED = 7
GIB = 1024**3
#: what an import fills
TABLES = (
    "book_account", "book_borrower", "book_repayment_history", "book_hold", "book_contact_point", "vault_subject", "vault_field",
)  # fmt: skip
BLOCK = 1 << 20


def run(arguments: argparse.Namespace) -> list[Claim]:
    """Measure the four parts and compare them."""
    sizes = {"whole": arguments.accounts, "part": min(arguments.rival_rows, arguments.accounts)}
    for name, rows in sizes.items():
        if not file_of(name, rows).exists():
            say(f"writing {rows:,} invented accounts")
            child("write", name, rows)
    found: dict[str, dict[str, Any]] = {}
    for part, name in (
        ("limit", "whole"),
        ("ours", "whole"),
        ("ours", "part"),
        ("rival", "part"),
        ("rival-bulk", "part"),
    ):
        say(f"measuring {part} on {sizes[name]:,} rows")
        found[f"{part} {name}"] = child(part, name, sizes[name])
        say(f"  {found[f'{part} {name}']}")
    ours, limit, few = found["ours whole"], found["limit whole"], found["ours part"]
    rival, bulk = found["rival part"], found["rival-bulk part"]
    return [
        Claim(name=f"import of {ours['rows']:,} accounts", unit="rows/s", ours=ours["rate"], against="a bare COPY of the same file into one table",
              other=limit["rate"], value=ours["rate"] / limit["rate"], goal=0.35,
              note=f"{ours['written']:,} rows in {ours['tables']} tables were written for {ours['rows']:,} lines; {ours['seconds']:.1f} s against {limit['seconds']:.2f} s"),
        Claim(name=f"import of {ours['rows']:,} accounts", unit="rows/s", ours=ours["rate"], against=f"a bare COPY of the {ours['written']:,} rows that it writes",
              other=ours["rows"] / ours["again"], value=ours["again"] / ours["seconds"], goal=0.35,
              note="the same rows without index, key, policy, cipher or check: the limit of this way of keeping a book"),
        Claim(name=f"import of {few['rows']:,} accounts", unit="rows/s", ours=few["rate"], against="django-import-export as it comes",
              other=rival["rate"], value=few["rate"] / rival["rate"], goal=50),
        Claim(name=f"import of {few['rows']:,} accounts", unit="rows/s", ours=few["rate"], against="django-import-export in bulk mode",
              other=bulk["rate"], value=few["rate"] / bulk["rate"], goal=1, note="no goal was set against this mode; shown because it is the fairer rival"),
        Claim(name="peak memory of the import", unit="MiB", ours=ours["peak_bytes"] / 2**20, against="1 GiB", other=1024.0,
              value=ours["peak_bytes"] / GIB, goal=1.0, better="low", note="resident set of the importing process"),
    ]  # fmt: skip


def child(part: str, name: str, rows: int) -> dict[str, Any]:
    """Run one part in a process of its own and read its one line of JSON."""
    environment = os.environ | {"WEITUO_HOME": str(HOME), "WEITUO_DATABASE": DATABASE}
    environment.pop("WEITUO_PG_FAST", None)  # a durable server, as in earnest
    done = subprocess.run(
        [sys.executable, "-m", "bench.bench_import", part, name, str(rows)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def file_of(name: str, rows: int) -> Path:
    """Give the CSV of this size."""
    return HOME / f"book-{rows}-{name}.csv"


def result(rows: int, seconds: float, **more: Any) -> dict[str, Any]:
    """Give a part's figures."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"rows": rows, "seconds": round(seconds, 3), "rate": rows / seconds, "peak_bytes": peak} | more


def write(file: Path, rows: int) -> dict[str, Any]:
    """Write the invented book."""
    from weituo.cli.book import write_invented

    began = time.perf_counter()
    draft = file.with_suffix(".part.csv")
    write_invented(draft, accounts=rows, seed=SEED, as_of=AS_OF)
    draft.replace(file)
    return result(rows, time.perf_counter() - began)


def fresh_database() -> dict[str, Any]:
    """Make the bench's database anew and give the connection details."""
    import psycopg

    from weituo.config import database

    dsn, _ = database.administrator(HOME)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
    return database.prepare(HOME, name=DATABASE)


def owner_dsn(described: dict[str, Any]) -> str:
    """Give the owner's connection string."""
    import psycopg

    return psycopg.conninfo.make_conninfo(
        host=described["host"], port=described["port"], dbname=DATABASE, user="weituo_owner", password=described["passwords"]["weituo_owner"]
    )  # fmt: skip


def columns_of(file: Path) -> dict[str, str]:
    """Give each column's PostgreSQL type, seen from the file's first rows; what is not plainly a number or a day is text."""
    import polars as pl

    seen = pl.read_csv(file, n_rows=20_000, infer_schema_length=20_000, try_parse_dates=True)
    kinds = {pl.Int64: "bigint", pl.Date: "date"}
    names = {"account_id", "borrower_id", "identity_number", "phone", "phone_2", "province_code"}
    return {
        name: "text" if name in names else kinds.get(kind.base_type(), "text")
        for name, kind in seen.schema.items()
    }


def limit(file: Path, rows: int) -> dict[str, Any]:
    """COPY the file into one table."""
    import psycopg

    described = fresh_database()
    body = ", ".join(f'"{name}" {kind}' for name, kind in columns_of(file).items())
    with psycopg.connect(owner_dsn(described)) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_copy ({body})")
        connection.commit()
        began = time.perf_counter()
        with (
            file.open("rb") as source,
            cursor.copy("COPY bench_copy FROM STDIN WITH (FORMAT csv, HEADER true)") as copy,
        ):
            while block := source.read(BLOCK):
                copy.write(block)
        connection.commit()
        seconds = time.perf_counter() - began
        stands = cursor.execute("SELECT count(*) FROM bench_copy").fetchone()
    assert stands == (rows,), f"{stands} rows stand, {rows} were written"
    return result(rows, seconds)


def ours(file: Path, rows: int) -> dict[str, Any]:
    """Import the file by its profile."""
    described = fresh_database()
    os.environ["DJANGO_SETTINGS_MODULE"] = "weituo.config.settings"
    import django

    django.setup()
    from weituo.config import database
    from weituo.domain.book import profiles, services
    from weituo.foundation import transactions
    from weituo.foundation.tenancy.actors import program

    database.migrate()
    profile = profiles.read_profile(ROOT / "profiles" / "demo_book.toml")
    began = time.perf_counter()
    report = services.import_book(
        actor=program("bench"), path=file, profile=profile, as_of=AS_OF, at=datetime.now(UTC)
    )
    seconds = time.perf_counter() - began
    with transactions.reading(program("bench")), transactions.connection().cursor() as cursor:
        counts = {}
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            counts[table] = cursor.fetchone()[0]
    assert report.accounts + report.rejected == rows, report
    assert counts["book_account"] == report.accounts, counts
    peak = result(rows, seconds)
    again = rows_again(described)
    return peak | {
        "written": sum(counts.values()),
        "tables": len(TABLES),
        "rejected": report.rejected,
        "again": round(again, 3),
    }


def rows_again(described: dict[str, Any]) -> float:
    """COPY what the import wrote into bare copies of its tables; give the seconds that took."""
    import psycopg

    seconds = 0.0
    with psycopg.connect(owner_dsn(described)) as connection, connection.cursor() as cursor:
        for table in TABLES:
            file = HOME / f"{table}.bin"
            with (
                file.open("wb") as target,
                cursor.copy(f"COPY (SELECT * FROM {table}) TO STDOUT (FORMAT binary)") as source,
            ):
                for block in source:
                    target.write(block)
            cursor.execute(f"CREATE TABLE bench_{table} (LIKE {table})")
            connection.commit()
            began = time.perf_counter()
            with (
                file.open("rb") as source,
                cursor.copy(f"COPY bench_{table} FROM STDIN (FORMAT binary)") as copy,
            ):
                while block := source.read(BLOCK):
                    copy.write(block)
            connection.commit()
            seconds += time.perf_counter() - began
            file.unlink()
    return seconds


def rival(file: Path, rows: int, *, bulk: bool) -> dict[str, Any]:
    """Import the file with django-import-export into one table with the same columns."""
    import django
    from django.conf import settings

    described = fresh_database()
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "import_export", "bench"],
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "HOST": described["host"], "PORT": described["port"], "NAME": DATABASE,
                               "USER": "weituo_owner", "PASSWORD": described["passwords"]["weituo_owner"]}},
        USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )  # fmt: skip
    django.setup()
    import tablib
    from django.db import connection, models
    from import_export import resources

    kinds = {"bigint": models.BigIntegerField, "date": models.DateField, "text": models.TextField}
    fields: dict[str, Any] = {
        name: models.TextField(unique=True) if name == "account_id" else kinds[kind](null=True, blank=True)
        for name, kind in columns_of(file).items()
    }
    meta = type("Meta", (), {"app_label": "bench", "db_table": "bench_rival"})
    model = type("BenchRow", (models.Model,), fields | {"Meta": meta, "__module__": __name__})
    options = type("Meta", (), {"model": model, "import_id_fields": ("account_id",), "exclude": ("id",), "use_bulk": bulk, "batch_size": 1_000, "use_transactions": True})  # fmt: skip
    resource_of = type("BenchResource", (resources.ModelResource,), {"Meta": options})
    with connection.schema_editor() as editor:
        editor.create_model(model)
    began = time.perf_counter()
    data = tablib.Dataset().load(file.read_text(encoding="utf-8"), format="csv")
    resource_of().import_data(data, dry_run=False, raise_errors=True)
    seconds = time.perf_counter() - began
    stands = model._default_manager.count()  # type: ignore[attr-defined]
    assert stands == rows, f"{stands} rows stand, {rows} were written"
    return result(rows, seconds)


def say(text: str) -> None:
    """Tell how far it is, on standard error."""
    print(f"bench import: {text}", file=sys.stderr, flush=True)


def main(part: str, name: str, rows: int) -> None:
    """Run one part and print its figures as one line of JSON."""
    file = file_of(name, rows)
    HOME.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Any] = {
        "write": write,
        "limit": limit,
        "ours": ours,
        "rival": lambda path, count: rival(path, count, bulk=False),
        "rival-bulk": lambda path, count: rival(path, count, bulk=True),
    }
    print(json.dumps(parts[part](file, rows)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
