"""What a process knows of everybody, made honest and put into words once.

People's newest states and the PBXs' links come in; records as JSON come out, the same text for all
who may see the same of a person. Whoever is not heard reads unknown: the people of a PBX whose
link is down, and while no engine is on duty also those whose chat status another server keeps.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from presence.messages import PbxFrame, honest_record, iso, visible_record
from presence.person import EPOCH_BITS, Keeper
from presence.privacy import Hidden, PrivacyBook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from presence.messages import Known, PersonRecord
    from presence.states import Links

Texts = dict[Hidden, str]


class _Link:
    """The newest that was heard of a PBX's link, and whether its people may be shown."""

    __slots__ = ("is_shown_up", "is_up", "revision", "since")

    def __init__(self) -> None:
        self.is_up = False
        self.since: str | None = None
        self.revision = -1
        self.is_shown_up = False


@dataclass(slots=True)
class Turn:
    """What turned unknown, or known again.

    ``texts`` are the records as they read before; ``is_duty`` says that an engine came or went.
    """

    pbxs: list[int] = field(default_factory=list)
    is_duty: bool = False
    texts: dict[str, Texts] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.pbxs) or self.is_duty

    def concerns(self, known: Known) -> bool:
        """Whether it makes somebody's record another."""
        return known["pbx"] in self.pbxs or (self.is_duty and known["im_by"] == Keeper.XMPP)


class Records:
    """Everybody's record, at one revision that only grows.

    ``edition`` grows, too, whenever a frame about the same people may read otherwise than before.
    """

    def __init__(self) -> None:
        self.revision = 0
        self.privacy = PrivacyBook()
        self.known: dict[str, Known] = {}
        self._texts: dict[str, Texts] = {}
        self.edition = 0
        self._links: defaultdict[int, _Link] = defaultdict(_Link)
        self._epoch = 0
        self._is_silent = True
        self._was_silent = True
        self._silent_since: str | None = None

    # --- What comes in ----------------------------------------------------------------------------

    def is_current(self, revision: int) -> bool:
        """False for what a deposed engine says."""
        return revision >> EPOCH_BITS >= self._epoch

    def learn(self, people: Iterable[Known]) -> Iterator[tuple[str, Texts | None]]:
        """Take newer states; gives whose, with the texts before. Late ones change nothing."""
        newest = 0
        for one in people:
            user_id = one["person"]["user_id"]
            before = self.known.get(user_id)
            if before is not None and before["revision"] >= one["revision"]:
                continue
            newest = max(newest, one["revision"])
            earlier = self._texts.pop(user_id, None)
            self.known[user_id] = one
            yield user_id, earlier
        if newest:
            # What this process said by itself meanwhile must not outdo what it says now.
            self.revision = max(self.revision + 1, newest)
            self.edition += 1

    def drop(self, users: Iterable[str]) -> None:
        """Forget people who are gone."""
        for user_id in users:
            self.known.pop(user_id, None)
            self._texts.pop(user_id, None)
        self.edition += 1

    def take_link(self, pbx: int, *, is_up: bool, since: str | None, revision: int) -> None:
        """Take what is said of a PBX's link; :meth:`turn` then tells what that changes."""
        link = self._links[pbx]
        if revision <= link.revision or not self.is_current(revision):
            return
        link.is_up, link.since, link.revision = is_up, since, revision
        if revision >> EPOCH_BITS > self._epoch:
            self._epoch = revision >> EPOCH_BITS
            self._is_silent = False

    def heed(self, links: Links) -> None:
        """Take what the rows say of the links and of the engine.

        Without an engine on duty nobody is heard, whatever the links' rows say.
        """
        self._epoch = max(self._epoch, links.epoch)
        self._is_silent = links.silent_since is not None
        self._silent_since = iso(links.silent_since)
        for pbx, row in links.by_pbx.items():
            self.take_link(pbx, is_up=row.is_up, since=iso(row.since), revision=row.revision)

    def go_silent(self, since: str | None) -> None:
        """Know nothing of the engine any more."""
        self._is_silent = True
        self._silent_since = since

    def turn(self) -> Turn:
        """Show who is heard as it is now; gives what that changed."""
        turn = Turn(is_duty=self._is_silent != self._was_silent)
        self._was_silent = self._is_silent
        for pbx, link in self._links.items():
            is_of_now = link.revision >> EPOCH_BITS == self._epoch
            is_heard = link.is_up and not self._is_silent and is_of_now
            if is_heard != link.is_shown_up:
                link.is_shown_up = is_heard
                turn.pbxs.append(pbx)
        if turn:
            self.revision += 1
            for user_id in [one for one, known in self.known.items() if turn.concerns(known)]:
                turn.texts[user_id] = self._texts.pop(user_id, {})
            self.edition += 1
        return turn

    def keep_private(self, book: PrivacyBook) -> PrivacyBook:
        """Take the audiences people chose; gives those before."""
        before, self.privacy = self.privacy, book
        self.revision += 1
        self.edition += 1
        return before

    # --- What goes out ----------------------------------------------------------------------------

    def is_up(self, pbx: int) -> bool:
        """Whether a PBX is heard, as far as has been shown."""
        return self._links[pbx].is_shown_up

    def text(self, user_id: str, hidden: Hidden) -> str:
        """A person's record as JSON, as some of his colleagues may see it now; empty for nobody."""
        known = self.known.get(user_id)
        if known is None:
            return ""
        texts = self._texts.setdefault(user_id, {})
        text = texts.get(hidden)
        if text is None:
            record = visible_record(self._honest(known), hidden)
            text = texts[hidden] = json.dumps(record, separators=(",", ":"))
        return text

    def frame(self, kind: str, users: Iterable[str], hidden: Callable[[str], Hidden]) -> str:
        """A frame about these people; ``hidden`` gives what of each must not be seen."""
        texts = (self.text(user_id, hidden(user_id)) for user_id in users)
        people = ",".join(text for text in texts if text)
        return f'{{"type":"{kind}","revision":{self.revision},"people":[{people}]}}'

    def pbx_frame(self, pbx: int) -> str:
        """The frame that tells whether a PBX is heard."""
        link = self._links[pbx]
        frame = PbxFrame(
            type="pbx",
            state="up" if link.is_shown_up else "down",
            since=link.since if link.is_shown_up else self._down_since(pbx),
        )
        return json.dumps(frame, separators=(",", ":"))

    def _honest(self, known: Known) -> PersonRecord:
        pbx = known["pbx"]
        return honest_record(
            known,
            is_pbx_heard=pbx is None or self._links[pbx].is_shown_up,
            is_engine_heard=not self._is_silent,
            since=self._silent_since if pbx is None else self._down_since(pbx),
        )

    def _down_since(self, pbx: int) -> str | None:
        return self._silent_since if self._is_silent else self._links[pbx].since
