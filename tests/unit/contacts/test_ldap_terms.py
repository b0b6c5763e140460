"""What somebody typed, as a search a directory understands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluetel.ldap.attributes import Schema, attribute_map
from bluetel.ldap.filters import is_filter
from contacts.ldap.person import LdapPerson
from contacts.ldap.terms import filter_for, is_loose_worthwhile, matches, parse_term

ATTRIBUTES = attribute_map(Schema.OPENLDAP, {})


def somebody(name: str = "Hélène Marchetti", **more: object) -> LdapPerson:
    values: dict[str, object] = {
        "id": "1", "marker": "", "dn": "", "login": "", "name": name, "given_name": "",
        "family_name": "", "emails": ("helene.marchetti@demo.test",),
        "company": "Ateliers Brossard", "department": "", "title": "", "manager": "",
        "assistant": "", "note": "", "photo": None,
        "numbers": (("work", "+33 (0)1 99 00 42 17"), ("fax", "01 99 00 42 18")),
    }  # fmt: skip
    return LdapPerson(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("é", id="one letter"),
        pytest.param("a b", id="single letters"),
        pytest.param("12", id="two digits"),
        pytest.param("x" * 101, id="too long"),
        pytest.param("x" * 10_000, id="far too long"),
        pytest.param(")(uid=*", id="injection"),
        pytest.param("*)(objectClass=*", id="wildcard"),
        pytest.param("camille*", id="a star"),
        pytest.param("cam\\6cle", id="an escape"),
        pytest.param("camille\0", id="a NUL"),
        pytest.param(")(camille", id="crossed parentheses"),
        pytest.param("a b c d e ff", id="too many words"),
        pytest.param("... - ...", id="no letters"),
        pytest.param("°°", id="signs that have a name"),
    ],
)
def test_some_terms_are_not_worth_asking(text: str) -> None:
    assert parse_term(text, country="FR") is None


@given(st.text(max_size=120), st.booleans())
def test_whatever_is_typed_makes_one_filter(text: str, loose: bool) -> None:
    term = parse_term(text, country="FR")

    if term is not None and (not loose or is_loose_worthwhile(term)):
        assert is_filter(filter_for(term, attributes=ATTRIBUTES, loose=loose))


def test_both_spellings_of_an_accent_are_asked() -> None:
    term = parse_term("Lefè", country="FR")
    assert term is not None

    asked = filter_for(term, attributes=ATTRIBUTES, loose=False)

    assert "(sn=lefè*)" in asked
    assert "(sn=lefe*)" in asked


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        pytest.param("helene", "Hélène Marchetti", id="plain for accented"),
        pytest.param("HÉL mar", "Hélène Marchetti", id="two beginnings"),
        pytest.param("marchetti hel", "Hélène Marchetti", id="other order"),
        pytest.param("pierre", "Jean-Pierre Caër", id="after a hyphen"),
        pytest.param("o'neil", "Zoé O'Neil", id="apostrophe"),
        pytest.param("gross", "Amélie Groß", id="sharp s"),
        pytest.param("boeuf", "Benoît Bœuf", id="ligature"),
        pytest.param("lucja wis", "Łucja Wiśniewska", id="Polish"),
        pytest.param("ates", "Ateş Ünal", id="Turkish"),
        pytest.param("brossard", "Anybody", id="company"),
        pytest.param("helene.marchetti@demo", "Anybody", id="e-mail"),
        pytest.param("محمد", "محمد حداد", id="right to left"),
    ],
)
def test_who_is_meant(typed: str, name: str) -> None:
    term = parse_term(typed, country="FR")

    assert term is not None
    assert matches(term, somebody(name))


@pytest.mark.parametrize("typed", ["elene", "marchettis", "hel dupont"])
def test_who_is_not_meant(typed: str) -> None:
    term = parse_term(typed, country="FR")

    assert term is not None
    assert not matches(term, somebody())


@pytest.mark.parametrize(
    "typed",
    ["0199004217", "01 99 00", "+33199004217", "0033 1 99 00 42", "4217", "(01) 99.00-42"],
)
def test_a_number_is_found_however_it_is_written(typed: str) -> None:
    term = parse_term(typed, country="FR")

    assert term is not None
    assert matches(term, somebody())


def test_a_fax_is_nobodys_number() -> None:
    term = parse_term("4218", country="FR")

    assert term is not None
    assert not matches(term, somebody())


def test_the_second_look_needs_letters_that_are_certain() -> None:
    vague = parse_term("aicha", country="FR")
    telling = parse_term("lefevre", country="FR")

    assert vague is not None
    assert not is_loose_worthwhile(vague)
    assert telling is not None
    assert is_loose_worthwhile(telling)
    assert "(sn=*f*vr*)" in filter_for(telling, attributes=ATTRIBUTES, loose=True)
