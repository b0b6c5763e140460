"""What people write on the pages of contacts, kept as they wrote it until it can be taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from contacts.card import Card, Label
from contacts.drafts import Draft
from contacts.wording import problem_text

if TYPE_CHECKING:
    from django.http import QueryDict

    from contacts.errors import Unusable

TEXTS: Final = ("name", "company", "title", "department", "email", "assistant", "note")
SPARE_ROWS: Final = 2
"""Empty rows for further numbers; a script adds more."""
MOST_ROWS: Final = 60
LONGEST: Final = 25_000


@dataclass(slots=True, kw_only=True)
class NumberRow:
    """One number's fields; ``error`` is what is wrong with them."""

    label: str = Label.WORK.value
    number: str = ""
    is_preferred: bool = False
    error: str = ""


@dataclass(slots=True, kw_only=True)
class ContactForm:
    """The fields of a contact. ``errors`` are sentences by field."""

    texts: dict[str, str]
    numbers: list[NumberRow]
    book: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_card(cls, card: Card, *, book: str) -> ContactForm:
        """The fields of a card that is to be changed."""
        texts = {name: getattr(card, name) for name in TEXTS if name != "email"}
        texts["email"] = card.emails[0].address if card.emails else ""
        rows = [
            NumberRow(label=one.label.value, number=one.number, is_preferred=one.is_preferred)
            for one in card.numbers
        ]
        return cls(texts=texts, numbers=rows, book=book)

    @classmethod
    def of_post(cls, posted: QueryDict) -> ContactForm:
        """What was written; rows without a number are none."""
        texts = {name: posted.get(name, "")[:LONGEST] for name in TEXTS}
        labels, written = posted.getlist("label"), posted.getlist("number")
        preferred = posted.get("preferred", "")
        rows = [
            NumberRow(label=label, number=number[:200], is_preferred=str(place) == preferred)
            for place, (label, number) in enumerate(zip(labels, written, strict=False))
            if number.strip()
        ]
        return cls(texts=texts, numbers=rows[:MOST_ROWS], book=posted.get("book", ""))

    def draft(self) -> Draft:
        """The contact that is meant."""
        preferred = [place for place, row in enumerate(self.numbers) if row.is_preferred]
        texts = self.texts
        return Draft(
            name=texts["name"],
            company=texts["company"],
            title=texts["title"],
            department=texts["department"],
            email=texts["email"],
            assistant=texts["assistant"],
            note=texts["note"],
            numbers=[(row.label, row.number) for row in self.numbers],
            preferred=preferred[0] if preferred else -1,
        )

    def refuse(self, error: Unusable) -> None:
        """Write beside the fields what is wrong with them."""
        for problem in error.problems:
            text = problem_text(problem)
            if problem.place is not None:
                self.numbers[problem.place].error = text
            else:
                self.errors.setdefault(problem.field, text)

    @property
    def rows(self) -> list[NumberRow]:
        """The numbers, and some empty rows."""
        return [*self.numbers, *(NumberRow() for _ in range(SPARE_ROWS))]


@dataclass(slots=True, kw_only=True)
class BookForm:
    """The fields of an address book; ``group`` is an id or empty."""

    name: str = ""
    group: str = ""
    members_may_edit: bool = True
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_post(cls, posted: QueryDict) -> BookForm:
        """What was written."""
        return cls(
            name=posted.get("name", "")[:1000],
            group=posted.get("group", ""),
            members_may_edit=bool(posted.get("members_may_edit")),
        )

    @property
    def group_id(self) -> int | None:
        """The group's id; one that is none is nobody's (0)."""
        if not self.group:
            return None
        is_id = self.group.isascii() and self.group.isdecimal() and len(self.group) < 10
        return int(self.group) if is_id else 0

    def refuse(self, error: Unusable) -> None:
        """Write beside the fields what is wrong with them."""
        for problem in error.problems:
            self.errors.setdefault(problem.field, problem_text(problem))
