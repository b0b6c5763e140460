"""The decisions by which calls are diverted, kept for the call log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.utils import translation

from bluetel.calls.diversions import DiversionRecord, note_diversions
from forwarding.rules import RouteKind, route_at
from forwarding.situation import Known, own_of
from forwarding.wording import reason_text


def note_routes(known: Sequence[Known], *, now: datetime) -> None:
    """Note since when and why the calls of these users are diverted, where that has changed."""
    note_diversions({one.user.pk: _record(one, now=now) for one in known}, at=now)


def _record(known: Known, *, now: datetime) -> DiversionRecord | None:
    if known.line.own is None:
        return None
    route = route_at(replace(known.situation, own=own_of(known.line)), now)
    if route.kind is RouteKind.OWN:
        return None
    with translation.override(known.user.language or settings.LANGUAGE_CODE):
        reason = reason_text(route.reason)
    return DiversionRecord(
        route=route.kind,
        destination=route.destination if route.kind is RouteKind.NUMBER else None,
        source=route.source,
        reason=reason,
    )
