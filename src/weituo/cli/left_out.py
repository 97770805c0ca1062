"""`weituo placement left-out | held-out`: whom a run left out, with all reasons, and whom it held out."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli.reading import money_text
from weituo.cli.words import worded

COLUMNS = ("number", "reason", "reasons", "product", "bucket", "region", "currency", "balance_minor")


def add_verbs(placement: Any, *, run_id: Callable[[Any, str], UUID]) -> None:
    """Add the verbs to `placement`."""
    left_out = cli.common(
        placement.add_parser("left-out", help="accounts that a run left out, with all their reasons")
    )
    left_out.add_argument("number", metavar="RUN", help="number or id of the run")
    left_out.add_argument("--reason", default="", help="only those that count under this reason")
    left_out.add_argument("--file", type=Path, help="write all of them to this CSV file")
    left_out.set_defaults(run=lambda arguments: _left_out(arguments, run_id))
    held_out = cli.common(
        placement.add_parser("held-out", help="accounts that approved runs held out for measuring")
    )
    held_out.set_defaults(run=_held_out)


def _left_out(arguments: argparse.Namespace, run_id: Callable[[Any, str], UUID]) -> int:
    from weituo.domain.placement import exclusions

    actor = cli.actor_of(arguments)
    run = run_id(actor, arguments.number)
    page = exclusions.left_out_page(actor, run_id=run, reason=arguments.reason)
    lines = [
        worded("left out: %(reason)s %(count)s", reason=reason, count=f"{count:,}")
        for reason, count in page["counts"].items()
    ]
    written = _write(arguments, exclusions.left_out_blocks(actor, run_id=run, reason=arguments.reason))
    if written is None:
        lines += [f"{row['number']} {', '.join(row['reasons'])} {money_text(row['balance_minor'], row['currency'])}" for row in page["rows"]]  # fmt: skip
        if page["total"] > len(page["rows"]):
            lines.append(worded("… of %(total)s: --file writes all of them", total=f"{page['total']:,}"))
    else:
        lines.append(
            worded("%(count)s accounts written to %(file)s", count=f"{written:,}", file=arguments.file)
        )
    body = {"counts": page["counts"], "total": page["total"], "rows": page["rows"] if written is None else [], "written": written}  # fmt: skip
    cli.show(arguments, body, "\n".join(lines))
    return 0


def _write(arguments: argparse.Namespace, blocks: Any) -> int | None:
    if arguments.file is None:
        return None
    written = 0
    with arguments.file.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for block in blocks:
            writer.writerows([row[name] for name in COLUMNS] for row in block)
            written += len(block)
    return written


def _held_out(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import exclusions

    frame = exclusions.hold_outs_frame(cli.actor_of(arguments))
    grouped = frame.group_by("held_out", "bucket", "currency").len().sort("held_out", "bucket").to_dicts()
    lines = [f"{row['held_out']:<10} {row['bucket']:<8} {row['len']:>9,}" for row in grouped]
    cli.show(arguments, {"held_out": frame.to_dicts()}, "\n".join(lines) or worded("no account is held out"))
    return 0
