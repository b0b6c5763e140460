"""What a kind of PBX can't do, so that the contract's tests about it hold something else instead.

Each lack is asserted to *fail as* not supported (test_backend_lacks.py); docs/pbx-backends.md
explains each.
"""

from __future__ import annotations

from enum import StrEnum


class Lack(StrEnum):
    """Something that some PBX can't do."""

    VOICEMAIL = "voicemail"
    """Voice messages can neither be listed nor heard; they come by mail."""
    MUTE = "mute"
    DTMF = "dtmf"
    """Tones, on desk phones."""
    CHAT = "chat"
    """A chosen status can neither be read nor written."""


XIVO_LACKS = frozenset(Lack)

LACKS: dict[str, frozenset[Lack]] = {
    "memory": frozenset(),
    "wazo": frozenset(),
    "xivo": XIVO_LACKS,
    "xivo-read-otherwise": XIVO_LACKS,
}
"""By the names of the rigs."""
