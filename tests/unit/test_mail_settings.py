"""``BLUETEL_EMAIL_URL`` as Django's settings."""

from __future__ import annotations

import pytest

from bluetel.env import SettingsError
from bluetel.mail_settings import Mail, mail_settings


def read(url: str) -> Mail:
    return mail_settings(url, public_host="tel.test")


def test_without_a_url_no_mail_is_sent() -> None:
    assert read("").host == ""
    assert "dummy" in read("").backend


@pytest.mark.parametrize(
    ("url", "port", "implicit", "starttls"),
    [
        ("smtps://mail.test", 465, True, False),
        ("smtp://mail.test", 587, False, True),
        ("smtp://mail.test:25", 25, False, True),
        ("smtp://127.0.0.1:1025", 1025, False, False),
        ("smtps://127.0.0.1", 465, True, False),
    ],
)
def test_only_loopback_is_spoken_to_in_the_clear(
    url: str, port: int, implicit: bool, starttls: bool
) -> None:
    found = read(url)
    assert found.port == port
    assert found.is_implicit is implicit
    assert found.is_starttls is starttls


def test_user_password_and_sender_are_read() -> None:
    found = read("smtps://a%40b:p%2Fw@mail.test?from=BlueTel%20%3Cv%40tel.test%3E")
    assert (found.user, found.password) == ("a@b", "p/w")
    assert found.sender == "BlueTel <v@tel.test>"
    assert read("smtps://mail.test").sender == "voicemail@tel.test"


@pytest.mark.parametrize(
    "url", ["http://mail.test", "smtps://", "smtps://mail.test:x", "smtps://mail.test?from=nobody"]
)
def test_what_can_not_be_read_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="BLUETEL_EMAIL_URL"):
        read(url)
