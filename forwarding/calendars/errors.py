"""Why a calendar can't be read, with the sentence its owner reads.

::

    CalendarError          `code` for programs, `message` for people
    ├── AddressRefused     the address must not be asked
    └── CalendarUnreachable    `problem` says what is wrong with it, or with what it answers
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from bluetel.fetch import errors as fetch

MESSAGES = {
    "address_refused": _(
        "This address may not be asked: it is not a public https address. Ask your "
        "administrator if it is one of your company's."
    ),
    "unreachable": _("Nothing answers at this address."),
    "certificate": _("The server's certificate is not valid for this address."),
    "not_allowed": _("The server refuses this user name and password."),
    "bad_answer": _("The server answers, but not with a calendar."),
    "not_a_calendar": _("What is at this address is no calendar."),
    "no_calendars": _("This account has no calendar that can be read."),
    "too_large": _("This calendar is too large to be read."),
}
"""By the codes that ``Calendar.error`` keeps."""


class CalendarError(Exception):
    """A calendar can't be read; ``problem`` is one of :data:`MESSAGES`."""

    code = "calendar_unreachable"

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    @property
    def message(self) -> str:
        """What the owner reads."""
        return str(MESSAGES[self.problem])


class AddressRefused(CalendarError):
    """The address is private, not encrypted, or no address."""

    code = "address_refused"

    def __init__(self) -> None:
        super().__init__("address_refused")


class CalendarUnreachable(CalendarError):
    """It can't be had now; what is known of it stays until its own end."""


def code_of(problem: str) -> str | None:
    """The API's code for what ``Calendar.error`` keeps."""
    if not problem:
        return None
    return AddressRefused.code if problem == "address_refused" else CalendarUnreachable.code


def error_of(problem: str) -> CalendarError:
    """The error for what ``Calendar.error`` keeps."""
    return AddressRefused() if problem == "address_refused" else CalendarUnreachable(problem)


def told(error: fetch.FetchError) -> CalendarError:
    """The door's error in this page's words."""
    match error:
        case fetch.AddressRefused():
            return AddressRefused()
        case fetch.NotAllowed():
            return CalendarUnreachable("not_allowed")
        case fetch.TooLarge():
            return CalendarUnreachable("too_large")
        case fetch.Unreachable(reason=fetch.Failure.CERTIFICATE):
            return CalendarUnreachable("certificate")
        case fetch.BadAnswer():
            return CalendarUnreachable("bad_answer")
        case _:
            return CalendarUnreachable("unreachable")
