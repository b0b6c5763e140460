"""``/voicemail/greetings/`` as plain forms."""

from __future__ import annotations

import io
import wave

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bluetel.telephony.errors import NotSupported, PbxUnavailable
from bluetel.telephony.simulator.sound import tone
from bluetel.telephony.types import Capability
from tests.apps.house import House


def send(browser: Client, name: str, **form: object) -> str:
    browser.get("/voicemail/greetings/")
    token = browser.cookies["csrftoken"].value
    answer = browser.post(
        f"/voicemail/greetings/{name}/", {**form, "csrfmiddlewaretoken": token}, follow=True
    )
    page: str = answer.content.decode()
    return page


def upload(sound: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("greeting.wav", sound, content_type="audio/wav")


def stereo() -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as recording:
        recording.setnchannels(2)
        recording.setsampwidth(2)
        recording.setframerate(8000)
        recording.writeframes(b"\0" * 400)
    return target.getvalue()


def test_a_greeting_is_recorded_heard_and_deleted(house: House) -> None:
    browser = house.browser("1001")
    sound = tone(seconds=2, hertz=440)
    assert "Callers hear your new greeting." in send(browser, "busy", sound=upload(sound))
    assert house.do(lambda model: model.boxes["1001"].greetings) == {"busy": sound}
    answer = browser.get("/voicemail/greetings/busy/sound.wav")
    assert answer.content == sound
    assert answer["Cache-Control"] == "private, no-store"
    assert "own words again" in send(browser, "busy", action="delete")
    assert browser.get("/voicemail/greetings/busy/sound.wav").status_code == 404


@pytest.mark.parametrize("sound", [b"", b"RIFF", b"MP3 or so", stereo(), tone(seconds=0, hertz=9)])
def test_what_the_pbx_can_not_play_is_refused(house: House, sound: bytes) -> None:
    assert (
        "must be a WAV file" in send(house.browser("1001"), "busy", sound=upload(sound))
        or not sound
    )
    assert house.do(lambda model: model.boxes["1001"].greetings) == {}


def test_a_pbx_that_is_down_or_can_not_is_said(house: House) -> None:
    browser = house.browser("1001")
    house.backend.fail(PbxUnavailable("down"))
    assert "does not answer" in browser.get("/voicemail/greetings/").content.decode()
    house.backend.fail(NotSupported(Capability.VOICEMAIL))
    assert "by telephone only" in browser.get("/voicemail/greetings/").content.decode()


def test_an_unknown_greeting_is_not_there(house: House) -> None:
    assert house.browser("1001").get("/voicemail/greetings/morning/sound.wav").status_code == 404
