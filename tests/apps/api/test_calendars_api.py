"""``/api/v1/calendars``."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from bluetel.accounts.models import User
from tests.apps.forwarding.conftest import CalendarSite, camille, site

__all__ = ["camille", "site"]


@pytest.fixture
def api(client: Client, camille: User) -> Client:
    client.force_login(camille)
    return client


def post(api: Client, path: str = "", body: object = None) -> tuple[int, Any]:
    answer = api.post(f"/api/v1/calendars{path}", body or {}, content_type="application/json")
    return answer.status_code, answer.json()


def test_a_calendar_is_added_listed_and_removed(api: Client, site: CalendarSite) -> None:
    status, added = post(api, body={"kind": "ics", "url": site.url})
    assert (status, added["url"], added["error"], added["warnings"]) == (201, site.url, None, [])
    listed = api.get("/api/v1/calendars").json()["calendars"]
    assert [one["id"] for one in listed] == [added["id"]]
    assert api.delete(f"/api/v1/calendars/{added['id']}").status_code == 204
    assert api.get("/api/v1/calendars").json() == {"calendars": []}


def test_a_refresh_reads_it_now(api: Client, site: CalendarSite) -> None:
    _, added = post(api, body={"kind": "ics", "url": site.url})
    site.text = site.text.replace("UID:a", "UID:another")
    status, read = post(api, f"/{added['id']}/refresh")
    assert (status, read["id"]) == (200, added["id"])
    assert read["last_read_at"] > added["last_read_at"]


def test_one_that_can_t_be_read_is_502(api: Client, site: CalendarSite) -> None:
    _, added = post(api, body={"kind": "ics", "url": site.url})
    site.status = 500
    status, refused = post(api, f"/{added['id']}/refresh")
    assert (status, refused["error"]["code"]) == (502, "calendar_unreachable")


def test_a_refused_address_is_403(api: Client, site: CalendarSite, settings: Settings) -> None:
    status, refused = post(api, body={"kind": "ics", "url": "https://192.168.1.1/c.ics"})
    assert (status, refused["error"]["code"]) == (403, "address_refused")
    _, added = post(api, body={"kind": "ics", "url": site.url})
    settings.FETCH_ALLOW = ()
    status, refused = post(api, f"/{added['id']}/refresh")
    assert (status, refused["error"]["code"]) == (403, "address_refused")


@pytest.mark.parametrize("body", [{"kind": "ics"}, {"kind": "exchange", "url": "https://a.org"}])
def test_what_is_no_calendar_is_400(api: Client, body: object) -> None:
    assert post(api, body=body)[0] == 400


def test_somebody_else_s_calendar_is_404(api: Client, site: CalendarSite, client: Client) -> None:
    _, added = post(api, body={"kind": "ics", "url": site.url})
    client.force_login(User.objects.create_user("mallory"))
    assert post(client, f"/{added['id']}/refresh")[0] == 404
    assert client.delete(f"/api/v1/calendars/{added['id']}").status_code == 404


@pytest.mark.parametrize("calendar", ["mine", "²", "9" * 30])
def test_what_is_nobody_s_id_is_404(api: Client, site: CalendarSite, calendar: str) -> None:
    assert post(api, f"/{calendar}/refresh")[0] == 404
    assert api.delete(f"/api/v1/calendars/{calendar}").status_code == 404
