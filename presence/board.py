"""The board: everybody's states, kept right by snapshots and events; pure.

It is the engine's memory. What goes in are whole values with the time they came; what comes out
are the people whose shown state changed, each with a revision greater than all before. Whatever is
not known reads unknown, so a lost link is nothing but forgetting.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bluetel.telephony.text import safe_text
from bluetel.telephony.types import (
    ChatState,
    DoNotDisturbChanged,
    PbxUserId,
    Presence,
    PresenceChanged,
)
from presence.person import EPOCH_BITS, REVISION_STEP, Keeper, Member, Person, Standing
from presence.rules import (
    MESSAGE_LIMIT,
    ON_PBX,
    ImClaim,
    ImDecision,
    ImState,
    PhoneState,
    im_state,
    is_newer,
    phone_state,
    resolve_im,
    shown_message,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class _Mark:
    """When something was last said: the envelope's time and ours."""

    at: datetime | None
    received: datetime


@dataclass(slots=True)
class _Facts:
    """What is known of one member; ``presence`` is None while nothing is.

    ``is_restored`` marks somebody who still shows what an earlier engine wrote, until a snapshot
    or a lost link says more.
    """

    member: Member
    is_restored: bool = False
    presence: Presence | None = None
    presence_mark: _Mark | None = None
    do_not_disturb: bool = False
    dnd_mark: _Mark | None = None
    has_page: bool = False
    claims: tuple[ImClaim, ...] = ()

    @property
    def is_there(self) -> bool:
        """Whether he has a page open, or a chat session on the PBX that keeps his status."""
        is_connected = self.presence is not None and self.presence.connected
        return self.has_page or (self.member.chats_on_pbx and is_connected)

    def decide(self, at: datetime) -> ImDecision:
        """His chat status as the claims on it say."""
        return resolve_im(self.claims, at, is_there=self.is_there)


@dataclass(slots=True)
class Board:
    """The states of all members of all PBXs, under one sequence of revisions.

    Sequences given to a method may be slices of a whole, so that a caller on an event loop can
    breathe between them.
    """

    epoch: int
    _count: int = 0
    _facts: dict[str, _Facts] = field(default_factory=dict)
    _people: dict[str, Person] = field(default_factory=dict)
    _by_pbx: dict[int, dict[PbxUserId, str]] = field(default_factory=dict)

    @property
    def revision(self) -> int:
        """The newest revision given out."""
        return (self.epoch << EPOCH_BITS) + self._count * REVISION_STEP

    def next_revision(self) -> int:
        """A revision greater than all before."""
        self._count += 1
        return self.revision

    def person(self, user_id: str) -> Person | None:
        """What colleagues see of a member."""
        return self._people.get(user_id)

    def pbx_users(self, pbx: int) -> list[PbxUserId]:
        """Everybody on a PBX, by the PBX's own ids."""
        return list(self._by_pbx.get(pbx, {}))

    def pbx_user_of(self, user_id: str, pbx: int) -> PbxUserId | None:
        """A member's own id on a PBX, None when he isn't on that one."""
        facts = self._facts.get(user_id)
        member = facts.member if facts is not None else None
        return member.pbx_user if member is not None and member.pbx == pbx else None

    def user_id_of(self, pbx: int, pbx_user: PbxUserId) -> str | None:
        """Who a person of a PBX is here."""
        return self._by_pbx.get(pbx, {}).get(pbx_user)

    # --- Who there is ---------------------------------------------------------------------------

    def restore(self, people: Iterable[Person]) -> None:
        """Remember what was last shown, so that unchanged states keep their times."""
        for person in people:
            self._people[person.user_id] = person

    def enrol(self, members: Iterable[Member], *, at: datetime) -> list[Person]:
        """Add people, or bring their names and PBX up to date; nothing else is touched."""
        changed = []
        for member in members:
            facts = self._facts.get(member.user_id)
            if facts is not None and facts.member == member:
                continue
            if facts is None or _place(facts.member) != _place(member):
                self._unplace(member.user_id)
                has_page, claims = (facts.has_page, facts.claims) if facts else (False, ())
                facts = _Facts(member, self._has_earlier(member), has_page=has_page, claims=claims)
                self._facts[member.user_id] = facts
                if member.pbx is not None and member.pbx_user is not None:
                    self._by_pbx.setdefault(member.pbx, {})[member.pbx_user] = member.user_id
            facts.member = member
            changed += self._show(facts, at)
        return changed

    def _has_earlier(self, member: Member) -> bool:
        earlier = self._people.get(member.user_id)
        return earlier is not None and member.pbx is not None and earlier.pbx == member.pbx

    def dismiss(self, user_ids: Iterable[str]) -> list[str]:
        """Forget people who are gone; gives those who were here."""
        gone = [user_id for user_id in user_ids if user_id in self._facts]
        for user_id in gone:
            self._unplace(user_id)
            del self._facts[user_id]
            self._people.pop(user_id, None)
        return gone

    @property
    def user_ids(self) -> set[str]:
        """Everybody on the board."""
        return set(self._facts)

    # --- What the PBX says ----------------------------------------------------------------------

    def load(
        self,
        pbx: int,
        presences: Iterable[Presence],
        *,
        asked: Sequence[PbxUserId],
        at: datetime,
    ) -> list[Person]:
        """Take a snapshot of the people ``asked`` about; whom it leaves out, the PBX doesn't know.

        What was said before, and when, counts no more.
        """
        told = {presence.user: presence for presence in presences}
        changed = []
        for pbx_user in asked:
            facts = self._facts_of(pbx, pbx_user)
            if facts is None:
                continue
            facts.is_restored = False
            facts.presence = told.get(pbx_user)
            facts.do_not_disturb = bool(facts.presence and facts.presence.do_not_disturb)
            facts.presence_mark = facts.dnd_mark = None
            changed += self._show(facts, at)
        return changed

    def apply(
        self, pbx: int, event: PresenceChanged | DoNotDisturbChanged, *, received: datetime
    ) -> list[Person]:
        """Take an event; late, doubled and unknown ones change nothing."""
        mark = _Mark(event.at, received)
        presence = event.presence if isinstance(event, PresenceChanged) else None
        facts = self._facts_of(pbx, _subject(event))
        if facts is None:
            return []
        if presence is not None:
            facts.is_restored = False
            if _overrules(mark, facts.presence_mark):
                facts.presence, facts.presence_mark = presence, mark
        if _overrules(mark, facts.dnd_mark):
            facts.do_not_disturb, facts.dnd_mark = _do_not_disturb(event), mark
        return self._show(facts, received)

    def forget(self, pbx: int, pbx_users: Iterable[PbxUserId], *, at: datetime) -> list[Person]:
        """Know nothing of these people any more."""
        return self.load(pbx, (), asked=list(pbx_users), at=at)

    def link_down(self, pbx: int, *, at: datetime) -> list[Person]:
        """Know nothing of anybody on this PBX any more."""
        return self.forget(pbx, self.pbx_users(pbx), at=at)

    # --- What BlueTel's own pages say -----------------------------------------------------------

    def page(self, user_id: str, *, is_open: bool, at: datetime) -> list[Person]:
        """Note whether somebody has a BlueTel page open."""
        facts = self._facts.get(user_id)
        if facts is None or facts.has_page == is_open:
            return []
        facts.has_page = is_open
        return self._show(facts, at)

    # --- What claims say ------------------------------------------------------------------------

    def claim(self, user_id: str, claims: Iterable[ImClaim], *, at: datetime) -> list[Person]:
        """Take all claims on somebody's chat status, in place of those before."""
        facts = self._facts.get(user_id)
        if facts is None:
            return []
        facts.claims = tuple(claims)
        return self._show(facts, at)

    def claims_of(self, user_id: str) -> tuple[ImClaim, ...]:
        """The claims on somebody's chat status."""
        facts = self._facts.get(user_id)
        return facts.claims if facts else ()

    def pass_edge(self, user_id: str, *, at: datetime) -> list[Person]:
        """Look again at somebody whose claims begin or end at ``at``."""
        facts = self._facts.get(user_id)
        return self._show(facts, at) if facts else []

    def standing(self, user_id: str, *, at: datetime) -> Standing | None:
        """What must be known to keep somebody's status on the PBX.

        None where he has none there, or nothing is known of it.
        """
        facts = self._facts.get(user_id)
        if facts is None or facts.presence is None:
            return None
        member = facts.member
        if not (member.chats_on_pbx or member.is_followed_by_pbx):
            return None
        if facts.is_restored or member.pbx is None or member.pbx_user is None:
            return None
        return Standing(
            pbx=member.pbx,
            pbx_user=member.pbx_user,
            presence=facts.presence,
            has_page=facts.has_page,
            decision=facts.decide(at),
            is_follower=member.is_followed_by_pbx,
        )

    def is_kept_on_pbx(self, user_id: str) -> bool:
        """Whether the PBX is whose word counts for somebody's chat status."""
        facts = self._facts.get(user_id)
        return facts is not None and facts.member.chats_on_pbx

    def write_chat(
        self, user_id: str, chat: ChatState, message: str, *, at: datetime
    ) -> list[Person]:
        """Show what is being written to the PBX as if it stood there already."""
        facts = self._facts.get(user_id)
        if facts is None or facts.presence is None:
            return []
        facts.presence = replace(facts.presence, chat=chat, message=message)
        return self._show(facts, at)

    # --- Inside ---------------------------------------------------------------------------------

    def _facts_of(self, pbx: int, pbx_user: PbxUserId) -> _Facts | None:
        user_id = self.user_id_of(pbx, pbx_user)
        return None if user_id is None else self._facts[user_id]

    def _unplace(self, user_id: str) -> None:
        facts = self._facts.get(user_id)
        if facts is None or facts.member.pbx is None or facts.member.pbx_user is None:
            return
        places = self._by_pbx[facts.member.pbx]
        if places.get(facts.member.pbx_user) == user_id:
            del places[facts.member.pbx_user]

    def _show(self, facts: _Facts, at: datetime) -> list[Person]:
        """Bring the shown record up to the facts; gives it when it changed."""
        before = self._people.get(facts.member.user_id)
        after = _person(facts, at)
        if before is not None and facts.is_restored:
            after = replace(before, name=facts.member.name)
        elif before is None:
            after = replace(after, phone_since=at, im_since=at)
        else:
            after = replace(
                after,
                phone_since=before.phone_since if before.phone == after.phone else at,
                im_since=before.im_since if before.im == after.im else at,
                revision=before.revision,
            )
        if after == before:
            return []
        after = replace(after, revision=self.next_revision())
        self._people[after.user_id] = after
        return [after]


def _person(facts: _Facts, at: datetime) -> Person:
    member, presence = facts.member, facts.presence
    phone = PhoneState.OFFLINE
    if member.pbx is not None:
        phone = phone_state(
            presence.phone if presence else None, do_not_disturb=facts.do_not_disturb
        )
    im, message = _im_of(facts, at)
    return Person(
        user_id=member.user_id,
        name=member.name,
        pbx=member.pbx,
        phone=phone,
        im=im,
        message=shown_message(message, im),
        keeper=(
            Keeper.BLUETEL if member.pbx is None and member.keeper is Keeper.PBX else member.keeper
        ),
        is_there=facts.is_there,
    )


def _im_of(facts: _Facts, at: datetime) -> tuple[ImState, str]:
    """The chat status and its message.

    What is chosen on the PBX counts while its owner is there, what is claimed here counts anyway.
    """
    presence = facts.presence
    decision = facts.decide(at)
    if not facts.member.chats_on_pbx:
        return decision.status, decision.message
    if presence is None:
        return ImState.UNKNOWN, ""
    if decision.winner is not None and decision.winner.ref != ON_PBX:
        return decision.status, decision.message
    im = im_state(presence.chat, is_connected=presence.connected, has_page=facts.has_page)
    return im, safe_text(presence.message, limit=MESSAGE_LIMIT)


def _subject(event: PresenceChanged | DoNotDisturbChanged) -> PbxUserId:
    return event.presence.user if isinstance(event, PresenceChanged) else event.user


def _do_not_disturb(event: PresenceChanged | DoNotDisturbChanged) -> bool:
    if isinstance(event, PresenceChanged):
        return event.presence.do_not_disturb
    return event.enabled


def _place(member: Member) -> tuple[int | None, PbxUserId | None]:
    return member.pbx, member.pbx_user


def _overrules(mark: _Mark, earlier: _Mark | None) -> bool:
    if earlier is None:
        return True
    return is_newer(mark.at, mark.received, than=earlier.at, than_received=earlier.received)
