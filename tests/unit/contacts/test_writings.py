from __future__ import annotations

import pytest

from bluetel.telephony.numbers import display_text
from contacts.writings import digits_of, lines_of_stored, read, shown_as, writings


def test_the_first_writing_is_the_same_however_it_was_entered() -> None:
    entered = ["01 99 00 42 17", "+33 (0)1 99 00 42 17", "0033199004217"]
    assert {writings(each, "FR")[0] for each in entered} == {"33199004217"}


def test_what_is_no_number_has_its_digits_as_writing() -> None:
    assert writings("019900", "FR") == ("019900",)
    assert writings("01 99 00 42", "FR") == ("01990042",)


def test_a_short_number_has_one_writing() -> None:
    assert writings("118 218", "FR") == ("118218",)


@pytest.mark.parametrize("country", ["FR", "DE", "IT", "LU"])
@pytest.mark.parametrize(
    "number",
    [
        *("+33 1 99 00 42 17", "01.99.00.42.17", "0033199004217", "+33 1 99 00 42 17 poste 12"),
        *(
            "+49 30 123456",
            "+39 06 1234567",
            "+352 27 12 34",
            "+1 242 555 1234",
            "+262692123456",
        ),
        *("1002", "3631", "112", "118 218", "*21#", "Accueil", "+33 1", "+33 1 99 00 42 17 x3"),
    ],
)
def test_a_number_is_shown_alike_whoever_has_read_it(number: str, country: str) -> None:
    stored = digits_of(number, country)
    lines = lines_of_stored(number, stored.identity, stored.national)
    shown = display_text(number, country=country)
    assert {shown_as(number, lines, country), read(number, country).shown} == {shown}
