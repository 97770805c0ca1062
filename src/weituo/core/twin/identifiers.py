"""Identifiers that are well formed and nobody's.

Identity numbers. GB 11643-1999 puts the administrative division of GB/T 2260 first. The first digit is the great
region (1 North ... 8 special regions), the second the province inside it; North China has 11 to 15 only. **19** was
never assigned, so a number that begins with 19 was never issued to anybody, while birth date, order code and the
ISO 7064 MOD 11-2 check character are formed as in a real one.

Mobile numbers. Mainland mobile numbers are 11 digits from 13 to 19. The segment **154** has not been allocated to
any operator in the Ministry's numbering plan, and the metadata of libphonenumber calls it possible but not valid.

E-mail. Only example.com, example.org and example.net, reserved by RFC 2606 section 3.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

#: first two digits of every invented identity number: a province code that GB/T 2260 does not have
UNASSIGNED_PROVINCE: Final = 19
#: first three digits of every invented mobile number
UNALLOCATED_SEGMENT: Final = 154
#: RFC 2606, section 3
EMAIL_DOMAINS: Final[tuple[str, ...]] = ("example.com", "example.org", "example.net")
#: how many different identity numbers and mobile numbers `identity_numbers` and `phone_numbers` can make
MAX_BORROWERS: Final = 4_990_000

_WEIGHTS: Final = np.array([pow(2, 17 - i, 11) for i in range(17)], dtype=np.int64)
_CHECK: Final = np.array(list("10X98765432"))
_PHONE_STEP: Final = 61_803_399  # coprime with 10^8: i -> i * step mod 10^8 never repeats


def identity_numbers(
    *, index: npt.NDArray[np.int64], born: npt.NDArray[np.datetime64], female: npt.NDArray[np.bool_]
) -> npt.NDArray[np.str_]:
    """Make one 18-character identity number a borrower, different for each index.

    index: shape (n,), 0 <= index < MAX_BORROWERS. born: datetime64[D]. female: the order code is even, else odd.
    Raises ValueError for an index outside the range.
    """
    if index.size and (index.min() < 0 or index.max() >= MAX_BORROWERS):
        raise ValueError("index out of range")
    county = UNASSIGNED_PROVINCE * 10_000 + index % 10_000
    order = (index // 10_000) * 2 + np.where(female, 0, 1)
    days = born.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    year = months.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (days - months).astype(np.int64) + 1
    body = (county * 10**8 + year * 10_000 + month * 100 + day) * 1000 + order
    digits = (body[:, None] // 10 ** np.arange(16, -1, -1, dtype=np.int64)) % 10
    check = _CHECK[(digits @ _WEIGHTS) % 11]
    return np.strings.add(body.astype("U17"), check)


def check_character(body: str) -> str:
    """Compute the GB 11643 check character (ISO 7064 MOD 11-2) of 17 digits: one of 0-9 and X."""
    return "10X98765432"[sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(body)) % 11]


def phone_numbers(*, index: npt.NDArray[np.int64], offset: int) -> npt.NDArray[np.str_]:
    """Make one E.164 number an index, `+86154` and eight digits, different for each index below 10^8."""
    subscriber = (index * _PHONE_STEP + offset) % 10**8
    return np.strings.add("+86", (UNALLOCATED_SEGMENT * 10**8 + subscriber).astype("U11"))


def birthdays(*, rng: np.random.Generator, n: int, as_of: date) -> npt.NDArray[np.datetime64]:
    """Draw dates of birth, datetime64[D]: age 20 to 65, median about 33, as in the card file (21 to 75, median 34)."""
    age_days = (20 + 45 * rng.beta(1.7, 3.6, size=n)) * 365.25
    return np.datetime64(as_of, "D") - age_days.astype(np.int64)
