from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import InterfaceError
from django.utils import timezone
from pytest_django import Settings

from bluetel.accounts.models import Pbx, User
from bluetel.calls.models import Call
from bluetel.calls.services import place_call
from bluetel.engine import engine as engine_module
from bluetel.engine import link
from bluetel.engine.outbox import write_link
from bluetel.telephony.errors import PbxUnavailable
from bluetel.telephony.simulator.legs import Leg
from bluetel.telephony.simulator.memory import MemoryBackend
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.types import Call as PbxCall
from bluetel.telephony.types import ChatState, PbxUserId
from bluetel.work import leases
from bluetel.work.models import Lease
from presence.live import publish_to_engine
from presence.messages import PageMessage
from presence.models import PbxLink, PersonState
from presence.person import EPOCH_BITS
from tests.live.stage import Stage, until
from tests.servers.base import free_port
from tests.servers.certificates import Authority


def ring(extension: str, *, caller: str = "0199004217") -> Callable[[SimulatedPbx], object]:
    return lambda model: model.call_in(caller, name="Hélène Marchetti", to=extension)


def answer(extension: str) -> Callable[[SimulatedPbx], object]:
    return lambda model: model.answer(_leg(model, extension))


def hang_up(extension: str) -> Callable[[SimulatedPbx], object]:
    return lambda model: model.put_down(_leg(model, extension))


def _leg(model: SimulatedPbx, extension: str) -> Leg:
    return model.lines[extension][1].legs[0]


async def test_the_snapshot_shows_everybody(on_air: Stage) -> None:
    assert (await on_air.record("1002"))["phone"] == "available"
    assert (await on_air.record("1008"))["phone"] == "offline"


async def test_that_the_pbx_is_lost_is_written_when_the_database_takes_it_again(
    on_air: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([InterfaceError("the connection is closed")])

    def write(*args: Any, **values: Any) -> None:
        for failure in failures:
            raise failure
        write_link(*args, **values)

    monkeypatch.setattr(link, "write_link", write)
    on_air.house.backend.lose_stream("cut")

    async def is_down() -> bool:
        return not (await PbxLink.objects.aget()).is_up

    await until(is_down, what="a link that is down")
    assert next(failures, None) is None


async def test_a_call_shows_on_its_phone_step_by_step(on_air: Stage) -> None:
    await on_air.do(ring("1002"))
    await on_air.until_phone("1002", "ringing")
    await on_air.do(answer("1002"))
    await on_air.until_phone("1002", "busy")
    await on_air.do(hang_up("1002"))
    await on_air.until_phone("1002", "available")


async def test_a_call_becomes_a_row_and_is_told_to_its_user(on_air: Stage) -> None:
    await on_air.do(ring("1002"))
    user = await on_air.user("1002")
    await until(lambda: bool(on_air.of_type("user")), what="a call message")
    message = on_air.of_type("user")[0]
    assert message["user"] == str(user.pk)
    assert message["frame"]["call"]["state"] == "ringing_self"
    call = await Call.objects.aget(user=user)
    assert call.direction == "incoming"


async def test_an_unplugged_phone_is_offline_with_do_not_disturb_too(on_air: Stage) -> None:
    def unplug(model: SimulatedPbx) -> None:
        person, line = model.lines["1002"]
        model.set_do_not_disturb(person, enabled=True)
        model.plug(line, plugged=False)

    await on_air.do(unplug)
    await on_air.until_phone("1002", "offline")


async def test_a_lost_stream_makes_everybody_unknown_and_its_return_shows_them_as_they_are(
    on_air: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bluetel.engine.link")
    on_air.house.backend.lose_stream("cut")
    await on_air.until_phone("1001", "unknown")
    await on_air.until_phone("1008", "unknown")
    await on_air.do(ring("1002"))
    on_air.house.backend.restore_stream()
    await on_air.until_phone("1002", "ringing")
    await on_air.until_phone("1008", "offline")
    said = [record.getMessage() for record in caplog.records]
    assert said == ["PBX house is not heard: cut", "PBX house is heard"]


async def test_a_stream_that_is_back_at_once_makes_nobody_unknown(
    on_air: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bluetel.engine.link.GRACE", 10.0)
    on_air.said.clear()
    on_air.house.backend.lose_stream("blip")
    on_air.house.backend.restore_stream()
    await on_air.do(ring("1002"))
    await on_air.until_phone("1002", "ringing")
    assert on_air.of_type("link") == []


async def test_a_row_that_can_not_be_used_is_told_once_and_again_when_it_is_mended(
    stage: Stage,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(engine_module, "CENSUS_EVERY", 0.01)
    settings.PBX_BACKENDS |= {"xivo": "bluetel.telephony.xivo.backend.XivoBackend"}
    authority = tmp_path / "ca.pem"
    url = f"https://127.0.0.1:{free_port()}"
    await Pbx.objects.acreate(name="other", kind="xivo", url=url, ca_file=str(authority))
    caplog.set_level(logging.INFO, "bluetel.engine.engine")

    def said() -> list[str]:
        texts = [record.getMessage() for record in caplog.records]
        return [text for text in texts if text.startswith("PBX other can")]

    await stage.start_engine()
    await stage.until_heard()
    for name in ("first", "second"):  # each is seen by another count
        await _until_counted(stage, name)
    assert said() == [
        f"PBX other can't be used: the CA file {authority} can't be read: No such file or directory"
    ]
    authority.write_bytes(Authority("Ours").certificate)
    await until(lambda: len(said()) > 1, what="the news that it can be used")
    assert said()[1:] == ["PBX other can be used again"]


async def _until_counted(stage: Stage, name: str) -> None:
    user = await User.objects.acreate(username=name)
    is_known = PersonState.objects.filter(user=user).aexists
    await until(is_known, what="a new user's state")


async def test_a_pbx_that_listens_but_answers_nothing_is_unknown_until_it_does(
    on_air: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bluetel.engine.link.RETRY_FIRST", 0.05)
    backend = on_air.house.backend
    backend.fail(PbxUnavailable("chatd is not initialized"), on="presences")
    backend.lose_stream("restart")
    backend.restore_stream()
    await on_air.until_phone("1001", "unknown")
    backend.heal()
    await on_air.until_phone("1001", "available")


async def test_calls_that_ended_while_nobody_listened_are_ended(on_air: Stage) -> None:
    user = await on_air.user("1002")
    await on_air.do(ring("1002"))

    async def state() -> str | None:
        call = await Call.objects.filter(user=user).afirst()
        return call.state if call else None

    async def is_ringing() -> bool:
        return await state() == "ringing_self"

    await until(is_ringing, what="the call's row")
    on_air.house.backend.lose_stream("cut")
    await on_air.until_phone("1001", "unknown")
    await on_air.do(hang_up("1002"))
    on_air.house.backend.restore_stream()

    async def has_ended() -> bool:
        return await state() == "ended"

    await until(has_ended, what="the call's end")


async def test_a_call_placed_while_an_engine_reads_the_calls_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = stage.house.backend
    camille = await stage.user("1001")

    def calls_and_then_one_more() -> Sequence[PbxCall]:
        found = MemoryBackend.calls(backend)
        if not Call.objects.filter(user=camille).exists():
            place_call(camille, "1002", now=timezone.now())
        return found

    monkeypatch.setattr(backend, "calls", calls_and_then_one_more)
    await stage.start_engine()
    await stage.until_phone("1001", "ringing")
    call = await Call.objects.aget(user=camille)
    assert call.state == "ringing_self"


async def test_a_new_user_of_the_pbx_is_shown_without_a_restart(on_air: Stage) -> None:
    user = await on_air.user("1009")
    pbx_user_id = user.pbx_user_id
    await user.adelete()
    await on_air.do(ring("1009"))
    await User.objects.acreate(
        username="new", pbx=on_air.house.pbx, pbx_user_id=pbx_user_id, extension="1009"
    )
    await on_air.until_phone("1009", "ringing")


async def test_somebody_who_is_gone_is_told_to_the_hubs(on_air: Stage) -> None:
    user = await on_air.user("1009")
    user_id = str(user.pk)
    await user.adelete()
    await until(lambda: bool(on_air.of_type("gone")), what="a gone message")
    assert on_air.of_type("gone")[0]["users"] == [user_id]


async def test_a_changed_pbx_is_listened_to_anew(on_air: Stage) -> None:
    pbx = await Pbx.objects.aget(name="house")
    pbx.username = "other"
    await pbx.asave()

    async def is_told_again() -> bool:
        return len([link for link in on_air.of_type("link") if link["is_up"]]) >= 2

    await until(is_told_again, what="a second link")
    await on_air.do(ring("1002"))
    await on_air.until_phone("1002", "ringing")


async def test_a_pbx_that_was_removed_takes_its_peoples_phones_with_it(on_air: Stage) -> None:
    await sync_to_async(on_air.house.pbx.delete)()
    user = await User.objects.aget(extension="1001")

    async def is_offline() -> bool:
        row = await PersonState.objects.aget(user=user)
        return row.phone == "offline"

    await until(is_offline, what="a phone gone")


async def test_a_page_makes_its_user_be_there(on_air: Stage) -> None:
    user = await on_air.user("1001")
    await asyncio.to_thread(
        on_air.house.backend.set_chat,
        PbxUserId(user.pbx_user_id),
        ChatState.AWAY,
        message="At lunch",
    )
    for is_open, shown in ((True, ("away", "At lunch")), (False, ("offline", ""))):
        await publish_to_engine(
            PageMessage(type="page", process="p", user=str(user.pk), is_open=is_open)
        )

        async def is_so(expected: tuple[str, str] = shown) -> bool:
            record = await on_air.record("1001")
            return (record["im"], record["message"]) == expected

        await until(is_so, what=f"chat state {shown}")


# --- One engine, whoever it is --------------------------------------------------------------------


async def test_two_engines_say_everything_once(on_air: Stage) -> None:
    await on_air.start_engine()
    await on_air.do(ring("1002"))
    await on_air.until_phone("1002", "ringing")
    await on_air.do(answer("1002"))
    await on_air.until_phone("1002", "busy")
    revisions = Counter(
        person["revision"] for message in on_air.of_type("presence") for person in message["people"]
    )
    assert set(revisions.values()) == {1}
    calls = Counter(
        (message["frame"]["call"]["id"], message["frame"]["call"]["state"])
        for message in on_air.of_type("user")
    )
    assert set(calls.values()) == {1}


async def test_an_engine_that_stops_is_followed_at_once_and_nobody_turns_unknown(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bluetel.engine.link")
    monkeypatch.setattr(engine_module, "STAND_BY", 0.05)
    first = await stage.start_engine()
    await stage.until_heard()
    await stage.start_engine()
    before = await Lease.objects.aget(name="engine")
    stage.said.clear()
    await stage.stop_engine(first)

    async def is_followed() -> bool:
        lease = await Lease.objects.aget(name="engine")
        return lease.epoch > before.epoch

    await until(is_followed, what="a successor")
    await stage.do(ring("1002"))
    await stage.until_phone("1002", "ringing")
    assert all(message["is_up"] for message in stage.of_type("link"))
    revisions = [message["revision"] for message in stage.of_type("link")]
    assert min(revisions) >> EPOCH_BITS > before.epoch

    def have_both_said_so() -> bool:
        said = [record.getMessage() for record in caplog.records]
        return said.count("PBX house is heard") == 2

    await until(have_both_said_so, what="a word of the successor that the PBX is heard")


async def test_an_engine_whose_lease_was_taken_says_nothing_more(
    on_air: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEW_EVERY", timedelta(seconds=0.1))
    far = timezone.now() + timedelta(hours=1)
    await Lease.objects.aupdate(owner="another", epoch=10_000, renewed_at=far, until=far)
    on_air.said.clear()
    await on_air.do(ring("1002"))
    user = await on_air.user("1002")
    # What it may still say before it knows is refused by the rows.
    await until(lambda: not _is_on_duty(), what="the end of the reign", within=20)
    row = await PersonState.objects.aget(user=user)
    assert row.phone == "available"


def _is_on_duty() -> bool:
    return any(task.get_name() == "lease" and not task.done() for task in asyncio.all_tasks())


async def test_after_a_long_absence_nobody_is_shown_as_he_was(stage: Stage) -> None:
    first = await stage.start_engine()
    await stage.until_heard()
    await stage.stop_engine(first)
    long_ago = timezone.now() - timedelta(hours=1)
    await Lease.objects.aupdate(renewed_at=long_ago, until=long_ago)
    stage.house.backend.lose_stream("the PBX is off too")
    await stage.start_engine()

    async def is_down() -> bool:
        link = await PbxLink.objects.aget()
        return not link.is_up

    await until(is_down, what="a link that is down")
    assert (await stage.record("1001"))["phone"] == "unknown"
