"""The problem: what each account is worth with each agency, and which limits hold.

n accounts, k agencies, s segments. In-house work and leaving an account alone are agencies like the others. Amounts of
balance are whole minor units; values are float32 in any one unit of money; −inf: the agency must not get the account.

Limits of agency j, N_j its accounts, B_j their balance, N_sj its accounts of segment s, q_s the segment's share of all:

    count_min_j ≤ N_j ≤ count_max_j        balance_min_j ≤ B_j ≤ balance_max_j
    floor((q_s − t_sj) N_j) ≤ N_sj ≤ ceil((q_s + t_sj) N_j)        the mix rule, in whole accounts, rounded outward
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]

#: no limit of balance or count
NO_LIMIT: Final = np.iinfo(np.int64).max
#: agencies that a result (int16) can name
AGENCIES_MAX: Final = 1_000
SEGMENTS_MAX: Final = 1_000
#: balances up to this add up exactly over any portfolio
BALANCE_MAX: Final = 10**12
#: a price of breaking a limit that stands for “never”
HARD: Final = np.inf
#: rows looked at in one go: bounds memory, and fixes the order in which floats are added
CHUNK: Final = 1 << 17


class ProblemError(ValueError):
    """The arrays do not make a problem; the message says what, where and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limits:
    """What each of k agencies must and may hold.

    count_min, count_max, balance_min, balance_max: (k,) int64; `NO_LIMIT` (a most) and 0 (a least) say nothing.
    tolerance: (k, s) share of the mix rule; inf: no rule. *_price: (k,) money a unit by which the limit may be broken;
    inf: never. mix_price: (k,).
    """

    count_min: Ints
    count_max: Ints
    balance_min: Ints
    balance_max: Ints
    tolerance: Floats
    count_price: Floats
    balance_price: Floats
    mix_price: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """A checked problem; make it with `problem`.

    value (n, k) float32. balance (n,) int64 ≥ 0. segment (n,) int16, 0 … segments − 1. fixed (n,) int16: the agency an
    account is drawn to already, −1 free; empty: all free. unit (n,) int64: accounts of one number go to one agency
    together; empty: each by itself.
    """

    value: Values
    balance: Ints
    segment: npt.NDArray[np.int16]
    segments: int
    limits: Limits
    fixed: npt.NDArray[np.int16]
    unit: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def size(self) -> int:
        """The number of accounts."""
        return int(self.value.shape[0])

    @property
    def agencies(self) -> int:
        """The number of agencies."""
        return int(self.value.shape[1])

    def share(self) -> Floats:
        """Compute q: (s,), each segment's share of all accounts."""
        return np.bincount(self.segment, minlength=self.segments) / max(self.size, 1)

    def digest(self) -> str:
        """Compute the SHA-256 of all inputs, hexadecimal."""
        found = hashlib.sha256()
        limits = self.limits
        for array in (
            self.value, self.balance, self.segment, self.fixed, self.unit, limits.count_min, limits.count_max, limits.balance_min,
            limits.balance_max, limits.tolerance, limits.count_price, limits.balance_price, limits.mix_price,
        ):  # fmt: skip
            found.update(f"{array.dtype}{array.shape}".encode())
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()


def problem(
    *,
    value: npt.ArrayLike,
    balance: npt.ArrayLike,
    segment: npt.ArrayLike | None = None,
    count_min: npt.ArrayLike | None = None,
    count_max: npt.ArrayLike | None = None,
    balance_min: npt.ArrayLike | None = None,
    balance_max: npt.ArrayLike | None = None,
    segment_tolerance: npt.ArrayLike | None = None,
    count_price: npt.ArrayLike | None = None,
    balance_price: npt.ArrayLike | None = None,
    segment_price: npt.ArrayLike | None = None,
    fixed: npt.ArrayLike | None = None,
    unit: npt.ArrayLike | None = None,
) -> Problem:
    """Check the arrays and make a problem of them; what is absent sets no limit. Raises `ProblemError`.

    segment_tolerance: one share for all, (k,) by agency or (k, s). *_price: one for all or (k,); absent: never broken.
    Prices are money a whole account, for balance money a minor unit.
    """
    worth = np.asarray(value)
    if worth.ndim != 2 or worth.shape[1] == 0 or worth.shape[1] > AGENCIES_MAX:
        raise ProblemError(
            f"value must be accounts × agencies with 1 to {AGENCIES_MAX} agencies, not {worth.shape}"
        )
    if worth.dtype.kind not in "fiu":
        raise ProblemError(f"value must hold numbers, not {worth.dtype}")
    n, k = worth.shape
    owed = _whole("balance", balance, (n,))
    if n and int(owed.min()) < 0:
        raise ProblemError(f"balance must not be negative: row {int(owed.argmin())} holds {int(owed.min())}")
    if n and int(owed.max()) > BALANCE_MAX:
        raise ProblemError(
            f"balance must be at most {BALANCE_MAX}: row {int(owed.argmax())} holds {int(owed.max())}"
        )
    parts = _segment(segment, n)
    segments = int(parts.max()) + 1 if n else 1
    limits = Limits(
        count_min=_least("count_min", count_min, k),
        count_max=_most("count_max", count_max, k),
        balance_min=_least("balance_min", balance_min, k),
        balance_max=_most("balance_max", balance_max, k),
        tolerance=_tolerance(segment_tolerance, k, segments),
        count_price=_price("count_price", count_price, k),
        balance_price=_price("balance_price", balance_price, k),
        mix_price=_price("segment_price", segment_price, k),
    )
    _ordered("count", limits.count_min, limits.count_max)
    _ordered("balance", limits.balance_min, limits.balance_max)
    return Problem(
        value=np.ascontiguousarray(worth, dtype=np.float32),
        balance=owed,
        segment=parts,
        segments=segments,
        limits=limits,
        fixed=_fixed(fixed, n, k),
        unit=np.empty(0, dtype=np.int64) if unit is None else _whole("unit", unit, (n,)),
    )


def _whole(name: str, given: npt.ArrayLike, shape: tuple[int, ...]) -> Ints:
    array = np.asarray(given)
    if array.shape != shape:
        raise ProblemError(f"{name} must have the shape {shape}, not {array.shape}")
    if array.dtype.kind in "iu":
        return np.ascontiguousarray(array, dtype=np.int64)
    if array.dtype.kind != "f":
        raise ProblemError(f"{name} must hold whole numbers, not {array.dtype}")
    wrong = ~np.isfinite(array) | (array != np.floor(array)) | (np.abs(array) > 2.0**62)
    if wrong.any():
        raise ProblemError(
            f"{name} must hold whole numbers: place {int(wrong.argmax())} holds {array[wrong.argmax()]}"
        )
    return array.astype(np.int64)


def _segment(given: npt.ArrayLike | None, n: int) -> npt.NDArray[np.int16]:
    if given is None:
        return np.zeros(n, dtype=np.int16)
    array = np.asarray(given)
    if array.dtype.kind == "f":
        array = _whole("segment", array, (n,))
    if array.shape != (n,) or array.dtype.kind not in "iu":
        raise ProblemError(f"segment must be {n} whole numbers, not {array.dtype} {array.shape}")
    if n and (int(array.min()) < 0 or int(array.max()) >= SEGMENTS_MAX):
        raise ProblemError(
            f"segment must lie between 0 and {SEGMENTS_MAX - 1}, not {int(array.min())} … {int(array.max())}"
        )
    return array.astype(np.int16)


def _least(name: str, given: npt.ArrayLike | None, k: int) -> Ints:
    if given is None:
        return np.zeros(k, dtype=np.int64)
    found = _whole(name, given, (k,))
    if (found < 0).any():
        raise ProblemError(
            f"{name} must not be negative: agency {int(found.argmin())} has {int(found.min())}"
        )
    return found


def _most(name: str, given: npt.ArrayLike | None, k: int) -> Ints:
    if given is None:
        return np.full(k, NO_LIMIT, dtype=np.int64)
    array = np.asarray(given)
    if array.dtype.kind == "f" and array.shape == (k,):
        endless = np.isposinf(array) | (array >= 2.0**62)
        found = _whole(name, np.where(endless, 0, array), (k,))
        found[endless] = NO_LIMIT
    else:
        found = _whole(name, array, (k,))
    if (found < 0).any():
        raise ProblemError(
            f"{name} must not be negative: agency {int(found.argmin())} has {int(found.min())}"
        )
    return found


def _ordered(name: str, least: Ints, most: Ints) -> None:
    wrong = least > most
    if wrong.any():
        j = int(wrong.argmax())
        raise ProblemError(
            f"{name}_min must not exceed {name}_max: agency {j} has {int(least[j])} > {int(most[j])}"
        )


def _tolerance(given: npt.ArrayLike | None, k: int, segments: int) -> Floats:
    if given is None:
        return np.full((k, segments), np.inf)
    array = np.asarray(given, dtype=np.float64) if np.asarray(given).dtype.kind in "fiu" else None
    if array is None:
        raise ProblemError("segment_tolerance must hold shares")
    if array.ndim == 1 and array.size in (1, k):
        array = array[:, None]
    if array.shape not in ((), (1, 1), (k, 1), (k, segments)):
        raise ProblemError(
            f"segment_tolerance must be one share, ({k},) or ({k}, {segments}), not {array.shape}"
        )
    if np.isnan(array).any() or (array < 0).any():
        raise ProblemError("segment_tolerance must be shares from 0 on")
    return np.where(
        np.broadcast_to(array, (k, segments)) >= 1.0, np.inf, np.broadcast_to(array, (k, segments))
    ).astype(np.float64)


def _price(name: str, given: npt.ArrayLike | None, k: int) -> Floats:
    if given is None:
        return np.full(k, HARD)
    array = np.asarray(given)
    if (
        array.dtype.kind not in "fiu"
        or array.shape not in ((), (1,), (k,))
        or np.isnan(array).any()
        or (array < 0).any()
    ):
        raise ProblemError(f"{name} must be one price from 0 on, or {k}")
    return np.broadcast_to(array.astype(np.float64), (k,)).copy()


def _fixed(given: npt.ArrayLike | None, n: int, k: int) -> npt.NDArray[np.int16]:
    if given is None:
        return np.empty(0, dtype=np.int16)
    found = _whole("fixed", given, (n,))
    if n and (int(found.min()) < -1 or int(found.max()) >= k):
        raise ProblemError(f"fixed must name an agency from 0 to {k - 1}, or −1")
    return found.astype(np.int16)


def as_plain(limits: Limits) -> dict[str, Any]:
    """The limits as plain data."""
    return {name: getattr(limits, name).tolist() for name in Limits.__dataclass_fields__}
