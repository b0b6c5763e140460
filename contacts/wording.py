"""The sentences for what can't be done with a contact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from contacts.card import Card, Label
from contacts.card import Reason as CardReason
from contacts.drafts import Problem, Reason
from contacts.errors import (
    ContactError,
    FileTooLarge,
    NotMergeable,
    ReadOnly,
    UnknownBook,
    Unusable,
)
from contacts.sync import Clash

if TYPE_CHECKING:
    from contacts.remote_clashes import Clashing

PROBLEMS: Final = {
    Reason.NOBODY: gettext_noop("Give a name or a company."),
    Reason.TOO_LONG: gettext_noop("This is too long: at most %(limit)s characters."),
    Reason.EMAIL: gettext_noop("“%(text)s” is not an e-mail address."),
    Reason.LABEL: gettext_noop("“%(text)s” is none of: %(labels)s."),
    Reason.NO_NUMBER: gettext_noop("Write a number, or leave the line out."),
    Reason.NUMBER: gettext_noop("“%(text)s” is not a telephone number."),
    Reason.EXTENSION: gettext_noop("“%(text)s” is no extension: write up to 11 digits."),
    Reason.TOO_MANY: gettext_noop("These are too many numbers: at most %(limit)s."),
    Reason.NO_NAME: gettext_noop("Give the book a name."),
    Reason.GROUP: gettext_noop("Choose a group that you belong to."),
    Reason.DEFAULT_BOOK: gettext_noop(
        "“My contacts” stays yours alone: make another book to share."
    ),
}


def problem_text(problem: Problem) -> str:
    """What is wrong with a field and what to do."""
    return _(PROBLEMS[problem.reason]) % {
        "text": problem.value,
        "limit": problem.limit,
        "labels": ", ".join(Label),
    }


def label_text(label: str) -> str:
    """A number's label in the reader's language."""
    words = {
        "work": pgettext("number", "Work"),
        "mobile": _("Mobile"),
        "home": pgettext("number", "Home"),
        "extension": _("Extension"),
        "fax": _("Fax"),
        "pager": _("Pager"),
    }
    return words.get(label) or pgettext("number", "Other")


def version_lines(mine: Card | None, theirs: Card | None) -> list[tuple[str, str, str]]:
    """What two versions of a card say where they differ: (what, mine, theirs)."""
    fields = {
        "name": _("Name"),
        "company": _("Company"),
        "department": _("Department"),
        "title": _("Job title"),
        "assistant": _("Assistant"),
        "numbers": _("Numbers"),
        "emails": _("E-mail"),
        "note": _("Note"),
        "photo": _("Photo"),
    }
    lines = [
        (label, _field_text(mine, name), _field_text(theirs, name))
        for name, label in fields.items()
    ]
    return [line for line in lines if line[1] != line[2] or line[0] == fields["name"]]


def clash_texts(clash: Clashing) -> dict[str, object]:
    """What a page shows of a card that was changed on both sides."""
    return {
        "id": clash.id,
        "name": clash.name,
        "book": clash.book.name,
        "is_deleted_here": clash.kind is Clash.DELETED_HERE,
        "is_deleted_there": clash.kind is Clash.DELETED_THERE,
        "lines": version_lines(clash.mine, clash.theirs),
    }


def _field_text(card: Card | None, name: str) -> str:
    if card is None:
        return ""
    match name:
        case "numbers":
            return ", ".join(
                f"{number.number} ({label_text(number.label)})" for number in card.numbers
            )
        case "emails":
            return ", ".join(email.address for email in card.emails)
        case "photo":
            return _("Photo") if card.photo else ""
        case _:
            return str(getattr(card, name))


REFUSALS: Final = {
    CardReason.NOT_A_CARD_FILE: gettext_noop("no contact begins here"),
    CardReason.UNKNOWN_COLUMNS: gettext_noop("none of the columns is known"),
    CardReason.UNFINISHED: gettext_noop("the contact has no end"),
    CardReason.TOO_LARGE: gettext_noop("the contact is too large"),
    CardReason.NOBODY: gettext_noop("neither a name nor a company, address or number"),
}


def refusal_text(reason: str) -> str:
    """Why a card or row of a file was not taken."""
    return _(REFUSALS[CardReason(reason)])


def error_text(error: ContactError) -> str:
    """Why nothing was changed, in a sentence."""
    match error:
        case Unusable(problems=(first, *_others)):
            return problem_text(first)
        case ReadOnly():
            return _("You can read this address book, not change it.")
        case UnknownBook():
            return _("There is no such address book.")
        case FileTooLarge():
            return _("The file is larger than 50 MB: bring it in parts.")
        case NotMergeable():
            return _("These two are in books of different people and stay apart.")
        case _:
            return _("There is nothing here.")
