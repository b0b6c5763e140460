from __future__ import annotations

import pytest

from presence.rules import ImSource, ImState
from presence.xmpp_rules import Resource, Said, read_address, said_by, show_of


@pytest.mark.parametrize(
    ("show", "source", "value"),
    [
        pytest.param("", "session", "available", id="available"),
        pytest.param("chat", "session", "available", id="free for chat"),
        pytest.param("away", "idle", "away", id="away"),
        pytest.param("xa", "idle", "away", id="away for long"),
        pytest.param("dnd", "manual", "busy", id="do not disturb"),
        pytest.param("odd", "session", "available", id="a word we don't know"),
    ],
)
def test_what_a_client_says(show: str, source: str, value: str) -> None:
    said = said_by([Resource("desk", show, "At lunch")])
    assert said == Said(ImSource(source), ImState(value), "At lunch")


def test_the_client_with_the_greatest_priority_speaks() -> None:
    desk, phone = Resource("desk", "dnd", priority=1), Resource("phone", "", priority=5)
    said = said_by([desk, phone])
    assert said is not None
    assert said.value is ImState.AVAILABLE


def test_without_a_client_nothing_is_said_and_our_own_sessions_are_none() -> None:
    assert said_by([]) is None
    assert said_by([Resource("bluetel-1f", "dnd")]) is None


def test_each_status_has_its_show() -> None:
    assert [show_of(state) for state in ImState] == ["", "dnd", "away", None, None]


def test_an_address_names_account_and_server() -> None:
    address = read_address("xmpp://bt%40example.org:p%3Aw@chat.example.org")
    assert address is not None
    assert (address.jid, address.password) == ("bt@example.org", "p:w")
    assert (address.host, address.port) == ("chat.example.org", 5222)
    assert (address.domain, address.is_loopback) == ("example.org", False)
    assert "p:w" not in repr(address)


def test_the_host_is_the_domain_unless_one_is_named() -> None:
    address = read_address("xmpps://bt:x@example.org")
    assert address is not None
    assert (address.jid, address.port, address.is_direct_tls) == ("bt@example.org", 5223, True)


@pytest.mark.parametrize("url", ["http://a:b@c", "xmpp://", "xmpp://host"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be xmpp://"):
        read_address(url)


def test_none_is_none() -> None:
    assert read_address("") is None
