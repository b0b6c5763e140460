"""Requests and answers of the simulated services, and how a path finds its handler."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from uuid import UUID

if TYPE_CHECKING:
    from bluetel.telephony.simulator.wazo_server.site import Site
    from bluetel.telephony.simulator.wazo_server.tokens import Token

JsonObject = dict[str, object]

NOT_FOUND_PAGE = (
    "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    "<p>The requested URL was not found on the server. If you entered the URL manually please"
    " check your spelling and try again.</p>\n"
)
"""What the framework under every service says to an unknown route."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer, ready to be sent."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Sequence[tuple[str, str]] = ()


def as_json(status: int, body: object, *, headers: Sequence[tuple[str, str]] = ()) -> Response:
    """A JSON answer."""
    return Response(status=status, body=json.dumps(body).encode(), headers=headers)


def no_content() -> Response:
    """204, as most writes give."""
    return Response(status=204)


def unknown_route() -> Response:
    """404 with an HTML page, as the framework gives."""
    return Response(
        status=404, body=NOT_FOUND_PAGE.encode(), content_type="text/html; charset=utf-8"
    )


class HttpError(Exception):
    """An answer that ends the handling of a request at once."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class MalformedBody(Exception):
    """The body is no JSON object; each service says it in its own shape."""


@dataclass(slots=True, kw_only=True)
class Request:
    """One HTTP request; ``params`` are the named parts of its path, ``token`` who sent it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    client: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    token: Token | None = None

    def json(self) -> JsonObject:
        """The body as an object; raises ``MalformedBody``."""
        try:
            body = json.loads(self.body)
        except ValueError as error:
            raise MalformedBody from error
        if not isinstance(body, dict):
            raise MalformedBody
        return body

    @property
    def who(self) -> str:
        """The account behind the request, for the write log."""
        return self.token.account.login if self.token else "nobody"


def query_of(raw: bytes) -> dict[str, str]:
    """The last value of each query parameter."""
    return {key: values[-1] for key, values in parse_qs(raw.decode("latin-1")).items()}


Handler = Callable[["Site", Request], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method and path of a service, the right it needs, and what answers it.

    Path parts in braces are parameters: ``{name:uuid}`` takes uuids only, ``{name:int}`` numbers
    only. ``access`` may name the same parameters; None needs no token.
    """

    method: str
    path: str
    access: str | None
    handler: Handler

    def match(self, parts: Sequence[str]) -> dict[str, str] | None:
        """The parameters when the path fits."""
        patterns = self.path.strip("/").split("/")
        if len(patterns) != len(parts):
            return None
        params: dict[str, str] = {}
        for pattern, part in zip(patterns, parts, strict=True):
            if not pattern.startswith("{"):
                if pattern != part:
                    return None
                continue
            name, _, kind = pattern[1:-1].partition(":")
            if not part or (kind == "uuid" and not _is_uuid(part)):
                return None
            if kind == "int" and not part.isdigit():
                return None
            params[name] = part
        return params


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return len(text) == 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One of Wazo's services: where it lies, its routes, and how it words its errors."""

    name: str
    prefix: str
    routes: Sequence[Route]
    unauthorized: Callable[[Site, Request, str, str], Response]
    malformed: Callable[[], Response]
    unavailable: Callable[[Site], Response]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route, or None; raises ``HttpError`` with 405 for a path that has other methods."""
        parts = path.removeprefix(self.prefix).strip("/").split("/")
        other = False
        for route in self.routes:
            params = route.match(parts)
            if params is None:
                continue
            if route.method == method:
                return route, params
            other = True
        if other:
            raise HttpError(
                as_json(405, {"message": "The method is not allowed for the requested URL."})
            )
        return None
