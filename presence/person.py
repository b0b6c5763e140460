"""The people of the board: who they are, what of them is shown, and what stands on the PBX."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from presence.rules import ImState, PhoneState

if TYPE_CHECKING:
    from datetime import datetime

    from bluetel.telephony.types import PbxUserId, Presence
    from presence.rules import ImDecision

EPOCH_BITS = 32
REVISION_STEP = 4
"""The engine leaves room between its revisions, for what a web process must say by itself (that
the engine is gone) until the engine speaks again."""


class Keeper(StrEnum):
    """Who keeps somebody's chat status: the one source that counts for him, others follow it."""

    PBX = "pbx"
    BLUETEL = "bluetel"
    XMPP = "xmpp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody on the board: ``pbx`` is the PBX's row id, None for people without a PBX.

    ``has_chat_on_pbx`` says that his PBX has a chat status for him, which follows where another
    keeps his.
    """

    user_id: str
    name: str
    pbx: int | None = None
    pbx_user: PbxUserId | None = None
    keeper: Keeper = Keeper.PBX
    has_chat_on_pbx: bool = False

    @property
    def is_followed_by_pbx(self) -> bool:
        """Whether the PBX has a chat status for him that somebody else keeps."""
        return self.pbx is not None and self.keeper is Keeper.XMPP and self.has_chat_on_pbx

    @property
    def chats_on_pbx(self) -> bool:
        """Whether the PBX keeps his chat status."""
        return self.pbx is not None and self.keeper is Keeper.PBX


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What colleagues see of somebody; the times say since when, None where nobody knows.

    ``keeper`` tells whose silence makes his chat status unknown; ``is_there`` is for his own eyes.
    """

    user_id: str
    name: str
    pbx: int | None
    phone: PhoneState
    im: ImState
    message: str = ""
    keeper: Keeper = Keeper.PBX
    is_there: bool = False
    phone_since: datetime | None = None
    im_since: datetime | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Somebody who has a status on the PBX: what stands there, and what ought to.

    ``is_follower`` while the PBX doesn't keep his status, but follows who does.
    """

    pbx: int
    pbx_user: PbxUserId
    presence: Presence
    has_page: bool
    decision: ImDecision
    is_follower: bool = False
