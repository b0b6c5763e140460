"""The administrator's commands."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from bluetel.accounts.models import ApiToken, Pbx, User
from bluetel.telephony.errors import AuthenticationFailed, PbxUnavailable
from tests.apps.house import House, remove_everybody


def run(*arguments: str, **options: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def connect(monkeypatch: pytest.MonkeyPatch, url: str, name: str = "office") -> str:
    monkeypatch.setenv("PBX_PASSWORD", "s3cret")
    return run(
        "connect_pbx", name, "--kind", "wazo", "--url", url, "--username", "u",
        "--password-env", "PBX_PASSWORD",
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
    ["http://pbx.example.test", "pbx.example.test", "https://pbx.example.test/api", "ftp://x"],
    ids=["plain-http", "no-scheme", "with-a-path", "another-scheme"],
)
def test_an_address_that_may_not_be_used_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with pytest.raises(CommandError):
        connect(monkeypatch, url)
    assert not Pbx.objects.exists()


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
    ("option", "value"), [("--tenant", "head office"), ("--ca-file", "/nowhere/ca.pem")]
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


def test_a_token_for_nobody_is_refused(house: House) -> None:
    with pytest.raises(CommandError):
        run("create_api_token", "nobody")


def test_demo_accounts_exist_in_the_demo_only(house: House) -> None:
    with pytest.raises(CommandError, match="BLUETEL_DEMO"):
        run("seed_demo")
