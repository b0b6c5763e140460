"""The hub: one per process, between the channel layer and the sockets of this process.

It knows who watches whom (:mod:`presence.circles`), and gives each socket what changed: the first
change at once, further ones gathered for :data:`WINDOW` seconds or as long as the loop needs, of
each person the newest only. A record is encoded once for all who may see the same of it
(:mod:`presence.records`), and so is the frame for all sockets that lack the same people. An event
costs what its watchers cost, however many users there are; to whom it makes no difference, because
it is hidden from him, it isn't sent. Where many lack something they are told :data:`AT_ONCE` at a
time, and between them the loop hears what else happens. A socket that doesn't read costs nothing
more: what it lacks is made into a frame when it reads again.

The hub neither waits nor reads a clock of its own: :mod:`presence.feed` brings it what happens.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from functools import partial
from typing import TYPE_CHECKING

from presence import metrics
from presence.circles import Circle, Circles, Place, Waiting
from presence.recent import Recent
from presence.records import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from presence.circles import Watch
    from presence.live_page import Clock, LiveSocket
    from presence.messages import HubMessage, Known, UserFrame
    from presence.privacy import Hidden, PrivacyBook
    from presence.records import Texts
    from presence.states import Links

WINDOW = 0.05
AT_ONCE = 100
SNAPSHOTS_KEPT = 20


if TYPE_CHECKING:
    _Place = Place[LiveSocket]


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
        self._circles: Circles[LiveSocket] = Circles()
        self._snapshots: dict[object, str] = {}
        self._snapshots_of = 0, 0
        self._noted = 0
        self._stirred: dict[Circle[LiveSocket], None] = {}
        self._due: deque[tuple[list[_Place], bool]] = deque()
        self._is_telling = False

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
        self._places[socket] = Place(socket)
        self._by_user[socket.user_id].add(socket)
        metrics.SOCKETS.set(len(self._places))
        if self.page_count(socket.user_id) == 1:
            self._on_user(socket.user_id)

    def leave(self, socket: LiveSocket) -> None:
        """Forget a socket."""
        place = self._places.pop(socket, None)
        if place is None:
            return
        self._circles.leave(place)
        self._by_user[socket.user_id].discard(socket)
        metrics.SOCKETS.set(len(self._places))
        if not self._by_user[socket.user_id]:
            del self._by_user[socket.user_id]
            self._on_user(socket.user_id)

    def look_at_sessions(self, user_id: str, session: str | None = None) -> None:
        """Have a user's sessions looked at, or one of them ended."""
        for socket in list(self._by_user.get(user_id, ())):
            if session is None:
                socket.check_session()
            elif socket.session == session:
                socket.end()

    def watch(self, socket: LiveSocket, users: Iterable[str] | None, *, age: float = 0.0) -> None:
        """Send a socket these people's states from now on (None: everybody's), first all of them.

        What it watched before it watches no more. ``age`` is for how many seconds its page has been
        loading: what its user was told meanwhile it is told as well.
        """
        place = self._places.get(socket)
        if place is None:
            return
        self._circles.leave(place)
        self._enter(place, None if users is None else tuple(dict.fromkeys(users)))
        self.resync(socket)
        if age > 0:
            for text in self._recent.since(socket.user_id, self._clock.time() - age):
                socket.push(text)

    def resync(self, socket: LiveSocket) -> None:
        """Send a socket all it watches once more, and that its PBX is down if it is."""
        place = self._places.get(socket)
        if place is None or place.circle is None:
            return
        place.told, place.owed = self._noted, ()
        socket.push(self._snapshot(place.circle))
        if socket.pbx is not None and not self._records.is_up(socket.pbx):
            socket.push(self._records.pbx_frame(socket.pbx))

    def drained(self, socket: LiveSocket) -> None:
        """A busy socket has sent all it had: give it what it lacks now."""
        place = self._places.get(socket)
        if place is not None and place.waits_for is Waiting.ITS_READER:
            self._let_in([place])
            self._tell()

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
                self.look_at_sessions(message["user"], message.get("session"))
            case "pages_wanted" | "privacy":
                pass  # the feed answers them

    def learn(self, people: Iterable[Known]) -> None:
        """Take newer states of some people; late ones change nothing."""
        for user_id, earlier in self._records.learn(people):
            self._note(user_id, earlier=earlier)
        self._stir()

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
        for place in self._places.values():
            if place.circle is None:
                continue
            watched: Iterable[str] = place.circle.watch or ()
            if place.circle.watch is None:
                watched = self._records.known
            viewer = place.socket.user_id
            seen_anew = [
                user_id
                for user_id in (watched if is_mutual else changed.intersection(watched))
                if book.hidden(viewer, user_id) != before.hidden(viewer, user_id)
            ]
            if seen_anew or place.circle.watch is None:
                self._move(place, seen_anew)
        self._tell()

    def go_silent(self, since: str | None) -> None:
        """The rows can't be read: nothing is known of the engine any more."""
        self._records.go_silent(since)
        self._turn()

    # --- Who lacks what ---------------------------------------------------------------------------

    def _enter(self, place: _Place, watch: Watch) -> None:
        viewer = place.socket.user_id
        self._circles.enter(place, watch, viewer, self._records.privacy, told=self._noted)

    def _move(self, place: _Place, seen_anew: list[str]) -> None:
        """Have a socket see what it may by now, and tell it of those it sees another way."""
        circle = place.circle
        if circle is None:
            return
        owed = (*place.owed, *circle.since(place.told), *seen_anew)
        self._circles.leave(place)
        self._enter(place, circle.watch)
        place.owed = tuple(dict.fromkeys(owed))
        if owed and place.waits_for is Waiting.NEWS:
            self._let_in([place])

    def _turn(self) -> None:
        """Bring the watchers up to who is heard now."""
        turn = self._records.turn()
        if not turn:
            return
        circles = self._circles
        everybody = self._records.known if circles.is_everybody_watched else circles.watched
        for user_id in list(everybody):
            known = self._records.known.get(user_id)
            if known is not None and turn.concerns(known):
                self._note(user_id, earlier=turn.texts.get(user_id))
        for pbx in turn.pbxs:
            frame = self._records.pbx_frame(pbx)
            for socket, place in list(self._places.items()):
                if socket.pbx == pbx and place.circle is not None:
                    socket.push(frame)
        self._stir()

    def _note(self, user_id: str, *, earlier: Texts | None) -> None:
        """Note news of somebody for those who watch him, if they may see what changed.

        ``earlier`` are the records that were encoded before; who was sent one like the new one
        lacks nothing.
        """
        self._noted += 1
        is_news: dict[Hidden, bool] = {}
        for circle in self._circles.watching(user_id):
            hidden = circle.hidden(user_id, self._records.privacy)
            if hidden not in is_news:
                sent = earlier.get(hidden) if earlier else None
                is_news[hidden] = sent is None or sent != self._records.text(user_id, hidden)
            if is_news[hidden]:
                circle.note(user_id, self._noted)
                self._stirred[circle] = None

    # --- Telling ----------------------------------------------------------------------------------

    def _stir(self) -> None:
        """Tell those of whom nothing holds them back of what was noted."""
        stirred, self._stirred = self._stirred, {}
        for circle in stirred:
            content, circle.content = circle.content, {}
            self._let_in(list(content))
        self._tell()

    def _let_in(self, places: list[_Place], *, is_first: bool = True) -> None:
        """Have these told when it is their turn; ``is_first``: they were told nothing just now."""
        for place in places:
            place.waits_for = Waiting.ITS_TURN
            if place.circle is not None:
                place.circle.content.pop(place, None)
        for start in range(0, len(places), AT_ONCE):
            self._due.append((places[start : start + AT_ONCE], is_first))

    def _tell(self) -> None:
        """Tell those whose turn it is; some of them at once, the others by and by."""
        if not self._is_telling:
            self._tell_some()

    def _tell_some(self) -> None:
        told: list[_Place] = []
        frames: dict[tuple[object, int], str] = {}
        count = 0
        rests = False
        while self._due and count < AT_ONCE:
            places, is_first = self._due.popleft()
            count += len(places)
            rests = rests or not is_first
            told += (place for place in places if self._tell_one(place, frames))
        self._is_telling = count >= AT_ONCE
        if told or self._is_telling:
            metrics.FRAMES.inc(len(told))
            # The loop comes to this once it has written what was pushed.
            self._clock.call_later(0.0, partial(self._go_on, told, self._clock.time(), rests=rests))

    def _go_on(self, told: list[_Place], since: float, *, rests: bool) -> None:
        """Begin the window of those who were told, and tell the next.

        Before the next of those who had something gathered there is half as long as telling took:
        so a third of the time is left to hear what happens. Else a storm would be heard change by
        change, each written to all before the next is heard.
        """
        took = self._clock.time() - since
        self._clock.call_later(max(WINDOW, took), partial(self._end_window, told))
        if self._is_telling:
            self._clock.call_later(took / 2 if rests else 0.0, self._tell_some)

    def _tell_one(self, place: _Place, frames: dict[tuple[object, int], str]) -> bool:
        """Tell a socket what it lacks; false if that is nothing, or if it is busy."""
        circle = place.circle
        if circle is None:
            place.waits_for = Waiting.NEWS  # it will be in none, or has not watched yet
            return False
        key = circle, place.told
        if place.owed:
            frame = self._frame((*place.owed, *circle.since(place.told)), circle)
        elif key in frames:
            frame = frames[key]
        else:
            frame = frames[key] = self._frame(circle.since(place.told), circle)
        if not frame:
            circle.rest(place)
            return False
        if place.socket.is_busy:
            place.waits_for = Waiting.ITS_READER
            return False
        place.told, place.owed, place.waits_for = self._noted, (), Waiting.ITS_WINDOW
        place.socket.push(frame)
        return True

    def _frame(self, lacking: Iterable[str], circle: Circle[LiveSocket]) -> str:
        """The frame about those somebody lacks; empty when that is nobody."""
        people = tuple(dict.fromkeys(lacking))
        if not people:
            return ""
        metrics.ENCODED.inc()
        return self._records.frame("presence.changes", people, self._hidden_from(circle))

    def _hidden_from(self, circle: Circle[LiveSocket]) -> Callable[[str], Hidden]:
        """What those in a circle may not see of somebody."""
        return partial(circle.hidden, book=self._records.privacy)

    def _snapshot(self, circle: Circle[LiveSocket]) -> str:
        """The frame about all whom a circle watches, made once for all who are in it."""
        records = self._records
        now = records.edition, records.revision
        if self._snapshots_of != now or len(self._snapshots) >= SNAPSHOTS_KEPT:
            self._snapshots.clear()
            self._snapshots_of = now
        frame = self._snapshots.get(circle.key)
        if frame is None:
            watch = records.known if circle.watch is None else circle.watch
            frame = records.frame("presence.snapshot", watch, self._hidden_from(circle))
            self._snapshots[circle.key] = frame
        return frame

    def _end_window(self, told: list[_Place]) -> None:
        """These have waited long enough: who lacks something is told."""
        waiting = [place for place in told if place.waits_for is Waiting.ITS_WINDOW]
        self._let_in(waiting, is_first=False)
        self._tell()

    # --- One user's own ---------------------------------------------------------------------------

    def _push_to_user(self, user_id: str, frame: UserFrame) -> None:
        text = json.dumps(frame, separators=(",", ":"))
        if frame["type"] != "call":  # each page reads its calls by itself
            self._recent.note(user_id, frame["type"], text, at=self._clock.time())
        for socket in list(self._by_user.get(user_id, ())):
            socket.push(text)
