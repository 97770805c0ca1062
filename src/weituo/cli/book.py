"""`weituo import BOOK --profile PROFILE.toml` and `weituo book …`."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import IO, Any, cast

from weituo.cli import face as cli
from weituo.cli.reading import money_text
from weituo.cli.words import worded


def add_verbs(verbs: Any) -> None:
    """Add `import` and `book`."""
    imports = cli.common(
        verbs.add_parser("import", help="import a book of overdue accounts (CSV, CSV.gz, Parquet, XLSX)")
    )
    imports.add_argument("book", type=Path)
    imports.add_argument(
        "--profile", type=Path, required=True, help="how the file's columns map (TOML, see profiles/)"
    )
    imports.add_argument(
        "--as-of", type=date.fromisoformat, help="the day the figures stand for (default: the profile's)"
    )
    imports.set_defaults(run=_import)
    book = verbs.add_parser("book", help="what stands in the book").add_subparsers(dest="what", required=True)
    buckets = cli.common(book.add_parser("buckets", help="accounts and money per bucket on a day"))
    buckets.add_argument("--on", type=date.fromisoformat, help="the day (default: today)")
    buckets.set_defaults(run=_buckets)
    cli.common(book.add_parser("imports", help="imported files")).set_defaults(run=_imports)
    generate = cli.common(
        book.add_parser(
            "generate", help="write an invented book to CSV or CSV.gz, for profiles/demo_book.toml"
        )
    )
    generate.add_argument("file", type=Path)
    generate.add_argument("--accounts", type=int, default=20_000)
    generate.add_argument("--seed", type=int, default=7)
    generate.add_argument("--as-of", type=date.fromisoformat, required=True)
    generate.set_defaults(run=_generate, needs_database=False)


def _import(arguments: argparse.Namespace) -> int:
    from weituo.domain.book import profiles, services
    from weituo.foundation import clock

    cli.say(worded("importing %(name)s …", name=arguments.book.name))
    report = services.import_book(
        actor=cli.actor_of(arguments),
        path=arguments.book,
        profile=profiles.read_profile(arguments.profile),
        as_of=arguments.as_of,
        at=clock.now(),
    )
    lines = [
        f"{report.file}: {worded('stands already, nothing was changed') if report.repeated else worded('imported')}",
        worded(
            "  rows read %(read)s = accounts %(accounts)s + rejected %(rejected)s + out of scope %(out_of_scope)s",
            read=f"{report.read:,}",
            accounts=f"{report.accounts:,}",
            rejected=f"{report.rejected:,}",
            out_of_scope=f"{report.out_of_scope:,}",
        ),
        worded(
            "  borrowers %(borrowers)s · history rows %(history_rows)s · holds %(holds)s",
            borrowers=f"{report.borrowers:,}",
            history_rows=f"{report.history_rows:,}",
            holds=f"{report.holds:,}",
        ),
        worded(
            "  balance %(balance)s · rejected %(rejected_balance)s",
            balance=money_text(report.balance_minor, report.currency),
            rejected_balance=money_text(report.rejected_balance_minor, report.currency),
        ),
        "  " + " · ".join(f"{bucket} {count:,}" for bucket, count in report.by_bucket.items()),
    ]
    if report.updated or report.unchanged:
        lines.append(
            worded(
                "  accounts: %(new)s new, %(updated)s updated, %(unchanged)s unchanged; what is owed changed by %(changed)s",
                new=f"{report.new:,}",
                updated=f"{report.updated:,}",
                unchanged=f"{report.unchanged:,}",
                changed=money_text(report.changed_minor, report.currency),
            )
        )
    if report.differing:
        lines.append(
            worded(
                "  %(differing)s accounts differ from the book after booked payments, which stands: %(difference)s; see %(differences_file)s",
                differing=f"{report.differing:,}",
                difference=money_text(report.difference_minor, report.currency),
                differences_file=report.differences_file,
            )
        )
    if report.rejected:
        lines.append(worded("  rejected rows with reasons: %(reject_file)s", reject_file=report.reject_file))
        cli.say(
            worded(
                "%(rejected)s rows were rejected; see %(reject_file)s",
                rejected=report.rejected,
                reject_file=report.reject_file,
            )
        )
    cli.show(arguments, report.as_dict(), "\n".join(lines))
    return 0


def _buckets(arguments: argparse.Namespace) -> int:
    from weituo.domain.book import queries
    from weituo.foundation import clock, days

    on = arguments.on or days.day_of(clock.now())
    rows = queries.buckets(cli.actor_of(arguments), on=on)
    cli.show(
        arguments,
        {"on": on.isoformat(), "buckets": rows},
        "\n".join(
            f"{row['bucket']:<8} {row['accounts']:>9,} {money_text(row['balance_minor'], row['currency']):>24}"
            for row in rows
        )
        or worded("the book is empty: import one"),
    )
    return 0


def _imports(arguments: argparse.Namespace) -> int:
    from weituo.domain.book import queries

    rows = queries.imports(cli.actor_of(arguments))
    cli.show(
        arguments,
        {"imports": rows},
        "\n".join(
            worded(
                "%(imported_at)s %(filename)s %(accounts)s accounts, %(rejected)s rejected",
                imported_at=f"{row['imported_at']:%Y-%m-%d %H:%M}",
                filename=row["filename"],
                accounts=f"{row['accounts']:,}",
                rejected=f"{row['rejected']:,}",
            )
            for row in rows
        )
        or worded("nothing was imported yet"),
    )
    return 0


def write_invented(file: Path, *, accounts: int, seed: int, as_of: date) -> int:
    """Write an invented book, one line an account with its borrower and six months; give the rows written."""
    import gzip

    import polars as pl

    from weituo.core.twin import book as twin

    made = twin.generate(accounts=accounts, seed=seed, as_of=as_of)
    ago = (as_of.year * 12 + as_of.month) - (
        pl.col("month").dt.year().cast(pl.Int64) * 12 + pl.col("month").dt.month()
    )
    months = made.history.with_columns(ago=ago).pivot(
        on="ago", index="account_external_id", values=["bill_minor", "paid_minor", "months_late"]
    )
    months = months.rename(
        {
            name: name.replace("bill_minor_", "bill_")
            .replace("paid_minor_", "paid_")
            .replace("months_late_", "late_")
            for name in months.columns
        }
    )
    marks = [pl.col(mark).cast(pl.Int8) for mark in ("deceased", "bankrupt", "hardship")]
    borrowers = made.borrowers.select(
        "external_id", "name", "identity_number", "phone", "phone_2", "email", "address", "language", *marks
    )
    rows = (
        made.accounts.join(
            borrowers,
            left_on="borrower_external_id",
            right_on="external_id",
            how="left",
            maintain_order="left",
        )
        .join(
            months, left_on="external_id", right_on="account_external_id", how="left", maintain_order="left"
        )
        .with_columns(
            pl.col("disputed").cast(pl.Int8), promise=pl.col("open_promise_minor").is_not_null().cast(pl.Int8)
        )
        .drop("bucket", "months_late", "open_promise_minor", "open_promise_due_on")
        .rename({"external_id": "account_id", "borrower_external_id": "borrower_id"})
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.name.endswith(".gz"):
        with (
            file.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=5, mtime=0) as packed,
        ):
            rows.write_csv(
                cast("IO[bytes]", packed)
            )  # the same book gives the same bytes, so its second import is a no-op
    else:
        rows.write_csv(file)
    return rows.height


def _generate(arguments: argparse.Namespace) -> int:
    from weituo.core.twin.book import MAX_ACCOUNTS
    from weituo.foundation.errors import BadInput

    try:
        rows = write_invented(
            arguments.file, accounts=arguments.accounts, seed=arguments.seed, as_of=arguments.as_of
        )
    except ValueError as wrong:
        raise BadInput(
            problem=worded("1 to %(most)s accounts can be invented", most=f"{MAX_ACCOUNTS:,}"),
            where="--accounts",
        ) from wrong
    cli.show(
        arguments,
        {"file": str(arguments.file), "rows": rows},
        worded("%(rows)s invented accounts in %(file)s", rows=f"{rows:,}", file=arguments.file),
    )
    return 0
