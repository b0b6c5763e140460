"""The administrator's commands for a PBX without a list of users."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from bluetel.accounts.models import Pbx, User
from bluetel.accounts.pbx import backend_for
from bluetel.accounts.people_sources import PeopleFileError, people_in_csv
from tests.apps.house import remove_everybody
from tests.apps.xivo.conftest import XivoSite


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def connect(monkeypatch: pytest.MonkeyPatch, *more: str) -> str:
    monkeypatch.setenv("PBX_PASSWORD", "s3cret")
    monkeypatch.setenv("PBX_KEY", "k3y")
    return run(
        "connect_pbx", "office", "--kind", "xivo", "--url", "https://xuc.example.test",
        "--username", "u", "--password-env", "PBX_PASSWORD", *more,
    )  # fmt: skip


@pytest.mark.django_db
def test_a_xivo_is_connected_with_its_key_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    text = connect(monkeypatch, "--api-key-env", "PBX_KEY", "--option", "unique_ids=false")
    pbx = Pbx.objects.get()

    assert (pbx.api_key, pbx.options) == ("k3y", {"unique_ids": "false"})
    assert f"/pbx/office/xivo/events/{pbx.push_secret}/" in text
    assert len(pbx.push_secret) >= 32


@pytest.mark.django_db
def test_the_push_address_stays_when_the_row_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch)
    secret = Pbx.objects.get().push_secret
    connect(monkeypatch, "--option", "presence=push")

    assert Pbx.objects.get().push_secret == secret


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["colour=red", "presence=smoke", "presence"])
def test_an_option_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    with pytest.raises(CommandError):
        connect(monkeypatch, "--option", option)
    assert not Pbx.objects.exists()


def test_check_pbx_says_where_users_come_from(site: XivoSite) -> None:
    site.give_login("1001")
    text = run("check_pbx", "site")

    assert "signed in as bluetel" in text
    assert "users: this PBX has no list of them; sync_users site takes --csv FILE" in text
    assert "own logins: 1 work, 0 refused, of 9 users" in text


def test_check_pbx_names_confd_where_there_is_one(site: XivoSite) -> None:
    Pbx.objects.update(options={"confd_url": site.xuc.url})

    assert "users: sync_users takes them from confd" in run("check_pbx", "site")


def test_users_come_from_a_file(site: XivoSite, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("login;number;name;e-mail\ndemo1;1001;Camille Renard;c@demo.test\n")
    text = run("sync_users", "site", "--csv", str(file))

    assert "0 created, 1 updated, 8 without a phone now" in text
    assert User.objects.get(pbx_user_id="demo1").email == "c@demo.test"


def test_users_come_from_confd(site: XivoSite) -> None:
    User.objects.all().delete()
    Pbx.objects.update(options={"confd_url": site.xuc.url})
    text = run("sync_users", "site")

    assert "9 created" in text
    assert site.user("1005").pbx_user_id == "demo5"


@pytest.mark.parametrize(
    "text",
    ["login,number,name,email\n", "login,name\ndemo1,Camille Renard\n"],
    ids=["nobody", "no-numbers"],
)
def test_a_file_that_would_take_everybodys_phone_is_refused(
    site: XivoSite, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(text)
    with pytest.raises(CommandError, match=r"nobody in it has a number.*nothing was changed"):
        run("sync_users", "site", "--csv", str(file))
    assert User.objects.exclude(extension="").count() == 9


def test_an_empty_answer_of_confd_is_refused(site: XivoSite) -> None:
    Pbx.objects.update(options={"confd_url": site.xuc.url})
    site.xuc.do(remove_everybody)
    with pytest.raises(CommandError, match="is empty, so nothing was changed"):
        run("sync_users", "site")
    assert User.objects.exclude(extension="").count() == 9


def test_without_a_source_the_ways_are_named(site: XivoSite) -> None:
    with pytest.raises(CommandError, match=r"--csv FILE.*--ldap.*confd_url"):
        run("sync_users", "site")


def test_a_file_that_is_not_there_is_said(site: XivoSite, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be read"):
        run("sync_users", "site", "--csv", str(tmp_path / "none.csv"))


# --- Files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "login,number,name,email\nines,1005,Inès Morvan,i@x.test\n",
        "ines,1005,Inès Morvan,i@x.test\n",
        "\ufeffE-mail;Nom;Poste;Identifiant\r\ni@x.test;Inès Morvan;1005;ines\r\n",
        "login\tnumber\tname\temail\nines\t1005\tInès Morvan\ti@x.test\n\n",
    ],
    ids=["header", "no-header", "french-and-bom", "tabs"],
)
def test_a_file_is_read_in_any_of_its_writings(text: str) -> None:
    (person,) = people_in_csv(text.encode())

    assert (person.id, person.login, person.extension) == ("ines", "ines", "1005")
    assert (person.first_name, person.last_name, person.email) == ("Inès", "Morvan", "i@x.test")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\xff\xfe", "UTF-8"),
        (b"login,number\n,1005\n", "login is missing"),
        (b"login,number\nines,ten\n", "number of ines"),
        ("login,number\nines,²\n".encode(), "number of ines"),
        (b"login,number\nines," + b"1" * 41 + b"\n", "number of ines"),
        (b"login,number\n" + b"i" * 129 + b",1\n", "the login is not one"),
        (b"login,number\nin\0es,1\n", "the login is not one|not CSV"),
        (b"login,number,email\nines,1,nonsense\n", "e-mail of ines"),
        (b'login,number\n"' + b"i" * 200_000 + b'",1\n', "not CSV"),
        (b"login,number\nines,1\nines,2\n", "twice"),
        (b"login,number\n", "nobody in it has a number"),
    ],
    ids=[
        *("empty", "encoding", "no-login", "no-number", "a-digit-of-no-key", "long-number"),
        *("long-login", "nul", "no-e-mail", "long-field", "twice", "header-alone"),
    ],
)
def test_a_file_that_can_not_be_meant_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(PeopleFileError, match=why):
        people_in_csv(data)


def test_the_account_book_is_what_the_backend_knows(site: XivoSite) -> None:
    backend = backend_for(site.pbx)

    assert {person.id for person in backend.users()} == {f"demo{n}" for n in range(1, 10)}
