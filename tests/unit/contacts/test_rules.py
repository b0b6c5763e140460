from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.rules import (
    MAX_TEXT,
    Kind,
    Match,
    Person,
    Question,
    best_of,
    kind_of,
    match,
    merged,
    number_of,
    question,
    rows_of,
)


def person(name: str, *numbers: str, user_id: str | None = None, more: str = "") -> Person:
    return Person(
        name=name,
        numbers=tuple(
            number_of("extension" if len(number) < 6 else "work", number, "FR")
            for number in numbers
        ),
        user_id=user_id,
        contact_id=f"user-{user_id}" if user_id else None,
        more=more,
    )


def asking(text: str) -> Question:
    asked = question(text)
    assert asked is not None
    return asked


def found(text: str, *people: Person) -> list[tuple[str, str]]:
    """The (name, number) rows of those who match, in order."""
    asked = asking(text)
    here = [one for one in people if match(asked, one, country="FR") is not None]
    ranked = rows_of(asked, here, source="Test", country="FR")
    return [(row.person.name, row.number.entered) for row in merged(ranked, limit=50)]


class TestQuestion:
    @pytest.mark.parametrize("text", ["", "   ", "\u200b", "!?", "()"])
    def test_nothing_to_look_for_is_no_question(self, text: str) -> None:
        assert question(text) is None

    def test_one_character_is_enough(self) -> None:
        assert asking("ł").terms == (" l",)

    def test_a_star_code_is_looked_for_as_a_number(self) -> None:
        assert (asking("*9").digits, asking("*").digits) == ("*9", "*")

    def test_only_the_beginning_of_a_long_text_counts(self) -> None:
        assert len(asking("a" * 10_000).text) == MAX_TEXT

    @pytest.mark.parametrize(
        ("text", "digits"),
        [
            pytest.param("01 99 00", "019900", id="spaces"),
            pytest.param("+33 (0)1.99", "33199", id="trunk zero"),
            pytest.param("nadia 1002", "", id="a name is among them"),
        ],
    )
    def test_digits_are_taken_from_numbers_only(self, text: str, digits: str) -> None:
        assert asking(text).digits == digits


NADIA = person("Nadia Belkacem", "1002", "06 39 98 12 01", user_id="2", more="nadia@demo.test")
INES = person("Inès Morvan", "1005", user_id="5", more="ines.morvan@demo.test")
LUCJA = person("Łucja Wiśniewska", "1006", user_id="6")
HELENE = person("Hélène Marchetti", "01 99 00 42 17", more="Ateliers Brossard")
MARTA = person("Marta Øvergård", "+33 5 36 49 77 02")
EVERYBODY = (NADIA, INES, LUCJA, HELENE, MARTA)


class TestMatching:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            pytest.param("nad", "Nadia Belkacem", id="beginning of the first name"),
            pytest.param("BELK", "Nadia Belkacem", id="beginning of the last name, loud"),
            pytest.param("belk nad", "Nadia Belkacem", id="both in the other order"),
            pytest.param("ines", "Inès Morvan", id="without the accent"),
            pytest.param("INÈS", "Inès Morvan", id="with the accent"),
            pytest.param("lucja wis", "Łucja Wiśniewska", id="Polish"),
            pytest.param("overg", "Marta Øvergård", id="Norwegian"),
            pytest.param("brossard", "Hélène Marchetti", id="company"),
            pytest.param("helene bross", "Hélène Marchetti", id="name and company"),
            pytest.param("1002", "Nadia Belkacem", id="extension"),
            pytest.param("nadia 1002", "Nadia Belkacem", id="name and extension"),
            pytest.param("0199004217", "Hélène Marchetti", id="national, other writing"),
            pytest.param("+33 1 99 00", "Hélène Marchetti", id="international beginning"),
            pytest.param("0033199", "Hélène Marchetti", id="with the prefix"),
            pytest.param("4217", "Hélène Marchetti", id="end of the number"),
            pytest.param("05 36 49", "Marta Øvergård", id="entered abroad, asked at home"),
            pytest.param("+33 (0)5 36", "Marta Øvergård", id="with the trunk zero"),
        ],
    )
    def test_people_are_found_by_any_part_of_them(self, text: str, name: str) -> None:
        assert {each for each, _ in found(text, *EVERYBODY)} == {name}

    @pytest.mark.parametrize("text", ["adia", "elkacem", "nadia x", "9999", "demo nadia zz"])
    def test_what_is_inside_a_word_or_of_two_people_finds_nobody(self, text: str) -> None:
        assert found(text, *EVERYBODY) == []

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param("nadia belkacem", Match.WHOLE, id="whole name"),
            pytest.param("nadia b", Match.BEGINNING, id="beginning"),
            pytest.param("b nadia", Match.WORDS, id="words"),
            pytest.param("1002", Match.WHOLE, id="whole number"),
            pytest.param("063998", Match.BEGINNING, id="beginning of a number"),
            pytest.param("9812", Match.INSIDE, id="inside a number"),
            pytest.param("demo", Match.ELSEWHERE, id="e-mail"),
            pytest.param("zz", None, id="nothing"),
            pytest.param("*", None, id="a star"),
        ],
    )
    def test_matches_are_of_different_worth(self, text: str, expected: Match | None) -> None:
        assert match(asking(text), NADIA, country="FR") is expected

    def test_one_term_in_the_name_and_one_in_the_number_may_be_any_of_them(self) -> None:
        assert match(asking("belk 9812"), NADIA, country="FR") is Match.ELSEWHERE

    @given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=20))
    def test_any_text_can_be_asked_of_any_name(self, text: str, name: str, number: str) -> None:
        asked = question(text)
        if asked is not None:
            match(asked, person(name, number), country="FR")


class TestRows:
    def test_each_callable_number_is_a_row(self) -> None:
        assert found("nadia", NADIA) == [
            ("Nadia Belkacem", "1002"),
            ("Nadia Belkacem", "06 39 98 12 01"),
        ]

    @pytest.mark.parametrize("label", ["fax", "pager"])
    def test_machines_have_no_row(self, label: str) -> None:
        office = Person(
            name="Office",
            numbers=(number_of(label, "0199004218", "FR"), number_of("work", "0199004217", "FR")),
        )
        rows = rows_of(asking("office"), [office], source="Test", country="FR")
        assert [row.number.entered for _, row in rows] == ["0199004217"]

    def test_a_number_without_digits_has_no_row(self) -> None:
        nobody = Person(name="Nobody", numbers=(number_of("work", "ask Nadia", "FR"),))
        assert rows_of(asking("nobody"), [nobody], source="Test", country="FR") == []

    def test_a_text_with_digits_that_is_no_number_has_no_row(self) -> None:
        nadia = person(
            "Nadia", "Salle 15", "Salle 007", "1234567", "*98", "01 99 00 42 17 (bureau)"
        )
        rows = rows_of(asking("nadia"), [nadia], source="Test", country="FR")
        assert [row.number.entered for _, row in rows] == [
            "1234567",
            "*98",
            "01 99 00 42 17 (bureau)",
        ]

    @pytest.mark.parametrize(
        ("label", "kind"),
        [
            ("extension", Kind.EXTENSION),
            ("mobile", Kind.MOBILE),
            ("work", Kind.WORK),
            ("home", Kind.HOME),
            ("other", Kind.OTHER),
            ("boat", Kind.OTHER),
            ("", Kind.OTHER),
        ],
    )
    def test_labels_give_the_kind(self, label: str, kind: Kind) -> None:
        assert kind_of(label) is kind

    def test_the_number_asked_for_comes_before_the_persons_others(self) -> None:
        assert found("0639981201", NADIA)[0] == ("Nadia Belkacem", "06 39 98 12 01")

    def test_better_answers_come_first_then_names(self) -> None:
        martin = person("Martin Nadia", "2001")
        nadine = person("Nadi Aubert", "2002")
        assert [name for name, _ in found("nadi", martin, NADIA, nadine)] == [
            "Nadi Aubert",
            "Nadia Belkacem",
            "Nadia Belkacem",
            "Martin Nadia",
        ]

    def test_who_a_source_found_by_something_unseen_stays_behind_the_others(self) -> None:
        rows = rows_of(asking("nadia"), [HELENE, NADIA], source="Test", country="FR")
        assert [row.person.name for row in merged(rows, limit=50)][-1] == HELENE.name

    def test_no_more_rows_than_asked_for(self) -> None:
        crowd = [person(f"Nadia {place}", str(2000 + place)) for place in range(60)]
        rows = rows_of(asking("nadia"), crowd, source="Test", country="FR")
        assert len(merged(rows, limit=50)) == 50

    def test_a_number_asked_for_that_begins_a_name_too_has_the_better_worth(self) -> None:
        studio = person("1002 Studio", "1002", "01 99 10 02 00")
        assert match(asking("1002"), studio, country="FR") is Match.WHOLE


class TestTheBest:
    def test_of_very_many_the_best_are_taken(self) -> None:
        crowd = [person(f"Nadia {place}", str(2000 + place)) for place in range(9)]
        best = best_of(asking("nadia 7"), [*crowd, HELENE], country="FR", limit=3)
        assert [one.name for one in best] == ["Nadia 7"]
        best = best_of(asking("nadia"), [*crowd[::-1], HELENE], country="FR", limit=3)
        assert [one.name for one in best] == ["Nadia 0", "Nadia 1", "Nadia 2"]


class TestMerging:
    @pytest.mark.parametrize(
        "double",
        [
            pytest.param(person("Nadia Belkacem", "1002"), id="same name and number"),
            pytest.param(person("BELKACEM Nadia", "1002"), id="last name first"),
            pytest.param(person("Nadia Belkacem", "+33639981201"), id="other writing"),
            pytest.param(person("N. Belkacem", "1002", user_id="2"), id="same user"),
        ],
    )
    def test_the_same_number_of_the_same_person_is_shown_once(self, double: Person) -> None:
        for order in ((NADIA, double), (double, NADIA)):
            rows = rows_of(asking("belkacem"), order, source="Test", country="FR")
            kept = merged(rows, limit=50)
            assert len(kept) == 2
            assert {row.person.user_id for row in kept} == {"2"}

    def test_another_number_of_the_same_person_is_kept(self) -> None:
        elsewhere = person("Nadia Belkacem", "01 99 00 42 18")
        assert len(found("nadia", NADIA, elsewhere)) == 3

    def test_two_people_may_share_a_number(self) -> None:
        desk = person("Nadia Desk", "1002", user_id="3")
        assert [row for row in found("1002", NADIA, desk) if row[1] == "1002"] == [
            ("Nadia Belkacem", "1002"),
            ("Nadia Desk", "1002"),
        ]

    def test_two_users_of_one_name_and_number_are_two_people(self) -> None:
        other = person("Nadia Belkacem", "1002", user_id="9")
        assert found("1002", NADIA, other).count(("Nadia Belkacem", "1002")) == 2
