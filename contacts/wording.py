"""The sentences for what can't be done with a contact."""

from __future__ import annotations

from typing import assert_never

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from contacts.card import Card, Label
from contacts.drafts import Problem, Reason


def problem_text(problem: Problem) -> str:
    """What is wrong with a field and what to do."""
    match problem.reason:
        case Reason.NOBODY:
            return _("Give a name or a company.")
        case Reason.TOO_LONG:
            return _("This is too long: at most %(limit)s characters.") % {"limit": problem.limit}
        case Reason.EMAIL:
            return _("“%(text)s” is not an e-mail address.") % {"text": problem.value}
        case Reason.LABEL:
            return _("“%(text)s” is none of: %(labels)s.") % {
                "text": problem.value,
                "labels": ", ".join(Label),
            }
        case Reason.NO_NUMBER:
            return _("Write a number, or leave the line out.")
        case Reason.NUMBER:
            return _("“%(text)s” is not a telephone number.") % {"text": problem.value}
        case Reason.TOO_MANY:
            return _("These are too many numbers: at most %(limit)s.") % {"limit": problem.limit}
        case _:
            assert_never(problem.reason)


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
