from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.folding import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("Hélène", "helene", id="é"),
        pytest.param("He\u0301le\u0300ne", "helene", id="decomposed"),
        pytest.param("Øvergård", "overgard", id="ø å"),
        pytest.param("Łucja Wiśniewska", "lucja wisniewska", id="Ł ś"),
        pytest.param("Strauß", "strauss", id="ß"),
        pytest.param("Lœtitia", "loetitia", id="œ"),
        pytest.param("Ștefan", "stefan", id="ș"),
        pytest.param("Işık", "isik", id="dotless i"),
        pytest.param("İnci", "inci", id="dotted I"),
        pytest.param("Port de Kerloc’h", "port de kerloc h", id="apostrophe"),
        pytest.param("  Anne-Marie\u00a0D'Arc ", "anne marie d arc", id="punctuation"),
        pytest.param("Наталья", "natal ya", id="Cyrillic"),
        pytest.param("!?", "", id="nothing"),
    ],
)
def test_names_are_compared_in_plain_letters(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
