"""`weituo audit verify`: recompute the chain and name the first altered entry."""

from __future__ import annotations

import argparse
from typing import Any

from weituo.cli import face as cli


def add_verbs(verbs: Any) -> None:
    """Add `audit`."""
    audit = verbs.add_parser("audit", help="check the audit log").add_subparsers(dest="what", required=True)
    verify = cli.common(audit.add_parser("verify", help="recompute every hash; name the first altered entry"))
    verify.set_defaults(run=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from weituo.foundation.audit import journal

    verdict = journal.verify(cli.actor_of(arguments))
    whole = verdict.altered_seq is None
    text = (
        f"{verdict.entries} entries, chain whole, head {verdict.head[:16]}…"
        if whole
        else f"entry {verdict.altered_seq} ({verdict.altered_act}) was altered: {verdict.problem}; {verdict.entries} entries before it are sound"
    )
    cli.show(arguments, asdict(verdict), text)
    return 0 if whole else 1
