"""The weeks of work: agencies over REST against a real server, and between the weeks the lender's own desks."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Final

from weituo.cli import face as cli
from weituo.cli.demo import agencies, between, ground, server, steps_placing
from weituo.cli.demo import scene as scenes
from weituo.cli.demo.agency_system import AgencySystem, Tally
from weituo.cli.demo.story import Story

#: the moment at which one contact is asked for that the law forbids
FORBIDDEN_HOUR: Final = (22, 30)


def play(story: Story) -> str:
    """Play every week that was not played yet, with a server of its own."""
    scene = story.scene
    total = Tally()
    ground.end_old_servers(story.home)
    with server.running(home=story.home, port=server.free_port(story.port)) as base_url:
        systems = [_system(story, agency_code=agency.code, base_url=base_url) for agency in story.panel()]
        try:
            for week in range(scene.weeks):
                if not story.has(f"week {week}"):
                    total.add(_one(story, systems, week))
        finally:
            for system in systems:
                system.close()
    return (
        f"{total.requests:,} requests, {total.permits_granted:,} of {total.permits_asked:,} permits granted"
    )


def _one(story: Story, systems: list[AgencySystem], week: int) -> Tally:
    began, scene = time.monotonic(), story.scene
    if week == 0:
        _ask_at_night(systems[0], at=scene.at(hour=8, minute=30))
    for system in systems:
        system.facts = steps_placing.facts_of(story, system.agency.code)
    tally = agencies.play_week(
        systems=systems, week=week, monday=scene.at(week=week, hour=12).date(), intensity=scenes.INTENSITY
    )
    over = time.monotonic()
    said = between.weeks(story, week)
    story.mark(f"week {week}")
    refused = tally.permits_asked - tally.permits_granted
    cli.say(
        f"        week {week + 1:>2}/{scene.weeks}: {tally.attempts:,} contacts, {refused:,} refused, {tally.promises:,} promises, "
        f"{tally.remitted_minor / 100:,.0f} {scenes.CURRENCY} remitted; {said}  ({over - began:.1f} + {time.monotonic() - over:.1f} s)"
    )
    return tally


def _system(story: Story, *, agency_code: str, base_url: str) -> AgencySystem:
    agency = next(one for one in story.panel() if one.code == agency_code)
    memory: Path = scenes.memory(story.home, "agencies", agency_code, "x").parent
    return AgencySystem(
        base_url=base_url,
        api_key=story.scene.keys[agency_code],
        agency=agency,
        memory=memory,
        facts=steps_placing.facts_of(story, agency_code),
    )


def _ask_at_night(system: AgencySystem, *, at: datetime) -> None:
    """Ask leave for a call at 22:30 of the same day, as somebody in a hurry would; the gate refuses and cites the rule."""
    system.sign_on(at=at)
    if not system.begin_week(0, at=at):
        return
    case = system.cases.row(0, named=True)
    hour, minute = FORBIDDEN_HOUR
    planned = at.astimezone(scenes.SHANGHAI).replace(hour=hour, minute=minute)
    system.post(
        "/permits",
        {
            "requests": [
                {
                    "case_ref": case["case_reference"],
                    "collector": system.badges[0],
                    "contact_point": case["contact_point"],
                    "channel": "VOICE",
                    "planned_at": planned.isoformat(),
                }
            ]
        },
        at=at,
        about="one call at night",
    )
