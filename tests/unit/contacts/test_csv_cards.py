from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts.card import Card, CardEmail, CardNumber, Label, Reason, Refused, many_lines, one_line
from contacts.csv_cards import escape_cell, read_csv, write_csv


def read(text: str, encoding: str = "utf-8") -> list[Card | Refused]:
    return list(read_csv(io.BytesIO(text.encode(encoding))))


def one(text: str, encoding: str = "utf-8") -> Card:
    (card,) = read(text, encoding)
    assert isinstance(card, Card)
    return card


def test_a_google_export_is_read() -> None:
    card = one(
        "First Name,Middle Name,Last Name,Organization Name,Organization Title,"
        "E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,"
        "Phone 2 - Label,Phone 2 - Value,Phone 3 - Label,Phone 3 - Value,Notes\n"
        "Hélène,,Marchetti,Ateliers Brossard,Chef,* Work,h@brossard.test,"
        "* Mobile,+33 6 39 98 12 08 ::: +33 6 39 98 12 09,Work Fax,+33 1 99 00 42 18,"
        'Accueil,+33 1 99 00 42 17,"one\ntwo"\n'
    )

    assert card == Card(
        name="Hélène Marchetti",
        given_name="Hélène",
        family_name="Marchetti",
        company="Ateliers Brossard",
        title="Chef",
        note="one\ntwo",
        emails=(CardEmail(address="h@brossard.test", is_preferred=True, marks=("work",)),),
        numbers=(
            CardNumber(number="+33 6 39 98 12 08", label=Label.MOBILE, is_preferred=True),
            CardNumber(number="+33 6 39 98 12 09", label=Label.MOBILE, is_preferred=True),
            CardNumber(number="+33 1 99 00 42 18", label=Label.FAX),
            CardNumber(number="+33 1 99 00 42 17", own_label="Accueil"),
        ),
    )


def test_an_english_outlook_export_is_read() -> None:
    card = one(
        "Title,First Name,Last Name,Company,Department,Job Title,Business Fax,Business Phone,"
        "Home Phone,Mobile Phone,Assistant's Name,E-mail Address,E-mail 2 Address\n"
        '"Dr","Omar","Mansouri","Port","Quai 2","Captain","0261914451","+33261914450",'
        '"","","Inès","o@port.test","o@home.test"\n'
    )

    assert (card.name, card.prefix, card.title) == ("Dr Omar Mansouri", "Dr", "Captain")
    assert (card.department, card.assistant) == ("Quai 2", "Inès")
    assert [(number.label, number.number) for number in card.numbers] == [
        (Label.FAX, "0261914451"),
        (Label.WORK, "+33261914450"),
    ]
    assert [email.address for email in card.emails] == ["o@port.test", "o@home.test"]


def test_a_french_outlook_export_in_windows_encoding_is_read() -> None:
    card = one(
        "Titre;Prénom;Nom;Société;Service;Titre;Télécopie (bureau);Téléphone (bureau);"
        "Tél. mobile;Nom de l'assistant(e);Adresse de messagerie\r\n"
        "Mme;Maud;Kerjean;Brossard;Achats;Acheteuse;0199004218;01 99 00 42 17;0639981208;"
        "Zoé;m@b.test\r\n",
        "cp1252",
    )

    assert (card.prefix, card.name, card.family_name) == ("Mme", "Mme Maud Kerjean", "Kerjean")
    assert (card.department, card.title, card.assistant) == ("Achats", "Acheteuse", "Zoé")
    assert [number.label for number in card.numbers] == [Label.FAX, Label.WORK, Label.MOBILE]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(
            "First Name,Last Name,Display Name,Primary Email,Work Phone,Home Phone,Fax Number,"
            "Pager Number,Mobile Number,Organization",
            id="english",
        ),
        pytest.param(
            "Prénom,Nom de famille,Nom à afficher,Première adresse électronique,Tél. professionnel,"
            "Tél. personnel,Fax,Pager,Portable,Société",
            id="french",
        ),
    ],
)
def test_a_thunderbird_export_is_read(header: str) -> None:
    card = one(header + "\nRui,Tavares,Rui T.,r@t.test,1,2,3,4,5,Acme\n")

    assert (card.name, card.family_name, card.company) == ("Rui T.", "Tavares", "Acme")
    assert [(number.label, number.number) for number in card.numbers] == [
        (Label.WORK, "1"),
        (Label.HOME, "2"),
        (Label.FAX, "3"),
        (Label.PAGER, "4"),
        (Label.MOBILE, "5"),
    ]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        pytest.param("nom;téléphone\nInès;1", "utf-8", id="semicolons"),
        pytest.param("nom\ttéléphone\nInès\t1", "utf-8", id="tabs"),
        pytest.param("nom|téléphone\nInès|1", "utf-8", id="bars"),
        pytest.param("nom,téléphone\r\nInès,1\r\n", "utf-8-sig", id="utf-8-mark"),
        pytest.param("nom\ttéléphone\r\nInès\t1", "utf-16", id="utf-16"),
        pytest.param("nom;téléphone\nInès;1", "latin-1", id="latin-1"),
        pytest.param("sep=;\nnom;téléphone\nInès;1", "utf-8", id="excel-hint"),
        pytest.param('"nom, prénom ou société";"Nom";téléphone\nx;Inès;1', "utf-8", id="quoted"),
        pytest.param("nom,téléphone\n\n , \nInès,1\n", "utf-8", id="gaps"),
    ],
)
def test_delimiter_and_encoding_are_found(text: str, encoding: str) -> None:
    card = one(text, encoding)

    assert (card.name, card.numbers[0].number) == ("Inès", "1")


def test_a_row_without_anybody_is_reported_and_the_next_is_read() -> None:
    found = read('Name,Phone,Notes\n,,hello\n"A\nB",1,\n,,again\nC,2,\n')

    assert found[0] == Refused(2, Reason.NOBODY)
    assert found[2] == Refused(5, Reason.NOBODY)
    assert [card.name for card in found if isinstance(card, Card)] == ["A B", "C"]


def test_a_quote_that_never_ends_takes_no_other_file_along() -> None:
    rows = "\n".join(f"P{i},{i}" for i in range(30_000))
    found = read(f'Name,Phone\nA,1\n"B,2\n{rows}\n')

    assert found[0] == Card(name="A", numbers=(CardNumber(number="1"),))
    assert Refused(3, Reason.TOO_LARGE) in found
    assert isinstance(found[-1], Card)
    assert found[-1].name == "P29999"


@pytest.mark.parametrize("text", ["", "\n", "a,b\n1,2", "BEGIN:VCARD\nFN:A\nEND:VCARD"])
def test_a_file_without_known_columns_is_refused(text: str) -> None:
    assert read(text) == [Refused(1, Reason.UNKNOWN_COLUMNS)]


def test_a_number_kept_as_text_by_a_spreadsheet_is_read() -> None:
    assert one('Name,Phone\nA,"=""0199004217"""\n').numbers[0].number == "0199004217"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        pytest.param("=1+1", "'=1+1", id="formula"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="at"),
        pytest.param("-2", "'-2", id="minus"),
        pytest.param("+33 6 39 98 12 08", "'+33 6 39 98 12 08", id="plus"),
        pytest.param("\t=1", "'\t=1", id="tab"),
        pytest.param("＝1", "'＝1", id="full-width"),
        pytest.param("'=1", "''=1", id="looks-escaped"),
        pytest.param("O'Neil", "O'Neil", id="harmless"),
        pytest.param("'tis", "'tis", id="apostrophe"),
        pytest.param("1+1", "1+1", id="inside"),
    ],
)
def test_a_cell_that_would_be_a_formula_is_escaped(text: str, cell: str) -> None:
    assert escape_cell(text) == cell


def test_no_cell_of_an_export_starts_like_a_formula() -> None:
    evil = '=HYPERLINK("http://x.test","y")'
    card = Card(
        name=evil, company="@x", note="-a", numbers=(CardNumber(number="+33 1", label=Label.WORK),)
    )

    row = cells_of(card)

    assert evil in row["Name"]
    del row["Business Phone"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())


def cells_of(card: Card) -> dict[str, str]:
    """The cells of an export by their header."""
    (row,) = csv.DictReader(io.StringIO("".join(write_csv([card])).removeprefix("\ufeff")))
    return row


@pytest.mark.parametrize(
    ("number", "cell"),
    [
        pytest.param("+33 6 39 98 12 08", "+33 6 39 98 12 08", id="international"),
        pytest.param("+33(0)1-99.00/42", "+33(0)1-99.00/42", id="with separators"),
        pytest.param("01 99 00 42 17", "01 99 00 42 17", id="national"),
        pytest.param("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0", id="letters"),
        pytest.param("+1=1", "'+1=1", id="equals"),
        pytest.param("-1+2", "'-1+2", id="minus"),
        pytest.param("+1+SUM(1)", "'+1+SUM(1)", id="function"),
        pytest.param("@1", "'@1", id="at"),
        pytest.param("=1", "'=1", id="formula"),
    ],
)
def test_a_number_keeps_its_plus_and_what_is_more_is_escaped(number: str, cell: str) -> None:
    assert cells_of(Card(name="A", numbers=(CardNumber(number=number),)))["Other Phone"] == cell


def test_several_numbers_in_a_cell_keep_their_plus() -> None:
    numbers = (
        CardNumber(number="+33 1", label=Label.WORK, extension="5"),
        CardNumber(number="+33 2", label=Label.WORK),
    )

    assert cells_of(Card(name="A", numbers=numbers))["Business Phone"] == "+33 1 ext. 5 ::: +33 2"


def test_a_plus_outside_the_numbers_is_escaped() -> None:
    assert cells_of(Card(name="A", note="+33 6 39 98 12 08"))["Notes"] == "'+33 6 39 98 12 08"


def test_a_distribution_list_is_not_exported() -> None:
    assert len(list(write_csv([Card(name="Team", is_group=True)]))) == 1


TEXT = st.text(max_size=20).map(one_line)


@st.composite
def cards(draw: st.DrawFn) -> Card:
    numbers = draw(
        st.lists(
            st.builds(
                CardNumber,
                number=st.from_regex(r"\+?[0-9]([0-9 ().-]{0,10}[0-9])?", fullmatch=True).map(
                    one_line
                ),
                label=st.sampled_from([Label.WORK, Label.MOBILE, Label.FAX]),
                extension=st.sampled_from(["", "5"]),
            ),
            unique=True,
            max_size=4,
        )
    )
    order = [Label.WORK, Label.MOBILE, Label.FAX]
    return Card(
        name=draw(st.one_of(TEXT, st.sampled_from(["=1", "'+1", '="x', "a;b"])).filter(bool)),
        family_name=draw(TEXT),
        given_name=draw(TEXT),
        company=draw(TEXT),
        assistant=draw(TEXT),
        note=draw(st.text(max_size=40).map(many_lines)),
        numbers=tuple(sorted(numbers, key=lambda number: order.index(number.label))),
    )


@settings(max_examples=60)
@given(st.lists(cards(), max_size=3), st.sampled_from([",", ";", "\t"]))
def test_what_is_exported_is_read_back(people: list[Card], delimiter: str) -> None:
    assert read("".join(write_csv(people, delimiter=delimiter))) == people


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    list(read_csv(io.BytesIO(noise)))
    list(read_csv(io.BytesIO(b"Name,Phone\n" + noise)))
