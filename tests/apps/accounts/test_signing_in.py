"""Coming in: with BlueTel's own password, or with the login of the PBX."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from bluetel.accounts.models import User
from bluetel.accounts.services import sync_users
from bluetel.telephony.errors import PbxUnavailable
from bluetel.telephony.simulator.people import Person
from tests.apps.house import PASSWORD, House


def sign_in(username: str, password: str = PASSWORD, **headers: str) -> Any:
    return Client().post(
        "/accounts/login/", {"username": username, "password": password}, headers=headers
    )


def person(house: House, extension: str) -> Person:
    return house.do(lambda model: model.lines[extension][0])


def test_the_pbx_s_login_opens_bluetel(house: House) -> None:
    answer = sign_in("demo1")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert house.user("1001").pbx_login == "demo1"


@pytest.mark.parametrize("name", ["camille.renard@demo.test", "CAMILLE.RENARD@demo.test", "DEMO1"])
def test_login_or_e_mail_in_any_case(house: House, name: str) -> None:
    assert sign_in(name).status_code == 302


def test_bluetel_s_own_password_works_without_the_pbx(house: House) -> None:
    house.backend.fail(PbxUnavailable("down"))
    user = house.user("1001")
    user.set_password("of her own")
    user.save()
    assert sign_in(user.username, "of her own").status_code == 302


@pytest.mark.parametrize(
    ("name", "password"),
    [("demo1", "wrong"), ("nobody", "demo"), ("demo1", ""), ("", "demo")],
    ids=["wrong-password", "unknown-name", "empty-password", "empty-name"],
)
def test_what_does_not_match_stays_outside(house: House, name: str, password: str) -> None:
    answer = sign_in(name, password)
    assert answer.status_code == 200
    assert "_auth_user_id" not in answer.wsgi_request.session


def test_a_refusal_is_the_same_for_wrong_and_unknown(house: House) -> None:
    texts = [sign_in(name, "wrong").context["form"].non_field_errors() for name in ("demo1", "x")]
    assert texts[0] == texts[1]


def test_a_pbx_that_is_down_is_said_on_the_page(house: House) -> None:
    house.backend.fail(PbxUnavailable("down"))
    assert "can&#x27;t be reached" in sign_in("demo1").content.decode()


def test_the_first_sign_in_makes_the_user(house: House) -> None:
    User.objects.all().delete()
    assert sign_in("demo1").status_code == 302
    user = house.user("1001")
    assert (user.username, user.email) == ("demo1", "camille.renard@demo.test")
    assert user.pbx_user_id == person(house, "1001").id


def test_the_first_sign_in_ties_an_account_of_the_same_e_mail(house: House) -> None:
    User.objects.all().delete()
    known = User.objects.create_user("camille", "Camille.Renard@Demo.test", "x")
    assert sign_in("demo1").status_code == 302
    known.refresh_from_db()
    assert known.pbx_user_id == person(house, "1001").id
    assert User.objects.count() == 1


def test_an_administrator_s_account_is_never_taken_by_an_e_mail_on_the_pbx(house: House) -> None:
    User.objects.all().delete()
    User.objects.create_superuser("root", "camille.renard@demo.test", "x")
    assert sign_in("demo1").status_code == 200
    assert User.objects.get().pbx_user_id == ""


def test_a_disabled_account_stays_outside(house: House) -> None:
    user = house.user("1001")
    user.is_active = False
    user.save()
    assert sign_in("demo1").status_code == 200


def test_guessing_is_slowed_down(house: House) -> None:
    statuses = [sign_in("demo1", f"guess {number}").status_code for number in range(11)]
    assert statuses[0] == 200
    assert statuses[-1] == 429


def test_pages_send_strangers_to_the_sign_in_page(house: House) -> None:
    answer = Client().get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/")


def test_signing_out_needs_a_click_not_a_link(house: House) -> None:
    browser = house.browser("1001")
    assert browser.get("/accounts/logout/").status_code == 405


@pytest.mark.parametrize(
    ("target", "expected"),
    [("/legend/", "/legend/"), ("https://evil.test/", "/"), ("//evil.test", "/")],
)
def test_choosing_a_language_goes_back_to_where_one_was(
    house: House, target: str, expected: str
) -> None:
    browser = Client()
    answer = browser.post("/accounts/language/", {"language": "fr", "next": target})
    assert answer["Location"] == expected
    assert '<html lang="fr"' in browser.get("/accounts/login/").content.decode()


def test_a_language_is_kept_with_the_user(house: House) -> None:
    browser = Client()
    browser.force_login(house.user("1001"), backend="bluetel.accounts.backends.AccountBackend")
    browser.post("/accounts/language/", {"language": "fr", "next": "/"})
    assert house.user("1001").language == "fr"
    browser.post("/accounts/language/", {"language": "tlh", "next": "/"})
    assert house.user("1001").language == "fr"


def test_a_language_chosen_here_survives_the_next_synchronisation(house: House) -> None:
    user = house.user("1001")
    user.language = ""
    user.save()
    sync_users(house.pbx, house.backend.users())
    assert house.user("1001").language == ""
