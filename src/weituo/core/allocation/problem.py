"""The problem: which account may go to which agency, what it is worth there, and which limits hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.str_]

#: the assignment of an account that stays in-house
IN_HOUSE: Final = -1
#: values and balances beyond this would not add up exactly in 64 bits
MINOR_MAX: Final = 10**12


class ProblemError(ValueError):
    """The arrays do not fit together, or hold figures that cannot be added exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one agency may and must hold from this run; None: no limit.

    bucket_accounts_max: bucket → most accounts of that bucket, which keeps the mix within a tolerance.
    """

    accounts_min: int = 0
    accounts_max: int | None = None
    balance_min_minor: int = 0
    balance_max_minor: int | None = None
    bucket_accounts_max: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The limits as plain data."""
        return {
            "accounts_min": self.accounts_min,
            "accounts_max": self.accounts_max,
            "balance_min_minor": self.balance_min_minor,
            "balance_max_minor": self.balance_max_minor,
            "bucket_accounts_max": dict(sorted(self.bucket_accounts_max.items())),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit of one agency: `kind` is accounts_min, accounts_max, balance_min, balance_max or bucket_accounts_max."""

    kind: str
    agency: int
    amount: int
    bucket: str = ""

    @property
    def is_least(self) -> bool:
        """Tell whether the limit asks for at least `amount`."""
        return self.kind.endswith("_min")

    @property
    def is_money(self) -> bool:
        """Tell whether the limit counts balance in minor units, not accounts."""
        return self.kind.startswith("balance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """A limit that cannot be kept: what it asks for and the most that is possible."""

    limit: Limit
    agency: str
    possible: int

    def as_dict(self) -> dict[str, Any]:
        """The shortfall as plain data."""
        return {
            "limit": self.limit.kind,
            "agency": self.agency,
            "asked": self.limit.amount,
            "possible": self.possible,
        }


class Infeasible(Exception):
    """No assignment keeps all limits; `shortfalls` names those that cannot be kept, `reason` says why as a code.

    BACKWARDS: a least amount above the most · TOO_FEW: fewer eligible accounts or less balance than asked ·
    TOGETHER: each could be kept alone, not all at once · WHOLE_ACCOUNTS: only parts of accounts would fit, or the search
    for whole ones was given up.
    """

    def __init__(self, *, reason: str, shortfalls: tuple[Shortfall, ...]) -> None:
        self.reason = reason
        self.shortfalls = shortfalls
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """n accounts × m agencies.

    accounts: n unique keys. value_minor: (n, m), what the agency is worth above in-house. eligible: (n, m).
    balance_minor: (n,) > 0. bucket: (n,). limits: one an agency. Raises `ProblemError`.
    """

    accounts: Texts
    agencies: tuple[str, ...]
    value_minor: Ints
    eligible: Bools
    balance_minor: Ints
    bucket: Texts
    limits: tuple[Limits, ...]

    def __post_init__(self) -> None:
        n, m = len(self.accounts), len(self.agencies)
        shapes = (
            self.value_minor.shape == (n, m)
            and self.eligible.shape == (n, m)
            and self.balance_minor.shape == (n,)
            and self.bucket.shape == (n,)
            and len(self.limits) == m
        )
        if not shapes:
            raise ProblemError("the arrays do not fit together")
        if len(np.unique(self.accounts)) != n or len(set(self.agencies)) != m:
            raise ProblemError("a key stands twice")
        if n and max(int(np.abs(self.value_minor).max(initial=0)), int(self.balance_minor.max())) > MINOR_MAX:
            raise ProblemError(f"figures beyond {MINOR_MAX} minor units")
        if n and int(self.balance_minor.min()) <= 0:
            raise ProblemError("a balance must be above 0")

    @property
    def size(self) -> int:
        """The number of accounts."""
        return len(self.accounts)

    def in_order(self) -> tuple[Problem, Ints, Ints]:
        """Give the problem with accounts and agencies sorted by key, and both orders (positions in this problem)."""
        rows = np.argsort(self.accounts, kind="stable")
        columns = np.argsort(np.array(self.agencies, dtype=np.str_), kind="stable")
        sorted_problem = Problem(
            accounts=self.accounts[rows],
            agencies=tuple(self.agencies[column] for column in columns),
            value_minor=self.value_minor[np.ix_(rows, columns)],
            eligible=self.eligible[np.ix_(rows, columns)],
            balance_minor=self.balance_minor[rows],
            bucket=self.bucket[rows],
            limits=tuple(self.limits[column] for column in columns),
        )
        return sorted_problem, rows, columns

    def with_limits(self, limits: tuple[Limits, ...]) -> Problem:
        """Give the same problem under other limits."""
        return Problem(
            accounts=self.accounts,
            agencies=self.agencies,
            value_minor=self.value_minor,
            eligible=self.eligible,
            balance_minor=self.balance_minor,
            bucket=self.bucket,
            limits=limits,
        )


def listed(limits: tuple[Limits, ...]) -> list[Limit]:
    """List every stated limit, agency by agency; a least amount of 0 says nothing and is left out."""
    found: list[Limit] = []
    for agency, own in enumerate(limits):
        if own.accounts_max is not None:
            found.append(Limit(kind="accounts_max", agency=agency, amount=own.accounts_max))
        if own.balance_max_minor is not None:
            found.append(Limit(kind="balance_max", agency=agency, amount=own.balance_max_minor))
        found += [
            Limit(kind="bucket_accounts_max", agency=agency, amount=amount, bucket=bucket)
            for bucket, amount in sorted(own.bucket_accounts_max.items())
        ]
        if own.accounts_min > 0:
            found.append(Limit(kind="accounts_min", agency=agency, amount=own.accounts_min))
        if own.balance_min_minor > 0:
            found.append(Limit(kind="balance_min", agency=agency, amount=own.balance_min_minor))
    return found
