"""The hub: one per process, between the channel layer and the sockets of this process.

It holds everybody's newest record, knows who watches whom, and gives each socket what changed: the
first change at once, further ones gathered for :data:`WINDOW` seconds, of each person the newest
only. A record is encoded once for all who may see the same of it, and so is the frame for all
sockets that lack the same people. An event costs what its watchers cost, however many users there
are; to whom it makes no difference, because it is hidden from him, it isn't sent. A socket that
doesn't read costs nothing more: what it lacks is a set of ids, made into a frame when it reads
again.

The hub neither waits nor reads a clock of its own: :mod:`presence.feed` brings it what happens.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Protocol

from presence import metrics
from presence.board import EPOCH_BITS
from presence.messages import PbxFrame, iso, unknown_record, visible_record
from presence.privacy import Hidden, PrivacyBook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from presence.messages import HubMessage, Known, UserFrame
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


class _Link:
    """The newest that was heard of a PBX's link, and whether its people may be shown."""

    __slots__ = ("is_shown_up", "is_up", "revision", "since")

    def __init__(self) -> None:
        self.is_up = False
        self.since: str | None = None
        self.revision = -1
        self.is_shown_up = False


class Hub:
    """The states of everybody, and the sockets of this process."""

    def __init__(self, clock: Clock, *, on_user: Callable[[str], None]) -> None:
        """``on_user`` is told who opened his first page here, or closed his last."""
        self._clock = clock
        self._on_user = on_user
        self._known: dict[str, Known] = {}
        self._json: dict[str, dict[Hidden, str]] = {}
        self._links: defaultdict[int, _Link] = defaultdict(_Link)
        self._silent_since: str | None = None
        self._is_silent = True
        self._epoch = 0
        self._places: dict[LiveSocket, _Place] = {}
        self._by_user: defaultdict[str, set[LiveSocket]] = defaultdict(set)
        self._watchers: defaultdict[str, set[LiveSocket]] = defaultdict(set)
        self._watch_all: set[LiveSocket] = set()
        self._ready: dict[LiveSocket, None] = {}
        self._cooling: deque[tuple[float, list[LiveSocket]]] = deque()
        self._timer: Timer | None = None
        self._everybody: dict[tuple[Hidden, ...], str] = {}
        self._privacy = PrivacyBook()
        self.revision = 0

    # --- Sockets ----------------------------------------------------------------------------------

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

    def watch(self, socket: LiveSocket, users: Iterable[str] | None) -> None:
        """Send a socket these people's states from now on (None: everybody's), first all of them.

        What it watched before it watches no more.
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

    def resync(self, socket: LiveSocket) -> None:
        """Send a socket all it watches once more, and that its PBX is down if it is."""
        place = self._places.get(socket)
        if place is None or not place.has_watched:
            return
        place.pending.clear()
        if place.watch is None:
            masks = self._privacy.masks(socket.user_id, self._known)
            frame = self._everybody.get(masks)
            if frame is None:
                frame = self._frame("presence.snapshot", self._known, masks)
                self._everybody[masks] = frame
            socket.push(frame)
        else:
            masks = self._privacy.masks(socket.user_id, place.watch)
            socket.push(self._frame("presence.snapshot", place.watch, masks))
        if socket.pbx is not None and not self._links[socket.pbx].is_shown_up:
            socket.push(self._pbx_frame(socket.pbx))

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
                current = [one for one in message["people"] if self._is_current(one["revision"])]
                self.learn(current)
            case "gone":
                self.drop(message["users"])
            case "link":
                self._take_link(
                    message["pbx"], message["is_up"], message["since"], message["revision"]
                )
                self.revision = max(self.revision, message["revision"])
            case "user":
                self._push_to_user(message["user"], message["frame"])
            case "session":
                self._look_at_sessions(message["user"], message.get("session"))
            case "pages_wanted" | "privacy":
                pass  # the feed answers them

    def learn(self, people: Iterable[Known]) -> None:
        """Take newer states of some people; late ones change nothing."""
        newest = 0
        for one in people:
            user_id = one["person"]["user_id"]
            before = self._known.get(user_id)
            if before is not None and before["revision"] >= one["revision"]:
                continue
            newest = max(newest, one["revision"])
            earlier = self._json.pop(user_id, None)
            self._known[user_id] = one
            self._touch(user_id, earlier=earlier)
        if newest:
            # What this process said by itself meanwhile must not outdo what it says now.
            self.revision = max(self.revision + 1, newest)
            self._everybody.clear()
            self._flush()

    def drop(self, users: Iterable[str]) -> None:
        """Forget people who are gone."""
        for user_id in users:
            self._known.pop(user_id, None)
            self._json.pop(user_id, None)
        self._everybody.clear()

    def heed(self, links: Links) -> None:
        """Take what the rows say of the links and of the engine.

        Without an engine on duty nobody is heard, whatever the links' rows say.
        """
        self._epoch = max(self._epoch, links.epoch)
        self._is_silent = links.silent_since is not None
        self._silent_since = iso(links.silent_since)
        for pbx, row in links.by_pbx.items():
            self._take_link(pbx, row.is_up, iso(row.since), row.revision)
        for pbx in list(self._links):
            self._show_link(pbx)
        self._flush()

    def keep_private(self, book: PrivacyBook) -> None:
        """Take the audiences people chose; whom that makes a difference to is told."""
        before, self._privacy = self._privacy, book
        changed = book.changed(before)
        is_mutual = book.is_mutual or before.is_mutual
        if not changed and book.is_mutual == before.is_mutual:
            return
        self.revision += 1
        self._everybody.clear()
        for socket, place in self._places.items():
            if not place.has_watched:
                continue
            watched: Iterable[str] = self._known if place.watch is None else place.watch
            viewer = socket.user_id
            for user_id in watched if is_mutual else changed.intersection(watched):
                if book.hidden(viewer, user_id) != before.hidden(viewer, user_id):
                    self._lack(socket, user_id)
        self._flush()

    def go_silent(self, since: str | None) -> None:
        """The rows can't be read: nothing is known of the engine any more."""
        self._is_silent = True
        self._silent_since = since
        for pbx in list(self._links):
            self._show_link(pbx)
        self._flush()

    # --- Inside -----------------------------------------------------------------------------------

    def _is_current(self, revision: int) -> bool:
        """False for what a deposed engine says."""
        return revision >> EPOCH_BITS >= self._epoch

    def _take_link(self, pbx: int, is_up: bool, since: str | None, revision: int) -> None:  # noqa: FBT001 — the words of a message, in its order
        link = self._links[pbx]
        if revision < link.revision or not self._is_current(revision):
            return
        if revision > link.revision:
            link.is_up, link.since, link.revision = is_up, since, revision
            if revision >> EPOCH_BITS > self._epoch:
                self._epoch = revision >> EPOCH_BITS
                self._is_silent = False
        self._show_link(pbx)
        self._flush()

    def _show_link(self, pbx: int) -> None:
        """Bring the watchers of a PBX's people up to whether it is heard."""
        link = self._links[pbx]
        is_heard = link.is_up and not self._is_silent and link.revision >> EPOCH_BITS == self._epoch
        if is_heard == link.is_shown_up:
            return
        link.is_shown_up = is_heard
        self.revision += 1
        texts, self._json = self._json, {}
        self._everybody.clear()
        everybody = self._known if self._watch_all else self._watchers
        for user_id in list(everybody):
            known = self._known.get(user_id)
            if known is not None and known["pbx"] == pbx:
                self._touch(user_id, earlier=texts.get(user_id))
        frame = self._pbx_frame(pbx)
        for socket, place in list(self._places.items()):
            if socket.pbx == pbx and place.has_watched:
                socket.push(frame)

    def _unwatch(self, socket: LiveSocket, place: _Place) -> None:
        self._watch_all.discard(socket)
        for user_id in place.watch or ():
            self._watchers[user_id].discard(socket)
            if not self._watchers[user_id]:
                del self._watchers[user_id]
        place.watch = None
        place.pending.clear()

    def _touch(self, user_id: str, *, earlier: dict[Hidden, str] | None) -> None:
        """Note that those who watch somebody lack his newest state, if they may see what changed.

        ``earlier`` are the records that were encoded before; who was sent one like the new one
        lacks nothing.
        """
        is_news: dict[Hidden, bool] = {}
        for watchers in (self._watchers.get(user_id, ()), self._watch_all):
            for socket in watchers:
                hidden = self._privacy.hidden(socket.user_id, user_id)
                if hidden not in is_news:
                    sent = earlier.get(hidden) if earlier else None
                    is_news[hidden] = sent is None or sent != self._text(user_id, hidden)
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
            masks = self._privacy.masks(socket.user_id, lacking)
            frame = frames.get((lacking, masks))
            if frame is None:
                frame = frames[lacking, masks] = self._frame("presence.changes", lacking, masks)
                metrics.ENCODED.inc()
            socket.push(frame)
            place.is_cooling = True
            sent.append(socket)
        if sent:
            metrics.FRAMES.inc(len(sent))
            self._cooling.append((self._clock.time() + WINDOW, sent))
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
        sockets = self._by_user.get(user_id)
        if sockets:
            text = json.dumps(frame, separators=(",", ":"))
            for socket in list(sockets):
                socket.push(text)

    def _look_at_sessions(self, user_id: str, session: str | None) -> None:
        for socket in list(self._by_user.get(user_id, ())):
            if session is None:
                socket.check_session()
            elif socket.session == session:
                socket.end()

    def _frame(self, kind: str, users: Iterable[str], masks: tuple[Hidden, ...]) -> str:
        """A frame about these people; ``masks`` as :meth:`PrivacyBook.masks` gives them."""
        if masks:
            texts = (
                self._text(user_id, hidden) for user_id, hidden in zip(users, masks, strict=True)
            )
        else:
            texts = (self._text(user_id, Hidden.NOTHING) for user_id in users)
        people = ",".join(text for text in texts if text)
        return f'{{"type":"{kind}","revision":{self.revision},"people":[{people}]}}'

    def _text(self, user_id: str, hidden: Hidden) -> str:
        """A person's record as JSON, as some of his colleagues may see it now; empty for nobody."""
        texts = self._json.setdefault(user_id, {})
        text = texts.get(hidden)
        if text is None:
            known = self._known.get(user_id)
            if known is None:
                return ""
            record = known["person"]
            if known["pbx"] is not None and not self._links[known["pbx"]].is_shown_up:
                record = unknown_record(known, since=self._down_since(known["pbx"]))
            record = visible_record(record, hidden)
            text = texts[hidden] = json.dumps(record, separators=(",", ":"))
        return text

    def _down_since(self, pbx: int) -> str | None:
        return self._silent_since if self._is_silent else self._links[pbx].since

    def _pbx_frame(self, pbx: int) -> str:
        link = self._links[pbx]
        frame = PbxFrame(
            type="pbx",
            state="up" if link.is_shown_up else "down",
            since=link.since if link.is_shown_up else self._down_since(pbx),
        )
        return json.dumps(frame, separators=(",", ":"))
