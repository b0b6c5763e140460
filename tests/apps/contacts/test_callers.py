"""Who is behind a number, as each user knows him."""

from __future__ import annotations

import pytest

from bluetel.accounts.models import User
from bluetel.calls import services as calls
from bluetel.calls.callers import Caller
from contacts import services
from contacts.callers import caller_of, callers_of
from contacts.drafts import Draft
from contacts.models import Contact
from tests.apps.house import NOW, House

pytestmark = pytest.mark.django_db


def add(user: User, name: str, *numbers: str, company: str = "", label: str = "work") -> Contact:
    draft = Draft(name=name, company=company, numbers=[(label, number) for number in numbers])
    return services.create(user, draft, now=NOW)


@pytest.mark.parametrize(
    "sent",
    [
        "01 99 00 42 17",
        "0199004217",
        "+33199004217",
        "0033199004217",
        "33199004217",
        "199004217",
        "+33 (0)1 99 00 42 17",
    ],
)
def test_a_number_is_known_however_the_exchange_writes_it(camille: User, sent: str) -> None:
    helene = add(camille, "Hélène Marchetti", "01 99 00 42 17")
    assert caller_of(camille, sent) == Caller("Hélène Marchetti", str(helene.pk))


@pytest.mark.parametrize("sent", ["", "anonymous", "4217", "0199004218", "\0", "+", "*97"])
def test_other_numbers_are_nobodys(camille: User, sent: str) -> None:
    add(camille, "Hélène Marchetti", "01 99 00 42 17")
    assert caller_of(camille, sent) is None


def test_a_fax_calls_nobody_by_name(camille: User) -> None:
    add(camille, "Hélène Marchetti", "01 99 00 42 17", label="fax")
    assert caller_of(camille, "0199004217") is None


def test_what_a_neighbour_has_noted_names_nobody(camille: User, nadia: User) -> None:
    add(nadia, "My secret friend", "01 99 00 42 17")
    assert caller_of(camille, "0199004217") is None


def test_a_shared_number_has_the_companys_name_and_nobodys_card(camille: User) -> None:
    add(camille, "Hélène Marchetti", "01 99 00 42 17", company="Ateliers Brossard")
    add(camille, "Lucien Verdier", "01 99 00 42 17", company="Ateliers Brossard")
    assert caller_of(camille, "0199004217") == Caller("Ateliers Brossard", "")


def test_many_numbers_are_named_at_once(camille: User) -> None:
    for place in range(5):
        add(camille, f"Person {place}", f"01 99 00 42 0{place}")
    numbers = [f"+3319900420{place}" for place in range(6)]
    found = callers_of(camille, numbers)
    assert [found[number].name for number in numbers[:5]] == [f"Person {n}" for n in range(5)]
    assert numbers[5] not in found


def test_a_call_in_and_a_call_out_have_the_contacts_name(house: House) -> None:
    camille = house.user("1001")
    helene = add(camille, "Hélène Marchetti", "+33 1 99 00 42 17")
    placed = calls.place_call(camille, "01 99 00 42 17", now=NOW).call
    assert (placed.name, placed.contact_id) == ("Hélène Marchetti", str(helene.pk))
    house.put_down("1001")
    house.hear()
    house.do(lambda model: model.call_in("0199004217", name="", to="1001"))
    incoming = dict(house.hear())[camille.pk]
    assert (incoming["name"], incoming["contact_id"]) == ("Hélène Marchetti", str(helene.pk))
