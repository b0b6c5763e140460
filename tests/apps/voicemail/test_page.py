"""``/voicemail/`` as plain forms."""

from __future__ import annotations

import re

from django.test import Client
from django.utils import timezone

from bluetel.telephony.errors import PbxUnavailable
from bluetel.telephony.types import VoicemailFolder
from bluetel.work.models import Job
from tests.apps.house import House
from tests.apps.voicemail.conftest import Callers
from voicemail import services
from voicemail.jobs import read_first
from voicemail.models import Message


def text(browser: Client, path: str = "/voicemail/") -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def press(browser: Client, path: str, **form: str) -> str:
    """Send a form and read the page it leads to."""
    token = browser.cookies["csrftoken"].value
    answer = browser.post(path, {**form, "csrfmiddlewaretoken": token}, follow=True)
    assert answer.status_code == 200
    page: str = answer.content.decode()
    return page


def test_the_page_tells_who_called_when_and_whether_it_was_heard(
    house: House, callers: Callers
) -> None:
    callers.leave("1002", ago=60, duration=72)
    callers.leave("", ago=120, folder=VoicemailFolder.OLD)
    page = text(house.browser("1001"))
    assert page.index("Nadia Belkacem") < page.index("Number withheld")
    assert "Call 1002 back" in page
    assert "1 minute 12 seconds" in page
    assert page.count('class="tag tag--new"') == 2  # in the list and in the open message
    assert '<span data-part="count">1</span>' in page


def test_an_anonymous_caller_has_no_button(house: House, callers: Callers) -> None:
    callers.leave("anonymous", name="")
    page = text(house.browser("1001"))
    assert "The caller withheld the number" in page
    assert not re.search(r"Call [^<]* back", page)


def test_a_callers_name_is_hostile_text(house: House, callers: Callers) -> None:
    callers.leave("0199004217", name='"><script>alert(1)</script>')
    page = text(house.browser("1001"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_an_empty_box_says_so_and_no_box_says_what_to_do(house: House) -> None:
    assert "No voice messages" in text(house.browser("1001"))


def test_a_pbx_that_is_down_leaves_what_was_last_heard(house: House, callers: Callers) -> None:
    browser = house.browser("1001")
    callers.leave("1002")
    text(browser)
    house.backend.fail(PbxUnavailable("down"))
    page = text(browser)
    assert "The phone system does not answer" in page
    assert "Nadia Belkacem" in page
    house.backend.heal()
    services.store_messages(house.user("1001"), [], now=timezone.now())


def test_messages_are_marked_moved_and_deleted_by_forms(house: House, callers: Callers) -> None:
    browser = house.browser("1001")
    left = callers.leave("1002")
    text(browser)
    message = Message.objects.get()
    assert "Mark as new" in press(browser, f"/voicemail/{message.pk}/heard/")
    assert callers.on_pbx() == {left.id: VoicemailFolder.OLD}
    press(browser, f"/voicemail/{message.pk}/new/")
    assert callers.on_pbx() == {left.id: VoicemailFolder.NEW}
    press(browser, f"/voicemail/{message.pk}/move/", folder="work")
    assert callers.on_pbx() == {left.id: VoicemailFolder.WORK}
    assert "Nadia Belkacem" in text(browser, "/voicemail/?folder=work")
    assert "No message in this folder" in text(browser, "/voicemail/?folder=family")
    page = press(browser, f"/voicemail/{message.pk}/delete/")
    assert "Message deleted." in page
    assert "Undo" in page
    assert "Call 1002 back" not in page
    assert "Call 1002 back" in press(browser, f"/voicemail/{message.pk}/restore/")


def test_somebody_elses_message_is_not_there(house: House, callers: Callers) -> None:
    callers.leave("1002")
    text(house.browser("1001"))
    message = Message.objects.get()
    other = house.browser("1002")
    text(other)
    assert other.get(f"/voicemail/{message.pk}/").status_code == 404
    assert "There is no such voice message" in press(other, f"/voicemail/{message.pk}/delete/")
    assert Message.objects.get().delete_at is None


def test_the_page_is_french_for_a_french_reader(house: House, callers: Callers) -> None:
    callers.leave("0199004217")
    answer = house.browser("1001").get("/voicemail/", headers={"Accept-Language": "fr"})
    page = answer.content.decode()
    assert "Répondeur" in page
    assert "Rappeler 01 99 00 42 17" in page.replace("\xa0", " ")


def test_calling_back_is_a_post_and_rings_ones_own_phone_first(
    house: House, callers: Callers
) -> None:
    browser = house.browser("1001")
    callers.leave("0199004217")
    page = text(browser)
    assert not house.has_call("1001")
    assert 'action="/dialer/call/" data-form="call"' in page
    press(browser, "/dialer/call/", number="0199004217")
    assert house.is_ringing("1001")


def test_new_messages_are_counted_from_the_first_sign_in_on(house: House, callers: Callers) -> None:
    callers.leave("0199004217", name="Hélène")
    user = house.user("1001")
    browser = house.browser("1001")
    (job,) = Job.objects.all()
    assert job.arguments == {"user": user.pk}
    read_first(**job.arguments)
    shown = browser.get("/").content.decode()
    assert re.search(r'data-part="count">1<', shown)
    assert "Hélène" in shown.partition("latest-messages")[2]


def test_a_box_that_is_known_is_not_read_at_sign_in(house: House) -> None:
    user = house.user("1001")
    services.read_box(user, now=timezone.now())
    house.browser("1001")
    assert not Job.objects.exists()
