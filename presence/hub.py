"""The hub: one per process, between the channel layer and the sockets of this process.

It knows who watches whom, and gives each socket what changed: the first change at once, further
ones gathered for :data:`WINDOW` seconds or as long as the loop needs, of each person the newest
only. A record is encoded once for all who may see the same of it (:mod:`presence.records`), and so
is the frame for all sockets that lack the same people. An event costs what its watchers cost,
however many users there are; to whom it makes no difference, because it is hidden from him, it
isn't sent. A socket that doesn't read costs nothing more: what it lacks is a set of ids, made into
a frame when it reads again.

The hub neither waits nor reads a clock of its own: :mod:`presence.feed` brings it what happens.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from functools import partial
from typing import TYPE_CHECKING, Protocol

from presence import metrics
from presence.recent import Recent
from presence.records import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from presence.messages import HubMessage, Known, UserFrame
    from presence.privacy import Hidden, PrivacyBook
    from presence.records import Texts
    from presence.selectors import Links

WINDOW = 0.05


class Timer(Protocol):
    """What can be called off."""

    def cancel(self) -> None:
        """Call it off."""


class Clock(Protocol):
    """The part of an event loop the hub needs; tests drive one of their own."""

    def time(self) -> float:
        """Seconds that only grow."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer:
        """Call ``callback`` after ``delay`` seconds."""


class LiveSocket(Protocol):
    """One browser page, seen from the hub; none of its methods waits or raises.

    ``session`` is the digest of its session's key; ``is_busy`` while earlier frames still wait for
    the browser to read: it then calls :meth:`Hub.drained` once they are gone.
    """

    user_id: str
    pbx: int | None
    session: str

    @property
    def is_busy(self) -> bool:
        """Whether frames wait."""

    def push(self, frame: str) -> None:
        """Send a frame, in order with the others."""

    def check_session(self) -> None:
        """Look soon whether the session still holds."""

    def end(self) -> None:
        """Close: the session ended."""


class _Place:
    """What the hub keeps of a socket; ``watch`` is None until it watches, and for everybody."""

    __slots__ = ("has_watched", "is_cooling", "pending", "watch")

    def __init__(self) -> None:
        self.watch: tuple[str, ...] | None = None
        self.has_watched = False
        self.is_cooling = False
        self.pending: dict[str, None] = {}


class Hub:
    """The states of everybody, and the sockets of this process."""

    def __init__(self, clock: Clock, *, on_user: Callable[[str], None]) -> None:
        """``on_user`` is told who opened his first page here, or closed his last."""
        self._clock = clock
        self._on_user = on_user
        self._records = Records()
        self._recent = Recent()
        self._places: dict[LiveSocket, _Place] = {}
        self._by_user: defaultdict[str, set[LiveSocket]] = defaultdict(set)
        self._watchers: defaultdict[str, set[LiveSocket]] = defaultdict(set)
        self._watch_all: set[LiveSocket] = set()
        self._ready: dict[LiveSocket, None] = {}
        self._cooling: deque[tuple[float, list[LiveSocket]]] = deque()
        self._timer: Timer | None = None

    # --- Sockets ----------------------------------------------------------------------------------

    @property
    def revision(self) -> int:
        """The newest that was said."""
        return self._records.revision

    @property
    def users(self) -> list[str]:
        """Everybody with a page open here."""
        return list(self._by_user)

    @property
    def sockets(self) -> list[LiveSocket]:
        """All sockets of this process."""
        return list(self._places)

    def page_count(self, user_id: str) -> int:
        """How many pages a user has open here."""
        return len(self._by_user.get(user_id, ()))

    def join(self, socket: LiveSocket) -> None:
        """Know a socket; until it watches, it gets its own user's calls and nothing else."""
        self._places[socket] = _Place()
        self._by_user[socket.user_id].add(socket)
        metrics.SOCKETS.set(len(self._places))
        if self.page_count(socket.user_id) == 1:
            self._on_user(socket.user_id)

    def leave(self, socket: LiveSocket) -> None:
        """Forget a socket."""
        place = self._places.pop(socket, None)
        if place is None:
            return
        self._unwatch(socket, place)
        self._ready.pop(socket, None)
        self._by_user[socket.user_id].discard(socket)
        metrics.SOCKETS.set(len(self._places))
        if not self._by_user[socket.user_id]:
            del self._by_user[socket.user_id]
            self._on_user(socket.user_id)

    def watch(self, socket: LiveSocket, users: Iterable[str] | None, *, age: float = 0.0) -> None:
        """Send a socket these people's states from now on (None: everybody's), first all of them.

        What it watched before it watches no more. ``age`` is for how many seconds its page has been
        loading: what its user was told meanwhile it is told as well.
        """
        place = self._places.get(socket)
        if place is None:
            return
        self._unwatch(socket, place)
        place.has_watched = True
        if users is None:
            self._watch_all.add(socket)
        else:
            place.watch = tuple(dict.fromkeys(users))
            for user_id in place.watch:
                self._watchers[user_id].add(socket)
        self.resync(socket)
        if age > 0:
            for text in self._recent.since(socket.user_id, self._clock.time() - age):
                socket.push(text)

    def resync(self, socket: LiveSocket) -> None:
        """Send a socket all it watches once more, and that its PBX is down if it is."""
        place = self._places.get(socket)
        if place is None or not place.has_watched:
            return
        place.pending.clear()
        records = self._records
        if place.watch is None:
            socket.push(records.snapshot_of_everybody(socket.user_id))
        else:
            masks = records.privacy.masks(socket.user_id, place.watch)
            socket.push(records.frame("presence.snapshot", place.watch, masks))
        if socket.pbx is not None and not records.is_up(socket.pbx):
            socket.push(records.pbx_frame(socket.pbx))

    def drained(self, socket: LiveSocket) -> None:
        """A busy socket has sent all it had: give it what it lacks now."""
        place = self._places.get(socket)
        if place is not None and place.pending and not place.is_cooling:
            self._ready[socket] = None
            self._flush()

    # --- What the layer and the rows say ----------------------------------------------------------

    def take(self, message: HubMessage) -> None:
        """Take a message of the channel layer; raises ``KeyError`` for one that is not ours."""
        metrics.EVENTS.inc()
        match message["type"]:
            case "presence":
                people = message["people"]
                self.learn(one for one in people if self._records.is_current(one["revision"]))
            case "gone":
                self.drop(message["users"])
            case "link":
                self._records.take_link(
                    message["pbx"],
                    is_up=message["is_up"],
                    since=message["since"],
                    revision=message["revision"],
                )
                self._turn()
                self._records.revision = max(self.revision, message["revision"])
            case "user":
                self._push_to_user(message["user"], message["frame"])
            case "session":
                self._look_at_sessions(message["user"], message.get("session"))
            case "pages_wanted" | "privacy":
                pass  # the feed answers them

    def learn(self, people: Iterable[Known]) -> None:
        """Take newer states of some people; late ones change nothing."""
        for user_id, earlier in self._records.learn(people):
            self._touch(user_id, earlier=earlier)
        self._flush()

    def drop(self, users: Iterable[str]) -> None:
        """Forget people who are gone."""
        self._records.drop(users)

    def heed(self, links: Links) -> None:
        """Take what the rows say of the links and of the engine."""
        self._records.heed(links)
        self._turn()

    def keep_private(self, book: PrivacyBook) -> None:
        """Take the audiences people chose; whom that makes a difference to is told."""
        before = self._records.privacy
        changed = book.changed(before)
        is_mutual = book.is_mutual or before.is_mutual
        if not changed and book.is_mutual == before.is_mutual:
            return
        self._records.keep_private(book)
        for socket, place in self._places.items():
            if not place.has_watched:
                continue
            watched: Iterable[str] = self._records.known if place.watch is None else place.watch
            viewer = socket.user_id
            for user_id in watched if is_mutual else changed.intersection(watched):
                if book.hidden(viewer, user_id) != before.hidden(viewer, user_id):
                    self._lack(socket, user_id)
        self._flush()

    def go_silent(self, since: str | None) -> None:
        """The rows can't be read: nothing is known of the engine any more."""
        self._records.go_silent(since)
        self._turn()

    # --- Inside -----------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Bring the watchers up to who is heard now."""
        turn = self._records.turn()
        if not turn:
            return
        everybody = self._records.known if self._watch_all else self._watchers
        for user_id in list(everybody):
            known = self._records.known.get(user_id)
            if known is not None and turn.concerns(known):
                self._touch(user_id, earlier=turn.texts.get(user_id))
        for pbx in turn.pbxs:
            frame = self._records.pbx_frame(pbx)
            for socket, place in list(self._places.items()):
                if socket.pbx == pbx and place.has_watched:
                    socket.push(frame)
        self._flush()

    def _unwatch(self, socket: LiveSocket, place: _Place) -> None:
        self._watch_all.discard(socket)
        for user_id in place.watch or ():
            self._watchers[user_id].discard(socket)
            if not self._watchers[user_id]:
                del self._watchers[user_id]
        place.watch = None
        place.pending.clear()

    def _touch(self, user_id: str, *, earlier: Texts | None) -> None:
        """Note that those who watch somebody lack his newest state, if they may see what changed.

        ``earlier`` are the records that were encoded before; who was sent one like the new one
        lacks nothing.
        """
        is_news: dict[Hidden, bool] = {}
        for watchers in (self._watchers.get(user_id, ()), self._watch_all):
            for socket in watchers:
                hidden = self._records.privacy.hidden(socket.user_id, user_id)
                if hidden not in is_news:
                    sent = earlier.get(hidden) if earlier else None
                    is_news[hidden] = sent is None or sent != self._records.text(user_id, hidden)
                if is_news[hidden]:
                    self._lack(socket, user_id)

    def _lack(self, socket: LiveSocket, user_id: str) -> None:
        place = self._places[socket]
        place.pending[user_id] = None
        if not place.is_cooling:
            self._ready[socket] = None

    def _flush(self) -> None:
        """Send to each socket that is due what it lacks."""
        if not self._ready:
            return
        ready, self._ready = self._ready, {}
        frames: dict[tuple[tuple[str, ...], tuple[Hidden, ...]], str] = {}
        sent = []
        for socket in ready:
            place = self._places[socket]
            if not place.pending or socket.is_busy:
                continue
            lacking = tuple(place.pending)
            place.pending.clear()
            masks = self._records.privacy.masks(socket.user_id, lacking)
            frame = frames.get((lacking, masks))
            if frame is None:
                frame = frames[lacking, masks] = self._records.frame(
                    "presence.changes", lacking, masks
                )
                metrics.ENCODED.inc()
            socket.push(frame)
            place.is_cooling = True
            sent.append(socket)
        if sent:
            metrics.FRAMES.inc(len(sent))
            # The loop comes to this once it has written what was pushed.
            self._clock.call_later(0.0, partial(self._cool, sent, self._clock.time()))

    def _cool(self, sent: list[LiveSocket], pushed_at: float) -> None:
        """Begin the window of these sockets: as long as writing to them took, if that is longer.

        So half the time is left to hear what happens. Else a storm would be heard change by change,
        each written to all before the next is heard.
        """
        now = self._clock.time()
        self._cooling.append((now + max(WINDOW, now - pushed_at), sent))
        self._arm()

    def _arm(self) -> None:
        if self._timer is None and self._cooling:
            delay = max(0.0, self._cooling[0][0] - self._clock.time())
            self._timer = self._clock.call_later(delay, self._tick)

    def _tick(self) -> None:
        """Windows have ended: who has gathered something gets it."""
        self._timer = None
        now = self._clock.time()
        while self._cooling and self._cooling[0][0] <= now:
            for socket in self._cooling.popleft()[1]:
                place = self._places.get(socket)
                if place is None:
                    continue
                place.is_cooling = False
                if place.pending:
                    self._ready[socket] = None
        self._flush()
        self._arm()

    def _push_to_user(self, user_id: str, frame: UserFrame) -> None:
        text = json.dumps(frame, separators=(",", ":"))
        if frame["type"] != "call":  # each page reads its calls by itself
            self._recent.note(user_id, frame["type"], text, at=self._clock.time())
        for socket in list(self._by_user.get(user_id, ())):
            socket.push(text)

    def _look_at_sessions(self, user_id: str, session: str | None) -> None:
        for socket in list(self._by_user.get(user_id, ())):
            if session is None:
                socket.check_session()
            elif socket.session == session:
                socket.end()
