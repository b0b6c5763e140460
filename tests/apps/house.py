"""A whole house for app tests: the cast on a PBX in memory, and BlueTel's users tied to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from django.test import Client

from bluetel.accounts.models import Pbx, User
from bluetel.accounts.services import create_api_token, sync_users
from bluetel.calls.messages import CallRecord
from bluetel.calls.tracking import apply_pbx_calls
from bluetel.telephony.ports import PbxConfig
from bluetel.telephony.simulator import memory_views, scenario
from bluetel.telephony.simulator.events import LegEvent, SimulatorEvent
from bluetel.telephony.simulator.legs import Leg, LegStatus
from bluetel.telephony.simulator.memory import MemoryBackend
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.types import Call

T = TypeVar("T")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PASSWORD = "demo"

_backends: dict[str, MemoryBackend] = {}


def remove_everybody(model: SimulatedPbx) -> None:
    """As if the account could see nobody any more."""
    for person in list(model.everybody()):
        model.remove_person(person)


def open_backend(config: PbxConfig) -> MemoryBackend:
    """What ``PBX_BACKENDS`` names in app tests."""
    return _backends[config.name]


class House:
    """The PBX ``pbx``, its ``backend``, and people by extension."""

    def __init__(self, name: str = "house") -> None:
        self.backend = MemoryBackend(scenario.build(now=NOW, history=False))
        _backends[name] = self.backend
        self.pbx = Pbx.objects.create(name=name, kind=Pbx.Kind.WAZO, url=f"https://{name}.test")
        sync_users(self.pbx, self.backend.users())
        User.objects.update(language="")  # pages in English, as the browser asks
        self._heard: list[Call] = []
        self.backend.do(lambda model: model.listen(self._hear))

    def _hear(self, event: SimulatorEvent) -> None:
        if isinstance(event, LegEvent) and event.leg.person:
            self._heard.append(memory_views.call_of(event.leg, event.leg.person))

    def user(self, extension: str) -> User:
        """BlueTel's user of that extension, read anew."""
        return User.objects.select_related("pbx").get(extension=extension)

    def token(self, extension: str) -> str:
        """An API token of theirs."""
        return create_api_token(self.user(extension))

    def browser(self, extension: str) -> Client:
        """A browser signed in as them, which checks CSRF tokens as real ones."""
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(
            self.user(extension), backend="bluetel.accounts.backends.AccountBackend"
        )
        return browser

    def do(self, action: Callable[[SimulatedPbx], T]) -> T:
        """Do something at the PBX."""
        return self.backend.do(action)

    def leg(self, extension: str) -> Leg:
        """The live call at that phone."""
        return self.do(lambda model: model.lines[extension][1].legs[0])

    def is_ringing(self, extension: str) -> bool:
        """Whether that phone rings now."""
        return self.do(
            lambda model: any(
                leg.status is LegStatus.RINGING for leg in model.lines[extension][1].legs
            )
        )

    def has_call(self, extension: str) -> bool:
        """Whether anything goes on at that phone."""
        return self.do(lambda model: bool(model.lines[extension][1].legs))

    def answer(self, extension: str) -> None:
        """Pick the phone up."""
        leg = self.leg(extension)
        self.do(lambda model: model.answer(leg))

    def reject(self, extension: str, *, busy: bool = False) -> None:
        """Press the key that refuses a call."""
        leg = self.leg(extension)
        self.do(lambda model: model.reject(leg, busy=busy))

    def put_down(self, extension: str) -> None:
        """Put the handset down."""
        leg = self.leg(extension)
        self.do(lambda model: model.put_down(leg))

    def hear(self, *, now: datetime = NOW) -> list[tuple[int, CallRecord]]:
        """Let the engine's part happen: what the PBX told since the last time reaches the rows."""
        heard, self._heard = self._heard, []
        return apply_pbx_calls(self.pbx, heard, now=now)

    def commands(self) -> list[str]:
        """What was asked of the PBX's model, newest last."""
        return [write.what for write in self.do(lambda model: list(model.writes))]
