"""Whose live socket it is: told by the rows, many at once, by the rules that hold for pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from bluetel.accounts.models import User
from presence.sessions import Visitor, visitors

pytestmark = pytest.mark.django_db

BACKEND = "bluetel.accounts.backends.AccountBackend"


def sign_in(name: str) -> tuple[User, Client, str]:
    user = User.objects.create_user(name, password="secret")
    client = Client()
    client.force_login(user, backend=BACKEND)
    return user, client, client.cookies[django_settings.SESSION_COOKIE_NAME].value


def test_who_is_signed_in_is_known_by_the_key_of_his_session() -> None:
    user, _, key = sign_in("ada")
    assert visitors([key]) == {key: Visitor(str(user.pk), None)}


def test_a_hundred_cost_two_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    keys = {sign_in(f"user{number}")[2] for number in range(20)}
    with django_assert_num_queries(2):
        found = visitors([*keys, "unknown"])
    assert found.keys() == keys


def test_a_key_that_cannot_be_one_costs_nobody_else_his_session() -> None:
    user, _, key = sign_in("ada")
    assert visitors(["\0", "é", key]) == {key: Visitor(str(user.pk), None)}


def test_nobody_costs_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert visitors([]) == {}


def sign_out(user: User, client: Client, key: str) -> None:
    client.logout()


def expire(user: User, client: Client, key: str) -> None:
    Session.objects.filter(pk=key).update(expire_date=timezone.now() - timedelta(seconds=1))


def disable(user: User, client: Client, key: str) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def delete(user: User, client: Client, key: str) -> None:
    user.delete()


def change_password(user: User, client: Client, key: str) -> None:
    user.set_password("another")
    user.save()


def garble(user: User, client: Client, key: str) -> None:
    Session.objects.filter(pk=key).update(session_data="nonsense")


def forget_user(user: User, client: Client, key: str) -> None:
    session = client.session
    del session["_auth_user_id"]
    session.save()


def claim_nonsense(user: User, client: Client, key: str) -> None:
    session = client.session
    session["_auth_user_id"] = "ada"
    session.save()


@pytest.mark.parametrize(
    "end",
    [sign_out, expire, disable, delete, change_password, garble, forget_user, claim_nonsense],
)
def test_a_session_that_is_nobodys_now_is_left_out(
    end: Callable[[User, Client, str], None],
) -> None:
    user, client, key = sign_in("ada")
    _, _, other = sign_in("bo")
    end(user, client, key)
    assert visitors([key, other]).keys() == {other}


def test_a_way_to_sign_in_that_is_no_longer_offered_lets_nobody_stay(settings: Settings) -> None:
    _, _, key = sign_in("ada")
    settings.AUTHENTICATION_BACKENDS = ["bluetel.accounts.backends.PbxLoginBackend"]
    assert visitors([key]) == {}


def test_a_secret_key_that_was_replaced_is_honoured_while_it_is_named(settings: Settings) -> None:
    _, _, key = sign_in("ada")
    old, settings.SECRET_KEY = settings.SECRET_KEY, "a new one"
    assert visitors([key]) == {}
    settings.SECRET_KEY_FALLBACKS = [old]
    assert visitors([key]).keys() == {key}
