"""``/settings/privacy/`` and ``/settings/team/`` as plain forms."""

from __future__ import annotations

import pytest
from django.test import Client
from pydantic import SecretStr
from pytest_django import Settings

from presence import selectors
from presence.models import Group, XmppAccount
from tests.apps.house import House

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(house: House) -> Client:
    browser = Client()
    browser.force_login(house.user("1001"), backend="bluetel.accounts.backends.AccountBackend")
    return browser


def id_of(house: House, extension: str) -> str:
    return str(house.user(extension).pk)


def test_an_audience_is_chosen_and_shown_again(house: House, browser: Client) -> None:
    browser.post(
        "/settings/privacy/",
        {"phone-audience": "nobody", "im-audience": "people", "im-add": "Nadia Belkacem"},
    )
    chosen = selectors.audience_of(house.user("1001"))
    assert chosen["phone"]["audience"] == "nobody"
    assert chosen["im"]["people"] == [id_of(house, "1002")]
    html = browser.get("/settings/privacy/").content.decode()
    assert 'id="phone-nobody" value="nobody" checked' in html
    assert "Nadia Belkacem" in html


def test_who_is_unticked_is_taken_out(house: House, browser: Client) -> None:
    people = [id_of(house, "1002"), id_of(house, "1003")]
    form = {"phone-audience": "everyone", "im-audience": "people"}
    browser.post("/settings/privacy/", form | {"im-person": people})
    browser.post("/settings/privacy/", form | {"im-person": people[1]})
    assert selectors.audience_of(house.user("1001"))["im"]["people"] == people[1:]


@pytest.mark.parametrize("text", ["Nobody Here", "9999"])
def test_nobody_is_taken_for_somebody_else(house: House, browser: Client, text: str) -> None:
    form = {"phone-audience": "everyone", "im-audience": "people", "im-add": text}
    answer = browser.post("/settings/privacy/", form, follow=True)
    assert "banner--error" in answer.content.decode()
    assert selectors.audience_of(house.user("1001"))["im"]["people"] == []


def test_the_home_page_shows_favourites_first(house: House, browser: Client) -> None:
    browser.post("/settings/team/", {"add": "1005"})
    browser.post("/settings/team/", {"person": id_of(house, "1005"), "add": "1003"})
    assert selectors.favourite_ids(house.user("1001")) == [
        id_of(house, "1005"),
        id_of(house, "1003"),
    ]
    html = browser.get("/").content.decode()
    assert html.index('aria-label="Favourite: Inès') < html.index('aria-label="Favourite: Oskar')
    assert 'aria-label="Favourite: Nadia' not in html
    assert html.count('aria-pressed="true"') == 2


def test_a_favourite_is_put_first(house: House, browser: Client) -> None:
    people = [id_of(house, "1002"), id_of(house, "1003")]
    browser.post("/settings/team/", {"person": people, "first": people[1]})
    assert selectors.favourite_ids(house.user("1001")) == people[::-1]


def test_groups_are_made_filled_moved_and_dissolved(house: House, browser: Client) -> None:
    for name in ("Sales", "Support"):
        browser.post("/settings/team/", {"group": name})
    sales, support = Group.objects.order_by("name")
    browser.post(f"/settings/team/{sales.pk}/", {"name": "Sellers", "add": "1004"})
    browser.post(f"/settings/team/{support.pk}/", {"action": "up"})
    groups = selectors.groups_of(house.user("1001"))
    assert [(group.name, people) for group, people in groups] == [
        ("Support", []),
        ("Sellers", [id_of(house, "1004")]),
    ]
    browser.post(f"/settings/team/{support.pk}/", {"action": "delete"})
    assert [group.name for group in Group.objects.all()] == ["Sellers"]


def test_the_groups_of_others_are_not_there(house: House, browser: Client) -> None:
    group = Group.objects.create(owner=house.user("1002"), name="Hers")
    answer = browser.post(f"/settings/team/{group.pk}/", {"action": "delete"})
    assert answer.status_code == 404
    assert Group.objects.filter(pk=group.pk).exists()


def test_the_chat_page_is_there_with_a_chat_server_only(
    house: House, browser: Client, settings: Settings
) -> None:
    assert browser.get("/settings/chat/").status_code == 404
    url = SecretStr("xmpp://reader%40bluetel.test:x@127.0.0.1:5222")
    settings.ENV = settings.ENV.model_copy(update={"xmpp_url": url})
    assert "is only read" in browser.get("/settings/chat/").content.decode()
    browser.post("/settings/chat/", {"jid": "camille@elsewhere.test"})
    assert not XmppAccount.objects.exists()
    browser.post("/settings/chat/", {"jid": "camille@bluetel.test", "password": "secret"})
    account = XmppAccount.objects.get(user=house.user("1001"))
    assert (account.jid, account.password) == ("camille@bluetel.test", "secret")
    html = browser.get("/settings/chat/").content.decode()
    assert "is published there" in html
    assert "secret" not in html
    browser.post("/settings/chat/", {"jid": "camille@bluetel.test", "forget": "yes"})
    account.refresh_from_db()
    assert account.password == ""
