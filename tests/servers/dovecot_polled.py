"""A Dovecot that doesn't tell of new mails by itself: it has no IDLE."""

from __future__ import annotations

from typing import ClassVar

from tests.servers.dovecot import Dovecot


class PolledDovecot(Dovecot):
    """As old mail servers are."""

    name = "dovecot_polled"
    extra: ClassVar[str] = "imap_capability = IMAP4rev1 SASL-IR LITERAL+ UIDPLUS"


SERVER = PolledDovecot
