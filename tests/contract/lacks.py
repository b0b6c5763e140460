"""What a kind of PBX can't do, so that the contract's tests about it hold something else instead.

Each lack is asserted to *fail as* not supported (test_backend_lacks.py). What a PBX merely doesn't
tell can't fail: the tests expect that nothing is made up. docs/pbx-backends.md explains each.
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


class Untold(StrEnum):
    """Something that some PBX doesn't tell."""

    VERSION = "version"
    """No route, command or event of XUC carries one."""
    CAUSES = "causes"
    """Why a call was not taken is seen only where the callee's phone shows it: no event has it."""
    PHONES = "phones"
    """How a phone is, before it changes."""


XIVO_LACKS = frozenset(Lack)

LACKS: dict[str, frozenset[Lack]] = {
    "memory": frozenset(),
    "wazo": frozenset(),
    "xivo": XIVO_LACKS,
    "xivo-read-otherwise": XIVO_LACKS,
}
"""By the names of the rigs."""

UNTOLD: dict[str, frozenset[Untold]] = {
    "memory": frozenset(),
    "wazo": frozenset(),
    "xivo": frozenset({Untold.VERSION, Untold.CAUSES}),
    "xivo-read-otherwise": frozenset(Untold),
}
"""By the names of the rigs, too."""
