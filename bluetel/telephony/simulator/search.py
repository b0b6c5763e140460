"""Substring search without case and accents, as Wazo's directories do it."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from bluetel.telephony.simulator.people import OutsideEntry, Person


@lru_cache(maxsize=131_072)
def folded(text: str) -> str:
    """Lower case, without accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in parts if not unicodedata.combining(char))


def matches(person: Person, term: str) -> bool:
    """Whether a folded term occurs in somebody's name, numbers or e-mail address."""
    words = (person.name, person.email, person.mobile, person.extension)
    return any(term in folded(word) for word in words)


def entry_matches(entry: OutsideEntry, term: str) -> bool:
    """The same for an entry of the company directory."""
    words = (entry.name, entry.company, entry.number, entry.mobile, entry.email)
    return any(term in folded(word) for word in words)
