"""Call when free: asked for on a busy phone, offered when it is free, never dialled by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from bluetel.accounts.models import Pbx, User
from bluetel.calls.services import place_call
from bluetel.work import leases
from presence import wishes
from presence.audiences import choose_audience
from presence.models import CallWish, PbxLink, PersonState
from presence.person import EPOCH_BITS
from presence.refusals import Refused
from tests.apps.api.test_statuses_api import Program, code
from tests.apps.house import NOW, House

pytestmark = pytest.mark.django_db


class Office:
    """Camille, who waits for Nadia; an engine that hears the PBX is on duty."""

    def __init__(self, house: House) -> None:
        held = leases.take(leases.ENGINE, owner="engine", now=timezone.now())
        assert held is not None
        self._revision = held.epoch << EPOCH_BITS
        PbxLink.objects.create(pbx=house.pbx, is_up=True, since=NOW, revision=self._revision + 1)
        self.camille, self.nadia = house.user("1001"), house.user("1002")
        self.nadia_id = str(self.nadia.pk)
        self.phone("busy")
        self.browser = Client()
        self.browser.force_login(self.camille, backend="bluetel.accounts.backends.AccountBackend")

    def phone(self, state: str, user: User | None = None) -> None:
        PersonState.objects.update_or_create(
            user=user or self.nadia,
            defaults={"phone": state, "im": "available", "revision": self._revision + 2},
        )

    def offers(self) -> list[str]:
        """Who is offered to Camille now."""
        found = wishes.wishes_of(self.camille, now=timezone.now())
        return [wish["name"] for wish in found if wish["is_free"]]


@pytest.fixture
def office(house: House) -> Office:
    return Office(house)


@pytest.fixture
def camille(house: House, office: Office) -> Program:
    return Program(house.token("1001"))


@pytest.mark.parametrize("state", ["busy", "ringing"])
def test_who_is_taken_is_offered_once_he_is_free(office: Office, state: str) -> None:
    office.phone(state)
    wishes.make(office.camille, office.nadia_id, now=timezone.now())
    assert office.offers() == []
    office.phone("available")
    assert office.offers() == [office.nadia.display_name]
    office.phone("busy")
    assert office.offers() == []


@pytest.mark.parametrize("state", ["available", "offline", "unknown"])
def test_a_phone_that_is_not_busy_can_not_be_waited_for(office: Office, state: str) -> None:
    office.phone(state)
    with pytest.raises(Refused) as refusal:
        wishes.make(office.camille, office.nadia_id, now=timezone.now())
    assert refusal.value.code == "not_busy"


def test_who_hides_his_phone_never_tells(office: Office) -> None:
    wishes.make(office.camille, office.nadia_id, now=timezone.now())
    choose_audience(office.nadia, "phone", "nobody", now=timezone.now())
    office.phone("available")
    assert office.offers() == []
    wishes.drop(office.camille, office.nadia_id, now=timezone.now())
    office.phone("busy")
    with pytest.raises(Refused) as refusal:
        wishes.make(office.camille, office.nadia_id, now=timezone.now())
    assert refusal.value.code == "not_busy"


def test_a_wish_lapses_and_leaves_no_row_behind(office: Office) -> None:
    then = timezone.now() - wishes.LIFETIME
    wishes.make(office.camille, office.nadia_id, now=then + timedelta(seconds=-1))
    office.phone("available")
    assert office.offers() == []
    office.phone("busy", office.camille)
    wishes.make(office.nadia, str(office.camille.pk), now=timezone.now())
    assert [wish.owner for wish in CallWish.objects.all()] == [office.nadia]


def test_the_same_extension_of_another_pbx_is_somebody_else(office: Office) -> None:
    wishes.make(office.camille, office.nadia_id, now=timezone.now())
    pbx = Pbx.objects.create(name="other", kind="wazo", url="http://127.0.0.1:1")
    User.objects.filter(pk=office.nadia.pk).update(pbx=pbx)
    wishes.fulfil(office.camille.pk, "1002", now=timezone.now())
    assert CallWish.objects.exists()
    with pytest.raises(Refused) as refusal:
        wishes.make(office.camille, office.nadia_id, now=timezone.now())
    assert refusal.value.code == "not_found"


def test_who_has_moved_to_another_pbx_is_offered_no_more(office: Office) -> None:
    wishes.make(office.camille, office.nadia_id, now=timezone.now())
    pbx = Pbx.objects.create(name="other", kind="wazo", url="http://127.0.0.1:1")
    User.objects.filter(pk=office.nadia.pk).update(pbx=pbx)
    office.phone("available")
    assert wishes.wishes_of(office.camille, now=timezone.now()) == []


def test_asking_again_waits_anew(office: Office) -> None:
    now = timezone.now()
    wishes.make(office.camille, office.nadia_id, now=now)
    wishes.make(office.camille, office.nadia_id, now=now + timedelta(hours=1))
    wish = CallWish.objects.get()
    assert (wish.asked_at, wish.expires_at) == (now, now + timedelta(hours=1) + wishes.LIFETIME)


def test_calling_somebody_fulfils_the_wish(house: House, office: Office) -> None:
    now = timezone.now()
    wishes.make(office.camille, office.nadia_id, now=now)
    place_call(office.camille, "1003", now=now)
    assert CallWish.objects.exists()
    house.put_down("1001")
    place_call(office.camille, "1002", now=now)
    assert not CallWish.objects.exists()


def test_the_owners_pages_are_told_whole(
    office: Office,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks() as told:
        wishes.make(office.camille, office.nadia_id, now=timezone.now())
        wishes.drop(office.camille, office.nadia_id, now=timezone.now())
        wishes.drop(office.camille, office.nadia_id, now=timezone.now())
    assert len(told) == 2


def test_nobody_waits_for_himself_or_for_nobody(office: Office) -> None:
    for person in (str(office.camille.pk), "999999", "x", ""):
        with pytest.raises(Refused) as refusal:
            wishes.make(office.camille, person, now=timezone.now())
        assert refusal.value.code == "not_found"


# --- The API ------------------------------------------------------------------------------------


def test_a_wish_is_made_read_and_taken_back(office: Office, camille: Program) -> None:
    answer = camille.post("call-wishes", {"user_id": office.nadia_id})
    assert answer.status_code == 201
    (wish,) = camille.get("call-wishes").json()["wishes"]
    assert [wish] == answer.json()["wishes"]
    assert (wish["user_id"], wish["number"], wish["is_free"]) == (office.nadia_id, "1002", False)
    assert camille.delete(f"call-wishes/{office.nadia_id}").status_code == 204
    assert camille.get("call-wishes").json() == {"wishes": []}
    assert camille.delete(f"call-wishes/{office.nadia_id}").status_code == 204


def test_a_free_phone_is_a_conflict(office: Office, camille: Program) -> None:
    office.phone("available")
    answer = camille.post("call-wishes", {"user_id": office.nadia_id})
    assert code(answer) == (409, "not_busy")


# --- The pages, without scripts -------------------------------------------------------------------


def test_the_plain_form_waits_and_the_page_offers(office: Office) -> None:
    address = f"/presence/call-wishes/{office.nadia_id}/"
    answer = office.browser.post(address, {"wish": "yes", "next": "/legend/"})
    assert (answer.status_code, answer["Location"]) == (302, "/legend/")
    waiting = office.browser.get("/legend/").content.decode()
    assert 'class="wish"' in waiting
    office.phone("available")
    offered = office.browser.get("/legend/").content.decode()
    assert 'class="wish wish--free"' in offered
    office.browser.post(address, {"wish": "no", "next": "/legend/"})
    assert not CallWish.objects.exists()


def test_a_refused_wish_says_why(office: Office) -> None:
    office.phone("available")
    page = office.browser.post(
        f"/presence/call-wishes/{office.nadia_id}/", {"wish": "yes"}, follow=True
    )
    assert "is not busy now" in page.content.decode()
