"""``/api/v1/privacy`` and ``/api/v1/favourites`` as outsiders use them."""

from __future__ import annotations

from typing import Any

import pytest

from bluetel.accounts.models import User
from presence.models import Favourite, Group, PersonState
from presence.team import make_group, set_group_people
from tests.apps.api.test_statuses_api import Program, code
from tests.apps.house import NOW, House

EVERYONE = {"audience": "everyone", "people": [], "groups": []}


@pytest.fixture
def camille(house: House) -> Program:
    return Program(house.token("1001"))


@pytest.fixture
def nadia(house: House) -> Program:
    return Program(house.token("1002"))


def id_of(house: House, extension: str) -> str:
    return str(house.user(extension).pk)


def seen(viewer: Program, user_id: str) -> dict[str, Any]:
    people = viewer.get("presence").json()["people"]
    found: dict[str, Any] = next(one for one in people if one["user_id"] == user_id)
    return found


def test_at_first_everyone_may_see_everything(camille: Program) -> None:
    assert camille.get("privacy").json() == {"phone": EVERYONE, "im": EVERYONE}


def test_an_audience_is_put_and_read(house: House, camille: Program) -> None:
    body = {"audience": "people", "people": [id_of(house, "1002")], "groups": []}
    answer = camille.put("privacy", {"phone": EVERYONE, "im": body})
    assert answer.status_code == 200
    assert answer.json() == {"phone": EVERYONE, "im": body} == camille.get("privacy").json()


def test_what_is_left_out_stays(camille: Program) -> None:
    camille.put("privacy", {"phone": {"audience": "nobody"}})
    found = camille.put("privacy", {"im": {"audience": "nobody"}}).json()
    assert [found[axis]["audience"] for axis in ("phone", "im")] == ["nobody", "nobody"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"im": {"audience": "friends"}}, id="no audience"),
        pytest.param({"im": {"audience": "people", "people": ["999999"]}}, id="a stranger"),
        pytest.param({"im": {"audience": "people", "people": ["x"]}}, id="no id"),
        pytest.param({"im": {"audience": "groups", "groups": ["1"]}}, id="no group of mine"),
    ],
)
def test_what_is_refused(house: House, camille: Program, body: object) -> None:
    Group.objects.create(pk=1, owner=house.user("1002"), name="Hers")
    assert code(camille.put("privacy", body)) == (400, "invalid_request")


def test_what_is_hidden_reads_offline_without_message_or_times(
    house: House, camille: Program, nadia: Program
) -> None:
    me = house.user("1001")
    PersonState.objects.create(
        user=me,
        phone="busy",
        im="busy",
        message="Writing",
        phone_since=NOW,
        im_since=NOW,
        revision=7,
    )
    camille.put("privacy", {"phone": {"audience": "nobody"}, "im": {"audience": "nobody"}})
    record = seen(nadia, str(me.pk))
    assert (record["phone"], record["im"], record["message"]) == ("offline", "offline", "")
    assert record["since"] is record["phone_since"] is record["im_since"] is None


def test_the_people_of_my_groups_may_see_me(house: House, camille: Program) -> None:
    me, nadia = house.user("1001"), house.user("1002")
    oskar = Program(house.token("1003"))
    friends, others = make_group(me, "Friends"), make_group(me, "Others")
    set_group_people(friends, [str(nadia.pk)], now=NOW)
    set_group_people(others, [id_of(house, "1003")], now=NOW)
    PersonState.objects.create(user=me, phone="busy", im="busy", keeper="bluetel", revision=7)

    def chat_for(viewer: Program) -> str:
        return str(seen(viewer, str(me.pk))["im"])

    camille.put("privacy", {"im": {"audience": "groups", "groups": [str(friends.pk)]}})
    assert (chat_for(Program(house.token("1002"))), chat_for(oskar)) == ("busy", "offline")
    camille.put("privacy", {"im": {"audience": "groups"}})
    assert chat_for(oskar) == "busy"
    set_group_people(others, [], now=NOW)
    assert chat_for(oskar) == "offline"


def test_favourites_are_kept_in_their_order(house: House, camille: Program) -> None:
    assert camille.get("favourites").json() == {"people": []}
    people = [id_of(house, "1003"), id_of(house, "1002")]
    answer = camille.put("favourites", {"people": people})
    assert (answer.status_code, answer.json()) == (200, {"people": people})
    assert camille.get("favourites").json() == {"people": people}
    assert camille.put("favourites", {"people": []}).json() == {"people": []}


def test_a_stranger_is_no_favourite(house: House, camille: Program) -> None:
    people = [id_of(house, "1002")]
    camille.put("favourites", {"people": people})
    assert code(camille.put("favourites", {"people": ["999999"]})) == (400, "invalid_request")
    assert camille.get("favourites").json() == {"people": people}


def test_a_star_is_added_last_and_taken_away(house: House, camille: Program) -> None:
    nadia, tom = id_of(house, "1002"), id_of(house, "1003")
    for person in (tom, nadia, tom):
        assert camille.put(f"favourites/{person}", {}).status_code == 200
    assert camille.get("favourites").json() == {"people": [tom, nadia]}
    assert camille.delete(f"favourites/{tom}").status_code == 204
    assert camille.get("favourites").json() == {"people": [nadia]}
    assert camille.put(f"favourites/{tom}", {}).json() == {"people": [nadia, tom]}
    assert code(camille.put("favourites/999999", {})) == (400, "invalid_request")


def test_the_star_of_somebody_who_has_left_can_be_taken_away(
    house: House, camille: Program
) -> None:
    nadia = house.user("1002")
    camille.put(f"favourites/{nadia.pk}", {})
    User.objects.filter(pk=nadia.pk).update(is_active=False)
    assert camille.delete(f"favourites/{nadia.pk}").status_code == 204
    assert not Favourite.objects.exists()
