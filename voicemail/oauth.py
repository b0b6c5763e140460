"""Access tokens for mailboxes that want one (OAuth 2, RFC 6749 §6; used by XOAUTH2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from voicemail.imap import MailboxFailed
from voicemail.models import Mailbox

if TYPE_CHECKING:
    from bluetel.fetch.door import Door

MOST_BYTES = 64 * 1024


def secret_of(mailbox: Mailbox, door: Door) -> str:
    """What the mailbox signs in with: its password or token, or a fresh access token for it.

    Raises ``MailboxFailed`` when the token server says no, and ``FetchError`` when it is away.
    """
    if not mailbox.token_url:
        return mailbox.password
    form = {
        "grant_type": "refresh_token",
        "refresh_token": mailbox.password,
        "client_id": mailbox.client_id,
    }
    if mailbox.client_secret:
        form["client_secret"] = mailbox.client_secret
    answer = door.request(
        "POST",
        mailbox.token_url,
        headers={
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        body=urlencode(form).encode(),
        max_bytes=MOST_BYTES,
    )
    if answer.status != 200:
        raise MailboxFailed(Mailbox.Error.SIGN_IN)
    try:
        token = json.loads(answer.body)["access_token"]
    except (ValueError, KeyError, TypeError):
        raise MailboxFailed(Mailbox.Error.SIGN_IN, "the token server's answer") from None
    return str(token)
