from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluetel.calls.rules import (
    DEFAULT_REGIONS,
    Allowed,
    DialPolicy,
    Refused,
    Rule,
    Verdict,
    judge,
    retry_after,
)
from bluetel.telephony.numbers import InvalidNumber, NumberPlan, Tariff, parse

FRENCH = DialPolicy(site_country="FR")
EVERYWHERE = DialPolicy(
    site_country="FR", allowed_regions=DEFAULT_REGIONS | {"DO", "JM", "CU", "001", "RE", "VA"}
)
PLAN = NumberPlan()


def verdict_on(
    text: str,
    *,
    policy: DialPolicy = FRENCH,
    own: tuple[str, ...] = ("2001",),
    plan: NumberPlan = PLAN,
    country: str = "FR",
    known: tuple[str, ...] = (),
) -> Verdict:
    number = parse(text, country=country, plan=plan, is_extension=lambda digits: digits in known)
    return judge(number, policy=policy, own_extensions=own)


def rule_against(text: str, *, policy: DialPolicy = FRENCH) -> Rule:
    verdict = verdict_on(text, policy=policy)
    assert isinstance(verdict, Refused)
    return verdict.rule


class TestAllowed:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("01 99 00 42 17", id="French fixed"),
            pytest.param("06 12 34 56 78", id="French mobile"),
            pytest.param("06 39 98 12 08", id="French mobile of fiction"),
            pytest.param("09 72 12 34 56", id="French VoIP"),
            pytest.param("0800 123 456", id="French toll-free"),
            pytest.param("0806 12 34 56", id="French at normal price"),
            pytest.param("3000", id="French short toll-free"),
            pytest.param("+49 30 123456", id="Germany"),
            pytest.param("+358 18 12345", id="Åland"),
            pytest.param("+354 410 4000", id="Iceland"),
            pytest.param("+44 20 7946 0958", id="Great Britain"),
            pytest.param("+41 44 668 18 00", id="Switzerland"),
            pytest.param("+1 202 555 0123", id="United States"),
            pytest.param("+1 416 555 0123", id="Canada"),
            pytest.param("+1 800 555 0123", id="North American toll-free"),
            pytest.param("2002", id="a colleague"),
            pytest.param("0042", id="an extension with zeros"),
        ],
    )
    def test_ordinary_numbers_pass(self, text: str) -> None:
        assert verdict_on(text) == Allowed()

    def test_the_sites_own_country_passes_wherever_it_is(self) -> None:
        policy = DialPolicy(site_country="MA")
        assert verdict_on("0522 12 34 56", policy=policy, country="MA") == Allowed()

    def test_a_known_extension_passes_though_a_premium_number_is_equal(self) -> None:
        assert verdict_on("3949", known=("3949",)) == Allowed()


FRAUD = [
    # Premium, shared cost, personal and short numbers at home and with the neighbours.
    pytest.param("0899 12 34 56", Rule.PREMIUM, id="FR 0899"),
    pytest.param("0892 12 34 56", Rule.PREMIUM, id="FR 0892"),
    pytest.param("+33 892 12 34 56", Rule.PREMIUM, id="FR 0892 from abroad"),
    pytest.param("00 33 899 123456", Rule.PREMIUM, id="FR 0899 by prefix"),
    pytest.param("0820 12 34 56", Rule.SHARED_COST, id="FR 0820"),
    pytest.param("0811 12 34 56", Rule.SHARED_COST, id="FR 0811"),
    pytest.param("3949", Rule.PREMIUM, id="FR 3949"),
    pytest.param("3615", Rule.PREMIUM, id="FR 3615"),
    pytest.param("118218", Rule.PREMIUM, id="FR 118218"),
    pytest.param("118 712", Rule.PREMIUM, id="FR 118712"),
    pytest.param("36180", Rule.UNKNOWN, id="FR 36180"),
    pytest.param("36650", Rule.PREMIUM, id="FR 36650"),
    pytest.param("71234", Rule.PREMIUM, id="FR text message service"),
    pytest.param("06 90 12 34 56", Rule.UNKNOWN, id="FR number not in use"),
    pytest.param("+44 9011 123456", Rule.PREMIUM, id="GB premium"),
    pytest.param("+44 70 1234 5678", Rule.PREMIUM, id="GB personal"),
    pytest.param("+44 843 123 4567", Rule.PREMIUM, id="GB 0843"),
    pytest.param("+49 900 1 123456", Rule.PREMIUM, id="DE premium"),
    pytest.param("+371 90 123 456", Rule.PREMIUM, id="LV premium"),
    pytest.param("+1 900 555 0123", Rule.PREMIUM, id="US premium"),
    pytest.param("+39 899 123456", Rule.PREMIUM, id="IT premium"),
    pytest.param("+41 900 123 456", Rule.PREMIUM, id="CH premium"),
    # Beside the allowed countries under the same code.
    pytest.param("+1 809 555 1234", Rule.COUNTRY, id="DO 809"),
    pytest.param("+1 829 555 1234", Rule.COUNTRY, id="DO 829"),
    pytest.param("+1 849 555 1234", Rule.COUNTRY, id="DO 849"),
    pytest.param("+1 876 555 1234", Rule.COUNTRY, id="JM 876"),
    pytest.param("+1 658 555 1234", Rule.COUNTRY, id="JM 658"),
    pytest.param("+1 473 555 1234", Rule.COUNTRY, id="GD"),
    pytest.param("+1 649 555 1234", Rule.COUNTRY, id="TC"),
    pytest.param("+1 284 494 1234", Rule.COUNTRY, id="VG"),
    pytest.param("+1 664 491 1234", Rule.COUNTRY, id="MS"),
    pytest.param("+1 767 555 1234", Rule.COUNTRY, id="DM"),
    pytest.param("+1 268 460 1234", Rule.COUNTRY, id="AG"),
    pytest.param("+1 246 430 1234", Rule.COUNTRY, id="BB"),
    pytest.param("+1 242 555 1234", Rule.COUNTRY, id="BS"),
    pytest.param("+1 345 555 1234", Rule.COUNTRY, id="KY"),
    pytest.param("+1 441 295 1234", Rule.COUNTRY, id="BM"),
    pytest.param("+1 758 555 1234", Rule.COUNTRY, id="LC"),
    pytest.param("+1 784 555 1234", Rule.COUNTRY, id="VC"),
    pytest.param("+1 868 555 1234", Rule.COUNTRY, id="TT"),
    pytest.param("+1 869 465 1234", Rule.COUNTRY, id="KN"),
    pytest.param("+1 264 497 1234", Rule.COUNTRY, id="AI"),
    pytest.param("+1 721 555 1234", Rule.COUNTRY, id="SX"),
    pytest.param("+1 787 555 1234", Rule.COUNTRY, id="PR"),
    pytest.param("001 809 555 1234", Rule.COUNTRY, id="DO by prefix"),
    pytest.param("+44 1534 123456", Rule.COUNTRY, id="JE"),
    pytest.param("+44 7624 123456", Rule.COUNTRY, id="IM"),
    pytest.param("+39 06 698 12345", Rule.COUNTRY, id="VA"),
    pytest.param("+47 79 12 34 56", Rule.COUNTRY, id="SJ"),
    pytest.param("+262 262 12 34 56", Rule.COUNTRY, id="RE"),
    pytest.param("+590 590 12 34 56", Rule.COUNTRY, id="GP"),
    # Ranges seen in revenue-share fraud.
    pytest.param("+53 7 123 4567", Rule.COUNTRY, id="CU"),
    pytest.param("+252 61 1234567", Rule.COUNTRY, id="SO"),
    pytest.param("+232 25 123456", Rule.COUNTRY, id="SL"),
    pytest.param("+224 601 12 34 56", Rule.COUNTRY, id="GN"),
    pytest.param("+220 301 2345", Rule.COUNTRY, id="GM"),
    pytest.param("+216 20 123 456", Rule.COUNTRY, id="TN"),
    pytest.param("+263 71 234 5678", Rule.COUNTRY, id="ZW"),
    pytest.param("+387 61 123 456", Rule.COUNTRY, id="BA"),
    pytest.param("+375 29 491 1234", Rule.COUNTRY, id="BY"),
    pytest.param("+994 40 123 45 67", Rule.COUNTRY, id="AZ"),
    pytest.param("+960 771 2345", Rule.COUNTRY, id="MV"),
    pytest.param("+674 555 1234", Rule.COUNTRY, id="NR"),
    pytest.param("+688 20123", Rule.COUNTRY, id="TV"),
    pytest.param("+686 7300 1234", Rule.COUNTRY, id="KI"),
    pytest.param("+675 7012 3456", Rule.COUNTRY, id="PG"),
    pytest.param("+677 40123", Rule.COUNTRY, id="SB"),
    pytest.param("+678 591 2345", Rule.COUNTRY, id="VU"),
    pytest.param("+500 51234", Rule.COUNTRY, id="FK"),
    pytest.param("+247 40123", Rule.COUNTRY, id="AC"),
    pytest.param("+290 51234", Rule.COUNTRY, id="SH"),
    pytest.param("+246 380 1234", Rule.COUNTRY, id="IO"),
    pytest.param("+670 7721 2345", Rule.COUNTRY, id="TL"),
    pytest.param("+850 192 123 4567", Rule.COUNTRY, id="KP"),
    pytest.param("+269 321 23 45", Rule.COUNTRY, id="KM"),
    pytest.param("+239 981 2345", Rule.COUNTRY, id="ST"),
    pytest.param("+245 955 012 345", Rule.COUNTRY, id="GW"),
    pytest.param("+261 32 12 345 67", Rule.COUNTRY, id="MG"),
    pytest.param("+235 63 01 23 45", Rule.COUNTRY, id="TD"),
    pytest.param("+236 70 01 23 45", Rule.COUNTRY, id="CF"),
    pytest.param("+257 79 56 12 34", Rule.COUNTRY, id="BI"),
    pytest.param("+231 770 123 456", Rule.COUNTRY, id="LR"),
    pytest.param("+7 912 345 67 89", Rule.COUNTRY, id="RU"),
    pytest.param("+383 44 123456", Rule.COUNTRY, id="XK"),
    # No country at all.
    pytest.param("+881 6 1234 5678", Rule.SATELLITE, id="881"),
    pytest.param("+882 13 123456", Rule.SATELLITE, id="882"),
    pytest.param("+882 16 12345678", Rule.SATELLITE, id="882 in use"),
    pytest.param("+883 5100 123456", Rule.SATELLITE, id="883"),
    pytest.param("+870 773 111 632", Rule.SATELLITE, id="870"),
    pytest.param("00 881 6 1234 5678", Rule.SATELLITE, id="881 by prefix"),
    pytest.param("+979 1 2345 6789", Rule.PREMIUM, id="979"),
    pytest.param("+800 1234 5678", Rule.UNIVERSAL, id="800"),
    pytest.param("+808 1234 5678", Rule.UNIVERSAL, id="808"),
    pytest.param("+878 10 1234567890", Rule.UNIVERSAL, id="878"),
    pytest.param("+888 123 456 789 01", Rule.UNIVERSAL, id="888"),
    pytest.param("+44 7700 901123", Rule.UNKNOWN, id="no region"),
]


class TestRefused:
    @pytest.mark.parametrize(("text", "rule"), FRAUD)
    def test_fraud_is_refused_by_its_rule(self, text: str, rule: Rule) -> None:
        assert rule_against(text) is rule

    @pytest.mark.parametrize(
        ("text", "rule"),
        [entry for entry in FRAUD if entry.values[1] is not Rule.COUNTRY],
    )
    def test_no_list_of_regions_opens_costly_numbers(self, text: str, rule: Rule) -> None:
        assert rule_against(text, policy=EVERYWHERE) is rule

    @pytest.mark.parametrize(
        ("text", "detail"),
        [
            pytest.param("+1 809 555 1234", "DO", id="the region"),
            pytest.param("+881 6 1234 5678", "+881", id="the code"),
            pytest.param("+800 1234 5678", "+800", id="the universal code"),
            pytest.param("0899 12 34 56", "", id="nothing"),
        ],
    )
    def test_the_refusal_names_what_it_is_about(self, text: str, detail: str) -> None:
        verdict = verdict_on(text)
        assert isinstance(verdict, Refused)
        assert verdict.detail == detail

    @pytest.mark.parametrize("text", ["*98", "*21 0199004217", "#31#0199004217", "**2001", "#"])
    def test_codes_are_refused(self, text: str) -> None:
        assert rule_against(text) is Rule.CODE

    def test_a_listed_code_passes_and_no_other(self) -> None:
        policy = DialPolicy(site_country="FR", allowed_codes=frozenset({"*98", "3299"}))
        plan = NumberPlan(allowed_codes=policy.allowed_codes)
        assert verdict_on("*98", policy=policy, plan=plan) == Allowed()
        assert verdict_on("3299", policy=policy, plan=plan) == Allowed()
        assert verdict_on("*981", policy=policy, plan=plan) == Refused(rule=Rule.CODE)

    @pytest.mark.parametrize(
        ("text", "own"),
        [
            pytest.param("2001", ("2001",), id="the extension"),
            pytest.param("01 99 00 42 17", ("2001", "+33199004217"), id="the direct number"),
            pytest.param("1001", ("1001",), id="an extension equal to a short number"),
        ],
    )
    def test_the_own_number_is_refused(self, text: str, own: tuple[str, ...]) -> None:
        assert verdict_on(text, own=own) == Refused(rule=Rule.OWN_NUMBER)

    def test_somebody_without_an_extension_has_no_own_number(self) -> None:
        assert verdict_on("2001", own=("",)) == Allowed()

    def test_a_short_number_behind_the_outside_prefix_is_no_way_round(self) -> None:
        plan = NumberPlan(outside_prefix="0")
        assert verdict_on("03949", plan=plan) == Refused(rule=Rule.PREMIUM)
        assert verdict_on("00899123456", plan=plan) == Refused(rule=Rule.PREMIUM)


class TestEmergency:
    @pytest.mark.parametrize(
        "digits", ["112", "15", "17", "18", "114", "115", "119", "191", "196", "116117"]
    )
    def test_emergency_numbers_always_pass(self, digits: str) -> None:
        nowhere = DialPolicy(site_country="FR", allowed_regions=frozenset())
        assert verdict_on(digits, policy=nowhere, own=(digits,), known=(digits,)) == Allowed()

    def test_112_with_more_digits_is_no_emergency_number(self) -> None:
        with pytest.raises(InvalidNumber):
            verdict_on("1121234")


class TestRegions:
    def test_a_list_of_the_administrators_replaces_the_default(self) -> None:
        policy = DialPolicy(site_country="FR", allowed_regions=frozenset({"FR", "RE"}))
        assert verdict_on("+262 262 12 34 56", policy=policy) == Allowed()
        assert rule_against("+49 30 123456", policy=policy) is Rule.COUNTRY

    def test_the_default_has_the_thirty_countries_of_the_eea_and_four_more(self) -> None:
        assert len(DEFAULT_REGIONS - {"AX"}) == 34
        assert not DEFAULT_REGIONS & {"RE", "GP", "MQ", "GF", "YT", "MF"}

    @given(st.sampled_from([t.values[0] for t in FRAUD]), st.sampled_from(["", "tel:", "Tél : "]))
    def test_dressing_a_number_up_does_not_change_the_verdict(self, text: str, dress: str) -> None:
        verdict = verdict_on(dress + str(text))
        assert isinstance(verdict, Refused)


def test_every_tariff_but_two_has_a_rule_against_it() -> None:
    costly = {Tariff.PREMIUM, Tariff.SHARED_COST, Tariff.UNKNOWN}
    assert set(Tariff) - costly == {Tariff.FREE, Tariff.STANDARD}


NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def ago(*seconds: float) -> list[datetime]:
    return [NOW - timedelta(seconds=each) for each in seconds]


class TestRate:
    @pytest.mark.parametrize(
        ("times", "per_minute", "wait"),
        [
            pytest.param([], 1, None, id="first call"),
            pytest.param(ago(10), 2, None, id="one left"),
            pytest.param(ago(10), 1, 50, id="none left"),
            pytest.param(ago(10, 50), 2, 10, id="until the oldest is a minute old"),
            pytest.param(ago(50, 10), 2, 10, id="in any order"),
            pytest.param(ago(10, 20, 50), 2, 40, id="more than the limit"),
            pytest.param(ago(60), 1, None, id="a minute is over"),
            pytest.param(ago(59.5), 1, 0.5, id="nearly"),
            pytest.param(ago(-3600), 1, 60, id="the clock stepped back"),
        ],
    )
    def test_at_most_so_many_in_any_minute(
        self, times: list[datetime], per_minute: int, wait: float | None
    ) -> None:
        expected = None if wait is None else timedelta(seconds=wait)
        assert retry_after(times, now=NOW, per_minute=per_minute) == expected

    @given(
        st.lists(st.integers(-100, 200), max_size=20),
        st.integers(1, 5),
    )
    def test_who_waits_as_told_may_call(self, seconds: list[int], per_minute: int) -> None:
        times = ago(*seconds)
        wait = retry_after(times, now=NOW, per_minute=per_minute)
        if wait is not None:
            assert timedelta() < wait <= timedelta(minutes=1)
            past = [min(time, NOW) for time in times]
            assert retry_after(past, now=NOW + wait, per_minute=per_minute) is None
