"""The calls of people without a session of their own, as pushes and REST tell of them.

Lives on the sockets' loop, as the :class:`.exchange.Exchange` does that keeps it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from bluetel.telephony.types import Call, PbxUserId
from bluetel.telephony.xivo.call_book import UNSEEN_LASTS, CallBook


class FollowedCalls:
    """A book for each such person; ``tell`` is given the calls that end by themselves."""

    def __init__(
        self,
        *,
        peer_code: Callable[[str], int | None],
        now: Callable[[], datetime],
        tell: Callable[[Sequence[Call]], None],
    ) -> None:
        """Begin with nobody; ``peer_code`` is the state of a phone by its number."""
        self._peer_code = peer_code
        self._now = now
        self._tell = tell
        self._books: dict[PbxUserId, CallBook] = {}

    def books(self) -> Iterable[CallBook]:
        """All there are."""
        return self._books.values()

    def book(self, user: PbxUserId) -> CallBook:
        """That of one person, begun if there is none."""
        book = self._books.get(user)
        if book is None:
            book = self._books[user] = CallBook(user, peer_code=self._peer_code)
        return book

    def begin_blind(self, user: PbxUserId, number: str) -> Call:
        """A call was placed by REST; what is never seen of it ends after a while."""
        call = self.book(user).begin_blind(number, now=self._now())
        loop = asyncio.get_running_loop()
        loop.call_later(UNSEEN_LASTS.total_seconds() + 1, self._expire, user)
        return call

    def note_own_phone(self, user: PbxUserId, code: int) -> list[Call]:
        """The person's phone has this state now; gives the calls that are different."""
        book = self._books.get(user)
        return book.note_own_phone(code, now=self._now()) if book is not None else []

    def live(self, user: PbxUserId | None = None) -> list[Call]:
        """The live calls of one person or of all."""
        books = [self._books.get(user)] if user is not None else self._books.values()
        return [call for book in books if book is not None for call in book.calls()]

    def _expire(self, user: PbxUserId) -> None:
        self._tell(self.book(user).expire(now=self._now()))
