"""Joins Wazo's call legs into whole calls: one per person and conversation at a time.

Wazo has a record per *leg*: a call between two colleagues is two legs that share a conversation
id. A :class:`CallBook` takes what is heard of the legs, in any order and any number of times, and
says which persons' calls have become different. It has no clock and does no I/O.

What it relies on (recorded in tests/recordings/wazo/websocketd, Wazo 26.08):

- *A leg's status only grows*: new, ringing, dialling, up. So the furthest status heard is the
  true one, however late a record comes.
- *call_ended is final*, may come twice, and has caller and peer swapped; a record of the same leg
  that comes later, or is stale, changes nothing any more.
- What goes back and forth (hold, mute, who talks to whom, names) is taken from the record with
  the newest envelope time. These times are the PBX's wall clock: a step back of more than a
  minute is the autumn night, not a late event.
- A click-to-call rings the own phone: that leg is a caller's and ``Ringing``. A number dialled on
  the handset makes it ``Ring``: the own phone is off the hook, the peer is being called.
- *A caller's leg that is up doesn't talk yet*: it may hear an announcement (recorded:
  call_to_dnd, call_declined). He talks when the leg is in a bridge, or when a leg of somebody
  else in the conversation is up. A callee's leg that is up always talks.
- *Who was passed away and comes back gets a new leg*, often in the same conversation (a transfer
  back to him): that is one more call of his. Legs that overlap, as of two lines, are one call.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bluetel.telephony.types import Call, CallId, ConversationId, PbxUserId
from bluetel.telephony.wazo.legs import CallMissed, Leg, LegHeld, LegNews, LegSeen
from bluetel.telephony.wazo.tracks import Track, calls_in

MOST_ENDED = 2048
"""Ended conversations remembered, so that a stale record can't bring one back to life."""

MOST_UNKNOWN = 256
"""Legs remembered of which only hold or resume was heard."""


class CallBook:
    """The calls of one PBX as far as they were heard of; not thread-safe."""

    def __init__(self) -> None:
        """Begin with an empty book."""
        self._tracks: dict[CallId, Track] = {}
        self._conversation_of: dict[CallId, ConversationId] = {}
        self._legs: dict[ConversationId, list[CallId]] = {}
        self._missed: OrderedDict[ConversationId, str] = OrderedDict()
        self._calls: dict[ConversationId, dict[PbxUserId, list[Call]]] = {}
        self._ended: OrderedDict[ConversationId, None] = OrderedDict()
        self._unknown: OrderedDict[CallId, None] = OrderedDict()

    def apply(self, news: LegNews) -> list[Call]:
        """Take one piece of news; gives the calls that are different now, whole."""
        if isinstance(news, LegHeld):
            return self._hold(news.id, held=news.held, at=news.at)
        if isinstance(news, CallMissed):
            self._missed[news.conversation] = news.reason
            if len(self._missed) > MOST_ENDED:
                self._missed.popitem(last=False)
            return self._changed(news.conversation)
        track = self._track(news.leg)
        if isinstance(news, LegSeen):
            track.see(news.leg, news.at)
        else:
            track.end(news.leg)
        return self._changed(self._conversation_of[news.leg.id])

    def reconcile(self, legs: Iterable[Leg]) -> list[Call]:
        """Take a snapshot of all living legs; who isn't in it has ended unheard, cause unknown.

        To be used right after a (re)connect, before what the socket has brought since: that is
        newer than the snapshot or leads up to it.
        """
        present = [leg for leg in legs if not leg.is_local]
        touched: dict[ConversationId, None] = {}
        for leg in present:
            self._track(leg).restart(leg)
            touched[self._conversation_of[leg.id]] = None
        ids = {leg.id for leg in present}
        for leg_id, conversation in self._conversation_of.items():
            track = self._tracks[leg_id]
            if leg_id not in ids and track.ended is None:
                track.ended = replace(track.record, cause=None, ended_at=None)
                touched[conversation] = None
        return [call for conversation in touched for call in self._changed(conversation)]

    def live(self) -> list[Call]:
        """All calls that still go on."""
        return [
            call
            for people in self._calls.values()
            for calls in people.values()
            for call in calls
            if call.is_live
        ]

    def _track(self, leg: Leg) -> Track:
        """The leg's track, in its conversation; a leg stays in the first one it was seen in.

        Asterisk may give a leg another linkedid when a phone transfers it; the person's call must
        not change its name in the middle.
        """
        track = self._tracks.setdefault(leg.id, Track())
        if leg.id not in self._conversation_of:
            self._unknown.pop(leg.id, None)
            self._conversation_of[leg.id] = leg.conversation
            self._legs.setdefault(leg.conversation, []).append(leg.id)
        return track

    def _hold(self, leg_id: CallId, *, held: bool, at: datetime | None) -> list[Call]:
        self._tracks.setdefault(leg_id, Track()).hold(held=held, at=at)
        conversation = self._conversation_of.get(leg_id)
        if conversation is not None:
            return self._changed(conversation)
        self._unknown[leg_id] = None
        if len(self._unknown) > MOST_UNKNOWN:
            oldest, _ = self._unknown.popitem(last=False)
            del self._tracks[oldest]
        return []

    def _changed(self, conversation: ConversationId) -> list[Call]:
        tracks = [self._tracks[leg_id] for leg_id in self._legs.get(conversation, ())]
        known = self._calls.setdefault(conversation, {}) if tracks else {}
        changed: list[Call] = []
        missed = self._missed.get(conversation, "")
        for user, calls in calls_in(conversation, tracks, missed).items():
            before = known.get(user, [])
            changed += [call for call in calls if call not in before]
            known[user] = calls
        if tracks and all(track.ended is not None for track in tracks):
            self._forget_oldest(conversation)
        else:
            self._ended.pop(conversation, None)
        return changed

    def _forget_oldest(self, conversation: ConversationId) -> None:
        self._ended[conversation] = None
        self._ended.move_to_end(conversation)
        if len(self._ended) <= MOST_ENDED:
            return
        oldest, _ = self._ended.popitem(last=False)
        self._calls.pop(oldest, None)
        self._missed.pop(oldest, None)
        for leg_id in self._legs.pop(oldest):
            del self._tracks[leg_id]
            del self._conversation_of[leg_id]


def calls_of(legs: Iterable[Leg]) -> list[Call]:
    """The calls that a snapshot of all living legs shows."""
    book = CallBook()
    book.reconcile(legs)
    return book.live()
