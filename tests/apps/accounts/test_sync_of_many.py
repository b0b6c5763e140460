"""People of a PBX become users, however many there are already."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bluetel.accounts.models import Pbx, User
from bluetel.accounts.services import sync_users
from bluetel.telephony.types import PbxUser

pytestmark = pytest.mark.django_db


@pytest.fixture
def pbx() -> Pbx:
    return Pbx.objects.create(name="office", kind=Pbx.Kind.WAZO, url="https://pbx.example.test")


def person(number: int, *, login: str = "", email: str = "") -> PbxUser:
    return PbxUser.by_login(login or f"login{number}", number=str(1000 + number), email=email)


def test_an_account_is_found_by_its_e_mail_whatever_its_case(pbx: Pbx) -> None:
    ada = User.objects.create(username="ada", email="Ada.É@Example.test")
    result = sync_users(pbx, [person(1, email="ada.é@example.TEST")])
    ada.refresh_from_db()
    assert (result.created, result.updated, ada.extension) == (0, 1, "1001")


def test_of_two_accounts_with_one_e_mail_the_elder_comes_first(pbx: Pbx) -> None:
    for name in ("elder", "younger"):
        User.objects.create(username=name, email="both@example.test")
    people = [person(number, email="both@example.test") for number in (1, 2, 3)]
    assert sync_users(pbx, people).created == 1
    numbers = dict(User.objects.values_list("username", "extension"))
    assert numbers == {"elder": "1001", "younger": "1002", "login3": "1003"}


def test_a_taken_username_gets_a_number(pbx: Pbx) -> None:
    User.objects.create(username="ADA")
    other = Pbx.objects.create(name="annex", kind=Pbx.Kind.WAZO, url="https://annex.example.test")
    sync_users(pbx, [person(1, login="ada")])
    sync_users(other, [person(2, login="Ada")])
    assert set(User.objects.values_list("username", flat=True)) == {"ADA", "ada-2", "Ada-3"}


def test_nobody_is_looked_up_by_a_name_that_has_no_index(pbx: Pbx) -> None:
    people = [person(number, email=f"{number}@example.test") for number in range(20)]
    with CaptureQueriesContext(connection) as asked:
        sync_users(pbx, people)
    statements = [query["sql"].upper() for query in asked.captured_queries]
    assert not [one for one in statements if " LIKE " in one or "UPPER(" in one]
