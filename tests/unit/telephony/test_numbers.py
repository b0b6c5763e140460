from __future__ import annotations

import re
from dataclasses import dataclass, field

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluetel.telephony.numbers import (
    InvalidNumber,
    InvalidReason,
    Number,
    NumberKind,
    NumberPlan,
    Tariff,
    dial_string,
    display,
    display_text,
    is_emergency,
    keypad_only,
    mask,
    parse,
    same,
)

PLAN = NumberPlan()
BEHIND_ZERO = NumberPlan(outside_prefix="0", extension_pattern=r"[1-9]\d{1,3}")


def read(text: str, *, country: str = "FR", plan: NumberPlan = PLAN) -> Number:
    return parse(text, country=country, plan=plan)


def dialled(text: str, *, country: str = "FR", plan: NumberPlan = PLAN) -> str:
    return dial_string(read(text, country=country, plan=plan), country=country, plan=plan)


def why_not(text: str, *, country: str = "FR", plan: NumberPlan = PLAN) -> InvalidReason:
    with pytest.raises(InvalidNumber) as caught:
        read(text, country=country, plan=plan)
    return caught.value.reason


class TestReading:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("0199004217", id="bare"),
            pytest.param("199004217", id="without the trunk zero"),
            pytest.param("01 99 00 42 17", id="spaces"),
            pytest.param("01.99.00.42.17", id="dots"),
            pytest.param("01·99·00·42·17", id="middle dots"),
            pytest.param("01-99-00-42-17", id="hyphens"),
            pytest.param("01–99—00‑42−17", id="dashes of all kinds"),
            pytest.param("01/99/00/42/17", id="slashes"),
            pytest.param("01 / 99004217", id="one spaced slash"),
            pytest.param("(01) 99 00 42 17", id="brackets"),
            pytest.param("+33199004217", id="E.164"),
            pytest.param("+33 (0)1 99 00 42 17", id="international with the trunk zero"),
            pytest.param("+33 ( 0 ) 199004217", id="spaced trunk zero"),
            pytest.param("(+33) 1 99 00 42 17", id="country code in brackets"),
            pytest.param("++33 1 99 00 42 17", id="two plus signs"),
            pytest.param("0033 1 99 00 42 17", id="international prefix"),
            pytest.param("0033 (0)1 99 00 42 17", id="international prefix and trunk zero"),
            pytest.param("tel:+33-1-99-00-42-17", id="tel link"),
            pytest.param("TEL:0199004217;phone-context=+33", id="tel link with own context"),
            pytest.param("tel:199004217;phone-context=+33", id="tel link, context, no zero"),
            pytest.param("tel:0199004217;phone-context=demo.test", id="tel link, domain context"),
            pytest.param("tel:%2B33%20199004217", id="percent-encoded tel link"),
            pytest.param("callto://0199004217", id="callto link"),
            pytest.param("tel:0199004217;isub=1;foo=2", id="tel link with other parameters"),
            pytest.param("01\u00a099\u202f00\u200942\u300017", id="unusual spaces"),
            pytest.param("\u202a01\u200b99\u2060 00\ufeff 42\u00ad17\u202c", id="invisible marks"),
            pytest.param("０１９９００４２１７", id="full-width digits"),
            pytest.param("＋３３（０）１９９００４２１７", id="full-width all over"),
            pytest.param("٠١٩٩٠٠٤٢١٧", id="Arabic-Indic digits"),
            pytest.param("०१९९००४२१७", id="Devanagari digits"),
            pytest.param("Tél : 01 99 00 42 17 (bureau)", id="words around"),
            pytest.param("Te\u0301l. 01 99 00 42 17", id="decomposed accent"),
            pytest.param("📞 01 99 00 42 17 ☎", id="symbols around"),
            pytest.param("  \n01 99 00 42 17\r\n", id="line ends around"),
            pytest.param("Hélène Marchetti <01 99 00 42 17>", id="as in a mail header"),
            pytest.param("01 99 00 42 17 bureau", id="a word behind"),
        ],
    )
    def test_every_way_of_writing_a_number_gives_the_same(self, text: str) -> None:
        number = read(text)
        assert (number.kind, number.e164, number.region) == (
            NumberKind.PUBLIC,
            "+33199004217",
            "FR",
        )

    @pytest.mark.parametrize(
        ("text", "e164"),
        [
            pytest.param("+352 (0) 27 12 34 56", "+35227123456", id="no trunk zero in Luxembourg"),
            pytest.param("+39 06 1234 5678", "+390612345678", id="Rome keeps its zero"),
            pytest.param("+44 (0)20 7946 0958", "+442079460958", id="London"),
            pytest.param("0044 20 7946 0958", "+442079460958", id="London by prefix"),
            pytest.param("+1 (202) 555-0123", "+12025550123", id="Washington"),
            pytest.param("tel:2079460958;phone-context=+44", "+442079460958", id="foreign context"),
        ],
    )
    def test_foreign_numbers_are_read(self, text: str, e164: str) -> None:
        assert read(text).e164 == e164

    @pytest.mark.parametrize(
        ("text", "extension"),
        [
            pytest.param("tel:+33-1-99-00-42-17;ext=12", "12", id="tel link"),
            pytest.param("01 99 00 42 17 x12", "12", id="x"),
            pytest.param("0199004217x12", "12", id="glued x"),
            pytest.param("01 99 00 42 17 poste 12", "12", id="poste"),
            pytest.param("01 99 00 42 17, Poste : 12", "12", id="poste with punctuation"),
            pytest.param("01 99 00 42 17 ext. 0012", "0012", id="zeros are kept"),
            pytest.param("(01 99 00 42 17, poste 12)", "12", id="all in brackets"),
        ],
    )
    def test_an_extension_behind_the_number_is_kept_apart(self, text: str, extension: str) -> None:
        number = read(text)
        assert (number.e164, number.extension) == ("+33199004217", extension)

    def test_an_extension_is_never_dialled(self) -> None:
        assert dialled("01 99 00 42 17 poste 12") == "0199004217"

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            pytest.param("", InvalidReason.EMPTY, id="nothing"),
            pytest.param(" \u00a0\u200b\n", InvalidReason.EMPTY, id="blanks"),
            pytest.param("tel:", InvalidReason.NO_DIGITS, id="empty tel link"),
            pytest.param("Nadia", InvalidReason.NO_DIGITS, id="a name"),
            pytest.param("🤙📞", InvalidReason.NO_DIGITS, id="emoji"),
            pytest.param("²³", InvalidReason.NO_DIGITS, id="superscripts"),
            pytest.param("+", InvalidReason.NO_DIGITS, id="a plus"),
            pytest.param("0800 FLOWERS", InvalidReason.LETTERS, id="vanity behind a space"),
            pytest.param("0800-FLOWERS", InvalidReason.LETTERS, id="vanity behind a hyphen"),
            pytest.param("1-800-555-FLOWERS", InvalidReason.LETTERS, id="long vanity"),
            pytest.param("36PASS", InvalidReason.LETTERS, id="glued vanity"),
            pytest.param("n01 99 00 42 17", InvalidReason.LETTERS, id="a glued letter"),
            pytest.param("Salle 12", InvalidReason.LETTERS, id="a room"),
            pytest.param("Bureau 15", InvalidReason.LETTERS, id="a room with the SAMU's number"),
            pytest.param("à 14 h", InvalidReason.LETTERS, id="an hour"),
            pytest.param("1001@demo.test", InvalidReason.LETTERS, id="an address"),
            pytest.param("sip:1001@pbx", InvalidReason.LETTERS, id="a SIP address"),
            pytest.param("01 99 00 42 17²", InvalidReason.LETTERS, id="a footnote mark"),
            pytest.param("*98 Nadia", InvalidReason.LETTERS, id="a code and a name"),
            pytest.param("*98+1", InvalidReason.UNREADABLE, id="a code and a plus"),
            pytest.param("1" * 200, InvalidReason.TOO_LONG, id="200 digits"),
            pytest.param("*" * 41, InvalidReason.TOO_LONG, id="41 stars"),
            pytest.param("a" * 10_000, InvalidReason.TOO_LONG, id="10 kB"),
            pytest.param("0199004217123", InvalidReason.TOO_LONG, id="three digits too many"),
            pytest.param("01 99 00 42", InvalidReason.TOO_SHORT, id="two digits missing"),
            pytest.param("+33", InvalidReason.UNREADABLE, id="a country code alone"),
            pytest.param("+33 1", InvalidReason.TOO_SHORT, id="nearly a country code alone"),
            pytest.param(
                "tel:20794609;phone-context=+44", InvalidReason.UNREADABLE, id="cut abroad"
            ),
            pytest.param("+999 123 4567", InvalidReason.UNREADABLE, id="no such country"),
            pytest.param("1", InvalidReason.UNREADABLE, id="one digit"),
            pytest.param("+33 112", InvalidReason.TOO_SHORT, id="no emergency number"),
            pytest.param("1121234", InvalidReason.TOO_SHORT, id="112 with more"),
            pytest.param(
                "01 99 00 42 17 / 06 39 98 12 08", InvalidReason.SEVERAL, id="two by slash"
            ),
            pytest.param("0199004217/0639981208", InvalidReason.SEVERAL, id="two by bare slash"),
            pytest.param(
                "01 99 00 42 17 - 06 39 98 12 08", InvalidReason.SEVERAL, id="two by dash"
            ),
            pytest.param("0199004217 0639981208", InvalidReason.SEVERAL, id="two by space"),
            pytest.param("01 99 00 42 17\n06 39 98 12 08", InvalidReason.SEVERAL, id="two lines"),
            pytest.param("+33199004217+33639981208", InvalidReason.SEVERAL, id="two by plus"),
            pytest.param(
                "+33 1 99 00 42 17 / +33 6 39 98 12 08", InvalidReason.SEVERAL, id="two abroad"
            ),
            pytest.param("+33199004217 0639981208", InvalidReason.SEVERAL, id="two, one abroad"),
            pytest.param("Tel: 0199004217; Fax: 0199004218", InvalidReason.SEVERAL, id="with fax"),
            pytest.param("1001 / 1002", InvalidReason.SEVERAL, id="two extensions"),
            pytest.param("1/12", InvalidReason.SEVERAL, id="a date is no call for help"),
            pytest.param("poste 12 ou 0199004217", InvalidReason.SEVERAL, id="poste first"),
            pytest.param("0199004217 x12 0639981208", InvalidReason.SEVERAL, id="behind the x"),
        ],
    )
    def test_what_is_no_number_says_why(self, text: str, reason: InvalidReason) -> None:
        assert why_not(text) is reason

    def test_the_error_does_not_repeat_the_text(self) -> None:
        with pytest.raises(InvalidNumber) as caught:
            read("0199004217 0639981208")
        assert str(caught.value) == "several"

    def test_what_could_be_a_number_but_is_not_in_use_has_an_unknown_tariff(self) -> None:
        assert read("06 99 12 34 56").tariff is Tariff.STANDARD
        assert read("06 90 12 34 56").tariff is Tariff.UNKNOWN

    @pytest.mark.parametrize(
        ("text", "region"),
        [
            pytest.param("06 39 98 12 08", "FR", id="Arcep's mobiles"),
            pytest.param("+44 7700 900123", "GB", id="Ofcom's mobiles"),
            pytest.param("+44 1632 960123", "GB", id="Ofcom's nowhere"),
        ],
    )
    def test_numbers_kept_for_fiction_may_be_used(self, text: str, region: str) -> None:
        assert (read(text).region, read(text).tariff) == (region, Tariff.STANDARD)

    @pytest.mark.parametrize("text", ["+883 5100 123456", "+881 6 123", "+878 10 123456789012"])
    def test_world_wide_services_are_read_whatever_their_length(self, text: str) -> None:
        assert (read(text).kind, read(text).region) == (NumberKind.PUBLIC, "001")

    def test_a_number_of_no_known_region_has_none(self) -> None:
        number = read("+44 7700 901123")
        assert (number.region, number.tariff) == (None, Tariff.UNKNOWN)

    def test_an_unknown_country_of_the_site_reads_only_international_numbers(self) -> None:
        assert read("+33199004217", country="XX").e164 == "+33199004217"
        assert why_not("0199004217", country="XX") is InvalidReason.UNREADABLE


@dataclass
class Extensions:
    """The extensions a PBX knows, and what it was asked."""

    known: set[str]
    asked: list[str] = field(default_factory=list)

    def __call__(self, digits: str) -> bool:
        self.asked.append(digits)
        return digits in self.known


class TestExtensions:
    @pytest.mark.parametrize("text", ["2042", "0042", "42", "900042"])
    def test_an_extension_is_text_not_a_quantity(self, text: str) -> None:
        number = read(text)
        assert (number.kind, number.digits, number.e164) == (NumberKind.EXTENSION, text, None)
        assert dialled(text) == text

    @pytest.mark.parametrize(
        "text",
        [
            "20 42",
            "2042 (Nadia)",
            "tel:2042",
            "poste 2042",
            "Nadia, poste 2042",
            "x2042",
            "N° 2042",
        ],
    )
    def test_an_extension_is_found_in_its_usual_wrapping(self, text: str) -> None:
        assert read(text).digits == "2042"

    @pytest.mark.parametrize("digits", ["3949", "1001", "118218", "36180"])
    def test_a_short_number_of_the_country_is_an_extension_only_if_the_pbx_knows_it(
        self, digits: str
    ) -> None:
        known = parse(digits, country="FR", plan=PLAN, is_extension=Extensions({digits}))
        unknown = parse(digits, country="FR", plan=PLAN, is_extension=Extensions(set()))
        assert (known.kind, unknown.kind) == (NumberKind.EXTENSION, NumberKind.SHORT)

    def test_the_pbx_is_asked_at_most_once(self) -> None:
        extensions = Extensions(set())
        parse("01 99 00 42 17", country="FR", plan=PLAN, is_extension=extensions)
        assert extensions.asked == ["0199004217"]

    def test_the_pbx_is_not_asked_about_numbers_that_cannot_be_internal(self) -> None:
        extensions = Extensions(set())
        for text in ("+33199004217", "*98", "112"):
            parse(text, country="FR", plan=PLAN, is_extension=extensions)
        assert extensions.asked == []

    def test_the_plan_says_what_an_extension_looks_like(self) -> None:
        plan = NumberPlan(extension_pattern=r"7\d{2}")
        assert read("712", plan=plan).kind is NumberKind.EXTENSION
        assert why_not("812", plan=plan) is InvalidReason.TOO_SHORT


class TestShortNumbers:
    @pytest.mark.parametrize(
        ("digits", "tariff"),
        [
            pytest.param("3949", Tariff.PREMIUM, id="3949"),
            pytest.param("118218", Tariff.PREMIUM, id="118218"),
            pytest.param("36650", Tariff.PREMIUM, id="36650"),
            pytest.param("36180", Tariff.UNKNOWN, id="36180"),
            pytest.param("3000", Tariff.FREE, id="3000"),
            pytest.param("116000", Tariff.FREE, id="116000"),
            pytest.param("611", Tariff.STANDARD, id="611"),
        ],
    )
    def test_short_numbers_come_with_their_tariff(self, digits: str, tariff: Tariff) -> None:
        number = read(digits)
        assert (number.kind, number.tariff, number.region) == (NumberKind.SHORT, tariff, "FR")
        assert dialled(digits) == digits

    def test_short_numbers_may_begin_with_zero_where_the_country_has_such(self) -> None:
        number = read("010", country="ES")
        assert (number.kind, number.digits) == (NumberKind.SHORT, "010")

    def test_a_leading_zero_makes_it_no_short_number(self) -> None:
        assert read("03949").kind is NumberKind.EXTENSION

    def test_behind_the_outside_prefix_it_is_the_short_number(self) -> None:
        number = read("03949", plan=NumberPlan(outside_prefix="0"))
        assert (number.kind, number.digits) == (NumberKind.SHORT, "3949")


FRENCH_EMERGENCY = ["112", "15", "17", "18", "114", "115", "119", "191", "196", "116117"]


class TestEmergency:
    @pytest.mark.parametrize("digits", FRENCH_EMERGENCY)
    def test_french_emergency_numbers_by_exact_list(self, digits: str) -> None:
        number = parse(digits, country="FR", plan=PLAN, is_extension=Extensions({digits}))
        assert (number.kind, number.digits) == (NumberKind.EMERGENCY, digits)
        assert dialled(digits, plan=BEHIND_ZERO) == digits

    @pytest.mark.parametrize("text", ["1 1 2", "1-1-2", "112.", "tel:112", "１１２", "\u200e112"])
    def test_however_it_is_written(self, text: str) -> None:
        assert read(text).kind is NumberKind.EMERGENCY

    @pytest.mark.parametrize(
        ("country", "digits"),
        [
            pytest.param("US", "911", id="US 911"),
            pytest.param("US", "112", id="US 112"),
            pytest.param("GB", "999", id="GB 999"),
            pytest.param("DE", "110", id="DE 110"),
            pytest.param("CH", "144", id="CH 144"),
            pytest.param("MA", "112", id="112 where libphonenumber doesn't know it"),
            pytest.param("RE", "15", id="Réunion has France's"),
        ],
    )
    def test_other_countries_have_their_own(self, country: str, digits: str) -> None:
        assert is_emergency(digits, country=country)
        assert read(digits, country=country).kind is NumberKind.EMERGENCY

    @pytest.mark.parametrize("digits", ["1121234", "911", "1120", "0112", "", "112 ", "+112", "१५"])
    def test_only_exact_numbers_count(self, digits: str) -> None:
        assert not is_emergency(digits, country="FR")

    @pytest.mark.parametrize("text", ["0112", "015", "0 112"])
    def test_who_dials_the_outside_prefix_first_is_understood(self, text: str) -> None:
        number = read(text, plan=NumberPlan(outside_prefix="0"))
        assert (number.kind, number.digits) == (NumberKind.EMERGENCY, text[1:].strip())


class TestCodes:
    @pytest.mark.parametrize(
        ("text", "digits"),
        [
            pytest.param("*98", "*98", id="voicemail"),
            pytest.param("#31# 01 99 00 42 17", "#31#0199004217", id="hide the caller"),
            pytest.param("＊９８＃", "*98#", id="full-width"),
            pytest.param("tel:%2A98", "*98", id="percent-encoded"),
            pytest.param("*", "*", id="a star"),
        ],
    )
    def test_star_and_hash_make_a_code(self, text: str, digits: str) -> None:
        number = read(text)
        assert (number.kind, number.digits) == (NumberKind.CODE, digits)
        assert dialled(text, plan=BEHIND_ZERO) == digits

    def test_a_listed_number_is_a_code_too(self) -> None:
        plan = NumberPlan(allowed_codes=("3299",))
        assert read("3299", plan=plan).kind is NumberKind.CODE


class TestDialling:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param("+33 1 23 45 67 89", "0123456789", id="national"),
            pytest.param("01 23 45 67 89", "0123456789", id="as typed"),
            pytest.param("+44 20 7946 0958", "00442079460958", id="abroad"),
            pytest.param("+39 06 1234 5678", "00390612345678", id="abroad with its zero"),
            pytest.param("+1 202 555 0123", "0012025550123", id="overseas"),
            pytest.param("+262 262 12 34 56", "00262262123456", id="Réunion"),
        ],
    )
    def test_a_french_site_dials_as_its_handsets_do(self, text: str, expected: str) -> None:
        assert dialled(text) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param("01 23 45 67 89", "00123456789", id="national"),
            pytest.param("0 01 23 45 67 89", "00123456789", id="national, prefix typed"),
            pytest.param("+44 20 7946 0958", "000442079460958", id="abroad"),
            pytest.param("0 00 44 20 7946 0958", "000442079460958", id="abroad, prefix typed"),
            pytest.param("142", "142", id="extension"),
            pytest.param("112", "112", id="emergency"),
            pytest.param("3000", "3000", id="short"),
            pytest.param("*97", "*97", id="code"),
        ],
    )
    def test_the_outside_prefix_is_for_public_numbers_only(self, text: str, expected: str) -> None:
        assert dialled(text, plan=BEHIND_ZERO) == expected

    def test_the_prefix_alone_is_no_number(self) -> None:
        assert why_not("0", plan=NumberPlan(outside_prefix="0")) is InvalidReason.UNREADABLE

    def test_another_international_prefix_is_read_and_dialled(self) -> None:
        plan = NumberPlan(international_prefix="011", extension_pattern=r"\d{4}")
        assert dialled("+33199004217", country="US", plan=plan) == "01133199004217"
        assert dialled("01133199004217", country="US", plan=plan) == "01133199004217"
        assert dialled("(202) 555-0123", country="US", plan=plan) == "2025550123"

    def test_without_an_international_prefix_in_the_plan_the_countrys_own_is_read(self) -> None:
        plan = NumberPlan(international_prefix="")
        assert read("0044 20 7946 0958", plan=plan).e164 == "+442079460958"

    def test_a_national_number_as_short_as_an_extension_goes_the_long_way(self) -> None:
        number = read("+352 4212", country="LU")
        assert number.kind is NumberKind.PUBLIC
        assert dial_string(number, country="LU", plan=PLAN) == "003524212"
        assert dial_string(number, country="LU", plan=BEHIND_ZERO) == "04212"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            pytest.param("outside_prefix", "0,", id="comma"),
            pytest.param("international_prefix", "+", id="plus"),
            pytest.param("international_prefix", "١", id="foreign digit"),
            pytest.param("outside_prefix", "123456789", id="too long"),
            pytest.param("extension_pattern", "[", id="broken pattern"),
        ],
    )
    def test_a_plan_nobody_can_dial_is_refused(self, field: str, value: str) -> None:
        with pytest.raises(ValueError, match=r"prefix|pattern"):
            NumberPlan(**{field: value})


class TestShowing:
    @pytest.mark.parametrize(
        ("text", "country", "expected"),
        [
            pytest.param("+33199004217", "FR", "01 99 00 42 17", id="national in France"),
            pytest.param("+33199004217", "GB", "+33 1 99 00 42 17", id="French number in Britain"),
            pytest.param("+442079460958", "FR", "+44 20 7946 0958", id="British number in France"),
            pytest.param("+442079460958", "GB", "020 7946 0958", id="national in Britain"),
            pytest.param("+12025550123", "US", "(202) 555-0123", id="national in the US"),
            pytest.param("2042", "FR", "2042", id="extension"),
            pytest.param("118218", "FR", "118218", id="short"),
            pytest.param("*98", "FR", "*98", id="code"),
            pytest.param("0199004217 poste 12", "FR", "01 99 00 42 17 x12", id="extension behind"),
            pytest.param("+3524212", "LU", "+352 4212", id="short national"),
        ],
    )
    def test_numbers_are_shown_as_the_country_writes_them(
        self, text: str, country: str, expected: str
    ) -> None:
        assert display(read(text, country=country), country=country) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param("0199004217", "01 99 00 42 17", id="national"),
            pytest.param("+33199004217", "01 99 00 42 17", id="E.164"),
            pytest.param("1001", "1001", id="extension"),
            pytest.param("anonymous", "anonymous", id="a word"),
            pytest.param("Tél : 0199004217", "Tél : 0199004217", id="a word and a number"),
            pytest.param("0199", "0199", id="extension with a zero"),
            pytest.param("019900421", "019900421", id="no number"),
            pytest.param("", "", id="nothing"),
        ],
    )
    def test_text_of_others_is_shown_as_a_number_only_if_it_is_one(
        self, text: str, expected: str
    ) -> None:
        assert display_text(text, country="FR") == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param("1001", "1001", id="extension"),
            pytest.param("116117", "116117", id="short"),
            pytest.param("0199004217", "0199xxxxxx", id="national"),
            pytest.param("+33 1 99 00 42 17", "+3319xxxxxxx", id="international"),
            pytest.param("*210199004217", "*2101xxxxxxxx", id="a number in a code"),
            pytest.param("Mallory\r\nINFO all well", "(no number)", id="a forged log line"),
            pytest.param("9" * 100, "9999" + "x" * 37, id="endless"),
        ],
    )
    def test_logs_get_the_first_four_digits(self, text: str, expected: str) -> None:
        assert mask(text) == expected

    def test_the_repr_hides_the_number(self) -> None:
        number = read("01 99 00 42 17")
        assert repr(number) == "<Number public +3319xxxxxxx>"
        assert repr(read("2042")) == "<Number extension 2042>"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param("+33 1 99 00 42 17", "33199004217", id="plus and spaces"),
            pytest.param("<*98#>", "*98#", id="code"),
            pytest.param("١٢", "12", id="foreign digits"),
            pytest.param("anonymous", "", id="word"),
            pytest.param("1" * 50, "1" * 40, id="long"),
        ],
    )
    def test_a_pbxs_number_is_cut_down_to_the_keypad(self, text: str, expected: str) -> None:
        assert keypad_only(text) == expected


class TestComparing:
    def test_two_writings_of_one_number_are_the_same(self) -> None:
        assert same(read("01 99 00 42 17"), read("+33 (0)1 99 00 42 17 poste 12"))

    def test_an_extension_is_not_the_number_it_ends(self) -> None:
        assert not same(read("2042"), read("01 99 00 20 42"))

    def test_the_text_read_makes_no_difference_to_equality(self) -> None:
        assert read("0199004217") == read("+33 1 99 00 42 17")


COUNTRIES = ["FR", "GB", "DE", "US", "IT", "LU", "CH"]
PLANS = [PLAN, BEHIND_ZERO, NumberPlan(international_prefix="011", outside_prefix="9")]
telephonic = st.text(alphabet="0123456789+*#()./- ;x\u00a0٣", max_size=40)
anything = st.one_of(st.text(max_size=60), telephonic, st.from_regex(r"tel:[+]?[0-9-]{3,15}"))


@st.composite
def public_numbers(draw: st.DrawFn) -> tuple[str, str]:
    """A number in E.164 that libphonenumber would print for some region, and a site's country."""
    region = draw(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
    kind = draw(st.sampled_from([0, 1, 3, 4, 5, 6, 7, 10]))
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        example = phonenumbers.example_number(region)
    assert example is not None
    digits = list(phonenumbers.national_significant_number(example))
    for place in draw(st.sets(st.integers(2, 30), max_size=4)):
        if place < len(digits):
            digits[place] = str(draw(st.integers(0, 9)))
    return f"+{example.country_code}{''.join(digits)}", draw(st.sampled_from(COUNTRIES))


def keypad_and_brackets(text: str) -> str:
    return re.sub(r"[^0-9+()]", "", text)


class TestProperties:
    @given(anything, st.sampled_from(COUNTRIES), st.sampled_from(PLANS))
    def test_any_text_is_a_number_that_can_be_dialled_or_is_invalid(
        self, text: str, country: str, plan: NumberPlan
    ) -> None:
        try:
            number = read(text, country=country, plan=plan)
        except InvalidNumber:
            return
        assert re.fullmatch(r"[0-9*#]{1,40}", dial_string(number, country=country, plan=plan))

    @given(telephonic, st.sampled_from(["FR", "GB", "DE", "CH"]))
    def test_digits_are_never_invented(self, text: str, country: str) -> None:
        try:
            number = read(text, country=country)
        except InvalidNumber:
            return
        dialled_digits = dial_string(number, country=country, plan=PLAN)
        code = str(phonenumbers.country_code_for_region(country))
        # At home the trunk zero may stand for the country code, abroad the prefix for the plus.
        core = re.sub(rf"^(?:00{code}|0+|{code})", "", dialled_digits)
        without_trunk_zero = re.sub(rf"\(0*0\)|(?<=[+0]{code})0+", "", keypad_and_brackets(text))
        assert core in keypad_only(text) or core in keypad_only(without_trunk_zero)

    @given(public_numbers())
    def test_what_is_shown_is_read_as_the_same_number(self, case: tuple[str, str]) -> None:
        text, country = case
        try:
            number = read(text, country=country)
        except InvalidNumber:
            return
        assert read(display(number, country=country), country=country) == number

    @given(public_numbers())
    def test_what_is_dialled_is_read_as_the_same_number(self, case: tuple[str, str]) -> None:
        text, country = case
        try:
            number = read(text, country=country)
        except InvalidNumber:
            return
        again = read(dial_string(number, country=country, plan=PLAN), country=country)
        assert same(again, number)

    @given(anything)
    def test_a_log_never_shows_a_whole_outside_number(self, text: str) -> None:
        masked = mask(text)
        assert masked.isascii()
        assert sum(character.isdigit() for character in masked) <= 6
