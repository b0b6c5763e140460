"""One user's forwards and do-not-disturb: as XUC tells them, and written with its word for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from bluetel.telephony.errors import PbxUnavailable
from bluetel.telephony.types import (
    DoNotDisturbChanged,
    Forward,
    ForwardChanged,
    ForwardKind,
    Forwards,
    PbxEvent,
    PbxUserId,
    UserChanged,
)
from bluetel.telephony.xivo.decode import FORWARD_FIELDS
from bluetel.telephony.xivo.messages import ConfigUpdate, CtiMessage
from bluetel.telephony.xivo.session import READY_WITHIN, CtiSession
from bluetel.telephony.xivo.user_config import UserConfig

DOUBTED_FOR = 1.0
"""Seconds after a confirmed write in which a contradiction is checked by asking everything anew."""


class OwnSettings:
    """What a session knows of its user's settings; ``tell`` takes events for BlueTel."""

    def __init__(
        self, user: PbxUserId, session: CtiSession, tell: Callable[[PbxEvent], None]
    ) -> None:
        """Nothing is known before XUC tells it."""
        self.session = session
        self.config = UserConfig()
        self._user = user
        self._tell = tell
        self._since_open = UserConfig()
        self._is_configured = asyncio.Event()
        self._writing = asyncio.Lock()
        self._asking_anew: asyncio.Task[None] | None = None
        self._confirmed: dict[str, tuple[object, float]] = {}

    def opened(self) -> None:
        """XUC is about to tell everything anew."""
        self._since_open = UserConfig()

    def lost(self) -> None:
        """Nothing is certain any more; what was known stays to be compared with."""
        self._is_configured.clear()

    def take(self, update: ConfigUpdate) -> None:
        """Note what XUC told, and tell BlueTel what is different now."""
        self._since_open.apply(update)
        changes = self.config.apply(update)
        for kind, forward in changes.forwards.items():
            self._tell(ForwardChanged(user=self._user, kind=kind, forward=forward))
            self._doubt(kind, forward)
        if changes.do_not_disturb is not None:
            self._tell(DoNotDisturbChanged(user=self._user, enabled=changes.do_not_disturb))
            self._doubt("dnd", changes.do_not_disturb)
        if changes.is_person_changed:
            self._tell(UserChanged(user=self._user))
        if self._since_open.is_complete:
            self._is_configured.set()

    def _doubt(self, what: str, value: object) -> None:
        """A value just confirmed is another again: an old update came late, or somebody dialled.

        XUC has no command to read the settings, but tells them all when a socket opens.
        """
        confirmed, at = self._confirmed.pop(what, (value, 0.0))
        is_soon = time.monotonic() - at < DOUBTED_FOR
        if confirmed != value and is_soon and self._asking_anew is None:
            self._asking_anew = asyncio.get_running_loop().create_task(self._ask_anew())

    async def _ask_anew(self) -> None:
        async with self._writing:  # not under a write that waits for its outcome
            self._is_configured.clear()
            self._asking_anew = None
            await self.session.reopen()

    async def forwards(self) -> Forwards:
        """What the PBX told since the session opened; ``PbxUnavailable`` when it told nothing."""
        if self._asking_anew is not None:
            await asyncio.shield(self._asking_anew)
        await self._configured()
        return self.config.forwards()

    async def has_voicemail(self) -> bool:
        """Whether the user has a box."""
        await self._configured()
        return bool(self.config.has_voicemail)

    async def set_forward(self, kind: ForwardKind, forward: Forward) -> None:
        """Write one forward and wait until the PBX says so.

        Of what is there already XUC would say nothing; that it is there is told in its place.
        """
        async with self._writing:
            await self._configured()
            if self.config.forwards().by_kind[kind] == forward:
                self._tell(ForwardChanged(user=self._user, kind=kind, forward=forward))
                return

            def is_written(message: CtiMessage) -> bool:
                if not isinstance(message, ConfigUpdate) or kind not in message.forwards:
                    return False
                told = message.forwards[kind]
                is_same = told.enabled == forward.enabled
                return is_same and (not told.enabled or told.destination == forward.destination)

            await self.session.ask(
                FORWARD_FIELDS[kind],
                is_written,
                what="forward",
                changes=True,
                state=forward.enabled,
                destination=forward.destination,
            )
            self._confirmed[kind] = (self.config.forwards().by_kind[kind], time.monotonic())

    async def set_do_not_disturb(self, *, enabled: bool) -> None:
        """Switch and wait until the PBX says so; see :meth:`set_forward`."""
        async with self._writing:
            await self._configured()
            if self.config.do_not_disturb is enabled:
                self._tell(DoNotDisturbChanged(user=self._user, enabled=enabled))
                return

            def is_written(message: CtiMessage) -> bool:
                return isinstance(message, ConfigUpdate) and message.do_not_disturb is enabled

            await self.session.ask(
                "dnd", is_written, what="do-not-disturb", changes=True, state=enabled
            )
            self._confirmed["dnd"] = (enabled, time.monotonic())

    async def _configured(self) -> None:
        await self.session.ready(READY_WITHIN)
        try:
            async with asyncio.timeout(READY_WITHIN):
                await self._is_configured.wait()
        except TimeoutError:
            raise PbxUnavailable("XUC does not tell this user's settings") from None
