"""A book as a file: vCard 3 or 4, or CSV for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from contacts.csv_cards import write_csv
from contacts.models import Contact
from contacts.stored_cards import cards_by_id
from contacts.vcard import write_cards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contacts.card import Card
    from contacts.models import Book

AT_ONCE: Final = 200
"""Contacts in memory at a time, with their pictures."""


@dataclass(frozen=True, slots=True)
class Format:
    """How a book is written: the file's ending, its type, and whether pictures go along."""

    ending: str
    media_type: str
    write: Callable[[Iterable[Card]], Iterator[str]]
    has_photos: bool


def _vcards(version: Literal["3.0", "4.0"]) -> Callable[[Iterable[Card]], Iterator[str]]:
    return lambda cards: write_cards(cards, version=version)


FORMATS: Final = {
    "vcard-3": Format("vcf", "text/vcard; charset=utf-8", _vcards("3.0"), has_photos=True),
    "vcard-4": Format("vcf", "text/vcard; charset=utf-8", _vcards("4.0"), has_photos=True),
    "csv": Format("csv", "text/csv; charset=utf-8", write_csv, has_photos=False),
}


def export(book: Book, form: Format) -> Iterator[str]:
    """The file, part by part. CSV has no place for distribution lists."""
    return form.write(_cards(book, with_photo=form.has_photos))


def _cards(book: Book, *, with_photo: bool) -> Iterator[Card]:
    rows = Contact.objects.filter(book=book).order_by("sort_name", "pk")
    if not with_photo:
        rows = rows.filter(is_group=False)
    ids = list(rows.values_list("pk", flat=True))
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        cards = cards_by_id(some, with_photo=with_photo)
        yield from (cards[pk] for pk in some if pk in cards)
