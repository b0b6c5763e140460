"""The sentence of a settings page that says what will happen."""

from __future__ import annotations

import re


def sentence_of(page: str) -> str:
    """What a reader sees of it: neither tags nor hidden parts."""
    part = page[page.index('data-part="sentence"') :].partition("</p>")[0]
    shown = re.sub(r"<span data-when=\"[^\"]*\" hidden>.*?</span>", "", part, flags=re.DOTALL)
    words = re.sub(r"<[^>]*>", " ", shown.partition(">")[2]).replace("\u00a0", " ").split()
    return " ".join(words).replace("\u2019", "'")
