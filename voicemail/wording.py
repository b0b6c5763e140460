"""The sentences for what is wrong with a mailbox."""

from __future__ import annotations

from django.utils.translation import gettext as _

from voicemail.models import Mailbox


def error_text(error: str) -> str:
    """What is wrong and what to do; empty when nothing is."""
    match error:
        case Mailbox.Error.REFUSED:
            return _(
                "This mail server may not be asked from here. Your administrator can allow it."
            )
        case Mailbox.Error.UNREACHABLE:
            return _("The mail server does not answer. It is tried again by itself.")
        case Mailbox.Error.CERTIFICATE:
            return _("The mail server's certificate is not trusted, so nothing was sent to it.")
        case Mailbox.Error.SIGN_IN:
            return _("The mail server refuses the password. Enter it again below.")
        case Mailbox.Error.FOLDER:
            return _("There is no such folder in this mailbox.")
        case "":
            return ""
        case _other:
            return _("The mail server says no, without saying why. It is tried again by itself.")
