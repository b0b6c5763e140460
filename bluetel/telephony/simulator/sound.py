"""The audio of simulated voice messages."""

from __future__ import annotations

import math
import struct

RATE = 8000
"""Samples a second, 16 bits, one channel: what Asterisk records as ``wav``."""


def tone(*, seconds: float, hertz: int) -> bytes:
    """A WAV file (RIFF, PCM) of one soft sine tone, ``seconds`` long."""
    period = RATE // math.gcd(RATE, hertz)
    wave = struct.pack(
        f"<{period}h",
        *(round(6000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(period)),
    )
    size = round(seconds * RATE) * 2
    data = (wave * (size // len(wave) + 1))[:size]
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + size,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        RATE,
        RATE * 2,
        2,
        16,
        b"data",
        size,
    )
    return header + data
