"""What callers hear before the tone: hearing, recording and deleting it."""

from __future__ import annotations

import io
import wave
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from bluetel.accounts.pbx import backend_for
from bluetel.telephony.errors import NotFound, NotSupported, TelephonyError
from bluetel.telephony.types import Greeting, PbxUserId
from voicemail.errors import BoxUnavailable, MessageNotFound, NotPossible, UnusableSound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bluetel.accounts.models import User
    from bluetel.telephony.ports import VoicemailBox

MOST_BYTES = 4 * 1024 * 1024
"""Some four minutes."""
RATE, WIDTH, CHANNELS = 8000, 2, 1

WORDS = {
    Greeting.UNAVAILABLE: _("When you do not answer"),
    Greeting.BUSY: _("When you are busy"),
    Greeting.NAME: _("Your name, in the phone system's own greeting"),
}


def greetings_of(user: User) -> frozenset[Greeting]:
    """Those the user has recorded. Raises ``VoicemailError``."""
    with _box_of(user) as (box, pbx_user):
        return box.greetings(pbx_user)


def sound_of(user: User, greeting: Greeting) -> bytes:
    """A recorded greeting, as WAV. Raises ``VoicemailError``."""
    sound = bytearray()
    with _box_of(user) as (box, pbx_user):
        box.copy_greeting(pbx_user, greeting, sound.extend)
    return bytes(sound)


def record(user: User, greeting: Greeting, sound: bytes) -> None:
    """Have callers hear this. Raises ``VoicemailError``, ``UnusableSound`` for other formats."""
    check(sound)
    with _box_of(user) as (box, pbx_user):
        box.set_greeting(pbx_user, greeting, sound)


def delete(user: User, greeting: Greeting) -> None:
    """Go back to the phone system's own words. Raises ``VoicemailError``."""
    with _box_of(user) as (box, pbx_user):
        box.delete_greeting(pbx_user, greeting)


def check(sound: bytes) -> None:
    """Raise ``UnusableSound`` unless a PBX can play it as it is."""
    try:
        with wave.open(io.BytesIO(sound)) as recording:
            shape = recording.getnchannels(), recording.getsampwidth(), recording.getframerate()
            frames = recording.getnframes()
    except (wave.Error, EOFError, ValueError):
        raise UnusableSound from None
    if shape != (CHANNELS, WIDTH, RATE) or not frames or len(sound) > MOST_BYTES:
        raise UnusableSound


@contextmanager
def _box_of(user: User) -> Iterator[tuple[VoicemailBox, PbxUserId]]:
    if user.pbx is None or not user.pbx_user_id:
        raise NotPossible
    try:
        yield backend_for(user.pbx), PbxUserId(user.pbx_user_id)
    except NotSupported:
        raise NotPossible from None
    except NotFound:
        raise MessageNotFound from None
    except TelephonyError as error:
        raise BoxUnavailable from error
