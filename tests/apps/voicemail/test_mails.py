"""What is read in a PBX's mail, and who is believed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apps.voicemail.pbx_mails import pbx_mail
from voicemail.mails import AudioPart, audio_of, is_proven, is_voicemail, read_headers

AUDIO = AudioPart("2", "audio/x-wav", "base64", 65_700)


def test_asterisks_headers_are_read() -> None:
    at = datetime(2026, 11, 24, 9, 0, 5, tzinfo=UTC)
    facts = read_headers(pbx_mail("0199004217", "Helene Marchetti", at=at, serial=3, box="1001"))
    assert facts.number == "0199004217"
    assert facts.name == "Helene Marchetti"
    assert (facts.box, facts.serial) == ("1001", 3)
    assert facts.sent_at == at
    assert facts.sender == "wazo@pbx.test"
    assert is_voicemail(facts, AUDIO)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Élodie".encode(), "Élodie"),
        ("Élodie".encode("latin-1"), "Élodie"),
        (b"=?utf-8?q?=C3=89lodie?=", "Élodie"),
        (b"=?no-such-charset?q?=C3=89?=", "É"),
        (b'"><script>alert(1)</script>', '"><script>alert(1)</script>'),
        ("evil \u202e name\x00".encode(), "evil name"),
    ],
)
def test_a_name_is_read_in_any_charset_and_on_one_line(raw: bytes, name: str) -> None:
    assert read_headers(pbx_mail(name=raw)).name == name


def test_a_whole_caller_id_gives_its_number() -> None:
    assert read_headers(pbx_mail('"John" <+33199004217>')).number == "+33199004217"


def test_a_withheld_caller_leaves_no_header_and_is_a_voice_message_all_the_same() -> None:
    facts = read_headers(pbx_mail(None))
    assert (facts.number, facts.has_caller) == ("", False)
    assert is_voicemail(facts, AUDIO)


def test_a_mail_without_asterisks_id_needs_caller_and_sound() -> None:
    facts = read_headers(pbx_mail("1002", message_id="Message-ID: <x@y>"))
    assert is_voicemail(facts, AUDIO)
    assert not is_voicemail(facts, None)
    assert not is_voicemail(read_headers(b"Subject: hello\r\n\r\n"), AUDIO)


@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    facts = read_headers(b"X-Asterisk-CallerID: " + data + b"\r\nDate: " + data + b"\r\n\r\n")
    assert "\n" not in facts.number
    assert "\n" not in facts.name


PASSED = "Authentication-Results: mx.house.test; dkim=pass header.d=pbx.test; spf=none"


@pytest.mark.parametrize(
    ("headers", "sender", "senders", "proven"),
    [
        ("", "wazo@pbx.test", [], False),
        ("", "wazo@pbx.test", ["wazo@pbx.test"], True),
        ("", "WAZO@pbx.test", ["Wazo@PBX.test"], True),
        ("", "wazo@pbx.test", ["@pbx.test"], True),
        ("", "eve@evil.test", ["wazo@pbx.test"], False),
        ("", "wazo@pbx.test.evil.test", ["@pbx.test"], False),
        ("", "wazo@pbx.test", ["wazo@pbx.test", "mx.house.test"], False),
        (PASSED, "wazo@pbx.test", ["wazo@pbx.test", "mx.house.test"], True),
        (PASSED, "eve@pbx.test", ["wazo@pbx.test", "mx.house.test"], False),
        (PASSED, "wazo@pbx.test", ["wazo@pbx.test", "mx.other.test"], False),
        (
            "Authentication-Results: mx.house.test; dkim=fail header.d=pbx.test",
            "wazo@pbx.test",
            ["wazo@pbx.test", "mx.house.test"],
            False,
        ),
        (
            "Authentication-Results: mx.house.test; dkim=pass header.d=evil.test",
            "wazo@pbx.test",
            ["wazo@pbx.test", "mx.house.test"],
            False,
        ),
        (
            f"Authentication-Results: mx.house.test; dkim=fail header.d=pbx.test\r\n{PASSED}",
            "wazo@pbx.test",
            ["wazo@pbx.test", "mx.house.test"],
            False,
        ),
    ],
)
def test_only_the_named_senders_are_believed(
    headers: str, sender: str, senders: list[str], proven: bool
) -> None:
    facts = read_headers(pbx_mail(sender=sender, headers=headers))
    assert is_proven(facts, senders=senders) is proven


def test_the_recording_is_found_in_the_structure() -> None:
    text = (b"text", b"plain", (b"charset", b"UTF-8"), None, None, b"8bit", 52, 1)
    audio = (
        b"audio",
        b"x-wav",
        (b"name", b"msg0000.wav"),
        None,
        b"Voicemail sound attachment.",
        b"base64",
        65_700,
    )
    part = audio_of(([text, audio], b"mixed"))
    assert part == AUDIO
    assert part.seconds == 3
    assert audio_of(([text, ([text, audio], b"mixed")], b"mixed")) == AudioPart(
        "2.2", "audio/x-wav", "base64", 65_700
    )
    assert audio_of(text) is None
    assert audio_of(None) is None
    assert audio_of(([b"x"], b"mixed")) is None
