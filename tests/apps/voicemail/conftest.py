"""A house whose Camille (1001) has voice messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from bluetel.telephony.simulator.people import BoxMessage
from bluetel.telephony.types import VoicemailFolder
from tests.apps.house import House


class Callers:
    """Leaves messages on a box of the house."""

    def __init__(self, house: House) -> None:
        self.house = house

    def leave(
        self, number: str, *, name: str = "", to: str = "1001", ago: float = 60, **more: Any
    ) -> BoxMessage:
        """A message that came ``ago`` seconds ago."""
        return self.house.do(
            lambda model: model.leave_message(
                model.boxes[to],
                number=number,
                name=name,
                duration=more.pop("duration", 5),
                received_at=timezone.now().replace(microsecond=0) - timedelta(seconds=ago),
                **more,
            )
        )

    def on_pbx(self, extension: str = "1001") -> dict[str, VoicemailFolder]:
        """What lies in that box on the PBX: folder by id."""
        return self.house.do(
            lambda model: {one.id: one.folder for one in model.boxes[extension].messages.values()}
        )


@pytest.fixture
def callers(house: House) -> Callers:
    return Callers(house)
