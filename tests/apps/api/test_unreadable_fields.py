from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.apps.house import House

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        (
            "automation",
            {"calendar": {"route": "elsewhere"}},
            "Le champ route est illisible : il prend 'nothing', 'voicemail', 'number'.",
        ),
        (
            "automation",
            {"calendar": {"set_im_busy": "perhaps"}},
            "Le champ set_im_busy est illisible : il prend true ou false.",
        ),
        (
            "presence/me",
            {"im": "busy", "until": 7.5, "message": []},
            "Le champ message est illisible : il prend du texte.",
        ),
        (
            "presence/me",
            {"im": "busy", "until": "tomorrow"},
            "Le champ until est illisible : il prend un moment, comme 2026-11-25T09:00:00Z.",
        ),
        (
            "automation",
            {"im": {"only_by_hand": "no"}},
            "Le champ only_by_hand est illisible : il prend true ou false.",
        ),
        (
            "presence/me",
            {"im": "busy", "until": 1795704000},
            "Le champ until est illisible : il prend un moment, comme 2026-11-25T09:00:00Z.",
        ),
        ("favourites", {"people": [2]}, "Le champ people est illisible : il prend du texte."),
        ("favourites", {}, "Le champ people est illisible : il manque."),
    ],
)
def test_why_is_told_in_the_users_language(
    house: House, path: str, body: object, sentence: str
) -> None:
    user = house.user("1001")
    user.language = "fr"
    user.save()
    answer = Client().put(
        f"/api/v1/{path}",
        data=json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {house.token('1001')}"},
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].replace("\N{NO-BREAK SPACE}", " ") == sentence
