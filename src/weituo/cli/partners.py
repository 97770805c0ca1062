"""`weituo partners register | paper | verify | assess | propose | decide | agree | capacity | suspend | reinstate | list | show`."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli import relations
from weituo.cli.reading import read_settings
from weituo.cli.words import worded


def add_verbs(verbs: Any) -> None:
    """Add `partners`."""
    parser = verbs.add_parser("partners", help="agencies from prospect to partner")
    what = parser.add_subparsers(dest="what", required=True)

    def verb(name: str, help_text: str, run: Any, *, agency: bool = True) -> argparse.ArgumentParser:
        made = cli.common(what.add_parser(name, help=help_text))
        if agency:
            made.add_argument("agency", help="agency code")
        made.set_defaults(run=run)
        return made

    verb("list", "every agency with its state, score and what it lacks", _list, agency=False)
    verb("show", "one agency's dossier", _show)
    new = verb("register", "enter an agency as a prospect", _register)
    new.add_argument("--name-zh", required=True)
    new.add_argument("--name-en", required=True)
    new.add_argument("--region", action="append", default=[], help="province code; again for more (default: everywhere)")  # fmt: skip
    new.add_argument("--phone", default="", help="telephone that borrowers may check")
    new.add_argument("--group", default="", help="owner group; sister agencies share it")
    paper = verb("paper", "put a paper on file", _paper)
    paper.add_argument("kind", help="LICENCE, SECURITY, INSURANCE, PERFORMANCE, REFERENCE or TRAINING")
    paper.add_argument("number")
    paper.add_argument("--issuer", required=True)
    paper.add_argument("--from", dest="valid_from", type=date.fromisoformat, required=True)
    paper.add_argument("--to", dest="valid_to", type=date.fromisoformat, help="first day after its term")
    paper.add_argument("--file", type=Path, required=True, help="the paper; its SHA-256 is kept")
    paper.add_argument("--facts", type=Path, help="figures of the evidence (TOML or JSON)")
    verify = verb("verify", "confirm that a paper was seen and is genuine", _verify, agency=False)
    verify.add_argument("paper", type=UUID)
    assess = verb("assess", "score by criterion, each resting on verified papers", _assess)
    assess.add_argument("file", type=Path, help="scores = {criterion: 0–100}, evidence = {criterion: [paper ids]} (TOML or JSON)")  # fmt: skip
    propose = verb("propose", "propose to let an agency in", _propose)
    propose.add_argument("--capacity", type=int, required=True, help="accounts at a time")
    propose.add_argument("--reason", required=True)
    decide = verb("decide", "decide the open proposal as a second person", _decide)
    decide.add_argument("verdict", choices=("approve", "reject"))
    decide.add_argument("--reason", required=True)
    agree = verb("agree", "sign an agreement", _agree)
    agree.add_argument("kind", help="CONFIDENTIALITY or SERVICE")
    agree.add_argument("--from", dest="active_from", type=date.fromisoformat, required=True)
    agree.add_argument("--to", dest="active_to", type=date.fromisoformat, help="first day after its term")
    agree.add_argument("--field", action="append", default=[], help="a field that may be shared; again for more")  # fmt: skip
    agree.add_argument("--fee", action="append", default=[], metavar="BUCKET=BPS", help="fee in basis points; again for more")  # fmt: skip
    agree.add_argument("--offers", action="store_true", help="the agency accepts or declines each placement before it begins")  # fmt: skip
    relations.add_verbs(verb, agency_id=_agency_id)
    leaves = verb("collector-leaves", "let a collector go; their permits are void", _leaves, agency=False)
    training = verb("training", "write down until when a collector is trained", _training, agency=False)
    for made in (leaves, training):
        made.add_argument("badge")
        made.add_argument("--reason", required=True)
    training.add_argument("--until", type=date.fromisoformat, required=True, help="last day on which it is valid")  # fmt: skip
    for name, text, run in (
        ("capacity", "set how many accounts an agency may hold", _capacity),
        ("suspend", "stop an agency at once", _suspend),
        ("reinstate", "let a suspended agency work again, as a second person", _reinstate),
    ):
        made = verb(name, text, run)
        if name == "capacity":
            made.add_argument("accounts", type=int)
        made.add_argument("--reason", required=True)


def _agency_id(arguments: argparse.Namespace) -> UUID:
    from weituo.domain.partners import queries
    from weituo.foundation.errors import NotFound

    for row in queries.agencies(cli.actor_of(arguments)):
        if row.code == arguments.agency:
            return row.id
    raise NotFound(what=worded("agency"), where=arguments.agency)


def _done(arguments: argparse.Namespace, text: str, **facts: Any) -> int:
    cli.show(arguments, {"agency": getattr(arguments, "agency", None), **facts}, text)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import queries
    from weituo.foundation import clock, days

    viewer, today = cli.actor_of(arguments), days.day_of(clock.now())
    lacking, stopped = queries.lacking(viewer, on=today), queries.stopped(viewer, on=today)
    rows = [
        row | {"lacking": lacking[row["id"]], "stopped_by": stopped.get(row["id"], {})}
        for row in queries.pipeline(viewer, on=today)
    ]
    lines = [
        f"{row['code']:<12} {row['state']:<10} {'–' if row['tier'] is None else row['tier']:>2} {'–' if row['total_bps'] is None else row['total_bps'] / 100:>7} "
        f"{row['capacity_accounts_max']:>8,} {'; '.join((row['stopped_by'] | row['lacking']).values())}"
        for row in rows
    ]
    cli.show(arguments, {"agencies": rows}, "\n".join(lines) or worded("no agency is on file: weituo partners register"))  # fmt: skip
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import queries
    from weituo.foundation import clock, days

    viewer, agency_id = cli.actor_of(arguments), _agency_id(arguments)
    found = queries.dossier(viewer, agency_id=agency_id) or {}
    lacks = queries.lacking(viewer, on=days.day_of(clock.now()), agency_id=agency_id)[agency_id]
    agency = found["agency"]
    lines = [worded("%(code)s %(name_zh)s %(name_en)s: %(state)s, tier %(tier)s, capacity %(capacity_accounts_max)s", code=agency['code'], name_zh=agency['name_zh'], name_en=agency['name_en'], state=agency['state'], tier=agency['tier'], capacity_accounts_max=f"{agency['capacity_accounts_max']:,}")]  # fmt: skip
    lines += [worded("  paper %(id)s %(kind)s %(number)s %(valid_from)s – %(valid_to)s %(verified_at)s", id=row['id'], kind=f"{row['kind']:<12}", number=row['number'], valid_from=row['valid_from'], valid_to=row['valid_to'] or '', verified_at=worded('verified') if row['verified_at'] else worded('not verified')) for row in found["papers"]]  # fmt: skip
    lines += [worded("  score %(total_bps)s on %(assessed_at)s", total_bps=f"{row['total_bps'] / 100:.2f}", assessed_at=f"{row['assessed_at']:%Y-%m-%d}") for row in found["assessments"][:1]]  # fmt: skip
    lines += [worded("  agreement %(kind)s v%(version)s %(active_from)s – %(active_to)s", kind=row['kind'], version=row['version'], active_from=row['active_from'], active_to=row['active_to'] or '') for row in found["agreements"]]  # fmt: skip
    lines += [worded("  proposal %(change)s by %(proposed_by_name)s: waits for a second person", change=row['change'], proposed_by_name=row['proposed_by_name']) for row in found["proposals"] if row["decided_at"] is None]  # fmt: skip
    lines += [worded("  missing: %(text)s", text=text) for text in lacks.values()]
    cli.show(arguments, found | {"lacking": lacks}, "\n".join(lines))
    return 0


def _register(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock

    agency_id = services.register_agency(
        actor=cli.actor_of(arguments), code=arguments.agency, name_zh=arguments.name_zh, name_en=arguments.name_en, regions=arguments.region,
        public_phone=arguments.phone, group=arguments.group, at=clock.now(),
    )  # fmt: skip
    return _done(
        arguments, worded("%(agency)s is on file as a prospect", agency=arguments.agency), id=agency_id
    )


def _paper(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock
    from weituo.foundation.errors import BadInput
    from weituo.foundation.files.places import digest_of

    if not arguments.file.is_file():
        raise BadInput(problem=worded("there is no such file"), where=str(arguments.file))
    paper = services.add_paper(
        actor=cli.actor_of(arguments), agency_id=_agency_id(arguments), kind=arguments.kind, number=arguments.number, issuer=arguments.issuer,
        valid_from=arguments.valid_from, valid_to=arguments.valid_to, digest=digest_of(arguments.file),
        facts=read_settings(arguments.facts) if arguments.facts else {}, at=clock.now(),
    )  # fmt: skip
    return _done(
        arguments,
        worded("paper %(paper)s is on file; it counts once it is verified", paper=paper),
        paper=paper,
    )


def _verify(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock

    services.verify_paper(actor=cli.actor_of(arguments), paper_id=arguments.paper, at=clock.now())
    return _done(
        arguments, worded("paper %(paper)s is verified", paper=arguments.paper), paper=arguments.paper
    )


def _assess(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock
    from weituo.foundation.errors import BadInput

    stated = read_settings(arguments.file)
    try:
        scores = {str(name): int(score) for name, score in stated["scores"].items()}
        evidence = {str(name): [UUID(paper) for paper in papers] for name, papers in stated["evidence"].items()}  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise BadInput(problem=worded("scores and evidence by criterion are needed"), where=str(arguments.file)) from wrong  # fmt: skip
    assessment = services.assess(
        actor=cli.actor_of(arguments), agency_id=_agency_id(arguments), scores=scores, evidence=evidence, at=clock.now()
    )  # fmt: skip
    return _done(arguments, worded("assessment %(assessment)s", assessment=assessment), assessment=assessment)


def _propose(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock

    proposal = services.propose_approval(
        actor=cli.actor_of(arguments), agency_id=_agency_id(arguments), capacity_accounts_max=arguments.capacity, reason=arguments.reason, at=clock.now()
    )  # fmt: skip
    return _done(
        arguments,
        worded("proposal %(proposal)s waits for a second person", proposal=proposal),
        proposal=proposal,
    )


def _decide(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import queries, services
    from weituo.foundation import clock
    from weituo.foundation.errors import NotFound

    actor, approved = cli.actor_of(arguments), arguments.verdict == "approve"
    waiting = next((row for row in queries.open_proposals(actor) if row["code"] == arguments.agency), None)
    if waiting is None:
        raise NotFound(what=worded("open proposal"), where=arguments.agency)
    services.decide_proposal(
        actor=actor, proposal_id=waiting["id"], approved=approved, reason=arguments.reason, at=clock.now()
    )
    return _done(arguments, f"{arguments.agency}: {worded('approved') if approved else worded('rejected')}", approved=approved)  # fmt: skip


def _agree(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock
    from weituo.foundation.errors import BadInput

    fees: dict[str, int] = {}
    for text in arguments.fee:
        bucket, _equals, bps = text.partition("=")
        if not bps.isdigit():
            raise BadInput(problem=worded("a fee is written BUCKET=BPS, for instance M2=1800"), where=text)
        fees[bucket] = int(bps)
    agreement = services.sign_agreement(
        actor=cli.actor_of(arguments), agency_id=_agency_id(arguments), kind=arguments.kind, active_from=arguments.active_from,
        active_to=arguments.active_to, fields_allowed=arguments.field, fee_bps_by_bucket=fees,
        accepts_in_advance=not arguments.offers, at=clock.now(),
    )  # fmt: skip
    return _done(
        arguments, worded("agreement %(agreement)s is signed", agreement=agreement), agreement=agreement
    )


def _capacity(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock

    services.set_capacity(
        actor=cli.actor_of(arguments), agency_id=_agency_id(arguments), capacity_accounts_max=arguments.accounts, reason=arguments.reason, at=clock.now()
    )  # fmt: skip
    return _done(arguments, worded("%(agency)s may hold %(accounts)s accounts", agency=arguments.agency, accounts=f"{arguments.accounts:,}"), capacity=arguments.accounts)  # fmt: skip


def _suspend(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock

    services.suspend(
        actor=cli.actor_of(arguments),
        agency_id=_agency_id(arguments),
        reason=arguments.reason,
        at=clock.now(),
    )
    return _done(arguments, worded("%(agency)s is suspended", agency=arguments.agency), state="SUSPENDED")


def _reinstate(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock

    services.reinstate(
        actor=cli.actor_of(arguments),
        agency_id=_agency_id(arguments),
        reason=arguments.reason,
        at=clock.now(),
    )
    return _done(arguments, worded("%(agency)s works again", agency=arguments.agency), state="APPROVED")


def _collector(arguments: argparse.Namespace) -> UUID:
    from weituo.domain.partners import queries
    from weituo.foundation.errors import NotFound

    found = queries.collector_by_badge(cli.actor_of(arguments), badge=arguments.badge)
    if found is None:
        raise NotFound(what=worded("collector"), where=arguments.badge)
    return found.id


def _leaves(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock

    services.end_collector(
        actor=cli.actor_of(arguments), collector_id=_collector(arguments), reason=arguments.reason, at=clock.now()
    )  # fmt: skip
    return _done(arguments, worded("%(badge)s has left", badge=arguments.badge), badge=arguments.badge)


def _training(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock

    services.set_training(
        actor=cli.actor_of(arguments), collector_id=_collector(arguments), trained_until=arguments.until, reason=arguments.reason, at=clock.now()
    )  # fmt: skip
    return _done(arguments, worded("%(badge)s is trained until %(day)s", badge=arguments.badge, day=arguments.until.isoformat()), badge=arguments.badge, trained_until=arguments.until)  # fmt: skip
