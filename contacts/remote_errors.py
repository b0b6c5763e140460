"""Why an address-book server can't be read, as one word that is stored and put into a sentence."""

from __future__ import annotations

from typing import Final, assert_never

from django.utils.translation import gettext as _

from bluetel.fetch.errors import (
    AddressRefused,
    BadAnswer,
    Failure,
    FetchError,
    NotAllowed,
    Refusal,
    TooLarge,
    Unreachable,
)

NO_BOOKS: Final = "no_books"
GONE: Final = "gone"
SECRET: Final = "unreadable_secret"  # noqa: S105 — a reason, not a secret


def code_of(error: FetchError) -> str:
    """The word for an error of the door; the sentence is :func:`error_text`'s."""
    match error:
        case AddressRefused(reason=reason):
            return f"refused_{reason.value}"
        case Unreachable(reason=failure):
            return f"unreachable_{failure.value}"
        case NotAllowed(status=401):
            return "password"
        case NotAllowed():
            return "forbidden"
        case TooLarge():
            return "too_large"
        case BadAnswer(status=404 | 410):
            return GONE
        case BadAnswer(status=status):
            return f"answered_{status}"
        case _:
            return "failed"


def error_text(code: str) -> str:
    """What went wrong and what to do, in the reader's language; empty for no error."""
    if not code:
        return ""
    kind, _dash, rest = code.partition("_")
    if kind == "refused" and rest in set(Refusal):
        return _refusal_text(Refusal(rest))
    if kind == "unreachable" and rest in set(Failure):
        return _failure_text(Failure(rest))
    if kind == "answered":
        return _("The server answers with error %(status)s. Try again later.") % {"status": rest}
    sentences = {
        "password": _("The server doesn't take this user name and password."),
        "forbidden": _("The server doesn't let this user in here."),
        "too_large": _("The server's answer is too large."),
        NO_BOOKS: _("There is no address book at this address. Try the server's address alone."),
        GONE: _("There is nothing at this address any more."),
        SECRET: _("The stored password can't be read any more. Add the account anew."),
    }
    return sentences.get(code) or _("The server gave an answer that makes no sense.")


def refusal_text(code: str, *, origin: str = "") -> str:
    """The same for an address just typed; ``origin`` is who refused, if it was another server."""
    if not origin:
        return error_text(code)
    return _(
        "This address leads to another server. Your password was not sent there. If you trust it, "
        "write its address: %(origin)s"
    ) % {"origin": origin}


def _refusal_text(refusal: Refusal) -> str:
    match refusal:
        case Refusal.UNREADABLE | Refusal.SCHEME:
            return _("This is no web address. It begins with https://")
        case Refusal.PASSWORD_IN_ADDRESS:
            return _("Write user name and password in their own fields, not into the address.")
        case Refusal.PORT:
            return _("BlueTel doesn't ask servers at this port.")
        case Refusal.PRIVATE:
            return _(
                "This address is inside a private network. Your administrator can allow it "
                "(BLUETEL_FETCH_ALLOW)."
            )
        case Refusal.PLAIN_HTTP:
            return _("The address must begin with https://, or passwords could be read on the way.")
        case _:
            assert_never(refusal)


def _failure_text(failure: Failure) -> str:
    match failure:
        case Failure.NAME:
            return _("No server has this name. Check the address.")
        case Failure.CONNECTION:
            return _("The server can't be reached just now.")
        case Failure.CERTIFICATE:
            return _("The server's certificate isn't valid, so nothing was sent to it.")
        case Failure.TIMEOUT:
            return _("The server didn't answer in time.")
        case _:
            assert_never(failure)
