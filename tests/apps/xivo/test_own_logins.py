"""Logins of the users' own: entered, checked, sealed, and what pages show with and without."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from bluetel.accounts.account_book import AccountBook
from bluetel.accounts.models import PbxLogin, User
from bluetel.telephony.ports import OwnLogin
from bluetel.telephony.types import PbxUserId
from tests.apps.xivo.conftest import XivoSite

PAGE = "/settings/phone-system/"


def capabilities(site: XivoSite, extension: str) -> set[str]:
    answer: dict[str, Any] = site.browser(extension).get("/api/v1/me").json()
    return set(answer["capabilities"])


def test_a_login_that_works_brings_its_buttons(site: XivoSite) -> None:
    assert capabilities(site, "1001") == {"presence", "directory", "forwards"}
    answer = site.browser("1001").post(PAGE, {"login": "demo1", "password": "demo"})

    assert answer.status_code == 302
    assert PbxLogin.objects.get().works is True
    assert capabilities(site, "1001") >= {"transfer", "history", "read_forwards", "hold"}


def test_a_password_lies_sealed_in_the_database(site: XivoSite) -> None:
    site.browser("1001").post(PAGE, {"login": "demo1", "password": "demo"})
    with connection.cursor() as cursor:
        cursor.execute("select password from accounts_pbxlogin")
        (sealed,) = cursor.fetchone()

    assert "demo" not in sealed
    assert PbxLogin.objects.get().password == "demo"


def test_a_wrong_password_is_said_and_not_kept(site: XivoSite) -> None:
    answer = site.browser("1001").post(PAGE, {"login": "demo1", "password": "wrong"})

    assert answer.status_code == 400
    assert "doesn&#x27;t take this login" in answer.content.decode()
    assert not PbxLogin.objects.exists()


def test_somebody_elses_login_is_refused(site: XivoSite) -> None:
    answer = site.browser("1001").post(PAGE, {"login": "demo2", "password": "demo"})

    assert answer.status_code == 400
    assert not PbxLogin.objects.exists()


def test_a_login_is_kept_unchecked_while_the_pbx_is_away(site: XivoSite) -> None:
    site.xuc.do(lambda _: site.xuc.site.faults.set("unavailable", ["all"]))
    answer = site.browser("1001").post(PAGE, {"login": "demo1", "password": "demo"})

    assert answer.status_code == 302
    assert PbxLogin.objects.get().works is None
    assert "read_forwards" not in capabilities(site, "1001")


def test_a_login_is_removed(site: XivoSite) -> None:
    site.give_login("1001")
    site.browser("1001").post(PAGE, {"remove": "yes"})

    assert not PbxLogin.objects.exists()
    assert capabilities(site, "1001") == {"presence", "directory", "forwards"}


@pytest.mark.parametrize(
    ("works", "sentence"),
    [
        (None, "has not been checked yet"),
        (False, "refuses your login"),
        (True, "Mute the microphone"),
    ],
    ids=["unchecked", "refused", "works"],
)
def test_the_page_says_what_can_not_be_done_and_why(
    site: XivoSite, works: bool | None, sentence: str
) -> None:
    site.give_login("1001", works=works)

    assert sentence in site.browser("1001").get(PAGE).content.decode()


def test_without_a_login_the_page_says_what_is_not_confirmed(site: XivoSite) -> None:
    text = site.browser("1001").get(PAGE).content.decode()

    assert "Without your login on the phone system" in text
    assert "not confirmed" in text


def test_a_phone_that_takes_no_orders_is_named(site: XivoSite) -> None:
    login = site.give_login("1004")
    PbxLogin.objects.filter(pk=login.pk).update(is_phone_told=True, phone_make="Snom")

    assert "of this make (Snom)" in site.browser("1004").get(PAGE).content.decode()
    assert "hold" not in capabilities(site, "1004")


def test_people_without_a_telephone_system_have_no_such_page(site: XivoSite) -> None:
    User.objects.filter(extension="1001").update(pbx=None)

    assert site.browser("1001").get(PAGE).status_code in {403, 404}


def test_signing_in_with_the_pbx_login_keeps_it(site: XivoSite) -> None:
    answer = Client().post("/accounts/login/", {"username": "demo3", "password": "demo"})

    assert answer.status_code == 302
    kept = PbxLogin.objects.get()
    assert (kept.user, kept.login, kept.works) == (site.user("1003"), "demo3", True)


def test_who_is_not_in_the_list_can_not_sign_in(site: XivoSite) -> None:
    User.objects.filter(extension="1003").delete()
    answer = Client().post("/accounts/login/", {"username": "demo3", "password": "demo"})

    assert answer.status_code == 200
    assert not PbxLogin.objects.exists()


def test_a_call_is_placed_and_hung_up_over_the_api(site: XivoSite) -> None:
    site.give_login("1001")
    browser = site.browser("1001")
    placed = browser.post("/api/v1/calls", {"number": "1002"}, content_type="application/json")
    assert placed.status_code == 202, placed.content
    call = placed.json()
    assert (call["state"], call["dialed"]) == ("ringing_self", "1002")

    assert browser.delete(f"/api/v1/calls/{call['id']}").status_code == 204
    assert site.xuc.do(lambda pbx: not pbx.legs)


def test_mute_answers_not_supported(site: XivoSite) -> None:
    site.give_login("1001")
    browser = site.browser("1001")
    call = browser.post("/api/v1/calls", {"number": "1002"}, content_type="application/json").json()
    answer = browser.post(f"/api/v1/calls/{call['id']}/mute")

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "not_supported"


def test_a_refusal_of_the_password_before_says_nothing_of_the_one_given_since(
    site: XivoSite,
) -> None:
    given = site.give_login("1001")
    book = AccountBook(site.pbx.pk)
    user = PbxUserId(site.user("1001").pbx_user_id)
    before = OwnLogin(login=given.login, password="before")

    book.note_login(user, before, works=False)
    given.refresh_from_db()
    assert given.works is True

    book.note_login(user, OwnLogin(login=given.login, password=given.password), works=False)
    given.refresh_from_db()
    assert given.works is False
