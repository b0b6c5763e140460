"""Mailboxes being watched: one thread each, because IMAP's IDLE holds a connection.

The engine's duty looks at the mailboxes' rows every two seconds: it starts and ends threads, and
wakes one whose mails want something done. A thread connects, reads what is new and waits for the
server to speak; what fails is written on the row, said once, and tried again, later each time. A
refused password is not tried again until the row changes, or hours later.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import Error as DatabaseTrouble
from django.db import connections
from django.utils import timezone

from presence.live import Teller, teller
from voicemail import mailboxes, parsing, services
from voicemail.errors import VoicemailError
from voicemail.imap import MailboxFailed
from voicemail.live import publish_unread
from voicemail.models import Mail, Mailbox
from voicemail.selectors import unread_count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bluetel.work.duties import Post
    from voicemail.imap import Account

logger = logging.getLogger(__name__)

LOOK_EVERY = 2.0
TICK = 2.0
IDLE_FOR = 9 * 60.0
"""RFC 2177 wants IDLE renewed every 29 minutes; many a firewall forgets after 10."""
POLL_EVERY = 60.0
RETRY_FIRST, RETRY_MOST = 1.0, 120.0
RETRY_REFUSED = 4 * 3600.0

CONNECTING_AT_ONCE = 16

Fingerprint = tuple[object, ...]
_connecting = threading.BoundedSemaphore(CONNECTING_AT_ONCE)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a watcher waits, in seconds; tests are quicker."""

    tick: float = TICK
    idle: float = IDLE_FOR
    poll: float = POLL_EVERY
    retry: float = RETRY_FIRST


class MailboxDuty:
    """A ``Duty``: keeps one :class:`Watcher` for each mailbox."""

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._watchers: dict[int, tuple[Fingerprint, Watcher]] = {}

    async def run(self, post: Post) -> None:
        """Look after the watchers for ever."""
        telling = Teller(asyncio.get_running_loop())
        try:
            while True:
                try:
                    there, wanting = await post.database(_look)
                except DatabaseTrouble:
                    pass  # the next look tells
                else:
                    self._tend(there, wanting, telling)
                await asyncio.sleep(min(LOOK_EVERY, self._pace.tick))
        finally:
            for _, watcher in self._watchers.values():
                watcher.stop()
            parsing.close()

    def _tend(
        self,
        there: Mapping[int, Fingerprint],
        wanting: set[int],
        telling: Teller,
    ) -> None:
        for pk, (fingerprint, watcher) in list(self._watchers.items()):
            if there.get(pk) != fingerprint:
                watcher.stop()
                del self._watchers[pk]
        for pk, fingerprint in there.items():
            if pk not in self._watchers:
                watcher = Watcher(pk, self._pace, telling)
                self._watchers[pk] = fingerprint, watcher
                watcher.start()
        for pk in wanting & self._watchers.keys():
            self._watchers[pk][1].wake()


def _look() -> tuple[dict[int, Fingerprint], set[int]]:
    """What each mailbox is reached by, and those whose mails want something done."""
    columns = ("host", "port", "tls", "username", "password", "folder", "is_token", "token_url")
    rows = Mailbox.objects.filter(user__is_active=True).values_list("pk", *columns)
    wanting = Mail.objects.exclude(wants="").values_list("mailbox", flat=True).distinct()
    return {pk: tuple(rest) for pk, *rest in rows}, set(wanting)


class Watcher(threading.Thread):
    """Follows one mailbox until it is stopped."""

    def __init__(self, pk: int, pace: Pace, telling: Teller | None) -> None:
        super().__init__(name=f"mailbox-{pk}", daemon=True)
        self._pk = pk
        self._pace = pace
        self._telling = telling
        self._is_stopped = False
        self._wanted = threading.Event()
        self._has_failed = False

    def stop(self) -> None:
        """End soon, without waiting for it."""
        self._is_stopped = True
        self._wanted.set()

    def wake(self) -> None:
        """Look at the mailbox now."""
        self._wanted.set()

    def run(self) -> None:
        """Watch until stopped."""
        teller.set(self._telling)
        wait = self._pace.retry
        while not self._is_stopped:
            try:
                self._watch()
                wait = self._pace.retry
            except MailboxFailed as failure:
                self._note_failure(failure.why, str(failure))
                if failure.why in {Mailbox.Error.SIGN_IN, Mailbox.Error.REFUSED}:
                    wait = RETRY_REFUSED
            except Mailbox.DoesNotExist:
                break
            except DatabaseTrouble as error:
                logger.warning("mailbox %d: the database: %s", self._pk, error)
            except Exception:
                logger.exception("mailbox %d can't be watched", self._pk)
            finally:
                connections.close_all()
            if self._has_failed and not self._is_stopped:
                self._wanted.clear()
                self._sleep(wait * random.uniform(0.7, 1.3))  # noqa: S311 — jitter
                wait = min(wait * 2, RETRY_MOST) if wait < RETRY_REFUSED else self._pace.retry

    def _sleep(self, seconds: float) -> None:
        """Wait until stopped; that mails want something is no reason to try a dead server."""
        pause = threading.Event()
        left = seconds
        while left > 0 and not self._is_stopped:
            pause.wait(min(left, self._pace.tick))
            left -= self._pace.tick

    def _watch(self) -> None:
        mailbox = Mailbox.objects.select_related("user__pbx").get(pk=self._pk)
        with ExitStack() as stack:
            with _connecting:
                account = stack.enter_context(mailboxes.opened(mailbox))
                self._look_and_note(mailbox, account)
            while not self._is_stopped:
                self._wait(account)
                self._look_and_note(mailbox, account)

    def _look_and_note(self, mailbox: Mailbox, account: Account) -> None:
        self._wanted.clear()
        self._look(mailbox, account)
        self._note_success()
        connections.close_all()

    def _wait(self, account: Account) -> None:
        if account.can_idle:
            account.wait(
                seconds=self._pace.idle, tick=self._pace.tick, is_wanted=self._wanted.is_set
            )
        else:
            self._wanted.wait(self._pace.poll)
            account.is_alive()

    def _look(self, mailbox: Mailbox, account: Account) -> None:
        """Do what is wanted, read what is new, and take over what was read or deleted there."""
        if account.uid_validity != mailbox.uid_validity:
            Mail.objects.filter(mailbox=mailbox).delete()
            mailbox.uid_validity, mailbox.last_uid = account.uid_validity, 0
        self._do_wanted(mailbox, account)
        found, newest = account.new_mails(after=mailbox.last_uid, now=timezone.now())
        known = Mail.objects.filter(mailbox=mailbox).values_list("uid", flat=True)
        asked = list(known)
        seen = account.seen(asked) if asked else {}
        before = set(Mail.objects.filter(mailbox=mailbox).values_list("pk", "seen"))
        for message, is_seen in mailboxes.keep_seen(mailbox, seen, asked=asked):
            with suppress(VoicemailError):  # the PBX's next listing puts it right
                services.mark_read(message, read=is_seen)
        if found:
            mailboxes.keep_found(mailbox, found, uid_validity=account.uid_validity)
        Mailbox.objects.filter(pk=mailbox.pk).update(
            uid_validity=mailbox.uid_validity, last_uid=newest
        )
        mailbox.last_uid = newest
        if found or before != set(Mail.objects.filter(mailbox=mailbox).values_list("pk", "seen")):
            services.settle_mails(mailbox.user)
            publish_unread(mailbox.user_id, unread_count(mailbox.user_id))

    def _do_wanted(self, mailbox: Mailbox, account: Account) -> None:
        for mail in Mail.objects.filter(mailbox=mailbox).exclude(wants=""):
            if mail.wants == Mail.Want.DELETE:
                account.delete(mail.uid)
                mail.delete()
                continue
            seen = mail.wants == Mail.Want.SEEN
            account.set_seen(mail.uid, seen=seen)
            Mail.objects.filter(pk=mail.pk, wants=mail.wants).update(wants="", seen=seen)

    def _note_failure(self, why: str, text: str) -> None:
        if not self._has_failed:
            logger.warning("mailbox %d can't be read: %s", self._pk, text)
        self._has_failed = True
        with suppress(DatabaseTrouble):  # the page then shows how it was
            Mailbox.objects.filter(pk=self._pk).update(error=why)

    def _note_success(self) -> None:
        if self._has_failed:
            logger.info("mailbox %d is read again", self._pk)
        self._has_failed = False
        Mailbox.objects.filter(pk=self._pk).update(error="", last_read_at=timezone.now())
