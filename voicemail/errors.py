"""Why something can't be done with a voice message: one code and one sentence each.

::

    VoicemailError
    ├── MessageNotFound     not_found
    ├── BoxUnavailable      pbx_unavailable
    ├── NobodyToCall        invalid_number: the caller withheld it
    ├── CallerUnproven      number_refused: only a mail claims the number
    ├── NotPossible         not_supported by this PBX
    ├── UnusableSound       invalid_sound
    ├── MailboxNotFound     not_found
    └── AddressNotAllowed   address_refused: the mail server may not be asked

The sentences are for users, translated when they are shown.
"""

from __future__ import annotations

from django.utils.translation import gettext as _


class VoicemailError(Exception):
    """The root; ``code`` is the API's."""

    code = "failed"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class MessageNotFound(VoicemailError):
    """No such message of this user, or no longer."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__(_("There is no such voice message."))


class BoxUnavailable(VoicemailError):
    """The PBX doesn't answer, or not in time."""

    code = "pbx_unavailable"

    def __init__(self) -> None:
        super().__init__(
            _("The phone system can't be reached now. Your messages are safe; try again shortly.")
        )


class NobodyToCall(VoicemailError):
    """The caller withheld the number."""

    code = "invalid_number"

    def __init__(self) -> None:
        super().__init__(_("The caller withheld the number: there is nobody to call back."))


class CallerUnproven(VoicemailError):
    """The number is what an unknown sender wrote into a mail."""

    code = "number_refused"

    def __init__(self) -> None:
        super().__init__(
            _(
                "Only a mail claims this number, and anybody can write such a mail."
                " Not called from here."
            )
        )


class UnusableSound(VoicemailError):
    """A greeting that the PBX couldn't play."""

    code = "invalid_sound"

    def __init__(self) -> None:
        super().__init__(
            _("A greeting must be a WAV file with one channel, 8000 Hz, 16 bits, up to 4 minutes.")
        )


class MailboxNotFound(VoicemailError):
    """No such mailbox of this user."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__(_("There is no such mailbox."))


class AddressNotAllowed(VoicemailError):
    """The mail server lies where users' addresses may not lead."""

    code = "address_refused"

    def __init__(self) -> None:
        super().__init__(
            _("This mail server may not be asked from here. Your administrator can allow it.")
        )


class NotPossible(VoicemailError):
    """This PBX has no such function."""

    code = "not_supported"

    def __init__(self) -> None:
        super().__init__(_("Your phone system can't do that from here."))
