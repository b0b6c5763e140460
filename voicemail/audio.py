"""Recordings by HTTP: whole or in parts (RFC 9110 §14), never kept by anybody on the way.

The parts are read and sent piece by piece; under ASGI each is read in a thread, so that neither
the loop nor the memory knows how long a recording is.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.http import HttpResponse, StreamingHttpResponse

from voicemail.rules import OutOfRange, Part, part_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from voicemail.spool import Recording

PRIVATE = "private, no-store"


class RecordingResponse(StreamingHttpResponse):
    """A part of a recording on its way; Django alone would gather it all for an ASGI server."""

    def __init__(self, recording: Recording, part: Part, *, status: int) -> None:
        self._pieces = recording.pieces(part.first, part.length)
        super().__init__(self._pieces, status=status)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces, each read in a thread."""
        read = sync_to_async(self._next, thread_sensitive=False)
        while piece := await read():
            yield piece

    def _next(self) -> bytes:
        return next(self._pieces, b"")


def recording_response(
    request: HttpRequest, recording: Recording, *, name: str
) -> HttpResponseBase:
    """The recording, or the part the request asks for; ``name`` is the file's, without ending."""
    head = recording.read(0, 12)
    media_type, ending = _kind_of(head)
    tag = hashlib.sha256(f"{name}/{recording.size}".encode()).hexdigest()[:20]
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": PRIVATE,
        "Content-Type": media_type,
        "ETag": f'"{tag}"',
        "X-Content-Type-Options": "nosniff",
    }
    kind = "attachment" if request.GET.get("download") == "1" else "inline"
    headers["Content-Disposition"] = f'{kind}; filename="{name}.{ending}"'
    wanted = request.headers.get("Range", "")
    if request.headers.get("If-Range", headers["ETag"]) != headers["ETag"]:
        wanted = ""
    try:
        part = part_of(wanted, recording.size)
    except OutOfRange:
        headers["Content-Range"] = f"bytes */{recording.size}"
        return HttpResponse(status=416, headers=headers)
    status = 200 if part is None else 206
    if part is None:
        part = Part(0, recording.size - 1)
    else:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{recording.size}"
    headers["Content-Length"] = str(part.length)
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse(status=status)
    else:
        response = RecordingResponse(recording, part, status=status)
    for header, value in headers.items():
        response[header] = value
    return response


def _kind_of(head: bytes) -> tuple[str, str]:
    """Media type and file name ending by the first bytes: nobody's word is taken for it."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav", "wav"
    if head[:4] == b"OggS":
        return "audio/ogg", "ogg"
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
        return "audio/mpeg", "mp3"
    return "application/octet-stream", "bin"
