"""One click is one call, inside the rules, and what the PBX says is what the caller reads."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from bluetel.calls import errors, services
from bluetel.calls.models import Call
from bluetel.telephony.errors import PbxUnavailable
from tests.apps.house import NOW, House


def place(house: House, number: str, *, extension: str = "1001", **options: str) -> services.Placed:
    return services.place_call(house.user(extension), number, now=NOW, **options)


def test_the_callers_own_phone_rings_first(house: House) -> None:
    placed = place(house, "1002")
    assert placed.is_new
    assert placed.call.state == Call.State.RINGING_SELF
    assert (placed.call.number, placed.call.dialed) == ("1002", "1002")
    assert placed.call.name == "Nadia Belkacem"
    assert house.is_ringing("1001")
    assert not house.has_call("1002")


@pytest.mark.parametrize(
    ("typed", "dialed"),
    [
        ("01 99 00 42 17", "0199004217"),
        ("+33 (0)1 99 00 42 17", "0199004217"),
        ("+44 20 7946 0018", "00442079460018"),
        ("1002", "1002"),
    ],
    ids=["national", "pasted", "abroad", "extension"],
)
def test_the_pbx_is_told_what_the_site_dials(house: House, typed: str, dialed: str) -> None:
    assert place(house, typed).call.dialed == dialed


def test_the_same_key_is_the_same_call(house: House) -> None:
    first = place(house, "1002", key="k")
    second = place(house, "1002", key="k")
    assert (second.call.pk, second.is_new) == (first.call.pk, False)
    assert house.commands().count("call") == 1


def test_the_same_key_answers_even_after_the_end(house: House) -> None:
    first = place(house, "1002", key="k")
    house.put_down("1001")
    house.hear()
    assert place(house, "1002", key="k").call.pk == first.call.pk
    assert not house.has_call("1001")


def test_a_key_for_another_number_is_refused(house: House) -> None:
    place(house, "1002", key="k")
    with pytest.raises(errors.KeyReused):
        place(house, "1003", key="k")


def test_another_user_may_use_the_same_key(house: House) -> None:
    first = place(house, "1003", key="k")
    assert place(house, "1003", extension="1002", key="k").call.pk != first.call.pk


def test_a_key_is_forgotten_after_a_day(house: House) -> None:
    first = place(house, "1002", key="k")
    house.put_down("1001")
    house.hear()
    later = NOW + timedelta(hours=24, seconds=1)
    again = services.place_call(house.user("1001"), "1002", now=later, key="k")
    assert again.call.pk != first.call.pk


def test_without_a_key_a_call_that_still_rings_the_own_phone_is_the_same(house: House) -> None:
    first = place(house, "1002")
    assert place(house, "1002").call.pk == first.call.pk
    assert house.commands().count("call") == 1


def test_a_key_that_was_answered_with_a_ringing_call_means_that_call_from_then_on(
    house: House,
) -> None:
    first = place(house, "1002")
    place(house, "1002", key="k")
    house.put_down("1001")
    house.hear()
    assert place(house, "1002", key="k").call.pk == first.call.pk
    assert not house.has_call("1001")


def test_a_key_means_the_call_it_was_answered_with_though_that_has_another(house: House) -> None:
    first = place(house, "1002", key="k")
    place(house, "1002", key="another")
    house.put_down("1001")
    house.hear()
    for key in ("k", "another"):
        assert place(house, "1002", key=key).call.pk == first.call.pk
    with pytest.raises(errors.KeyReused):
        place(house, "1003", key="another")
    assert not house.has_call("1001")


def test_another_key_of_a_call_is_forgotten_after_a_day_too(house: House) -> None:
    first = place(house, "1002", key="k")
    place(house, "1002", key="another")
    house.put_down("1001")
    house.hear()
    later = NOW + timedelta(hours=24, seconds=1)
    again = services.place_call(house.user("1001"), "1003", now=later, key="another")
    assert again.call.pk != first.call.pk
    repeated = services.place_call(house.user("1001"), "1003", now=later, key="another")
    assert repeated.call.pk == again.call.pk


def test_once_picked_up_the_same_number_again_is_another_call(house: House) -> None:
    first = place(house, "1002")
    house.answer("1001")
    house.hear()
    assert place(house, "1002").call.pk != first.call.pk


@pytest.mark.parametrize(
    ("number", "error"),
    [
        ("", errors.InvalidNumber),
        ("kerj@n", errors.InvalidNumber),
        ("9" * 200, errors.InvalidNumber),
        ("📞", errors.InvalidNumber),
        ("1099", errors.InvalidNumber),
        ("*98", errors.NumberRefused),
        ("1001", errors.NumberRefused),
        ("0899 70 01 23", errors.NumberRefused),
        ("3949", errors.NumberRefused),
        ("118218", errors.NumberRefused),
        ("36180", errors.NumberRefused),
        ("+1 809 555 0123", errors.NumberRefused),
        ("+881 6 1234 5678", errors.NumberRefused),
        ("+882 16 1234567", errors.NumberRefused),
    ],
    ids=[
        "empty", "letters", "200-digits", "emoji", "unknown-extension", "code", "own-number",
        "premium", "premium-short", "directory-service", "unknown-cost", "caribbean", "satellite",
        "world-wide",
    ],
)  # fmt: skip
def test_what_may_not_be_called_rings_nothing(
    house: House, number: str, error: type[errors.CallError]
) -> None:
    with pytest.raises(error) as caught:
        place(house, number)
    assert caught.value.message
    assert not house.has_call("1001")
    assert not Call.objects.exists()


@pytest.mark.parametrize("number", ["112", "15", "17", "18", "114", "115", "119", "191", "196"])
def test_emergency_numbers_go_out_even_at_the_limit(
    house: House, settings: Settings, number: str
) -> None:
    settings.CALLS_PER_MINUTE = 1
    place(house, "1002")
    house.put_down("1001")
    assert place(house, number).call.dialed == number


def test_a_call_too_many_says_how_long_to_wait(house: House, settings: Settings) -> None:
    settings.CALLS_PER_MINUTE = 2
    for number in ("1002", "1003"):
        place(house, number)
        house.put_down("1001")
        house.hear()
    with pytest.raises(errors.TooManyCalls) as caught:
        place(house, "1004")
    assert caught.value.retry_after == 60


def test_refused_attempts_do_not_count(house: House, settings: Settings) -> None:
    settings.CALLS_PER_MINUTE = 1
    for number in ("1099", "0899700123"):
        with pytest.raises(errors.CallError):
            place(house, number)
    assert place(house, "1002").is_new


def test_an_unplugged_phone_is_said_to_be_unreachable(house: House) -> None:
    with pytest.raises(errors.PhoneUnreachable):
        place(house, "1001", extension="1008")


def test_somebody_without_a_line_is_told_so(house: House) -> None:
    user = house.user("1001")
    user.pbx_user_id = ""
    with pytest.raises(errors.NoLine):
        services.place_call(user, "1002", now=NOW)


def test_a_pbx_that_is_down_rings_nothing_and_keeps_nothing(house: House) -> None:
    house.backend.fail(PbxUnavailable("connection refused"))
    with pytest.raises(errors.PbxDown):
        place(house, "1002")
    assert not Call.objects.exists()


def test_after_a_lost_answer_the_call_that_rings_is_found_not_placed_again(house: House) -> None:
    house.backend.fail(PbxUnavailable("no answer", maybe_done=True), on="place_call")
    with pytest.raises(errors.PbxDown, match="may ring yet"):
        place(house, "1002", key="k")
    house.backend.heal()
    camille = house.user("1001")
    house.do(lambda model: model.place_call(model.people[camille.pbx_user_id], "1002"))
    again = place(house, "1002", key="k")
    assert again.call.state == Call.State.RINGING_SELF
    assert house.commands().count("call") == 1


def test_after_a_lost_answer_that_came_to_nothing_the_call_is_placed(house: House) -> None:
    house.backend.fail(PbxUnavailable("no answer", maybe_done=True), on="place_call")
    with pytest.raises(errors.PbxDown):
        place(house, "1002", key="k")
    house.backend.heal()
    assert place(house, "1002", key="k").call.state == Call.State.RINGING_SELF
    assert house.commands().count("call") == 1


def test_an_event_that_overtakes_the_answer_is_the_same_call(house: House) -> None:
    call = Call.objects.create(
        user=house.user("1001"), pbx=house.pbx, number="1002", dialed="1002", created_at=NOW
    )
    camille = house.user("1001")
    leg = house.do(lambda model: model.place_call(model.people[camille.pbx_user_id], "1002"))
    house.hear()
    call.refresh_from_db()
    assert call.conversation == leg.call.id
    assert Call.objects.count() == 1


def test_the_twenty_first_call_being_placed_is_told_to_come_back(house: House) -> None:
    places = [services._place(house.pbx, emergency=False) for _ in range(20)]
    for one in places:
        one.__enter__()
    try:
        with pytest.raises(errors.PbxDown) as caught:
            place(house, "1002")
    finally:
        for one in places:
            one.__exit__(None, None, None)
    assert caught.value.retry_after == 1


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_are_one_call(house: House) -> None:
    placed: list[int] = []

    def click() -> None:
        try:
            placed.append(place(house, "1002", key="k").call.pk)
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert len(set(placed)) == 1
    assert house.commands().count("call") == 1
