"""Invented names: frequent Chinese surnames and given-name characters, joined by chance.

A joined name may happen to be somebody's, as any Chinese name is; nothing else in the record is: the identity number,
the telephone numbers and the e-mail address belong to ranges that are nobody's (see `identifiers`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

#: surname and rough relative frequency
SURNAMES: Final[tuple[tuple[str, float], ...]] = (
    ("王", 7.2), ("李", 7.1), ("张", 6.8), ("刘", 5.2), ("陈", 5.0), ("杨", 3.3), ("赵", 2.2), ("黄", 2.4),
    ("周", 2.1), ("吴", 2.0), ("徐", 1.7), ("孙", 1.6), ("胡", 1.3), ("朱", 1.3), ("高", 1.2), ("林", 1.2),
    ("何", 1.2), ("郭", 1.1), ("马", 1.1), ("罗", 1.0), ("梁", 0.9), ("宋", 0.8), ("郑", 0.8), ("谢", 0.8),
    ("韩", 0.7), ("唐", 0.7), ("冯", 0.7), ("于", 0.6), ("董", 0.6), ("萧", 0.5), ("程", 0.6), ("曹", 0.6),
    ("袁", 0.5), ("邓", 0.6), ("许", 0.6), ("傅", 0.4), ("沈", 0.5), ("曾", 0.5), ("彭", 0.5), ("吕", 0.5),
    ("苏", 0.5), ("卢", 0.5), ("蒋", 0.5), ("蔡", 0.5), ("贾", 0.4), ("丁", 0.4), ("魏", 0.4), ("薛", 0.4),
    ("叶", 0.4), ("阎", 0.3), ("余", 0.4), ("潘", 0.4), ("杜", 0.4), ("戴", 0.3), ("夏", 0.3), ("钟", 0.3),
    ("汪", 0.3), ("田", 0.4), ("任", 0.3), ("姜", 0.3), ("欧阳", 0.07), ("上官", 0.01), ("司徒", 0.02),
)  # fmt: skip
#: given-name characters, more usual for women, for men, for both
FEMALE: Final = "芳娜敏静丽艳娟霞秀玲桂英梅琳雪婷倩颖洁萍红月莉兰凤琴素云莲真环荣爱妹香莺媛瑞佳嘉琼勤珍贞"
MALE: Final = "伟强磊军勇杰涛超明刚辉鹏斌波峰龙浩宇毅俊健坤建国志海飞亮林生达安岩中茂进松柏航岳震鸿"
BOTH: Final = "子文晓欣宁思雨晨一然安乐悦清远新春立平华永怡青心若可言诗凡亦知行景和书墨朝阳"


def draw(*, rng: np.random.Generator, female: npt.NDArray[np.bool_]) -> npt.NDArray[np.str_]:
    """Draw one full name a borrower.

    female: shape (n,), the gender whose given-name characters are preferred. Returns shape (n,) of 2 to 4 characters.
    """
    n = female.size
    weights = np.array([w for _, w in SURNAMES])
    surname = np.array([s for s, _ in SURNAMES])[rng.choice(len(SURNAMES), size=n, p=weights / weights.sum())]
    first = np.where(female, _pick(rng, FEMALE, n), _pick(rng, MALE, n))
    neutral = _pick(rng, BOTH, n)
    lead = np.where(rng.random(n) < 0.45, neutral, first)
    tail = np.where(rng.random(n) < 0.82, np.where(rng.random(n) < 0.5, first, neutral), "")
    return np.strings.add(np.strings.add(surname, lead), tail)


def _pick(rng: np.random.Generator, characters: str, n: int) -> npt.NDArray[np.str_]:
    return np.array(list(characters))[rng.integers(0, len(characters), size=n)]
