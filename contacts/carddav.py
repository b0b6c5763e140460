"""A CardDAV address book (RFC 6352) as the sync knows one, over :mod:`bluetel.fetch`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bluetel.fetch.door import Door
from bluetel.fetch.exchange import Credentials
from bluetel.fetch.webdav import Collection, DavClient
from bluetel.fetch.webdav_xml import Kind
from contacts.card import Card
from contacts.sync import Fetched, Listing
from contacts.vcard import UnreadableCard, read_card, write_card

PATIENCE: Final = 120.0
"""Seconds for an answer: a server may have to look through all cards of a large book first."""


def address_books(door: Door, url: str, *, credentials: Credentials) -> list[Collection]:
    """The address books behind what the user typed: a server, a principal, a home or a book.

    Raises the errors of :mod:`bluetel.fetch`; an empty list means a server that has none.
    """
    return DavClient(door, url, kind=Kind.ADDRESS_BOOK, credentials=credentials).discover()


class AddressBook:
    """One address book on a server: :class:`contacts.sync_round.RemoteBook`."""

    def __init__(
        self, door: Door, url: str, *, credentials: Credentials, is_writable: bool = True
    ) -> None:
        self._client = DavClient(
            door, url, kind=Kind.ADDRESS_BOOK, credentials=credentials, max_seconds=PATIENCE
        )
        self.is_writable = is_writable

    @property
    def folder(self) -> str:
        """The book's path, where new cards go."""
        return self._client.path

    def changes(self, token: str) -> tuple[Listing, str]:
        """What changed since the token, everything without one, and the next token."""
        found = self._client.changes(token)
        listing = Listing(etags=found.etags, removed=found.removed, is_complete=found.is_complete)
        return listing, found.token

    def fetch(self, hrefs: Sequence[str]) -> Iterator[list[Fetched]]:
        """These cards in batches; one that was removed meanwhile is left out."""
        for batch in self._client.fetch(hrefs):
            yield [
                Fetched(href=member.href, etag=member.etag, card=_readable(member.data))
                for member in batch
            ]

    def create(self, href: str, card: Card) -> str:
        """Write a new card; its entity tag, or nothing when the server doesn't tell."""
        return self._client.create(href, write_card(card))

    def replace(self, href: str, card: Card, *, etag: str) -> str:
        """Write over the version ``etag``."""
        return self._client.replace(href, write_card(card), etag=etag)

    def delete(self, href: str, *, etag: str) -> None:
        """Remove the version ``etag``."""
        self._client.delete(href, etag=etag)


def _readable(text: str) -> Card | None:
    try:
        return read_card(text)
    except UnreadableCard:
        return None
