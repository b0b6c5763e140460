"""What every page has in common: headers, health, and the pages for when something is wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from bluetel.calls.services import place_call
from presence.models import CallWish, PersonState
from presence.team import set_favourites
from tests.apps.forwarding.meetings import add_meeting
from tests.apps.house import House
from voicemail.models import Message


def test_pages_are_not_stored_and_run_no_foreign_code(house: House) -> None:
    answer = house.browser("1001").get("/")
    assert answer["Cache-Control"] == "no-store"
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("peer", "status"),
    [
        ("127.0.0.1", 200), ("127.8.8.8", 200), ("::1", 200), ("::ffff:127.0.0.1", 200),
        ("192.0.2.7", 301), ("2001:db8::7", 301), ("", 301),
    ],
)  # fmt: skip
def test_only_a_proxy_of_this_machine_says_that_a_browser_came_by_https(
    settings: Settings, peer: str, status: int
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    through = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_PROTO": "https"}
    assert Client().get("/accounts/login/", **through).status_code == status  # type: ignore[arg-type]


def test_a_browser_that_came_by_http_is_sent_to_https(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    for headers in ({}, {"X-Forwarded-Proto": "http"}):
        assert Client().get("/accounts/login/", headers=headers).status_code == 301


def test_the_home_page_costs_the_same_for_many_colleagues(
    house: House, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    browser = house.browser("1001")
    browser.get("/")
    with django_assert_max_num_queries(17):
        browser.get("/")


def test_a_home_page_with_all_there_can_be_on_it_asks_for_each_thing_once(
    house: House, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    me, now = house.user("1001"), timezone.now()
    browser = house.browser("1001")
    set_favourites(me, [str(house.user(one).pk) for one in ("1002", "1003")])
    PersonState.objects.create(user=house.user("1002"), phone="busy", im="available", revision=1)
    CallWish.objects.create(
        owner=me, person=house.user("1002"), asked_at=now, expires_at=now + timedelta(hours=1)
    )
    Message.objects.create(
        user=me, pbx_message="1", number="1002", received_at=now, duration=3, folder="new"
    )
    add_meeting(me, starts=now - timedelta(minutes=5), ends=now + timedelta(minutes=30))
    place_call(me, "1003", now=now)
    browser.get("/")
    with django_assert_max_num_queries(22):
        page = browser.get("/").content.decode()
    assert "the meeting ends" in page


def test_a_page_that_is_not_there_is_404_in_the_house_style(house: House) -> None:
    answer = house.browser("1001").get("/nowhere/")
    assert answer.status_code == 404
    assert "BlueTel" in answer.content.decode()


def test_a_form_from_elsewhere_is_refused_and_explained(house: House) -> None:
    answer = house.browser("1001").post("/dialer/call/", {"number": "1002"})
    assert answer.status_code == 403
    assert not house.has_call("1001")


def test_the_process_says_that_it_lives(db: None) -> None:
    assert Client().get("/healthz").status_code == 200


def test_readiness_names_its_parts(db: None) -> None:
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["parts"]["database"] == "ok"
    assert answer.json()["parts"]["engine"] == "missing"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "203.0.113.9"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}, 403),
    ],
    ids=["loopback", "outside", "through-a-proxy"],
)
def test_metrics_are_for_loopback(db: None, headers: dict[str, str], status: int) -> None:
    assert Client().get("/metrics", **headers).status_code == status  # type: ignore[arg-type]


def test_the_demo_s_pages_exist_in_the_demo_only(house: House) -> None:
    assert house.browser("1001").get("/demo/phones/").status_code == 404


def test_pages_stand_even_when_the_pbx_s_address_is_none(house: House, settings: Settings) -> None:
    settings.PBX_BACKENDS = {"wazo": "bluetel.telephony.wazo.backend.WazoBackend"}
    house.pbx.url = "nonsense"
    house.pbx.save()
    browser = house.browser("1001")
    assert browser.get("/").status_code == 200
    assert browser.get("/api/v1/me").json()["capabilities"] == []
    assert browser.get("/api/v1/search?q=nadia").status_code == 200
