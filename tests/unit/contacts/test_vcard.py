from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts.card import (
    Card,
    CardEmail,
    CardNumber,
    Label,
    Photo,
    Reason,
    Refused,
    differences,
    digest,
    many_lines,
    one_line,
    with_numbers,
)
from contacts.vcard import (
    PHOTO_LIMIT,
    UnreadableCard,
    read_card,
    read_cards,
    write_card,
    write_cards,
)

vobject = pytest.importorskip("vobject")  # without types; it comes with Radicale

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def card_of(*lines: str | bytes, version: str = "3.0", end: bytes = b"\r\n") -> Card:
    """The card made of these lines."""
    body = [line if isinstance(line, bytes) else line.encode() for line in lines]
    data = end.join([b"BEGIN:VCARD", f"VERSION:{version}".encode(), *body, b"END:VCARD", b""])
    (card,) = read_cards(io.BytesIO(data))
    assert isinstance(card, Card)
    return card


def tel(*lines: str) -> CardNumber:
    (number,) = card_of("FN:A", *lines).numbers
    return number


# --- From the wild ------------------------------------------------------------------------------


def test_an_iphone_card_is_read_with_its_labels() -> None:
    card = card_of(
        "PRODID:-//Apple Inc.//iPhone OS 17.0//EN",
        "N:Marchetti;Hélène;;;",
        "FN:Hélène Marchetti",
        "ORG:Ateliers Brossard;Atelier 2;",
        "item1.TEL;type=pref:01 99 00 42 17",
        "item1.X-ABLabel:_$!<Work>!$_",
        "TEL;type=CELL;type=VOICE:06 39 98 12 08",
        "item2.TEL:01 99 00 42 00",
        "item2.X-ABLabel:Accueil",
        "item3.ADR;type=WORK:;;1 quai;Brest;;29200;France",
        "item3.X-ABADR:fr",
    )

    assert (card.name, card.family_name, card.given_name) == (
        "Hélène Marchetti",
        "Marchetti",
        "Hélène",
    )
    assert (card.company, card.department) == ("Ateliers Brossard", "Atelier 2")
    assert card.numbers == (
        CardNumber(number="01 99 00 42 17", label=Label.WORK, is_preferred=True),
        CardNumber(number="06 39 98 12 08", label=Label.MOBILE),
        CardNumber(number="01 99 00 42 00", own_label="Accueil"),
    )
    assert card.kept == (
        "item3.ADR;TYPE=WORK:;;1 quai;Brest;;29200;France",
        "item3.X-ABADR:fr",
    )


def test_an_old_nokia_card_in_quoted_printable_is_read() -> None:
    card = card_of(
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Lef=C3=A8vre;Ren=C3=A9e",
        "TEL;CELL;PREF:+33639981201",
        "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Pr=E9f=E8re le matin=0D=0A=",
        "apr=E8s 9h",
        version="2.1",
    )

    assert card.name == "Renée Lefèvre"
    assert card.note == "Préfère le matin\naprès 9h"
    assert card.numbers[0] == CardNumber(
        number="+33639981201", label=Label.MOBILE, is_preferred=True
    )


@pytest.mark.parametrize(
    ("line", "name"),
    [
        pytest.param("FN:Łucja Wiśniewska".encode(), "Łucja Wiśniewska", id="utf-8"),
        pytest.param("FN:Hélène".encode("latin-1"), "Hélène", id="latin-1-unsaid"),
        pytest.param("FN;CHARSET=ISO-8859-1:Hélène".encode("latin-1"), "Hélène", id="latin-1-said"),
        pytest.param("FN;CHARSET=ISO-8859-1:Hélène".encode(), "Hélène", id="said-wrongly"),
        pytest.param("FN;CHARSET=windows-1251:Иван".encode("cp1251"), "Иван", id="cyrillic"),
        pytest.param("FN;CHARSET=Shift_JIS:山田".encode("shift-jis"), "山田", id="japanese"),
        pytest.param("FN;CHARSET=nonsense:Hélène".encode(), "Hélène", id="unknown-charset"),
        pytest.param("FN:Prix 5\u20ac".encode("cp1252"), "Prix 5€", id="windows"),
        pytest.param("FN:مريم".encode(), "مريم", id="right-to-left"),
        pytest.param("FN:e\u0301\u202edraC".encode(), "édraC", id="decomposed-and-overridden"),
        pytest.param(b'FN:O\\\'Neil\\, "Pat"\\; x\\\\y', 'O\\\'Neil, "Pat"; x\\y', id="escapes"),
    ],
)
def test_a_name_is_read_in_whatever_encoding(line: bytes, name: str) -> None:
    assert card_of(line).name == name


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"], ids=["crlf", "lf", "cr"])
def test_any_line_ending_will_do(end: bytes) -> None:
    assert card_of("FN:A", "NOTE:one", " two", end=end).note == "onetwo"


def test_line_endings_may_be_mixed() -> None:
    data = b"BEGIN:VCARD\r\nVERSION:3.0\nFN:A\rNOTE:b\r\nEND:VCARD\nBEGIN:VCARD\nFN:C\nEND:VCARD"

    assert [card.name for card in read_cards(io.BytesIO(data)) if isinstance(card, Card)] == [
        "A",
        "C",
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_hindrance(encoding: str) -> None:
    data = "BEGIN:VCARD\r\nFN:Inès\r\nEND:VCARD\r\n".encode(encoding)

    (card,) = read_cards(io.BytesIO(data))

    assert isinstance(card, Card)
    assert card.name == "Inès"


def test_a_fold_may_cut_a_character() -> None:
    name = "Wiśniewska".encode()
    cut = name.index(b"\xc5") + 1

    assert card_of(b"FN:" + name[:cut] + b"\r\n " + name[cut:]).name == "Wiśniewska"


def test_line_breaks_left_in_a_note_belong_to_it() -> None:
    card = card_of("FN:A", "NOTE:first", "second line", "", "TEL:1001")

    assert card.note == "first\nsecond line"
    assert card.numbers[0].number == "1001"


def test_a_card_inside_a_card_is_passed_over() -> None:
    card = card_of("FN:A", "AGENT:", "BEGIN:VCARD", "FN:Inner", "END:VCARD", "TEL:1001")

    assert card.name == "A"
    assert card.numbers[0].number == "1001"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param('TEL;TYPE="voice,work":1', (Label.WORK, "1", ()), id="quoted-list"),
        pytest.param("TEL;TYPE=work,voice:1", (Label.WORK, "1", ()), id="list"),
        pytest.param("TEL;TYPE=work;TYPE=voice:1", (Label.WORK, "1", ()), id="repeated"),
        pytest.param("TEL;WORK;VOICE:1", (Label.WORK, "1", ()), id="bare"),
        pytest.param("tel;type=Work:1", (Label.WORK, "1", ()), id="lower-case"),
        pytest.param("TEL;TYPE=HOME,CELL:1", (Label.MOBILE, "1", ("home",)), id="mobile-at-home"),
        pytest.param("TEL;TYPE=WORK,FAX:1", (Label.FAX, "1", ("work",)), id="fax-at-work"),
        pytest.param("TEL;TYPE=PAGER:1", (Label.PAGER, "1", ()), id="pager"),
        pytest.param("TEL;TYPE=HOME:1", (Label.HOME, "1", ()), id="home"),
        pytest.param("TEL;TYPE=CAR:1", (Label.OTHER, "1", ("car",)), id="car"),
        pytest.param(
            "TEL:+33 (0)1.99-00 42 17", (Label.OTHER, "+33 (0)1.99-00 42 17", ()), id="text"
        ),
        pytest.param("TEL:\u202d+33 1\u00a099\u202c", (Label.OTHER, "+33 1 99", ()), id="pasted"),
    ],
)
def test_what_a_number_is_for_is_read_in_every_dialect(
    line: str, expected: tuple[Label, str, tuple[str, ...]]
) -> None:
    number = tel(line)

    assert (number.label, number.number, number.marks) == expected


@pytest.mark.parametrize(
    ("line", "number", "extension"),
    [
        pytest.param("TEL;VALUE=uri:tel:+33-1-99-00-42-17", "+33-1-99-00-42-17", "", id="uri"),
        pytest.param("TEL;VALUE=uri:tel:+33199;ext=5", "+33199", "5", id="uri-ext"),
        pytest.param('TEL;VALUE=uri;TYPE="work":TEL:+33199;isub=1;EXT=5', "+33199", "5", id="caps"),
        pytest.param("TEL:tel:+33%20199", "+33 199", "", id="unsaid-and-escaped"),
        pytest.param("TEL;VALUE=uri:tel:199;phone-context=+33", "+33199", "", id="context"),
        pytest.param("TEL;VALUE=uri:tel:1001;phone-context=pbx.test", "1001", "", id="domain"),
        pytest.param("TEL:+33 1 99 ext. 12", "+33 1 99", "12", id="text-ext"),
        pytest.param("TEL:01 99 00 poste 12", "01 99 00", "12", id="french-ext"),
        pytest.param("TEL:01 99 00 x12", "01 99 00", "12", id="x"),
        pytest.param("TEL:callto:+33199", "+33199", "", id="callto"),
    ],
)
def test_a_tel_address_gives_number_and_extension(line: str, number: str, extension: str) -> None:
    read = tel(line)

    assert (read.number, read.extension) == (number, extension)


def test_what_is_no_telephone_number_is_kept_but_not_called() -> None:
    card = card_of("FN:A", "TEL;VALUE=uri:sip:a@b.test", "TEL:", "TEL;TYPE=work: ")

    assert card.numbers == ()
    assert card.kept == ("TEL;VALUE=uri:sip:a@b.test",)


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        pytest.param(["N:Renard;Camille;;Dr;"], "Dr Camille Renard", id="from-parts"),
        pytest.param(["FN:", "ORG:Port de Kerloc'h"], "Port de Kerloc'h", id="from-company"),
        pytest.param(["NICKNAME:Kiki"], "Kiki", id="from-nickname"),
        pytest.param(["EMAIL:a@b.test"], "a@b.test", id="from-address"),
        pytest.param(["N:;;;;", "TEL:1001"], "1001", id="from-number"),
    ],
)
def test_a_card_without_a_full_name_is_shown_as_what_it_has(lines: list[str], name: str) -> None:
    assert card_of(*lines).name == name


def test_a_picture_is_read_in_every_dialect() -> None:
    text = base64.b64encode(PNG).decode()
    indented = [text[i : i + 40] for i in range(0, len(text), 40)]

    for lines in (
        [f"PHOTO;ENCODING=b;TYPE=PNG:{text}"],
        ["PHOTO;PNG;ENCODING=BASE64:", *[f"    {part}" for part in indented], ""],
        ["PHOTO;PNG;BASE64:" + indented[0], *indented[1:], ""],
        [f"PHOTO:data:image/png;base64,{text}"],
    ):
        card = card_of("FN:A", *lines, "TEL:1")

        assert card.photo == Photo(media_type="image/png", content=PNG)
        assert len(card.numbers) == 1


def test_a_picture_elsewhere_is_kept_and_never_fetched() -> None:
    card = card_of("FN:A", "PHOTO;VALUE=uri:https://x.test/a.png")

    assert card.photo is None
    assert card.kept == ("PHOTO;VALUE=uri:https://x.test/a.png",)


def test_a_picture_is_what_its_bytes_say() -> None:
    svg = base64.b64encode(b"<svg onload=alert(1)>").decode()

    assert card_of("FN:A", f"PHOTO;ENCODING=b;TYPE=PNG:{svg}").photo is None


def test_a_large_picture_is_dropped_by_an_import_and_kept_by_a_sync() -> None:
    line = "PHOTO;ENCODING=b;TYPE=PNG:" + base64.b64encode(PNG + bytes(PHOTO_LIMIT)).decode()
    text = f"BEGIN:VCARD\r\nFN:A\r\n{line}\r\nTEL:1001\r\nEND:VCARD\r\n"

    assert card_of("FN:A", line).kept == ()
    assert read_card(text).kept == (line,)
    assert line in write_card(read_card(text)).replace("\r\n ", "")


def test_a_distribution_list_is_marked_as_one() -> None:
    assert card_of("FN:Team", "X-ADDRESSBOOKSERVER-KIND:group").is_group
    assert card_of("FN:Team", "KIND:group", version="4.0").is_group
    assert not card_of("FN:A", "KIND:individual", version="4.0").is_group


# --- What can't be used ---------------------------------------------------------------------------


def test_a_bad_card_is_reported_with_its_line_and_the_next_is_read() -> None:
    data = (
        b"BEGIN:VCARD\nFN:A\nEND:VCARD\n"
        b"BEGIN:VCARD\nFN:Cut off\n"
        b"BEGIN:VCARD\nFN:B\nEND:VCARD\n"
        b"noise\n"
        b"BEGIN:VCARD\nNOTE:nobody\nEND:VCARD\n"
        b"BEGIN:VCARD\nFN:C\nEND:VCARD\n"
        b"BEGIN:VCARD\nFN:Never ends\n"
    )

    found = list(read_cards(io.BytesIO(data)))

    assert [card.name for card in found if isinstance(card, Card)] == ["A", "B", "C"]
    assert [refused for refused in found if isinstance(refused, Refused)] == [
        Refused(4, Reason.UNFINISHED),
        Refused(10, Reason.NOBODY),
        Refused(16, Reason.UNFINISHED),
    ]


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"Name,Phone\nA,1\n", b"\x89PNG\r\n\x1a\n" + bytes(1000)],
    ids=["empty", "blank", "csv", "picture"],
)
def test_another_kind_of_file_is_one_report(data: bytes) -> None:
    assert list(read_cards(io.BytesIO(data))) == [Refused(1, Reason.NOT_A_CARD_FILE)]


def test_a_card_of_many_megabytes_is_refused_and_the_next_is_read() -> None:
    line = b"X-JUNK:" + b"x" * 3_000_000
    data = b"BEGIN:VCARD\nFN:A\n" + (line + b"\n") * 4 + b"END:VCARD\nBEGIN:VCARD\nFN:B\nEND:VCARD"

    first, second = read_cards(io.BytesIO(data))

    assert first == Refused(1, Reason.TOO_LARGE)
    assert isinstance(second, Card)


@pytest.mark.parametrize("text", ["", "hello", "BEGIN:VCARD\nFN:A\n", "BEGIN:VCARD\nEND:VCARD"])
def test_a_single_unusable_card_raises(text: str) -> None:
    with pytest.raises(UnreadableCard):
        read_card(text)


class Repeated(io.RawIOBase):
    """A file of the same card many times, which exists only while it is read."""

    def __init__(self, card: bytes, count: int) -> None:
        self.card, self.size, self.was_read = card, len(card) * count, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        start = self.was_read % len(self.card)
        piece = self.card[start : start + min(len(view), self.size - self.was_read)]
        view[: len(piece)] = piece
        self.was_read += len(piece)
        return len(piece)


def test_a_file_of_20_megabytes_is_read_card_by_card() -> None:
    photo = base64.b64encode(PNG + bytes(20_000)).decode()
    text = f"BEGIN:VCARD\nVERSION:3.0\nFN:A B\nTEL:1001\nPHOTO;ENCODING=b:{photo}\nEND:VCARD\n"
    stream = Repeated(text.encode(), 750)
    cards = read_cards(io.BufferedReader(stream, 65536))

    next(cards)
    after_one = stream.was_read

    assert after_one < 500_000
    assert sum(isinstance(card, Card) for card in cards) == 749
    assert stream.was_read > 20_000_000


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    for data in (noise, b"BEGIN:VCARD\nFN:A\n" + noise + b"\nEND:VCARD\n"):
        for found in read_cards(io.BytesIO(data)):
            if isinstance(found, Card):
                read_card(write_card(found))


@given(
    st.lists(
        st.sampled_from(
            [
                *["BEGIN:VCARD", "END:VCARD", "FN:A", "TEL;TYPE=", '"', ";", ":", "=", "\r\n"],
                *[" ", "é", "item1.", "X-ABLabel:Car", "ENCODING=QUOTED-PRINTABLE", "=C3", "\\"],
                "PHOTO;BASE64:",
            ]
        ),
        max_size=40,
    )
)
def test_no_heap_of_pieces_breaks_the_reader(pieces: list[str]) -> None:
    list(read_cards(io.BytesIO("".join(pieces).encode())))


# --- There and back -----------------------------------------------------------------------------

TEXT = st.text(max_size=30).map(one_line)
WORDS = st.sampled_from(["Anna", "O'Neil", "a;b", "c,d", "e\\f", "x:y", '"q"', "Łódź", "李", "/"])
NAMED = st.one_of(TEXT, WORDS, st.lists(WORDS, max_size=3).map(" ".join).map(one_line))
KEPT = st.sampled_from(
    [
        *["BDAY:1980-01-02", "ADR;TYPE=WORK:;;1 rue;Brest;;;", "item1.X-ABDATE:x"],
        *['X-FOO;X="a,b":c\\,d', "LOGO;ENCODING=b:QUJD", "CATEGORIES:a,b", "X-ABSHOWAS:COMPANY"],
    ]
)


@st.composite
def cards(draw: st.DrawFn) -> Card:
    """Cards as the readers make them."""
    numbers = draw(
        st.lists(
            st.builds(
                CardNumber,
                number=st.from_regex(r"\+?[0-9]([0-9 ().-]{0,10}[0-9])?", fullmatch=True).map(
                    one_line
                ),
                label=st.sampled_from(Label),
                is_preferred=st.booleans(),
                extension=st.from_regex(r"([0-9]{1,6})?", fullmatch=True),
                own_label=st.sampled_from(["", "Accueil", "a;b", "Ligne directe"]),
                marks=st.sampled_from([(), ("msg",), ("car", "video")]),
            ),
            max_size=4,
        )
    )
    emails = draw(
        st.lists(
            st.builds(
                CardEmail,
                address=st.sampled_from(["a@b.test", "x;y@b.test"]),
                is_preferred=st.booleans(),
                own_label=st.sampled_from(["", "Perso"]),
                marks=st.sampled_from([(), ("home",), ("work",)]),
            ),
            max_size=2,
        )
    )
    return Card(
        uid=draw(st.sampled_from(["", "1234-5678", "urn:uuid:1"])),
        name=draw(NAMED.filter(bool)),
        family_name=draw(NAMED),
        given_name=draw(NAMED),
        middle_name=draw(NAMED),
        prefix=draw(NAMED),
        suffix=draw(NAMED),
        company=draw(NAMED),
        department=draw(st.sampled_from(["", "R&D", "a;b", "North / Paint"])),
        title=draw(NAMED),
        assistant=draw(NAMED),
        note=draw(st.text(max_size=60).map(many_lines)),
        numbers=tuple(numbers),
        emails=tuple(emails),
        photo=draw(st.sampled_from([None, Photo(media_type="image/png", content=PNG)])),
        kept=tuple(draw(st.lists(KEPT, max_size=3, unique=True))),
        version=draw(st.sampled_from(["3.0", "4.0"])),
    )


@settings(max_examples=30)
@given(cards())
def test_a_card_comes_back_as_it_was_written(card: Card) -> None:
    written = write_card(card)

    again = read_card(written)

    if card.version == "3.0":
        assert again == card
    else:  # 4.0 writes pictures and logos as data addresses
        assert differences(again, card) == ()
    assert all(len(line.encode()) <= 75 for line in written.split("\r\n"))


@settings(max_examples=30)
@given(cards())
def test_another_reader_understands_what_is_written(card: Card) -> None:
    read = vobject.readOne(write_card(card, version="3.0"))

    assert read.fn.value.strip() == card.name
    assert [one.value for one in getattr(read, "tel_list", [])] == [
        number.number + (f" ext. {number.extension}" if number.extension else "")
        for number in card.numbers
    ]


def test_an_edit_loses_nothing_of_another_program() -> None:
    text = """BEGIN:VCARD
VERSION:3.0
UID:1
FN:A
N:A;;;;
TEL;TYPE=HOME,CELL:1
item1.ADR;TYPE=WORK:;;1 rue;Brest;;29200;France
item1.X-ABLabel:Atelier
X-SOCIALPROFILE;TYPE=matrix:@a:b.test
BDAY:1980-01-02
END:VCARD
"""

    edited = with_numbers(read_card(text), [(Label.MOBILE, "1"), (Label.WORK, "2")])
    written = write_card(edited)

    assert "TEL;TYPE=cell,home:1\r\n" in written
    assert "TEL;TYPE=work:2\r\n" in written
    for line in ("item1.ADR;TYPE=WORK:;;1 rue;Brest;;29200;France", "X-SOCIALPROFILE;TYPE=matrix"):
        assert line in written
    assert "item1.X-ABLABEL:Atelier" in written


def test_a_file_is_written_piece_by_piece() -> None:
    pieces = write_cards([Card(name="A"), Card(name="B", version="4.0")])

    assert isinstance(pieces, Iterator)
    text = "".join(pieces)
    assert text.count("BEGIN:VCARD\r\nVERSION:3.0") == 2


# --- The value ------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(cards(), cards())
def test_equal_content_has_an_equal_digest(one: Card, other: Card) -> None:
    assert digest(one) == digest(read_card(write_card(one, version="3.0")))
    if differences(one, other) or sorted(one.kept) != sorted(other.kept):
        assert digest(one) != digest(other)


def test_a_number_whose_label_changes_keeps_its_extension_only() -> None:
    card = Card(
        name="A",
        numbers=(
            CardNumber(number="1", label=Label.HOME, extension="5", own_label="Mer", marks=("x",)),
        ),
    )

    (number,) = with_numbers(card, [(Label.WORK, "1")]).numbers

    assert number == CardNumber(number="1", label=Label.WORK, extension="5")


def test_the_same_number_twice_stays_twice() -> None:
    pairs = [(Label.WORK, "1"), (Label.HOME, "1")]
    card = with_numbers(Card(name="A"), pairs)

    assert [(one.label, one.number) for one in with_numbers(card, pairs).numbers] == pairs
