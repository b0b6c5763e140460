"""What a book has while a file is brought into it: whether it knows a card already.

A file's format can't carry everything, and none of them keeps the order of numbers. So two cards
are of one person when all agrees that CSV can say, and one of them says nothing beyond it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from contacts.card import Card, digest
from contacts.csv_cards import as_read_back
from contacts.models import Contact
from contacts.records import sort_name_of
from contacts.stored_cards import cards_by_id

if TYPE_CHECKING:
    from contacts.models import Book

_AT_ONCE: Final = 200


class Known(Enum):
    """How well a book knows a card."""

    NOT = auto()
    WHOLLY = auto()
    LESS = auto()
    """Of the same person it says less than the card, or something else under its identifier."""


@dataclass(frozen=True, slots=True)
class Content:
    """A card's digests, the order of its numbers and addresses aside.

    ``outline`` is of what CSV can say of it, ``whole`` of all.
    """

    outline: str
    whole: str

    @classmethod
    def of(cls, card: Card) -> Content:
        """What ``card`` says."""
        return cls(_unordered(as_read_back(card)), _unordered(card))

    @property
    def is_plain(self) -> bool:
        """Whether it says nothing that CSV can't."""
        return self.outline == self.whole


@dataclass(frozen=True, slots=True)
class _Kept:
    contact: int | None
    """None for one that is about to be written."""
    uid: str
    whole: str
    is_plain: bool


@dataclass(slots=True)
class Shelved:
    """The contacts of a book, by identifier and by name, as an import needs them."""

    book: int
    by_uid: dict[str, int] = field(default_factory=dict)
    digests: dict[int, str] = field(default_factory=dict)
    contents: set[str] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)
    """Those that have been asked for, as lists are ordered."""
    _alike: dict[str, list[_Kept]] = field(default_factory=lambda: defaultdict(list))
    """The contacts of these names by their outline."""

    @classmethod
    def of(cls, book: Book) -> Shelved:
        """The book as it is."""
        shelved = cls(book.pk)
        rows = Contact.objects.filter(book=book).values_list("pk", "uid", "digest")
        for pk, uid, content in rows.iterator(chunk_size=5000):
            shelved._note_digest(pk, uid, content)
        return shelved

    def look_up(self, cards: Iterable[Card]) -> None:
        """Read the contacts that have the names of ``cards``; :meth:`find` needs them."""
        names = {sort_name_of(card) for card in cards} - self._names
        self._names |= names
        rows = Contact.objects.filter(book=self.book, sort_name__in=names, is_group=False)
        ids = list(rows.values_list("pk", flat=True))
        for start in range(0, len(ids), _AT_ONCE):
            for pk, card in cards_by_id(ids[start : start + _AT_ONCE]).items():
                self._note_content(pk, card)

    def find(self, card: Card) -> tuple[Known, int | None]:
        """Whether the book knows ``card``, and the contact that is to be brought up to date."""
        exact = digest(card)
        known = self.by_uid.get(card.uid) if card.uid else None
        if known is not None:
            return (Known.WHOLLY, None) if self.digests[known] == exact else (Known.LESS, known)
        if exact in self.contents:
            return Known.WHOLLY, None
        if card.is_group:
            return Known.NOT, None
        content = Content.of(card)
        alike = self._alike.get(content.outline, ())
        if any(content.is_plain or kept.whole == content.whole for kept in alike):
            return Known.WHOLLY, None
        for kept in alike:
            if kept.contact and kept.is_plain and not (kept.uid and card.uid):
                return Known.LESS, kept.contact
        return Known.NOT, None

    def expect(self, card: Card) -> None:
        """``card`` is about to be written."""
        self.contents.add(digest(card))
        self._note_content(None, card)

    def note(self, contact: int, card: Card) -> None:
        """``card`` is now what the contact says."""
        self._note_digest(contact, card.uid, digest(card))
        self._note_content(contact, card)

    def _note_content(self, contact: int | None, card: Card) -> None:
        if card.is_group or sort_name_of(card) not in self._names:
            return
        content = Content.of(card)
        kept = _Kept(contact, card.uid, content.whole, content.is_plain)
        others = (one for one in self._alike[content.outline] if one.contact != contact)
        self._alike[content.outline] = [kept, *others]

    def _note_digest(self, contact: int, uid: str, content: str) -> None:
        if uid:
            self.by_uid[uid] = contact
        self.digests[contact] = content
        self.contents.add(content)


def _unordered(card: Card) -> str:
    numbers = sorted(card.numbers, key=lambda one: (one.label, one.number, one.extension))
    emails = sorted(card.emails, key=lambda one: one.address)
    return digest(replace(card, numbers=tuple(numbers), emails=tuple(emails)))
