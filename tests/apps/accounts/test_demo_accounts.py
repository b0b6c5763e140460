"""The demo's accounts: how they are made, and that their known password opens nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import resolve
from pytest_django import Settings

from bluetel.accounts.demo_accounts import tell_of_closed
from bluetel.accounts.models import Pbx, User
from bluetel.accounts.pbx import close_backends
from bluetel.demo import DEMO_PBX
from bluetel.management.commands import simulate_pbx
from bluetel.telephony.simulator.loopback import Loopback
from bluetel.telephony.simulator.scenario import build
from bluetel.telephony.simulator.wazo_server.serve import LoopbackWazo
from presence.sessions import visitors
from tests.apps.house import House, remove_everybody
from tests.servers.base import free_port

SIGN_IN = {"username": "demo1", "password": "demo"}


@pytest.fixture(autouse=True)
def addresses() -> None:
    """Read once for all tests, so before one of these is a demo, which has some more."""
    resolve("/")


@pytest.fixture
def demo(db: None, settings: Settings) -> Iterator[House]:
    """The demo, made by its own command."""
    settings.PBX_BACKENDS = {"wazo": "tests.apps.house.open_backend"}
    settings.DEMO = "wazo"
    demo = House("demo")
    call_command("seed_demo", verbosity=0)
    yield demo
    close_backends()


@pytest.fixture
def signed_in(client: Client, demo: House) -> Client:
    """A browser that signed in while it was the demo."""
    assert client.post("/accounts/login/", SIGN_IN).status_code == 302
    return client


def test_the_demo_lets_them_in(signed_in: Client) -> None:
    assert signed_in.get("/").status_code == 200
    assert visitors([signed_in.cookies["bluetel"].value])


def test_their_password_opens_nothing_else(demo: House, settings: Settings) -> None:
    settings.DEMO = ""
    for name in ("demo1", demo.user("1001").email):
        answer = Client().post("/accounts/login/", {**SIGN_IN, "username": name})
        assert answer.status_code == 200
        assert "_auth_user_id" not in answer.wsgi_request.session


def test_their_sessions_end(signed_in: Client, settings: Settings) -> None:
    settings.DEMO = ""
    assert signed_in.get("/")["Location"].startswith("/accounts/login/")
    assert signed_in.get("/api/v1/me").status_code == 401
    assert not visitors([signed_in.cookies["bluetel"].value])


def test_their_tokens_open_nothing_else(demo: House, settings: Settings) -> None:
    sent = {"Authorization": f"Bearer {demo.token('1001')}"}
    assert Client().get("/api/v1/me", headers=sent).status_code == 200
    settings.DEMO = ""
    assert Client().get("/api/v1/me", headers=sent).status_code == 401


def test_people_of_earlier_demos_are_known_for_what_they_are(demo: House) -> None:
    users = User.objects.all()
    users.update(is_demo=False)
    nadia = demo.user("1002")
    nadia.email = "nadia@example.org"
    nadia.save()
    update = import_module("bluetel.accounts.migrations.0003_demo_accounts").MARK_KNOWN
    with connection.cursor() as cursor:
        cursor.execute(update)
    assert set(users.filter(is_demo=False)) == {nadia}


def test_others_are_let_in_beside_them(demo: House, settings: Settings) -> None:
    settings.DEMO = ""
    User.objects.create_superuser("admin", password="of his own")
    sent = {"username": "admin", "password": "of his own"}
    assert Client().post("/accounts/login/", sent).status_code == 302


def test_the_log_says_that_they_are_closed(
    demo: House, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    tell_of_closed()
    assert not caplog.records
    settings.DEMO = ""
    tell_of_closed()
    assert "9 accounts here were made by the demo" in caplog.text


# --- Made beside a running demo -----------------------------------------------------------------

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def simulated(
    transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Loopback]:
    """A simulated Wazo on a port of its own, and nothing on the usual one."""
    settings.DEMO = "wazo"
    monkeypatch.setattr(simulate_pbx, "PORT", free_port())
    with LoopbackWazo(build(now=NOW), stands_still=True) as wazo:
        yield wazo
        close_backends()


def test_without_an_address_the_pbx_is_where_it_was(simulated: Loopback) -> None:
    call_command("seed_demo", pbx_url=simulated.url)
    call_command("seed_demo")
    assert Pbx.objects.get(name=DEMO_PBX).url == simulated.url


def test_without_an_address_the_usual_one_is_taken_once_the_old_one_is_dead(
    simulated: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    Pbx.objects.create(name=DEMO_PBX, kind="wazo", url=dead)
    monkeypatch.setattr(simulate_pbx, "PORT", int(simulated.url.rpartition(":")[2]))
    call_command("seed_demo")
    assert Pbx.objects.get(name=DEMO_PBX).url == simulated.url


@pytest.mark.parametrize("demo_kind", ["wazo", "xivo"])
def test_a_pbx_that_does_not_answer_changes_nothing(
    simulated: Loopback, settings: Settings, demo_kind: str
) -> None:
    call_command("seed_demo", pbx_url=simulated.url)
    before = list(User.objects.order_by("pk").values())
    settings.DEMO = demo_kind
    with pytest.raises(CommandError, match=r"simulate_pbx.*--pbx-url"):
        call_command("seed_demo", pbx_url=f"http://127.0.0.1:{free_port()}")
    row = Pbx.objects.get(name=DEMO_PBX)
    assert (row.url, row.kind) == (simulated.url, "wazo")
    assert list(User.objects.order_by("pk").values()) == before


def test_a_pbx_without_users_changes_nothing(demo: House) -> None:
    demo.do(remove_everybody)
    with pytest.raises(CommandError, match="has no users"):
        call_command("seed_demo")
    assert User.objects.exclude(extension="").count() == 9
