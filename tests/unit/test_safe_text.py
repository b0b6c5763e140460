"""Names that strangers chose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluetel.telephony.text import safe_text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("Zoë\r\nINFO forged line", "Zoë INFO forged line"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("   spaced \t out  ", "spaced out"),
        ("\ue000\ud800 ok", "ok"),
    ],
    ids=["line-break", "bidi", "control", "markup-is-text", "spaces", "private-and-surrogate"],
)
def test_a_hostile_name_is_made_harmless(hostile: str, shown: str) -> None:
    assert safe_text(hostile, limit=200) == shown


def test_ten_kilobytes_are_cut() -> None:
    assert safe_text("x" * 10_000, limit=200) == "x" * 200


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_the_result_is_one_line_within_the_limit(text: str, limit: int) -> None:
    safe = safe_text(text, limit=limit)
    assert len(safe) <= limit
    assert safe.isprintable()
    assert safe_text(safe, limit=limit).rstrip() == safe.rstrip()
