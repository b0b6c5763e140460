"""The bar in a mail's bytes: where it belongs, and nothing else changed."""

from __future__ import annotations

import base64
import contextlib
import quopri
from email import message_from_bytes
from email.message import Message
from email.policy import compat32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apps.voicemail.pbx_mails import pbx_mail
from voicemail.rewriting import Bar, Untouchable, with_bar

BAR = Bar("Call 01 99 00 42 17 back", "https://tel.test/voicemail/call-back/abc=&x/")


def parts(mail: bytes) -> list[Message]:
    return list(message_from_bytes(mail, policy=compat32).walk())


def body(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


def single(kind: str, encoding: str, text: bytes, newline: bytes = b"\r\n") -> bytes:
    head = [
        b"From: wazo@pbx.test",
        b"X-Asterisk-CallerID: 0199004217",
        f"Content-Type: {kind}; charset=utf-8".encode(),
        f"Content-Transfer-Encoding: {encoding}".encode(),
    ]
    return newline.join([*head, b"", text])


def test_the_text_part_gets_the_bar_and_the_sound_keeps_every_byte() -> None:
    mail = pbx_mail()
    changed = with_bar(mail, BAR)
    text, sound = parts(changed)[1:]
    assert body(text).startswith(b"Call 01 99 00 42 17 back:\r\nhttps://tel.test/voicemail/")
    assert "durée" in body(text).decode()
    assert body(sound) == body(parts(mail)[2])
    added = BAR.text.replace("\n", "\r\n").encode()
    assert changed.replace(added, b"").replace(b"X-BlueTel-Call-Back: added\r\n", b"") == mail


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
@pytest.mark.parametrize("encoding", ["8bit", "7bit", "quoted-printable", "base64", "binary"])
def test_every_encoding_keeps_its_text(newline: bytes, kind: str, encoding: str) -> None:
    text = "<html><body class=x>\nDurée = 0:03, appelez-moi\n</body></html>\n".encode()
    if encoding == "7bit":
        text = text.replace("é".encode(), b"e")
    text = text.replace(b"\n", newline)
    coded = {
        "quoted-printable": quopri.encodestring(text.replace(b"\r\n", b"\n")),
        "base64": base64.encodebytes(text),
    }.get(encoding, text)
    if encoding in {"quoted-printable", "base64"}:
        coded = coded.replace(b"\n", newline)
    changed = with_bar(single(kind, encoding, coded, newline), BAR)
    (part,) = parts(changed)
    plain = body(part).replace(b"\r\n", b"\n")
    added = (BAR.html if kind == "text/html" else BAR.text).encode()
    assert added in plain
    assert plain.replace(added, b"") == text.replace(b"\r\n", b"\n")
    if kind == "text/html":
        assert plain.index(b"<body class=x>") < plain.index(b"<table")
        assert b"abc=&amp;x/" in plain
    assert max(map(len, changed.splitlines())) < 998


def test_text_and_html_of_an_alternative_both_get_it() -> None:
    mail = (
        b'Content-Type: multipart/mixed; boundary="a"\r\n\r\npreamble\r\n--a\r\n'
        b'Content-Type: multipart/alternative; boundary="a.b"\r\n\r\n--a.b\r\n'
        b"Content-Type: text/plain\r\n\r\nplain\r\n--a.b\r\n"
        b"Content-Type: text/html\r\n\r\n<p>html</p>\r\n--a.b--\r\n\r\n--a\r\n"
        b"Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nkeep\r\n--a--\r\n"
    )
    _, _, text, html, attached = parts(with_bar(mail, BAR))
    assert body(text) == BAR.text.replace("\n", "\r\n").encode() + b"plain"
    assert body(html).startswith(b"<table")
    assert body(attached) == b"keep"


@pytest.mark.parametrize(
    "mail",
    [
        pbx_mail(headers="DKIM-Signature: v=1; a=rsa-sha256"),
        pbx_mail(headers="X-BlueTel-Call-Back: added"),
        pbx_mail().replace(b"multipart/mixed", b"multipart/signed"),
        pbx_mail().replace(b"boundary=", b"boundery="),
        pbx_mail()[:700],
        single("text/plain; charset=utf-16", "8bit", "x".encode("utf-16")).replace(
            b"; charset=utf-8", b""
        ),
        single("text/plain", "base64", b"no base64 at all!"),
        single("text/plain", "x-strange", b"text"),
        single("audio/x-wav", "base64", b"AAAA"),
        b"",
        b"no headers",
    ],
    ids=[
        "signed-dkim",
        "with-bar-already",
        "signed-multipart",
        "no-boundary",
        "cut-off",
        "utf-16",
        "broken-base64",
        "strange-encoding",
        "audio-alone",
        "empty",
        "no-headers",
    ],
)
def test_what_is_signed_or_unclear_is_untouchable(mail: bytes) -> None:
    with pytest.raises(Untouchable):
        with_bar(mail, BAR)


@given(st.binary(max_size=600))
def test_any_bytes_are_rewritten_or_untouchable(data: bytes) -> None:
    head = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
    for mail in (data, head + data, head + b"\r\n" + data + b"\r\n--b--\r\n"):
        with contextlib.suppress(Untouchable):
            assert b"X-BlueTel-Call-Back" in with_bar(mail, BAR)
