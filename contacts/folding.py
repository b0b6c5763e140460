"""Words as they are compared: folded, so that what a keyboard offers finds every name. Pure.

Without accents and case, ``ß`` as ``ss``, ``Ł`` as ``L``, other scripts in Latin letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from anyascii import anyascii

REMEMBERED: Final = 100_000
"""Names kept folded: some 20 MB when full."""

_WORD: Final = re.compile(r"[a-z0-9]+")


def fold(text: str) -> str:
    """``text`` in lower-case ASCII words, one space between them."""
    return " ".join(folded_words(text))


def folded_words(text: str) -> list[str]:
    """The words of ``text`` in lower-case ASCII."""
    plain = (text if text.isascii() else anyascii(text)).lower()
    words = plain.split(" ")
    # Most names have letters and blanks only.
    return words if all(map(str.isalnum, words)) else _WORD.findall(plain)


@lru_cache(maxsize=REMEMBERED)
def words_of(text: str) -> str:
    """The folded words of a name, a space before each: a term begins a word if ``" term"`` is in.

    Remembered, for the same names are searched at every key that is pressed.
    """
    return f" {fold(text)}"


_KEYS: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")


def keys_of(word: str) -> str:
    """The keys of a telephone that spell a folded word (ITU-T E.161): "nadia" is 62342."""
    return word.translate(_KEYS)


def names_agree(one: str, other: str) -> bool:
    """Whether two names can be the same person's: "N. Belkacem" is "BELKACEM Nadia".

    Every word of the shorter one is a word of the other or the first letter of one, and at least
    one whole word is the same; "Anne Leroy" and "Paul Leroy" don't agree.
    """
    short, long = sorted((fold(one).split(), fold(other).split()), key=len)
    if not set(short) & set(long):
        return False
    left = list(long)
    for word in sorted(short, key=len, reverse=True):
        partner = word if word in left else _initial(word, left)
        if partner is None:
            return False
        left.remove(partner)
    return True


def _initial(word: str, among: Sequence[str]) -> str | None:
    for other in among:
        if (len(word) == 1 or len(other) == 1) and word[0] == other[0]:
            return other
    return None
