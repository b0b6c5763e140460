"""What one user looks up through his session: the directory, his favourites, his history.

An answer doesn't say which question it belongs to, so there is one of a kind at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bluetel.telephony.errors import Rejected, RejectReason
from bluetel.telephony.xivo.messages import (
    CallHistory,
    ContactSheets,
    CtiMessage,
    DirectoryResult,
    FavouriteChanged,
    HistoryRow,
    is_a,
)
from bluetel.telephony.xivo.options import XivoOptions
from bluetel.telephony.xivo.session import READY_WITHIN, CtiSession


class Lookups:
    """Questions whose answer changes nothing here, and the favourites that are kept on the PBX."""

    def __init__(self, session: CtiSession, options: XivoOptions) -> None:
        """Through this session."""
        self.session = session
        self._options = options
        self._directory = asyncio.Lock()
        self._history = asyncio.Lock()

    async def search(self, term: str, *, within: float) -> DirectoryResult | ContactSheets:
        """One search at a time: an answer doesn't say which it belongs to."""
        return await search(self.session, self._options, self._directory, term, within)

    async def history(self, size: int) -> Sequence[HistoryRow]:
        """The newest finished calls."""
        async with self._history:
            await self.session.ready(READY_WITHIN)
            found = await self.session.ask(
                "getUserCallHistory", is_a(CallHistory), what="history", size=size
            )
        assert isinstance(found, CallHistory)  # noqa: S101 — only such are accepted
        return found.rows

    async def favourites(self) -> DirectoryResult | ContactSheets:
        """The user's favourites on the PBX."""
        name = "getFavoriteContacts" if self._options.contact_sheets else "getFavorites"
        async with self._directory:
            await self.session.ready(READY_WITHIN)
            found = await self.session.ask(
                name,
                lambda one: isinstance(one, DirectoryResult | ContactSheets) and one.is_favourites,
                what="favourites",
            )
        assert isinstance(found, DirectoryResult | ContactSheets)  # noqa: S101 — see above
        return found

    async def set_favourite(self, contact_id: str, source: str, *, wanted: bool) -> None:
        """Add or remove a favourite; ``Rejected`` where XUC says that it failed."""
        async with self._directory:
            await self.session.ready(READY_WITHIN)

            def is_about_it(message: CtiMessage) -> bool:
                return isinstance(message, FavouriteChanged) and message.contact_id == contact_id

            told = await self.session.ask(
                "addFavorite" if wanted else "removeFavorite",
                is_about_it,
                what="favourite",
                changes=True,
                contactId=contact_id,
                source=source,
            )
        if isinstance(told, FavouriteChanged) and told.is_added is not wanted:
            raise Rejected("the favourite is not changed", reason=RejectReason.OTHER)


async def search(
    session: CtiSession,
    options: XivoOptions,
    lock: asyncio.Lock,
    term: str,
    within: float,
) -> DirectoryResult | ContactSheets:
    """Search through any session, after the search before it has ended.

    The newer command is answered twice, by ``ContactSheet`` and for older clients by
    ``DirectoryResult``: only the first counts, or everybody would be listed twice.
    """
    command = "searchContacts" if options.contact_sheets else "directoryLookUp"
    wanted = ContactSheets if options.contact_sheets else DirectoryResult

    def is_result(message: CtiMessage) -> bool:
        return isinstance(message, wanted) and not message.is_favourites

    async with lock:
        await session.ready(within)
        found = await session.ask(command, is_result, within=within, what="search", term=term)
    assert isinstance(found, DirectoryResult | ContactSheets)  # noqa: S101 — see above
    return found
