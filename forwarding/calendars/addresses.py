"""What is asked of a calendar's address: the file, or what changed in an account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bluetel.fetch.door import Door, Known
from bluetel.fetch.errors import FetchError
from bluetel.fetch.exchange import Credentials
from bluetel.fetch.webdav import Collection, DavClient
from bluetel.fetch.webdav_xml import Kind
from forwarding.calendars.errors import CalendarUnreachable, told
from forwarding.ics.reading import digest_of

MAX_BYTES = 10 * 1024 * 1024
MOST_COLLECTIONS = 50
MOST_RESOURCES = 20_000


@dataclass(frozen=True, slots=True)
class Address:
    """Where a calendar is, and what opens it: an address is a secret itself, and isn't shown."""

    url: str = field(repr=False)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def credentials(self) -> Credentials | None:
        """What to sign in with, if anything."""
        return Credentials(self.username, self.password) if self.username else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """What a file was when it was read last."""

    etag: str = ""
    last_modified: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A calendar file that is not what it was."""

    state: FileState
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionState:
    """What is known of one of an account's calendars; ``etags`` by the paths of its events."""

    url: str
    name: str = ""
    token: str = ""
    etags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionChange:
    """One of an account's calendars as it is now: what came, what went, and the new token."""

    url: str
    name: str
    token: str
    changed: Mapping[str, tuple[str, bytes]] = field(repr=False)
    """Entity tag and text by path."""
    removed: frozenset[str]


def fetch_file(door: Door, address: Address, known: FileState) -> File | None:
    """The file at an address, or None while it is what it was.

    Raises :class:`~forwarding.calendars.errors.CalendarError`, as all here do.
    """
    asked = Known(etag=known.etag, last_modified=known.last_modified) if known.digest else None
    try:
        answer = door.get(
            address.url,
            known=asked,
            credentials=address.credentials,
            accept="text/calendar, */*;q=0.1",
            max_bytes=MAX_BYTES,
        )
    except FetchError as error:
        raise told(error) from error
    if answer.is_unchanged:
        return None
    digest = digest_of(answer.body)
    state = FileState(
        etag=answer.etag[:512], last_modified=answer.last_modified[:64], digest=digest
    )
    if state == known:
        return None
    return File(state=state, data=answer.body)


def find_collections(door: Door, address: Address) -> list[Collection]:
    """The calendars of an account that hold events and may make their owner busy."""
    try:
        found = _client(door, address).discover()
    except FetchError as error:
        raise told(error) from error
    calendars = [one for one in found if not one.components or "VEVENT" in one.components]
    if not calendars:
        raise CalendarUnreachable("no_calendars")
    return [one for one in calendars if not one.is_transparent][:MOST_COLLECTIONS]


def fetch_changes(door: Door, address: Address, known: CollectionState) -> CollectionChange:
    """What is new in one calendar of an account."""
    client = _client(door, address, known.url)
    try:
        changes = client.changes(known.token)
        if len(changes.etags) > MOST_RESOURCES:
            raise CalendarUnreachable("too_large")
        wanted = [href for href, etag in changes.etags.items() if known.etags.get(href) != etag]
        changed = {
            member.href: (member.etag, member.data.encode())
            for batch in client.fetch(wanted)
            for member in batch
        }
    except FetchError as error:
        raise told(error) from error
    gone = set(changes.removed)
    if changes.is_complete:
        gone |= set(known.etags) - set(changes.etags)
    return CollectionChange(
        url=known.url,
        name=known.name,
        token=changes.token,
        changed=changed,
        removed=frozenset(gone & set(known.etags)),
    )


def is_changed(door: Door, address: Address, known: Iterable[CollectionState]) -> bool:
    """Whether anything happened in an account's known calendars."""
    try:
        for state in known:
            changes = _client(door, address, state.url).changes(state.token)
            if changes.is_complete:
                if dict(changes.etags) != dict(state.etags):
                    return True
            elif changes.etags or changes.removed:
                return True
    except FetchError as error:
        raise told(error) from error
    return False


def texts(change: CollectionChange) -> Sequence[bytes]:
    """The changed texts, in the order of their paths."""
    return [data for _, (_, data) in sorted(change.changed.items())]


def _client(door: Door, address: Address, url: str = "") -> DavClient:
    return DavClient(door, url or address.url, kind=Kind.CALENDAR, credentials=address.credentials)
