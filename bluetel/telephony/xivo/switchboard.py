"""Everybody's phones through one service account: the hints of all numbers on one socket.

Whether a second subscription adds to the first or takes its place is documented nowhere, so the
whole list is sent each time, and unsubscribed first when it shrank: right under both readings
(``reference/xivo.md`` §3.2). Runs on the loop of :class:`.loop.CtiLoop`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping

from bluetel.telephony.errors import TelephonyError
from bluetel.telephony.xivo.directory_table import codes
from bluetel.telephony.xivo.lookups import search
from bluetel.telephony.xivo.messages import ContactSheets, CtiMessage, DirectoryResult, HintChanged
from bluetel.telephony.xivo.options import XivoOptions
from bluetel.telephony.xivo.session import CtiSession

logger = logging.getLogger(__name__)

SEARCH_WITHIN = 4.0


class Switchboard:
    """The ``Listener`` of the service account's socket."""

    def __init__(
        self,
        options: XivoOptions,
        *,
        seed_after: float,
        on_open: Callable[[], None],
        on_lost: Callable[[str], None],
        on_code: Callable[[str, int | None], None],
    ) -> None:
        """``on_code`` is told a number whose state came, and which one it had before."""
        self.session: CtiSession
        self.search_lock = asyncio.Lock()
        self._options = options
        self._seed_after = seed_after
        self._on_open = on_open
        self._on_lost = on_lost
        self._on_code = on_code
        self._numbers: frozenset[str] = frozenset()
        self._subscribed: frozenset[str] = frozenset()
        self._codes: dict[str, int] = {}
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def codes(self) -> Mapping[str, int]:
        """The last state of each number's phone, of those that are known."""
        return self._codes

    def watch(self, numbers: Iterable[str]) -> None:
        """Follow exactly these numbers."""
        self._numbers = frozenset(number for number in numbers if number)
        if self.session.is_open and self._numbers != self._subscribed:
            self._subscribe()

    async def told(self, numbers: Collection[str], *, within: float) -> None:
        """Wait until the states of these numbers are known, or the time is over."""
        wanted = set(numbers) & self._numbers
        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(lambda: wanted <= self._codes.keys())
        except TimeoutError:
            return  # what is not told is unknown, and shown as that

    # --- Listener -------------------------------------------------------------------------------

    def opened(self) -> None:
        """Subscribe, then say that the stream is open."""
        self._subscribed = frozenset()
        self._subscribe()
        self._on_open()

    def heard(self, message: CtiMessage) -> None:
        """Take hints, and the states that come by the way with a directory's rows."""
        match message:
            case HintChanged(number=number, code=code):
                self._note({number: code})
            case DirectoryResult():
                told = codes(message, self._options)
                self._note({number: told[number] for number in told if number not in self._codes})
            case _:
                pass

    def lost(self, reason: str) -> None:
        """Nothing is known any more."""
        self._codes.clear()
        self._subscribed = frozenset()
        self._on_lost(reason)

    # --- Inside ---------------------------------------------------------------------------------

    def _subscribe(self) -> None:
        if self._subscribed - self._numbers:
            self.session.say("unsubscribeFromAllPhoneHints")
        self._subscribed = self._numbers
        if self._numbers:
            self.session.say("subscribeToPhoneHints", phoneNumbers=sorted(self._numbers))
        if not self._options.initial_hints:
            task = asyncio.get_running_loop().create_task(self._seed())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _seed(self) -> None:
        """Learn the first states from directory rows, where a subscription doesn't tell them.

        Searching for the numbers' first digits finds them by the hundred.
        """
        await asyncio.sleep(self._seed_after)
        missing = sorted(self._numbers - self._codes.keys())
        prefixes = sorted({number[: max(1, len(number) - 2)] for number in missing})
        for prefix in prefixes:
            try:
                found = await search(
                    self.session, self._options, self.search_lock, prefix, SEARCH_WITHIN
                )
            except TelephonyError as error:
                logger.warning("The first phone states can't be read: %s", error)
                return
            if isinstance(found, ContactSheets):
                told = {
                    number: sheet.code
                    for sheet in found.sheets
                    for number in sheet.numbers
                    if sheet.code is not None and number not in self._codes
                }
                self._note(told)

    def _note(self, told: Mapping[str, int]) -> None:
        for number, code in told.items():
            before = self._codes.get(number)
            self._codes[number] = code
            self._on_code(number, before)
        task = asyncio.get_running_loop().create_task(self._tell_waiting())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_waiting(self) -> None:
        async with self._news:
            self._news.notify_all()
