"""Calls follow the calendar, in a browser: the sentence, the strip, not for this meeting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.e2e.conftest import Running, SignIn, handset, live, wait_for

pytestmark = pytest.mark.e2e

WHO, EXTENSION = "demo4", "1004"
MOBILE = "06 39 98 41 72"


@pytest.fixture(autouse=True)
def nothing_chosen(bluetel: Running) -> Iterator[None]:
    """Before and after each test: no rule, no calendar, no forward."""
    forget(bluetel)
    yield
    forget(bluetel)


def forget(bluetel: Running) -> None:
    session, api = bluetel.session(WHO), f"{bluetel.url}/api/v1"
    for one in session.get(f"{api}/calendars", timeout=10).json()["calendars"]:
        session.delete(f"{api}/calendars/{one['id']}", timeout=10)
    rules = {
        "calendar": {"set_im_busy": False, "route": "nothing", "number": ""},
        "im": {"route": "nothing"},
    }
    session.put(f"{api}/automation", json=rules, timeout=10).raise_for_status()
    off = {"unconditional": {"enabled": False}, "do_not_disturb": False}
    session.put(f"{api}/forwards", json=off, timeout=10).raise_for_status()


def meeting() -> FilePayload:
    """A calendar file with a meeting that goes on for half an hour yet."""
    now = datetime.now(tz=UTC)
    starts, ends = (f"{now + timedelta(minutes=m):%Y%m%dT%H%M%SZ}" for m in (-30, 30))
    text = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nX-WR-CALNAME:Work\nBEGIN:VEVENT\nUID:now\n"
        f"DTSTART:{starts}\nDTEND:{ends}\nSUMMARY:Merger\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    return {"name": "work.ics", "mimeType": "text/calendar", "buffer": text.encode()}


def choose(page: Page) -> None:
    """Have meetings set Busy and send calls to a mobile; and upload one."""
    page.goto("/settings/calendar/")
    page.get_by_label("Update my status to Busy").check()
    page.get_by_label("Forward to", exact=True).check()
    page.get_by_label("Number", exact=True).fill(MOBILE)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_label("A file from this computer").check()
    page.get_by_label("File", exact=True).set_input_files(meeting())
    page.get_by_role("button", name="Add a calendar").click()
    expect(page.get_by_text("The calendar is read from now on.")).to_be_visible()


def test_a_meeting_diverts_calls_until_it_is_told_not_to(bluetel: Running, sign_in: SignIn) -> None:
    page = sign_in(WHO)
    choose(page)
    with live(page):
        page.goto("/")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(
        re.compile(r"^\s*Until \d\d:\d\d, calls go to 06.39.98.41.72\.\s*$")
    )
    page.get_by_text("Why?").click()
    expect(page.get_by_role("listitem").filter(has_text="Decides:")).to_contain_text("Meeting")
    expect(page.get_by_text("Set on the phone system, read back and right.")).to_be_visible()
    page.get_by_role("button", name="Stop for this meeting").first.click()
    expect(heading).to_contain_text("Calls ring on your phone, 1004.")
    page.get_by_role("button", name="Let the meeting count again").first.click()
    expect(heading).to_contain_text("calls go to")


def test_the_home_page_follows_without_being_loaded_again(
    bluetel: Running, sign_in: SignIn
) -> None:
    page = sign_in(WHO)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Calls ring on your phone, 1004.")
    session = bluetel.session(WHO)
    change = {"unconditional": {"enabled": True, "destination": "1003"}}
    session.put(f"{bluetel.url}/api/v1/forwards", json=change, timeout=10).raise_for_status()
    expect(heading).to_contain_text("Calls go to 1003.")


def test_what_happens_while_the_page_is_loading_shows_on_it(
    bluetel: Running, sign_in: SignIn
) -> None:
    page = sign_in(WHO)
    session, api = bluetel.session(WHO), f"{bluetel.url}/api/v1"
    change = {"unconditional": {"enabled": True, "destination": "1003"}}

    def is_applied() -> bool:
        routing = session.get(f"{api}/routing", timeout=10).json()
        return bool(routing["destination"] == "1003" and routing["applied"])

    def forward_first(script: Route) -> None:
        """The page stands, and its scripts have not come yet."""
        session.put(f"{api}/forwards", json=change, timeout=10).raise_for_status()
        wait_for(is_applied, what="the forward", running=bluetel)
        script.continue_()

    page.route(re.compile(r"/js/main(\.\w+)?\.js$"), forward_first, times=1)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Calls go to 1003.")


def test_what_is_dialled_on_the_handset_appears_without_loading(
    bluetel: Running, sign_in: SignIn
) -> None:
    page = sign_in(WHO)
    heading = page.get_by_role("heading", level=1)
    every_call = page.get_by_role("link", name=re.compile("^Every call"))
    expect(heading).to_contain_text("Calls ring on your phone, 1004.")
    phone = own_phone(page)
    dial(phone, "*211003")
    expect(heading).to_contain_text("Calls go to 1003.")
    expect(every_call).to_contain_text("1003")
    dial(phone, "#21")
    expect(heading).to_contain_text("Calls ring on your phone, 1004.")
    expect(every_call).to_contain_text("Off")


def own_phone(page: Page) -> Locator:
    """The handset, on a demo page beside this one."""
    desk = page.context.new_page()
    desk.goto("/demo/phones/")
    return handset(desk, EXTENSION)


def dial(phone: Locator, number: str) -> None:
    """Dial at a handset of the demo's page, once its last call is over."""
    expect(phone.get_by_role("status")).to_contain_text("Free")
    phone.get_by_label("Number to dial").fill(number)
    phone.get_by_role("button", name="Dial", exact=True).click()


def test_do_not_disturb_on_the_handset_appears_without_loading(
    bluetel: Running, sign_in: SignIn
) -> None:
    page = sign_in(WHO)
    heading = page.get_by_role("heading", level=1)
    quiet = page.get_by_role("link", name=re.compile("^Do not disturb"))
    phone = own_phone(page)
    phone.get_by_role("button", name="Do not disturb").click()
    expect(heading).to_contain_text("No call rings: do not disturb is on.")
    expect(quiet).to_contain_text("On")
    phone.get_by_role("button", name="May be disturbed").click()
    expect(heading).to_contain_text("Calls ring on your phone, 1004.")
    expect(quiet).to_contain_text("Off")


def test_other_pages_say_why_calls_go_elsewhere_and_stop_it(
    bluetel: Running, sign_in: SignIn
) -> None:
    page = sign_in(WHO)
    choose(page)
    with live(page):
        page.goto("/contacts/")
    banner = page.get_by_role("main").get_by_role("status").filter(has_text="calls go to")
    expect(banner).to_contain_text(re.compile(r"Until \d\d:\d\d, calls go to 06.39.98.41.72\."))
    banner.get_by_text("Why?").click()
    expect(banner.get_by_role("listitem").filter(has_text="Decides:")).to_contain_text("Meeting")
    banner.get_by_role("button", name="Stop for this meeting").first.click()
    expect(page).to_have_url(f"{bluetel.url}/contacts/")
    expect(banner).to_have_count(0)


def test_the_form_for_a_calendar_shows_the_fields_of_its_kind(
    bluetel: Running, sign_in: SignIn
) -> None:
    page = sign_in(WHO, javascript=False)
    page.goto("/settings/calendar/")
    fields = {
        name: page.locator("#add").get_by_label(name, exact=True)
        for name in ("Address", "User name", "Password", "File")
    }
    kinds = {
        "An address (ICS)": {"Address"},
        "An account (CalDAV)": {"Address", "User name", "Password"},
        "A file from this computer": {"File"},
    }
    for kind, wanted in kinds.items():
        page.get_by_label(kind).check()
        assert {name for name, field in fields.items() if field.is_visible()} == wanted


@pytest.mark.parametrize(
    ("locale", "busy", "forward", "number", "sentence"),
    [
        (
            "en-GB",
            "Update my status to Busy",
            "Forward to",
            "Number",
            "In a meeting: your colleagues see Busy, calls go to 06 39 98 41 72.",
        ),
        (
            "fr-FR",
            "Passer mon statut à Occupé",
            "Transférer",
            "Numéro",
            "En réunion : vos collègues vous voient Occupé, les appels vont au 06 39 98 41 72.",
        ),
    ],
)
def test_the_sentence_follows_the_choices_before_they_are_saved(
    sign_in: SignIn, locale: str, busy: str, forward: str, number: str, sentence: str
) -> None:
    page = sign_in(WHO, locale=locale)
    page.goto("/settings/calendar/")
    page.get_by_label(busy).check()
    page.get_by_label(forward, exact=True).check()
    page.get_by_label(number, exact=True).fill("0639984172")
    expect(page.locator("[data-part=sentence]")).to_contain_text(sentence)


def test_everything_works_without_javascript(bluetel: Running, sign_in: SignIn) -> None:
    page = sign_in(WHO, javascript=False)
    choose(page)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("calls go to")
    page.get_by_role("button", name="Stop for this meeting").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Calls ring on your phone")


def test_a_forward_by_hand_is_set_and_a_circle_is_refused(
    bluetel: Running, sign_in: SignIn
) -> None:
    page = sign_in(WHO)
    page.goto("/settings/forwards/")
    form = page.locator("#unconditional")
    form.get_by_label("Forward calls to").check()
    form.get_by_label("Number").fill(EXTENSION)
    form.get_by_role("button", name="Save").click()
    expect(page.locator("#unconditional .field__error")).to_contain_text("your own number")
    form.get_by_label("Number").fill("1003")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    api = f"{bluetel.url}/api/v1/routing"
    wait_for(
        lambda: bluetel.session(WHO).get(api, timeout=10).json()["destination"] == "1003",
        what="the forward",
        running=bluetel,
    )
