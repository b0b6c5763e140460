"""HTTP Digest sign-in (RFC 7616), which some address book servers still ask for by default."""

from __future__ import annotations

import hashlib
from urllib.request import parse_http_list, parse_keqv_list

_HASHES = {"MD5": "md5", "SHA-256": "sha256"}


def answer_challenge(
    challenge: str, *, method: str, path: str, username: str, password: str, client_nonce: str
) -> str | None:
    """The ``Authorization`` header for a ``WWW-Authenticate: Digest …`` challenge.

    None when the challenge is not one we can answer: another scheme, an unknown hash, or
    protection of the body (``auth-int`` alone).
    """
    scheme, _, rest = challenge.partition(" ")
    if scheme.lower() != "digest":
        return None
    try:
        fields = parse_keqv_list(parse_http_list(rest))
    except ValueError:
        return None
    algorithm = fields.get("algorithm", "MD5").upper()
    offered = {word.strip() for word in fields.get("qop", "").split(",") if word.strip()}
    nonce, realm = fields.get("nonce"), fields.get("realm")
    if algorithm not in _HASHES or nonce is None or realm is None:
        return None
    if offered and "auth" not in offered:
        return None

    def hashed(text: str) -> str:
        # MD5 is what RFC 7616 calls its default; it goes over TLS here.
        return hashlib.new(_HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()

    person, request = hashed(f"{username}:{realm}:{password}"), hashed(f"{method}:{path}")
    parts = {"username": username, "realm": realm, "nonce": nonce, "uri": path}
    bare = [f"algorithm={algorithm}"]
    if offered:
        parts["cnonce"] = client_nonce
        bare += ["qop=auth", "nc=00000001"]
        parts["response"] = hashed(f"{person}:{nonce}:00000001:{client_nonce}:auth:{request}")
    else:
        parts["response"] = hashed(f"{person}:{nonce}:{request}")
    if "opaque" in fields:
        parts["opaque"] = fields["opaque"]
    quoted = [f'{name}="{_escape(value)}"' for name, value in parts.items()]
    return "Digest " + ", ".join(quoted + bare)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
