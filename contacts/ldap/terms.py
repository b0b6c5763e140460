"""What somebody typed, as searches a directory understands, and as a test of what it answers.

LDAP servers compare without case but with accents, and numbers as they are written. So a search
asks with wildcards where spellings may differ, and each answer is then checked with both sides
folded: servers may find too much, never the pages.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers

from bluetel.ldap.attributes import AttributeMap, Field
from bluetel.ldap.filters import all_of, any_of, escape
from bluetel.telephony.text import safe_text
from contacts.folding import fold
from contacts.ldap.person import LdapPerson

TERM_MIN = 2
TERM_MAX = 100
_WORDS_MAX = 5
_DIGITS_MIN = 3

_TEXT_FIELDS = (
    Field.NAME,
    Field.GIVEN_NAME,
    Field.FAMILY_NAME,
    Field.EMAIL,
    Field.COMPANY,
)
_CALLABLE_FIELDS = (Field.WORK, Field.MOBILE, Field.EXTENSION, Field.HOME, Field.OTHER)
_WORD = re.compile(r"[^\W_]+")
# No name holds these; what does is a filter, a pattern or a mistake.
_NEVER_IN_A_NAME = re.compile(r'[*=\\<>|~!{};"\0]')
# Letters that often hide an accent or a ligature when they are typed plainly, and those that do
# now and then; the wildcard in their place takes "ß" and "œ" too.
_OFTEN_ACCENTED = frozenset("aceiouy")
_SOMETIMES_ACCENTED = frozenset("aceiouylnsz")
_LETTERS_CERTAIN = 2


@dataclass(frozen=True, slots=True)
class Term:
    """A term that is worth asking for: ``words`` folded, ``digits`` without spaces and sign.

    ``spelled`` are the words as typed, which find "Lefèvre" for "Lefè".
    """

    words: tuple[str, ...]
    spelled: tuple[str, ...]
    digits: tuple[str, ...]


def parse_term(text: str, *, country: str) -> Term | None:
    """The term in ``text``; None when it is too short, too long or holds nothing to look for."""
    if len(text) > TERM_MAX * 2 or _NEVER_IN_A_NAME.search(text) or not _is_balanced(text):
        return None
    clean = safe_text(unicodedata.normalize("NFC", text), limit=TERM_MAX + 1)
    if not TERM_MIN <= len(clean) <= TERM_MAX:
        return None
    if re.fullmatch(r"[+\d\s().\-/]+", clean):
        digits = _digit_spellings(clean, country=country)
        return Term((), (), digits) if digits else None
    spelled = tuple(dict.fromkeys(word for word in _WORD.findall(clean.lower()) if fold(word)))
    words = tuple(dict.fromkeys(fold(clean).split()))
    if not words or not spelled or len(spelled) > _WORDS_MAX or max(map(len, words)) < TERM_MIN:
        return None
    return Term(words, spelled, ())


def filter_for(term: Term, *, attributes: AttributeMap, loose: bool) -> str:
    """The filter that finds the term; ``loose`` also where it is written otherwise there.

    A loose filter is costly for the server (no index helps), so it is asked second.
    """
    if term.digits:
        # Numbers are written with spaces, dots and parentheses anywhere.
        between = "*" if loose else ""
        return any_of(
            f"({name}=*{between.join(digits)}*)"
            for name in attributes.names(*_CALLABLE_FIELDS)
            for digits in term.digits
        )
    names = attributes.names(*_TEXT_FIELDS)
    if loose:
        return all_of(
            any_of(f"({name}={pattern})" for name in names for pattern in patterns)
            for patterns in _loose(term.words)
        )
    return all_of(
        any_of(
            f"({name}={pattern})"
            for name in names
            for word in dict.fromkeys((spelled, fold(spelled)))
            for pattern in _prefixes(escape(word))
        )
        for spelled in term.spelled
    )


def is_loose_worthwhile(term: Term) -> bool:
    """Whether a second look may find more: enough letters are certain to spare the server."""
    return bool(term.digits or _loose(term.words))


def matches(term: Term, person: LdapPerson) -> bool:
    """Whether this really is somebody the term means: each word begins a word of his."""
    if term.digits:
        return any(digits in number for number in _digits_of(person) for digits in term.digits)
    texts = (person.name, person.given_name, person.family_name, person.company, *person.emails)
    own = {word for text in texts for word in fold(text).split()}
    return all(any(word.startswith(wanted) for word in own) for wanted in term.words)


def is_exact(term: Term, person: LdapPerson) -> bool:
    """Whether the term is one of his numbers, all of it."""
    return any(number in term.digits for number in _digits_of(person))


def _digits_of(person: LdapPerson) -> tuple[str, ...]:
    return tuple(
        "".join(filter(str.isdecimal, number))
        for label, number in person.numbers
        if label not in {Field.FAX, Field.PAGER}
    )


def _prefixes(word: str) -> tuple[str, ...]:
    return (f"{word}*", f"* {word}*", f"*-{word}*", f"*'{word}*", f"*.{word}*", f"*@{word}*")


def _loose(words: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Per word, patterns with wildcards for uncertain letters; none if hardly a letter is left.

    A word without any certain letter is left out: the answers are checked for it.
    """
    for uncertain in (_SOMETIMES_ACCENTED, _OFTEN_ACCENTED):
        kept = [word for word in words if not uncertain.issuperset(word)]
        certain = sum(letter not in uncertain for word in kept for letter in word)
        begins = any(word[0] not in uncertain for word in kept)
        if certain >= _LETTERS_CERTAIN or begins:
            return tuple(_patterns(word, uncertain) for word in kept)
    return ()


def _patterns(word: str, uncertain: frozenset[str]) -> tuple[str, ...]:
    spaced = "".join("*" if letter in uncertain else letter for letter in word)
    pattern = re.sub(r"\*+", "*", spaced).removesuffix("*")
    return (f"{pattern}*",) if pattern.startswith("*") else _prefixes(pattern)


def _is_balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _digit_spellings(text: str, *, country: str) -> tuple[str, ...]:
    """The digits as typed, and the part of them that national and international writing share."""
    digits = "".join(
        character for character in text if character.isdecimal() and character.isascii()
    )
    if len(digits) < _DIGITS_MIN:
        return ()
    spellings = [digits]
    code = str(phonenumbers.country_code_for_region(country))
    is_international = text.lstrip().startswith("+")
    if digits.startswith("00"):
        is_international, digits = True, digits[2:]
        spellings = [digits]
    if is_international and digits.startswith(code):
        spellings.append(digits[len(code) :])
    elif not is_international and digits.startswith("0"):
        spellings.append(digits[1:])
    return tuple(dict.fromkeys(part for part in spellings if len(part) >= _DIGITS_MIN))
