from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bluetel.accounts.models import User
from forwarding import handlers
from forwarding.services import block_end
from presence import blocks, services
from presence.models import Claim
from presence.refusals import StatusRefused
from presence.signals import claims_changed

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 10, 20, tzinfo=UTC)
ELEVEN = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
Told = Callable[[Callable[[], object]], list[int]]


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


@pytest.fixture
def told(django_capture_on_commit_callbacks: Any) -> Iterator[Told]:
    """Of whom ``claims_changed`` speaks while something is done."""
    heard: list[int] = []

    def hear(sender: object, user_id: int, **kwargs: Any) -> None:
        heard.append(user_id)

    def during(action: Callable[[], object]) -> list[int]:
        heard.clear()
        with django_capture_on_commit_callbacks(execute=True):
            action()
        return list(heard)

    claims_changed.connect(hear)
    yield during
    claims_changed.disconnect(hear)


class Meeting:
    """Everybody is in it until ``end``."""

    end: datetime | None = ELEVEN


@pytest.fixture
def meeting() -> Iterator[Meeting]:
    meeting = Meeting()
    blocks.register(lambda user_id, now: meeting.end)
    yield meeting
    blocks.register(block_end)


@pytest.fixture(autouse=True)
def statuses_alone() -> Iterator[None]:
    """No calendar takes back the meetings that these tests claim by themselves."""
    claims_changed.disconnect(handlers.look_at_status)
    yield
    claims_changed.connect(handlers.look_at_status)


def put_meeting(user: User, *, ends: datetime = ELEVEN) -> Claim:
    return services.put_claim(
        user.pk, axis="im", source="calendar", value="busy", ends=ends, ref="block", now=NOW
    )


def by_hand(user: User) -> Claim | None:
    return Claim.objects.filter(user=user, axis="im", source="manual").first()


def test_a_new_claim_starts_now_and_is_told_of(ada: User, told: Told) -> None:
    assert told(lambda: put_meeting(ada)) == [ada.pk]
    claim = Claim.objects.get()
    assert (claim.starts, claim.ends, claim.created_at) == (NOW, ELEVEN, NOW)


def test_the_same_claim_again_is_no_news(ada: User, told: Told) -> None:
    put_meeting(ada)
    assert told(lambda: put_meeting(ada)) == []
    assert Claim.objects.count() == 1


def test_a_changed_end_is_news_and_the_start_stays(ada: User, told: Told) -> None:
    put_meeting(ada)
    noon = ELEVEN + timedelta(hours=1)
    assert told(lambda: put_meeting(ada, ends=noon)) == [ada.pk]
    claim = Claim.objects.get()
    assert (claim.starts, claim.ends) == (NOW, noon)


def test_claims_on_calls_tell_nobody_of_a_status(ada: User, told: Told) -> None:
    def put_route() -> None:
        services.put_claim(ada.pk, axis="route", source="calendar", value="voicemail", now=NOW)

    assert told(put_route) == []
    assert told(lambda: services.delete_claims(ada.pk, axis="route")) == []


def test_claims_end_by_source_and_ref(ada: User, told: Told) -> None:
    put_meeting(ada)
    services.set_idle(ada.pk, idle=True, now=NOW)

    def keep_block() -> None:
        services.delete_claims(ada.pk, axis="im", source="calendar", keep_ref="block")

    assert told(keep_block) == []
    assert told(lambda: services.delete_claims(ada.pk, axis="im", ref="block")) == [ada.pk]
    assert [claim.source for claim in Claim.objects.all()] == ["idle"]


def test_a_status_chosen_by_hand_replaces_the_one_before(ada: User, told: Told) -> None:
    services.choose_status(ada.pk, "busy", message=" Writing\nthe report ", now=NOW)
    assert told(lambda: services.choose_status(ada.pk, "away", until=ELEVEN, now=NOW)) == [ada.pk]
    claim = Claim.objects.get()
    assert (claim.value, claim.message, claim.ends) == ("away", "", ELEVEN)


def test_a_message_is_kept_on_one_line(ada: User) -> None:
    claim = services.choose_status(ada.pk, "busy", message=" Writing\nthe \u202ereport ", now=NOW)
    assert claim.message == "Writing the report"


@pytest.mark.parametrize(
    ("im", "choice", "code"),
    [
        pytest.param("dnd", {}, "invalid_request", id="a word that is none"),
        pytest.param("unknown", {}, "invalid_request", id="nobody chooses unknown"),
        pytest.param("busy", {"message": "x" * 251}, "invalid_request", id="too long a message"),
        pytest.param("busy", {"until": NOW}, "invalid_request", id="a time that is past"),
        pytest.param("busy", {"until": "end_of_meeting"}, "no_meeting", id="outside a meeting"),
    ],
)
def test_what_cannot_be_chosen(ada: User, im: str, choice: dict[str, Any], code: str) -> None:
    services.choose_status(ada.pk, "away", now=NOW)
    with pytest.raises(StatusRefused) as refusal:
        services.choose_status(ada.pk, im, now=NOW, **choice)
    assert refusal.value.code == code
    claim = by_hand(ada)
    assert claim is not None
    assert claim.value == "away"


def test_a_message_may_have_250_characters(ada: User) -> None:
    assert services.choose_status(ada.pk, "busy", message="x" * 250, now=NOW).message == "x" * 250


def test_until_the_meeting_ends_follows_the_meeting(
    ada: User, meeting: Meeting, told: Told
) -> None:
    choice = services.choose_status(ada.pk, "away", until="end_of_meeting", now=NOW)
    assert choice.ends == ELEVEN
    assert told(lambda: services.follow_meeting(ada.pk, now=NOW)) == []
    meeting.end = ELEVEN + timedelta(minutes=30)
    assert told(lambda: services.follow_meeting(ada.pk, now=NOW)) == [ada.pk]
    choice.refresh_from_db()
    assert choice.ends == meeting.end
    meeting.end = None
    assert told(lambda: services.follow_meeting(ada.pk, now=NOW)) == [ada.pk]
    assert by_hand(ada) is None


def test_a_status_with_an_end_of_its_own_does_not_follow(ada: User, meeting: Meeting) -> None:
    services.choose_status(ada.pk, "away", until=ELEVEN, now=NOW)
    meeting.end = None
    services.follow_meeting(ada.pk, now=NOW)
    assert by_hand(ada) is not None


def test_automatic_takes_back_what_was_chosen_and_nothing_else(ada: User, told: Told) -> None:
    put_meeting(ada)
    services.choose_status(ada.pk, "away", now=NOW)
    assert told(lambda: services.be_automatic(ada.pk)) == [ada.pk]
    assert told(lambda: services.be_automatic(ada.pk)) == []
    assert [claim.source for claim in Claim.objects.all()] == ["calendar"]


def test_idle_is_noted_once_and_since_the_first_time(ada: User, told: Told) -> None:
    services.set_idle(ada.pk, idle=True, now=NOW)
    assert told(lambda: services.set_idle(ada.pk, idle=True, now=ELEVEN)) == []
    assert Claim.objects.get().starts == NOW
    assert told(lambda: services.set_idle(ada.pk, idle=False, now=ELEVEN)) == [ada.pk]
    assert not Claim.objects.exists()


def test_what_is_over_is_deleted_at_its_very_end(ada: User, told: Told) -> None:
    bo = User.objects.create(username="bo")
    services.choose_status(ada.pk, "busy", until=ELEVEN, now=NOW)
    services.choose_status(bo.pk, "busy", until=ELEVEN + timedelta(seconds=1), now=NOW)
    assert told(lambda: services.delete_expired(now=ELEVEN - timedelta(microseconds=1))) == []
    assert told(lambda: services.delete_expired(now=ELEVEN)) == [ada.pk]
    assert [claim.user for claim in Claim.objects.all()] == [bo]


def claimed(user: User, source: str) -> None:
    """A claim that is over soon."""
    services.put_claim(
        user.pk, axis="im", source=source, value="busy", now=NOW, ends=NOW + timedelta(minutes=5)
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda pk: claimed(User.objects.get(pk=pk), "calendar"), id="put"),
        pytest.param(lambda pk: services.delete_claims(pk, axis="im"), id="delete"),
        pytest.param(lambda pk: services.delete_expired(now=ELEVEN), id="expire"),
        pytest.param(lambda pk: services.choose_status(pk, "busy", now=NOW), id="choose"),
        pytest.param(services.be_automatic, id="automatic"),
        pytest.param(lambda pk: services.set_idle(pk, idle=False, now=NOW), id="back"),
        pytest.param(lambda pk: services.follow_meeting(pk, now=NOW), id="follow"),
        pytest.param(
            lambda pk: services.renew_claims(
                "calendar", wanted=[], gone=list(Claim.objects.filter(user_id=pk))
            ),
            id="renew",
        ),
    ],
)
def test_a_user_s_row_is_taken_before_any_of_his_claims_is_changed(
    ada: User, change: Callable[[int], object]
) -> None:
    claimed(ada, "manual")
    with CaptureQueriesContext(connection) as queries:
        change(ada.pk)
    users, claims = User._meta.db_table, Claim._meta.db_table
    statements = [one["sql"] for one in queries]
    takes = next(i for i, sql in enumerate(statements) if f'SELECT "{users}"."id"' in sql)
    changes = [
        i
        for i, sql in enumerate(statements)
        if claims in sql and sql.startswith(("INSERT", "UPDATE", "DELETE"))
    ]
    assert all(takes < i for i in changes)
