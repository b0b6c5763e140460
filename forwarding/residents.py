"""Whose forwards the engine has to look at, by PBX."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.functions import Cast

from bluetel.accounts.models import User
from bluetel.telephony.types import PbxUserId
from bluetel.work.models import Due
from forwarding.models import Automation, Line
from forwarding.steps import EDGE

_OURS = Q(applied__isnull=False) | Q(intended__isnull=False) | ~Q(wanted={})


def users_at(pbx_id: int) -> list[tuple[int, bool]]:
    """The users of a PBX who may have something there, and whether it may be ours; those first."""
    here = Line.objects.filter(user__pbx_id=pbx_id)
    ours = list(here.filter(_OURS).order_by("pk").values_list("pk", flat=True))
    known = set(ours)
    rules = Automation.objects.filter(user__pbx_id=pbx_id).exclude(
        calendar_route=Automation.Route.NOTHING, im_route=Automation.Route.NOTHING
    )
    others = [pk for pk in rules.order_by("pk").values_list("pk", flat=True) if pk not in known]
    return [(pk, True) for pk in ours] + [(pk, False) for pk in others]


def users_by_pbx_id(
    wanted: Collection[tuple[int, PbxUserId]],
) -> dict[tuple[int, PbxUserId], int]:
    """Users by their places on the PBXs."""
    found: dict[tuple[int, PbxUserId], int] = {}
    for pbx_id in {pbx_id for pbx_id, _ in wanted}:
        names = [name for pbx, name in wanted if pbx == pbx_id]
        rows = User.objects.filter(pbx_id=pbx_id, pbx_user_id__in=names)
        for pk, name in rows.values_list("pk", "pbx_user_id"):
            found[pbx_id, PbxUserId(name)] = pk
    return found


def users_left_alone() -> list[int]:
    """Who has something of ours on a PBX and no edge at which it would be looked at."""
    edge = Due.objects.filter(kind=EDGE, subject=OuterRef("subject"))
    lines = Line.objects.filter(_OURS).annotate(subject=Cast("pk", CharField()))
    return list(lines.exclude(Exists(edge)).values_list("pk", flat=True))


def users_with_ours(user_ids: Collection[int]) -> list[int]:
    """Those of these users whose PBX holds, or may hold, something of ours."""
    lines = Line.objects.filter(_OURS, pk__in=list(user_ids)).order_by("pk")
    return list(lines.values_list("pk", flat=True))


def users_with_something() -> list[int]:
    """Everybody with something of ours on a PBX, or with a rule that may put something there."""
    rules = Automation.objects.exclude(
        calendar_route=Automation.Route.NOTHING, im_route=Automation.Route.NOTHING
    )
    ours = Line.objects.filter(_OURS)
    return sorted({*rules.values_list("pk", flat=True), *ours.values_list("pk", flat=True)})
