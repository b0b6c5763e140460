"""``sync_users --ldap``: the people of a PBX without a list, out of a real OpenLDAP."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from bluetel.accounts.models import User
from bluetel.accounts.people_sources import internal_number
from bluetel.ldap.client import close_clients
from bluetel.ldap.config import LdapConfig
from tests.apps.xivo.conftest import XivoSite
from tests.servers import ServerOf
from tests.servers.base import free_port
from tests.servers.slapd import Slapd
from tests.servers.slapd_ad import ShapedAsActiveDirectory

SOME = {"person_filter": "(uid=p00*)", "attributes": "extension=telephoneNumber"}
"""A hundred of the directory's people, of whom every second has an internal number."""


@pytest.fixture(scope="module")
def slapd(server: ServerOf) -> Slapd:
    found = server("slapd")
    assert isinstance(found, Slapd)
    return found


@pytest.fixture
def directory(settings: Settings) -> Iterator[Settings]:
    """The settings, to put a directory into; its connections end with the test."""
    yield settings
    close_clients()


def sync(directory: Settings, config: LdapConfig) -> str:
    directory.LDAP_CONFIG = config
    out = StringIO()
    call_command("sync_users", "site", "--ldap", stdout=out, stderr=StringIO())
    return out.getvalue()


def test_who_has_a_login_and_an_internal_number_becomes_a_user(
    site: XivoSite, slapd: Slapd, directory: Settings
) -> None:
    text = sync(directory, slapd.config(**SOME))

    assert "50 created, 0 updated, 9 without a phone now" in text
    helene = User.objects.get(pbx_user_id="p0041")
    assert (helene.pbx, helene.pbx_login, helene.extension) == (site.pbx, "p0041", "1041")
    assert helene.get_full_name() == "Hélène Béguin"
    assert helene.email == "p0041@demo.test"
    assert not User.objects.filter(pbx_user_id="p0042").exists()


def test_the_second_time_finds_the_same_people(
    site: XivoSite, slapd: Slapd, directory: Settings
) -> None:
    config = slapd.config(**SOME)
    sync(directory, config)
    before = User.objects.get(pbx_user_id="p0041").pk
    text = sync(directory, config)

    assert "0 created" in text
    assert "0 without a phone now" in text
    assert User.objects.get(pbx_user_id="p0041").pk == before


def test_who_was_in_the_file_before_is_found_by_his_address(
    site: XivoSite, slapd: Slapd, directory: Settings
) -> None:
    known = User.objects.create(username="helene", email="P0041@demo.test")
    sync(directory, slapd.config(**SOME))

    known.refresh_from_db()
    assert (known.pbx, known.extension) == (site.pbx, "1041")


def test_a_directory_that_is_away_unlinks_nobody(
    site: XivoSite, slapd: Slapd, directory: Settings
) -> None:
    away = slapd.config(url=f"ldap://127.0.0.1:{free_port()}")
    with pytest.raises(CommandError, match="company directory can't be read"):
        sync(directory, away)

    assert site.user("1001").pbx == site.pbx


def test_a_directory_without_internal_numbers_unlinks_nobody(
    site: XivoSite, slapd: Slapd, directory: Settings
) -> None:
    with pytest.raises(CommandError, match="nobody in the company directory"):
        sync(directory, slapd.config())

    assert site.user("1001").pbx == site.pbx


def test_active_directory_keeps_internal_numbers_as_sip_addresses(
    site: XivoSite, server: ServerOf, directory: Settings
) -> None:
    found = server("slapd_ad")
    assert isinstance(found, ShapedAsActiveDirectory)
    text = sync(directory, found.config())

    assert "58 created" in text  # two accounts of sixty are disabled, contacts have no login
    renee = User.objects.get(pbx_user_id="user07")
    assert (renee.pbx_login, renee.extension) == ("user07", "1507")


@pytest.mark.parametrize(
    ("values", "number"),
    [
        (["1005"], "1005"),
        (["0199001005", " 1005 "], "1005"),
        (["SIP:1005@pbx.example"], "1005"),
        (["1005@pbx.example"], "1005"),
        (["+33 1 99 00 10 05", "poste 5", "x@y", ""], ""),
        (["sip:helene@pbx.example"], ""),
        ([], ""),
    ],
    ids=str,
)
def test_the_internal_number_is_the_shortest_of_those_there_are(
    values: list[str], number: str
) -> None:
    assert internal_number(values) == number
