"""``/api/v1/call-wishes``: whom the caller wants to call when he is free."""

from __future__ import annotations

from django.utils import timezone
from ninja import Router, Schema, Status

from bluetel.accounts.http import SignedInRequest
from bluetel.api.schemas import Error
from presence import wishes

router = Router(tags=["presence"])


class CallWish(Schema):
    """A wish; ``is_free`` while the person's phone is available, as far as the caller may see."""

    user_id: str
    name: str
    number: str
    asked_at: str
    expires_at: str
    is_free: bool


class CallWishes(Schema):
    """The caller's wishes, oldest first."""

    wishes: list[CallWish]


class NewCallWish(Schema):
    """Whom the caller wants to call."""

    user_id: str


@router.get("", response=CallWishes, summary="Whom I want to call when they are free")
def my_wishes(request: SignedInRequest) -> object:
    """Nothing here dials: an offer is for the caller to take."""
    return {"wishes": wishes.wishes_of(request.user, now=timezone.now())}


@router.post(
    "",
    response={201: CallWishes, 400: Error, 404: Error, 409: Error},
    summary="Tell me when somebody is free",
)
def wish(request: SignedInRequest, body: NewCallWish) -> object:
    """``not_busy`` unless the person's phone is busy or ringing; asking again waits anew."""
    now = timezone.now()
    wishes.make(request.user, body.user_id, now=now)
    return Status(201, {"wishes": wishes.wishes_of(request.user, now=now)})


@router.delete("/{user_id}", response={204: None}, summary="Don't tell me any more")
def unwish(request: SignedInRequest, user_id: str) -> object:
    """No wish is no error."""
    wishes.drop(request.user, user_id, now=timezone.now())
    return Status(204, None)
