"""Signing in with the directory's password, against a real OpenLDAP."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, Permission
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import Settings

from bluetel.accounts.ldap_backend import LdapBackend
from bluetel.accounts.models import User
from bluetel.ldap.client import close_clients
from bluetel.ldap.config import LdapConfig
from tests.servers import ServerOf
from tests.servers.base import free_port, started
from tests.servers.slapd import Slapd
from tests.servers.slapd_ad import ShapedAsActiveDirectory

pytestmark = pytest.mark.django_db

GROUPS = (
    "cn=telephony,ou=groups,dc=demo,dc=test => group:Telephony, permission:accounts.view_user;"
    "cn=reception,ou=groups,dc=demo,dc=test => staff;"
    "cn=operators,ou=groups,dc=demo,dc=test => group:Operators;"
    "cn=nowhere,dc=demo,dc=test => group:Nobody"
)


@pytest.fixture(scope="module")
def slapd(server: ServerOf) -> Slapd:
    found = server("slapd")
    assert isinstance(found, Slapd)
    return found


class SignIn:
    """The sign-in of a site with this directory."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.request = RequestFactory().post("/accounts/login/")

    def use(self, config: LdapConfig | None) -> None:
        self._settings.LDAP_CONFIG = config

    def __call__(self, username: str, password: str) -> User | None:
        return LdapBackend().authenticate(self.request, username=username, password=password)


@pytest.fixture
def sign_in(slapd: Slapd, settings: Settings) -> Iterator[SignIn]:
    door = SignIn(settings)
    door.use(slapd.config())
    yield door
    close_clients()


def test_the_first_sign_in_makes_a_user(sign_in: SignIn) -> None:
    user = sign_in("p0041", "word-p0041")

    assert user is not None
    assert (user.username, user.email) == ("p0041@demo.test", "p0041@demo.test")
    assert user.get_full_name() == "Hélène Béguin"
    assert not user.has_usable_password()
    assert not user.is_staff
    assert not user.is_superuser


def test_the_next_sign_in_finds_him(sign_in: SignIn) -> None:
    first = sign_in("p0041", "word-p0041")
    again = sign_in("P0041@Demo.test", "word-p0041")

    assert first is not None
    assert first == again
    assert User.objects.count() == 1


def test_a_user_of_the_same_address_is_taken_whatever_its_case(sign_in: SignIn) -> None:
    known = User.objects.create(username="helene", email="P0041@DEMO.test", first_name="Léna")

    user = sign_in("p0041", "word-p0041")

    assert user == known
    assert User.objects.get().first_name == "Léna"


@pytest.mark.parametrize(
    ("username", "password"),
    [
        pytest.param("p0041", "word-p0042", id="another's password"),
        pytest.param("p0041", "", id="no password"),
        pytest.param("p0041", " ", id="a space"),
        pytest.param("p0041", "\0", id="NUL"),
        pytest.param("p0041", "x" * 100_000, id="endless password"),
        pytest.param("", "word-p0041", id="no login"),
        pytest.param("*", "word-p0041", id="any login"),
        pytest.param("p0041*", "word-p0041", id="beginning"),
        pytest.param("p0041)(uid=*", "word-p0041", id="injection"),
        pytest.param("p" * 10_000, "word-p0041", id="endless login"),
        pytest.param("nobody", "word-p0041", id="unknown"),
        pytest.param("cn=bluetel,ou=services,dc=demo,dc=test", "reads-everything", id="service"),
        pytest.param("uid=p0041,ou=people,dc=demo,dc=test", "word-p0041", id="DN"),
    ],
)
def test_nobody_else_comes_in(sign_in: SignIn, username: str, password: str) -> None:
    assert sign_in(username, password) is None
    assert not User.objects.exists()


def test_refusals_name_nobody_in_the_log(sign_in: SignIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    sign_in("p0041", "not-my-word")

    assert "not-my-word" not in caplog.text
    assert "p0041" not in caplog.text


def test_without_a_directory_nobody_is_asked(sign_in: SignIn) -> None:
    sign_in.use(None)

    assert sign_in("p0041", "word-p0041") is None


def test_a_directory_that_is_down_is_told_to_the_page(sign_in: SignIn, slapd: Slapd) -> None:
    sign_in.use(slapd.config(url=f"ldap://127.0.0.1:{free_port()}"))

    assert sign_in("p0041", "word-p0041") is None
    assert getattr(sign_in.request, "ldap_unreachable", False)


def test_somebody_switched_off_here_stays_out(sign_in: SignIn) -> None:
    User.objects.create(username="helene", email="p0041@demo.test", is_active=False)

    assert sign_in("p0041", "word-p0041") is None


def test_two_users_of_one_address_are_nobody(sign_in: SignIn) -> None:
    for name in ("one", "two"):
        User.objects.create(username=name, email="p0041@demo.test")

    assert sign_in("p0041", "word-p0041") is None


def test_a_user_whose_name_is_the_address_is_not_taken_over(sign_in: SignIn) -> None:
    User.objects.create(username="p0041@demo.test", email="somebody.else@demo.test")

    assert sign_in("p0041", "word-p0041") is None


def test_two_entries_of_one_address_are_nobody(sign_in: SignIn) -> None:
    with started(Slapd) as own:
        assert isinstance(own, Slapd)
        own.change(
            f"dn: uid=p0042,{own.people_base}\nchangetype: modify\n"
            "replace: mail\nmail: p0041@demo.test\n-\n\n"
            f"dn: uid=p0043,{own.people_base}\nchangetype: modify\ndelete: mail\n-\n"
        )
        sign_in.use(own.config())

        assert sign_in("p0042", "word-p0042") is None
        assert sign_in("p0041", "word-p0041") is None
        assert sign_in("p0043", "word-p0043") is None
        assert sign_in("p0044", "word-p0044") is not None


# --- Administrators -------------------------------------------------------------------------------


@pytest.mark.parametrize("right", ["is_superuser", "is_staff"])
def test_an_address_in_the_directory_makes_nobody_an_administrator(
    sign_in: SignIn, right: str
) -> None:
    User.objects.create(username="root", email="p0041@demo.test", **{right: True})

    assert sign_in("p0041", "word-p0041") is None


def test_a_superuser_stays_out_of_reach_of_groups(sign_in: SignIn, slapd: Slapd) -> None:
    sign_in.use(slapd.config(groups=GROUPS))
    User.objects.create(username="root", email="p0001@demo.test", is_superuser=True)

    assert sign_in("p0001", "word-p0001") is None


def test_staff_with_an_own_password_needs_the_group(sign_in: SignIn, slapd: Slapd) -> None:
    sign_in.use(slapd.config(groups=GROUPS))
    for number in (1, 41):
        User.objects.create_user(
            f"staff{number}", f"p{number:04}@demo.test", "own-password", is_staff=True
        )

    member, outsider = sign_in("p0001", "word-p0001"), sign_in("p0041", "word-p0041")

    assert member is not None
    assert member.is_staff
    assert outsider is None
    assert User.objects.get(username="staff41").is_staff


# --- Groups ---------------------------------------------------------------------------------------


def test_groups_of_the_directory_give_groups_and_rights(sign_in: SignIn, slapd: Slapd) -> None:
    sign_in.use(slapd.config(groups=GROUPS))

    by_dn = sign_in("p0005", "word-p0005")
    by_uid = sign_in("p0003", "word-p0003")
    neither = sign_in("p0041", "word-p0041")

    assert by_dn is not None
    assert {group.name for group in by_dn.groups.all()} == {"Telephony"}
    assert by_dn.has_perm("accounts.view_user")
    assert not by_dn.is_staff
    assert by_uid is not None
    assert {group.name for group in by_uid.groups.all()} == {"Telephony", "Operators"}
    assert neither is not None
    assert not neither.groups.exists()
    assert not neither.user_permissions.exists()


def test_what_a_group_gave_goes_with_it_and_the_rest_stays(sign_in: SignIn, slapd: Slapd) -> None:
    user = User.objects.create(username="helene", email="p0041@demo.test", is_staff=True)
    user.set_unusable_password()
    user.save()
    user.groups.add(Group.objects.create(name="Telephony"), Group.objects.create(name="Choir"))
    user.user_permissions.add(
        Permission.objects.get(content_type__app_label="accounts", codename="view_user"),
        Permission.objects.get(content_type__app_label="accounts", codename="view_pbx"),
    )
    sign_in.use(slapd.config(groups=GROUPS))

    assert sign_in("p0041", "word-p0041") == user

    user.refresh_from_db()
    assert not user.is_staff
    assert {group.name for group in user.groups.all()} == {"Choir"}
    assert {right.codename for right in user.user_permissions.all()} == {"view_pbx"}


def test_only_members_may_sign_in_where_a_group_decides(sign_in: SignIn, slapd: Slapd) -> None:
    sign_in.use(slapd.config(groups="cn=telephony,ou=groups,dc=demo,dc=test => sign-in"))

    assert sign_in("p0005", "word-p0005") is not None
    assert sign_in("p0041", "word-p0041") is None


# --- Active Directory -----------------------------------------------------------------------------


def test_active_directory_takes_each_kind_of_login(sign_in: SignIn) -> None:
    with started(ShapedAsActiveDirectory) as own:
        assert isinstance(own, Slapd)
        sign_in.use(own.config(groups=f"CN=reception,OU=groups,{own.suffix} => group:Reception"))

        users = [
            sign_in(login, "word-user01")
            for login in ("USER01", "user01@ad.test", "renee.muller01@demo.test")
        ]
        outsider = sign_in("user05", "word-user05")
        disabled = sign_in("user58", "word-user58")

    first = users[0]
    assert first is not None
    assert users == [first, first, first]
    assert {group.name for group in first.groups.all()} == {"Reception"}
    assert outsider is not None
    assert not outsider.groups.exists()
    assert disabled is None


def test_the_backend_stands_in_djangos_row(sign_in: SignIn, settings: Settings) -> None:
    settings.AUTHENTICATION_BACKENDS = ["bluetel.accounts.ldap_backend.LdapBackend"]

    user = authenticate(HttpRequest(), username="p0041", password="word-p0041")

    assert user is not None
    assert LdapBackend().get_user(user.pk) == user
