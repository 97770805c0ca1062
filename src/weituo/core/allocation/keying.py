"""Numbers by chance that anyone can draw again: a keyed hash of an account's key, with the seed and a purpose as its secret.

The number is BLAKE2b (RFC 7693) of the key's text in UTF-8, eight bytes, keyed with 32 bytes made of seed and purpose; its first
53 bits are a number in [0, 1). It depends on nothing but seed, purpose and key: not on the order of rows, nor on other
accounts. Whole numbers stand for their decimal text. `hashlib` gives the same numbers one at a time; here the block that the
secret fills is worked once, and every key costs one block more.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from weituo.core.allocation.problem import Floats

#: keys hashed in one go by one thread
SLAB: Final = 1 << 16
BLOCK: Final = 128
DIGEST: Final = 8
SECRET: Final = 32
IV: Final = tuple(
    np.uint64(word)
    for word in (
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    )
)  # fmt: skip
ALL_ONES: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
R32, R24, R16, R63, R40, R48, R1 = (np.uint64(bits) for bits in (32, 24, 16, 63, 40, 48, 1))


@njit(cache=True, nogil=True)
def mix(a, b, c, d, x, y):  # type: ignore[no-untyped-def]
    """Mix two words of the message into four of the state (RFC 7693, 3.1)."""
    a = a + b + x
    d = d ^ a
    d = (d >> R32) | (d << R32)
    c = c + d
    b = b ^ c
    b = (b >> R24) | (b << R40)
    a = a + b + y
    d = d ^ a
    d = (d >> R16) | (d << R48)
    c = c + d
    b = b ^ c
    b = (b >> R63) | (b << R1)
    return a, b, c, d


@njit(cache=True, nogil=True)
def turn(v, m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15):  # type: ignore[no-untyped-def]
    """Do one round: columns, then diagonals."""
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15 = v
    v0, v4, v8, v12 = mix(v0, v4, v8, v12, m0, m1)
    v1, v5, v9, v13 = mix(v1, v5, v9, v13, m2, m3)
    v2, v6, v10, v14 = mix(v2, v6, v10, v14, m4, m5)
    v3, v7, v11, v15 = mix(v3, v7, v11, v15, m6, m7)
    v0, v5, v10, v15 = mix(v0, v5, v10, v15, m8, m9)
    v1, v6, v11, v12 = mix(v1, v6, v11, v12, m10, m11)
    v2, v7, v8, v13 = mix(v2, v7, v8, v13, m12, m13)
    v3, v4, v9, v14 = mix(v3, v4, v9, v14, m14, m15)
    return v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15


@njit(cache=True, nogil=True)
def press(h, m, length, last):  # type: ignore[no-untyped-def]
    """Press one block of 16 words into the state h, in place; length: bytes so far; last: whether no block follows."""
    v = (
        h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], IV[0], IV[1], IV[2], IV[3], IV[4] ^ np.uint64(length), IV[5],
        (IV[6] ^ ALL_ONES) if last else IV[6], IV[7],
    )  # fmt: skip
    # fmt: off
    v = turn(v, m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7], m[8], m[9], m[10], m[11], m[12], m[13], m[14], m[15])
    v = turn(v, m[14], m[10], m[4], m[8], m[9], m[15], m[13], m[6], m[1], m[12], m[0], m[2], m[11], m[7], m[5], m[3])
    v = turn(v, m[11], m[8], m[12], m[0], m[5], m[2], m[15], m[13], m[10], m[14], m[3], m[6], m[7], m[1], m[9], m[4])
    v = turn(v, m[7], m[9], m[3], m[1], m[13], m[12], m[11], m[14], m[2], m[6], m[5], m[10], m[4], m[0], m[15], m[8])
    v = turn(v, m[9], m[0], m[5], m[7], m[2], m[4], m[10], m[15], m[14], m[1], m[11], m[12], m[6], m[8], m[3], m[13])
    v = turn(v, m[2], m[12], m[6], m[10], m[0], m[11], m[8], m[3], m[4], m[13], m[7], m[5], m[15], m[14], m[1], m[9])
    v = turn(v, m[12], m[5], m[1], m[15], m[14], m[13], m[4], m[10], m[0], m[7], m[6], m[3], m[9], m[2], m[8], m[11])
    v = turn(v, m[13], m[11], m[7], m[14], m[12], m[1], m[3], m[9], m[5], m[0], m[15], m[4], m[8], m[6], m[2], m[10])
    v = turn(v, m[6], m[15], m[14], m[9], m[11], m[3], m[0], m[8], m[12], m[2], m[13], m[7], m[1], m[4], m[10], m[5])
    v = turn(v, m[10], m[2], m[8], m[4], m[7], m[6], m[1], m[5], m[15], m[11], m[9], m[14], m[3], m[12], m[13], m[0])
    v = turn(v, m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7], m[8], m[9], m[10], m[11], m[12], m[13], m[14], m[15])
    v = turn(v, m[14], m[10], m[4], m[8], m[9], m[15], m[13], m[6], m[1], m[12], m[0], m[2], m[11], m[7], m[5], m[3])
    # fmt: on
    h[0] ^= v[0] ^ v[8]
    h[1] ^= v[1] ^ v[9]
    h[2] ^= v[2] ^ v[10]
    h[3] ^= v[3] ^ v[11]
    h[4] ^= v[4] ^ v[12]
    h[5] ^= v[5] ^ v[13]
    h[6] ^= v[6] ^ v[14]
    h[7] ^= v[7] ^ v[15]


@njit(cache=True, nogil=True)
def absorb(begun, secret, text, length, h, m):  # type: ignore[no-untyped-def]
    """Hash text[:length] after the block of the secret: a number in [0, 1) from the first 53 bits."""
    h[:] = begun
    if length == 0:
        # the secret's block is then the only one, and the last: it has to be pressed anew
        h[:] = secret[16:24]
        press(h, secret, BLOCK, True)
    first = 0
    while first < length:
        size = min(BLOCK, length - first)
        m[:] = np.uint64(0)
        for at in range(size):
            m[at >> 3] |= np.uint64(text[first + at]) << np.uint64(8 * (at & 7))
        first += size
        press(h, m, BLOCK + first, first == length)
    number = np.uint64(0)
    for at in range(7):
        number = (number << np.uint64(8)) | ((h[0] >> np.uint64(8 * at)) & np.uint64(255))
    return float(number >> np.uint64(3)) * 2.0**-53


@njit(cache=True, nogil=True)
def hash_text(begun, secret, letters, numbers):  # type: ignore[no-untyped-def]
    """Hash rows of code points (0 fills up); give the first row that is no text, or −1."""
    rows, width = letters.shape
    text, h, m = np.empty(4 * width + 1, np.uint8), np.empty(8, np.uint64), np.empty(16, np.uint64)
    for i in range(rows):
        used = width
        while used > 0 and letters[i, used - 1] == 0:
            used -= 1
        n = 0
        for at in range(used):
            c = letters[i, at]
            if c < 0x80:
                text[n] = c
                n += 1
            elif c < 0x800:
                text[n], text[n + 1] = 0xC0 | (c >> 6), 0x80 | (c & 63)
                n += 2
            elif c < 0x10000:
                if 0xD800 <= c < 0xE000:
                    return i
                text[n], text[n + 1], text[n + 2] = 0xE0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63)
                n += 3
            else:
                text[n], text[n + 1] = 0xF0 | (c >> 18), 0x80 | ((c >> 12) & 63)
                text[n + 2], text[n + 3] = 0x80 | ((c >> 6) & 63), 0x80 | (c & 63)
                n += 4
        numbers[i] = absorb(begun, secret, text, n, h, m)
    return -1


@njit(cache=True, nogil=True)
def hash_whole(begun, secret, negative, keys, numbers):  # type: ignore[no-untyped-def]
    """Hash whole numbers (uint64, with their sign beside them) as their decimal text."""
    text, h, m = np.empty(24, np.uint8), np.empty(8, np.uint64), np.empty(16, np.uint64)
    digits = np.empty(24, np.uint8)
    ten = np.uint64(10)
    for i in range(keys.size):
        left, n = keys[i], 0
        while n == 0 or left > np.uint64(0):
            digits[n] = np.uint8(48 + int(left % ten))
            left = left // ten
            n += 1
        used = 0
        if negative.size and negative[i]:
            text[0] = 45
            used = 1
        for at in range(n):
            text[used + at] = digits[n - 1 - at]
        numbers[i] = absorb(begun, secret, text, used + n, h, m)


def keyed(*, seed: int, purpose: str, keys: npt.ArrayLike, threads: int = 2) -> Floats:
    """Hash keys (text, or whole numbers) with the seed to numbers in [0, 1) with 53 bits, shape of the keys (n,).

    Raises `ValueError` for keys that are neither, or hold half of a surrogate pair.
    """
    given = np.asarray(keys)
    secret = hashlib.blake2b(f"{seed}|{purpose}".encode(), digest_size=SECRET).digest()
    # block of the secret, then (for keys without a letter) the state before it
    block = np.zeros(24, dtype=np.uint64)
    block[:4] = np.frombuffer(secret, dtype="<u8")
    begun = np.array(IV, dtype=np.uint64)
    begun[0] ^= np.uint64(0x01010000 ^ (SECRET << 8) ^ DIGEST)
    block[16:] = begun
    press(begun, block, BLOCK, False)
    numbers = np.empty(given.size)
    if given.dtype.kind in "iu":
        sizes = given.astype(np.uint64) if given.dtype.kind == "u" else np.where(given < 0, np.uint64(0) - given.astype(np.uint64), given.astype(np.uint64))  # fmt: skip
        below = np.ascontiguousarray(given < 0) if given.dtype.kind == "i" else np.empty(0, dtype=np.bool_)

        def one(first: int) -> int:
            rows = slice(first, first + SLAB)
            hash_whole(begun, block, below[rows], sizes[rows], numbers[rows])
            return -1
    else:
        letters = _letters(given)

        def one(first: int) -> int:
            rows = slice(first, first + SLAB)
            wrong = int(hash_text(begun, block, letters[rows], numbers[rows]))
            return -1 if wrong < 0 else first + wrong

    starts = range(0, given.size, SLAB)
    if threads > 1 and given.size > SLAB:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(one, starts))
    else:
        found = [one(first) for first in starts]
    wrong = [row for row in found if row >= 0]
    if wrong:
        raise ValueError(f"key {wrong[0]} is no text: it holds half of a surrogate pair")
    return numbers


def _letters(given: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    if given.dtype.kind == "O" and not all(isinstance(key, str) for key in given.tolist()):
        raise ValueError("keys must be text or whole numbers")
    if given.dtype.kind not in "UO":
        raise ValueError(f"keys must be text or whole numbers, not {given.dtype}")
    if not given.size:
        return np.zeros((0, 1), dtype=np.uint32)
    text = np.ascontiguousarray(given, dtype=np.str_)
    width = text.dtype.itemsize // 4
    return (
        text.view(np.uint32).reshape(text.size, width) if width else np.zeros((text.size, 1), dtype=np.uint32)
    )
