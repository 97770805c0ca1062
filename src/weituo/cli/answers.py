"""`weituo placement offers | accept | decline | lapse | refill | refills | notices | notice | withdraw-notice | object | decide-objection | finalise | retain | terms`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from weituo.cli import arguments as given
from weituo.cli import face as cli
from weituo.cli.reading import id_of_run, money_text, read_settings
from weituo.cli.words import worded


def add_verbs(placement: Any) -> None:
    """Add what follows an approval to the verbs of `placement`."""
    cli.common(placement.add_parser("offers", help="list offers and their answers by run; with --as an agency's person, its own")).set_defaults(run=_offers)  # fmt: skip
    _on_cases(placement, "accept", "accept offers as an agency's person (--as)", _accept)
    decline = _on_cases(placement, "decline", "decline offers as an agency's person (--as)", _decline)
    decline.add_argument(
        "--reason", required=True, help="coded reason; an unknown one lists those that exist"
    )
    decline.add_argument("--text", default="", help="words, needed for OTHER; name nobody")
    cli.common(placement.add_parser("lapse", help="end offers that were not answered in time")).set_defaults(run=_lapse)  # fmt: skip
    for name, text, run in (
        ("refill", "place a run's declined and unanswered accounts again", _refill),
        ("refills", "show where a run's declined and unanswered accounts went", _refills),
    ):
        verb = cli.common(placement.add_parser(name, help=text))
        verb.add_argument("number", metavar="RUN", help="number or id of the run")
        verb.set_defaults(run=run)
    notices = cli.common(placement.add_parser("notices", help="list recall notices; with --as an agency's person, its own"))  # fmt: skip
    notices.add_argument("--all", action="store_true", help="ended ones too")
    notices.set_defaults(run=_notices)
    notice = _on_cases(placement, "notice", "give notice of a recall", _notice)
    notice.add_argument("--reason", required=True, help="coded reason that is told first")
    notice.add_argument("--final-on", type=given.day, help="day on which it is final (default: the earliest)")
    _on_cases(placement, "withdraw-notice", "withdraw notices: the placements stay", _withdraw).add_argument("--reason", required=True)  # fmt: skip
    _add_objections(placement)
    cli.common(placement.add_parser("finalise", help="make recalls final whose day has come")).set_defaults(run=_finalise)  # fmt: skip
    retain = _on_cases(placement, "retain", "extend the term of placements", _retain)
    retain.add_argument("--to", dest="term_to", type=given.day, required=True, help="new end of the term")
    retain.add_argument("--reason", required=True)
    terms = cli.common(placement.add_parser("terms", help="show the terms for answers, recalls and retention, or set new ones"))  # fmt: skip
    terms.add_argument("--set", dest="settings", type=Path, metavar="FILE", help="new terms, TOML or JSON")
    terms.add_argument("--reason", default="", help="why they are set")
    terms.set_defaults(run=_terms)


def _add_objections(placement: Any) -> None:
    objects = _on_cases(placement, "object", "object to recalls as an agency's person (--as)", _object)
    objects.add_argument("--code", required=True, help="coded reason; an unknown one lists those that exist")
    objects.add_argument("--on", type=given.day, help="day of the promise, payment or step")
    objects.add_argument("--minor", type=given.whole, help="its amount in minor units")
    objects.add_argument("--text", default="", help="evidence in words; name nobody")
    decide = cli.common(placement.add_parser("decide-objection", help="uphold or reject objections"))
    decide.add_argument("objections", nargs="+", type=given.identifier, metavar="OBJECTION", help="ids, as `notices` lists them")  # fmt: skip
    decide.add_argument("--uphold-until", type=given.day, help="uphold: the placements stay until this day (without: reject)")  # fmt: skip
    decide.add_argument("--reason", required=True)
    decide.set_defaults(run=_decide)


def _on_cases(placement: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    verb = cli.common(placement.add_parser(name, help=text))
    verb.add_argument("cases", nargs="+", metavar="CASE", help="case references")
    verb.set_defaults(run=run)
    return verb  # type: ignore[no-any-return]


def _ids(actor: Any, cases: Sequence[str]) -> list[UUID]:
    from weituo.domain.placement import errors, queries

    placed = queries.placements_frame(actor).select("placement_id", "case_ref").to_dicts()
    known = {row["case_ref"]: row["placement_id"] for row in placed}
    missing = next((case for case in cases if case not in known), None)
    if missing is not None:
        raise errors.PlacementNotFound(what="placement", where=missing)
    return [UUID(known[case]) for case in cases]


def _offers(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import answers
    from weituo.foundation.tenancy.actors import Kind

    actor = cli.actor_of(arguments)
    if actor.kind is Kind.AGENCY:
        rows = answers.my_offers(actor)
        lines = [
            worded(
                "%(case)s %(balance)s %(bucket)s %(region)s to answer before %(until)s", case=row["case_ref"],
                balance=f"{money_text(row['balance_minor'], row['currency']):>20}", bucket=row["bucket"], region=row["region"],
                until=f"{row['answer_by']:%Y-%m-%d %H:%M %Z}",
            )
            for row in rows
        ]  # fmt: skip
    else:
        rows = answers.answers_of_runs(actor)
        lines = [
            worded(
                "run %(number)s: %(offered)s wait, %(accepted)s accepted, %(declined)s declined, %(lapsed)s not answered, %(withdrawn)s withdrawn, %(back)s to place again",
                number=row["number"], offered=f"{row['offered']:,}", accepted=f"{row['accepted']:,}", declined=f"{row['declined']:,}",
                lapsed=f"{row['lapsed']:,}", withdrawn=f"{row['withdrawn']:,}", back=f"{row['to_refill']:,}",
            )
            for row in rows
        ]  # fmt: skip
    cli.show(arguments, {"offers": rows}, "\n".join(lines) or worded("nothing is offered"))
    return 0


def _accept(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    made = services.accept_placements(
        actor=cli.actor_of(arguments), case_refs=arguments.cases, at=clock.now()
    )
    text = worded("%(n)s accepted, %(withdrawn)s withdrawn", n=f"{made.accepted:,}", withdrawn=f"{made.withdrawn:,}")  # fmt: skip
    cli.show(arguments, {"accepted": made.accepted, "withdrawn": made.withdrawn}, text)
    return 0


def _decline(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services, terms
    from weituo.foundation import clock

    if arguments.reason not in terms.DECLINE_REASONS:
        cli.say(worded("reasons: %(recall_reasons)s", recall_reasons=" ".join(terms.DECLINE_REASONS)))
    n = services.decline_placements(
        actor=cli.actor_of(arguments), case_refs=arguments.cases, reason=arguments.reason, text=arguments.text, at=clock.now()
    )  # fmt: skip
    cli.show(arguments, {"declined": n}, worded("%(n)s declined", n=f"{n:,}"))
    return 0


def _lapse(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    n = services.lapse_offers(actor=cli.actor_of(arguments), at=clock.now())
    cli.show(arguments, {"lapsed": n}, worded("%(n)s offers ended unanswered", n=f"{n:,}"))
    return 0


def _refill(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    made = services.refill_run(actor=actor, run_id=id_of_run(actor, arguments.number), at=clock.now())
    result = {
        "refill": made.number, "placed": made.placed, "kept": made.kept,
        "net_before_minor": made.net_before_minor, "net_after_minor": made.net_after_minor,
    }  # fmt: skip
    text = worded("%(placed)s placed again, %(kept)s kept in-house", placed=f"{made.placed:,}", kept=f"{made.kept:,}")  # fmt: skip
    cli.show(arguments, result, text if made.number else worded("nothing waits to be placed again"))
    return 0


def _refills(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import answers

    actor = cli.actor_of(arguments)
    rows = answers.refills(actor, run_id=id_of_run(actor, arguments.number))
    lines = [
        worded(
            "%(number)s %(case)s from %(origin)s (%(why)s) %(outcome)s %(target)s net %(before)s → %(after)s",
            number=row["number"], case=row["case_ref"], origin=row["from_code"], why=row["answer_reason"] or row["state"],
            outcome=row["outcome"], target=row["to_code"] or "", before=money_text(row["net_before_minor"], row["currency"]),
            after=money_text(row["net_after_minor"], row["currency"]),
        )
        for row in rows
    ]  # fmt: skip
    cli.show(arguments, {"refills": rows}, "\n".join(lines) or worded("nothing was placed again"))
    return 0


def _notices(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import answers
    from weituo.foundation.tenancy.actors import Kind

    actor = cli.actor_of(arguments)
    read = answers.my_notices if actor.kind is Kind.AGENCY else answers.notices
    rows = read(actor, open_only=not arguments.all)
    lines = [
        worded(
            "%(case)s %(reason)s %(state)s final on %(final_on)s %(objection)s", case=row["case_ref"], reason=row["reason"],
            state=row["state"], final_on=row["final_on"],
            objection=f"{row['code']} {row['objection_state']} {row['objection_id']}" if row["objection_id"] else "",
        )
        for row in rows
    ]  # fmt: skip
    cli.show(
        arguments, {"notices": rows}, "\n".join(lines) or worded("no placement is under notice of recall")
    )
    return 0


def _notice(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services, terms
    from weituo.foundation import clock

    if arguments.reason not in terms.NOTICED:
        cli.say(worded("reasons: %(recall_reasons)s", recall_reasons=" ".join(terms.NOTICED)))
    actor = cli.actor_of(arguments)
    n = services.give_notice(
        actor=actor, placement_ids=_ids(actor, arguments.cases), reason=arguments.reason, final_on=arguments.final_on, at=clock.now()
    )  # fmt: skip
    cli.show(arguments, {"noticed": n}, worded("%(n)s placements are under notice", n=f"{n:,}"))
    return 0


def _withdraw(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    n = services.withdraw_notice(
        actor=actor, placement_ids=_ids(actor, arguments.cases), reason=arguments.reason, at=clock.now()
    )
    cli.show(arguments, {"withdrawn": n}, worded("%(n)s notices withdrawn", n=f"{n:,}"))
    return 0


def _object(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services, terms
    from weituo.foundation import clock

    if arguments.code not in terms.OBJECTIONS:
        cli.say(worded("reasons: %(recall_reasons)s", recall_reasons=" ".join(terms.OBJECTIONS)))
    made = services.object_to_recall(
        actor=cli.actor_of(arguments), case_refs=arguments.cases, code=arguments.code, text=arguments.text,
        evidence_on=arguments.on, evidence_minor=arguments.minor, at=clock.now(),
    )  # fmt: skip
    text = worded("%(upheld)s upheld by the lender's rule, %(waiting)s wait for a person", upheld=f"{made.upheld:,}", waiting=f"{made.waiting:,}")  # fmt: skip
    cli.show(arguments, {"upheld": made.upheld, "waiting": made.waiting}, text)
    return 0


def _decide(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    until = arguments.uphold_until
    n = services.decide_objections(
        actor=cli.actor_of(arguments), objection_ids=arguments.objections, upheld=until is not None, until=until,
        reason=arguments.reason, at=clock.now(),
    )  # fmt: skip
    text = worded("%(n)s upheld", n=f"{n:,}") if until else worded("%(n)s rejected", n=f"{n:,}")
    cli.show(arguments, {"decided": n, "upheld": until is not None}, text)
    return 0


def _finalise(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    n = services.finalise_recalls(actor=cli.actor_of(arguments), at=clock.now())
    cli.show(arguments, {"final": n}, worded("%(n)s recalls are final", n=f"{n:,}"))
    return 0


def _retain(arguments: argparse.Namespace) -> int:
    from weituo.domain.placement import services
    from weituo.foundation import clock

    actor = cli.actor_of(arguments)
    n = services.retain(
        actor=actor, placement_ids=_ids(actor, arguments.cases), term_to=arguments.term_to, reason=arguments.reason, at=clock.now()
    )  # fmt: skip
    cli.show(arguments, {"retained": n}, worded("%(n)s terms extended", n=f"{n:,}"))
    return 0


def _terms(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from weituo.domain.placement import services, terms
    from weituo.foundation import clock
    from weituo.foundation.errors import BadInput

    actor = cli.actor_of(arguments)
    if arguments.settings:
        wanted = asdict(terms.current(actor)) | read_settings(arguments.settings)
        names = ("answer_days", "notice_days", "retention_times_max", "retention_months_max")
        numbers = [*(wanted[name] for name in names), *dict(wanted["upheld_days"]).values()]
        if not all(isinstance(one, int) and not isinstance(one, bool) for one in numbers):
            raise BadInput(problem=worded("terms are whole numbers"), where=str(arguments.settings))
        services.set_terms(
            actor=actor, upheld_days=wanted["upheld_days"], reason=arguments.reason, at=clock.now(), **{name: wanted[name] for name in names}
        )  # fmt: skip
    found = asdict(terms.current(actor))
    lines = [f"{name} {value}" for name, value in found.items() if value not in ("", None)]
    cli.show(arguments, {"terms": found}, "\n".join(lines))
    return 0
