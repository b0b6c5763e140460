"""Adding a call-back bar to a mail without touching anything else of it. Pure, over bytes.

A mail is not parsed and written anew, which would change what nobody asked for: the parts are found
by their places in the bytes, and only the text parts are written over. Nothing is done to a mail
whose bytes are signed or encrypted, and a part that can't be read for certain stays as it is.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from html import escape

MARK = b"X-BlueTel-Call-Back"
DEEPEST = 6

_BODY_TAG = re.compile(rb"<body\b[^>]*>", re.IGNORECASE)
_HTML_TAG = re.compile(rb"<html\b[^>]*>", re.IGNORECASE)
_SEALED = {"multipart/signed", "multipart/encrypted", "application/pkcs7-mime"}
_SIGNATURES = ("DKIM-Signature", "ARC-Seal", "ARC-Message-Signature")
_ASCII_LIKE = re.compile(r"(us-)?ascii|utf-?8|iso-?8859-\d+|latin-?\d+|windows-125\d|cp125\d")


class Untouchable(Exception):
    """The mail must pass as it is."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What is added: words such as ``Call 01 99 00 42 17 back``, and where they lead; ASCII."""

    words: str
    url: str

    @property
    def text(self) -> str:
        """For a text part."""
        return f"{self.words}:\n{self.url}\n\n"

    @property
    def html(self) -> str:
        """For an HTML part; mail programs know tables and colours best."""
        return (
            '<table role="presentation" width="100%" cellpadding="12" bgcolor="#e8f1fb"><tr><td>'
            f'<a href="{escape(self.url)}"><b>&#9742; {escape(self.words)}</b></a>'
            "</td></tr></table>\n"
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """A leaf of the mail: its headers, and the bytes from ``start`` to ``end`` of its body."""

    headers: Message
    start: int
    end: int


def with_bar(mail: bytes, bar: Bar) -> bytes:
    """``mail`` with the bar in each text part; raises :class:`Untouchable`."""
    newline = b"\r\n" if b"\r\n" in mail[:4096] else b"\n"
    start = _body_start(mail, 0, len(mail), newline)
    headers = _headers(mail[:start])
    if headers.get(MARK.decode()) or any(name in headers for name in _SIGNATURES):
        raise Untouchable
    changed = mail
    added = False
    # From the end, so that the places before stay where they are.
    for part in sorted(
        _leaves(mail, 0, len(mail), newline, DEEPEST), key=lambda part: part.start, reverse=True
    ):
        body = _with_bar(part, mail[part.start : part.end], bar, newline)
        if body is not None:
            changed = changed[: part.start] + body + changed[part.end :]
            added = True
    if not added:
        raise Untouchable
    place = start - len(newline)
    return changed[:place] + MARK + b": added" + newline + changed[place:]


def _leaves(mail: bytes, start: int, end: int, newline: bytes, depth: int) -> Iterator[_Part]:
    body = _body_start(mail, start, end, newline)
    headers = _headers(mail[start:body])
    kind = headers.get_content_type()
    if kind in _SEALED:
        raise Untouchable
    boundary = headers.get_boundary()
    if kind.startswith("multipart/"):
        if not boundary or not boundary.isascii() or depth == 0:
            raise Untouchable
        for first, last in _between(mail, body, end, boundary.encode(), newline):
            yield from _leaves(mail, first, last, newline, depth - 1)
    elif kind in {"text/plain", "text/html"} and headers.get_content_disposition() != "attachment":
        yield _Part(headers, body, end)


def _between(
    mail: bytes, start: int, end: int, boundary: bytes, newline: bytes
) -> Iterator[tuple[int, int]]:
    """Where the parts of a multipart lie; the newline before a boundary belongs to it."""
    line = re.compile(
        rb"(?:^|(?<=\n))--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|$)", re.MULTILINE
    )
    opened = None
    for found in line.finditer(mail, start, end):
        if opened is not None:
            yield opened, max(opened, found.start() - len(newline))
        if found[1]:
            return
        opened = found.end()
    raise Untouchable  # it never ends


def _body_start(mail: bytes, start: int, end: int, newline: bytes) -> int:
    if mail[start : start + len(newline)] == newline:
        return start + len(newline)
    found = mail.find(newline * 2, start, end)
    if found < 0:
        raise Untouchable
    return found + 2 * len(newline)


def _headers(head: bytes) -> Message:
    return BytesHeaderParser(policy=compat32).parsebytes(head)


def _with_bar(part: _Part, body: bytes, bar: Bar, newline: bytes) -> bytes | None:
    charset = str(part.headers.get_content_charset() or "us-ascii").lower()
    if not _ASCII_LIKE.fullmatch(charset) or "Content-MD5" in part.headers:
        return None
    is_html = part.headers.get_content_type() == "text/html"
    encoding = str(part.headers.get("Content-Transfer-Encoding", "7bit")).strip().lower()
    match encoding:
        case "7bit" | "8bit" | "binary":
            return _inserted(body, bar, newline, is_html=is_html)
        case "quoted-printable":
            plain = quopri.decodestring(body)
            lines = _inserted(plain, bar, newline, is_html=is_html)
            coded = quopri.encodestring(lines.replace(b"\r\n", b"\n"))
            return coded.replace(b"\n", newline)
        case "base64":
            try:
                plain = base64.b64decode(b"".join(body.split()), validate=True)
            except binascii.Error:
                return None
            inner = b"\r\n" if b"\r\n" in plain else b"\n"
            coded = base64.encodebytes(_inserted(plain, bar, inner, is_html=is_html))
            return coded.rstrip(b"\n").replace(b"\n", newline)
        case _:
            return None


def _inserted(plain: bytes, bar: Bar, newline: bytes, *, is_html: bool) -> bytes:
    added = (bar.html if is_html else bar.text).encode("ascii").replace(b"\n", newline)
    if not is_html:
        return added + plain
    found = _BODY_TAG.search(plain) or _HTML_TAG.search(plain)
    place = found.end() if found else 0
    return plain[:place] + added + plain[place:]
