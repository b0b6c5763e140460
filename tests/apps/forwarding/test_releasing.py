from __future__ import annotations

from datetime import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from bluetel.accounts.models import User
from bluetel.telephony.types import Forwards, PbxUserId
from bluetel.work import leases
from forwarding import doing, releasing
from forwarding.models import Line
from tests.apps.forwarding.day import Day
from tests.apps.house import House


@pytest.fixture
def diverted(house: House) -> Day:
    """Somebody in a meeting that leads to voicemail, and the engine has just been stopped."""
    now = timezone.now()
    day = Day(house, now=now)
    day.rules(calendar={"route": "voicemail"})
    day.dial("1042")
    day.add_now("A")
    assert day.on_pbx == f"on {day.voicemail}"
    day.kill_engine()
    return day


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("release_forwards", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("arguments", [["--all"], []], ids=["all", "nothing-named"])
def test_everybodys_own_forward_comes_back_without_an_engine(
    diverted: Day, arguments: list[str]
) -> None:
    assert "everybody: 1 looked at, 1 have their own" in run(*arguments)
    assert diverted.on_pbx == "on 1042"
    assert leases.take(leases.ENGINE, owner="next", now=timezone.now()) is not None


def test_one_users_forward_comes_back(diverted: Day) -> None:
    run(diverted.user.username)
    assert diverted.on_pbx == "on 1042"


def test_the_meeting_in_progress_stays_suppressed_over_a_restart(diverted: Day) -> None:
    run("--all")
    diverted.now = timezone.now()
    diverted.start_engine()
    assert diverted.on_pbx == "on 1042"


def test_a_forward_dialled_while_nobody_listened_stays(diverted: Day) -> None:
    diverted.dial("1003")
    run("--all")
    assert diverted.on_pbx == "on 1003"


def test_the_lease_is_kept_however_many_are_read_and_however_slowly(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    read = house.backend.forwards

    held = leases.take(leases.ENGINE, owner="command", now=now)
    assert held is not None
    mine: leases.Held = held

    def read_slowly(user: PbxUserId) -> Forwards:
        nonlocal now
        now += leases.TTL / 2
        return read(user)

    def look() -> datetime:
        leases.renew(mine, now=now)
        return now

    monkeypatch.setattr(house.backend, "forwards", read_slowly)
    monkeypatch.setattr(doing, "USERS_AT_ONCE", 5)
    users = list(User.objects.exclude(pbx_user_id="").values_list("pk", flat=True))
    assert doing.settle(mine, users, clock=look) == []
    assert Line.objects.filter(read_at__isnull=False).count() == len(users) > 5


def test_somebody_unknown_is_named(house: House) -> None:
    with pytest.raises(CommandError, match="nobody"):
        run("nobody")


def test_beside_an_engine_that_does_nothing_the_command_says_who_is_left(
    diverted: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releasing, "WITHIN", 0.0)
    assert leases.take(leases.ENGINE, owner="busy", now=timezone.now()) is not None
    with pytest.raises(CommandError, match="did not take 1"):
        run("--all")
    assert diverted.on_pbx == f"on {diverted.voicemail}"
