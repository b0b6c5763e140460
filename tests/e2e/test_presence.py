"""Two browsers: what one does, the other sees within a second."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.e2e.conftest import WITHIN_A_SECOND, Running, SignIn, colleague, live, wait_for

pytestmark = pytest.mark.e2e

CAMILLE = "Camille Renard"


@pytest.fixture(autouse=True)
def everybody_automatic(bluetel: Running) -> Iterator[None]:
    """Each test leaves Camille as it found her, and nobody waiting for her."""
    yield
    url = f"{bluetel.url}/api/v1"
    session = bluetel.session("demo1")
    everyone = {"audience": "everyone"}
    session.put(f"{url}/presence/me", json={"im": None}, timeout=10).raise_for_status()
    session.put(
        f"{url}/privacy", json={"phone": everyone, "im": everyone}, timeout=10
    ).raise_for_status()
    bluetel.phone("1001", "dnd_off")
    nadia, camille = bluetel.session("demo2"), session.get(f"{url}/me", timeout=10).json()["id"]
    nadia.delete(f"{url}/call-wishes/{camille}", timeout=10).raise_for_status()


def sees(page: Page, phone: str, chat: str) -> None:
    """Camille's two words in a colleague's team list."""
    row = colleague(page, CAMILLE)
    expect(row.locator('[data-word="phone"]')).to_have_text(phone, timeout=WITHIN_A_SECOND)
    expect(row.locator('[data-word="im"]')).to_have_text(chat, timeout=WITHIN_A_SECOND)


def test_the_phone_of_a_colleague_from_ringing_to_do_not_disturb(
    bluetel: Running, sign_in: SignIn
) -> None:
    sign_in("demo1")
    nadia = sign_in("demo2")
    sees(nadia, "Available", "Available")
    bluetel.incoming("0199004217", name="Hélène", to="1001")
    sees(nadia, "Ringing", "Available")
    bluetel.phone("1001", "answer")
    sees(nadia, "Busy", "Available")
    bluetel.phone("1001", "hold")
    sees(nadia, "Busy", "Available")
    bluetel.phone("1001", "hang_up")
    sees(nadia, "Available", "Available")
    bluetel.phone("1001", "dnd_on")
    sees(nadia, "Busy", "Available")


def test_the_status_set_in_the_menu_is_seen_and_taken_back(
    bluetel: Running, sign_in: SignIn
) -> None:
    camille, nadia = sign_in("demo1"), sign_in("demo2")
    other_tab = camille.context.new_page()
    other_tab.goto("/legend/")
    me = camille.locator("button.me")
    for word in ("Busy", "Away", "Offline"):
        me.click()
        camille.get_by_role("radio", name=word).check()
        camille.get_by_label("Message", exact=True).fill("Back at two")
        camille.get_by_role("button", name="Set status").click()
        sees(nadia, "Available", word)
        note = colleague(nadia, CAMILLE).locator('[data-part="message"]')
        if word == "Offline":
            expect(note).to_be_hidden()
        else:
            expect(note).to_have_text("Back at two")
        reminder = re.compile(f"You set your status to {word.lower()} by hand")
        expect(camille.get_by_text(reminder)).to_be_visible()
        expect(other_tab.get_by_text(reminder)).to_be_visible()
    other_tab.get_by_role("button", name="Back to automatic").first.click()
    sees(nadia, "Available", "Available")
    expect(camille.get_by_text("You set your status to")).to_be_hidden()


def test_the_status_is_set_by_the_keyboard_alone(sign_in: SignIn) -> None:
    camille, nadia = sign_in("demo1"), sign_in("demo2")
    camille.locator("button.me").focus()
    camille.keyboard.press("Enter")
    camille.get_by_role("radio", name="Available").focus()
    camille.keyboard.press("ArrowDown")
    camille.get_by_role("button", name="Set status").focus()
    camille.keyboard.press("Enter")
    sees(nadia, "Available", "Busy")


def test_without_scripts_the_status_is_a_plain_form(sign_in: SignIn) -> None:
    camille = sign_in("demo1", javascript=False)
    camille.locator("button.me").click()
    camille.get_by_role("radio", name="Away").check()
    camille.get_by_role("button", name="Set status").click()
    expect(camille.get_by_text("You set your status to away by hand")).to_be_visible()


def test_who_hides_is_offline_to_the_others_at_once(bluetel: Running, sign_in: SignIn) -> None:
    camille, nadia = sign_in("demo1"), sign_in("demo2")
    sees(nadia, "Available", "Available")
    camille.goto("/settings/privacy/")
    for legend in camille.get_by_role("radio", name="Nobody").all():
        legend.check()
    camille.get_by_role("button", name="Save").click()
    expect(camille.get_by_text("Saved.")).to_be_visible()
    sees(nadia, "Offline", "Offline")
    bluetel.incoming("0199004217", name="Hélène", to="1001")
    expect(camille.locator("button.me presence-badge")).to_have_attribute("data-phone", "ringing")
    sees(nadia, "Offline", "Offline")


def test_ringing_blinks_five_times_and_stands_still_for_who_wants_no_motion(
    bluetel: Running, sign_in: SignIn
) -> None:
    moving, still = sign_in("demo2"), sign_in("demo3", reduced_motion=True)
    bluetel.incoming("0199004217", name="Hélène", to="1001")
    for page, expected in ((moving, ("ring", "1s", "5")), (still, ("none", "0s", "1"))):
        sign = colleague(page, CAMILLE).locator(".presence--ringing .presence__phone")
        expect(sign).to_be_visible()
        found = sign.evaluate(
            "sign => { const s = getComputedStyle(sign);"
            " return [s.animationName, s.animationDuration, s.animationIterationCount]; }"
        )
        assert tuple(found) == expected


def test_who_is_busy_is_offered_for_a_call_once_he_is_free(
    bluetel: Running, sign_in: SignIn
) -> None:
    nadia = sign_in("demo2")
    other_tab = nadia.context.new_page()
    with live(other_tab):
        other_tab.goto("/legend/")
    ask = colleague(nadia, CAMILLE).get_by_role("button", name=f"Call {CAMILLE} when free")
    expect(ask).to_be_hidden()
    bluetel.incoming("0199004217", name="Hélène", to="1001")
    bluetel.phone("1001", "answer")
    ask.click()
    expect(ask).to_have_attribute("aria-pressed", "true")
    for page in (nadia, other_tab):
        waiting = page.locator(".wish").get_by_text(f"You will be told when {CAMILLE} is free")
        expect(waiting).to_be_visible()
    nadia.reload()

    bluetel.phone("1001", "hang_up")
    offered = f"{CAMILLE} is free now."
    for page in (nadia, other_tab):
        expect(page.locator(".wish").get_by_text(offered)).to_be_visible()
        expect(page.locator('call-wishes [role="status"]')).to_have_text(offered)
        expect(page.get_by_role("button", name="Call 1001", exact=True)).to_be_visible()
    assert bluetel.phones()["1002"]["state"] == "idle"  # nothing dials by itself

    other_tab.get_by_role("button", name="Call 1001", exact=True).click()
    expect(other_tab.get_by_text("Your phone is ringing")).to_be_visible()
    for page in (nadia, other_tab):
        expect(page.locator(".wish")).to_have_count(0)


def test_a_wish_is_taken_back_by_the_keyboard_and_works_without_scripts(
    bluetel: Running, sign_in: SignIn
) -> None:
    nadia, plain = sign_in("demo2"), sign_in("demo2", javascript=False)
    bluetel.incoming("0199004217", name="Hélène", to="1001")
    bluetel.phone("1001", "answer")
    ask = colleague(nadia, CAMILLE).get_by_role("button", name=f"Call {CAMILLE} when free")
    ask.focus()
    nadia.keyboard.press("Enter")
    back = nadia.get_by_role("button", name="Don’t tell me any more")
    back.focus()
    nadia.keyboard.press("Enter")
    expect(nadia.locator(".wish")).to_have_count(0)
    expect(ask).to_have_attribute("aria-pressed", "false")

    plain.reload()
    colleague(plain, CAMILLE).get_by_role("button", name=f"Call {CAMILLE} when free").click()
    expect(plain.get_by_text(f"You will be told when {CAMILLE} is free")).to_be_visible()
    bluetel.phone("1001", "hang_up")
    expect(nadia.locator(".wish").get_by_text(f"{CAMILLE} is free now.")).to_be_visible()
    wait_for(lambda: is_offered(bluetel), what="the row that says so", running=bluetel)
    plain.reload()
    expect(plain.get_by_text(f"{CAMILLE} is free now.")).to_be_visible()
    plain.get_by_role("button", name="Don’t tell me any more").click()
    expect(plain.locator(".wish")).to_have_count(0)


def is_offered(bluetel: Running) -> bool:
    """Whether Nadia is offered a call to whom she waits for, by the rows."""
    answer = bluetel.session("demo2").get(f"{bluetel.url}/api/v1/call-wishes", timeout=10)
    return [wish["is_free"] for wish in answer.json()["wishes"]] == [True]


def test_the_team_is_filtered_while_one_types_and_as_phones_become_free(
    bluetel: Running, sign_in: SignIn
) -> None:
    nadia = sign_in("demo2")
    find = nadia.get_by_role("searchbox", name="Filter the team")
    rows = nadia.locator("team-list [data-person]:visible")
    find.fill("camil")
    expect(rows).to_have_count(1)
    expect(nadia.get_by_role("status").get_by_text("1 person", exact=True)).to_be_visible()
    free_only = nadia.get_by_role("checkbox", name="Free phones only")
    free_only.focus()
    nadia.keyboard.press("Space")
    expect(rows).to_have_count(1)
    bluetel.incoming("0199004217", name="Hélène", to="1001")
    bluetel.phone("1001", "answer")
    expect(rows).to_have_count(0)
    expect(nadia.get_by_text("Nobody in your team fits.")).to_be_visible()
    nadia.reload()
    expect(rows).to_have_count(0)
    bluetel.phone("1001", "hang_up")
    expect(rows).to_have_count(1)
    find.focus()
    nadia.keyboard.press("Escape")
    free_only.uncheck()
    expect(find).to_have_value("")
    expect(rows).not_to_have_count(1)


def test_a_page_in_the_background_hears_of_nobody_and_is_right_when_looked_at_again(
    bluetel: Running, sign_in: SignIn
) -> None:
    nadia = sign_in("demo2")
    sent: list[str] = []
    heard: list[str] = []

    def listen(opened: WebSocket) -> None:
        opened.on("framesent", lambda frame: sent.append(str(frame)))
        opened.on("framereceived", lambda frame: heard.append(str(frame)))

    nadia.on("websocket", listen)
    with live(nadia):
        nadia.reload()
    looked_at = watched(sent)
    assert len(looked_at) > 1

    turn_away(nadia, is_hidden=True)
    for _ in range(400):
        if watched(sent) != looked_at:
            break
        nadia.wait_for_timeout(20)  # the socket's frames come in here
    (myself,) = watched(sent)
    other = sign_in("demo3")  # the same is told to a page that is looked at
    heard.clear()
    bluetel.incoming("0199004217", name="Hélène", to="1001")
    bluetel.phone("1001", "answer")
    sees(other, "Busy", "Offline")
    assert not [frame for frame in heard if CAMILLE in frame]

    turn_away(nadia, is_hidden=False)
    sees(nadia, "Busy", "Offline")
    assert watched(sent) == looked_at
    assert myself in looked_at


def watched(sent: list[str]) -> list[str]:
    """Whom a page asked for last."""
    frames = [json.loads(frame) for frame in sent]
    found: list[str] = [frame for frame in frames if frame["type"] == "watch"][-1]["users"]
    return found


def turn_away(page: Page, *, is_hidden: bool) -> None:
    """What the browser does when another tab comes to the front."""
    page.evaluate(
        "isHidden => { Object.defineProperty(document, 'hidden',"
        " { value: isHidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        is_hidden,
    )


def test_a_star_set_among_the_contacts_holds_on_the_home_page(
    bluetel: Running, sign_in: SignIn
) -> None:
    nadia = sign_in("demo2")
    with live(nadia):
        nadia.goto("/contacts/?q=camille")
    star = nadia.get_by_role("button", name=f"Favourite: {CAMILLE}").first
    star.focus()
    nadia.keyboard.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(nadia).to_have_url(f"{bluetel.url}/contacts/?q=camille")
    nadia.goto("/")
    expect(nadia.locator("team-list [data-person]")).to_have_count(1)
    nadia.get_by_role("button", name=f"Favourite: {CAMILLE}").click()
    expect(nadia.get_by_role("button", name=f"Favourite: {CAMILLE}")).to_have_attribute(
        "aria-pressed", "false"
    )
