"""`weituo import BOOK --profile PROFILE.toml` and `weituo book …`."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from weituo.cli import face as cli


def add_verbs(verbs: Any) -> None:
    """Add `import` and `book`."""
    imports = cli.common(verbs.add_parser("import", help="import a book of overdue accounts (CSV, CSV.gz, Parquet, XLSX)"))
    imports.add_argument("book", type=Path)
    imports.add_argument("--profile", type=Path, required=True, help="how the file's columns map (TOML, see profiles/)")
    imports.add_argument("--as-of", type=date.fromisoformat, help="the day the figures stand for (default: the profile's)")
    imports.set_defaults(run=_import)
    book = verbs.add_parser("book", help="what stands in the book").add_subparsers(dest="what", required=True)
    cli.common(book.add_parser("buckets", help="accounts and money per bucket")).set_defaults(run=_buckets)
    cli.common(book.add_parser("imports", help="imported files")).set_defaults(run=_imports)


def _import(arguments: argparse.Namespace) -> int:
    from weituo.domain.book import profiles, services
    from weituo.foundation import clock

    cli.say(f"importing {arguments.book.name} …")
    report = services.import_book(
        actor=cli.actor_of(arguments), path=arguments.book, profile=profiles.read_profile(arguments.profile), as_of=arguments.as_of, at=clock.now()
    )
    lines = [
        f"{report.file}: {'stands already, nothing was changed' if report.repeated else 'imported'}",
        f"  rows read {report.read:,} = accounts {report.accounts:,} + rejected {report.rejected:,} + out of scope {report.out_of_scope:,}",
        f"  borrowers {report.borrowers:,} · history rows {report.history_rows:,} · holds {report.holds:,}",
        f"  balance {report.balance_minor:,} {report.currency} minor units · rejected {report.rejected_balance_minor:,}",
        "  " + " · ".join(f"{bucket} {count:,}" for bucket, count in report.by_bucket.items()),
    ]
    if report.rejected:
        lines.append(f"  rejected rows with reasons: {report.reject_file}")
        cli.say(f"{report.rejected} rows were rejected; see {report.reject_file}")
    cli.show(arguments, report.as_dict(), "\n".join(lines))
    return 0


def _buckets(arguments: argparse.Namespace) -> int:
    from weituo.domain.book import queries

    rows = queries.buckets(cli.actor_of(arguments))
    cli.show(arguments, {"buckets": rows}, "\n".join(f"{row['bucket']:<8} {row['currency']} {row['accounts']:>9,} {row['balance_minor']:>18,}" for row in rows) or "the book is empty: import one")
    return 0


def _imports(arguments: argparse.Namespace) -> int:
    from weituo.domain.book import queries

    rows = queries.imports(cli.actor_of(arguments))
    cli.show(arguments, {"imports": rows}, "\n".join(f"{row['imported_at']:%Y-%m-%d %H:%M} {row['filename']} {row['accounts']:,} accounts, {row['rejected']:,} rejected" for row in rows) or "nothing was imported yet")
    return 0
