"""What was heard of a call's legs, and what the legs of one conversation come to. Pure.

:mod:`.calls` keeps the tracks; here each person's calls are made of them, always anew and from what
is known by then, so that it doesn't matter in which order the news came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bluetel.telephony.types import (
    Call,
    CallState,
    ConversationId,
    Direction,
    PbxUserId,
)
from bluetel.telephony.wazo.legs import Leg, Phase, supersedes

DECISIVE = frozenset({1, 3, 17, 18, 19, 20, 21, 27})
"""Q.850 causes that say why a peer was not reached."""

_INTERWORKING = 127
_NORMAL = 16
_NO_ANSWER = 19

MISSED_CAUSES = {
    "busy": 17,
    "dnd": 17,
    "no-answer": 19,
    "phone-unreachable": 20,
    "channel-unavailable": 20,
    "congestion": 34,
    "schedule-closed": 19,
}
"""What ``user_missed_call.reason`` means in Q.850; a forward is no failure and isn't here."""

FORWARDED = "unconditional-forward"


class Track:
    """Everything heard of one leg; each field is joined so that order doesn't matter."""

    __slots__ = (
        "answered_at",
        "connected",
        "ended",
        "held",
        "held_at",
        "newest",
        "newest_at",
        "phase",
        "user",
    )

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self.newest: Leg | None = None
        self.newest_at: datetime | None = None
        self.held = False
        self.held_at: datetime | None = None
        self.phase = Phase.NEW
        self.user: PbxUserId | None = None
        self.answered_at: datetime | None = None
        self.connected = False
        self.ended: Leg | None = None

    @property
    def record(self) -> Leg:
        """The record to show; only asked of a track that has one."""
        leg = self.newest or self.ended
        assert leg is not None  # noqa: S101 — conversations index no other track
        return leg

    @property
    def is_up(self) -> bool:
        """Whether somebody has picked up, and the leg is alive."""
        return self.phase is Phase.UP and self.ended is None

    def see(self, leg: Leg, at: datetime | None) -> None:
        """Take a record of the leg, of the envelope time ``at``."""
        self._join(leg)
        if supersedes(at, self.newest_at) and not self._knew_more(leg, at):
            self.newest, self.newest_at = leg, at
        self.hold(held=leg.on_hold, at=at)

    def end(self, leg: Leg) -> None:
        """Take the leg's end; of several the first."""
        self._join(leg)
        known = self.ended.ended_at if self.ended is not None else None
        if known is None or (leg.ended_at is not None and leg.ended_at < known):
            self.ended = leg

    def hold(self, *, held: bool, at: datetime | None) -> None:
        """Take what was heard of a hold."""
        if supersedes(at, self.held_at):
            self.held, self.held_at = held, at

    def restart(self, leg: Leg) -> None:
        """Take a snapshot's record: what was heard before it is old, what comes is newer."""
        self._join(leg)
        self.newest, self.newest_at = leg, None
        self.held, self.held_at = leg.on_hold, None

    def _knew_more(self, leg: Leg, at: datetime | None) -> bool:
        """Whether the record we have is of the very same moment and says more."""
        if self.newest is None or at is None or at != self.newest_at:
            return False
        return self.newest.knowledge > leg.knowledge

    def _join(self, leg: Leg) -> None:
        self.phase = max(self.phase, leg.phase)
        self.user = self.user or leg.user
        self.connected = self.connected or leg.is_connected
        if leg.answered_at is not None:
            known = self.answered_at
            self.answered_at = leg.answered_at if known is None else min(known, leg.answered_at)


def calls_in(
    conversation: ConversationId, tracks: Sequence[Track], missed: str
) -> dict[PbxUserId, list[Call]]:
    """Each person's calls in one conversation, oldest first."""
    by_user: dict[PbxUserId, list[Track]] = {}
    for track in tracks:
        if track.user is not None:
            by_user.setdefault(track.user, []).append(track)
    calls = {}
    for user, all_own in by_user.items():
        others = [track for track in tracks if track.user != user]
        calls[user] = [
            _call(user, conversation, max(own, key=_weight), own, others, missed)
            for own in _one_after_another(all_own)
        ]
    return calls


def _one_after_another(own: Sequence[Track]) -> list[list[Track]]:
    """A person's legs by call: one made after all before it had ended begins the next call."""
    # Of equal legs the lower id first, so that the order of arrival doesn't matter.
    ordered = sorted(own, key=lambda track: (_made_at(track), track.record.id))
    groups = [[ordered[0]]]
    for track in ordered[1:]:
        created = track.record.created_at
        if created is not None and all(_was_over(earlier, created) for earlier in groups[-1]):
            groups.append([track])
        else:
            groups[-1].append(track)
    return groups


def _was_over(track: Track, moment: datetime) -> bool:
    """Whether the leg is known to have ended by then."""
    ended_at = track.ended.ended_at if track.ended is not None else None
    return ended_at is not None and ended_at <= moment


def _made_at(track: Track) -> float:
    """When the leg was made, in seconds since 1970; 0 where the PBX doesn't say."""
    created = track.record.created_at
    return created.timestamp() if created is not None else 0.0


def _weight(track: Track) -> tuple[bool, int, bool, float]:
    """Which of a person's legs stands for his call: alive, furthest, talking, oldest."""
    return (track.ended is None, track.phase, track.connected, -_made_at(track))


def _call(
    user: PbxUserId,
    conversation: ConversationId,
    main: Track,
    own: Sequence[Track],
    others: Sequence[Track],
    missed: str,
) -> Call:
    record = main.record
    reached = _reached(own, others)
    call = Call(
        user=user,
        id=record.id,
        conversation=conversation,
        state=_state(main, others),
        direction=Direction.OUTGOING if record.is_caller else Direction.INCOMING,
        number=record.peer_number,
        name=record.peer_name,
        started_at=record.created_at,
        answered_at=_answered_at(main, others) if reached is CallState.TALKING else None,
        reached=reached,
        muted=record.muted and main.ended is None,
    )
    if main.ended is None:
        return call
    return replace(call, ended_at=main.ended.ended_at, cause=_cause(main, others, reached, missed))


def _state(main: Track, others: Sequence[Track]) -> CallState:
    if main.ended is not None:
        return CallState.ENDED
    record = main.record
    if main.phase < Phase.UP:
        dials = record.is_caller and main.phase is Phase.DIALLING
        return CallState.RINGING_PEER if dials else CallState.RINGING_SELF
    if main.held:
        return CallState.HELD
    talks = not record.is_caller or record.is_connected or any(track.is_up for track in others)
    return CallState.TALKING if talks else CallState.RINGING_PEER


def _reached(own: Sequence[Track], others: Sequence[Track]) -> CallState:
    """The furthest the call came; a hold is no further than talking.

    Made of what only grows, so that it is the same in whatever order the news came: two legs that
    were both up at some time in one conversation have spoken, at least by way of a transfer.
    """
    other_up = any(track.phase is Phase.UP for track in others)
    reached = CallState.RINGING_SELF
    for track in own:
        is_caller = track.record.is_caller
        if track.phase is Phase.UP:
            if track.connected or other_up or not is_caller:
                return CallState.TALKING
            reached = CallState.RINGING_PEER
        elif track.phase is Phase.DIALLING and is_caller:
            reached = CallState.RINGING_PEER
    return reached


def _answered_at(main: Track, others: Sequence[Track]) -> datetime | None:
    """When the two began to talk: a caller's own leg may have been up long before.

    The first record of a leg that is up has no time yet, the next one has (recorded, 30 ms later):
    until then nobody knows it.
    """
    own = main.answered_at
    if own is None or not main.record.is_caller:
        return own
    both = [max(own, track.answered_at) for track in others if track.answered_at is not None]
    if not both and any(track.ended is None for track in others):
        return None
    return min(both, default=own)


def _cause(main: Track, others: Sequence[Track], reached: CallState, missed: str) -> int | None:
    """Why the call ended, in Q.850.

    When a caller was not put through, the PBX's announcement often ends his leg with 16, and his
    own hanging up with 127 (recorded: call_missed). Then the reason is with the callee's leg, or
    in ``user_missed_call``; where neither knows one, he hung up himself, which is 16. Who was
    forwarded and rang nobody has heard a box or an announcement: nobody answered, which is 19.
    """
    assert main.ended is not None  # noqa: S101 — only asked of an ended leg
    own = main.ended.cause
    if reached is not CallState.RINGING_PEER or own in DECISIVE:
        return own
    if own not in {None, _NORMAL, _INTERWORKING}:
        return own
    failed = [
        track.ended
        for track in others
        if track.ended is not None and track.phase < Phase.UP and track.ended.cause in DECISIVE
    ]
    if failed:
        return max(failed, key=lambda leg: (str(leg.ended_at), leg.id)).cause
    if missed in MISSED_CAUSES:
        return MISSED_CAUSES[missed]
    if missed == FORWARDED and not others:
        return _NO_ANSWER
    return _NORMAL if own == _INTERWORKING else own
