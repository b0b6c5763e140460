"""What the simulated services of one PBX share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from bluetel.telephony.simulator.clock import real_time
from bluetel.telephony.simulator.http import JsonObject
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.traffic import Traffic
from bluetel.telephony.simulator.wazo_server.faults import Faults
from bluetel.telephony.simulator.wazo_server.tokens import TokenStore

VERSION = "26.08"
TENANT = str(uuid5(NAMESPACE_URL, "bluetel-demo:tenant"))
TENANT_NAME = "Demo"
PBX_UUID = str(uuid5(NAMESPACE_URL, "bluetel-demo:pbx"))
CONTEXT = "ctx-demo-internal"


@dataclass(slots=True, eq=False, kw_only=True)
class Site:
    """One simulated Wazo: its model, accounts, faults and the log of what it was asked.

    ``zone`` is the PBX's own time zone: many of its times are local and say so, or don't.
    ``expire_tokens`` and ``drop_stream`` are what the faults of that name do at once.
    """

    pbx: SimulatedPbx
    tokens: TokenStore
    faults: Faults = field(default_factory=Faults)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Paris"))
    clock: Callable[[], datetime] = real_time
    requests: list[JsonObject] = field(default_factory=list)
    traffic: Traffic = field(default_factory=Traffic)
    expire_tokens: Callable[[], None] = lambda: None
    drop_stream: Callable[[], None] = lambda: None

    def catch_up(self) -> None:
        """Let the model see what time it is."""
        self.pbx.run_until(self.clock())

    def epoch(self) -> float:
        """Now in seconds, as error bodies carry it."""
        return self.pbx.now.timestamp()

    def local(self, at: datetime) -> str:
        """Local and naive ISO time, as the bus stamps its events."""
        return at.astimezone(self.zone).replace(tzinfo=None).isoformat()

    def offset(self, at: datetime | None) -> str | None:
        """Local ISO time with its offset."""
        return at.astimezone(self.zone).isoformat() if at else None
