"""The sentences for what can't be done with a contact."""

from __future__ import annotations

from typing import assert_never

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from contacts.card import Label
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
