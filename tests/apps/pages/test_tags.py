"""The tags the pages are made of: what they say, and that hostile names stay text."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone, translation

from bluetel.templatetags import callbar, handset
from presence.templatetags.presence import initials

CALL: dict[str, object] = {
    "id": "7",
    "state": "talking",
    "direction": "outgoing",
    "number": "0199004217",
    "name": "Hélène Marchetti",
    "answered_at": "2026-11-24T10:00:00Z",
    "ended_at": None,
    "end_reason": None,
    "muted": False,
}
HOSTILE = '<script>alert(1)</script>"\u202e'


def render(source: str, **context: object) -> str:
    return Template("{% load shell presence %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        pytest.param("Nadia Belkacem", "NB", id="two-words"),
        pytest.param("Łucja Wiśniewska", "ŁW", id="not-ascii"),
        pytest.param("Jean-Luc de la Tour", "JT", id="first-and-last"),
        pytest.param("Marta", "M", id="one-word"),
        pytest.param("ñandu (Oslo)", "Ñ", id="brackets-are-no-letters"),
        pytest.param("01 99 00 42 17", "", id="number"),
        pytest.param(HOSTILE, "", id="markup"),
        pytest.param("", "", id="nobody"),
    ],
)
def test_initials_are_the_first_letters_of_the_first_and_last_word(name: str, letters: str) -> None:
    assert initials(name) == letters


@pytest.mark.parametrize(
    ("facts", "phase"),
    [
        pytest.param({"state": "ringing_self"}, "ringing_self", id="own-phone-rings"),
        pytest.param({"state": "ringing_self", "direction": "incoming"}, "incoming", id="incoming"),
        pytest.param({"direction": "incoming"}, "talking", id="answered"),
        pytest.param({"state": "ended", "end_reason": "busy"}, "ended-busy", id="ended"),
        pytest.param({"state": "ended", "answered_at": None}, "ended-failed", id="no-reason"),
        pytest.param(
            {
                "state": "ended",
                "end_reason": "cancelled",
                "direction": "incoming",
                "answered_at": None,
            },
            "ended-missed",
            id="missed",
        ),
    ],
)
def test_the_phase_says_what_the_call_bar_shows(facts: dict[str, object], phase: str) -> None:
    assert callbar.phase_of({**CALL, **facts}) == phase


def test_a_call_without_a_name_is_called_by_its_number() -> None:
    nameless = {**CALL, "name": ""}
    assert callbar.party(nameless) == callbar.party_and_number(nameless)
    assert callbar.aside(nameless) == ""


def test_a_call_lasts_from_its_answer_to_its_end() -> None:
    assert callbar.lasting({**CALL, "ended_at": "2026-11-24T10:04:07Z"}) == "4:07"
    assert callbar.lasting({**CALL, "ended_at": "2026-11-24T11:02:03Z"}) == "1:02:03"
    assert callbar.lasting({**CALL, "answered_at": None}) == "0:00"


def test_a_hostile_name_in_a_slot_stays_text() -> None:
    html = render('{% slot "name" name as shown %}{{ shown }}', name=HOSTILE)
    assert "<script>" not in html
    assert html.startswith('<bdi data-slot="name">')


@pytest.mark.parametrize("phone", ["available", "busy", "ringing", "offline", "unknown"])
def test_a_sign_has_a_shape_and_a_word(phone: str) -> None:
    html = render(
        "{% presence_badge person words=True %}",
        person={"user_id": "7", "phone": phone, "im": "away"},
    )
    assert f"#ph-{phone}" in html
    assert f'data-word="phone">{phone.title()}<' in html
    assert 'data-word="im">Away<' in html


def test_a_sign_without_words_says_them_to_screen_readers() -> None:
    with translation.override("fr"):
        html = render("{% presence_badge person %}", person={"phone": "busy", "im": "offline"})
    assert "Téléphone\u00a0: occupé\u202f; messagerie\u00a0: hors ligne" in html


@pytest.mark.parametrize(
    "person",
    [
        pytest.param(None, id="nobody"),
        pytest.param({"phone": HOSTILE, "im": None}, id="nonsense"),
    ],
)
def test_a_state_without_a_sign_is_unknown(person: dict[str, object] | None) -> None:
    html = render("{% presence_badge person %}", person=person)
    assert "#ph-unknown" in html
    assert "#im-unknown" in html
    assert "<script>" not in html


@pytest.mark.parametrize(
    ("minutes", "age"),
    [(0, "0 min"), (59, "59 min"), (60, "1 h"), (47 * 60, "47 h"), (49 * 60, "2 d")],
)
def test_what_is_not_heard_any_more_says_how_old_the_news_is(minutes: int, age: str) -> None:
    since = (timezone.now() - timedelta(minutes=minutes, seconds=1)).isoformat()
    html = render(
        "{% presence_badge person %}",
        person={"phone": "unknown", "phone_since": since, "im": "busy", "im_since": since},
    )
    assert f"{age} ago; Chat: busy since" in html


PHONE: dict[str, object] = {
    "extension": "1001",
    "name": "Camille Renard",
    "plugged": True,
    "do_not_disturb": True,
    "state": "idle",
    "number": "",
    "name_shown": "",
    "outside": False,
}


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        pytest.param({}, "dnd", id="do-not-disturb"),
        pytest.param({"state": "talking"}, "talking", id="talking-although-not-to-disturb"),
        pytest.param({"plugged": False}, "unplugged", id="unplugged"),
        pytest.param({"do_not_disturb": False}, "idle", id="idle"),
    ],
)
def test_a_handset_shows_why_it_would_not_ring(facts: dict[str, object], state: str) -> None:
    assert handset.handset_state({**PHONE, **facts}) == state


def test_hanging_up_a_ringing_handset_refuses_the_call() -> None:
    assert handset.ending("ringing") == "reject"
    assert handset.ending("talking") == "hang_up"
    assert not handset.can_hang_up("idle")


def test_a_handset_shows_who_is_on_the_line() -> None:
    ringing = {**PHONE, "state": "ringing", "number": "1002", "name_shown": "Nadia Belkacem"}
    assert handset.other_side(ringing) == "Nadia Belkacem 1002"
    assert handset.other_side({**ringing, "name_shown": ""}) == "1002"
    assert handset.other_side(PHONE) == ""
