"""``/settings/books/``: accounts at address-book servers, with a real one behind it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from bluetel.accounts.models import User
from bluetel.fetch.site import site_door
from bluetel.work.models import Job
from contacts import services
from contacts.drafts import Draft
from contacts.models import CardDavAccount, Contact, RemoteBook
from contacts.remote_clashes import count_clashes
from contacts.remote_rounds import compare
from contacts.schedule import enqueue_due
from tests.apps.contacts.conftest import a_user
from tests.servers import ServerOf
from tests.servers.radicale import Radicale, password_of

PAGE = "/settings/books/"


@pytest.fixture(scope="module")
def radicale(server: ServerOf) -> Radicale:
    found = server("radicale")
    assert isinstance(found, Radicale)
    return found


class Page:
    """The page as its user's browser has it, without JavaScript."""

    def __init__(self, user: User, radicale: Radicale) -> None:
        self.user, self.radicale = user, radicale
        self.client = Client()
        self.client.force_login(user)
        self.url = radicale.collection("nadia", name="Rowing club")

    def add(self, **changes: str) -> Any:
        body = {"url": self.url, "username": "nadia", "password": password_of("nadia"), **changes}
        return self.client.post(PAGE, body)

    def post(self, path: str, **body: object) -> None:
        assert self.client.post(f"{PAGE}{path}", body).status_code == 302

    def sync(self) -> None:
        """What the job runner does with the jobs that were asked for."""
        now = timezone.now() + timedelta(minutes=20)
        for pk in RemoteBook.objects.values_list("pk", flat=True):
            compare(pk, now=now, door=site_door())

    @property
    def text(self) -> str:
        return text_of(self.client.get(PAGE))

    def put(self, uid: str, name: str) -> None:
        lines = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", f"FN:{name}", f"N:{name};;;;"]
        text = "\r\n".join([*lines, "END:VCARD", ""])
        self.radicale.put("nadia", f"{self.url}{uid}.vcf", text)


def text_of(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


@pytest.fixture
def page(radicale: Radicale, settings: Settings, db: None) -> Page:
    settings.FETCH_ALLOW = ("127.0.0.0/8",)
    return Page(a_user(None, "1001", "Camille Renard"), radicale)


def test_who_is_not_signed_in_is_sent_to_sign_in(db: None) -> None:
    assert Client().get(PAGE).status_code == 302


def test_an_account_with_one_book_is_kept_at_once(page: Page) -> None:
    page.put("a", "Ann")
    assert page.add().status_code == 302
    assert Job.objects.filter(key__startswith="contacts-book:").count() == 1
    assert "Synchronising…" in page.text
    page.sync()
    assert "1 contact, synchronised" in page.text


def test_of_several_books_the_ticked_are_kept(page: Page, radicale: Radicale) -> None:
    other = radicale.collection("nadia", name="Choir")
    page.add(url=radicale.url)
    assert not RemoteBook.objects.exists()
    account = CardDavAccount.objects.get()
    page.post(f"{account.pk}/keep/", book=[other])
    assert list(RemoteBook.objects.values_list("url", flat=True)) == [other]


def test_a_wrong_password_is_told_in_words(page: Page) -> None:
    answer = page.add(password="wrong")
    assert answer.status_code == 400
    assert "The server doesn't take this user name and password." in text_of(answer)
    assert not CardDavAccount.objects.exists()


def test_a_private_address_is_refused_in_words(page: Page, settings: Settings) -> None:
    settings.FETCH_ALLOW = ()
    assert "inside a private network" in text_of(page.add())


def test_the_password_is_never_shown(page: Page) -> None:
    page.add()
    assert password_of("nadia") not in page.client.get(PAGE).content.decode()


def test_a_server_that_refuses_later_is_told_at_the_book(page: Page) -> None:
    page.add()
    CardDavAccount.objects.update(password="wrong")
    page.sync()
    assert "The server doesn't take this user name and password." in page.text


def test_a_new_password_is_tried_before_it_is_taken(page: Page) -> None:
    page.add()
    account = CardDavAccount.objects.get()
    page.post(f"{account.pk}/password/", password="wrong")
    account.refresh_from_db()
    assert account.password == password_of("nadia")
    page.post(f"{account.pk}/password/", password=password_of("nadia"))
    assert "Password changed." in page.text


def test_both_versions_are_shown_and_one_is_chosen(page: Page) -> None:
    page.put("a", "Ann")
    page.add()
    page.sync()
    page.put("a", "Ann There")
    contact = Contact.objects.get(name="Ann")
    services.update(page.user, str(contact.pk), Draft(name="Ann Here"), now=timezone.now())
    page.sync()
    assert "1 contact was changed on both sides" in page.text
    assert "Ann Here Ann There" in page.text
    row = RemoteBook.objects.get().cards.get()
    page.post(f"conflicts/{row.pk}/", choice="theirs")
    assert count_clashes(page.user) == 0
    assert Contact.objects.get(pk=contact.pk).name == "Ann There"


def test_synchronise_now_asks_for_a_round(page: Page) -> None:
    page.add()
    page.sync()
    Job.objects.all().delete()
    page.post(f"book/{RemoteBook.objects.get().pk}/sync/")
    assert Job.objects.count() == 1
    assert "Synchronising…" in page.text


def test_removing_the_account_leaves_the_server_alone(page: Page) -> None:
    page.put("a", "Ann")
    page.add()
    page.sync()
    page.post(f"{CardDavAccount.objects.get().pk}/remove/")
    assert not Contact.objects.filter(name="Ann").exists()
    assert len(page.radicale.members("nadia", page.url)) == 1
    assert "Your contacts are still on the server." in page.text


def test_somebody_elses_account_is_not_there(page: Page) -> None:
    page.add()
    account, book = CardDavAccount.objects.get(), RemoteBook.objects.get()
    other = Client()
    other.force_login(a_user(None, "1002", "Nadia Belkacem"))
    for path in (f"{account.pk}/remove/", f"{account.pk}/keep/", f"book/{book.pk}/sync/"):
        assert other.post(f"{PAGE}{path}").status_code == 404
    assert page.url not in other.get(PAGE).content.decode()


def test_the_schedule_asks_for_what_is_due_once(page: Page) -> None:
    page.add()
    Job.objects.all().delete()
    now = timezone.now()
    enqueue_due(now=now)
    enqueue_due(now=now)
    assert Job.objects.count() == 1


def test_the_card_shows_both_versions_and_takes_the_choice_too(page: Page) -> None:
    page.put("a", "Ann")
    page.add()
    page.sync()
    page.put("a", "Ann There")
    contact = Contact.objects.get(name="Ann")
    services.update(page.user, str(contact.pk), Draft(name="Ann Here"), now=timezone.now())
    page.sync()
    card = f"/contacts/{contact.pk}/"
    shown = text_of(page.client.get(card))
    assert "Changed on both sides" in shown
    assert "Ann Here Ann There" in shown
    row = RemoteBook.objects.get().cards.get()
    form = {"choice": "mine", "card": str(contact.pk)}
    answer = page.client.post(f"{PAGE}conflicts/{row.pk}/", form, follow=True)
    assert answer.redirect_chain[-1][0] == card
    assert "Changed on both sides" not in text_of(answer)
    assert Contact.objects.get(pk=contact.pk).name == "Ann Here"
