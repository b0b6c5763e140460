"""``/api/v1/privacy`` and ``/api/v1/favourites``: who may see the caller, whom he sees first."""

from __future__ import annotations

from typing import Literal

from django.utils import timezone
from ninja import Field, Router, Schema, Status

from bluetel.accounts.http import SignedInRequest
from bluetel.api.changes import Change
from presence import selectors
from presence.audiences import choose_audience
from presence.team import mark_favourite, set_favourites

router = Router()


class AudienceBody(Change):
    """Who may see something; with ``groups`` and none named, the people of all own groups."""

    audience: Literal["everyone", "groups", "people", "nobody"]
    people: list[str] = Field(default_factory=list)
    groups: list[str] = Field(default_factory=list)


class Privacy(Schema):
    """Who may see the caller's phone, and his chat status."""

    phone: AudienceBody
    im: AudienceBody


class NewPrivacy(Change):
    """What is left out stays as it is."""

    phone: AudienceBody | None = None
    im: AudienceBody | None = None


class Favourites(Change):
    """The ids of the caller's favourites, in his order."""

    people: list[str]


@router.get("/privacy", response=Privacy, tags=["presence"], summary="Who may see me")
def my_privacy(request: SignedInRequest) -> object:
    """The caller's audiences."""
    return selectors.audience_of(request.user)


@router.put("/privacy", response=Privacy, tags=["presence"], summary="Choose who may see me")
def set_privacy(request: SignedInRequest, body: NewPrivacy) -> object:
    """It holds at once, on every path; who isn't in an audience reads ``offline``."""
    for axis, chosen in (("phone", body.phone), ("im", body.im)):
        if chosen is not None:
            choose_audience(
                request.user,
                axis,
                chosen.audience,
                people=chosen.people,
                groups=chosen.groups,
                now=timezone.now(),
            )
    return selectors.audience_of(request.user)


@router.get("/favourites", response=Favourites, tags=["presence"], summary="Whom I see first")
def my_favourites(request: SignedInRequest) -> object:
    """The caller's favourites."""
    return {"people": selectors.favourite_ids(request.user)}


@router.put("/favourites/{user_id}", response=Favourites, tags=["presence"], summary="Add a star")
def star(request: SignedInRequest, user_id: str) -> object:
    """Somebody becomes the last of the favourites, if he isn't one already."""
    mark_favourite(request.user, user_id, is_favourite=True)
    return {"people": selectors.favourite_ids(request.user)}


@router.delete(
    "/favourites/{user_id}", response={204: None}, tags=["presence"], summary="Take a star away"
)
def unstar(request: SignedInRequest, user_id: str) -> object:
    """The others keep their order."""
    mark_favourite(request.user, user_id, is_favourite=False)
    return Status(204, None)


@router.put("/favourites", response=Favourites, tags=["presence"], summary="Choose favourites")
def put_favourites(request: SignedInRequest, body: Favourites) -> object:
    """These people in this order, and nobody else."""
    set_favourites(request.user, body.people)
    return {"people": selectors.favourite_ids(request.user)}
