"""`weituo plans list | show | draft | sign` and `weituo strategy list | show | draft | publish | apply | try`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli.reading import money_text, read_settings
from weituo.cli.words import reads_chinese, worded


def add_verbs(verbs: Any) -> None:
    """Add `plans` and `strategy`."""
    plans = verbs.add_parser("plans", help="collection plans made with agencies").add_subparsers(
        dest="what", required=True
    )
    cli.common(plans.add_parser("list", help="list plans")).set_defaults(run=_plans)
    show = cli.common(plans.add_parser("show", help="show a plan with targets and milestones"))
    show.add_argument("plan", type=UUID)
    show.set_defaults(run=_plan)
    draft = cli.common(plans.add_parser("draft", help="draw up a plan from a TOML or JSON file"))
    draft.add_argument("file", type=Path, help="agency, active_from, active_to, note, targets, milestones")
    draft.set_defaults(run=_draft)
    sign = cli.common(plans.add_parser("sign", help="sign a plan, for the lender or as the agency's person"))
    sign.add_argument("plan", type=UUID)
    sign.add_argument("--digest", default="", help="what the agency has read; needed for its signature")
    sign.set_defaults(run=_sign)

    strategy = verbs.add_parser("strategy", help="the table that picks a treatment").add_subparsers(
        dest="what", required=True
    )
    cli.common(strategy.add_parser("list", help="list strategies")).set_defaults(run=_strategies)
    one = cli.common(strategy.add_parser("show", help="show a strategy's rows"))
    one.add_argument("version", nargs="?", default="", help="version or id (default: the one in force)")
    one.set_defaults(run=_strategy)
    new = cli.common(
        strategy.add_parser("draft", help="begin a version from a TOML or JSON file, or by default")
    )
    new.add_argument(
        "file", type=Path, nargs="?", help="rows = [{treatment, buckets, …}]; default: the usual table"
    )
    new.add_argument("--note", default="")
    new.set_defaults(run=_new)
    publish = cli.common(strategy.add_parser("publish", help="put a draft in force"))
    publish.add_argument("version", help="version or id")
    publish.set_defaults(run=_publish)
    cli.common(strategy.add_parser("apply", help="give every open account its treatment")).set_defaults(
        run=_apply
    )
    trial = cli.common(
        strategy.add_parser("try", help="show what a table would do, without changing anything")
    )
    trial.add_argument("file", type=Path, nargs="?", help="TOML or JSON; default: the usual table")
    trial.set_defaults(run=_try)


def _plans(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import queries as partners
    from weituo.domain.plans import queries

    actor = cli.actor_of(arguments)
    codes = {row.id: row.code for row in partners.agencies(actor)}
    rows = [row | {"agency": codes.get(row["agency_id"], "")} for row in queries.plans(actor)]
    text = "\n".join(
        f"{row['agency']:<12} v{row['version']:<3} {row['state']:<10} {row['active_from']} {row['id']}"
        for row in rows
    )
    cli.show(
        arguments, {"plans": rows}, text or worded("no plans yet: draw one up with `weituo plans draft`")
    )
    return 0


def _found(actor: Any, plan_id: UUID) -> dict[str, Any]:
    from weituo.domain.plans import errors, queries

    found = queries.plan(actor, plan_id=plan_id)
    if found is None:
        raise errors.PlanNotFound(what="plan", where=str(plan_id))
    return found


def _plan(arguments: argparse.Namespace) -> int:
    found = _found(cli.actor_of(arguments), arguments.plan)
    lines = [
        worded(
            "v%(version)s %(state)s from %(active_from)s; digest %(digest)s",
            version=found["version"],
            state=found["state"],
            active_from=found["active_from"],
            digest=found["digest"],
        )
    ]
    buckets: dict[str, list[str]] = {}
    for row in found["targets"]:
        buckets.setdefault(row["bucket"], []).append(f"{row['liquidation_bps'] / 100:.2f} %")
    lines += [f"{bucket:<8} {' '.join(values)}" for bucket, values in buckets.items()]
    lines += [
        f"{row['due_on']} {row['owner']:<7} {row['title_zh' if reads_chinese() else 'title_en']}{worded(' (reached)') if row['done_at'] else ''}"
        for row in found["milestones"]
    ]
    cli.show(arguments, {"plan": found}, "\n".join(lines))
    return 0


def _draft(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import queries as partners
    from weituo.domain.plans import services
    from weituo.foundation import clock
    from weituo.foundation.errors import NotFound

    actor, asked = cli.actor_of(arguments), read_settings(arguments.file)
    agency = next((row for row in partners.agencies(actor) if row.code == asked.get("agency")), None)
    if agency is None:
        raise NotFound(what=worded("agency"), where=str(asked.get("agency", "agency")))
    plan_id = services.draft_plan(
        actor=actor,
        agency_id=agency.id,
        active_from=_day(asked.get("active_from"), "active_from"),
        active_to=_day(asked["active_to"], "active_to") if asked.get("active_to") else None,
        targets=asked.get("targets", {}),
        milestones=[_milestone(row) for row in _listed(asked, "milestones")],
        note_text=str(asked.get("note", "")),
        at=clock.now(),
    )
    cli.show(
        arguments,
        {"plan": plan_id},
        worded("plan %(plan_id)s is drawn up; sign it with `weituo plans sign`", plan_id=plan_id),
    )
    return 0


def _day(value: Any, where: str) -> date:
    """Read a day: TOML knows dates, JSON writes them as text."""
    from weituo.foundation.errors import BadInput

    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as wrong:
        raise BadInput(problem=worded("a day is written 2026-03-31"), where=where) from wrong


def _listed(asked: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Give the tables that a file lists under a name. Raises `BadInput` naming it."""
    from weituo.foundation.errors import BadInput

    found = asked.get(name, [])
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise BadInput(problem=worded("a list of tables is needed"), where=name)
    return found


def _milestone(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row) | ({"due_on": _day(row["due_on"], "milestones.due_on")} if "due_on" in row else {})


def _sign(arguments: argparse.Namespace) -> int:
    from weituo.domain.plans import services
    from weituo.foundation import clock
    from weituo.foundation.tenancy.actors import Kind

    actor = cli.actor_of(arguments)
    if actor.kind is Kind.AGENCY:
        services.sign_as_agency(actor=actor, plan_id=arguments.plan, digest=arguments.digest, at=clock.now())
    else:
        services.sign_as_lender(actor=actor, plan_id=arguments.plan, at=clock.now())
    found = _found(actor, arguments.plan)
    body = {"plan": arguments.plan, "state": found["state"], "digest": found["digest"]}
    cli.show(
        arguments,
        body,
        worded("plan is %(state)s; digest %(digest)s", state=found["state"], digest=found["digest"]),
    )
    return 0


def _strategies(arguments: argparse.Namespace) -> int:
    from weituo.domain.plans import queries

    rows = queries.strategies(cli.actor_of(arguments))
    text = "\n".join(
        worded(
            "v%(version)s %(state)s %(rows)s rows %(note)s",
            version=f"{row['version']:<4}",
            state=f"{row['state']:<10}",
            rows=f"{row['rows']:>3}",
            note=row["note"],
        )
        for row in rows
    )
    cli.show(
        arguments,
        {"strategies": rows},
        text or worded("no strategies yet: begin with `weituo strategy draft`"),
    )
    return 0


def _strategy_id(actor: Any, named: str) -> UUID:
    from weituo.domain.plans import errors, queries

    for row in queries.strategies(actor):
        if named.removeprefix("v") == str(row["version"]) or named == str(row["id"]):
            return UUID(str(row["id"]))
    raise errors.StrategyNotFound(what="strategy", where=named)


def _strategy(arguments: argparse.Namespace) -> int:
    from weituo.domain.plans import errors, queries

    actor = cli.actor_of(arguments)
    found = (
        queries.strategy(actor, strategy_id=_strategy_id(actor, arguments.version))
        if arguments.version
        else queries.current_strategy(actor)
    )
    if found is None:
        raise errors.NoStrategy()
    rows = [row.as_dict() for row in found["rows"]]
    body = {"strategy": {key: found[key] for key in ("id", "version", "state", "note")} | {"rows": rows}}
    lines = [f"v{found['version']} {found['state']} {found['note']}"]
    lines += [f"{number:>3} {_row_text(row)}" for number, row in enumerate(rows, start=1)]
    cli.show(arguments, body, "\n".join(lines))
    return 0


def _row_text(row: Mapping[str, Any]) -> str:
    stated = [
        f"{key}={','.join(value) if isinstance(value, tuple) else value}"
        for key, value in row.items()
        if value not in ((), None, "")
    ]
    return " ".join(stated)


def _rows(file: Path | None) -> list[Any]:
    """Read the rows of a table; without a file, the usual one. Raises `StrategyRefused` naming the row."""
    from weituo.domain.plans import errors, treating

    if file is None:
        return list(treating.DEFAULT_ROWS)
    found = []
    for number, row in enumerate(_listed(read_settings(file), "rows"), start=1):
        known = set(treating.Row.__dataclass_fields__)
        if not isinstance(row, dict) or "treatment" not in row or set(row) - known:
            raise errors.StrategyRefused(
                problem=worded("a row knows %(names)s", names=", ".join(sorted(known))),
                where=worded("row %(number)s", number=number),
            )
        try:
            found.append(treating.Row.from_dict(row))
        except TypeError as wrong:
            raise errors.StrategyRefused(
                problem=worded("%(name)s has not the shape of its field", name=str(wrong)),
                where=worded("row %(number)s", number=number),
            ) from wrong
    return found


def _new(arguments: argparse.Namespace) -> int:
    from weituo.domain.plans import queries, services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    made = services.draft_strategy(
        actor=actor, rows=_rows(arguments.file), at=clock.now(), note_text=arguments.note
    )
    version = next(row["version"] for row in queries.strategies(actor) if row["id"] == made)
    cli.show(
        arguments,
        {"strategy": made, "version": version},
        worded("strategy v%(version)s is a draft", version=version),
    )
    return 0


def _publish(arguments: argparse.Namespace) -> int:
    from weituo.domain.plans import services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    strategy_id = _strategy_id(actor, arguments.version)
    services.publish_strategy(actor=actor, strategy_id=strategy_id, at=clock.now())
    cli.show(
        arguments,
        {"strategy": strategy_id, "state": "PUBLISHED"},
        worded("strategy %(version)s is in force", version=arguments.version),
    )
    return 0


def _apply(arguments: argparse.Namespace) -> int:
    from weituo.domain.plans import services
    from weituo.foundation import clock

    counts = services.apply_strategy(actor=cli.actor_of(arguments), at=clock.now())
    cli.show(
        arguments,
        {"accounts": counts},
        "\n".join(f"{name:<14} {count:>9,}" for name, count in counts.items()),
    )
    return 0


def _try(arguments: argparse.Namespace) -> int:
    from weituo.domain.plans import queries
    from weituo.foundation import clock

    told = queries.try_strategy(cli.actor_of(arguments), rows=_rows(arguments.file), at=clock.now())
    lines = [
        worded(
            "%(treatment)s %(accounts)s accounts %(balance)s",
            treatment=f"{row['treatment'] or worded('no row'):<14}",
            accounts=f"{row['accounts']:>9,}",
            balance=f"{money_text(row['balance_minor'], told['currency']):>22}",
        )
        for row in told["by_treatment"]
    ]
    lines.append(worded("%(changed)s accounts would change", changed=f"{told['changed']:,}"))
    cli.show(arguments, told, "\n".join(lines))
    return 0
