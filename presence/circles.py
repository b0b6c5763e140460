"""Sockets that watch the same people and may see the same of them; pure.

What becomes of somebody is noted once for each circle of sockets that watch him, not for each
socket. A socket remembers up to which note it was told; so what one lacks is known at any time,
costs nothing while it waits, and is the same for all of its circle who were told as much.
"""

from __future__ import annotations

from collections import defaultdict
from enum import Enum, auto
from typing import TYPE_CHECKING, Generic, TypeVar

from presence.privacy import Hidden

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from presence.privacy import PrivacyBook, Sight

Watch = tuple[str, ...] | None
"""The ids of those who are watched, each once; None is everybody."""

S = TypeVar("S")


class Waiting(Enum):
    """What a socket waits for before it is told more."""

    NEWS = auto()
    ITS_TURN = auto()
    ITS_WINDOW = auto()
    ITS_READER = auto()


class Place(Generic[S]):
    """What is kept of a socket; it is in no circle until it watches, and after it left."""

    __slots__ = ("circle", "owed", "socket", "told", "waits_for")

    def __init__(self, socket: S) -> None:
        self.socket = socket
        self.circle: Circle[S] | None = None
        self.told = 0
        self.owed: tuple[str, ...] = ()
        self.waits_for = Waiting.NEWS


class Circle(Generic[S]):
    """Those who watch the same and may see the same.

    ``content`` are those who wait for news, having been told all there is.
    """

    __slots__ = ("_hidden", "_notes", "content", "sight", "size", "watch")

    def __init__(self, watch: Watch, sight: Sight) -> None:
        self.watch = watch
        self.sight = sight
        self.size = 0
        self._hidden = dict(sight.hidden)
        self.content: dict[Place[S], None] = {}
        self._notes: dict[str, int] = {}

    @property
    def key(self) -> tuple[Watch, Sight]:
        """What makes it another circle than the others."""
        return self.watch, self.sight

    def hidden(self, user_id: str, book: PrivacyBook) -> Hidden:
        """What those in it may not see of somebody, by the book by which they entered."""
        if self.sight.viewer is not None:
            return book.hidden(self.sight.viewer, user_id)
        return self._hidden.get(user_id, Hidden.NOTHING)

    def note(self, user_id: str, number: int) -> None:
        """Note news of somebody; ``number`` only grows."""
        self._notes.pop(user_id, None)
        self._notes[user_id] = number

    def rest(self, place: Place[S]) -> None:
        """Have a socket wait for news: it was told all there is."""
        place.waits_for = Waiting.NEWS
        self.content[place] = None
        if len(self.content) == self.size:
            self._notes.clear()

    def since(self, told: int) -> tuple[str, ...]:
        """Of whom there is news since a note, in the order of the latest."""
        found = []
        for user_id, number in reversed(self._notes.items()):
            if number <= told:
                break
            found.append(user_id)
        return tuple(reversed(found))


class Circles(Generic[S]):
    """All circles, and whom each watches."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[Watch, Sight], Circle[S]] = {}
        self._watching: defaultdict[str, dict[Circle[S], None]] = defaultdict(dict)
        self._watching_all: dict[Circle[S], None] = {}

    @property
    def is_everybody_watched(self) -> bool:
        """Whether somebody watches everybody."""
        return bool(self._watching_all)

    @property
    def watched(self) -> Iterable[str]:
        """Those who are watched by name."""
        return self._watching

    def watching(self, user_id: str) -> Iterator[Circle[S]]:
        """Those who watch somebody."""
        yield from self._watching.get(user_id, ())
        yield from self._watching_all

    def enter(
        self, place: Place[S], watch: Watch, viewer: str, book: PrivacyBook, *, told: int
    ) -> None:
        """Put a socket into the circle of those who watch ``watch`` and see what ``viewer`` may.

        It owes nothing that was noted up to ``told``.
        """
        sight = book.sight(viewer, watch)
        circle = self._by_key.get((watch, sight))
        if circle is None:
            circle = self._by_key[watch, sight] = Circle(watch, sight)
            for circles in self._lists(circle):
                circles[circle] = None
        circle.size += 1
        place.circle, place.told = circle, told
        if place.waits_for is Waiting.NEWS:
            circle.content[place] = None

    def leave(self, place: Place[S]) -> None:
        """Take a socket out of its circle, if it is in one."""
        circle, place.circle, place.owed = place.circle, None, ()
        if circle is None:
            return
        circle.content.pop(place, None)
        circle.size -= 1
        if circle.size == 0:
            del self._by_key[circle.key]
            for circles in self._lists(circle):
                del circles[circle]
            for user_id in circle.watch or ():
                if not self._watching[user_id]:
                    del self._watching[user_id]

    def _lists(self, circle: Circle[S]) -> Iterator[dict[Circle[S], None]]:
        if circle.watch is None:
            yield self._watching_all
        for user_id in circle.watch or ():
            yield self._watching[user_id]
