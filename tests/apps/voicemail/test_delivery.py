"""New messages as mails, through a real SMTP server."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django import Settings

from bluetel.work.models import Job
from tests.apps.house import House
from tests.apps.voicemail.conftest import Callers
from tests.servers.base import free_port
from tests.servers.smtp import Post, post_office
from voicemail import letters, services
from voicemail.delivery import message_id_of, revive, send_letter, set_delivery
from voicemail.models import Delivery, Message

pytestmark = pytest.mark.django_db


@pytest.fixture
def post(settings: Settings) -> Iterator[Post]:
    with post_office(settings) as keeper:
        yield keeper


@pytest.fixture
def camille(house: House) -> Any:
    """Camille, who wants her messages mailed, in French."""
    user = house.user("1001")
    user.language, user.time_zone = "fr", "Indian/Reunion"
    user.save()
    set_delivery(user, wanted=True, now=timezone.now() - timedelta(hours=1))
    return user


def read_and_send(user: Any) -> None:
    """What the engine does on an event, and then the job queue."""
    services.read_box(user, now=timezone.now())
    for job in Job.objects.filter(key__startswith="voicemail-letter:"):
        send_letter(**job.arguments)


def text_of(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_a_new_message_comes_by_mail_with_its_sound(
    camille: Any, callers: Callers, post: Post
) -> None:
    left = callers.leave(
        "0199004217", name="Hélène Marchetti", duration=3, transcript="Rappelez-moi."
    )
    read_and_send(camille)
    (mail,) = post.mails
    assert post.recipients == [[camille.email]]
    assert mail["From"] == "BlueTel <voicemail@tel.test>"
    assert mail["Subject"] == "Message vocal de Hélène Marchetti"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@tel.test>")
    assert mail["Date"]
    there = timezone.localtime(left.received_at, ZoneInfo("Indian/Reunion"))
    for kind in ("plain", "html"):
        text = text_of(mail, kind)
        assert "Hélène Marchetti" in text
        assert f"{there:%H:%M}" in text
        assert "Rappeler 01 99 00 42 17" in text.replace("\xa0", " ")
        assert "Rappelez-moi." in text
        assert "/voicemail/call-back/" in text
    (sound,) = mail.iter_attachments()
    assert sound.get_content_type() == "audio/wav"
    assert len(sound.get_content()) == 44 + 3 * 16_000
    assert Delivery.objects.get().sent_at is not None


def test_who_did_not_ask_gets_no_mail(house: House, callers: Callers, post: Post) -> None:
    callers.leave("0199004217")
    read_and_send(house.user("1001"))
    assert post.mails == []


def test_old_and_heard_messages_are_not_mailed(camille: Any, callers: Callers, post: Post) -> None:
    from bluetel.telephony.types import VoicemailFolder  # noqa: PLC0415

    callers.leave("0199004217", ago=7200)
    callers.leave("0199004218", folder=VoicemailFolder.OLD)
    read_and_send(camille)
    assert post.mails == []


def test_each_message_makes_one_mail_however_often_it_is_read(
    camille: Any, callers: Callers, post: Post
) -> None:
    callers.leave("0199004217")
    for _ in range(3):
        read_and_send(camille)
    assert len(post.mails) == 1


def test_an_outage_delays_the_mail_and_does_not_double_it(
    camille: Any, callers: Callers, post: Post, settings: Settings
) -> None:
    callers.leave("0199004217")
    port = settings.EMAIL_PORT
    settings.EMAIL_PORT = free_port()
    with pytest.raises(OSError, match="refused"):
        read_and_send(camille)
    settings.EMAIL_PORT = port
    post.refusal = "451 try later"
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        read_and_send(camille)
    post.refusal = ""
    read_and_send(camille)
    read_and_send(camille)
    (mail,) = post.mails
    assert mail["Message-ID"] == message_id_of(Delivery.objects.get())


def test_a_mail_given_up_in_a_long_outage_is_tried_again(
    camille: Any, callers: Callers, post: Post
) -> None:
    callers.leave("0199004217")
    services.read_box(camille, now=timezone.now())
    Job.objects.all().delete()
    revive(now=timezone.now() + timedelta(minutes=10))
    assert Job.objects.count() == 1
    Job.objects.all().delete()
    revive(now=timezone.now() + timedelta(days=5))
    assert Job.objects.count() == 0


def test_an_address_that_is_refused_for_good_is_not_tried_for_ever(
    camille: Any, callers: Callers, post: Post
) -> None:
    callers.leave("0199004217")
    post.refusal = "550 no such user"
    read_and_send(camille)
    assert Delivery.objects.get().error == "refused"
    post.refusal = ""
    read_and_send(camille)
    assert post.mails == []


def test_an_anonymous_caller_has_no_link(camille: Any, callers: Callers, post: Post) -> None:
    callers.leave("anonymous")
    read_and_send(camille)
    (mail,) = post.mails
    assert mail["Subject"] == "Message vocal de Numéro masqué"
    assert "/voicemail/call-back/" not in text_of(mail, "plain")


def test_a_callers_name_is_hostile_text(camille: Any, callers: Callers, post: Post) -> None:
    callers.leave("0199004217", name='"><script>x</script>\r\nBcc: eve@evil.test')
    read_and_send(camille)
    (mail,) = post.mails
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]
    assert "<script>" not in text_of(mail, "html")


def test_a_long_recording_is_linked_to(
    camille: Any, callers: Callers, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "MOST_ATTACHED", 10_000)
    callers.leave("0199004217", duration=3)
    read_and_send(camille)
    (mail,) = post.mails
    assert list(mail.iter_attachments()) == []
    message = Message.objects.get()
    assert f"/voicemail/{message.pk}/" in text_of(mail, "plain")
