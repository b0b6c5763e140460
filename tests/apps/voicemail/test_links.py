"""Signed links: scanners open them twice, others try them, and nothing is dialled."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.signing import Signer
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bluetel.telephony.simulator.people import BoxMessage
from tests.apps.house import House
from tests.apps.voicemail.conftest import Callers
from voicemail import links, services
from voicemail.models import Message
from voicemail.signing import PATH, signed_address


@pytest.fixture
def left(callers: Callers) -> BoxMessage:
    return callers.leave("0199004217", name="Hélène")


@pytest.fixture
def message(house: House, left: BoxMessage) -> Message:
    services.read_box(house.user("1001"), now=timezone.now())
    return Message.objects.get()


def path_of(message: Message, **shift: float) -> str:
    made_at = timezone.now() + timedelta(**shift)
    address = links.link_to_message(message.user, message.pk, now=made_at)
    return address[address.index("/voicemail/") :]


def press(browser: Client, path: str) -> object:
    token = browser.cookies["csrftoken"].value
    return browser.post(path, {"csrfmiddlewaretoken": token, "key": "one"})


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_scanner_that_is_not_signed_in_learns_nothing_and_calls_nobody(
    house: House, message: Message, method: str
) -> None:
    good, bad = path_of(message), path_of(message)[:-3] + "xx/"
    scanner = Client()
    for path in (good, good, bad):
        answer = getattr(scanner, method)(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/?next=")
        assert b"0199004217" not in answer.content
    assert Client(enforce_csrf_checks=True).post(good).status_code in {302, 403}
    assert not house.has_call("1001")


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_it_signed_in_shows_whom_and_calls_nobody(
    house: House, message: Message, method: str
) -> None:
    browser = house.browser("1001")
    for _ in range(2):
        answer = getattr(browser, method)(path_of(message))
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"
    assert not house.has_call("1001")
    page = browser.get(path_of(message)).content.decode()
    assert "Hélène" in page
    assert "Call 01 99 00 42 17 back" in page


def test_its_button_rings_ones_own_phone_first_and_once(house: House, message: Message) -> None:
    browser = house.browser("1001")
    browser.get(path_of(message))
    press(browser, path_of(message))
    press(browser, path_of(message))
    assert house.is_ringing("1001")
    assert house.commands().count("calls.create") <= 1


def test_links_lead_to_the_page_that_reads_them(db: None) -> None:
    assert reverse("voicemail:call-back", args=["x"]) == f"{PATH}x/"


def refused(browser: Client, path: str) -> bool:
    answer = browser.get(path)
    page = answer.content.decode()
    posted = press(browser, path)
    return (
        answer.status_code == 404
        and posted.status_code == 404  # type: ignore[attr-defined]
        and "Hélène" not in page
        and "0199004217" not in page.replace(" ", "")
    )


def test_somebody_else_is_told_nothing(house: House, message: Message) -> None:
    assert refused(house.browser("1002"), path_of(message))
    assert not house.has_call("1002")


def test_it_lasts_seven_days(house: House, message: Message) -> None:
    browser = house.browser("1001")
    assert browser.get(path_of(message, days=-6, hours=-23)).status_code == 200
    assert refused(browser, path_of(message, days=-7, seconds=-1))
    assert not house.has_call("1001")


def test_a_changed_link_is_no_link(house: House, message: Message) -> None:
    browser = house.browser("1001")
    path = path_of(message)
    token = path.split("/")[-2]
    head, _, signature = token.rpartition(":")
    forged = Signer(salt="voicemail.call-back", key="another").sign_object(
        {"u": message.user_id, "s": 0, "t": 9_999_999_999, "n": "0199004217", "c": ""}
    )
    other = Signer(salt="another").sign_object({"u": message.user_id})
    for bad in (head, f"{head}:{signature[:-1]}", f"x{token}", forged, other, "x" * 3000):
        assert refused(browser, path.replace(token, bad)), bad
    assert not house.has_call("1001")


def test_its_user_revokes_all_of_his(house: House, message: Message) -> None:
    browser = house.browser("1001")
    path = path_of(message)
    links.revoke_links(message.user)
    assert refused(browser, path)
    assert browser.get(path_of(message)).status_code == 200


def test_a_deleted_message_takes_its_link_along(house: House, message: Message) -> None:
    browser = house.browser("1001")
    path = path_of(message)
    services.delete(message, now=timezone.now())
    assert refused(browser, path)


def test_the_dial_policy_holds_behind_links(house: House, callers: Callers) -> None:
    camille = house.user("1001")
    address = signed_address(camille, timezone.now(), n="0899700123", c="")
    path = address[address.index("/voicemail/") :]
    browser = house.browser("1001")
    browser.get(path)
    answer = press(browser, path)
    assert "costs extra" in answer.content.decode()  # type: ignore[attr-defined]
    assert not house.has_call("1001")
