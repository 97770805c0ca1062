"""`weituo contact permits | refusals | rules | replay | violations | close | check`."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from weituo.cli import face as cli
from weituo.cli.arguments import row_count
from weituo.cli.words import reads_chinese, worded

#: most permits that `check` decides again in one go
CHECK_MOST = 10_000


def add_verbs(verbs: Any) -> None:
    """Add `contact`."""
    contact = verbs.add_parser(
        "contact", help="permits and refusals, rules in force, violations, deciding again"
    ).add_subparsers(dest="what", required=True)
    permits = cli.common(contact.add_parser("permits", help="latest permits"))
    permits.add_argument("--state", choices=("GRANTED", "USED", "REFUSED", "VOID"), default="")
    permits.add_argument("--rule", default="", help="refused by this rule")
    permits.add_argument("--agency", default="", help="agency code")
    permits.add_argument("--limit", type=row_count, default=50)
    permits.set_defaults(run=_permits)
    refusals = cli.common(contact.add_parser("refusals", help="refusals by reason with citation"))
    refusals.add_argument(
        "--from", dest="first", type=date.fromisoformat, help="first day (default: the last day with permits)"
    )
    refusals.add_argument(
        "--to", dest="after", type=date.fromisoformat, help="first day after (default: the day after --from)"
    )
    refusals.set_defaults(run=_refusals)
    rules = cli.common(contact.add_parser("rules", help="rules in force with citation and confidence"))
    rules.add_argument("--on", type=date.fromisoformat, help="day (default: today)")
    rules.set_defaults(run=_rules)
    replay = cli.common(contact.add_parser("replay", help="decide a permit again on its stored facts"))
    replay.add_argument("permit", type=UUID)
    replay.set_defaults(run=_replay)
    check = cli.common(
        contact.add_parser("check", help="decide the latest permits again; name those that differ")
    )
    check.add_argument("--limit", type=row_count, default=200, help="how many (default 200)")
    check.set_defaults(run=_check)
    violations = cli.common(contact.add_parser("violations", help="violations by clock"))
    violations.add_argument("--all", action="store_true", help="closed ones too")
    violations.set_defaults(run=_violations)
    close = cli.common(contact.add_parser("close", help="close a violation with what came of it"))
    close.add_argument("violation", type=UUID)
    close.add_argument("outcome")
    close.set_defaults(run=_close)


def _permits(arguments: argparse.Namespace) -> int:
    from weituo.domain.contact import queries

    rows = queries.permits(
        cli.actor_of(arguments),
        state=arguments.state,
        code=arguments.rule,
        agency_code=arguments.agency,
        limit=arguments.limit,
    )
    text = "\n".join(
        f"{row['asked_at']:%Y-%m-%d %H:%M} {row['agency_code']:<8} {row['case_ref']:<12} {row['channel']:<6} {row['state']:<8} "
        f"{' '.join(reason['code'] for reason in row['reasons'])} {row['id']}"
        for row in rows
    )
    cli.show(arguments, {"permits": rows}, text or worded("no permit passes this filter"))
    return 0


def _refusals(arguments: argparse.Namespace) -> int:
    from django.conf import settings

    from weituo.domain.contact import queries, words
    from weituo.foundation import clock

    zone, viewer = ZoneInfo(settings.TIME_ZONE), cli.actor_of(arguments)
    first = arguments.first or (queries.last_asked(viewer) or clock.now()).astimezone(zone).date()
    after = arguments.after or first + timedelta(days=1)
    since, until = datetime.combine(first, time(), zone), datetime.combine(after, time(), zone)
    counts = queries.permits_by_state(viewer, since=since, until=until)
    rows = queries.refusals_today(viewer, since=since, until=until)
    lines = [
        worded("%(first)s to %(after)s (half-open, %(key)s): ", first=first, after=after, key=zone.key)
        + (", ".join(f"{state} {n}" for state, n in sorted(counts.items())) or worded("nothing asked"))
    ]
    lines += [
        f"{row['n']:>6} {row['code']:<20} {row['agency_code']:<8} {words.cited(row['citation'])}"
        for row in rows
    ]
    cli.show(
        arguments,
        {"first": first, "after": after, "by_state": counts, "refusals": rows},
        "\n".join(lines),
    )
    return 0


def _rules(arguments: argparse.Namespace) -> int:
    from weituo.domain.contact import queries, words
    from weituo.foundation import clock

    at = datetime.combine(arguments.on, time(12), UTC) if arguments.on else clock.now()
    rows = queries.rules_in_force(cli.actor_of(arguments), at=at)
    text = "\n".join(
        f"{row['pack']:<7} {row['rule']:<20} {row['confidence']} {words.cited(row['citation'])}\n        {row['zh' if reads_chinese() else 'en']}"
        for row in rows
    )
    cli.show(arguments, {"rules": rows}, text)
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from weituo.domain.contact import queries

    found = queries.replay_permit(cli.actor_of(arguments), permit_id=arguments.permit)
    permit = found["permit"]
    body = {key: value for key, value in found.items() if key != "permit"} | {
        "permit": permit["id"],
        "state": permit["state"],
        "reasons_then": permit["reasons"],
        "taken_back_at": permit["voided_at"],
        "taken_back_because": permit["void_reasons"],
    }
    verdict = worded("the same answer") if found["same_answer"] else worded("another answer")
    why = "" if found["digest_fits"] else worded("; the stored facts were altered")
    why += "" if found["same_packs"] else worded("; the rules have changed since")
    cli.show(
        arguments,
        body,
        worded(
            "%(state)s %(case_ref)s: decided again, %(verdict)s%(why)s",
            state=permit["state"],
            case_ref=permit["case_ref"],
            verdict=verdict,
            why=why,
        ),
    )
    return 0 if found["same_answer"] and found["digest_fits"] else 1


def _check(arguments: argparse.Namespace) -> int:
    from weituo.domain.contact import queries

    viewer = cli.actor_of(arguments)
    rows = queries.permits(viewer, state="", limit=min(arguments.limit, CHECK_MOST))
    differing = []
    for row in rows:
        found = queries.replay_permit(viewer, permit_id=row["id"])
        if not (found["same_answer"] and found["digest_fits"]):
            differing.append(
                {
                    "permit": row["id"],
                    "digest_fits": found["digest_fits"],
                    "same_packs": found["same_packs"],
                    "same_answer": found["same_answer"],
                }
            )
    text = worded(
        "%(rows)s permits decided again: %(same)s the same, %(differing)s differ",
        rows=len(rows),
        same=len(rows) - len(differing),
        differing=len(differing),
    )
    text += worded("; first: %(permit)s", permit=differing[0]["permit"]) if differing else ""
    cli.show(arguments, {"checked": len(rows), "differing": differing}, text)
    return 1 if differing else 0


def _violations(arguments: argparse.Namespace) -> int:
    from weituo.domain.contact import queries

    rows = queries.violations(cli.actor_of(arguments), open_only=not arguments.all)
    text = "\n".join(
        worded(
            "due %(answer_due_at)s %(agency_code)s %(code)s severity %(severity)s %(outcome)s %(id)s",
            answer_due_at=f"{row['answer_due_at']:%Y-%m-%d %H:%M}",
            agency_code=f"{row['agency_code']:<8}",
            code=f"{row['code']:<20}",
            severity=row["severity"],
            outcome=worded("closed: ") + row["outcome"] if row["closed_at"] else worded("open"),
            id=row["id"],
        )
        for row in rows
    )
    cli.show(arguments, {"violations": rows}, text or worded("no violation is open"))
    return 0


def _close(arguments: argparse.Namespace) -> int:
    from weituo.domain.contact import services
    from weituo.foundation import clock

    services.close_violation(
        actor=cli.actor_of(arguments),
        violation_id=arguments.violation,
        outcome=arguments.outcome,
        at=clock.now(),
    )
    cli.show(
        arguments,
        {"violation": arguments.violation, "closed": True},
        worded("violation %(violation)s is closed", violation=arguments.violation),
    )
    return 0
