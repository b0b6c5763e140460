"""Names and numbers that strangers chose: made safe to show, log and store."""

from __future__ import annotations

import unicodedata

# Control and format characters (bidi overrides among them), surrogates, private use, unassigned.
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn"}


def safe_text(text: str, *, limit: int) -> str:
    """``text`` on one line, without control and direction characters, at most ``limit`` long."""
    cut = text[: limit * 4]
    if cut.isprintable():  # of spaces only the plain one is
        return " ".join(cut.split())[:limit]
    spaced = "".join(" " if character.isspace() else character for character in cut)
    kept = "".join(c for c in spaced if unicodedata.category(c) not in _UNSAFE)
    return " ".join(kept.split())[:limit]
