"""``/api/v1/calls``: placing, seeing and steering the user's own calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Header, Router, Status

from bluetel.accounts.http import SignedInRequest
from bluetel.accounts.pbx import backend_for
from bluetel.api import schemas
from bluetel.api.errors import ApiError
from bluetel.calls import control, selectors, services
from bluetel.calls.messages import CallRecord, record_of
from bluetel.telephony.types import TransferKind
from presence.live import follow_calls, publish_call

if TYPE_CHECKING:
    from bluetel.calls.models import Call

router = Router(tags=["calls"])
ERRORS = {
    400: schemas.Error,
    403: schemas.Error,
    404: schemas.Error,
    409: schemas.Error,
    429: schemas.Error,
    503: schemas.Error,
}


@router.post("", response={202: schemas.Call, **ERRORS}, summary="Place a call")
def place(
    request: SignedInRequest,
    body: schemas.NewCall,
    idempotency_key: Annotated[str, Header(alias="Idempotency-Key", max_length=200)] = "",
) -> Status[CallRecord]:
    """The user's own phone rings first; the call goes out when he picks up."""
    placed = services.place_call(
        request.user,
        body.number,
        now=timezone.now(),
        device=body.device or "",
        key=idempotency_key,
    )
    return Status(202, _published(placed.call))


@router.get("", response=schemas.Calls, summary="The live calls")
def live(request: SignedInRequest) -> dict[str, list[CallRecord]]:
    """Newest first. Who asks has his calls followed, on a PBX that tells them to nobody else."""
    user = request.user
    if user.pbx is not None and backend_for(user.pbx).uses_own_logins:
        follow_calls(user.pk)
    return {"calls": [record_of(call) for call in selectors.live_calls(user)]}


@router.get("/{call_id}", response={200: schemas.Call, 404: schemas.Error}, summary="One call")
def one(request: SignedInRequest, call_id: str) -> CallRecord:
    """Readable for at least ten minutes after its end."""
    return record_of(selectors.call_of(request.user, call_id))


@router.delete("/{call_id}", response={204: None, **ERRORS}, summary="Hang up or cancel")
def hang_up(request: SignedInRequest, call_id: str) -> Status[None]:
    """Ending a call that has ended is no error."""
    _published(control.hang_up(selectors.call_of(request.user, call_id), now=timezone.now()))
    return Status(204, None)


@router.post("/{call_id}/answer", response={204: None, **ERRORS}, summary="Pick up from afar")
def answer(request: SignedInRequest, call_id: str) -> Status[None]:
    """409 ``not_supported`` where the phone can't."""
    control.answer(selectors.call_of(request.user, call_id))
    return Status(204, None)


@router.post("/{call_id}/hold", response={204: None, **ERRORS}, summary="Put on hold")
def hold(request: SignedInRequest, call_id: str) -> Status[None]:
    """409 ``not_supported`` where the phone can't."""
    control.hold(selectors.call_of(request.user, call_id), held=True)
    return Status(204, None)


@router.post("/{call_id}/resume", response={204: None, **ERRORS}, summary="Take back from hold")
def resume(request: SignedInRequest, call_id: str) -> Status[None]:
    """409 ``not_supported`` where the phone can't."""
    control.hold(selectors.call_of(request.user, call_id), held=False)
    return Status(204, None)


@router.post("/{call_id}/mute", response={204: None, **ERRORS}, summary="Silence the microphone")
def mute(request: SignedInRequest, call_id: str) -> Status[None]:
    """The other side hears nothing until ``unmute``."""
    _published(control.mute(selectors.call_of(request.user, call_id), muted=True))
    return Status(204, None)


@router.post("/{call_id}/unmute", response={204: None, **ERRORS}, summary="Speak again")
def unmute(request: SignedInRequest, call_id: str) -> Status[None]:
    """The other side hears the user again."""
    _published(control.mute(selectors.call_of(request.user, call_id), muted=False))
    return Status(204, None)


@router.post("/{call_id}/dtmf", response={204: None, **ERRORS}, summary="Send tones")
def dtmf(request: SignedInRequest, call_id: str, body: schemas.Dtmf) -> Status[None]:
    """At most 40 of the digits, * and #."""
    call = selectors.call_of(request.user, call_id)
    if not control.are_tones(body.digits):
        raise ApiError("invalid_digits", _("Tones are 0 to 9, * and #, at most 40 at once."))
    control.send_dtmf(call, body.digits)
    return Status(204, None)


@router.post("/{call_id}/transfer", response={204: None, **ERRORS}, summary="Pass the call on")
def transfer(request: SignedInRequest, call_id: str, body: schemas.NewTransfer) -> Status[None]:
    """The dial policy holds for the target too."""
    call = selectors.call_of(request.user, call_id)
    control.transfer(call, body.number, kind=TransferKind(body.kind))
    return Status(204, None)


@router.post("/{call_id}/transfer/complete", response={204: None, **ERRORS}, summary="Join them")
def complete_transfer(request: SignedInRequest, call_id: str) -> Status[None]:
    """Ends the user's own part of an attended transfer."""
    control.complete_transfer(selectors.call_of(request.user, call_id))
    return Status(204, None)


@router.post("/{call_id}/transfer/cancel", response={204: None, **ERRORS}, summary="Take it back")
def cancel_transfer(request: SignedInRequest, call_id: str) -> Status[None]:
    """Returns to the first caller."""
    control.cancel_transfer(selectors.call_of(request.user, call_id))
    return Status(204, None)


def _published(call: Call) -> CallRecord:
    """The call's record, told to all the user's pages as well."""
    record = record_of(call)
    publish_call(call.user_id, record)
    return record
