"""Chat statuses through a running engine: claims, the PBX's own book, choices made elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from bluetel import tasks
from bluetel.engine.outbox import Outbox
from bluetel.engine.reign import Reign
from bluetel.engine.statuses import Statuses
from bluetel.engine.threads import Threads
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.types import ChatState
from bluetel.work.leases import Held
from bluetel.work.turns import turn
from forwarding import handlers
from presence import services
from presence.board import Board
from presence.models import Claim, StatusRecord
from presence.person import Member
from presence.rules import ON_PBX
from presence.signals import claims_changed
from tests.live.browser import Page, sign_in
from tests.live.stage import Stage, until

pytestmark = pytest.mark.django_db(transaction=True)

CAMILLE, NADIA, OSKAR = "1001", "1002", "1003"


@pytest.fixture(autouse=True)
def statuses_alone() -> Iterator[None]:
    """No calendar takes back the meetings that these tests claim by themselves."""
    claims_changed.disconnect(handlers.look_at_status)
    yield
    claims_changed.connect(handlers.look_at_status)


async def choose(stage: Stage, extension: str, im: str | None, **choice: Any) -> None:
    user = await stage.user(extension)
    if im is None:
        await sync_to_async(services.be_automatic)(user.pk)
    else:
        await sync_to_async(services.choose_status)(user.pk, im, now=timezone.now(), **choice)


async def put_meeting(stage: Stage, extension: str, *, starts: datetime, ends: datetime) -> None:
    user = await stage.user(extension)
    await sync_to_async(services.put_claim)(
        user.pk,
        axis="im",
        source="calendar",
        value="busy",
        starts=starts,
        ends=ends,
        ref="block",
        now=timezone.now(),
    )


async def until_im(stage: Stage, extension: str, im: str, message: str = "") -> None:
    async def is_so() -> bool:
        record = await stage.record(extension)
        return (record["im"], record["message"]) == (im, message)

    await until(is_so, what=f"status {extension} {im} {message}")


def chat(extension: str) -> Any:
    def read(pbx: SimulatedPbx) -> tuple[ChatState, str]:
        found = pbx.lines[extension][0].chat
        return found.state, found.message or ""

    return read


async def until_pbx(stage: Stage, extension: str, state: ChatState, message: str = "") -> None:
    async def is_so() -> bool:
        return bool(await stage.do(chat(extension)) == (state, message))

    await until(is_so, what=f"{state} {message} on the PBX")


async def elsewhere(stage: Stage, extension: str, state: ChatState, message: str = "") -> None:
    """Choose a status in another program, a moment later."""

    def choose_there(pbx: SimulatedPbx) -> None:
        pbx.advance(1)
        pbx.choose_chat(
            pbx.lines[extension][0], state, who="another program", message=message or None
        )

    await stage.do(choose_there)


async def by_hand(stage: Stage, extension: str) -> Claim | None:
    user = await stage.user(extension)
    return await Claim.objects.filter(user=user, axis="im", source="manual").afirst()


async def until_by_hand(stage: Stage, extension: str, value: str | None) -> None:
    async def is_so() -> bool:
        claim = await by_hand(stage, extension)
        return (claim.value if claim else None) == value

    await until(is_so, what=f"a claim by hand {value}")


async def open_page(stage: Stage, extension: str) -> Page:
    page = Page(await sign_in(await stage.user(extension)))
    assert await page.connect()
    return page


async def test_a_status_chosen_here_shows_and_stands_on_the_pbx(on_air: Stage) -> None:
    await choose(on_air, CAMILLE, "busy", message="Writing")
    await until_im(on_air, CAMILLE, "busy", "Writing")
    await until_pbx(on_air, CAMILLE, ChatState.BUSY, "Writing")
    await choose(on_air, CAMILLE, "offline", message="Not here")
    await until_im(on_air, CAMILLE, "offline")
    await until_pbx(on_air, CAMILLE, ChatState.INVISIBLE)


async def test_automatic_writes_available_without_a_message(on_air: Stage) -> None:
    page = await open_page(on_air, CAMILLE)
    await choose(on_air, CAMILLE, "away", message="Back at two")
    await until_pbx(on_air, CAMILLE, ChatState.AWAY, "Back at two")
    await choose(on_air, CAMILLE, None)
    await until_pbx(on_air, CAMILLE, ChatState.AVAILABLE)
    await until_im(on_air, CAMILLE, "available")
    await page.leave()


async def test_the_first_page_of_who_never_chose_writes_available(on_air: Stage) -> None:
    assert await on_air.do(chat(CAMILLE)) == (ChatState.NEVER_CHOSEN, "")
    page = await open_page(on_air, CAMILLE)
    await until_im(on_air, CAMILLE, "available")
    await until_pbx(on_air, CAMILLE, ChatState.AVAILABLE)
    assert await by_hand(on_air, CAMILLE) is None
    await page.leave()


async def test_who_opens_no_page_is_left_alone_on_the_pbx(on_air: Stage) -> None:
    await choose(on_air, NADIA, "busy")
    await until_pbx(on_air, NADIA, ChatState.BUSY)
    assert await on_air.do(chat(CAMILLE)) == (ChatState.NEVER_CHOSEN, "")


async def test_a_choice_made_elsewhere_is_his_own(on_air: Stage) -> None:
    page = await open_page(on_air, CAMILLE)
    await until_pbx(on_air, CAMILLE, ChatState.AVAILABLE)
    await elsewhere(on_air, CAMILLE, ChatState.AWAY, "Out")
    await until_im(on_air, CAMILLE, "away", "Out")
    await until_by_hand(on_air, CAMILLE, "away")
    claim = await by_hand(on_air, CAMILLE)
    assert claim is not None
    assert (claim.ends, claim.ref, claim.message) == (None, ON_PBX, "Out")
    await choose(on_air, CAMILLE, None)
    await until_pbx(on_air, CAMILLE, ChatState.AVAILABLE)
    await page.leave()


async def test_choosing_elsewhere_what_we_had_written_hands_back(on_air: Stage) -> None:
    page = await open_page(on_air, CAMILLE)
    await until_pbx(on_air, CAMILLE, ChatState.AVAILABLE)
    await elsewhere(on_air, CAMILLE, ChatState.AWAY)
    await until_by_hand(on_air, CAMILLE, "away")
    await elsewhere(on_air, CAMILLE, ChatState.AVAILABLE)
    await until_by_hand(on_air, CAMILLE, None)
    await until_im(on_air, CAMILLE, "available")
    await page.leave()


async def test_what_stood_on_the_pbx_before_us_is_his_own_unless_it_is_available(
    stage: Stage,
) -> None:
    await elsewhere(stage, NADIA, ChatState.AVAILABLE)
    await elsewhere(stage, OSKAR, ChatState.AWAY, "Back at two")
    await stage.start_engine()
    await until_by_hand(stage, OSKAR, "away")
    assert await by_hand(stage, NADIA) is None


async def test_phone_events_do_not_bring_an_old_status_back(on_air: Stage) -> None:
    await choose(on_air, CAMILLE, "busy")
    await until_pbx(on_air, CAMILLE, ChatState.BUSY)
    await on_air.do(lambda pbx: pbx.place_call(pbx.lines[NADIA][0], CAMILLE))
    await on_air.do(lambda pbx: pbx.answer(pbx.lines[NADIA][1].legs[0]))
    await on_air.until_phone(CAMILLE, "ringing")
    await until_im(on_air, CAMILLE, "busy")
    claim = await by_hand(on_air, CAMILLE)
    assert claim is not None
    assert (claim.value, claim.ref) == ("busy", "")


async def test_a_meeting_covers_and_returns_at_its_edges(on_air: Stage) -> None:
    await elsewhere(on_air, CAMILLE, ChatState.AVAILABLE, "Ask me")
    await until_by_hand(on_air, CAMILLE, None)
    now = timezone.now()
    starts, ends = now + timedelta(seconds=0.4), now + timedelta(seconds=1.2)
    await put_meeting(on_air, CAMILLE, starts=starts, ends=ends)
    await until_im(on_air, CAMILLE, "busy")
    seen = (await on_air.record(CAMILLE))["im_since"]
    assert seen is not None
    late = datetime.fromisoformat(seen) - starts
    assert timedelta() <= late <= timedelta(seconds=0.25)
    await until_pbx(on_air, CAMILLE, ChatState.BUSY)
    await until_pbx(on_air, CAMILLE, ChatState.AVAILABLE)
    assert timezone.now() >= ends
    assert await by_hand(on_air, CAMILLE) is None


async def test_available_chosen_elsewhere_in_a_meeting_means_not_for_this_meeting(
    on_air: Stage,
) -> None:
    page = await open_page(on_air, CAMILLE)
    now = timezone.now()
    hour = timedelta(hours=1)
    await put_meeting(on_air, CAMILLE, starts=now - hour, ends=now + hour)
    await until_pbx(on_air, CAMILLE, ChatState.BUSY)
    await until_im(on_air, CAMILLE, "busy")
    await elsewhere(on_air, CAMILLE, ChatState.AVAILABLE)
    await until_by_hand(on_air, CAMILLE, "available")
    await until_im(on_air, CAMILLE, "available")
    await put_meeting(on_air, CAMILLE, starts=now - hour, ends=now + 2 * hour)
    await choose(on_air, NADIA, "away")
    await until_im(on_air, NADIA, "away")
    await until_im(on_air, CAMILLE, "available")
    await page.leave()


async def test_a_choice_expires_at_its_second_and_its_row_goes(on_air: Stage) -> None:
    ends = timezone.now() + timedelta(seconds=0.5)
    await choose(on_air, CAMILLE, "away", until=ends)
    await until_im(on_air, CAMILLE, "away")
    await until_by_hand(on_air, CAMILLE, None)
    await until_im(on_air, CAMILLE, "offline")
    record = await on_air.record(CAMILLE)
    assert record["im_since"] is not None
    late = datetime.fromisoformat(record["im_since"]) - ends
    assert timedelta() <= late <= timedelta(seconds=0.25)


async def test_idle_is_away_while_a_page_is_open(on_air: Stage) -> None:
    page = await open_page(on_air, CAMILLE)
    await until_im(on_air, CAMILLE, "available")
    user = await on_air.user(CAMILLE)
    await sync_to_async(services.set_idle)(user.pk, idle=True, now=timezone.now())
    await until_im(on_air, CAMILLE, "away")
    await until_pbx(on_air, CAMILLE, ChatState.AWAY)
    await page.leave()
    await until_im(on_air, CAMILLE, "offline")

    async def is_gone() -> bool:
        return not await Claim.objects.filter(user=user, source="idle").aexists()

    await until(is_gone, what="the end of being idle")


async def test_a_row_that_no_message_told_of_is_found(on_air: Stage) -> None:
    user = await on_air.user(CAMILLE)
    now = timezone.now()
    await Claim.objects.acreate(
        user=user, axis="im", source="manual", value="busy", starts=now, created_at=now
    )
    await StatusRecord.objects.aupdate_or_create(user=user, defaults={"touched_at": timezone.now()})
    await until_im(on_air, CAMILLE, "busy")


async def test_a_status_chosen_while_no_engine_ran_is_taken_for_what_it_is(stage: Stage) -> None:
    first = await stage.start_engine()
    await stage.until_heard()
    await choose(stage, CAMILLE, "busy")
    await until_pbx(stage, CAMILLE, ChatState.BUSY)
    await stage.stop_engine(first)
    await elsewhere(stage, NADIA, ChatState.AWAY, "Out")
    await choose(stage, CAMILLE, None)
    await stage.start_engine()
    await until_by_hand(stage, NADIA, "away")
    await until_pbx(stage, CAMILLE, ChatState.AVAILABLE)
    assert await by_hand(stage, CAMILLE) is None


async def test_nobody_writes_rows_before_colleagues_are_told(stage: Stage) -> None:
    nadia = str((await stage.user(NADIA)).pk)
    now = timezone.now()
    await put_meeting(
        stage, NADIA, starts=now + timedelta(seconds=1), ends=now + timedelta(hours=1)
    )
    threads = Threads()
    reign = Reign(Held(name="another", owner="nobody", epoch=99), threads)
    board, outbox = Board(epoch=99), Outbox(reign, threads)
    board.enrol([Member(user_id=nadia, name="Nadia")], at=now)
    statuses = Statuses(reign, threads, board, outbox)
    await statuses.load()
    statuses.enrol([nadia])
    began: list[str] = []

    def is_busy() -> bool:
        person = board.person(nadia)
        return person is not None and person.im == "busy"

    async def write() -> None:
        async with turn():
            began.append("a row")

    running = [asyncio.create_task(statuses.run())]
    try:
        await until(is_busy, what="the meeting")
        writing = asyncio.create_task(write())
        for _ in range(20):
            await asyncio.sleep(0)
        assert began == []
        running.append(asyncio.create_task(outbox.publish()))
        await asyncio.wait_for(writing, 5)
    finally:
        await tasks.end(*running)
        threads.close()
