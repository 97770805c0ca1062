"""The order of the demonstration, its progress on standard error, and what comes after: summary and server."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connections
from django.utils import translation

from weituo.cli import face as cli
from weituo.cli.demo import (
    ground,
    server,
    steps_closing,
    steps_opening,
    steps_partners,
    steps_placing,
    steps_weeks,
    summary,
)
from weituo.cli.demo import scene as scenes
from weituo.cli.demo.story import Story
from weituo.foundation import clock
from weituo.foundation.errors import NotFound
from weituo.foundation.identity import enrolment, people


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `play` does it, resumably, and gives what to say about it."""

    name: str
    title: str
    play: Callable[[Story], str]


STEPS = (
    Step("people", "People of the lender", steps_opening.staff),
    Step("book", "Invented book, imported", steps_opening.book),
    Step("ledger", "Opening balances", steps_opening.ledger),
    Step("screening", "Screen six agencies", steps_partners.screen),
    Step("agreements", "Agreements and approval by two persons", steps_partners.approve),
    Step("agency_people", "Collectors, keys, portal users", steps_partners.collectors),
    Step("plans", "Plans signed by both sides", steps_partners.plans),
    Step("strategy", "Strategy tried, published, applied", steps_placing.strategy),
    Step("model", "Model trained and promoted", steps_placing.model),
    Step("placement", "Placement run, approved by a second person", steps_placing.place),
    Step("packages", "Packages built and acknowledged", steps_placing.packages),
    Step("weeks", "Weeks of work over REST", steps_weeks.play),
    Step("closing", "The running month closed", steps_closing.close_month),
    Step("evaluation", "Agencies compared", steps_closing.evaluation),
    Step("borrower", "Access code for a borrower", steps_closing.borrower),
    Step("proofs", "Audit chain and ledger checked", steps_closing.proofs),
    Step("room", "Room given back", steps_closing.give_back),
)


def run(arguments: argparse.Namespace) -> int:
    """Play what is not done yet, print the summary, then serve unless `--once`."""
    home = Path(settings.WEITUO_HOME)
    if arguments.what == "code":
        return _code(arguments, home)
    signal.signal(signal.SIGTERM, _interrupted)  # so that the web server ends with this process
    story = _story(arguments, home)
    began = time.monotonic()
    _tell(0, "Static files", steps_opening.collect(story), time.monotonic() - began)
    with translation.override("en"):  # the summary speaks English, so the refusals that it shows do too
        _play(story)
        gathered = summary.gather(story)
    cli.show(arguments, gathered, summary.table(gathered))
    sys.stdout.flush()
    connections.close_all()
    return 0 if arguments.once else _serve(story, tell=cli.say if arguments.json else _print)


def _story(arguments: argparse.Namespace, home: Path) -> Story:
    """Find the demonstration, or begin one; sizes count only at its beginning."""
    from weituo.cli.demo.story import OPERATOR
    from weituo.config.database import migrate
    from weituo.domain.book import queries as book

    began = time.monotonic()
    migrate()
    found = scenes.load(home)
    if found is None:
        if book.imports(OPERATOR):
            raise ground.Trouble(
                f"{home} holds a book that is no demonstration; name another folder in WEITUO_HOME"
            )
        weeks = arguments.weeks or scenes.WEEKS
        if not 1 <= weeks <= 52 or not 100 <= (arguments.accounts or scenes.ACCOUNTS) <= 200_000:
            raise ground.Trouble("--weeks lies between 1 and 52, --accounts between 100 and 200000")
        found = scenes.Scene(
            begins_on=scenes.first_monday(clock.today(scenes.SHANGHAI), weeks=weeks).isoformat(),
            accounts=arguments.accounts or scenes.ACCOUNTS,
            weeks=weeks,
            password=secrets.token_urlsafe(12),
        )
        scenes.save(home, found)
    elif found.done and not _people_stand():
        raise ground.Trouble(
            f"{scenes.path(home)} tells of a demonstration that the database does not hold; --reset begins another"
        )
    elif (arguments.accounts or found.accounts, arguments.weeks or found.weeks) != (
        found.accounts,
        found.weeks,
    ):
        cli.say(
            f"the demonstration in {home} has {found.accounts:,} accounts and {found.weeks} weeks; --reset begins another"
        )
    _tell(0, "Database", "up to date", time.monotonic() - began)
    return Story(home=home, scene=found, port=arguments.port)


def _people_stand() -> bool:
    """Tell whether the database holds the people of the demonstration, whom its first step makes."""
    try:
        people.actor_by_username(scenes.PEOPLE[0].username)
    except NotFound:
        return False
    return True


def _play(story: Story) -> None:
    for number, step in enumerate(STEPS, start=1):
        if story.has(step.name):
            continue
        began = time.monotonic()
        said = step.play(story)
        story.mark(step.name)
        _tell(number, step.title, said, time.monotonic() - began)


def _tell(number: int, title: str, said: str, seconds: float) -> None:
    cli.say(f"[{number:>2}/{len(STEPS)}] {title:<44} {seconds:6.1f} s  {said}")


def _code(arguments: argparse.Namespace, home: Path) -> int:
    scene = scenes.load(home)
    if scene is None or arguments.person not in scene.totp:
        known = ", ".join(scene.totp) if scene else "nobody yet: run `weituo demo` first"
        raise ground.Trouble(f"no such person in the demonstration ({known})")
    code = enrolment.present_code(scene.totp[arguments.person])
    cli.show(arguments, {"user": arguments.person, "code": code}, code)
    return 0


def _print(text: str) -> None:
    """Print how to sign in where the summary is printed; with --json standard output holds one object and nothing else."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _serve(story: Story, *, tell: Callable[[str], None]) -> int:
    return server.serve(
        home=story.home,
        port=server.free_port(story.port),
        ready=lambda base_url: tell(summary.sign_ins(story, base_url=base_url)),
    )


def _interrupted(signal_number: int, frame: object) -> None:
    raise KeyboardInterrupt
