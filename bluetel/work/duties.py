"""Long-lived work of the features inside the engine: a mailbox watched, an XMPP session, forwards.

``settings.ENGINE_DUTIES`` names the duties by dotted path; each is made without arguments when the
engine comes on duty, so exactly one of each lives at a time. One that fails is made anew after a
while, and the engine goes on without it meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from bluetel.telephony.types import PbxEvent
    from bluetel.work.leases import Held

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Post(Protocol):
    """What the engine gives a duty for as long as its reign lasts."""

    @property
    def held(self) -> Held:
        """The engine's lease: check it in the transaction that records an effect."""

    async def database(
        self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Run what reads or writes the database, in a thread shared by all duties."""

    async def run(self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run what may block for long, in one of the few threads this duty has to itself.

        It may use the database too, outside of its waits for others.
        """

    async def publish(self, message: Mapping[str, object]) -> None:
        """Tell the web processes: one of ``presence.messages.HubMessage``."""


class Duty(Protocol):
    """One kind of long-lived work; derive from it to get the hooks that do nothing.

    Hooks run on the engine's loop between two events: they take note and return at once, and leave
    the work to ``run``. They are called from the moment the duty is made, before ``run`` begins.
    ``on_pbx_event`` also comes before the PBX is heard and while a snapshot is read.
    """

    async def run(self, post: Post) -> None:
        """Work until cancelled; who returns is done until another engine's reign."""

    def on_pbx_event(self, pbx_id: int, event: PbxEvent) -> None:
        """The stream of a PBX said this, just now."""

    def on_pbx_heard(self, pbx_id: int) -> None:
        """The stream is open and a snapshot taken: read again what events may have been missed.

        Comes after each opening of the stream, and for every PBX heard when the duty is made.
        """

    def on_pbx_lost(self, pbx_id: int) -> None:
        """The stream closed or the PBX can't be read: nothing is known until it is heard again."""
