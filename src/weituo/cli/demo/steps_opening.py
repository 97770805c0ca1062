"""The opening: static files, people, the invented book, opening balances."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

from weituo.cli.book import write_invented
from weituo.cli.demo.scene import PEOPLE, SEED, Person
from weituo.cli.demo.story import OPERATOR, Story
from weituo.config import places
from weituo.domain.book import profiles
from weituo.domain.book import services as book_services
from weituo.domain.ledger import services as ledger_services
from weituo.foundation.identity import enrolment
from weituo.foundation.identity.roles import Role

PROFILE = places.PROJECT / "profiles" / "demo_book.toml"


def collect(story: Story) -> str:
    """Collect static files for the server."""
    from weituo.config import static

    return "collected" if static.collect() else "up to date"


def staff(story: Story) -> str:
    """Let the lender's people in."""
    return add_people(story, [person for person in PEOPLE if not person.agency])


def add_people(story: Story, people: list[Person]) -> str:
    """Add people with password and second factor, those that are missing."""
    at = story.scene.at(day=-35, hour=9)
    agencies = story.agency_ids()
    for person in people:
        with contextlib.suppress(enrolment.UserExists):  # a start that was killed came this far
            enrolment.add_person(
                actor=OPERATOR,
                username=person.username,
                name=person.name,
                role=Role(person.role),
                password=story.scene.password,
                agency_id=agencies[person.agency] if person.agency else None,
                at=at,
            )
        if person.username not in story.scene.totp:
            story.scene.totp[person.username] = enrolment.enrol_totp(
                actor=OPERATOR, username=person.username, at=at
            )
            story.keep()
    return f"{len(people)} people with password and second factor"


def book(story: Story) -> str:
    """Write the invented book to a file and import it by the same path as a real one; the file is then removed."""
    scene = story.scene
    folder = Path(tempfile.mkdtemp(prefix="weituo-demo-"))
    try:
        file = folder / "demo_book.csv"
        write_invented(file, accounts=scene.accounts, seed=SEED, as_of=scene.as_of)
        report = book_services.import_book(
            actor=story.person("lin"),
            path=file,
            profile=profiles.read_profile(PROFILE),
            as_of=scene.as_of,
            at=scene.at(day=-1, hour=20),
        )
    finally:
        shutil.rmtree(folder)
    return f"{report.accounts:,} accounts of {report.borrowers:,} borrowers, {report.rejected} rejected"


def ledger(story: Story) -> str:
    """Book the opening balances."""
    opened = ledger_services.open_book(actor=story.person("sun"), at=story.scene.at(day=-1, hour=21))
    return f"{opened:,} accounts opened"
