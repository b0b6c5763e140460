"""Cards and rows: what is stored of a card, and the card that rows make again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from bluetel.telephony.numbers import NumberPlan
from contacts.card import (
    EMAIL_LIMIT,
    Card,
    CardEmail,
    CardNumber,
    Label,
    Photo,
    digest,
    shown_name,
)
from contacts.folding import fold
from contacts.index.postings import Texts, found_by
from contacts.models import DIGITS_LENGTH, SORT_LENGTH, Contact, Email, Line
from contacts.rules import MACHINES
from contacts.writings import digits_of, is_number

TEXT_FIELDS: Final = (
    "uid",
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "prefix",
    "suffix",
    "company",
    "department",
    "title",
    "assistant",
    "note",
    "is_group",
)
INDEXED_FIELDS: Final = ("name", "company", "department", "title", "assistant", "note")


def fill(
    contact: Contact, card: Card, *, country: str, plans: Collection[NumberPlan] = ()
) -> Texts:
    """Give a contact's row the card's texts, and say what it is found by.

    The card's numbers and addresses have rows of their own.
    """
    for name in TEXT_FIELDS:
        setattr(contact, name, getattr(card, name))
    contact.kept = list(card.kept)
    contact.vcard_version = card.version
    contact.digest = digest(card)
    contact.sort_name = sort_name_of(card)
    texts = texts_of(
        contact,
        [email.address for email in card.emails],
        is_callable=any(_is_callable(number, country, plans) for number in card.numbers),
    )
    contact.found_by = found_by(contact.book_id, texts)
    return texts


def sort_name_of(card: Card) -> str:
    """What lists are ordered by: the family name first where it is known, all of it folded."""
    parts = (card.family_name, card.given_name, card.middle_name)
    in_order = " ".join(parts) if card.family_name else card.name
    return (fold(in_order) or fold(card.name) or "~")[:SORT_LENGTH]


def lines_of_card(
    card: Card, *, contact: int, book: int, country: str, plans: Collection[NumberPlan] = ()
) -> list[Line]:
    """The rows of a card's numbers, in its order."""
    lines = []
    for position, number in enumerate(card.numbers):
        line = _line_of(number, country, plans)
        line.contact_id, line.book_id, line.position = contact, book, position
        lines.append(line)
    return lines


def _line_of(number: CardNumber, country: str, plans: Collection[NumberPlan]) -> Line:
    read = digits_of(number.number, country)
    identity, national = read.identity[:DIGITS_LENGTH], read.national[:DIGITS_LENGTH]
    return Line(
        label=number.label.value,
        number=number.number,
        extension=number.extension,
        own_label=number.own_label,
        marks=list(number.marks),
        is_preferred=number.is_preferred,
        is_callable=_is_callable(number, country, plans),
        digits=identity,
        national=national,
        keypad=keypad_of(identity, national),
    )


def _is_callable(number: CardNumber, country: str, plans: Collection[NumberPlan]) -> bool:
    """Whether it is no machine's, and a number at all."""
    return number.label.value not in MACHINES and is_number(number.number, country, plans)


def keypad_of(identity: str, national: str) -> str:
    """What a part of a number is looked for in.

    The national writing is mostly the identity with another beginning, and beginnings are found by
    their own index.
    """
    return identity if not national or national[1:] in identity else f"{identity} {national}"


def emails_of_card(card: Card, *, contact: int) -> list[Email]:
    """The rows of a card's addresses, in its order."""
    return [
        Email(
            contact_id=contact,
            position=position,
            address=email.address,
            key=email_key(email.address),
            is_preferred=email.is_preferred,
            own_label=email.own_label,
            marks=list(email.marks),
        )
        for position, email in enumerate(card.emails)
    ]


def email_key(address: str) -> str:
    """An address as it is compared: nobody's mailboxes differ by case."""
    return address.strip().casefold()[:EMAIL_LIMIT]


def card_of(
    contact: Contact,
    lines: Iterable[Line],
    emails: Iterable[Email],
    *,
    photo: Photo | None = None,
) -> Card:
    """The card that rows make; ``lines`` and ``emails`` are those of the contact."""
    texts = {name: getattr(contact, name) for name in TEXT_FIELDS}
    return Card(
        **texts,
        kept=tuple(contact.kept),
        version="4.0" if contact.vcard_version == "4.0" else "3.0",
        numbers=tuple(
            CardNumber(
                number=line.number,
                label=Label(line.label),
                is_preferred=line.is_preferred,
                extension=line.extension,
                own_label=line.own_label,
                marks=tuple(line.marks),
            )
            for line in sorted(lines, key=_by_position)
        ),
        emails=tuple(
            CardEmail(
                address=email.address,
                is_preferred=email.is_preferred,
                own_label=email.own_label,
                marks=tuple(email.marks),
            )
            for email in sorted(emails, key=_by_position)
        ),
        photo=photo,
    )


def texts_of(contact: Contact, emails: Sequence[str], *, is_callable: bool) -> Texts:
    """What of a contact is looked for; ``emails`` are its addresses."""
    return Texts(
        name=contact.name,
        others=(
            contact.company,
            *emails,
            contact.assistant,
            contact.department,
            contact.title,
        ),
        note=contact.note,
        is_callable=is_callable,
    )


def name_of(card: Card) -> str:
    """The name shown of a card that may have none: its parts, company, address or number."""
    shown = card.name or shown_name(
        prefix=card.prefix,
        given=card.given_name,
        middle=card.middle_name,
        family=card.family_name,
        suffix=card.suffix,
    )
    others = (
        card.company,
        *(email.address for email in card.emails),
        *(number.number for number in card.numbers),
    )
    return shown or next((text for text in others if text), "")


def _by_position(row: Line | Email) -> int:
    return row.position
