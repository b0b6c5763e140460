"""The administrator's settings: what is read, and what stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from bluetel.env import (
    SettingsError,
    database_settings,
    make_data_directory,
    read_environment,
)
from tests.servers.certificates import Authority


def test_nothing_set_means_a_french_site_on_loopback_without_a_demo() -> None:
    env = read_environment({})
    assert (env.host, env.port, env.country, env.demo) == ("127.0.0.1", 8000, "FR", "")
    assert env.origin == "http://127.0.0.1:8000"
    assert not env.is_https


def test_names_that_are_not_ours_are_left_alone() -> None:
    assert read_environment({"PATH": "/bin", "HOST": "elsewhere"}).host == "127.0.0.1"


def test_an_unknown_bluetel_name_stops_the_start() -> None:
    with pytest.raises(SettingsError, match=r"^BLUETEL_PROT is not a BlueTel setting"):
        read_environment({"BLUETEL_PROT": "8000"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BLUETEL_PORT", "eight thousand"),
        ("BLUETEL_PORT", "70000"),
        ("BLUETEL_COUNTRY", "France"),
        ("BLUETEL_DEMO", "yes"),
        ("BLUETEL_ALLOWED_REGIONS", "FR,XX"),
        ("BLUETEL_FETCH_ALLOW", "10.0.0.0/33"),
        ("BLUETEL_PUBLIC_URL", "tel.example.org"),
        ("BLUETEL_PUBLIC_URL", "https://example.org/tel"),
        ("BLUETEL_CALLS_PER_MINUTE", "0"),
        ("BLUETEL_PUBLIC_URL", "https://tel.example.org:abc"),
        ("BLUETEL_PUBLIC_URL", "https://:443"),
        ("BLUETEL_ALLOWED_HOSTS", "tel.example.org,https://phone.example.org"),
        ("BLUETEL_ALLOWED_HOSTS", "tel.example.org:8000"),
        ("BLUETEL_ALLOWED_HOSTS", "tel example"),
        ("BLUETEL_HOST", "not a host"),
        ("BLUETEL_HOST", ""),
        ("BLUETEL_TIME_ZONE", "Mars/Base"),
        ("BLUETEL_TIME_ZONE", "Europe"),
        ("BLUETEL_TIME_ZONE", "../zoneinfo"),
        ("BLUETEL_CA_FILE", "/nowhere/ca.pem"),
        ("BLUETEL_CA_FILE", __file__),
        ("BLUETEL_LDAP_CA_FILE", __file__),
        ("BLUETEL_LDAP_CA_FILE", "/nowhere/ca.pem"),
        ("BLUETEL_XMPP_URL", "http://chat.example.org"),
        ("BLUETEL_XMPP_URL", "xmpp://tel@chat.example.org:70000"),
        ("BLUETEL_XMPP_URL", "xmpp://tel:s3cret/word@chat.example.org"),
        ("REDIS_URL", "redis.example.org:6379"),
        ("REDIS_URL", "redis://:s3cret/word@redis.example.org"),
    ],
)
def test_a_value_that_cannot_be_read_names_the_setting_in_one_line(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_environment({name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert "\n" not in str(caught.value)
    assert "Value error" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("host", ["::1", "192.0.2.7", "127.0.0.1", "localhost", "pbx_web.internal"])
def test_a_host_is_an_address_or_a_name(host: str) -> None:
    assert read_environment({"BLUETEL_HOST": host}).host == host


def test_allowed_hosts_are_names_in_any_of_djangos_writings() -> None:
    named = "*, .example.org, tel.example.org, 192.0.2.7, [2001:db8::1]"
    found = read_environment({"BLUETEL_ALLOWED_HOSTS": named}).allowed_hosts
    assert found == ("*", ".example.org", "tel.example.org", "192.0.2.7", "[2001:db8::1]")


def test_an_address_of_ipv6_stands_in_brackets_where_browsers_go() -> None:
    assert read_environment({"BLUETEL_HOST": "::1"}).origin == "http://[::1]:8000"


def test_a_certificate_authority_is_taken(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(Authority("Ours").certificate)
    assert read_environment({"BLUETEL_CA_FILE": str(tmp_path / "ca.pem")}).ca_file


def test_lists_are_separated_by_commas() -> None:
    env = read_environment({"BLUETEL_ALLOWED_REGIONS": "fr, gp ,RE"})
    assert env.allowed_regions == ("FR", "GP", "RE")


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    env = read_environment({"BLUETEL_SECRET_KEY_FILE": str(tmp_path / "key")})
    assert env.secret_key.get_secret_value() == "s3cret"


def test_the_database_address_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:p@db/bluetel")
    env = read_environment({"DATABASE_URL_FILE": str(tmp_path / "url")})
    assert env.database_url.get_secret_value() == "postgresql://u:p@db/bluetel"


def test_a_missing_secret_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="BLUETEL_SECRET_KEY_FILE: No such file"):
        read_environment({"BLUETEL_SECRET_KEY_FILE": str(tmp_path / "none")})


def test_a_secret_file_that_is_no_text_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(bytes(range(128, 192)))
    with pytest.raises(SettingsError, match=r"^BLUETEL_SECRET_KEY_FILE: .* is not text"):
        read_environment({"BLUETEL_SECRET_KEY_FILE": str(tmp_path / "key")})


def test_secrets_never_show_in_a_repr() -> None:
    env = read_environment({"BLUETEL_SECRET_KEY": "s3cret", "DATABASE_URL": "postgresql://u:p@d/b"})
    assert "s3cret" not in repr(env)
    assert "u:p" not in repr(env)


def test_https_is_known_by_the_public_address() -> None:
    env = read_environment({"BLUETEL_PUBLIC_URL": "https://tel.example.org/"})
    assert env.is_https
    assert env.origin == "https://tel.example.org"


def test_proxies_of_this_machine_alone_are_trusted_unless_others_are_named() -> None:
    assert read_environment({}).trusted_proxies == ("127.0.0.0/8", "::1/128")
    named = read_environment({"BLUETEL_TRUSTED_PROXIES": "10.0.0.0/24"})
    assert named.trusted_proxies == ("10.0.0.0/24",)


def test_without_an_address_the_database_is_sqlite_in_the_data_directory(tmp_path: Path) -> None:
    assert database_settings("", data_dir=tmp_path)["NAME"] == str(tmp_path / "bluetel.sqlite3")


def test_a_postgresql_address_is_taken_apart() -> None:
    found = database_settings("postgresql://blue:t%40l@db.test:5433/tel", data_dir=Path("/data"))
    assert {key: found[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "tel",
        "USER": "blue",
        "PASSWORD": "t@l",
        "HOST": "db.test",
        "PORT": "5433",
    }


@pytest.mark.parametrize(
    "url", ["mysql://db/tel", "postgresql://db:abc/tel", "postgresql://[::1/tel"]
)
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: "):
        database_settings(url, data_dir=Path("/data"))


def test_the_data_directory_is_its_owners_alone(tmp_path: Path) -> None:
    make_data_directory(tmp_path / "data")
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_a_data_directory_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(SettingsError, match=r"^BLUETEL_DATA_DIR: .*taken: "):
        make_data_directory(tmp_path / "taken")
