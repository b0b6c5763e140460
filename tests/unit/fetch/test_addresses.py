from __future__ import annotations

import pytest

from bluetel.fetch.addresses import AddressRules, read_address
from bluetel.fetch.errors import AddressRefused, Refusal


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        pytest.param("https://cal.example.org/a", "https://cal.example.org/a", id="https"),
        pytest.param("webcal://cal.example.org/a", "https://cal.example.org/a", id="webcal"),
        pytest.param("webcals://cal.example.org/a", "https://cal.example.org/a", id="webcals"),
        pytest.param("HTTPS://CAL.Example.ORG", "https://cal.example.org/", id="case"),
        pytest.param(" https://x.test/a \n", "https://x.test/a", id="pasted-with-space"),
        pytest.param("https://x.test:443/a?b=c#d", "https://x.test/a?b=c", id="port-and-fragment"),
        pytest.param("https://x.test:8443/?", "https://x.test:8443/?", id="other-port"),
        pytest.param("https://bücher.test/é", "https://xn--bcher-kva.test/%C3%A9", id="accents"),
        pytest.param("https://[2001:4860::1]:8443/", "https://[2001:4860::1]:8443/", id="ipv6"),
        pytest.param("http://127.0.0.1:5232/", "http://127.0.0.1:5232/", id="http"),
    ],
)
def test_an_address_has_one_normal_form(written: str, normal: str) -> None:
    assert read_address(written).url == normal


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("ftp://x.test/a", Refusal.SCHEME, id="ftp"),
        pytest.param("file:///etc/passwd", Refusal.SCHEME, id="file"),
        pytest.param("gopher://x.test/", Refusal.SCHEME, id="gopher"),
        pytest.param("x.test/a", Refusal.SCHEME, id="no-scheme"),
        pytest.param("", Refusal.SCHEME, id="empty"),
        pytest.param("https:///a", Refusal.UNREADABLE, id="no-host"),
        pytest.param("https://x.test:0/", Refusal.UNREADABLE, id="port-zero"),
        pytest.param("https://x.test:70000/", Refusal.UNREADABLE, id="port-too-large"),
        pytest.param("https://x.test\\@y.test/", Refusal.UNREADABLE, id="backslash"),
        pytest.param("https://x.test/\r\nHost: y", Refusal.UNREADABLE, id="header-injection"),
        pytest.param("https://[fe80::1%25eth0]/", Refusal.UNREADABLE, id="zone"),
        pytest.param("https://x.test/" + "a" * 3000, Refusal.UNREADABLE, id="too-long"),
        pytest.param("https://me:secret@x.test/", Refusal.PASSWORD_IN_ADDRESS, id="password"),
        pytest.param("https://me@x.test/", Refusal.PASSWORD_IN_ADDRESS, id="name"),
    ],
)
def test_what_is_not_a_plain_web_address_is_refused(url: str, reason: Refusal) -> None:
    with pytest.raises(AddressRefused) as refused:
        read_address(url)
    assert refused.value.reason is reason


PRIVATE = [
    "0.0.0.0",  # noqa: S104 — asked about, not bound
    "10.1.2.3",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_internal_or_translated_address_is_refused(address: str) -> None:
    assert not AddressRules().permits(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "100.128.0.1", "172.32.0.1", "192.0.1.1", "198.20.0.1", "2606:4700::1"]
)
def test_a_public_address_is_permitted(address: str) -> None:
    assert AddressRules().permits(address)


def test_a_named_network_is_permitted_and_nothing_beside_it() -> None:
    rules = AddressRules(["10.1.0.0/16", "fd12::/16"])

    assert rules.permits("10.1.2.3")
    assert rules.permits("fd12::5")
    assert not rules.permits("10.2.0.1")
    assert not rules.permits("127.0.0.1")
    assert not rules.permits("::ffff:10.1.2.3")


def test_plain_http_needs_a_loopback_address_that_was_named() -> None:
    rules = AddressRules(["127.0.0.0/8", "10.0.0.0/8"])

    assert rules.permits_plain("127.0.0.1")
    assert not rules.permits_plain("10.0.0.1")
    assert not rules.permits_plain("8.8.8.8")
    assert not AddressRules().permits_plain("127.0.0.1")
