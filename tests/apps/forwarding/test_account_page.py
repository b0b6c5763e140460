"""The account page: language and time zone."""

from __future__ import annotations

import pytest
from django.test import Client

from bluetel.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client) -> User:
    ada = User.objects.create_user("ada", first_name="Ada")
    client.force_login(ada)
    return ada


def test_language_and_time_zone_are_kept(client: Client, ada: User) -> None:
    answer = client.post("/settings/account/", {"language": "fr", "time_zone": "Europe/Lisbon"})
    ada.refresh_from_db()
    assert (answer.status_code, ada.language, ada.time_zone) == (302, "fr", "Europe/Lisbon")


def test_a_zone_that_is_none_is_refused(client: Client, ada: User) -> None:
    answer = client.post("/settings/account/", {"language": "fr", "time_zone": "Europe/Nowhere"})
    ada.refresh_from_db()
    assert (answer.status_code, ada.time_zone) == (400, "")
