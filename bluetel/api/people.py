"""``/api/v1/me``, ``/api/v1/search`` and ``/api/v1/presence``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import translation
from ninja import Router
from pydantic import TypeAdapter

from bluetel.accounts.http import SignedInRequest
from bluetel.accounts.pbx import backend_for
from bluetel.api import schemas
from bluetel.telephony.errors import TelephonyError
from bluetel.telephony.types import PbxUserId
from contacts.search import search
from presence.selectors import people

if TYPE_CHECKING:
    from bluetel.accounts.models import User

router = Router()
_AS_IT_IS: TypeAdapter[Any] = TypeAdapter(Any)


def capabilities_of(user: User) -> list[str]:
    """What this user's place on his PBX allows; nothing without a line."""
    if user.pbx is None or not user.extension:
        return []
    try:
        return sorted(backend_for(user.pbx).capabilities_of(PbxUserId(user.pbx_user_id)))
    except TelephonyError:
        return []  # the PBX's row holds an address that is none; check_pbx says so


@router.get("/me", response=schemas.Me, tags=["people"], summary="Who am I")
def me(request: SignedInRequest) -> dict[str, object]:
    """The caller, his extension and what his PBX can do for him."""
    user = request.user
    return {
        "id": str(user.pk),
        "username": user.username,
        "display_name": user.display_name,
        "extension": user.extension,
        "pbx": user.pbx.name if user.pbx else None,
        "language": user.language or translation.get_language() or settings.LANGUAGE_CODE,
        "time_zone": user.time_zone or settings.TIME_ZONE,
        "capabilities": capabilities_of(user),
    }


@router.get("/search", response=schemas.SearchAnswer, tags=["people"], summary="Find somebody")
def find(request: SignedInRequest, q: str = "") -> HttpResponse:
    """Answers at once with what is known; a source still ``searching`` is asked again."""
    # As it is: to have fifty rows checked against the schema takes longer than to find them.
    answer = _AS_IT_IS.dump_json(search(request.user, q))
    return HttpResponse(answer, content_type="application/json; charset=utf-8")


@router.get("/presence", response=schemas.PresenceAnswer, tags=["people"], summary="Who is there")
def presence(request: SignedInRequest) -> object:
    """Everybody the caller may see; who hides from him reads offline."""
    return people(request.user)
