"""What every act of the demonstration needs: its scene, its people as actors, its agencies."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from weituo.cli.demo import scene as scenes
from weituo.cli.demo.scene import Scene
from weituo.core.twin import agencies as twin
from weituo.domain.partners import queries as partners
from weituo.foundation.identity import people
from weituo.foundation.tenancy.actors import Actor, program

OPERATOR = program("operator")


@dataclass(slots=True)
class Story:
    """One demonstration as it stands."""

    home: Path
    scene: Scene
    port: int
    _actors: dict[str, Actor] = field(default_factory=dict)

    def keep(self) -> None:
        """Write the scene down."""
        scenes.save(self.home, self.scene)

    def has(self, mark: str) -> bool:
        """Tell whether a step or a part of one was done."""
        return mark in self.scene.done

    def mark(self, mark: str) -> None:
        """Note that a step or a part of one is done."""
        if mark not in self.scene.done:
            self.scene.done.append(mark)
        self.keep()

    def person(self, username: str) -> Actor:
        """Give one of the invented people as actor."""
        if username not in self._actors:
            self._actors[username] = people.actor_by_username(username)
        return self._actors[username]

    def agency(self, code: str, *, at: datetime) -> Actor:
        """Give an agency's own system as actor, by its key."""
        return people.actor_for_key(self.scene.keys[code], at=at)

    def agency_ids(self) -> dict[str, UUID]:
        """Give the agencies in the database by code."""
        return {row.code: row.id for row in partners.agencies(OPERATOR)}

    def panel(self) -> tuple[twin.Agency, ...]:
        """Give the six invented agencies."""
        return twin.all_agencies()
