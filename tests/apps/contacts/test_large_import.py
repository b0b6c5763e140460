"""A file of twenty megabytes, from the page that takes it to the report."""

from __future__ import annotations

import base64
import random
import re
from datetime import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bluetel.accounts.models import User
from bluetel.work.models import Job
from contacts import services
from contacts.importing import carry_on
from contacts.models import Contact, ImportFile, ImportRun, Photo
from tests.apps.house import NOW

pytestmark = pytest.mark.django_db

CARDS = 620
PICTURE = b"\x89PNG\r\n\x1a\n" + random.Random(3).randbytes(25_000)


def large_file() -> bytes:
    """Cards with a picture each, folded as phones write them, and one that is cut off."""
    text = base64.b64encode(PICTURE).decode()
    folded = "\r\n ".join(text[start : start + 74] for start in range(0, len(text), 74))
    cards = (
        f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Person {number}\r\nN:{number};Person;;;\r\n"
        f"TEL;TYPE=CELL:+33 6 39 98 {number // 100:02} {number % 100:02}\r\n"
        f"PHOTO;ENCODING=b;TYPE=PNG:{folded}\r\nEND:VCARD\r\n"
        for number in range(CARDS)
    )
    return ("".join(cards) + "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Cut off\r\n").encode()


@pytest.mark.timeout(120)
def test_it_comes_in_by_the_page_which_shows_how_far_it_is(camille: User) -> None:
    content = large_file()
    assert len(content) > 20_000_000
    book = services.default_book(camille)
    browser = Client()
    browser.force_login(camille)
    sent = browser.post(
        f"/contacts/books/{book.pk}/import/", {"file": SimpleUploadedFile("phone.vcf", content)}
    )
    run = ImportRun.objects.get()
    assert sent["Location"] == f"/contacts/imports/{run.pk}/"
    assert Job.objects.filter(key=f"contacts-import:{run.pk}").count() == 1
    shown: list[int] = []

    def clock() -> datetime:
        part = browser.get(f"/contacts/imports/{run.pk}/part/").content.decode()
        shown.extend(int(percent) for percent in re.findall(r'max="100" value="(\d+)"', part))
        return NOW

    carry_on(run.pk, clock=clock)
    assert shown == sorted(shown)
    assert len(set(shown)) >= 3
    report = browser.get(f"/contacts/imports/{run.pk}/").content.decode()
    assert f"<dd>{CARDS}</dd>" in report
    assert "Line " in report
    assert Contact.objects.filter(book=book).count() == CARDS
    assert bytes(Photo.objects.filter(contact__book=book)[0].content) == PICTURE
    assert not ImportFile.objects.exists()
