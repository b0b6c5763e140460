"""Privacy and the team over a running engine and live sockets."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from presence.audiences import choose_audience
from presence.team import make_group, set_favourites, set_group_people
from tests.live.browser import Page, sign_in
from tests.live.stage import Stage

pytestmark = pytest.mark.django_db(transaction=True)


async def page_of(stage: Stage, extension: str) -> Page:
    page = Page(await sign_in(await stage.user(extension)))
    assert await page.connect()
    return page


async def hide(stage: Stage, extension: str, *, kind: str = "nobody") -> None:
    user = await stage.user(extension)
    for axis in ("phone", "im"):
        await sync_to_async(choose_audience)(user, axis, kind, now=timezone.now())


async def test_who_hides_reads_offline_at_once_and_is_heard_of_no_more(on_air: Stage) -> None:
    camille, nadia = await on_air.user("1001"), await on_air.user("1002")
    page = await page_of(on_air, "1002")
    snapshot = await page.watch([str(camille.pk)])
    assert snapshot["people"][0]["phone"] == "available"
    await hide(on_air, "1001")
    while True:  # first the phone is hidden, then chat
        (hidden,) = (await page.frame("presence.changes"))["people"]
        if hidden["since"] is None:
            break
    assert (hidden["phone"], hidden["im"], hidden["message"]) == ("offline", "offline", "")
    await on_air.do(lambda pbx: pbx.place_call(pbx.lines["1001"][0], "1003"))
    await on_air.until_phone("1001", "ringing")
    assert await page.is_quiet()
    again = await page.watch([str(camille.pk), str(nadia.pk)])
    assert [person["phone"] for person in again["people"]] == ["offline", "available"]
    await hide(on_air, "1001", kind="everyone")
    await page.phone(str(camille.pk), "ringing")
    await page.leave()


async def test_the_team_is_favourites_and_own_groups(on_air: Stage) -> None:
    camille = await on_air.user("1001")
    ids = [str((await on_air.user(extension)).pk) for extension in ("1005", "1003", "1004")]
    await sync_to_async(set_favourites)(camille, ids[:2])
    group = await sync_to_async(make_group)(camille, "Sales")
    await sync_to_async(set_group_people)(group, [ids[1], ids[2]], now=timezone.now())
    page = await page_of(on_air, "1001")
    snapshot = await page.watch("team")
    assert [person["user_id"] for person in snapshot["people"]] == ids
    await page.leave()
