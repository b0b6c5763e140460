"""Who and what a simulated PBX knows: people, their lines, boxes and directory entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from bluetel.telephony.types import (
    ChatState,
    Forward,
    ForwardKind,
    LineState,
    PbxUserId,
    VoicemailFolder,
)

if TYPE_CHECKING:
    from bluetel.telephony.simulator.legs import Leg

REMOTE_CONTROLLED_MAKES = frozenset({"Yealink", "Fanvil"})
"""The makes of desk phone that take hold and answer from afar (reference/wazo.md §2)."""


@dataclass(slots=True, eq=False, kw_only=True)
class DeskLine:
    """A line with the one desk phone on it; ``legs`` are the live calls at that phone."""

    id: int
    extension: str
    make: str = "Yealink"
    plugged: bool = True
    legs: list[Leg] = field(default_factory=list, repr=False)

    @property
    def takes_remote_control(self) -> bool:
        """Whether the PBX can make this phone answer or hold."""
        return self.make in REMOTE_CONTROLLED_MAKES

    @property
    def state(self) -> LineState:
        """What the phone is doing, in the merge order of ``LineState``."""
        if not self.plugged:
            return LineState.UNAVAILABLE
        if not self.legs:
            return LineState.AVAILABLE
        states = {leg.line_state for leg in self.legs}
        return next(state for state in LineState if state in states)


@dataclass(slots=True, eq=False, kw_only=True)
class Chat:
    """What somebody chose to show; ``message`` None and empty are different on the wire."""

    state: ChatState = ChatState.NEVER_CHOSEN
    message: str | None = None
    chosen_at: datetime | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class BoxMessage:
    """A recorded message; the tone of its audio follows from ``serial``."""

    id: str
    serial: int
    number: str
    name: str
    duration: int
    received_at: datetime
    folder: VoicemailFolder = VoicemailFolder.NEW
    transcript: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class Box:
    """A voicemail box with its messages by id, oldest first."""

    id: int
    number: str
    name: str
    owner: PbxUserId
    messages: dict[str, BoxMessage] = field(default_factory=dict, repr=False)
    greetings: dict[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(slots=True, eq=False, kw_only=True)
class Person:
    """Somebody with an account on the PBX, and usually a line.

    ``sessions`` counts his live sign-ins: one or more make him ``connected``. ``call_limit`` is how
    many calls his phone takes at once; the next caller finds him busy.
    """

    id: PbxUserId
    number: int
    first_name: str
    last_name: str
    email: str = ""
    login: str = ""
    password: str = field(default="", repr=False)
    mobile: str = ""
    language: str = "fr_FR"
    time_zone: str = "Europe/Paris"
    ring_seconds: int = 30
    call_limit: int = 1
    lines: list[DeskLine] = field(default_factory=list)
    box: Box | None = None
    do_not_disturb: bool = False
    forwards: dict[ForwardKind, Forward] = field(
        default_factory=lambda: {kind: Forward() for kind in ForwardKind}
    )
    chat: Chat = field(default_factory=Chat)
    sessions: int = 0
    enabled: bool = True

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def extension(self) -> str:
        """The main line's extension, or the empty string."""
        return self.lines[0].extension if self.lines else ""

    @property
    def connected(self) -> bool:
        """Whether the PBX sees at least one session of his."""
        return self.sessions > 0

    @property
    def line_state(self) -> LineState:
        """His lines merged; UNAVAILABLE without a line."""
        states = {line.state for line in self.lines}
        return next((state for state in LineState if state in states), LineState.UNAVAILABLE)

    @property
    def legs(self) -> Sequence[Leg]:
        """His live legs over all lines."""
        return [leg for line in self.lines for leg in line.legs]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideEntry:
    """A company or person of the PBX's directory who has no account on it."""

    name: str
    company: str
    number: str
    mobile: str = ""
    email: str = ""
