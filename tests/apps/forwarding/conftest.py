"""What the calendars' tests share: a user, and a site with a calendar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from pytest_django import Settings

from bluetel.accounts.models import User
from tests.apps.forwarding.calendar_texts import calendar, meeting
from tests.fetch.site import Reply, Request, Site


@dataclass
class CalendarSite:
    """A web server with one calendar file, as it answers now."""

    text: str = calendar(meeting())
    etag: str = ""
    status: int = 200
    password: str = ""
    site: Site = field(init=False)

    def answer(self, request: Request) -> Reply:
        if self.password and "Authorization" not in request.headers:
            return Reply(401, b"", {"WWW-Authenticate": 'Basic realm="calendar"'})
        if self.etag and request.headers.get("If-None-Match") == self.etag:
            return Reply(304, b"", {"ETag": self.etag})
        headers = {"ETag": self.etag} if self.etag else {}
        return Reply(self.status, self.text.encode(), headers)

    @property
    def url(self) -> str:
        return f"{self.site.url}/calendar.ics"


@pytest.fixture
def camille(db: None, settings: Settings) -> User:
    settings.FETCH_ALLOW = ("127.0.0.0/8",)
    settings.TIME_ZONE = "Europe/Paris"
    return User.objects.create_user("camille", email="camille@example.org", first_name="Camille")


@pytest.fixture
def site() -> Iterator[CalendarSite]:
    found = CalendarSite()
    with Site(found.answer) as running:
        found.site = running
        yield found
