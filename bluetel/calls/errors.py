"""Why a call is not placed or not changed: one code and one sentence each.

::

    CallError
    ├── InvalidNumber      invalid_number
    ├── NumberRefused      number_refused, by a rule of the house
    ├── KeyReused          key_reused
    ├── PhoneUnreachable   phone_unreachable, the caller's own
    ├── NoLine             no_line
    ├── NoSuchPhone        no_line, for a device that isn't the caller's
    ├── TooManyCalls       too_many_calls, with the seconds to wait
    ├── PbxDown            pbx_unavailable
    ├── NotPossible        not_supported by this PBX or this phone
    │   └── NoTransfer     nothing to complete or to cancel
    ├── CallOver           call_ended
    └── CallNotFound       not_found

The sentences are for users, translated when they are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from bluetel.calls.rules import Refused


class CallError(Exception):
    """The root; ``code`` is the API's, ``retry_after`` in whole seconds where waiting helps."""

    code = "failed"

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class InvalidNumber(CallError):
    """What was typed is no number, or the PBX doesn't know it."""

    code = "invalid_number"


class NumberRefused(CallError):
    """The dial policy says no."""

    code = "number_refused"

    def __init__(self, message: str, *, refusal: Refused) -> None:
        super().__init__(message)
        self.refusal = refusal


class KeyReused(CallError):
    """The idempotency key belongs to a call to another number."""

    code = "key_reused"

    def __init__(self) -> None:
        super().__init__(_("This Idempotency-Key was used for another number."))


class PhoneUnreachable(CallError):
    """The caller's own phone is not registered."""

    code = "phone_unreachable"

    def __init__(self) -> None:
        super().__init__(
            _("Your own phone can't be reached. Check that it is plugged in, then call again.")
        )


class NoLine(CallError):
    """The caller has no phone on any PBX."""

    code = "no_line"

    def __init__(self) -> None:
        super().__init__(
            _("You have no phone line, so nothing can ring. Ask your telephone administrator.")
        )


class NoSuchPhone(CallError):
    """The caller has phones, but none of this name."""

    code = "no_line"

    def __init__(self) -> None:
        super().__init__(
            _("You have no phone of this name. Leave out the device to ring your usual one.")
        )


class TooManyCalls(CallError):
    """More calls in a minute than the house allows."""

    code = "too_many_calls"

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(
            _("Too many calls in one minute. Wait %(seconds)s s, then call again.")
            % {"seconds": retry_after},
            retry_after=retry_after,
        )


class PbxDown(CallError):
    """The PBX can't be reached, or is too busy to take one more call.

    ``maybe_done`` when it may have taken the command and only not answered in time.
    """

    code = "pbx_unavailable"

    def __init__(self, *, retry_after: int | None = None, maybe_done: bool = False) -> None:
        super().__init__(
            _("The phone system didn't answer in time. Your phone may ring yet; wait a moment.")
            if maybe_done
            else _("The phone system can't be reached now. Nothing rings; try again in a moment."),
            retry_after=retry_after,
        )


class NotPossible(CallError):
    """This PBX or this make of phone has no such function."""

    code = "not_supported"

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message or _("This phone can't do that from here. Use the keys of the phone.")
        )


class NoTransfer(NotPossible):
    """The call is not being passed on, so that can't be completed or cancelled."""

    def __init__(self) -> None:
        super().__init__(
            _("This call is not being transferred: there is nothing to complete or to cancel.")
        )


class CallOver(CallError):
    """The call has ended, or never got that far."""

    code = "call_ended"

    def __init__(self) -> None:
        super().__init__(_("This call is over."))


class CallNotFound(CallError):
    """No such call of this user."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__(_("There is no such call."))
