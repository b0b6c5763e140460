"""The administrator's commands."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from bluetel.accounts.models import ApiToken, Pbx, User
from bluetel.telephony.errors import AuthenticationFailed, PbxUnavailable
from tests.apps.house import House, remove_everybody


def run(*arguments: str, **options: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def connect(
    monkeypatch: pytest.MonkeyPatch,
    url: str = "https://pbx.example.test",
    name: str = "office",
    username: str = "u",
    *more: str,
) -> str:
    monkeypatch.setenv("PBX_PASSWORD", "s3cret")
    return run(
        "connect_pbx", name, "--kind", "wazo", "--url", url, "--username", username,
        "--password-env", "PBX_PASSWORD", *more,
    )  # fmt: skip


@pytest.mark.django_db
def test_a_pbx_is_added_and_then_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "added" in connect(monkeypatch, "https://pbx.example.test/")
    assert "changed" in connect(monkeypatch, "https://other.example.test")
    pbx = Pbx.objects.get()
    assert (pbx.url, pbx.password) == ("https://other.example.test", "s3cret")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://pbx.example.test", id="plain-http"),
        pytest.param("pbx.example.test", id="no-scheme"),
        pytest.param("https://pbx.example.test/api", id="with-a-path"),
        pytest.param("ftp://x", id="another-scheme"),
        pytest.param("https://[::1", id="half-a-bracket"),
        pytest.param("https://pbx.example.test:abc", id="a-port-that-is-no-number"),
        pytest.param("https://pbx.example.test:99999", id="a-port-there-is-not"),
        pytest.param("https://pbx.example.test:0", id="port-0"),
        pytest.param("https://the office", id="a-space"),
        pytest.param("https://-", id="no-host-name"),
        pytest.param("https://u@pbx.example.test", id="with-a-login"),
        pytest.param("https://" + "pbx." * 130 + "test", id="too-long"),
        pytest.param("", id="empty"),
    ],
)
def test_an_address_that_may_not_be_used_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with pytest.raises(CommandError, match=r"^--url") as caught:
        connect(monkeypatch, url)
    assert "\n" not in str(caught.value)
    assert not Pbx.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "username", "blamed"),
    [
        pytest.param("the office", "u", "NAME", id="a-name-with-a-space"),
        pytest.param("n" * 65, "u", "NAME", id="a-long-name"),
        pytest.param("", "u", "NAME", id="no-name"),
        pytest.param("office", "", "--username", id="no-username"),
        pytest.param("office", " ", "--username", id="a-blank-username"),
        pytest.param("office", "u" * 257, "--username", id="a-long-username"),
    ],
)
def test_a_name_that_can_not_be_used_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, username: str, blamed: str
) -> None:
    with pytest.raises(CommandError, match=f"^{blamed}: ") as caught:
        connect(monkeypatch, name=name, username=username)
    assert "\n" not in str(caught.value)
    assert not Pbx.objects.exists()


@pytest.mark.django_db
def test_a_refused_change_leaves_the_row_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch)
    before = Pbx.objects.values().get()
    with pytest.raises(CommandError):
        connect(monkeypatch, "https://other.example.test", "office", "u", "--ca-file", __file__)
    assert Pbx.objects.values().get() == before


@pytest.mark.django_db
def test_plain_http_is_fine_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "added" in connect(monkeypatch, "http://127.0.0.1:9500")


@pytest.mark.django_db
def test_a_password_that_is_not_in_the_environment_is_said() -> None:
    with pytest.raises(CommandError, match="NOT_SET"):
        run("connect_pbx", "x", "--kind", "wazo", "--url", "https://x.test", "--username", "u",
            "--password-env", "NOT_SET")  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--tenant", "head office"),
        ("--ca-file", "/nowhere/ca.pem"),
        ("--ca-file", __file__),
        ("--ca-file", "."),
    ],
)
def test_an_option_that_cannot_be_meant_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, option: str, value: str
) -> None:
    monkeypatch.setenv("PBX_PASSWORD", "s3cret")
    with pytest.raises(CommandError, match=option):
        run("connect_pbx", "x", "--kind", "wazo", "--url", "https://x.test", "--username", "u",
            "--password-env", "PBX_PASSWORD", option, value)  # fmt: skip
    assert not Pbx.objects.exists()


def test_check_pbx_lists_what_works(house: House) -> None:
    text = run("check_pbx", "house")
    assert "capabilities: answer, directory, dtmf" in text
    assert "all rights are there" in text


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        (PbxUnavailable("refused"), "Check the address"),
        (AuthenticationFailed("wrong password"), "Check the account"),
    ],
)
def test_check_pbx_says_what_to_do(house: House, failure: Exception, advice: str) -> None:
    house.backend.fail(failure)  # type: ignore[arg-type]
    with pytest.raises(CommandError, match=advice):
        run("check_pbx", "house")


@pytest.mark.django_db
def test_check_pbx_says_that_the_ca_file_is_the_fault() -> None:
    Pbx.objects.create(name="office", kind="wazo", url="https://x.test", ca_file="/nowhere/ca.pem")
    with pytest.raises(CommandError, match=r"/nowhere/ca\.pem can't be read: .*connect_pbx"):
        run("check_pbx", "office")


def test_an_unknown_pbx_is_answered_with_the_names_there_are(house: House) -> None:
    with pytest.raises(CommandError, match="there is: house"):
        run("check_pbx", "hose")


def test_sync_users_creates_once_and_unlinks_who_is_gone(house: House) -> None:
    User.objects.all().delete()
    assert "9 created, 0 updated" in run("sync_users", "house")
    house.do(lambda model: model.remove_person(model.lines["1003"][0]))
    assert "0 created, 8 updated, 1 without a phone now" in run("sync_users", "house")
    oskar = User.objects.get(last_name="Lindqvist")
    assert (oskar.pbx_user_id, oskar.extension) == ("", "")


def test_a_sync_that_breaks_off_unlinks_nobody(house: House) -> None:
    house.backend.fail(PbxUnavailable("gone"))
    with pytest.raises(CommandError):
        run("sync_users", "house")
    assert User.objects.exclude(extension="").count() == 9


def test_a_list_of_nobody_is_refused(house: House) -> None:
    house.do(remove_everybody)
    with pytest.raises(CommandError, match=r"house: .* is empty, so nothing was changed"):
        run("sync_users", "house")
    assert User.objects.exclude(extension="").count() == 9


def test_the_token_stands_alone_on_the_last_line(house: House) -> None:
    token = run("create_api_token", "camille.renard@demo.test").splitlines()[-1]
    assert ApiToken.objects.get().digest == ApiToken.digest_of(token)
    assert token not in str(ApiToken.objects.values())


@pytest.mark.parametrize("field", ["username", "email", "pbx_user_id"])
def test_a_user_is_named_by_username_e_mail_or_pbx_id(house: House, field: str) -> None:
    assert run("create_api_token", getattr(house.user("1001"), field))


@pytest.mark.parametrize("name", ["nobody", ""])
def test_a_token_for_nobody_is_refused(house: House, name: str) -> None:
    User.objects.create_user("without", email="")
    with pytest.raises(CommandError, match="no user"):
        run("create_api_token", name)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"), [("url", "https://pbx.example.test:abc"), ("ca_file", "/nowhere/ca.pem")]
)
def test_the_administrators_page_refuses_the_same(
    admin_client: Client, field: str, value: str
) -> None:
    pbx = Pbx.objects.create(name="office", kind="wazo", url="https://pbx.example.test")
    kept = ("name", "kind", "url", "extension_pattern", "international_prefix", "voicemail_prefix")
    sent = {name: getattr(pbx, name) for name in kept}
    sent |= {"calls_per_second": pbx.calls_per_second, "options": "{}", field: value}
    answer = admin_client.post(f"/admin/accounts/pbx/{pbx.pk}/change/", sent)
    assert list(answer.context["adminform"].form.errors) == [field]


@pytest.fixture
def other_key(monkeypatch: pytest.MonkeyPatch, settings: Settings, db: None) -> None:
    """A PBX whose secrets were sealed with a key that nobody has any more."""
    connect(monkeypatch)
    settings.SECRET_KEY = "another"


def test_a_changed_secret_key_is_said_with_what_to_do(other_key: None) -> None:
    with pytest.raises(CommandError, match=r"BLUETEL_SECRET_KEY_FALLBACKS.* connect_pbx$"):
        run("check_pbx", "office")


def test_an_engine_does_not_start_with_another_secret_key(
    other_key: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    monkeypatch.setattr(asyncio, "run", lambda main: main.close())
    monkeypatch.setattr(os, "_exit", sys.exit)
    with pytest.raises(CommandError, match="BLUETEL_SECRET_KEY_FALLBACKS"):
        run("run_engine")


def test_a_pbx_may_be_given_again_under_another_secret_key(
    other_key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "changed" in connect(monkeypatch)
    assert Pbx.objects.get().password == "s3cret"


@pytest.mark.parametrize("command", ["run_engine", "run_web"])
def test_what_only_works_beside_others_asks_for_redis(command: str, settings: Settings) -> None:
    settings.REDIS_URL = ""
    with pytest.raises(CommandError, match="set it, or run `serve`, which has both"):
        run(command)


def test_serve_says_that_the_host_is_not_of_this_machine() -> None:
    with pytest.raises(CommandError, match="set BLUETEL_HOST to an address of this machine"):
        run("serve", "--host", "203.0.113.7")


def test_serve_says_that_the_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(CommandError, match="set BLUETEL_PORT to another port"):
            run("serve", "--host", "127.0.0.1", "--port", port)


def test_demo_accounts_exist_in_the_demo_only(house: House) -> None:
    with pytest.raises(CommandError, match="BLUETEL_DEMO"):
        run("seed_demo")
