"""How :mod:`bluetel.telephony.http` uses ``requests``: one pool, and requests made for it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import check_header_validity

_OWN_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "BlueTel",
}


class Adapter(HTTPAdapter):
    """One connection pool over a ready TLS context.

    Requests go to it without a session: no redirects, no cookies, no proxies or logins of the
    environment. What the library would find out anew for each of them is known here, the pool
    and the path, which saves a third of the processor's time.

    ``requests`` would load its own CA bundle into the context for every new connection; the
    context already demands a valid certificate and the right host name.
    """

    def __init__(self, url: str, context: ssl.SSLContext | None, *, pool_size: int) -> None:
        self._url = url
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Give every pool the context."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self._pool = self.poolmanager.connection_from_url(self._url)

    def close(self) -> None:
        """Close the connections, and have a pool ready for others."""
        super().close()
        self._pool = self.poolmanager.connection_from_url(self._url)

    def get_connection_with_tls_context(self, *_: object, **__: object) -> Any:
        """The one pool."""
        return self._pool

    def request_url(self, request: requests.PreparedRequest, _proxies: object) -> str:
        """The path and the query, which is all that ``request.url`` holds here."""
        return str(request.url)

    def cert_verify(self, conn: object, url: str, verify: object, cert: object) -> None:
        """Leave everything to the context."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """The status, the headers and the body that is still to be read."""
        response = requests.Response()
        response.request = req
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw = resp
        return response


def request_of(
    method: str,
    path: str,
    params: Mapping[str, str | int] | None,
    body: object,
    headers: Mapping[str, str] | None,
) -> requests.PreparedRequest:
    """A request as :class:`Adapter` takes it; bytes are sent as they are, all else as JSON."""
    for name, value in (headers or {}).items():
        check_header_validity((name, value))
        if not value.isascii():
            raise requests.exceptions.InvalidHeader("a value is not of ASCII")
    request = requests.PreparedRequest()
    request.method = method
    request.url = f"{path}?{urlencode(params)}" if params else path
    request.headers = CaseInsensitiveDict({**_OWN_HEADERS, **(headers or {})})
    if isinstance(body, bytes):
        request.body = body
    elif body is not None:
        request.body = _json(body)
        request.headers.setdefault("Content-Type", "application/json")
    if request.body is not None or method not in {"GET", "HEAD"}:
        request.headers["Content-Length"] = str(len(request.body or b""))
    return request


def _json(body: object) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except ValueError as exc:
        raise requests.exceptions.InvalidJSONError(exc) from None
