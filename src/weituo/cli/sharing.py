"""`weituo sharing recipient | recipients | build | list | preview | revoke | holders | destructions | disclosures | sweep`."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli.arguments import row_count
from weituo.cli.reading import money_text
from weituo.cli.words import worded


def add_verbs(verbs: Any) -> None:
    """Add `sharing`."""
    sharing = verbs.add_parser("sharing", help="keys, encrypted packages, who holds what").add_subparsers(
        dest="what", required=True
    )
    recipient = cli.common(sharing.add_parser("recipient", help="put an agency's public age key in force"))
    recipient.add_argument("agency", help="agency code")
    recipient.add_argument("key", help="the public key (age1…), or a file that holds it")
    recipient.set_defaults(run=_recipient)
    cli.common(sharing.add_parser("recipients", help="list public keys")).set_defaults(run=_recipients)
    build = cli.common(
        sharing.add_parser(
            "build", help="seal the packages of a run: for one agency, or for all that lack one"
        )
    )
    build.add_argument("number", type=int, metavar="RUN", help="number of the placement run")
    build.add_argument("--agency", default="", help="agency code; without it all agencies of the run")
    build.set_defaults(run=_build)
    cli.common(sharing.add_parser("list", help="list packages")).set_defaults(run=_list)
    preview = cli.common(sharing.add_parser("preview", help="show what an agency would see of an account"))
    preview.add_argument("agency", help="agency code")
    preview.add_argument("account", type=UUID)
    preview.add_argument("--on", type=date.fromisoformat, help="day (default: today)")
    preview.set_defaults(run=_preview)
    revoke = cli.common(sharing.add_parser("revoke", help="take a package back and destroy its file"))
    revoke.add_argument("package", type=UUID)
    revoke.add_argument("--reason", required=True)
    revoke.set_defaults(run=_revoke)
    cli.common(sharing.add_parser("holders", help="who holds what")).set_defaults(run=_holders)
    cli.common(
        sharing.add_parser("destructions", help="what agencies must destroy, and whether they confirmed it")
    ).set_defaults(run=_destructions)
    disclosures = cli.common(sharing.add_parser("disclosures", help="list acts of sharing, the newest first"))
    disclosures.add_argument("--limit", type=row_count, default=50)
    disclosures.set_defaults(run=_disclosures)
    cli.common(sharing.add_parser("sweep", help="remove package files that have no live row")).set_defaults(
        run=_sweep
    )


def _agency(actor: Any, code: str) -> Any:
    from weituo.domain.partners import queries
    from weituo.foundation.errors import NotFound

    found = next((row for row in queries.agencies(actor) if row.code == code), None)
    if found is None:
        raise NotFound(what=worded("agency"), where=code)
    return found


def _recipient(arguments: argparse.Namespace) -> int:
    from weituo.domain.sharing import services
    from weituo.foundation import clock

    actor, key = cli.actor_of(arguments), str(arguments.key)
    if not key.startswith("age1") and Path(key).is_file():
        with Path(key).open("rb") as file:  # a key has 62 letters; of any other file its beginning is enough
            key = file.read(200).decode("ascii", errors="replace").strip()
    agency = _agency(actor, arguments.agency)
    recipient = services.register_recipient(actor=actor, agency_id=agency.id, public_key=key, at=clock.now())
    fingerprint = services.fingerprint(key)
    cli.show(
        arguments,
        {"recipient": recipient, "agency": agency.code, "fingerprint": fingerprint},
        worded(
            "%(code)s: key %(fingerprint)s is in force; compare it with the agency by telephone",
            code=agency.code,
            fingerprint=fingerprint,
        ),
    )
    return 0


def _recipients(arguments: argparse.Namespace) -> int:
    from weituo.domain.sharing import queries

    rows = queries.recipients(cli.actor_of(arguments))
    text = "\n".join(
        f"{row['agency_code']:<10} {row['fingerprint']} {worded('in force') if row['active_to'] is None else worded('ended')} {row['public_key']}"
        for row in rows
    )
    cli.show(
        arguments,
        {"recipients": rows},
        text or worded("no keys yet: register one with `weituo sharing recipient`"),
    )
    return 0


def _build(arguments: argparse.Namespace) -> int:
    from weituo.domain.sharing import queries, services
    from weituo.foundation import clock, days
    from weituo.foundation.errors import NotFound, Refusal

    actor, now = cli.actor_of(arguments), clock.now()
    ready = [
        row for row in queries.ready(actor, on=days.day_of(now)) if row["run_number"] == arguments.number
    ]
    if arguments.agency:
        ready = [row for row in ready if row["agency_code"] == arguments.agency]
    if not ready:
        raise NotFound(what=worded("run with active cases and no live package"), where=str(arguments.number))
    built, refused = [], []
    for row in ready:
        try:
            package = services.build_package(
                actor=actor, agency_id=row["agency_id"], run_id=row["run_id"], at=now
            )
        except Refusal as refusal:
            cli.say(f"weituo: {refusal}")
            refused.append({"agency": row["agency_code"], **refusal.as_dict()})
            continue
        built.append({"agency": row["agency_code"], "package": package, "cases": row["cases"]})
    text = "\n".join(
        worded(
            "%(agency)s %(cases)s cases %(package)s",
            agency=f"{row['agency']:<10}",
            cases=f"{row['cases']:>7,}",
            package=row["package"],
        )
        for row in built
    )
    cli.show(arguments, {"built": built, "refused": refused}, text or worded("nothing was built"))
    return 2 if refused else 0


def _list(arguments: argparse.Namespace) -> int:
    from weituo.domain.sharing import queries

    rows = queries.packages(cli.actor_of(arguments))
    text = "\n".join(
        worded(
            "%(built_at)s run %(run_number)s %(agency_code)s %(state)s %(cases)s %(balance)s %(id)s",
            built_at=f"{row['built_at']:%Y-%m-%d %H:%M}",
            run_number=row["run_number"],
            agency_code=f"{row['agency_code']:<10}",
            state=f"{row['state']:<12}",
            cases=f"{row['cases']:>7,}",
            balance=f"{money_text(row['balance_minor'], row['currency']):>22}",
            id=row["id"],
        )
        + (
            worded(
                " %(taken_back)s taken back, %(to_destroy)s to destroy",
                taken_back=f"{row['taken_back']:,}",
                to_destroy=f"{row['to_destroy']:,}",
            )
            if row["taken_back"]
            else ""
        )
        for row in rows
    )
    cli.show(
        arguments,
        {"packages": rows},
        text or worded("no packages yet: build them with `weituo sharing build`"),
    )
    return 0


def _preview(arguments: argparse.Namespace) -> int:
    from weituo.domain.sharing import queries
    from weituo.foundation import clock, days

    actor = cli.actor_of(arguments)
    seen = queries.preview(
        actor,
        agency_id=_agency(actor, arguments.agency).id,
        account_id=arguments.account,
        on=arguments.on or days.day_of(clock.now()),
    )
    lines = [f"{fact['label']:<36} {fact['value']!s:<40} {fact['source']}" for fact in seen["facts"]]
    lines += [worded("stands against it: %(words)s", words=words) for words in seen["lacking"].values()]
    if not seen["placed"]:
        lines.append("the account is not placed with this agency: nothing is shared of it now")
    cli.show(arguments, seen, "\n".join(lines))
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    from weituo.domain.sharing import services
    from weituo.foundation import clock

    services.revoke_package(
        actor=cli.actor_of(arguments), package_id=arguments.package, reason=arguments.reason, at=clock.now()
    )
    cli.show(
        arguments,
        {"package": arguments.package, "state": "REVOKED"},
        worded("package %(package)s is revoked and its file destroyed", package=arguments.package),
    )
    return 0


def _holders(arguments: argparse.Namespace) -> int:
    from weituo.domain.sharing import queries

    rows = queries.holders(cli.actor_of(arguments))
    text = "\n".join(
        worded(
            "%(agency_code)s %(cases)s cases, %(active)s still placed, %(to_destroy)s to destroy; %(live_packages)s packages, %(openings)s opened online; allowed: %(allowed)s",
            agency_code=f"{row['agency_code']:<10}",
            cases=f"{row['cases']:>7,}",
            active=f"{row['active']:>7,}",
            to_destroy=f"{row['to_destroy']:>6,}",
            live_packages=row["live_packages"],
            openings=f"{row['openings']:,}",
            allowed=", ".join(row["allowed"]) or worded("nothing"),
        )
        for row in rows
    )
    cli.show(arguments, {"holders": rows}, text or worded("no agency yet"))
    return 0


def _destructions(arguments: argparse.Namespace) -> int:
    from weituo.domain.sharing import queries

    rows = queries.destructions(cli.actor_of(arguments))
    text = "\n".join(
        worded(
            "%(asked_at)s %(agency_code)s %(cases)s cases %(reason)s ",
            asked_at=f"{row['asked_at']:%Y-%m-%d %H:%M}",
            agency_code=f"{row['agency_code']:<10}",
            cases=f"{row['cases']:>7,}",
            reason=f"{row['reason']:<18}",
        )
        + (
            worded("destroyed %(confirmed_at)s", confirmed_at=f"{row['confirmed_at']:%Y-%m-%d %H:%M}")
            if row["confirmed_at"]
            else worded("not confirmed")
        )
        for row in rows
    )
    cli.show(
        arguments, {"destructions": rows}, text or worded("nothing was taken back after it had been shared")
    )
    return 0


def _disclosures(arguments: argparse.Namespace) -> int:
    from weituo.domain.sharing import queries

    rows = queries.disclosures(cli.actor_of(arguments), limit=arguments.limit)
    text = "\n".join(
        f"{row['disclosed_at']:%Y-%m-%d %H:%M} {row['agency_code']:<10} {row['purpose']:<8} {row['cases']:>7,} {', '.join(row['fields'])}"
        for row in rows
    )
    cli.show(arguments, {"disclosures": rows}, text or worded("nothing was shared yet"))
    return 0


def _sweep(arguments: argparse.Namespace) -> int:
    from weituo.domain.sharing import services
    from weituo.foundation import clock

    removed = services.sweep_files(actor=cli.actor_of(arguments), at=clock.now())
    cli.show(arguments, {"removed": removed}, worded("%(removed)s files removed", removed=removed))
    return 0
