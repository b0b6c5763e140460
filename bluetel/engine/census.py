"""Who there is to keep states of: users and PBXs, as the rows say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Max

from bluetel.accounts.models import Pbx, User
from bluetel.accounts.pbx import config_of
from bluetel.telephony.types import PbxUserId
from presence import states, xmpp_watch
from presence.person import Keeper, Member

if TYPE_CHECKING:
    from bluetel.telephony.ports import PbxConfig
    from presence.person import Person

KINDS_WITH_CHAT = frozenset({Pbx.Kind.WAZO})
"""The PBXs that keep a chat status for each person."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A PBX row and how it is reached; a changed one is listened to anew."""

    pbx: Pbx
    config: PbxConfig


def read_exchanges() -> dict[int, Exchange]:
    """All PBXs by row id; those without an address aren't there yet."""
    rows = Pbx.objects.exclude(url="")
    return {pbx.pk: Exchange(pbx, config_of(pbx)) for pbx in rows}


def read_members() -> list[Member]:
    """Everybody who may sign in; who has no place on a PBX has no phone to show."""
    by_xmpp = {reader.user_id for reader in xmpp_watch.configured_readers()}
    rows = User.objects.filter(is_active=True).values_list(
        "pk", "first_name", "last_name", "username", "pbx_id", "pbx_user_id", "pbx__kind"
    )
    return [
        Member(
            user_id=str(pk),
            name=f"{first} {last}".strip() or username,
            pbx=pbx if pbx_user else None,
            pbx_user=PbxUserId(pbx_user) if pbx and pbx_user else None,
            keeper=_keeper(kind, is_on_xmpp=pk in by_xmpp),
            has_chat_on_pbx=kind in KINDS_WITH_CHAT,
        )
        for pk, first, last, username, pbx, pbx_user, kind in rows.iterator(chunk_size=2000)
    ]


def _keeper(kind: str | None, *, is_on_xmpp: bool) -> Keeper:
    if is_on_xmpp:
        return Keeper.XMPP
    return Keeper.PBX if kind in KINDS_WITH_CHAT else Keeper.BLUETEL


def fingerprint() -> tuple[int, int]:
    """Something cheap that changes when people come or go."""
    found = User.objects.filter(is_active=True).aggregate(count=Count("pk"), newest=Max("pk"))
    return found["count"], found["newest"] or 0


def last_shown() -> list[Person]:
    """What an earlier engine wrote of people."""
    users = User.objects.filter(is_active=True, presence_state__isnull=False)
    return states.persons(users)
