"""Recorded event sockets of a real Wazo, as the messages they carried."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from bluetel.telephony.wazo.events import leg_news
from bluetel.telephony.wazo.fields import wall_clock
from bluetel.telephony.wazo.legs import LegNews
from bluetel.telephony.wazo.protocol import BusMessage

RECORDINGS = Path(__file__).resolve().parents[3] / "recordings" / "wazo"

ALICE = "77e98127-8612-4b61-aaa9-edd1933d2b27"
BOB = "b93a5375-4a71-4662-afc6-c339cfb91a84"
CAROL = "8dc3842e-61a7-4c9b-ac91-1433a345b818"

CALL_TRANSCRIPTS = (
    "call_admin_wildcard",
    "call_declined_admin_wildcard",
    "call_forwarded_admin_wildcard",
    "call_hold_admin_wildcard",
    "call_missed_admin_wildcard",
    "call_to_dnd_admin_wildcard",
    "transfer_admin_wildcard",
)


def session(name: str) -> dict[str, Any]:
    """A whole recorded session."""
    loaded: dict[str, Any] = json.loads(
        (RECORDINGS / "wazo-websocketd" / f"{name}.json").read_text()
    )
    return loaded


@cache
def messages(name: str) -> tuple[BusMessage, ...]:
    """All events of a session, in order."""
    found = []
    for entry in session(name)["frames"]:
        frame = entry["frame"]
        if entry["dir"] == "recv" and isinstance(frame, dict) and frame.get("op") == "event":
            envelope = frame["data"]
            found.append(
                BusMessage(
                    name=envelope["name"],
                    at=wall_clock(envelope["timestamp"]),
                    tenant=envelope["tenant_uuid"],
                    data=envelope["data"],
                )
            )
    return tuple(found)


@cache
def news(name: str) -> tuple[LegNews, ...]:
    """Everything a session says of call legs, in order."""
    return tuple(said for message in messages(name) if (said := leg_news(message)) is not None)
