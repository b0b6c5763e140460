"""wazo-calld's voicemail routes, for one's own box and for any."""

from __future__ import annotations

from bluetel.telephony.simulator.http import (
    HttpError,
    JsonObject,
    Request,
    Response,
    Route,
    as_json,
    no_content,
)
from bluetel.telephony.simulator.people import Box, BoxMessage
from bluetel.telephony.simulator.wazo_server import errors, voicemail_records
from bluetel.telephony.simulator.wazo_server.site import Site

LIST_FIELDS = {
    "limit",
    "offset",
    "order",
    "direction",
    "voicemail_type",
    "user_uuid",
    "voicemail_id",
    "from",
    "until",
    "transcribed",
    "recurse",
    "search",
}


def _box(site: Site, request: Request) -> Box:
    if (number := request.params.get("voicemail")) is not None:
        box = next((box for box in site.pbx.boxes.values() if box.id == int(number)), None)
        if box is None:
            details: JsonObject = {"voicemail_id": int(number)}
            text = "No such voicemail"
            raise HttpError(errors.detailed(site, 404, text, "no-such-voicemail", details))
        return box
    person = request.token.account.person if request.token else None
    if person is None or person.box is None:
        details = {"user_uuid": person.id if person else None}
        text = "No such user voicemail"
        raise HttpError(errors.detailed(site, 404, text, "no-such-user-voicemail", details))
    return person.box


def _message(site: Site, request: Request) -> tuple[Box, BoxMessage]:
    box = _box(site, request)
    message_id = request.params["message"]
    message = box.messages.get(message_id)
    if message is None:
        details: JsonObject = {"message_id": message_id}
        text, code = "No such voicemail message", "no-such-voicemail-message"
        raise HttpError(errors.detailed(site, 404, text, code, details))
    return box, message


def get_box(site: Site, request: Request) -> Response:
    """``GET …/voicemails``: the box with all folders and messages."""
    return as_json(200, voicemail_records.mailbox(_box(site, request)))


def get_folder(site: Site, request: Request) -> Response:
    """``GET …/folders/{id}``: newest first, unpaged."""
    box = _box(site, request)
    number = request.params["folder"]
    if not number.isdigit():
        details: JsonObject = {"folder_id": number}
        text, code = "Invalid voicemail folder ID", "invalid-voicemail-folder-id"
        return errors.detailed(site, 400, text, code, details)
    folder = voicemail_records.folder(box, int(number))
    if folder is None:
        details = {"folder_id": int(number)}
        text, code = "No such voicemail folder", "no-such-voicemail-folder"
        return errors.detailed(site, 404, text, code, details)
    return as_json(200, folder)


def list_messages(site: Site, request: Request) -> Response:
    """``GET …/voicemails/messages``: oldest first unless asked; unknown parameters are 400."""
    query = request.query
    unknown = [name for name in query if name not in LIST_FIELDS]
    if unknown:
        raise errors.invalid(site, {name: ["Unknown field."] for name in unknown})
    own = "/users/me/" in request.path
    boxes = [_box(site, request)] if own else list(site.pbx.boxes.values())
    if wanted := query.get("user_uuid"):
        boxes = [box for box in boxes if box.owner in wanted.split(",")]
    if wanted := query.get("voicemail_id"):
        boxes = [box for box in boxes if str(box.id) in wanted.split(",")]
    rows = [(box, message) for box in boxes for message in box.messages.values()]
    rows.sort(key=lambda row: row[1].received_at, reverse=query.get("direction", "asc") == "desc")
    start, limit = int(query.get("offset", 0)), query.get("limit")
    page = rows[start : start + int(limit)] if limit else rows[start:]
    body: JsonObject = {
        "items": [voicemail_records.message(box, message) for box, message in page],
        "total": len(rows),
    }
    if not own:
        body["filtered"] = len(rows)
    return as_json(200, body)


def get_message(site: Site, request: Request) -> Response:
    """``GET …/messages/{id}``."""
    return as_json(200, voicemail_records.message(*_message(site, request)))


def put_message(site: Site, request: Request) -> Response:
    """``PUT …/messages/{id}`` ``{"folder_id"}``: move it; 2 is read."""
    box, message = _message(site, request)
    number = request.json().get("folder_id")
    row = next((row for row in voicemail_records.FOLDERS if row[0] == number), None)
    if row is None:
        raise errors.invalid(site, {"folder_id": ["Must be one of: 1, 2, 3, 4, 5, 6."]})
    site.pbx.move_message(box, message, row[3], who=request.who)
    return no_content()


def delete_message(site: Site, request: Request) -> Response:
    """``DELETE …/messages/{id}``."""
    site.pbx.delete_message(*_message(site, request), who=request.who)
    return no_content()


def get_recording(site: Site, request: Request) -> Response:
    """``GET …/messages/{id}/recording``: WAV, whole; there are no ranges."""
    _, message = _message(site, request)
    headers = []
    if request.query.get("download") in ("1", "true", "True"):
        headers = [("content-disposition", f"attachment; filename=vm-msg-{message.id}.wav")]
    audio = site.pbx.audio(message)
    return Response(status=200, body=audio, content_type="audio/wav", headers=headers)


GREETINGS = ("unavailable", "busy", "name")


def _greeting(site: Site, request: Request, *, needs: bool = True) -> tuple[Box, str]:
    box = _box(site, request)
    name = request.params["greeting"]
    if name not in GREETINGS:
        details: JsonObject = {"greeting": name}
        text, code = "Invalid voicemail greeting", "invalid-voicemail-greeting"
        raise HttpError(errors.detailed(site, 400, text, code, details))
    if needs and name not in box.greetings:
        details = {"greeting": name}
        text, code = "No such voicemail greeting", "no-such-voicemail-greeting"
        raise HttpError(errors.detailed(site, 404, text, code, details))
    return box, name


def get_greeting(site: Site, request: Request) -> Response:
    """``GET`` and ``HEAD …/greetings/{greeting}``: WAV."""
    box, name = _greeting(site, request)
    return Response(status=200, body=box.greetings[name], content_type="audio/wav")


def post_greeting(site: Site, request: Request) -> Response:
    """``POST …/greetings/{greeting}``: a new one; 409 where there is one."""
    box, name = _greeting(site, request, needs=False)
    if name in box.greetings:
        details: JsonObject = {"greeting": name}
        text, code = "Voicemail greeting already exists", "voicemail-greeting-already-exists"
        return errors.detailed(site, 409, text, code, details)
    box.greetings[name] = request.body
    return no_content()


def put_greeting(site: Site, request: Request) -> Response:
    """``PUT …/greetings/{greeting}``: another sound for it."""
    box, name = _greeting(site, request)
    box.greetings[name] = request.body
    return no_content()


def delete_greeting(site: Site, request: Request) -> Response:
    """``DELETE …/greetings/{greeting}``."""
    box, name = _greeting(site, request)
    del box.greetings[name]
    return no_content()


def _greeting_routes(base: str, access: str) -> tuple[Route, ...]:
    path, rights = f"{base}/greetings/{{greeting}}", f"{access}.greetings.{{greeting}}"
    return (
        Route(method="GET", path=path, access=f"{rights}.read", handler=get_greeting),
        Route(method="HEAD", path=path, access=f"{rights}.read", handler=get_greeting),
        Route(method="POST", path=path, access=f"{rights}.create", handler=post_greeting),
        Route(method="PUT", path=path, access=f"{rights}.update", handler=put_greeting),
        Route(method="DELETE", path=path, access=f"{rights}.delete", handler=delete_greeting),
    )


def _routes(base: str, access: str) -> tuple[Route, ...]:
    message, rights = f"{base}/messages/{{message}}", f"{access}.messages.{{message}}"
    recording = f"{rights}.recording.read"
    return (
        Route(method="GET", path=base, access=f"{access}.read", handler=get_box),
        Route(
            method="GET",
            path=f"{base}/folders/{{folder}}",
            access=f"{access}.folders.{{folder}}.read",
            handler=get_folder,
        ),
        Route(method="GET", path=message, access=f"{rights}.read", handler=get_message),
        Route(method="PUT", path=message, access=f"{rights}.update", handler=put_message),
        Route(method="DELETE", path=message, access=f"{rights}.delete", handler=delete_message),
        Route(method="GET", path=f"{message}/recording", access=recording, handler=get_recording),
    )


ROUTES = (
    Route(
        method="GET",
        path="/users/me/voicemails/messages",
        access="calld.users.me.voicemails.messages.read",
        handler=list_messages,
    ),
    Route(
        method="GET",
        path="/voicemails/messages",
        access="calld.voicemails.messages.read",
        handler=list_messages,
    ),
    *_routes("/users/me/voicemails", "calld.users.me.voicemails"),
    *_routes("/voicemails/{voicemail:int}", "calld.voicemails.{voicemail}"),
    *_greeting_routes("/users/me/voicemails", "calld.users.me.voicemails"),
    *_greeting_routes("/voicemails/{voicemail:int}", "calld.voicemails.{voicemail}"),
)
