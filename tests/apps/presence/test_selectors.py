from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from bluetel.accounts.models import Pbx, User
from bluetel.work import leases
from bluetel.work.models import Lease
from presence import selectors, states
from presence.models import PbxLink, PersonState
from presence.person import EPOCH_BITS

pytestmark = pytest.mark.django_db

SINCE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class Office:
    """A PBX with people whose phones are free, an engine on duty."""

    def __init__(self) -> None:
        self.pbx = Pbx.objects.create(name="office", kind="wazo", url="https://pbx.test")
        self.held = leases.take(leases.ENGINE, owner="engine", now=timezone.now())
        assert self.held is not None
        self.revision = self.held.epoch << EPOCH_BITS
        self.set_link(is_up=True)

    def add(self, first: str, last: str, *, phone: str = "available", **about: Any) -> User:
        about = {"pbx": self.pbx, "pbx_user_id": f"{first} {last}"} | about
        user = User.objects.create(
            username=f"{first}.{last}".lower(), first_name=first, last_name=last, **about
        )
        self.revision += 1
        PersonState.objects.create(
            user=user,
            phone=phone,
            im="available",
            message="Here",
            phone_since=SINCE,
            im_since=SINCE - timedelta(hours=1),
            revision=self.revision,
        )
        return user

    def set_link(self, *, is_up: bool) -> None:
        self.revision += 1
        PbxLink.objects.update_or_create(
            pbx=self.pbx, defaults={"is_up": is_up, "since": SINCE, "revision": self.revision}
        )


@pytest.fixture
def office() -> Office:
    return Office()


def phones(viewer: User, **watch: Any) -> dict[str, str]:
    found = selectors.people(viewer, **watch)["people"]
    return {person["name"]: person["phone"] for person in found}


def test_everybody_is_listed_by_name_with_the_newest_revision(office: Office) -> None:
    bo = office.add("Bo", "Berg", phone="busy")
    office.add("Ada", "Alm")
    answer = selectors.people(bo)
    assert [person["name"] for person in answer["people"]] == ["Ada Alm", "Bo Berg"]
    assert answer["revision"] == office.revision
    assert answer["people"][1] == {
        "user_id": str(bo.pk),
        "name": "Bo Berg",
        "phone": "busy",
        "im": "available",
        "message": "Here",
        "since": "2026-11-24T09:00:00Z",
        "phone_since": "2026-11-24T09:00:00Z",
        "im_since": "2026-11-24T08:00:00Z",
    }


def test_a_letter_of_another_alphabet_stands_where_it_is_looked_for(office: Office) -> None:
    for name in ("Tom", "Łucja", "Émile", "Kim"):
        office.add(name, "Berg")
    found = selectors.people(office.add("Zoe", "Berg"))["people"]
    assert [person["name"].split()[0] for person in found] == [
        *("Émile", "Kim", "Łucja", "Tom", "Zoe")
    ]


def test_some_people_can_be_asked_for_and_nonsense_is_nobody(office: Office) -> None:
    ada, bo = office.add("Ada", "Alm"), office.add("Bo", "Berg")
    wanted = [str(bo.pk), "0", "-1", "x", "٣", "9" * 30]
    assert phones(ada, watch=wanted) == {"Bo Berg": "available"}


def test_disabled_people_are_nobody(office: Office) -> None:
    ada = office.add("Ada", "Alm")
    gone = office.add("Bo", "Berg", is_active=False)
    assert phones(ada) == {"Ada Alm": "available"}
    assert selectors.records_for(ada, [gone.pk]) == {}


def test_the_team_is_the_first_fifty_colleagues_by_name_without_oneself(office: Office) -> None:
    me = office.add("Anna", "Aa")
    User.objects.create(username="admin")
    for number in range(60):
        office.add("Bo", f"No{number:02}")
    team = list(phones(me, watch="team"))
    assert len(team) == 50
    assert (team[0], team[-1]) == ("Bo No00", "Bo No49")


def test_while_the_pbx_is_down_its_people_are_unknown_since_then(office: Office) -> None:
    ada = office.add("Ada", "Alm")
    User.objects.create(username="admin")
    office.set_link(is_up=False)
    assert phones(ada) == {"Ada Alm": "unknown", "admin": "offline"}
    mine = selectors.my_record(ada)
    assert (mine["im"], mine["message"], mine["since"]) == ("unknown", "", "2026-11-24T09:00:00Z")
    assert selectors.pbx_down_since(ada) == SINCE


def test_without_an_engine_people_are_unknown_since_it_was_last_heard(office: Office) -> None:
    ada = office.add("Ada", "Alm")
    assert selectors.pbx_down_since(ada) is None
    renewed_at = timezone.now() - leases.TTL - timedelta(seconds=1)
    Lease.objects.update(renewed_at=renewed_at, until=renewed_at + leases.TTL)
    assert phones(ada) == {"Ada Alm": "unknown"}
    assert selectors.pbx_down_since(ada) == renewed_at


def test_without_an_engine_a_chat_status_read_over_xmpp_is_unknown_too(office: Office) -> None:
    on_pbx = office.add("Ada", "Alm")
    without = office.add("Bo", "Berg", pbx=None)
    PersonState.objects.filter(user__in=[on_pbx, without]).update(keeper="xmpp")
    office.set_link(is_up=False)
    both = on_pbx.pk, without.pk
    seen = selectors.records_for(on_pbx, both).values()
    assert [(one["phone"], one["im"]) for one in seen] == [
        ("unknown", "available"),
        ("available", "available"),
    ]
    renewed_at = timezone.now() - leases.TTL - timedelta(seconds=1)
    Lease.objects.update(renewed_at=renewed_at, until=renewed_at + leases.TTL)
    assert {one["im"] for one in selectors.records_for(on_pbx, both).values()} == {"unknown"}


def test_an_engine_that_let_go_a_moment_ago_still_counts(office: Office) -> None:
    ada = office.add("Ada", "Alm")
    assert office.held is not None
    leases.release(office.held, now=timezone.now())
    assert phones(ada) == {"Ada Alm": "available"}


def test_what_an_earlier_engine_said_of_the_link_does_not_count(office: Office) -> None:
    ada = office.add("Ada", "Alm")
    assert office.held is not None
    leases.release(office.held, now=timezone.now())
    assert leases.take(leases.ENGINE, owner="next", now=timezone.now()) is not None
    assert phones(ada) == {"Ada Alm": "unknown"}


def test_before_there_ever_was_an_engine_everybody_is_unknown() -> None:
    pbx = Pbx.objects.create(name="new", kind="wazo", url="https://pbx.test")
    ada = User.objects.create(username="ada", pbx=pbx, pbx_user_id="ada")
    mine = selectors.my_record(ada)
    assert (mine["phone"], mine["since"]) == ("unknown", None)
    assert selectors.pbx_down_since(ada) is not None


def test_who_has_no_pbx_has_no_phone_and_misses_none(office: Office) -> None:
    admin = User.objects.create(username="admin")
    assert selectors.my_record(admin)["phone"] == "offline"
    assert selectors.pbx_down_since(admin) is None


def test_only_what_was_written_since_is_read_again(office: Office) -> None:
    office.add("Ada", "Alm")
    _, cursor = states.everybody()
    bo = office.add("Bo", "Berg")
    found, newest = states.changed_since(cursor)
    assert [one["person"]["user_id"] for one in found] == [str(bo.pk)]
    assert states.changed_since(newest) == ([], newest)


def test_reading_everybody_takes_as_many_queries_for_one_as_for_a_hundred(
    office: Office, django_assert_num_queries: Any
) -> None:
    ada = office.add("Ada", "Alm")
    with django_assert_num_queries(5):
        selectors.people(ada)
    for number in range(100):
        office.add("Bo", f"No{number:02}")
    with django_assert_num_queries(5):
        selectors.people(ada)
