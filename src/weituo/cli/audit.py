"""`weituo audit verify`: recompute the chain and name the first altered entry."""

from __future__ import annotations

import argparse
from typing import Any

from weituo.cli import face as cli
from weituo.cli.words import worded


def add_verbs(verbs: Any) -> None:
    """Add `audit`."""
    audit = verbs.add_parser("audit", help="check the audit log").add_subparsers(dest="what", required=True)
    verify = cli.common(audit.add_parser("verify", help="recompute every hash; name the first altered entry"))
    verify.add_argument(
        "--head",
        default="",
        metavar="HEX",
        help="a head that an earlier check gave: it must stand in the chain still",
    )
    verify.set_defaults(run=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from weituo.foundation.audit import journal

    verdict = journal.verify(cli.actor_of(arguments), kept_head=arguments.head)
    whole = verdict.altered_seq is None
    missing = verdict.altered_seq is not None and not verdict.altered_act
    text = (
        worded(
            "%(entries)s entries, chain whole, head %(head)s",
            entries=verdict.entries,
            head=verdict.head,
        )
        if whole
        else worded(
            "from entry %(altered_seq)s on: %(problem)s; %(entries)s entries before it are sound",
            altered_seq=verdict.altered_seq,
            problem=verdict.problem,
            entries=verdict.entries,
        )
        if missing
        else worded(
            "entry %(altered_seq)s (%(altered_act)s) was altered: %(problem)s; %(entries)s entries before it are sound",
            altered_seq=verdict.altered_seq,
            altered_act=verdict.altered_act,
            problem=verdict.problem,
            entries=verdict.entries,
        )
    )
    cli.show(arguments, asdict(verdict), text)
    return 0 if whole else 1
