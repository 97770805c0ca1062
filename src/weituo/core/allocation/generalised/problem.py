"""The problem of few and hard: every job to exactly one agent, no agent over its capacity, at the least cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Agents = npt.NDArray[np.int16]

#: figures beyond this would not add up exactly in double precision
FIGURE_MAX: Final = 1e12
#: agents are counted in 16 bits
AGENTS_MAX: Final = 32_767
#: cells of one matrix: 40 million fill 320 MB
CELLS_MAX: Final = 40_000_000
#: what a sum of decimals may exceed a capacity by, as a share of it: rounding, not a violation
ROUNDING: Final = 1e-9
SHOWN_MAX: Final = 30


class GeneralisedError(ValueError):
    """The text or the arrays describe no problem: one sentence says what is wrong and where."""

    def __init__(self, message: str, *, where: str) -> None:
        self.message, self.where = message, where
        super().__init__(f"{message} [{where}]")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Generalised:
    """m agents × n jobs.

    cost: (m, n), what the job costs at the agent; any finite figure. resource: (m, n) ≥ 0, what it takes of the
    agent's capacity. capacity: (m,) ≥ 0. Raises `GeneralisedError`.
    """

    cost: Floats
    resource: Floats
    capacity: Floats

    def __post_init__(self) -> None:
        m, n = self.cost.shape if self.cost.ndim == 2 else (0, 0)
        if not m or not n or self.resource.shape != (m, n) or self.capacity.shape != (m,):
            raise GeneralisedError(
                "cost and resource need one row an agent and one column a job, capacity one number an agent",
                where=f"shapes {self.cost.shape}, {self.resource.shape}, {self.capacity.shape}",
            )
        if m > AGENTS_MAX:
            raise GeneralisedError(f"at most {AGENTS_MAX} agents are allowed", where=f"{m} agents")
        for name, figures in (("cost", self.cost), ("resource", self.resource), ("capacity", self.capacity)):
            _check(name, figures, negative=name == "cost")
        self._check_room()

    def _check_room(self) -> None:
        alone = (self.resource <= self.room[:, None]).any(axis=0)
        if not alone.all():
            job = int(np.flatnonzero(~alone)[0])
            raise GeneralisedError(
                "this job fits no agent, not even alone: it needs at least "
                f"{_figure(self.resource[:, job].min())}, and no agent that it could go to has as much capacity",
                where=f"job {job + 1}",
            )

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of agents and of jobs."""
        return self.cost.shape[0], self.cost.shape[1]

    @property
    def whole_costs(self) -> bool:
        """Tell whether every cost is a whole number, so that a bound may be rounded up."""
        return bool((self.cost == np.rint(self.cost)).all())

    @property
    def whole_resources(self) -> bool:
        """Tell whether resources and capacities are whole numbers, so that sums are exact."""
        figures = (self.resource, self.capacity)
        return all(bool((one == np.rint(one)).all()) for one in figures)

    @property
    def room(self) -> Floats:
        """What may lie on each agent: its capacity, with the rounding of decimals."""
        return self.capacity if self.whole_resources else self.capacity * (1.0 + ROUNDING)


def _check(name: str, figures: Floats, *, negative: bool) -> None:
    wrong = ~(np.abs(figures) <= FIGURE_MAX)  # not a number fails too
    if not negative:
        wrong |= figures < 0
    if wrong.any():
        place = np.argwhere(wrong)[0]
        value = float(figures[tuple(place)])
        words = "no finite number up to 1e12" if not abs(value) <= FIGURE_MAX else "negative"
        raise GeneralisedError(f"{name} {_figure(value)} is {words}", where=_place(name, tuple(place)))


def _place(name: str, place: tuple[Any, ...]) -> str:
    if len(place) == 1:
        return f"{name} of agent {place[0] + 1}"
    return f"{name} of agent {place[0] + 1}, job {place[1] + 1}"


def _figure(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) else f"{value:g}"


def read_text(text: str) -> Generalised:
    """Read the public text format: `m n`, m×n costs, m×n resources, m capacities, separated by blanks or line ends.

    Raises `GeneralisedError` naming the place: too few or too many numbers, what is no number, what cannot be.
    """
    words = text.split()
    if len(words) < 2:
        raise GeneralisedError("the numbers of agents and jobs are missing", where="the begin of the file")
    m, n = (_count(word, where=where) for word, where in zip(words, ("agents", "jobs"), strict=False))
    if m > AGENTS_MAX or m * n > CELLS_MAX:
        raise GeneralisedError(
            f"at most {AGENTS_MAX} agents and {CELLS_MAX:,} pairs are allowed", where=f"{m} agents, {n} jobs"
        )
    asked, given = 2 * m * n + m, len(words) - 2
    if given < asked:
        _short(m, n, given)
    if given > asked:
        raise GeneralisedError(
            f"{given - asked} more numbers follow than {m} agents and {n} jobs need",
            where=f"{_shown(words[2 + asked])} after the last capacity",
        )
    try:
        figures = np.array(words[2:], dtype=np.float64)
    except ValueError:
        _no_number(words, m, n)
    cells = m * n
    return Generalised(
        cost=figures[:cells].reshape(m, n),
        resource=figures[cells : 2 * cells].reshape(m, n),
        capacity=figures[2 * cells :],
    )


def _count(word: str, *, where: str) -> int:
    if not (word.isascii() and word.isdigit() and 1 <= len(word) <= 9 and int(word) > 0):
        raise GeneralisedError(
            f"{_shown(word)} is no whole number above 0", where=f"number of {where}, first line"
        )
    return int(word)


def _named(number: int, m: int, n: int) -> str:
    """Say which figure the number-th after the head is."""
    part, rest = divmod(number, m * n)
    if part == 2:
        return _place("capacity", (rest,))
    return _place(("cost", "resource")[part], divmod(rest, n))


def _short(m: int, n: int, given: int) -> NoReturn:
    raise GeneralisedError(
        f"the file ends too early: {2 * m * n + m - given} of {2 * m * n + m} numbers are missing",
        where=f"{_named(given, m, n)} would be next",
    )


def _no_number(words: list[str], m: int, n: int) -> NoReturn:
    number = next(place for place, word in enumerate(words[2:]) if not _is_number(word))
    raise GeneralisedError(f"{_shown(words[2 + number])} is no number", where=_named(number, m, n))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _shown(word: str) -> str:
    plain = "".join(sign if sign.isprintable() else "�" for sign in word)
    return f"“{plain[:SHOWN_MAX]}…”" if len(plain) > SHOWN_MAX else f"“{plain}”"
